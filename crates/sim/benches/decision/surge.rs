//! A site in a steady surge, small or large, to count what one decision costs there.

use std::collections::BTreeMap;

use sim::chance::{Chance, Purpose};
use sim::drive::{Drive, Scripted};
use sim::habits::Habits;
use sim::people::{Person, Shift, operator_id};
use sim::world::{WALL_START_MS, World, WorldConfig};
use switchboard::Switchboard;
use switchboard::command::{Command, Profile};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::LineId;
use switchboard::operator::Device;
use switchboard::plan::{Plan, Tier, Trigger, Who};
use switchboard::time::{SiteTime, Span};

/// How large a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Operators on duty.
    pub(crate) operators: usize,
    /// Lines that callers ring in on.
    pub(crate) lines: usize,
    /// Inputs recorded in the surge.
    pub(crate) inputs: usize,
}

impl Size {
    /// One hospital.
    pub(crate) const SMALL: Size = Size { operators: 15, lines: 6, inputs: 12_000 };
    /// All hospitals of a large city behind one switchboard: far more than any site is meant to be.
    pub(crate) const LARGE: Size = Size { operators: 10_000, lines: 64, inputs: 12_000 };

    /// How long callers ring in: with at least six inputs to a call, until the recording is full.
    fn length(self) -> Span {
        Span(BEGINS_AT.0 + Span::secs(self.inputs as u64 * HANDLED_IN / (6 * self.operators as u64)).0)
    }
}

/// A steady surge: as many callers wait as there are operators, who all have calls.
#[derive(Debug, Clone)]
pub(crate) struct Surge {
    /// The switchboard when the recording begins.
    pub(crate) before: Switchboard,
    /// What is handed in from there on.
    pub(crate) script: Vec<Scripted>,
    /// Callers waiting when the recording begins.
    pub(crate) waiting: usize,
    /// Arrivals with a dialect, of a hundred.
    pub(crate) skilled_percent: u64,
    /// Offers that are missed or declined, of a hundred.
    pub(crate) excluded_percent: u64,
    /// Tiers that open in the recording.
    pub(crate) tiers_opened: u64,
}

/// A conversation with everything around it, on average: offer, talk, wrap-up.
const HANDLED_IN: u64 = 110;
/// Until everybody has a call and the queue is full.
const FILLS_WITHIN: Span = Span::secs(60);
/// Long enough after that for the first conversations to have ended at their different times.
const BEGINS_AT: Span = Span::secs(390);

impl Surge {
    /// Plays a site of this size into its surge, and records what comes then.
    pub(crate) fn play(size: Size) -> Surge {
        let plan = plan(size.lines);
        let people = people(size.operators, &plan);
        let mut drive = Drive::new(world(size, people, &plan), &plan, SiteTime(0));
        let begins = SiteTime(0) + BEGINS_AT;
        drive.run(begins, |_, _| {});
        let before = drive.switchboard.clone();
        let skip = drive.script().len();
        let mut seen = Seen::default();
        let mut until = begins;
        while drive.script().len() < skip + size.inputs && until < drive.world.end() {
            until = until + Span::secs(1);
            drive.run(until, |decision, _| seen.count(decision));
        }
        let script = drive.into_script().split_off(skip);
        Surge {
            waiting: before.state().calls.values().filter(|call| call.is_waiting()).count(),
            skilled_percent: seen.skilled * 100 / seen.arrivals.max(1),
            excluded_percent: seen.excluded * 100 / seen.offers.max(1),
            tiers_opened: seen.tiers,
            before,
            script,
        }
    }
}

#[derive(Default)]
struct Seen {
    arrivals: u64,
    skilled: u64,
    offers: u64,
    excluded: u64,
    tiers: u64,
}

impl Seen {
    fn count(&mut self, decision: &Decision) {
        if let Command::Digit { attempt: None, .. } = decision.input.command {
            self.skilled += 1;
        }
        for event in &decision.events {
            match event {
                Event::CallArrived { required, .. } => {
                    self.arrivals += 1;
                    self.skilled += u64::from(!required.is_empty());
                }
                Event::OfferMade { .. } => self.offers += 1,
                Event::OfferRangOut { .. } | Event::OfferDeclined { .. } => self.excluded += 1,
                Event::TierOpened { .. } => self.tiers += 1,
                _ => {}
            }
        }
    }
}

