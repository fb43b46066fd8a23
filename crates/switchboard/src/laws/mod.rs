//! The laws, one file each, as executable checks. They read the state and the decision as they stand and look at
//! everything, slowly; none of them asks the switchboard's own indexes, except to find them out.
//!
//! [`check_step`] runs what can be seen on one decision, [`check_decided`] what can be seen of it cheaply; [`l01_replay`], [`l02_refusal`] and [`l11_liveness`]
//! need a driver who keeps a history.

pub mod l01_replay;
pub mod l02_refusal;
pub mod l03_deadlines;
pub mod l04_one_call;
pub mod l05_treatment;
pub mod l06_one_close;
pub mod l07_work_conservation;
pub mod l08_overtaking;
pub mod l09_attempts;
pub mod l10_order;
pub mod l11_liveness;
pub mod l12_privacy;
pub mod l13_conservation;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::decision::Decision;
use crate::event::Event;
use crate::id::{CallId, OperatorId, Seq};
use crate::state::State;
use crate::switchboard::Switchboard;

/// One decision and what it made of the state.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The state before.
    pub before: &'a State,
    /// What was decided.
    pub decision: &'a Decision,
    /// The switchboard after.
    pub after: &'a Switchboard,
}

/// A law that did not hold. Says ids and figures only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which law, as in the table: `L07`.
    pub law: &'static str,
    /// The last decision before it was noticed.
    pub seq: Seq,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} violated at decision {}: {}", self.law, self.seq.0, self.what)
    }
}

impl core::error::Error for Violation {}

/// Every law that one decision can violate.
///
/// # Errors
/// The first violation found.
pub fn check_step(step: Step<'_>) -> Result<(), Violation> {
    l10_order::check(step)?;
    l06_one_close::check(step)?;
    l09_attempts::check(step)?;
    l13_conservation::check(step)?;
    l03_deadlines::check(step)?;
    check_state(step.after)?;
    l05_treatment::check(step)?;
    l07_work_conservation::check_asked(step)?;
    l08_overtaking::check(step)?;
    l12_privacy::check(step)
}

/// What can be seen of the laws by looking only at what one decision names: at its calls, and at the operators it or
/// they name. A few per cent of what deciding it cost, so that an exchange can look before it appends.
///
/// # Errors
/// The first violation found.
pub fn check_decided(decision: &Decision, after: &Switchboard) -> Result<(), Violation> {
    let state = after.state();
    demand("L10", decision.seq, state.seq == decision.seq && state.now == decision.at, || {
        format!("after it the state is at {:?}, {:?}", state.seq, state.now)
    })?;
    l06_one_close::check_decided(decision, state)?;
    let calls: BTreeSet<CallId> = decision.events.iter().filter_map(Event::call).collect();
    let mut people: BTreeSet<OperatorId> = decision.events.iter().filter_map(Event::operator).collect();
    for (id, call) in calls.iter().filter_map(|id| Some((*id, state.calls.get(id)?))) {
        l09_attempts::check_call(state, id, call)?;
        people.extend(call.offers.values().map(|offer| offer.operator));
    }
    l04_one_call::check_named(state, &calls, &people)
}

/// Every law that a state alone can violate.
///
/// # Errors
/// The first violation found.
pub fn check_state(switchboard: &Switchboard) -> Result<(), Violation> {
    l04_one_call::check(switchboard.state())?;
    l05_treatment::check_state(switchboard)?;
    l06_one_close::check_state(switchboard.state())?;
    l07_work_conservation::check(switchboard.state())?;
    l09_attempts::check_state(switchboard.state())
}

/// Finds a violation of `law` unless `holds`; the words are made only when needed.
fn demand(law: &'static str, seq: Seq, holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { law, seq, what: what() }) }
}
