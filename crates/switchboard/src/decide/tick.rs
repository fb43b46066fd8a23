//! What is due fires, in the order of (deadline, subject). What only the ladder waits for is left to settling.

use alloc::vec::Vec;

use crate::call::{Call, Outcome, Phase, Stage, Withdrawal};
use crate::command::Actor;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{Attempt, CallId, LineId, OperatorId};
use crate::index::Subject;
use crate::line::LineState;
use crate::operator::{Duty, Link, Work};
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};
use crate::time::SiteTime;

/// What becomes of a call whose closing message is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closings {
    /// It waits once more, for whoever becomes free at this very moment.
    Wait,
    /// It ends.
    End,
}

/// What of an offer is due.
enum Due {
    LinkLost,
    Undeliverable,
    RangOut,
    BridgeFailed,
}

impl Switchboard {
    /// Settling does the rest: it begins with what is due.
    pub(super) fn tick(&mut self, at: SiteTime, actor: Actor) -> Decided {
        if actor != Actor::Clock {
            return Err(Rejection::NotYours);
        }
        if self.next_deadline().is_none_or(|due| due > at) {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        Ok(Reply::Done)
    }

    /// Fires everything due, and what becomes due by that: a shift that starts late may be near its end, a cool-down
    /// may last no time. A call whose deadline only the ladder knows is stirred, and settled later.
    pub(crate) fn fire_due(&mut self, at: SiteTime, closings: Closings) {
        let is_due = |entry: &&(SiteTime, Subject)| entry.0 <= at;
        loop {
            self.fire_once(at, closings);
            let mut left = self.index.deadlines.iter().take_while(is_due);
            if left.all(|(_, subject)| matches!(subject, Subject::Call(_))) {
                return;
            }
        }
    }

    /// Fires every subject that has something due, once, the earliest first.
    fn fire_once(&mut self, at: SiteTime, closings: Closings) {
        let mut passed: Option<(SiteTime, Subject)> = None;
        loop {
            let next = match passed {
                None => self.index.deadlines.first().copied(),
                Some(entry) => {
                    let after = (core::ops::Bound::Excluded(entry), core::ops::Bound::Unbounded);
                    self.index.deadlines.range(after).next().copied()
                }
            };
            let Some((due, subject)) = next.filter(|(due, _)| *due <= at) else { return };
            match subject {
                Subject::Schedule => self.pass_edges(),
                Subject::Line(line) => self.fire_line(line, at),
                Subject::Caller(caller) => self.emit(Event::CallerUnblocked { caller }),
                Subject::Operator(operator) => self.fire_operator(operator, at),
                Subject::Call(call) => self.fire_call(call, at, closings),
            }
            self.reindex();
            passed = Some((due, subject));
        }
    }

    fn fire_line(&mut self, line: LineId, at: SiteTime) {
        let Some(status) = self.state.lines.get(&line).copied() else { return };
        if status.divert.is_some_and(|d| d.until <= at) {
            self.end_divert(line);
        }
        if matches!(self.state.lines[&line].state, LineState::ClosedByHand { until, .. } if until <= at) {
            self.reopen(line);
        }
    }

    fn fire_operator(&mut self, operator: OperatorId, at: SiteTime) {
        let Some(known) = self.state.operators.get(&operator).cloned() else { return };
        if matches!(known.link, Link::Grace { until } if until <= at) {
            self.emit(Event::DeskLost { operator });
        }
        if known.cool_until.is_some_and(|until| until <= at) {
            self.emit(Event::CooledDown { operator });
        }
        if let Duty::Paused { until: Some(until), idle_for, .. } = known.duty
            && until <= at
        {
            self.emit(Event::OperatorResumed { operator, idle_since: at - idle_for });
        }
        if matches!(known.work, Work::WrapUp { until, .. } if until <= at) {
            self.wrap_up_over(operator, None);
        }
        let Some(shift) = self.state.operators.get(&operator).and_then(|o| o.shift) else { return };
        if !shift.ending && shift.ends_at - self.state.timers().shift_end <= at {
            self.shift_ending(operator);
        }
        if shift.ends_at <= at {
            self.shift_ended(operator);
        }
    }

    fn fire_call(&mut self, id: CallId, at: SiteTime, closings: Closings) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let due: Vec<(Attempt, Due)> =
            call.offers.iter().filter_map(|(attempt, offer)| Some((*attempt, due(offer, at)?))).collect();
        for (attempt, due) in due {
            match due {
                Due::LinkLost => self.withdraw(id, attempt, Withdrawal::LinkLost),
                Due::Undeliverable => self.undeliverable(id, attempt, false),
                Due::RangOut => self.rang_out(id, attempt),
                Due::BridgeFailed => self.bridge_failed(id, attempt, None, false),
            }
        }
        let Some(call) = self.state.calls.get(&id) else { return };
        match call.phase {
            Phase::Diverting { ringing_until: Some(until), .. } if until <= at => self.divert_failed(id),
            Phase::Queued if closings == Closings::End && is_heard(call, at) => {
                self.close(id, Outcome::NobodyOnDuty);
            }
            Phase::Queued | Phase::Bridged { .. } | Phase::Diverting { .. } => self.stir(id),
        }
    }

    /// Has a waiting call looked at when settling.
    pub(crate) fn stir(&mut self, id: CallId) {
        if let Some(call) = self.state.calls.get(&id).filter(|c| c.is_waiting()) {
            let place = self.state.place(id, call);
            self.index.waiting.stirred.insert(place);
        }
    }
}

/// Whether a waiting call's closing message is over.
fn is_heard(call: &Call, at: SiteTime) -> bool {
    call.is_waiting() && call.closing_until.is_some_and(|until| until <= at)
}

fn due(offer: &crate::call::Offer, at: SiteTime) -> Option<Due> {
    match offer.stage {
        Stage::Ringing { .. } if offer.reload_by.is_some_and(|t| t <= at) => Some(Due::LinkLost),
        Stage::Ringing { deliver_by: Some(t), .. } if t <= at => Some(Due::Undeliverable),
        Stage::Ringing { ring_until, .. } if ring_until <= at => Some(Due::RangOut),
        Stage::Accepted { connect_by } if connect_by <= at => Some(Due::BridgeFailed),
        Stage::Ringing { .. } | Stage::Accepted { .. } | Stage::Talking => None,
    }
}
