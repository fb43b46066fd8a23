//! Desks and the people at them: what they do about what their screens show.

use switchboard::call::CallState;
use switchboard::command::{Actor, Command};
use switchboard::desk::DeskView;
use switchboard::id::{Attempt, CallId, DeskSession, OfferId, OperatorId};
use switchboard::operator::{Device, Duty, Link, Work};
use switchboard::time::{SiteTime, Span};

use super::World;
use super::agenda::{Item, PersonAct};
use crate::chance::Purpose;

/// A person's desk and telephone, and what the person makes of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk {
    /// On the roster at this moment.
    pub(super) on_shift: bool,
    /// The desk's stream is open.
    pub(super) connected: bool,
    /// Counts the installations: another desk takes over with the next.
    pub(super) installation: u64,
    pub(super) session: DeskSession,
    pub(super) duty: Duty,
    /// The leg that occupies the telephone.
    pub(super) phone: Option<(usize, Attempt)>,
    /// The telephone is busy with a call that is not the hotline's.
    pub(super) outside: bool,
    /// On duty and idle, as far as the screen shows.
    pub(super) looks_free: bool,
    /// The conversation on the screen.
    pub(super) talks_by: Option<(CallId, Attempt)>,
    /// Counts what happens in this person's day, so that each draw is its own.
    pub(super) turns: u64,
    /// Somebody is about to change the duty.
    pub(super) changing_duty: bool,
    offer: Option<(OfferId, SiteTime)>,
    reacting: Option<OfferId>,
    media: Option<OfferId>,
    wrapping: Option<CallId>,
    returning: bool,
}

/// What a person does about an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reaction {
    pub(super) answer: Answer,
    pub(super) after: Span,
    /// With the telephone, not on the desk.
    pub(super) by_phone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Takes,
    Declines,
    Misses,
    TakesLate,
}

impl World {
    /// The same person does the same about the same offer, whoever asks.
    pub(super) fn reaction(&self, person: usize, number: usize, attempt: Attempt) -> Reaction {
        let key = (number as u64) << 20 | u64::from(attempt.0);
        let mut draw = self.chance.about(Purpose::Reaction, person as u64, key);
        let habits = &self.habits;
        let kinds = [habits.misses, habits.declines];
        let rest = 1_000_u32.saturating_sub(kinds.iter().sum());
        let answer = match draw.weighted(kinds.into_iter().chain([rest])) {
            0 if draw.per_mille(habits.late_accepts) => Answer::TakesLate,
            0 => Answer::Misses,
            1 => Answer::Declines,
            _ => Answer::Takes,
        };
        let after = Span::millis(900) + draw.skewed(habits.answers_after);
        let by_phone = match self.people[person].profile.device {
            Device::Telephone => true,
            Device::Ring => draw.per_mille(650),
            Device::AutoAnswer | Device::Softphone => false,
        };
        Reaction { answer, after, by_phone }
    }

    pub(super) fn desk_shows(&mut self, view: &DeskView) {
        let Some(person) = self.numbers.get(&view.operator).copied() else { return };
        let device = self.people[person].profile.device;
        let desk = &mut self.desks[person];
        desk.looks_free = view.duty == Duty::On && view.work == Work::Idle;
        desk.duty = view.duty;
        if device.has_desk() && !desk.connected {
            return;
        }
        self.look_at_duty(person);
        if !device.has_desk() {
            return;
        }
        let desk = &mut self.desks[person];
        desk.session = view.session;
        desk.offer = view.offer.as_ref().filter(|o| !o.accepted).map(|offer| (offer.id, offer.until));
        desk.talks_by = match view.work {
            Work::Talking { call, attempt } => Some((call, attempt)),
            _ => None,
        };
        if view.link != Link::Online && !desk.returning {
            desk.returning = true;
            self.person_later(person, Span::millis(1_200), PersonAct::Returns { takeover: false });
        }
        self.look_at_offer(person);
        self.look_at_work(person, view);
    }

    fn look_at_duty(&mut self, person: usize) {
        let desk = &mut self.desks[person];
        if desk.changing_duty {
            return;
        }
        let (act, after) = match desk.duty {
            Duty::Off if desk.on_shift => (PersonAct::Starts, Span::secs(2)),
            Duty::Off => (PersonAct::ClosesDesk, Span::secs(5)),
            Duty::Suspended { .. } => (PersonAct::Resumes, Span::secs(25)),
            Duty::On if !desk.on_shift => (PersonAct::Goes, Span::secs(3)),
            Duty::On | Duty::Paused { .. } | Duty::Leaving => return,
        };
        desk.changing_duty = true;
        self.person_later(person, after, act);
    }

    fn look_at_offer(&mut self, person: usize) {
        let Some((offer, _)) = self.desks[person].offer else { return };
        if self.desks[person].reacting == Some(offer) {
            return;
        }
        let Some(number) = self.passage_of.get(&offer.call).copied() else { return };
        self.desks[person].reacting = Some(offer);
        let key = (number as u64) << 20 | u64::from(offer.attempt.0);
        let mut draw = self.chance.about(Purpose::Day, person as u64, key);
        if draw.per_mille(self.habits.frozen) {
            return;
        }
        let shown = draw.between(Span::millis(60), Span::millis(300));
        self.person_later(person, shown, PersonAct::ConfirmsDelivery(offer));
        let reaction = self.reaction(person, number, offer.attempt);
        if !reaction.by_phone {
            self.person_later(person, shown + reaction.after, PersonAct::Reacts(offer));
        }
    }

