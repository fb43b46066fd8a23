//! The linter's walk against the real switchboard: with nobody on duty and no outside number answering, the same
//! numbers ring and the same callers are let go or left, on every line, in every hour, for both kinds of caller.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use plan::lint::{Passage, Staff, Trap, dead_ends, empty_tiers, passage};
use plan::schedule::{Anchor, edges};
use proptest::prelude::*;
use switchboard::Switchboard;
use switchboard::call::{CallerKind, Class};
use switchboard::command::{Actor, Adoption, Arrival, Command, Input, Profile};
use switchboard::event::Event;
use switchboard::id::{CallId, CallerRef, DestinationId, LineId, Revision};
use switchboard::operator::Device;
use switchboard::plan::{
    Destination, Hours, Line, LinePrompts, Plan, PlanDraft, Prompt, Team, Tier, Timers, Title, Trigger,
    WhenClosed, Who, Window,
};
use switchboard::time::{SiteTime, Span};
use uuid::Uuid;

const KINDS: [CallerKind; 2] = [CallerKind::Public, CallerKind::Staff];

/// Sixteen tiers that ring for two minutes each and a message of five take less.
const PATIENCE: Span = Span::secs(2 * 3_600);

fn title() -> Title {
    Title { zh: "测试".to_owned(), en: "test".to_owned() }
}

fn line_id(n: usize) -> LineId {
    format!("line-{n}").parse().unwrap()
}

fn phone(n: usize) -> DestinationId {
    format!("phone-{n}").parse().unwrap()
}

fn line(tiers: Vec<Tier>) -> Line {
    let prompt = Some("message".parse().unwrap());
    Line {
        title: title(),
        class: Class::Normal,
        numbers: vec![],
        hours: Hours::Always,
        when_closed: WhenClosed::Message,
        boost: Span::ZERO,
        ring: Span::secs(15),
        ring_at_once: 1,
        wrap_up: Span::secs(15),
        max_waiting: None,
        guard: 1,
        resume_redial: true,
        requires: BTreeSet::new(),
        prefers: vec![],
        skill_keys: BTreeMap::new(),
        staff_to: None,
        tiers,
        prompts: LinePrompts {
            closed: prompt,
            closing: prompt,
            staff_menu: prompt,
            ..LinePrompts::default()
        },
    }
}

fn tier(who: Who, when: &[Trigger]) -> Tier {
    Tier { who, when: when.to_vec() }
}

fn draft(lines: Vec<Line>) -> PlanDraft {
    let prompt = Prompt { says: title(), length_max: Span::secs(20) };
    let destination = || Destination { title: title(), number: "021-5550-0199".to_owned(), press_one: true };
    PlanDraft {
        time_zone: "UTC".to_owned(),
        lines: lines.into_iter().enumerate().map(|(n, line)| (line_id(n), line)).collect(),
        teams: ["a", "b"].map(|id| (id.parse().unwrap(), Team { title: title() })).into(),
        skills: BTreeMap::new(),
        destinations: (0..2).map(|n| (phone(n), destination())).collect(),
        prompts: [("message".parse().unwrap(), prompt)].into(),
        timers: Timers::default(),
    }
}

/// What really becomes of a caller of each line and kind who rings at this minute of the week.
fn played(plan: &Plan, minute: u16) -> BTreeMap<(LineId, CallerKind), (Vec<DestinationId>, usize, bool)> {
    let mut site = Site { board: Switchboard::new(), now: SiteTime(3_600_000_000) };
    let adoption =
        Adoption { plan: plan.clone(), expect: Revision(0), migrate: false, move_waiting: BTreeMap::new() };
    site.ask(admin(), Command::AdoptPlan(Box::new(adoption)));
    let monday: Timestamp = "2026-01-05T00:00:00Z".parse().unwrap();
    let wall = Timestamp::from_second(monday.as_second() + i64::from(minute) * 60).unwrap();
    let edges = edges(plan, wall, Anchor { site: site.now, wall }, 1).unwrap();
    site.ask(admin(), Command::ExtendSchedule { edges });
    let gateway = Actor::Gateway("gw".parse().unwrap());
    site.ask(gateway, Command::AttachGateway { incarnation: 1, reaches: None, calls: BTreeSet::new() });
    let callers: Vec<_> = plan.lines.keys().flat_map(|line| KINDS.map(|kind| (*line, kind))).collect();
    let mut heard = Vec::new();
    for (n, (line, kind)) in callers.iter().enumerate() {
        let id = Uuid::from_u128(n as u128 + 1);
        heard.extend(site.ask(gateway, Command::Arrive(arrival(id, *line, *kind))));
    }
    heard.extend(site.wait(PATIENCE));
    let mut fates = BTreeMap::new();
    for (n, caller) in callers.iter().enumerate() {
        let id = CallId(Uuid::from_u128(n as u128 + 1));
        let of_call = heard.iter().filter(|event| event.call() == Some(id));
        let mut rung = Vec::new();
        let mut moves = 0;
        for event in of_call {
            match event {
                Event::CallDiverted { destination, .. } => rung.push(*destination),
                Event::CallMoved { .. } => moves += 1,
                _ => {}
            }
        }
        fates.insert(*caller, (rung, moves, site.board.call(id).is_none()));
    }
    fates
}

