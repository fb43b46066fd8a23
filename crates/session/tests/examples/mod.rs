//! One decision per kind of event, of command and of reply, with every optional part filled.

pub(crate) mod commands;
pub(crate) mod events;
pub(crate) mod replies;

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::Class;
use switchboard::command::{Command, Edge, EdgeKind, Input, Profile};
use switchboard::decision::{Decision, Reply};
use switchboard::event::Event;
use switchboard::id::{
    Attempt, CallId, CallerRef, DeskId, GatewayId, LineId, OfferId, OperatorId, RequestId, Seq,
};
use switchboard::operator::Device;
use switchboard::plan::{
    Destination, Hours, Line, LinePrompts, Plan, PlanDraft, Preference, Prompt, Team, Tier, Timers, Title,
    Trigger, WhenClosed, Who, Window,
};
use switchboard::time::{SiteTime, Span};

/// Names every variant of an enum once: the match stops compiling when one is added, and the list demands an example.
macro_rules! kinds {
    ($enum:ident: $($variant:ident),+ $(,)?) => {
        /// Every variant there is.
        pub(crate) const NAMES: [&str; [$(stringify!($variant)),+].len()] = [$(stringify!($variant)),+];

        fn name(value: &$enum) -> &'static str {
            match value {
                $($enum::$variant { .. } => stringify!($variant)),+
            }
        }
    };
}
pub(crate) use kinds;

/// A decision about nothing but what is to be shown.
fn decision(
    actor: switchboard::command::Actor,
    command: Command,
    events: Vec<Event>,
    reply: Reply,
) -> Decision {
    let input = Input { actor, request: Some(request()), command };
    Decision { seq: Seq(1), at: at(90), input, events, reply }
}

fn at(seconds: u64) -> SiteTime {
    SiteTime(0) + Span::secs(seconds)
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name")
}

fn uuid(last: u8) -> uuid::Uuid {
    uuid::Uuid::from_bytes([1, 143, 0, 0, 0, 0, 112, 0, 128, 0, 0, 0, 0, 0, 0, last])
}

fn call() -> CallId {
    CallId(uuid(1))
}

fn caller() -> CallerRef {
    CallerRef(uuid(2))
}

fn request() -> RequestId {
    RequestId(uuid(3))
}

fn desk() -> DeskId {
    DeskId(uuid(4))
}

fn offer() -> OfferId {
    OfferId { call: call(), attempt: Attempt(2) }
}

fn operator() -> OperatorId {
    name("op-01")
}

fn gateway() -> GatewayId {
    name("main-1")
}

fn line(text: &str) -> LineId {
    name(text)
}

fn names<T: Ord + std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> BTreeSet<T> {
    texts.iter().map(|text| name(text)).collect()
}

fn profile() -> Profile {
    Profile {
        teams: names(&["volunteers"]),
        home: names(&["emergency"]),
        skills: names(&["cantonese"]),
        device: Device::AutoAnswer,
    }
}

fn edges() -> Vec<Edge> {
    let what = [
        EdgeKind::LineOpens(line("emergency")),
        EdgeKind::LineCloses(line("emergency")),
        EdgeKind::ShiftStarts { operator: operator(), ends_at: at(40_000) },
    ];
    let at = (100..).map(at);
    at.zip(what).map(|(at, what)| Edge { at, wall_us: 1_649_001_600_000_000, what }).collect()
}

fn title(en: &str) -> Title {
    Title { zh: "热线".to_owned(), en: en.to_owned() }
}

/// A plan that uses every part a plan can have.
fn plan() -> Plan {
    let prompt = Prompt { says: title("Please hold the line"), length_max: Span::secs(20) };
    let number = Destination { title: title("Duty phone"), number: "+862100000000".into(), press_one: true };
    let triggers = vec![
        Trigger::Busy,
        Trigger::Empty,
        Trigger::Wait(Span::secs(10)),
        Trigger::Depth(3),
        Trigger::Missed(2),
    ];
    let who = [
        Who::Own,
        Who::Team(name("volunteers")),
        Who::Line(line("switchboard")),
        Who::OtherLines,
        Who::Outside { destination: name("duty-phone"), ring: Span::secs(30) },
        Who::Closing,
    ];
    let emergency = Line {
        title: title("Emergency"),
        class: Class::Emergency,
        numbers: vec![name("emergency-number")],
        hours: Hours::Always,
        when_closed: WhenClosed::Divert(name("duty-phone")),
        boost: Span::secs(60),
        ring: Span::secs(10),
        ring_at_once: 2,
        wrap_up: Span::secs(30),
        max_waiting: None,
        guard: 1,
        resume_redial: true,
        requires: names(&["licence"]),
        prefers: vec![Preference { skill: name("cantonese"), hold: Span::secs(20) }],
        skill_keys: BTreeMap::from([('2', name("cantonese"))]),
        staff_to: Some(line("switchboard")),
        tiers: who.map(|who| Tier { who, when: triggers.clone() }).into(),
        prompts: LinePrompts {
            greeting: Some(name("hold")),
            closed: Some(name("hold")),
            full: Some(name("hold")),
            closing: Some(name("hold")),
            blocked: Some(name("hold")),
            staff_menu: Some(name("hold")),
        },
    };
    let switchboard = Line {
        title: title("Switchboard"),
        class: Class::Normal,
        numbers: Vec::new(),
        hours: Hours::Weekly(vec![Window { from: 480, to: 1_080 }]),
        when_closed: WhenClosed::MoveTo(line("night")),
        max_waiting: Some(40),
        staff_to: None,
        tiers: vec![Tier { who: Who::Own, when: Vec::new() }],
        ..emergency.clone()
    };
    let night = Line { class: Class::Background, when_closed: WhenClosed::Message, ..switchboard.clone() };
    let draft = PlanDraft {
        time_zone: "Asia/Shanghai".to_owned(),
        lines: BTreeMap::from([
            (line("emergency"), emergency),
            (line("switchboard"), switchboard),
            (line("night"), night),
        ]),
        teams: BTreeMap::from([(name("volunteers"), Team { title: title("Volunteers") })]),
        skills: BTreeMap::from([
            (name("cantonese"), title("Cantonese")),
            (name("licence"), title("Licence")),
        ]),
        destinations: BTreeMap::from([
            (name("duty-phone"), number.clone()),
            (name("emergency-number"), Destination { press_one: false, ..number }),
        ]),
        prompts: BTreeMap::from([(name("hold"), prompt)]),
        timers: Timers::default(),
    };
    Plan::check(draft).unwrap_or_else(|faults| panic!("{}", faults[0]))
}
