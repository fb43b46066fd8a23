use crate::event::Event;
use crate::id::OperatorId;
use crate::operator::{Duty, Link, Operator, PauseWish, Shift, Work};
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Applies an event about an operator; false for any other.
    pub(super) fn apply_to_operator(&mut self, event: &Event) -> bool {
        let at = self.at();
        match event {
            Event::OperatorAdded { operator, profile } => {
                self.touch_operator(*operator);
                let skills = self.state.skills.set(&profile.skills);
                let (teams, home) = (profile.teams.clone(), profile.home.clone());
                self.state
                    .operators
                    .insert(*operator, Operator::new(teams, home, skills, profile.device, at));
            }
            Event::OperatorChanged { operator, profile } => {
                let skills = self.state.skills.set(&profile.skills);
                self.touch_groups(*operator);
                self.with_operator(*operator, |o| {
                    o.teams = profile.teams.clone();
                    o.home = profile.home.clone();
                    o.skills = skills;
                    o.device = profile.device;
                });
            }
            Event::OperatorRemoving { operator } => self.with_operator(*operator, |o| o.removing = true),
            Event::OperatorRemoved { operator } => {
                self.touch_groups(*operator);
                self.state.operators.remove(operator);
            }
            Event::DeskAttached { operator, desk, session } => {
                self.with_operator(*operator, |o| {
                    o.link = Link::Online;
                    o.desk = Some(*desk);
                    o.session = *session;
                });
                self.set_reload(*operator, None);
            }
            Event::DeskDropped { operator, grace_until, reload_by } => {
                self.with_operator(*operator, |o| o.link = Link::Grace { until: *grace_until });
                self.set_reload(*operator, Some(*reload_by));
            }
            Event::DeskLost { operator } => self.with_operator(*operator, |o| o.link = Link::Lost),
            Event::WentOnDuty { operator } => self.with_operator(*operator, |o| {
                if o.duty == Duty::Off {
                    o.idle_since = at;
                    o.strikes = 0;
                    o.cool_until = None;
                }
                o.duty = Duty::On;
            }),
            Event::OperatorPaused { operator, reason, until, idle_for } => {
                self.with_operator(*operator, |o| {
                    o.duty = Duty::Paused { reason: *reason, until: *until, idle_for: *idle_for };
                    o.pause_next = None;
                })
            }
            Event::PauseNoted { operator, reason, until } => self.with_operator(*operator, |o| {
                o.pause_next = Some(PauseWish { reason: *reason, until: *until });
            }),
            Event::OperatorResumed { operator, idle_since } => self.with_operator(*operator, |o| {
                o.duty = Duty::On;
                o.idle_since = *idle_since;
                o.strikes = 0;
                o.cool_until = None;
                o.pause_next = None;
            }),
            Event::OperatorLeaving { operator } => self.with_operator(*operator, |o| {
                o.duty = Duty::Leaving;
                o.pause_next = None;
            }),
            Event::WentOffDuty { operator } => self.with_operator(*operator, |o| {
                o.duty = Duty::Off;
                o.strikes = 0;
                o.cool_until = None;
                o.pause_next = None;
            }),
            Event::CooledDown { operator } => self.with_operator(*operator, |o| o.cool_until = None),
            Event::WrapUpStarted { operator, call, until } => self.with_operator(*operator, |o| {
                o.work = Work::WrapUp { call: *call, until: *until };
            }),
            Event::WrapUpEnded { operator, .. } => self.freed(*operator, true),
            Event::OutsideCallStarted { operator } => {
                self.with_operator(*operator, |o| o.work = Work::OutsideCall);
            }
            Event::OutsideCallEnded { operator } | Event::OperatorForcedIdle { operator } => {
                self.freed(*operator, false);
            }
            Event::ShiftStarted { operator, ends_at } => self.with_operator(*operator, |o| {
                o.shift = Some(Shift { ends_at: *ends_at, ending: false });
            }),
            Event::ShiftEnding { operator, .. } => self.with_operator(*operator, |o| {
                if let Some(shift) = &mut o.shift {
                    shift.ending = true;
                }
            }),
            Event::ShiftEnded { operator } => self.with_operator(*operator, |o| o.shift = None),
            _ => return false,
        }
        true
    }

    /// A dropped desk's ringing offer stays for a reload; a desk that is back keeps it.
    fn set_reload(&mut self, operator: OperatorId, by: Option<crate::time::SiteTime>) {
        let Some((call, attempt)) = self.ringing_offer(operator) else { return };
        self.with_call(call, |c| {
            if let Some(offer) = c.offers.get_mut(&attempt) {
                offer.reload_by = by;
            }
        });
    }

    fn ringing_offer(&self, operator: OperatorId) -> Option<(crate::id::CallId, crate::id::Attempt)> {
        match self.state.operators.get(&operator)?.work {
            Work::Offered { call, attempt } => Some((call, attempt)),
            _ => None,
        }
    }
}