fn admin() -> Actor {
    Actor::Admin("admin".parse().unwrap())
}

fn arrival(id: Uuid, line: LineId, kind: CallerKind) -> Arrival {
    Arrival {
        call: CallId(id),
        line,
        caller: CallerRef(id),
        kind,
        skills: BTreeSet::new(),
        waited: Span::ZERO,
        diverted: None,
    }
}

struct Site {
    board: Switchboard,
    now: SiteTime,
}

impl Site {
    fn ask(&mut self, actor: Actor, command: Command) -> Vec<Event> {
        self.board.handle(self.now, Input { actor, request: None, command }).unwrap().events
    }

    /// Nobody does anything; what falls due happens.
    fn wait(&mut self, span: Span) -> Vec<Event> {
        let end = self.now + span;
        let mut heard = Vec::new();
        while let Some(due) = self.board.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            heard.extend(self.ask(Actor::Clock, Command::Tick));
        }
        self.now = end;
        heard
    }
}

/// The walk and the switchboard must tell the same story of everybody who rings at this minute.
fn agree(plan: &Plan, minute: u16) -> Result<(), String> {
    for ((line, caller), (rung, moves, ended)) in played(plan, minute) {
        let Passage { rung: expected, trap } = passage(plan, line, minute, caller);
        let story = format!(
            "{line} at {minute} for {caller:?}: {trap:?}, rung {rung:?}, {moves} moves, ended {ended}"
        );
        let agrees = rung == expected
            && match trap {
                None => ended,
                Some(Trap::LeftWaiting { .. }) => !ended,
                Some(Trap::PassedOn { .. }) => ended && moves >= 8,
                Some(Trap::NobodyRung) => ended && rung.is_empty(),
            };
        if !agrees {
            return Err(story);
        }
    }
    Ok(())
}

#[test]
fn the_hospital_leads_every_caller_somewhere() {
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan;
    assert_eq!(dead_ends(&plan), []);
    agree(&plan, 0).unwrap();
    let rung = |line: &str| passage(&plan, line.parse().unwrap(), 0, CallerKind::Public).rung;
    assert_eq!(rung("emergency"), ["duty-phone".parse().unwrap()]);
}

#[test]
fn more_closed_lines_than_the_switchboard_follows() {
    let own = || vec![tier(Who::Own, &[]), tier(Who::Closing, &[Trigger::Busy])];
    let night = Hours::Weekly(vec![Window { from: 600, to: 700 }]);
    let chain = |length: usize| {
        let mut lines: Vec<Line> = (0..length).map(|_| line(own())).collect();
        for (n, line) in lines.iter_mut().enumerate().take(length - 1) {
            line.hours = night.clone();
            line.when_closed = WhenClosed::MoveTo(line_id(n + 1));
        }
        Plan::check(draft(lines)).unwrap()
    };
    assert_eq!(dead_ends(&chain(8)), []);
    let far = dead_ends(&chain(9));
    assert_eq!(far.len(), 1, "{far:?}");
    assert_eq!((far[0].line, far[0].minute_of_week), (line_id(0), 0));
    assert_eq!(far[0].trap, Trap::PassedOn { line: line_id(8) });
    for length in [8, 9] {
        agree(&chain(length), 0).unwrap();
        agree(&chain(length), 650).unwrap();
    }
}

fn staff(people: &[Profile]) -> Staff {
    Staff::of(people.iter().enumerate().map(|(n, p)| (format!("op-{n}").parse().unwrap(), p)))
}

#[test]
fn tiers_without_people() {
    let parsed = plan::parse("hospital.toml", plan::HOSPITAL).unwrap();
    let lines = ["switchboard", "outpatient-1", "outpatient-2", "emergency", "comfort", "duty"];
    let person = |teams: &[&str], home: &[&str]| Profile {
        teams: teams.iter().map(|t| t.parse().unwrap()).collect(),
        home: home.iter().map(|l| l.parse().unwrap()).collect(),
        skills: BTreeSet::new(),
        device: Device::Ring,
    };
    let mut people = vec![person(&["professionals", "volunteers"], &lines[..2])];
    people.push(person(&["youth"], &lines[2..]));
    assert_eq!(empty_tiers(&parsed.plan, &staff(&people)), []);
    assert!(parsed.doubts_about(&staff(&people)).is_empty());

    people[1] = person(&["volunteers"], &lines[3..]);
    let doubts = parsed.doubts_about(&staff(&people));
    let told: String = doubts.iter().map(ToString::to_string).collect();
    assert!(
        told.contains(
            "a tier without people on line 'outpatient-2': nobody has 'outpatient-2' as a home line"
        ),
        "{told}"
    );
    assert!(told.contains("nobody is in team 'youth'"), "{told}");
    assert!(told.contains("{ who = \"team:youth\""), "{told}");
    let own = people.iter().filter(|p| p.home.contains(&"outpatient-2".parse().unwrap())).count();
    assert_eq!(own, 0);
}

