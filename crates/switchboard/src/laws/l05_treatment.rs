//! L05: every open call has exactly one treatment; its revision never decreases, and rises exactly when the
//! treatment changes.

use alloc::collections::BTreeMap;
use alloc::format;

use super::{Step, Violation, demand};
use crate::id::{CallId, Seq};
use crate::switchboard::Switchboard;
use crate::treatment::Treatment;

const LAW: &str = "L05";

/// # Errors
/// Names the call whose treatment is missing, double or foreign.
pub(super) fn check_state(switchboard: &Switchboard) -> Result<(), Violation> {
    let state = switchboard.state();
    let gateways: alloc::collections::BTreeSet<_> = state.calls.values().map(|call| call.gateway).collect();
    let mut listed: BTreeMap<CallId, Treatment> = BTreeMap::new();
    for treatment in gateways.iter().flat_map(|gateway| switchboard.treatments(*gateway)) {
        let call = treatment.call;
        let twice = listed.insert(call, treatment).is_some();
        demand(LAW, state.seq, !twice, || format!("call {call} is listed twice"))?;
    }
    for (id, call) in &state.calls {
        let treatment = switchboard.treatment(*id);
        let fits = treatment.as_ref().is_some_and(|t| {
            t.call == *id && t.gateway == call.gateway && t.revision == call.treatment_revision
        });
        demand(LAW, state.seq, fits, || format!("call {id} has the treatment {treatment:?}"))?;
        demand(LAW, state.seq, listed.get(id) == treatment.as_ref(), || {
            format!("the gateway of call {id} is told {:?}, not {treatment:?}", listed.get(id))
        })?;
    }
    let stray = listed.keys().find(|id| !state.calls.contains_key(id));
    demand(LAW, state.seq, stray.is_none(), || format!("a treatment of {stray:?}, which is not open"))
}

/// # Errors
/// Names the call whose revision fell, stayed although the treatment changed, or rose although it did not.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    let seq = step.decision.seq;
    let earlier = Switchboard::from_state(step.before.clone());
    for id in step.before.calls.keys() {
        let (Some(old), Some(new)) = (earlier.treatment(*id), step.after.treatment(*id)) else {
            return Err(Violation { law: LAW, seq, what: format!("call {id} lost its treatment") });
        };
        let expected = if shown(&old) == shown(&new) { old.revision } else { seq };
        demand(LAW, seq, new.revision == expected, || {
            format!("call {id} went from {old:?} to {new:?}; its revision should be {}", expected.0)
        })?;
    }
    for id in step.after.state().calls.keys().filter(|id| !step.before.calls.contains_key(id)) {
        let revision = step.after.treatment(*id).map(|t| t.revision);
        demand(LAW, seq, revision == Some(seq), || format!("the new call {id} is at revision {revision:?}"))?;
    }
    Ok(())
}

/// A treatment apart from its revision.
fn shown(treatment: &Treatment) -> Treatment {
    Treatment { revision: Seq(0), ..treatment.clone() }
}
