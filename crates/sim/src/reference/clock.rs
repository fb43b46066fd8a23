//! What happens by itself. Deadlines are found by looking at everybody, and fire in the order (deadline, subject).

use switchboard::call::{Call, Offer, Outcome, Phase, Stage, Withdrawal};
use switchboard::event::Event;
use switchboard::id::{Attempt, CallId, CallerRef, LineId, OperatorId};
use switchboard::line::LineState;
use switchboard::operator::{Duty, Link, Operator, Work};
use switchboard::plan::Trigger;
use switchboard::time::SiteTime;

use super::Reference;

/// What becomes of calls whose closing message is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closings {
    /// They wait once more for whoever became free at this very moment.
    Wait,
    /// They end.
    End,
}

/// Whose deadline; those of the same time fire in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Schedule,
    Line(LineId),
    Caller(CallerRef),
    Operator(OperatorId),
    Call(CallId),
}

impl Reference {
    /// When something happens by itself next.
    pub fn next_deadline(&self) -> Option<SiteTime> {
        self.deadlines().into_iter().map(|(at, _)| at).min()
    }

    /// Fires each subject that has something due, the earliest first. Whether any had.
    pub(super) fn fire_due(&mut self, closings: Closings) -> bool {
        let now = self.now();
        let mut passed = None;
        let mut any = false;
        loop {
            let due =
                self.deadlines().into_iter().filter(|entry| entry.0 <= now && Some(*entry) > passed).min();
            let Some((at, subject)) = due else { return any };
            any = true;
            match subject {
                Subject::Schedule => self.pass_edges(),
                Subject::Line(line) => self.fire_line(line),
                Subject::Caller(caller) => {
                    self.state.blocks.remove(&caller);
                    self.say(Event::CallerUnblocked { caller });
                }
                Subject::Operator(operator) => self.fire_operator(operator),
                Subject::Call(call) => self.fire_call(call, closings),
            }
            // What comes of it may have been due before it; only calls may stay due, for their ladders.
            let first = self
                .deadlines()
                .into_iter()
                .filter(|(at, subject)| *at <= now && !matches!(subject, Subject::Call(_)))
                .min();
            passed = first.is_none_or(|entry| entry > (at, subject)).then_some((at, subject));
        }
    }

    /// The earliest deadline of everybody who has one.
    fn deadlines(&self) -> Vec<(SiteTime, Subject)> {
        let state = &self.state;
        let edge = state.edges.front().map(|edge| (edge.at, Subject::Schedule));
        let lines = state.lines.keys().filter_map(|id| Some((self.line_deadline(*id)?, Subject::Line(*id))));
        let blocks = state.blocks.iter().map(|(caller, block)| (block.until, Subject::Caller(*caller)));
        let operators = state.operators.iter();
        let operators =
            operators.filter_map(|(id, o)| Some((self.operator_deadline(o)?, Subject::Operator(*id))));
        let calls =
            state.calls.iter().filter_map(|(id, c)| Some((self.call_deadline(c)?, Subject::Call(*id))));
        edge.into_iter().chain(lines).chain(blocks).chain(operators).chain(calls).collect()
    }

    fn line_deadline(&self, line: LineId) -> Option<SiteTime> {
        let status = self.state.lines[&line];
        let closed = match status.state {
            LineState::ClosedByHand { until, .. } => Some(until),
            _ => None,
        };
        closed.into_iter().chain(status.divert.map(|divert| divert.until)).min()
    }

    fn operator_deadline(&self, operator: &Operator) -> Option<SiteTime> {
        let mut all = vec![operator.cool_until];
        if let Link::Grace { until } = operator.link {
            all.push(Some(until));
        }
        if let Duty::Paused { until, .. } = operator.duty {
            all.push(until);
        }
        if let Work::WrapUp { until, .. } = operator.work {
            all.push(Some(until));
        }
        if let Some(shift) = operator.shift {
            let early = self.timers().shift_end;
            all.push(Some(if shift.ending { shift.ends_at } else { shift.ends_at - early }));
        }
        all.into_iter().flatten().min()
    }