/// The hospital's plan with so many lines. Its callers are not sent to the duty phone, so that they wait.
fn plan(lines: usize) -> Plan {
    let parsed =
        plan::parse("hospital.toml", plan::HOSPITAL).expect("the plan that comes with the product is one");
    let mut draft = parsed.plan.into_draft();
    let models: Vec<_> = draft.lines.values().filter(|line| !line.numbers.is_empty()).cloned().collect();
    let keys = draft.lines.values().find(|l| !l.skill_keys.is_empty()).map(|l| l.skill_keys.clone());
    draft.lines = (0..lines)
        .map(|n| {
            let mut line = models[n % models.len()].clone();
            line.numbers.clear();
            line.max_waiting = None;
            line.staff_to = None;
            line.skill_keys = keys.clone().unwrap_or_default();
            line.tiers.retain(|tier| tier.who.is_people());
            line.tiers.push(Tier { who: Who::Closing, when: vec![Trigger::Wait(Span::secs(3_600))] });
            let id: LineId =
                format!("line-{n:02}").parse().expect("digits after a fixed beginning are a name");
            (id, line)
        })
        .collect::<BTreeMap<_, _>>();
    Plan::check(draft).expect("the hospital's lines, repeated, are a plan")
}

fn people(count: usize, plan: &Plan) -> Vec<Person> {
    let lines: Vec<LineId> = plan.lines.keys().copied().collect();
    let devices =
        [Device::AutoAnswer, Device::Ring, Device::Softphone, Device::AutoAnswer, Device::Telephone];
    (0..count)
        .map(|n| {
            let profile = Profile {
                teams: plan.teams.keys().copied().skip(n % plan.teams.len()).take(1).collect(),
                home: [lines[n % lines.len()]].into(),
                skills: plan
                    .skills
                    .keys()
                    .copied()
                    .enumerate()
                    .filter(|(k, _)| (n + k) % 3 != 0)
                    .map(|(_, s)| s)
                    .collect(),
                device: devices[n % devices.len()],
            };
            Person { operator: operator_id(n + 1), profile, shift: Some(Shift::ALWAYS) }
        })
        .collect()
}

/// First as many callers as fill operators and queue; from then on as many as are handled.
fn world(size: Size, people: Vec<Person>, plan: &Plan) -> World {
    let habits = Habits {
        patience: Span(u64::MAX),
        dialect: 300,
        misses: 60,
        declines: 40,
        abusive: 0,
        pauses_every: Span(u64::MAX),
        outside_calls_every: Span(u64::MAX),
        ..Habits::USUAL
    };
    let mut draw = Chance::new(1).about(Purpose::Arrivals, 0, 0);
    let lines: Vec<LineId> = plan.lines.keys().copied().collect();
    let mut arrivals = Vec::new();
    let mut add = |count: usize, from: Span, to: Span| {
        arrivals.extend((0..count).map(|_| {
            let line = lines[draw.below(lines.len() as u64) as usize];
            (SiteTime(0) + draw.between(from, to), line)
        }));
    };
    add(2 * size.operators, Span::secs(10), FILLS_WITHIN);
    let length = size.length();
    add(
        size.operators * (length.as_secs() - FILLS_WITHIN.as_secs()) as usize / HANDLED_IN as usize,
        FILLS_WITHIN,
        length,
    );
    arrivals.sort_unstable();
    let config = WorldConfig {
        seed: 1,
        calls: 0,
        surge: 1,
        start: SiteTime(0),
        midnight_ago: Span::secs(9 * 3_600),
        length,
        shares: Vec::new(),
        people,
        gateways: vec!["gateway-1".parse().expect("a fixed name is a name")],
        reaches: BTreeMap::new(),
        habits,
        wall_start_ms: WALL_START_MS,
    };
    World::with_arrivals(config, plan, arrivals)
}
