//! A morning on a small site: a plan is adopted, two people come, two callers ring, one is answered and one phone rings in
//! vain. Enough to go through deciding, matching, deadlines, hashing and the canonical encoding.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::{CallerKind, Class};
use switchboard::canonical;
use switchboard::command::{Actor, Adoption, Arrival, Command, Input, LegFact, Profile};
use switchboard::id::{
    Attempt, CallId, CallerRef, DeskId, DeskSession, GatewayId, OfferId, OperatorId, Revision,
};
use switchboard::operator::Device;
use switchboard::plan::{
    Hours, Line, LinePrompts, Plan, PlanDraft, Team, Tier, Title, Trigger, WhenClosed, Who,
};
use switchboard::time::{SiteTime, Span};
use uuid::Uuid;

/// The morning's inputs, each with its time, one canonical text on each line.
pub(crate) fn inputs() -> String {
    let (ana, ben) = (operator("ana"), operator("ben"));
    let first = OfferId { call: call(1), attempt: Attempt(1) };
    let desk = |operator: OperatorId| {
        let desk = DeskId(Uuid::from_u128(7));
        (Actor::Operator(operator), Command::AttachDesk { operator, desk })
    };
    let on = |operator: OperatorId| (Actor::Operator(operator), Command::GoOnDuty { operator });
    let session = DeskSession(1);
    let bridged = Command::Leg { call: call(1), attempt: Attempt(1), fact: LegFact::Bridged };
    let morning = [
        (0, admin(Command::AdoptPlan(Box::new(adoption())))),
        (0, gateway(Command::AttachGateway { incarnation: 1, reaches: None, calls: BTreeSet::new() })),
        (1, admin(Command::AddOperator { operator: ana, profile: profile(&["clinic"], &[]) })),
        (1, admin(Command::AddOperator { operator: ben, profile: profile(&[], &["volunteers"]) })),
        (2, desk(ana)),
        (2, desk(ben)),
        (3, on(ana)),
        (4, on(ben)),
        (10, gateway(arrival(1))),
        (11, gateway(arrival(2))),
        (11, (Actor::Operator(ana), Command::ConfirmDelivery { offer: first, session })),
        (12, (Actor::Operator(ana), Command::Accept { offer: first, session })),
        (13, gateway(bridged)),
        (90, gateway(Command::CallerHungUp { call: call(1) })),
        (200, gateway(Command::CallerHungUp { call: call(2) })),
    ];
    let lines = morning.into_iter().map(|(seconds, (actor, command))| {
        let at = SiteTime(0) + Span::secs(1_000 + seconds);
        canonical::encode(&(at, Input { actor, request: None, command }))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn admin(command: Command) -> (Actor, Command) {
    (Actor::Admin("admin".parse().expect("a name")), command)
}

fn gateway(command: Command) -> (Actor, Command) {
    (Actor::Gateway("gw".parse::<GatewayId>().expect("a name")), command)
}

fn operator(name: &str) -> OperatorId {
    name.parse().expect("a name")
}

fn call(number: u128) -> CallId {
    CallId(Uuid::from_u128(number))
}

fn arrival(number: u128) -> Command {
    Command::Arrive(Arrival {
        call: call(number),
        line: "clinic".parse().expect("a name"),
        caller: CallerRef(Uuid::from_u128(number)),
        kind: CallerKind::Public,
        skills: BTreeSet::new(),
        waited: Span::ZERO,
        diverted: None,
    })
}

fn profile(home: &[&str], teams: &[&str]) -> Profile {
    Profile {
        teams: teams.iter().map(|team| team.parse().expect("a name")).collect(),
        home: home.iter().map(|line| line.parse().expect("a name")).collect(),
        skills: BTreeSet::new(),
        device: Device::AutoAnswer,
    }
}

fn adoption() -> Adoption {
    let team = "volunteers".parse().expect("a name");
    let title = Title { zh: "门诊".into(), en: "Clinic".into() };
    let draft = PlanDraft {
        time_zone: "Asia/Shanghai".into(),
        lines: [("clinic".parse().expect("a name"), clinic(title.clone(), Who::Team(team)))].into(),
        teams: [(team, Team { title })].into(),
        ..PlanDraft::default()
    };
    let plan = Plan::check(draft).expect("the morning's plan has no fault");
    Adoption { plan, expect: Revision(0), migrate: false, move_waiting: BTreeMap::new() }
}

fn clinic(title: Title, volunteers: Who) -> Line {
    Line {
        title,
        class: Class::Normal,
        numbers: vec![],
        hours: Hours::Always,
        when_closed: WhenClosed::Message,
        boost: Span::ZERO,
        ring: Span::secs(15),
        ring_at_once: 1,
        wrap_up: Span::secs(20),
        max_waiting: None,
        guard: 1,
        resume_redial: true,
        requires: BTreeSet::new(),
        prefers: vec![],
        skill_keys: BTreeMap::new(),
        staff_to: None,
        tiers: vec![
            Tier { who: Who::Own, when: vec![] },
            Tier { who: volunteers, when: vec![Trigger::Busy] },
        ],
        prompts: LinePrompts::default(),
    }
}

#[test]
fn the_morning_goes_through_an_answer_and_an_abandon() {
    let board = super::play::play(&inputs()).unwrap();
    let closed = |number| format!("{:?}", board.closed(call(number)).unwrap().outcome);
    assert!(closed(1).contains("Answered"), "{}", closed(1));
    assert!(closed(2).contains("Abandoned"), "{}", closed(2));
    assert!(board.is_indexed_well());
}
