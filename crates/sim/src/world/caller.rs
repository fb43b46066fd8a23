//! Callers: when they ring in, how long they wait, whether they try again.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::CallerKind;
use switchboard::command::{Arrival, Command};
use switchboard::id::{Attempt, CallId, CallerRef, LineId, Seq, SkillId};
use switchboard::time::{SiteTime, Span};
use switchboard::treatment::{Hears, Role, Shape};

use super::World;
use super::agenda::{CallerAct, Item};
use super::gateway::PhoneLeg;
use crate::chance::Purpose;

/// Nobody tries more often than this.
const ATTEMPTS_MAX: u32 = 4;

/// Somebody who calls, maybe more than once.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    reference: CallerRef,
    pub(super) kind: CallerKind,
    pub(super) abusive: bool,
    line: LineId,
    dialect: bool,
    attempts: u32,
}

/// One attempt of a caller's, from ringing in to the end of the leg, as the gateway and the caller know it.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    pub(super) call: CallId,
    pub(super) caller: usize,
    pub(super) gateway: usize,
    pub(super) line: LineId,
    pub(super) rang_at: SiteTime,
    pub(super) skills: BTreeSet<SkillId>,
    /// The caller's leg is there.
    pub(super) up: bool,
    /// The switchboard was told of it.
    pub(super) told: bool,
    pub(super) revision: Seq,
    pub(super) shape: Shape,
    pub(super) role: Role,
    pub(super) hears: Hears,
    pub(super) legs: BTreeMap<Attempt, PhoneLeg>,
    /// Counts the times of waiting, so that patience is lost only in the one it was drawn for.
    pub(super) spell: u32,
    pub(super) waiting: bool,
    /// Talking by this attempt.
    pub(super) talking: Option<Attempt>,
    pub(super) talked: bool,
}

impl World {
    pub(super) fn rings_first(&mut self, nth: usize) {
        let Some((_, line)) = self.arrivals.get(nth).copied() else { return };
        let facts = self.lines.get(&line);
        let (emergency, keys) = facts.map_or((false, false), |f| (f.emergency, !f.keys.is_empty()));
        let mut draw = self.chance.about(Purpose::Caller, nth as u64, 0);
        let staff = if emergency { self.habits.staff_on_emergency } else { self.habits.staff };
        let staff = draw.per_mille(staff);
        let caller = Caller {
            reference: CallerRef(draw.uuid()),
            kind: if staff { CallerKind::Staff } else { CallerKind::Public },
            abusive: draw.per_mille(self.habits.abusive) && !staff,
            line,
            dialect: draw.per_mille(self.habits.dialect) && keys,
            attempts: 0,
        };
        self.tally.first_attempts += 1;
        self.callers.push(caller);
        self.ring(self.callers.len() - 1);
    }

    pub(super) fn rings_again(&mut self, caller: usize) {
        if self.now >= self.end {
            return;
        }
        self.tally.redials += 1;
        self.ring(caller);
    }

    fn ring(&mut self, caller: usize) {
        let number = self.passages.len();
        let known = &mut self.callers[caller];
        known.attempts += 1;
        let (line, dialect) = (known.line, known.dialect);
        let mut draw = self.chance.about(Purpose::Attempt, number as u64, 0);
        let millis = self.wall_start_ms + self.now.since(self.start).0 / 1_000;
        let bytes = self.chance.about(Purpose::Id, 1, number as u64).ten_bytes();
        let call = CallId(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid());
        let skill = dialect.then(|| draw.one_of(&self.lines.get(&line)?.keys).copied()).flatten();
        // Half of those who choose a dialect do so in the gateway's own menu, before they are in a queue.
        let early = draw.per_mille(500);
        let skills = skill.filter(|_| early).map(|(_, skill)| skill).into_iter().collect();
        if let Some((key, _)) = skill.filter(|_| !early) {
            let after = draw.between(Span::secs(2), Span::secs(6));
            self.later(after, Item::Caller(number, CallerAct::PressesKey(key)));
        }
        self.passages.push(Passage {
            call,
            caller,
            gateway: number % self.gateways.len().max(1),
            line,
            rang_at: self.now,
            skills,
            up: true,
            told: false,
            revision: Seq(0),
            shape: Shape::Queue,
            role: Role::Held,
            hears: Hears::Silence,
            legs: BTreeMap::new(),
            spell: 0,
            waiting: false,
            talking: None,
            talked: false,
        });
        self.passage_of.insert(call, number);
        self.starts_waiting(number);
        self.tell_arrival(number, Span::ZERO);
    }

