//! L11: when faults stop and operators answer, every caller is answered, diverted or gone. The driver makes it so,
//! then asks here.

use alloc::format;

use super::{Violation, demand};
use crate::operator::Work;
use crate::state::State;

const LAW: &str = "L11";

/// Nobody is left inside, and nobody is kept from answering by something that is over.
///
/// # Errors
/// Names the call or the operator left behind.
pub fn check(state: &State) -> Result<(), Violation> {
    if let Some((id, call)) = state.calls.first_key_value() {
        return Err(Violation {
            law: LAW,
            seq: state.seq,
            what: format!(
                "call {id} is still {:?} on {} after {} s, with tiers {:?}",
                call.state(),
                call.line,
                state.now.since(call.rang_at).as_secs(),
                call.tiers.iter().collect::<alloc::vec::Vec<_>>(),
            ),
        });
    }
    let stuck = state.operators.iter().find(|(_, o)| !matches!(o.work, Work::Idle | Work::OutsideCall));
    demand(LAW, state.seq, stuck.is_none(), || {
        format!("{:?} is left behind", stuck.map(|(id, o)| (id, o.work)))
    })
}
