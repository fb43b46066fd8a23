//! L04: an operator has at most one offer or call; a call at most one accepted offer; both sides agree.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;

use super::{Violation, demand};
use crate::call::{Call, Offer, Phase, Purpose, Stage};
use crate::id::{Attempt, CallId, OperatorId};
use crate::operator::{Operator, Work};
use crate::state::State;

const LAW: &str = "L04";

/// # Errors
/// Names the call or the operator concerned.
pub(super) fn check(state: &State) -> Result<(), Violation> {
    let mut held: BTreeMap<OperatorId, Vec<Work>> = BTreeMap::new();
    for (id, call) in &state.calls {
        check_call(state, *id, call)?;
        for (operator, work) in claims(*id, call) {
            held.entry(operator).or_default().push(work);
        }
    }
    for (id, operator) in &state.operators {
        check_operator(state, *id, operator, held.remove(id).unwrap_or_default())?;
    }
    let unknown = held.keys().next();
    demand(LAW, state.seq, unknown.is_none(), || format!("a call is with {unknown:?}, who does not exist"))
}

/// Of these calls and operators only.
///
/// # Errors
/// Names the call or the operator concerned.
pub(super) fn check_named(
    state: &State,
    calls: &BTreeSet<CallId>,
    people: &BTreeSet<OperatorId>,
) -> Result<(), Violation> {
    for (id, call) in calls.iter().filter_map(|id| Some((*id, state.calls.get(id)?))) {
        check_call(state, id, call)?;
        for (operator, work) in claims(id, call) {
            let agrees = state.operators.get(&operator).is_some_and(|known| known.work == work);
            demand(LAW, state.seq, agrees, || format!("{operator} does not know to be {work:?}"))?;
        }
    }
    for (id, operator) in people.iter().filter_map(|id| Some((*id, state.operators.get(id)?))) {
        let Some((call, _)) = operator.work.call() else { continue };
        let claimed = state.calls.get(&call).map(|known| claims(call, known)).unwrap_or_default();
        let agrees = claimed.contains(&(id, operator.work));
        demand(LAW, state.seq, agrees, || format!("{id} is {:?}, its call says {claimed:?}", operator.work))?;
    }
    Ok(())
}

fn check_call(state: &State, id: CallId, call: &Call) -> Result<(), Violation> {
    let consults = call.offers.values().filter(|o| o.purpose == Purpose::Consult).count();
    let others = call.offers.len() - consults;
    let accepted = call.offers.values().filter(|o| is_accepted(o)).count();
    demand(LAW, state.seq, accepted <= 1, || format!("call {id} has {accepted} accepted offers"))?;
    demand(LAW, state.seq, consults <= 1, || format!("call {id} has {consults} consults"))?;
    let fits = match call.phase {
        Phase::Queued => consults == 0,
        Phase::Bridged { held, .. } => others == 0 && (consults == 0 || held),
        Phase::Diverting { .. } => call.offers.is_empty(),
    };
    demand(LAW, state.seq, fits, || {
        format!("the offers of call {id} do not fit its phase {:?}", call.phase)
    })?;
    let strays = call.offers.values().filter(|o| o.stage == Stage::Talking && o.purpose != Purpose::Consult);
    demand(LAW, state.seq, strays.count() == 0, || format!("an offer of call {id} talks without a bridge"))
}

fn is_accepted(offer: &Offer) -> bool {
    offer.purpose != Purpose::Consult && matches!(offer.stage, Stage::Accepted { .. })
}

/// Whom a call says it occupies, and how.
fn claims(id: CallId, call: &Call) -> Vec<(OperatorId, Work)> {
    let mut claims: Vec<(OperatorId, Work)> = call
        .offers
        .iter()
        .map(|(attempt, offer)| (offer.operator, offer_work(id, *attempt, offer)))
        .collect();
    if let Phase::Bridged { operator, attempt, .. } = call.phase {
        claims.push((operator, Work::Talking { call: id, attempt }));
    }
    claims
}

fn offer_work(call: CallId, attempt: Attempt, offer: &Offer) -> Work {
    match offer.stage {
        Stage::Ringing { .. } => Work::Offered { call, attempt },
        Stage::Accepted { .. } => Work::Connecting { call, attempt },
        Stage::Talking => Work::Talking { call, attempt },
    }
}

fn check_operator(
    state: &State,
    id: OperatorId,
    operator: &Operator,
    claimed: Vec<Work>,
) -> Result<(), Violation> {
    demand(LAW, state.seq, claimed.len() <= 1, || format!("{id} has several calls: {claimed:?}"))?;
    let agrees = match claimed.first() {
        Some(work) => operator.work == *work,
        None => operator.work.call().is_none(),
    };
    demand(LAW, state.seq, agrees, || {
        format!("{id} is {:?}, the calls say {:?}", operator.work, claimed.first())
    })
}
