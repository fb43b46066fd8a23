//! A person's day beside the calls: coming and going, pauses, lost links, a telephone that is used for something else.

use switchboard::command::{Actor, Command};
use switchboard::id::DeskId;
use switchboard::operator::Duty;
use switchboard::time::Span;

use super::World;
use super::agenda::PersonAct;
use super::setup::DAY;
use crate::chance::Purpose;

impl World {
    pub(super) fn day_goes_on(&mut self, person: usize, act: PersonAct) {
        match act {
            PersonAct::Comes => self.comes(person),
            PersonAct::Starts => self.starts(person),
            PersonAct::Goes => self.goes(person),
            PersonAct::ClosesDesk => self.closes_desk(person),
            PersonAct::Vanishes => self.vanishes(person),
            PersonAct::Returns { takeover } => self.returns(person, takeover),
            PersonAct::Pauses => self.pauses(person),
            PersonAct::Resumes => self.resumes(person),
            PersonAct::PhoneTurnsBusy => self.phone_turns_busy(person),
            PersonAct::PhoneTurnsFree => self.phone_turns_free(person),
            _ => {}
        }
    }

    fn comes(&mut self, person: usize) {
        let Some(shift) = self.people[person].shift else { return };
        let desk = &mut self.desks[person];
        desk.on_shift = true;
        desk.changing_duty = true;
        if shift.to.0 - shift.from.0.min(shift.to.0) < DAY.0 {
            let clock = self.clock();
            let left = Span((shift.to.0 + DAY.0 - clock.0) % DAY.0);
            self.person_later(person, left, PersonAct::Goes);
            let next = Span((shift.from.0 + DAY.0 - clock.0 - 1) % DAY.0 + 1);
            self.person_later(person, next, PersonAct::Comes);
        }
        self.opens_desk(person);
        self.person_later(person, Span::secs(1), PersonAct::Starts);
        let mut draw = self.day_draw(person);
        let (vanish, pause, outside) = (
            draw.memoryless(self.habits.vanishes_every),
            draw.memoryless(self.habits.pauses_every),
            draw.memoryless(self.habits.outside_calls_every),
        );
        self.person_later(person, vanish, PersonAct::Vanishes);
        self.person_later(person, pause, PersonAct::Pauses);
        self.person_later(person, outside, PersonAct::PhoneTurnsBusy);
    }

    fn clock(&self) -> Span {
        Span((self.midnight_ago + self.now.since(self.start)).0 % DAY.0)
    }

    fn opens_desk(&mut self, person: usize) {
        if !self.people[person].profile.device.has_desk() {
            return;
        }
        self.desk_lights_up(person);
        let operator = self.operator(person);
        let key = (person as u64) << 32 | self.desks[person].installation;
        let desk = DeskId(self.chance.about(Purpose::Id, 2, key).uuid());
        self.say(self.actor(person), Command::AttachDesk { operator, desk });
    }

    /// Who has no desk is put on and off duty by the supervisor.
    fn about_duty(&mut self, person: usize, command: Command) {
        let has_desk = self.people[person].profile.device.has_desk();
        if has_desk && !self.desks[person].connected {
            return;
        }
        let actor = if has_desk { self.actor(person) } else { Actor::Supervisor(self.supervisor) };
        self.ask(actor, command);
    }

    fn starts(&mut self, person: usize) {
        self.desks[person].changing_duty = false;
        if self.desks[person].on_shift && self.desks[person].duty == Duty::Off {
            let operator = self.operator(person);
            self.about_duty(person, Command::GoOnDuty { operator });
        }
    }

    fn goes(&mut self, person: usize) {
        self.desks[person].on_shift = false;
        self.desks[person].changing_duty = false;
        if self.desks[person].duty != Duty::Off {
            let operator = self.operator(person);
            self.about_duty(person, Command::Leave { operator });
        }
    }

    fn closes_desk(&mut self, person: usize) {
        let desk = &mut self.desks[person];
        desk.changing_duty = false;
        if desk.connected && !desk.on_shift && desk.duty == Duty::Off {
            self.drops_desk(person);
        }
    }

    fn drops_desk(&mut self, person: usize) {
        let (operator, session) = (self.operator(person), self.desks[person].session);
        self.desk_goes_dark(person);
        self.say(Actor::Presence, Command::DropDesk { operator, session });
    }

    fn vanishes(&mut self, person: usize) {
        if !self.desks[person].on_shift {
            return;
        }
        let mut draw = self.day_draw(person);
        let next = draw.memoryless(self.habits.vanishes_every);
        self.person_later(person, next.max(Span::secs(5)), PersonAct::Vanishes);
        if !self.desks[person].connected {
            return;
        }
        let (away, takeover) = match draw.below(100) {
            0..60 => (draw.between(Span::millis(400), Span::millis(2_500)), false),
            60..80 => (draw.between(Span::secs(4), Span::secs(12)), false),
            80..90 => (draw.between(Span::secs(16), Span::secs(90)), false),
            _ => (draw.between(Span::millis(500), Span::secs(10)), true),
        };
        self.drops_desk(person);
        self.person_later(person, away, PersonAct::Returns { takeover });
    }

    fn returns(&mut self, person: usize, takeover: bool) {
        if !self.desks[person].on_shift && self.desks[person].duty == Duty::Off {
            return;
        }
        if takeover {
            self.desks[person].installation += 1;
        }
        self.opens_desk(person);
    }

    fn pauses(&mut self, person: usize) {
        if !self.desks[person].on_shift {
            return;
        }
        let mut draw = self.day_draw(person);
        let next = draw.memoryless(self.habits.pauses_every);
        let length = draw.between(Span(self.habits.pause_max.0 / 8), self.habits.pause_max);
        self.person_later(person, length + next, PersonAct::Pauses);
        if self.desks[person].duty != Duty::On {
            return;
        }
        let ends_by_itself = length >= Span::secs(60) && draw.per_mille(700);
        let reason = "break".parse().expect("a fixed code");
        let lasting = ends_by_itself.then_some(length);
        let operator = self.operator(person);
        self.about_duty(person, Command::Pause { operator, reason, lasting });
        if !ends_by_itself {
            self.person_later(person, length, PersonAct::Resumes);
        }
    }

    fn resumes(&mut self, person: usize) {
        self.desks[person].changing_duty = false;
        if matches!(self.desks[person].duty, Duty::Paused { .. } | Duty::Suspended { .. }) {
            let operator = self.operator(person);
            self.about_duty(person, Command::Resume { operator });
        }
    }

    fn phone_turns_busy(&mut self, person: usize) {
        if !self.desks[person].on_shift || !self.people[person].profile.device.has_leg() {
            return;
        }
        let mut draw = self.day_draw(person);
        let length = draw.between(Span::secs(20), Span::secs(180));
        let next = length + draw.memoryless(self.habits.outside_calls_every);
        self.person_later(person, next, PersonAct::PhoneTurnsBusy);
        let desk = &mut self.desks[person];
        if desk.phone.is_none() && !desk.outside {
            desk.outside = true;
            self.note_phone(person);
            self.person_later(person, length, PersonAct::PhoneTurnsFree);
        }
    }

    fn phone_turns_free(&mut self, person: usize) {
        self.desks[person].outside = false;
        self.note_phone(person);
    }

    pub(super) fn note_phone(&mut self, person: usize) {
        let (operator, busy) = (self.operator(person), self.desks[person].outside);
        if let Some(gateway) = self.gateways.iter().find(|g| g.attached) {
            let actor = Actor::Gateway(gateway.id);
            self.say(actor, Command::NotePhone { operator, busy });
        }
    }
}
