//! L02: refused means unchanged.

use alloc::format;

use super::{Violation, demand};
use crate::canonical;
use crate::state::State;
use crate::switchboard::Switchboard;

/// Nothing is different after a refusal.
///
/// # Errors
/// Says that something is.
pub fn check(before: &State, after: &Switchboard) -> Result<(), Violation> {
    let same = before == after.state();
    demand("L02", before.seq, same, || {
        let (old, new) = (canonical::encode(before), canonical::encode(after.state()));
        let at = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
        format!("a refusal changed the state, from byte {at} of its encoding")
    })
}