    /// Tells the switchboard of a caller it does not know.
    pub(super) fn tell_arrival(&mut self, number: usize, waited: Span) {
        let passage = &self.passages[number];
        let caller = &self.callers[passage.caller];
        let arrival = Arrival {
            call: passage.call,
            line: passage.line,
            caller: caller.reference,
            kind: caller.kind,
            skills: passage.skills.clone(),
            waited,
            diverted: None,
        };
        let told = self.report(number, Command::Arrive(arrival));
        self.passages[number].told |= told;
    }

    pub(super) fn caller_acts(&mut self, number: usize, act: CallerAct) {
        if !self.passages[number].up {
            return;
        }
        let call = self.passages[number].call;
        match act {
            CallerAct::LosesPatience(spell) => {
                let passage = &self.passages[number];
                if passage.waiting && passage.spell == spell {
                    self.caller_hangs_up(number);
                }
            }
            CallerAct::PressesKey(digit) => {
                if self.passages[number].waiting {
                    self.report(number, Command::Digit { call, attempt: None, digit });
                }
            }
            CallerAct::HearsOut(revision) => {
                let passage = &self.passages[number];
                if passage.revision == revision && passage.waiting {
                    self.report(number, Command::PromptFinished { call });
                }
            }
            CallerAct::TiresOfHold(revision) => {
                let passage = &self.passages[number];
                if passage.revision == revision && passage.shape == Shape::Hold {
                    self.caller_hangs_up(number);
                }
            }
            CallerAct::Leaves => self.caller_is_gone(number),
        }
    }

    pub(super) fn caller_hangs_up(&mut self, number: usize) {
        let call = self.passages[number].call;
        self.report(number, Command::CallerHungUp { call });
        self.caller_is_gone(number);
    }

    /// The caller's leg ended, by whomever: who was not heard may try again.
    pub(super) fn caller_is_gone(&mut self, number: usize) {
        let passage = &mut self.passages[number];
        passage.up = false;
        passage.waiting = false;
        passage.talking = None;
        let unheard = !passage.talked;
        let (caller, call) = (passage.caller, passage.call);
        self.passage_of.remove(&call);
        self.drop_all_legs(number);
        if unheard && self.callers[caller].attempts < ATTEMPTS_MAX && !self.callers[caller].abusive {
            let mut draw = self.chance.about(Purpose::Attempt, number as u64, 1);
            if draw.per_mille(self.habits.redials) {
                let after = Span::secs(2) + draw.memoryless(self.habits.redials_after);
                self.later(after, Item::RingsAgain(caller));
            }
        }
    }

    /// A time of waiting begins, unless one is under way: with its own patience.
    pub(super) fn starts_waiting(&mut self, number: usize) {
        let passage = &mut self.passages[number];
        if passage.waiting {
            return;
        }
        passage.waiting = true;
        passage.spell += 1;
        let spell = passage.spell;
        let mut draw = self.chance.about(Purpose::Attempt, number as u64, 1 + u64::from(spell));
        let patience = Span::secs(1) + draw.memoryless(self.habits.patience);
        self.later(patience, Item::Caller(number, CallerAct::LosesPatience(spell)));
    }

    /// A staff caller hears the menu with the escape.
    pub(super) fn hears_menu(&mut self, number: usize) {
        let staff = self.callers[self.passages[number].caller].kind == CallerKind::Staff;
        let mut draw = self.chance.about(Purpose::Attempt, number as u64, 1_000);
        if staff && draw.per_mille(self.habits.escapes) {
            let after = draw.between(Span::secs(3), Span::secs(8));
            self.later(after, Item::Caller(number, CallerAct::PressesKey('1')));
        }
    }
}
