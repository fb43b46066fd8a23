//! What a hospital is made of, and its first moments.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use switchboard::call::Class;
use switchboard::command::{Actor, Command};
use switchboard::id::{GatewayId, LineId, OperatorId, SkillId};
use switchboard::plan::{Plan, Who};
use switchboard::time::{SiteTime, Span};

use super::agenda::{Agenda, Item, PersonAct};
use super::desk::Desk;
use super::gateway::Gateway;
use super::{Recording, Tally, World};
use crate::chance::Chance;
use crate::habits::Habits;
use crate::people::{self, Person};
use crate::shape;

/// A whole day.
pub(super) const DAY: Span = Span::secs(86_400);

/// 2026-01-05, a Monday, at midnight UTC: where the labels of simulated time begin.
pub const WALL_START_MS: u64 = 1_767_571_200_000;

/// What a hospital is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldConfig {
    /// Everything that chance decides follows from it.
    pub seed: u64,
    /// How many first attempts ring in, before the surge.
    pub calls: u32,
    /// So many times as many, with the same shape of day.
    pub surge: u32,
    /// The site time at which the run begins.
    pub start: SiteTime,
    /// How long after a midnight that is.
    pub midnight_ago: Span,
    /// How long the run lasts.
    pub length: Span,
    /// How first attempts fall on the lines, by weight.
    pub shares: Vec<(LineId, u32)>,
    /// Who answers.
    pub people: Vec<Person>,
    /// Where callers come in: by turns.
    pub gateways: Vec<GatewayId>,
    /// Whose devices a gateway can ring, for those that cannot ring all.
    pub reaches: BTreeMap<GatewayId, BTreeSet<OperatorId>>,
    /// How people and equipment behave.
    pub habits: Habits,
    /// What a wall clock shows at the start, in milliseconds since 1970: goes into ids, decides nothing.
    pub wall_start_ms: u64,
}

impl WorldConfig {
    /// A hospital's whole day, from midnight, on the lines, teams and skills that this plan knows.
    ///
    /// # Panics
    /// Never: the gateway's id is a name.
    pub fn hospital(plan: &Plan, seed: u64, calls: u32, surge: u32) -> WorldConfig {
        let shares = plan
            .lines
            .keys()
            .filter_map(|id| {
                shape::LINES.iter().find(|(name, _)| *name == id.as_str()).map(|(_, n)| (*id, *n))
            })
            .collect();
        WorldConfig {
            seed,
            calls,
            surge,
            start: SiteTime(0),
            midnight_ago: Span::ZERO,
            length: DAY,
            shares,
            people: people::hospital(plan),
            gateways: vec!["gateway-1".parse().expect("a fixed name is a name")],
            reaches: BTreeMap::new(),
            habits: Habits::USUAL,
            wall_start_ms: WALL_START_MS,
        }
    }
}

/// What callers and gateways know of a line.
#[derive(Debug, Clone)]
pub(super) struct LineFacts {
    pub(super) emergency: bool,
    pub(super) keys: Vec<(char, SkillId)>,
}

impl World {
    /// A hospital before its first moment. The plan is what gateways and callers know of it: recordings, menus.
    pub fn new(config: WorldConfig, plan: &Plan) -> World {
        let calls = config.calls.saturating_mul(config.surge.max(1));
        let WorldConfig { seed, start, midnight_ago, length, ref shares, .. } = config;
        let arrivals = shape::arrivals(Chance::new(seed), calls, start, midnight_ago, length, shares);
        World::with_arrivals(config, plan, arrivals)
    }

    /// A hospital in which first attempts ring in at these moments, in order, whatever the shape of its day.
    ///
    /// # Panics
    /// Never: the supervisor's id is a name.
    pub fn with_arrivals(config: WorldConfig, plan: &Plan, arrivals: Vec<(SiteTime, LineId)>) -> World {
        let numbers = config
            .people
            .iter()
            .enumerate()
            .map(|(n, p)| (p.operator, n))
            .collect::<BTreeMap<OperatorId, _>>();
        let mut world = World {
            chance: Chance::new(config.seed),
            habits: config.habits,
            start: config.start,
            end: config.start + config.length,
            midnight_ago: config.midnight_ago,
            wall_start_ms: config.wall_start_ms,
            supervisor: "supervisor-1".parse().expect("a fixed name is a name"),
            lines: line_facts(plan),
            recordings: recordings(plan),
            desks: vec![Desk::default(); config.people.len()],
            people: config.people,
            numbers,
            gateways: config
                .gateways
                .into_iter()
                .map(|id| Gateway::new(id, config.reaches.get(&id).cloned()))
                .collect(),
            arrivals,
            callers: Vec::new(),
            passages: Vec::new(),
            passage_of: BTreeMap::new(),
            agenda: Agenda::default(),
            now: config.start,
            out: VecDeque::new(),
            said: 0,
            tally: Tally::default(),
        };
        world.first_items();
        world
    }

    fn first_items(&mut self) {
        for gateway in 0..self.gateways.len() {
            self.agenda.add(self.start, Item::GatewayAttaches(gateway));
        }
        for person in 0..self.people.len() {
            self.agenda.add(self.start, Item::PersonEntered(person));
            self.first_shift(person);
        }
        for (nth, (at, _)) in self.arrivals.iter().enumerate() {
            self.agenda.add(*at, Item::RingsFirst(nth));
        }
    }

    fn first_shift(&mut self, person: usize) {
        let Some(shift) = self.people[person].shift else { return };
        let wait = if shift.covers(self.midnight_ago) {
            Span::secs(1)
        } else {
            Span((shift.from.0 + DAY.0 - self.midnight_ago.0 % DAY.0) % DAY.0)
        };
        self.agenda.add(self.start + wait, Item::Person(person, PersonAct::Comes));
    }

    pub(super) fn person_entered(&mut self, person: usize) {
        let Person { operator, profile, .. } = self.people[person].clone();
        let admin = Actor::Admin(self.supervisor);
        self.ask(admin, Command::AddOperator { operator, profile });
    }
}

fn line_facts(plan: &Plan) -> BTreeMap<LineId, LineFacts> {
    let facts = plan.lines.iter().map(|(id, line)| {
        let keys = line.skill_keys.iter().map(|(key, skill)| (*key, *skill)).collect();
        (*id, LineFacts { emergency: line.class == Class::Emergency, keys })
    });
    facts.collect()
}

fn recordings(plan: &Plan) -> BTreeMap<switchboard::id::PromptId, Recording> {
    let closing: Vec<_> = plan
        .lines
        .values()
        .filter(|line| line.tiers.iter().any(|tier| tier.who == Who::Closing))
        .filter_map(|line| line.prompts.closing)
        .collect();
    let recordings = plan
        .prompts
        .iter()
        .map(|(id, prompt)| (*id, Recording { length: prompt.length_max, closing: closing.contains(id) }));
    recordings.collect()
}
