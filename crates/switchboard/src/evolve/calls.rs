use alloc::collections::BTreeMap;

use crate::call::{Abandon, Call, MoveCause, Outcome, Phase, Target, TierSet, Tombstone};
use crate::command::TransferTarget;
use crate::event::Event;
use crate::id::{CallId, Seq};
use crate::operator::Work;
use crate::planted::Bug;
use crate::skills::SkillSet;
use crate::switchboard::Switchboard;
use crate::time::{SiteTime, Span};

impl Switchboard {
    /// Applies an event of a call's passage; false for any other.
    pub(super) fn apply_to_call(&mut self, event: &Event) -> bool {
        let at = self.at();
        match event {
            Event::CallArrived { call, .. } => self.arrived(*call, event),
            Event::CallMoved { call, to, cause, class, revision, required, held, .. } => {
                let (required, held) = (self.state.skills.set(required), self.state.skills.set(held));
                self.with_call(*call, |c| {
                    c.line = *to;
                    c.class = *class;
                    c.revision = *revision;
                    c.required = required;
                    c.held = held;
                    c.tiers = TierSet::FIRST;
                    c.target = None;
                    c.closing_until = None;
                    c.escaped |= *cause == MoveCause::Escape;
                });
            }
            Event::SkillChosen { call, skill } => {
                let bit = self.state.skills.bit(*skill);
                self.with_call(*call, |c| c.required = c.required.union(bit));
            }
            Event::PreferenceRelaxed { call, skill } => {
                let bit = self.state.skills.bit(*skill);
                self.with_call(*call, |c| c.held = c.held.without(bit));
            }
            Event::TierOpened { call, tier, .. } => self.with_call(*call, |c| c.tiers.insert(*tier)),
            Event::CallMigrated { call, revision, tiers, required } => {
                let required = self.state.skills.set(required);
                self.with_call(*call, |c| {
                    c.revision = *revision;
                    c.tiers = *tiers;
                    c.closing_until = None;
                    c.required = required;
                    c.held = SkillSet::NONE;
                });
            }
            Event::TargetExpired { call } => self.with_call(*call, |c| {
                c.target = None;
            }),
            Event::ClosingStarted { call, until } => {
                self.with_call(*call, |c| c.closing_until = Some(*until))
            }
            Event::CallRequeued { call, operator, tiers } => {
                let forgets = self.state.suffers(Bug::ForgottenPlace);
                self.with_call(*call, |c| {
                    c.phase = Phase::Queued;
                    c.tiers = *tiers;
                    c.ladder_from = at;
                    if forgets {
                        c.arrived_at = at;
                    }
                });
                self.freed(*operator, true);
            }
            Event::CallDiverted { call, destination, attempt, ringing_until, by } => {
                self.with_call(*call, |c| {
                    c.attempts = attempt.0;
                    c.closing_until = None;
                    c.phase = Phase::Diverting {
                        destination: *destination,
                        attempt: *attempt,
                        ringing_until: *ringing_until,
                        by: *by,
                    };
                })
            }
            Event::DivertConnected { call } => self.with_call(*call, |c| {
                if let Phase::Diverting { ringing_until, .. } = &mut c.phase {
                    *ringing_until = None;
                }
            }),
            Event::DivertFailed { call } => self.with_call(*call, |c| c.phase = Phase::Queued),
            Event::CallHeld { call } => self.set_held(*call, true),
            Event::CallRetrieved { call } => self.set_held(*call, false),
            Event::CallTransferred {
                call,
                from,
                to,
                line,
                class,
                revision,
                target_until,
                required,
                held,
            } => {
                let (required, held) = (self.state.skills.set(required), self.state.skills.set(held));
                let target = match (to, target_until) {
                    (TransferTarget::Operator(operator), Some(until)) => {
                        Some(Target { operator: *operator, until: *until })
                    }
                    _ => None,
                };
                self.with_call(*call, |c| {
                    c.phase = Phase::Queued;
                    c.line = *line;
                    c.class = *class;
                    c.revision = *revision;
                    c.required = required;
                    c.held = held;
                    c.target = target;
                    c.requeue_from(at);
                });
                self.freed(*from, true);
            }
            Event::CallClosed { call, outcome, resumable_until } => {
                self.closed_with(*call, *outcome, *resumable_until)
            }
            _ => return false,
        }
        true
    }

    fn arrived(&mut self, id: CallId, event: &Event) {
        let Event::CallArrived {
            gateway,
            caller,
            kind,
            line,
            class,
            revision,
            arrived_at,
            ladder_from,
            resumed,
            required,
            held,
            ..
        } = event
        else {
            return;
        };
        if *resumed {
            self.take_abandon(*line, *caller);
        }
        self.touch_call(id);
        let call = Call {
            gateway: *gateway,
            caller: *caller,
            kind: *kind,
            line: *line,
            called: *line,
            class: *class,
            revision: *revision,
            seq: self.seq(),
            arrived_at: *arrived_at,
            rang_at: self.at(),
            ladder_from: *ladder_from,
            required: self.state.skills.set(required),
            held: self.state.skills.set(held),
            tiers: TierSet::FIRST,
            attempts: 0,
            missed: 0,
            tried: BTreeMap::new(),
            target: None,
            escaped: false,
            answered: false,
            closing_until: None,
            offers: BTreeMap::new(),
            ended: BTreeMap::new(),
            phase: Phase::Queued,
            treatment_revision: Seq(0),
        };
        self.state.calls.insert(id, call);
    }

    fn set_held(&mut self, id: CallId, on: bool) {
        self.with_call(id, |c| {
            if let Phase::Bridged { held, .. } = &mut c.phase {
                *held = on;
            }
        });
    }

    fn closed_with(&mut self, id: CallId, outcome: Outcome, resumable_until: Option<SiteTime>) {
        self.touch_call(id);
        let Some(call) = self.state.calls.remove(&id) else { return };
        let (at, seq) = (self.at(), self.seq());
        if let Phase::Bridged { operator, .. } = call.phase {
            self.freed(operator, true);
        }
        if let Some(until) = resumable_until {
            self.take_abandon(call.called, call.caller);
            let served = if call.answered { Span::ZERO } else { at.since(call.ladder_from) };
            let abandon = Abandon { arrived_at: call.arrived_at, served, left_at: at, until };
            self.state.abandons.entry(call.called).or_default().insert_mut(call.caller, abandon);
            self.index.abandons.insert_mut((until, call.called, call.caller));
        }
        self.index.tombs.insert_mut((seq, id));
        crate::index::count(&mut self.index.promised, call.revision, 1);
        let tomb = Tombstone {
            closed_at: at,
            outcome,
            line: call.line,
            caller: call.caller,
            class: call.class,
            gateway: call.gateway,
            revision: call.revision,
            seq,
            ended: call.ended,
        };
        self.state.closed.insert_mut(id, tomb);
    }

    /// Nothing occupies an operator any more. `worked` starts the idle time afresh.
    pub(super) fn freed(&mut self, operator: crate::id::OperatorId, worked: bool) {
        let at = self.at();
        self.with_operator(operator, |o| {
            o.work = Work::Idle;
            if worked {
                o.idle_since = at;
            }
        });
    }
}

impl Call {
    /// Begins the ladder again, for a caller who was handed on.
    fn requeue_from(&mut self, at: SiteTime) {
        self.tiers = TierSet::FIRST;
        self.ladder_from = at;
        self.tried = BTreeMap::new();
        self.missed = 0;
        self.closing_until = None;
    }
}