    fn call_deadline(&self, call: &Call) -> Option<SiteTime> {
        let mut all: Vec<SiteTime> = call.offers.values().flat_map(offer_deadlines).collect();
        if let Phase::Diverting { ringing_until: Some(until), .. } = call.phase {
            all.push(until);
        }
        if call.is_waiting() {
            match call.target {
                Some(target) => all.push(target.until),
                None => all.extend(self.ladder_deadlines(call)),
            }
        }
        all.into_iter().min()
    }

    fn ladder_deadlines(&self, call: &Call) -> Vec<SiteTime> {
        let line = self.promised(call);
        let mut all: Vec<SiteTime> = call.closing_until.into_iter().collect();
        for (n, tier) in (0_u8..).zip(&line.tiers) {
            for trigger in tier.when.iter().filter(|_| !call.tiers.contains(n)) {
                if let Trigger::Wait(wait) = trigger {
                    all.push(call.ladder_from + *wait);
                }
            }
        }
        for preference in &line.prefers {
            let skill = self.state.skills.bit(preference.skill);
            if !skill.is_empty() && call.held.covers(skill) {
                all.push(call.ladder_from + preference.hold);
            }
        }
        all
    }

    fn fire_line(&mut self, line: LineId) {
        let now = self.now();
        if self.state.lines[&line].divert.is_some_and(|divert| divert.until <= now) {
            self.end_divert(line);
        }
        if matches!(self.state.lines[&line].state, LineState::ClosedByHand { until, .. } if until <= now) {
            self.reopen(line);
        }
    }

    fn fire_operator(&mut self, id: OperatorId) {
        let now = self.now();
        let was = self.operator(id).clone();
        if matches!(was.link, Link::Grace { until } if until <= now) {
            self.operator_mut(id).link = Link::Lost;
            self.say(Event::DeskLost { operator: id });
        }
        if was.cool_until.is_some_and(|until| until <= now) {
            self.operator_mut(id).cool_until = None;
            self.say(Event::CooledDown { operator: id });
        }
        if matches!(was.duty, Duty::Paused { until: Some(until), .. } if until <= now) {
            self.end_pause(id);
        }
        if matches!(was.work, Work::WrapUp { until, .. } if until <= now) {
            self.end_after_call(id, None);
        }
        let early = self.timers().shift_end;
        let Some(shift) = self.state.operators.get(&id).and_then(|o| o.shift) else { return };
        if !shift.ending && shift.ends_at - early <= now {
            self.shift_ending(id);
        }
        if shift.ends_at <= now {
            self.shift_ended(id);
        }
    }

    fn fire_call(&mut self, id: CallId, closings: Closings) {
        let now = self.now();
        let offers: Vec<(Attempt, Offer)> = self.call(id).offers.clone().into_iter().collect();
        for (attempt, offer) in offers {
            match offer.stage {
                Stage::Ringing { .. } if offer.reload_by.is_some_and(|by| by <= now) => {
                    self.withdraw(id, attempt, Withdrawal::LinkLost);
                }
                Stage::Ringing { deliver_by: Some(by), .. } if by <= now => {
                    self.not_delivered(id, attempt, false)
                }
                Stage::Ringing { ring_until, .. } if ring_until <= now => self.ring_out(id, attempt),
                Stage::Accepted { connect_by } if connect_by <= now => {
                    self.fail_bridge(id, attempt, None, true);
                }
                _ => {}
            }
        }
        let call = self.call(id);
        match call.phase {
            Phase::Diverting { ringing_until: Some(until), .. } if until <= now => self.divert_failed(id),
            Phase::Queued if closings == Closings::End && call.is_waiting() && heard(call, now) => {
                self.close(id, Outcome::NobodyOnDuty);
            }
            _ => {}
        }
    }
}

/// Whether the closing message is over.
fn heard(call: &Call, now: SiteTime) -> bool {
    call.closing_until.is_some_and(|until| until <= now)
}

fn offer_deadlines(offer: &Offer) -> Vec<SiteTime> {
    match offer.stage {
        Stage::Ringing { deliver_by, ring_until } => {
            [deliver_by, Some(ring_until), offer.reload_by].into_iter().flatten().collect()
        }
        Stage::Accepted { connect_by } => vec![connect_by],
        Stage::Talking => Vec::new(),
    }
}
