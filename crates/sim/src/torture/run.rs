//! One seed's run: a phase of faults, then a phase in which everybody must get through.

use std::collections::BTreeSet;

use switchboard::Switchboard;
use switchboard::call::Outcome;
use switchboard::command::{Actor, Command, Force, Input};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{CallId, GatewayId, OperatorId};
use switchboard::laws;
use switchboard::ledger::{Ledger, THRESHOLD};
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};

use super::checked::{Checked, Wrong};
use super::office::Office;
use super::wire::{Parcel, Wire};
use super::{Failure, hospital};
use crate::chance::{Chance, Purpose};
use crate::drive::{Audience, Scripted, adopt};
use crate::habits::Habits;
use crate::world::{Heard, WALL_START_MS, World, WorldConfig};

/// First attempts of one run.
const CALLS: u32 = 24;
/// How long callers ring in.
const LENGTH: Span = Span::secs(300);
/// After the faults have stopped everybody is through within this.
const THROUGH_WITHIN: Span = Span::secs(2 * 3_600);
/// The hospital opens undisturbed.
const OPENS_WITHIN: Span = Span::secs(4);
/// Between two faults, on average.
const FAULT_EVERY: Span = Span::secs(6);

/// What one seed went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Endured {
    /// Decisions taken.
    pub decisions: u64,
    /// Inputs refused, or already done.
    pub refused: u64,
    /// Crashes between two decisions, each come back from.
    pub crashes: u64,
    /// Calls that arrived.
    pub calls: u64,
    /// Of those, ever answered.
    pub answered: u64,
    /// Gateways cut or restarted.
    pub gateway_faults: u64,
    /// Callers inside when the faults stopped: all of them got through.
    pub got_through: u64,
}

impl std::ops::Add for Endured {
    type Output = Endured;
    fn add(self, other: Endured) -> Endured {
        Endured {
            decisions: self.decisions + other.decisions,
            refused: self.refused + other.refused,
            crashes: self.crashes + other.crashes,
            calls: self.calls + other.calls,
            answered: self.answered + other.answered,
            gateway_faults: self.gateway_faults + other.gateway_faults,
            got_through: self.got_through + other.got_through,
        }
    }
}

/// Runs one seed with so many first attempts, or the usual number.
///
/// # Errors
/// What was violated, with everything that was handed in.
pub fn endure(seed: u64, calls: Option<u32>) -> Result<Endured, Failure> {
    endure_on(Switchboard::new(), seed, calls)
}

/// Runs one seed on a switchboard to which nothing has happened, but which may have a mistake planted.
///
/// # Errors
/// What was violated, with everything that was handed in.
pub fn endure_on(fresh: Switchboard, seed: u64, calls: Option<u32>) -> Result<Endured, Failure> {
    let mut run = Run::new(fresh, seed, calls.unwrap_or(CALLS));
    match run.all() {
        Ok(()) => Ok(run.endured()),
        Err(wrong) => Err(Failure { seed, wrong, script: run.script }),
    }
}

struct Run {
    seed: u64,
    chance: Chance,
    checked: Checked,
    world: World,
    audience: Audience,
    wire: Wire,
    now: SiteTime,
    /// The router is away until then: nothing is decided, not even what is due.
    away_until: SiteTime,
    faults_from: SiteTime,
    next_fault: SiteTime,
    faults: u64,
    carried: u64,
    reattach: Vec<(SiteTime, usize)>,
    calm: bool,
    script: Vec<Scripted>,
    endured: Endured,
}

impl Run {
    fn new(fresh: Switchboard, seed: u64, calls: u32) -> Run {
        let plan = hospital::plan(seed, 0);
        let chance = Chance::new(seed);
        let start = SiteTime(1_000_000);
        let public: Vec<_> =
            plan.lines.iter().filter(|(_, l)| !l.numbers.is_empty()).map(|(id, _)| (*id, 1)).collect();
        let people = hospital::people(seed, &plan);
        let gateways: Vec<GatewayId> =
            ["gateway-1", "gateway-2"].map(|id| id.parse().expect("fixed names are names")).into();
        let reaches = hospital::reaches(seed, &gateways, &people);
        let config = WorldConfig {
            seed,
            calls,
            surge: 1,
            start,
            midnight_ago: Span::secs(9 * 3_600),
            length: LENGTH,
            shares: public,
            people,
            gateways,
            reaches,
            habits: Habits::ROUGH,
            wall_start_ms: WALL_START_MS,
        };
        let mut wire = Wire::default();
        wire.add(start, Parcel::Input(Box::new(adopt(&plan))));
        Run {
            seed,
            chance,
            checked: Checked::new(fresh, seed),
            world: World::new(config, &plan),
            audience: Audience::default(),
            wire,
            now: start,
            away_until: start,
            faults_from: start + OPENS_WITHIN,
            next_fault: start + OPENS_WITHIN,
            faults: 0,
            carried: 0,
            reattach: Vec::new(),
            calm: false,
            script: Vec::new(),
            endured: Endured::default(),
        }
    }