fn hours() -> impl Strategy<Value = Hours> {
    let windows = prop_oneof![
        Just(vec![Window { from: 480, to: 1_020 }]),
        Just(vec![Window { from: 0, to: 600 }, Window { from: 900, to: 10_080 }]),
        Just(vec![Window { from: 600, to: 700 }, Window { from: 5_000, to: 5_001 }]),
    ];
    prop_oneof![Just(Hours::Always), windows.prop_map(Hours::Weekly)]
}

fn triggers() -> impl Strategy<Value = Vec<Trigger>> {
    let one = prop_oneof![
        Just(Trigger::Busy),
        Just(Trigger::Empty),
        (1..3_600_u64).prop_map(|s| Trigger::Wait(Span::secs(s))),
        (0..9_u32).prop_map(Trigger::Depth),
        (1..5_u32).prop_map(Trigger::Missed),
    ];
    proptest::collection::vec(one, 1..3)
}

fn ladder(lines: usize) -> impl Strategy<Value = Vec<Tier>> {
    let further = prop_oneof![
        2 => Just(Who::Team("b".parse().unwrap())),
        2 => (0..2_usize, 5..120_u64)
            .prop_map(|(n, ring)| Who::Outside { destination: phone(n), ring: Span::secs(ring) }),
        1 => Just(Who::OtherLines),
        1 => (0..lines).prop_map(|n| Who::Line(line_id(n))),
    ];
    let first = prop_oneof![Just(Who::Own), Just(Who::Team("a".parse().unwrap()))];
    let further = proptest::collection::vec((further, triggers()), 0..5);
    let closing = proptest::option::weighted(0.7, triggers());
    (first, further, closing).prop_map(|(first, further, closing)| {
        let mut tiers = vec![tier(first, &[])];
        tiers.extend(further.into_iter().map(|(who, when)| Tier { who, when }));
        tiers.extend(closing.map(|when| Tier { who: Who::Closing, when }));
        tiers
    })
}

fn plans() -> impl Strategy<Value = Plan> {
    let class = prop_oneof![Just(Class::Normal), Just(Class::Emergency), Just(Class::Background)];
    let one = move |n: usize, lines: usize| {
        let closed = prop_oneof![
            2 => Just(WhenClosed::Message),
            // Only to a later line, or Plan::check finds a circle.
            3 => (n + 1..lines.max(n + 2)).prop_map(|to| WhenClosed::MoveTo(line_id(to))),
            1 => (0..2_usize).prop_map(|n| WhenClosed::Divert(phone(n))),
        ];
        let staff = proptest::bool::weighted(0.3);
        (class.clone(), hours(), closed, staff, ladder(lines)).prop_map(
            move |(class, hours, when_closed, staff, tiers)| {
                let mut line = line(tiers);
                line.class = class;
                line.hours = hours;
                line.when_closed = match when_closed {
                    WhenClosed::MoveTo(to) if to >= line_id(lines) && n + 1 >= lines => WhenClosed::Message,
                    other => other,
                };
                line.staff_to = (staff && n > 0).then(|| line_id(0));
                line
            },
        )
    };
    let lines = (1..5_usize)
        .prop_flat_map(move |count| (0..count).map(|n| one(n, count).boxed()).collect::<Vec<_>>());
    lines.prop_filter_map("Plan::check refuses it", |lines| Plan::check(draft(lines)).ok())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150, max_global_rejects: 20_000, ..ProptestConfig::default()
    })]

    #[test]
    fn the_walk_and_the_switchboard_agree(plan in plans()) {
        let mut trapped = BTreeSet::new();
        for hour in 0..168_u16 {
            let minute = hour * 60;
            for line in plan.lines.keys() {
                for caller in KINDS {
                    if let Some(trap) = passage(&plan, *line, minute, caller).trap {
                        trapped.insert((*line, trap));
                    }
                }
            }
        }
        let found: BTreeSet<_> = dead_ends(&plan).into_iter().map(|end| (end.line, end.trap)).collect();
        prop_assert!(trapped.is_subset(&found), "an hour of the week was not looked at: {:?} {:?}", trapped, found);
        let mut minutes: BTreeSet<u16> = [0, 479, 480, 599, 600, 700, 899, 900, 1_019, 1_020, 5_000, 10_079].into();
        minutes.extend(dead_ends(&plan).iter().map(|end| end.minute_of_week));
        for minute in minutes {
            if let Err(story) = agree(&plan, minute) {
                return Err(TestCaseError::fail(story));
            }
        }
    }
}