    fn look_at_work(&mut self, person: usize, view: &DeskView) {
        match view.work {
            Work::Connecting { call, attempt } if self.people[person].profile.device == Device::Softphone => {
                let offer = OfferId { call, attempt };
                if self.desks[person].media != Some(offer) {
                    self.desks[person].media = Some(offer);
                    self.person_later(person, Span::millis(450), PersonAct::MediaUp(offer));
                }
            }
            Work::Talking { call, attempt } => {
                let heard =
                    view.call.as_ref().is_some_and(|c| c.id == call && c.state == CallState::Connected);
                if heard {
                    self.talk_begins_at_desk(person, call, attempt);
                }
            }
            Work::WrapUp { call, .. } if self.desks[person].wrapping != Some(call) => {
                self.desks[person].wrapping = Some(call);
                let mut draw = self.day_draw(person);
                if draw.per_mille(self.habits.early_wrap_ups) {
                    let after = draw.between(Span::secs(3), Span::secs(14));
                    self.person_later(person, after, PersonAct::EndsWrapUp(call));
                }
            }
            Work::Idle
            | Work::Offered { .. }
            | Work::Connecting { .. }
            | Work::WrapUp { .. }
            | Work::OutsideCall => {}
        }
    }

    pub(super) fn person_later(&mut self, person: usize, after: Span, act: PersonAct) {
        self.later(after, Item::Person(person, act));
    }

    pub(super) fn person_acts(&mut self, person: usize, act: PersonAct) {
        match act {
            PersonAct::ConfirmsDelivery(offer) => self
                .answers_offer(person, offer, |offer, session| Command::ConfirmDelivery { offer, session }),
            PersonAct::Reacts(offer) => self.reacts(person, offer),
            PersonAct::AcceptsLate(offer) if self.desks[person].connected => {
                let session = self.desks[person].session;
                self.say(self.actor(person), Command::Accept { offer, session });
            }
            PersonAct::MediaUp(offer) if self.desks[person].connected => {
                let session = self.desks[person].session;
                self.say(self.actor(person), Command::ConfirmMedia { offer, session });
            }
            PersonAct::EndsWrapUp(call) => self.ends_wrap_up(person, call),
            PersonAct::AcceptsLate(_) | PersonAct::MediaUp(_) => {}
            PersonAct::Comes
            | PersonAct::Starts
            | PersonAct::Goes
            | PersonAct::ClosesDesk
            | PersonAct::Vanishes
            | PersonAct::Returns { .. }
            | PersonAct::Pauses
            | PersonAct::Resumes
            | PersonAct::PhoneTurnsBusy
            | PersonAct::PhoneTurnsFree => self.day_goes_on(person, act),
        }
    }

    fn reacts(&mut self, person: usize, offer: OfferId) {
        let Some(number) = self.passage_of.get(&offer.call).copied() else { return };
        match self.reaction(person, number, offer.attempt).answer {
            Answer::Takes => {
                self.answers_offer(person, offer, |offer, session| Command::Accept { offer, session });
            }
            Answer::Declines => self.answers_offer(person, offer, |offer, session| {
                let reason = "busy-at-the-desk".parse().ok();
                Command::Decline { offer, session, reason }
            }),
            Answer::TakesLate => {
                let Some((_, until)) = self.desks[person].offer.filter(|(id, _)| *id == offer) else {
                    return;
                };
                let after = until.since(self.now) + Span::millis(700);
                self.person_later(person, after, PersonAct::AcceptsLate(offer));
            }
            Answer::Misses => {}
        }
    }

    /// Answers an offer that is still on the screen.
    fn answers_offer(
        &mut self,
        person: usize,
        offer: OfferId,
        say: impl Fn(OfferId, DeskSession) -> Command,
    ) {
        let desk = &self.desks[person];
        if desk.connected && desk.offer.is_some_and(|(id, _)| id == offer) {
            let command = say(offer, desk.session);
            self.say(self.actor(person), command);
        }
    }

    fn ends_wrap_up(&mut self, person: usize, call: CallId) {
        if self.desks[person].connected && self.desks[person].wrapping == Some(call) {
            const TOPICS: [&str; 6] =
                ["outpatient", "emergency", "internet-hospital", "records", "directions", "other"];
            let mut draw = self.day_draw(person);
            let topic = draw.one_of(&TOPICS).and_then(|topic| topic.parse().ok());
            self.ask(self.actor(person), Command::EndWrapUp { topic });
        }
    }

    /// The desk's stream ends: what was on the screen is forgotten.
    pub(super) fn desk_goes_dark(&mut self, person: usize) {
        let desk = &mut self.desks[person];
        desk.connected = false;
        desk.offer = None;
        desk.reacting = None;
        desk.media = None;
        desk.wrapping = None;
        desk.returning = false;
    }

    pub(super) fn desk_lights_up(&mut self, person: usize) {
        self.desk_goes_dark(person);
        self.desks[person].connected = true;
    }

    pub(super) fn actor(&self, person: usize) -> Actor {
        Actor::Operator(self.operator(person))
    }

    pub(super) fn operator(&self, person: usize) -> OperatorId {
        self.people[person].operator
    }

    pub(super) fn day_draw(&mut self, person: usize) -> crate::chance::Draw {
        self.desks[person].turns += 1;
        self.chance.about(Purpose::Day, person as u64, 1 << 60 | self.desks[person].turns)
    }
}