    fn all(&mut self) -> Result<(), Wrong> {
        let end = self.world.end();
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.step(at)?;
        }
        self.stop_faults(end)?;
        let through_by = self.now + THROUGH_WITHIN;
        while let Some(at) = self.next_at().filter(|at| *at <= through_by) {
            if laws::l11_liveness::check(self.checked.live().state()).is_ok() {
                break;
            }
            self.step(at)?;
        }
        laws::l11_liveness::check(self.checked.live().state()).map_err(|violation| violation.to_string())?;
        self.check_history()
    }

    fn next_at(&self) -> Option<SiteTime> {
        let faults = (!self.calm).then_some(self.next_fault);
        let reattach = self.reattach.iter().map(|(at, _)| *at).min();
        let next = [
            self.world.next_at(),
            self.checked.live().next_deadline(),
            self.wire.next_at(),
            faults,
            reattach,
        ];
        next.into_iter().flatten().min().map(|at| at.max(self.now).max(self.away_until))
    }

    fn step(&mut self, at: SiteTime) -> Result<(), Wrong> {
        self.now = at;
        self.tick()?;
        self.reattach_due();
        if !self.calm && self.next_fault <= at {
            self.fault()?;
        }
        for input in self.world.due(at) {
            self.send(input);
        }
        while let Some(parcel) = self.wire.take(at) {
            match parcel {
                Parcel::Input(input) => self.hand_in(*input)?,
                Parcel::News(calls, operators) => self.tell(&calls, &operators),
            }
        }
        Ok(())
    }

    fn send(&mut self, input: Input) {
        if self.calm || self.now < self.faults_from {
            return self.wire.add(self.now, Parcel::Input(Box::new(input)));
        }
        self.carried += 1;
        let mut draw = self.chance.about(Purpose::Fault, self.carried, 1);
        self.wire.carry(self.now, Parcel::Input(Box::new(input)), &mut draw);
    }

    fn tick(&mut self) -> Result<(), Wrong> {
        while self.checked.live().next_deadline().is_some_and(|due| due <= self.now) {
            self.put(crate::drive::tick())?;
        }
        Ok(())
    }

    fn hand_in(&mut self, input: Input) -> Result<(), Wrong> {
        self.tick()?;
        self.put(input)
    }

    fn put(&mut self, input: Input) -> Result<(), Wrong> {
        self.script.push((self.now, input.clone()));
        let attached = match (&input.actor, &input.command) {
            (Actor::Gateway(gateway), Command::AttachGateway { calls, .. }) => {
                Some((*gateway, calls.clone()))
            }
            _ => None,
        };
        match self.checked.handle(self.now, input)? {
            Err(_) => self.endured.refused += 1,
            Ok(decision) => self.learn(&decision),
        }
        if let Some((gateway, inventory)) = attached {
            let mut calls = inventory;
            calls.extend(self.treatments_of(gateway));
            self.tell(&calls, &BTreeSet::new());
        }
        Ok(())
    }

    fn treatments_of(&self, gateway: GatewayId) -> Vec<CallId> {
        self.checked.live().treatments(gateway).into_iter().map(|t| t.call).collect()
    }

    /// Those concerned are told, sooner or later.
    fn learn(&mut self, decision: &Decision) {
        self.endured.decisions += 1;
        for event in &decision.events {
            match event {
                Event::CallArrived { .. } => self.endured.calls += 1,
                Event::CallClosed { outcome: Outcome::Answered { .. }, .. } => self.endured.answered += 1,
                _ => {}
            }
        }
        let (calls, operators) = self.audience.concerned(decision);
        if self.calm || self.now < self.faults_from {
            return self.tell(&calls, &operators);
        }
        self.carried += 1;
        let mut draw = self.chance.about(Purpose::Fault, self.carried, 2);
        self.wire.carry(self.now, Parcel::News(calls, operators), &mut draw);
    }

    fn tell(&mut self, calls: &BTreeSet<CallId>, operators: &BTreeSet<OperatorId>) {
        for call in calls {
            if let Some(treatment) = self.checked.live().treatment(*call) {
                self.world.heard(self.now, Heard::Treatment(&treatment));
            }
        }
        for operator in operators {
            if let Some(view) = self.checked.live().desk(*operator) {
                self.world.heard(self.now, Heard::Desk(&view));
            }
        }
    }

    fn fault(&mut self) -> Result<(), Wrong> {
        self.faults += 1;
        let mut draw = self.chance.about(Purpose::Fault, self.faults, 3);
        self.next_fault = self.now + Span::millis(50) + draw.memoryless(FAULT_EVERY);
        match draw.below(20) {
            0 | 1 => {
                self.cut_gateway(draw.below(2) as usize, draw.between(Span::millis(100), Span::secs(25)))
            }
            2 => self.restart_gateway(draw.below(2) as usize),
            3 => self.away_until = self.now + draw.between(Span::millis(10), Span::secs(40)),
            4..6 => self.repeat_something_old(draw.bits())?,
            6..10 => {
                let seed = self.seed;
                let mut office = Office { seed, at: self.now, switchboard: self.checked.live(), draw };
                let input = office.act();
                self.send(input);
            }
            _ => {
                let seed = self.seed;
                let mut office = Office { seed, at: self.now, switchboard: self.checked.live(), draw };
                let input = office.mistake();
                self.hand_in(input)?;
            }
        }
        Ok(())
    }

    fn cut_gateway(&mut self, gateway: usize, away: Span) {
        self.endured.gateway_faults += 1;
        self.world.cut_gateway(gateway);
        if away > Span::secs(10) {
            self.give_up_gateway(gateway, self.now + Span::secs(5));
        }
        self.reattach.push((self.now + away, gateway));
    }

    /// A router's patience with a silent gateway ends.
    fn give_up_gateway(&mut self, gateway: usize, at: SiteTime) {
        let Some(gateway) = self.world.gateways().nth(gateway) else { return };
        let Some(known) = self.checked.live().state().gateways.get(&gateway) else { return };
        let command = Command::LoseGateway { gateway, incarnation: known.incarnation };
        self.wire.add(at, Parcel::Input(Box::new(Input { actor: Actor::Presence, request: None, command })));
    }

    fn restart_gateway(&mut self, gateway: usize) {
        self.endured.gateway_faults += 1;
        self.world.restart_gateway(gateway);
    }

    fn reattach_due(&mut self) {
        let now = self.now;
        let due: Vec<usize> = self.reattach.iter().filter(|(at, _)| *at <= now).map(|(_, g)| *g).collect();
        self.reattach.retain(|(at, _)| *at > now);
        for gateway in due {
            self.world.reattach_gateway(gateway);
        }
    }

    fn repeat_something_old(&mut self, bits: u64) -> Result<(), Wrong> {
        let Some((_, input)) = self.script.get((bits % self.script.len().max(1) as u64) as usize).cloned()
        else {
            return Ok(());
        };
        if input.command == Command::Tick {
            return Ok(());
        }
        self.hand_in(input)
    }

    /// Everything under way arrives; gateways and desks attach again; everybody who can answer does.
    fn stop_faults(&mut self, end: SiteTime) -> Result<(), Wrong> {
        self.calm = true;
        self.now = end.max(self.away_until).max(self.now);
        while let Some(at) = self.wire.next_at() {
            self.step(at.max(self.now))?;
        }
        self.reattach.clear();
        self.endured.got_through = self.checked.live().state().calls.len() as u64;
        self.world.calm();
        for operator in self.checked.live().state().operators.keys().copied().collect::<Vec<_>>() {
            let actor = Actor::Supervisor("supervisor-1".parse().expect("fixed names are names"));
            // Somebody who was added by mistake answers no phone.
            let to: &[Force] =
                if self.world.knows(operator) { &[Force::On, Force::Idle] } else { &[Force::Off] };
            for to in to.iter().copied() {
                let command = Command::ForceOperator { operator, to };
                self.hand_in(Input { actor, request: None, command })?;
            }
        }
        Ok(())
    }

    /// The history as a whole: decided again, and its account.
    fn check_history(&mut self) -> Result<(), Wrong> {
        self.checked.decide_again()?;
        let mut ledger = Ledger::open(&State::default(), THRESHOLD);
        self.checked.journal().iter().for_each(|decision| ledger.record(decision));
        if !ledger.is_balanced(self.checked.live().state()) {
            return Err("L13: the account of the whole run is not balanced".into());
        }
        if ledger.lines().values().any(|line| line.answered > line.answerable) {
            return Err("L13: more was answered on a line than came there".into());
        }
        Ok(())
    }

    fn endured(&self) -> Endured {
        Endured { crashes: self.checked.crashes(), ..self.endured }
    }
}
