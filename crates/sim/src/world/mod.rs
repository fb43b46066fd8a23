//! The hospital as a state machine: callers, their gateways, and the people and desks that answer.
//!
//! It is driven from outside: [`World::next_at`] says when something happens, [`World::due`] hands out the commands
//! that follow from it, [`World::heard`] tells it what the switchboard's clients would be told. It learns nothing in
//! any other way, so that a driver over a network and one in the same process lead to the same day.

mod agenda;
mod caller;
mod desk;
mod fault;
mod gateway;
mod setup;
mod shift;
mod talk;

use std::collections::{BTreeMap, VecDeque};

use switchboard::command::{Actor, Command, Input};
use switchboard::decision::Reply;
use switchboard::desk::DeskView;
use switchboard::id::{CallId, LineId, OperatorId, PrincipalId, PromptId, RequestId};
use switchboard::rejection::Rejection;
use switchboard::time::{SiteTime, Span};
use switchboard::treatment::Treatment;

use self::agenda::{Agenda, Item};
use self::caller::{Caller, Passage};
use self::desk::Desk;
use self::gateway::Gateway;
use self::setup::LineFacts;
pub use self::setup::{WALL_START_MS, WorldConfig};
use crate::chance::{Chance, Purpose};
use crate::habits::Habits;
use crate::people::Person;

/// A hospital under way.
#[derive(Debug, Clone)]
pub struct World {
    chance: Chance,
    habits: Habits,
    start: SiteTime,
    end: SiteTime,
    midnight_ago: Span,
    wall_start_ms: u64,
    supervisor: PrincipalId,
    lines: BTreeMap<LineId, LineFacts>,
    /// How long each recording plays; whether it ends a call.
    recordings: BTreeMap<PromptId, Recording>,
    people: Vec<Person>,
    numbers: BTreeMap<OperatorId, usize>,
    desks: Vec<Desk>,
    gateways: Vec<Gateway>,
    arrivals: Vec<(SiteTime, LineId)>,
    callers: Vec<Caller>,
    passages: Vec<Passage>,
    passage_of: BTreeMap<CallId, usize>,
    agenda: Agenda,
    now: SiteTime,
    out: VecDeque<Input>,
    said: u64,
    tally: Tally,
}

#[derive(Debug, Clone, Copy)]
struct Recording {
    length: Span,
    closing: bool,
}

/// What a client of the switchboard is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A gateway: what a caller should be experiencing.
    Treatment(&'a Treatment),
    /// A desk: what it shows. For a person without a desk: what the supervisor's board shows.
    Desk(&'a DeskView),
    /// Whoever asked: the answer to the nth of all inputs handed out, from 0.
    Answer {
        /// Which input.
        nth: u64,
        /// What it is told.
        answer: &'a Result<Reply, Rejection>,
    },
}

/// How the hospital's inputs were received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// First attempts that rang in.
    pub first_attempts: u64,
    /// Redials.
    pub redials: u64,
    /// Inputs that were accepted.
    pub accepted: u64,
    /// Inputs that had nothing left to do.
    pub already: u64,
    /// Inputs that were refused.
    pub refused: u64,
}

impl World {
    /// When something happens next; none after the end.
    pub fn next_at(&self) -> Option<SiteTime> {
        if self.out.is_empty() { self.agenda.next_at() } else { Some(self.now) }
    }

    /// When the run is over. Callers may be inside then; nobody rings in any more.
    pub fn end(&self) -> SiteTime {
        self.end
    }

    /// The people who answer, in the order of their ids.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// How the hospital's inputs were received so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Lets everything happen that is due by `at`: the commands that follow, in order.
    pub fn due(&mut self, at: SiteTime) -> Vec<Input> {
        while let Some((when, item)) = self.agenda.take_due(at) {
            self.now = self.now.max(when);
            self.happen(item);
        }
        self.now = self.now.max(at);
        self.said += self.out.len() as u64;
        self.out.drain(..).collect()
    }

    /// Takes in what a client was told at `at`.
    pub fn heard(&mut self, at: SiteTime, heard: Heard<'_>) {
        self.now = self.now.max(at);
        match heard {
            Heard::Treatment(treatment) => self.gateway_hears(treatment),
            Heard::Desk(view) => self.desk_shows(view),
            Heard::Answer { answer, .. } => match answer {
                Ok(_) => self.tally.accepted += 1,
                Err(Rejection::AlreadyDone(_)) => self.tally.already += 1,
                Err(_) => self.tally.refused += 1,
            },
        }
    }

    fn happen(&mut self, item: Item) {
        match item {
            Item::GatewayAttaches(gateway) => self.gateway_attaches(gateway),
            Item::PersonEntered(person) => self.person_entered(person),
            Item::Person(person, act) => self.person_acts(person, act),
            Item::RingsFirst(nth) => self.rings_first(nth),
            Item::RingsAgain(caller) => self.rings_again(caller),
            Item::Caller(passage, act) => self.caller_acts(passage, act),
            Item::Leg(passage, attempt, act) => self.leg_acts(passage, attempt, act),
            Item::Talk(passage, attempt, act) => self.talk_goes_on(passage, attempt, act),
        }
    }

    fn later(&mut self, after: Span, item: Item) {
        self.agenda.add(self.now + after, item);
    }

    fn say(&mut self, actor: Actor, command: Command) {
        self.out.push_back(Input { actor, request: None, command });
    }

    /// Says what must be done once, however often it is asked.
    fn ask(&mut self, actor: Actor, command: Command) {
        let nth = self.said + self.out.len() as u64;
        let request = Some(RequestId(self.chance.about(Purpose::Id, 3, nth).uuid()));
        self.out.push_back(Input { actor, request, command });
    }
}
