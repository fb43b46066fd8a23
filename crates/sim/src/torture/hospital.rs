//! Random small hospitals: every trigger, every kind of tier and device, odd timers. Small, because faults are found
//! where much happens to few.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::Class;
use switchboard::command::Profile;
use switchboard::id::{DestinationId, GatewayId, LineId, OperatorId, PromptId, SkillId, TeamId};
use switchboard::operator::Device;
use switchboard::plan::{
    Destination, Hours, Line, LinePrompts, Plan, PlanDraft, Preference, Prompt, Team, Tier, Timers, Title,
    Trigger, WhenClosed, Who,
};
use switchboard::time::Span;

use crate::chance::{Chance, Draw, Purpose};
use crate::people::{Person, Shift, operator_id};

const LINES: [&str; 4] = ["main", "urgent", "visits", "quiet"];
const STAFF: &str = "staff";
const TEAMS: [&str; 2] = ["professionals", "volunteers"];
const SKILLS: [&str; 3] = ["cantonese", "licence", "shanghainese"];
const OUTSIDE: [&str; 2] = ["duty-phone", "reception"];

fn name<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("fixed names are names")
}

/// A random plan. Plans of one seed with different `nth` are about the same hospital at different times.
///
/// # Panics
/// When the generator made what is no plan: a fault of its own.
pub(super) fn plan(seed: u64, nth: u64) -> Plan {
    let mut draw = Chance::new(seed).about(Purpose::Hospital, 0, nth);
    let count = 1 + draw.below(LINES.len() as u64) as usize;
    // A later plan may lack lines that an earlier one had, and have others.
    let first = if nth == 0 { 0 } else { draw.below(2) as usize };
    let public: Vec<LineId> = LINES.iter().skip(first).take(count).map(|line| name(line)).collect();
    let has_staff = draw.per_mille(600);
    let staff = has_staff.then(|| name(STAFF));
    let mut draft = PlanDraft {
        time_zone: "Asia/Shanghai".into(),
        teams: TEAMS.iter().map(|id| (name::<TeamId>(id), Team { title: title(id) })).collect(),
        skills: SKILLS.iter().map(|id| (name::<SkillId>(id), title(id))).collect(),
        destinations: destinations(),
        prompts: prompts(),
        timers: timers(&mut draw),
        lines: BTreeMap::new(),
    };
    for id in public.iter().chain(&staff) {
        draft.lines.insert(*id, line(*id, &public, staff, &mut draw));
    }
    Plan::check(draft).unwrap_or_else(|faults| panic!("the generator made no plan: {faults:?}"))
}

fn title(text: &str) -> Title {
    Title { zh: text.into(), en: text.into() }
}

fn destinations() -> BTreeMap<DestinationId, Destination> {
    let outside = OUTSIDE.iter().enumerate().map(|(n, id)| (name(id), n, true));
    let published = LINES.iter().enumerate().map(|(n, id)| (name(id), n + 10, false));
    let all = outside.chain(published).map(|(id, n, press_one)| {
        (id, Destination { title: title("number"), number: format!("0215550{n:03}"), press_one })
    });
    all.collect()
}

fn prompts() -> BTreeMap<PromptId, Prompt> {
    let ids = ["greeting", "closed", "full", "closing", "blocked", "menu"];
    let all = ids.iter().map(|id| (name(id), Prompt { says: title(id), length_max: Span::secs(8) }));
    all.collect()
}

fn timers(draw: &mut Draw) -> Timers {
    Timers {
        deliver_by: Span::millis(500 + draw.below(3) * 750),
        connect_by: Span::secs(1 + draw.below(5)),
        pick_up_min: Span::secs(2 + draw.below(8)),
        cool_down: Span::secs(draw.below(4) * 7),
        misses_to_suspend: 1 + draw.below(3) as u8,
        reload: Span::secs(draw.below(4)),
        grace: Span::secs(1 + draw.below(15)),
        redial: Span::secs(draw.below(3) * 120),
        transfer: Span::secs(5 + draw.below(20)),
        shift_end: Span::secs(draw.below(3) * 30),
        block: Span::secs(60 + draw.below(600)),
    }
}

fn line(id: LineId, public: &[LineId], staff: Option<LineId>, draw: &mut Draw) -> Line {
    let is_staff = Some(id) == staff;
    let emergency = id.as_str() == "urgent";
    let class = match id.as_str() {
        "urgent" => Class::Emergency,
        "quiet" | STAFF => Class::Background,
        _ => Class::Normal,
    };
    let others: Vec<LineId> = public.iter().copied().filter(|line| *line != id).collect();
    let after: Vec<LineId> = others.iter().copied().filter(|line| *line > id).collect();
    let skills: Vec<SkillId> = SKILLS.iter().map(|skill| name(skill)).collect();
    Line {
        title: title(id.as_str()),
        class,
        numbers: if is_staff { Vec::new() } else { vec![name(id.as_str())] },
        hours: Hours::Always,
        when_closed: match draw.below(3) {
            // Only to a later line, so that nobody is sent in a circle.
            0 => draw.one_of(&after).map_or(WhenClosed::Message, |line| WhenClosed::MoveTo(*line)),
            1 => WhenClosed::Divert(name(OUTSIDE[draw.below(2) as usize])),
            _ => WhenClosed::Message,
        },
        boost: Span::secs(draw.below(3) * 40),
        ring: Span::secs(4 + draw.below(12)),
        ring_at_once: if draw.per_mille(300) { 2 + draw.below(2) as u8 } else { 1 },
        wrap_up: Span::secs(draw.below(4) * 6),
        max_waiting: (!emergency && draw.per_mille(300)).then(|| 1 + draw.below(4) as u32),
        guard: draw.below(3) as u32,
        resume_redial: draw.per_mille(800),
        requires: skills.iter().copied().filter(|_| draw.per_mille(40)).collect(),
        prefers: skills
            .iter()
            .filter(|_| draw.per_mille(150))
            .map(|skill| Preference { skill: *skill, hold: Span::secs(draw_hold(*skill)) })
            .collect(),
        skill_keys: [('2', skills[0]), ('3', skills[2])]
            .into_iter()
            .filter(|_| draw.per_mille(500))
            .collect(),
        staff_to: staff.filter(|_| !is_staff && draw.per_mille(500)),
        tiers: tiers(&others, draw),
        prompts: line_prompts(draw),
    }
}

fn draw_hold(skill: SkillId) -> u64 {
    if skill.as_str() == "licence" { 0 } else { 12 }
}

fn line_prompts(draw: &mut Draw) -> LinePrompts {
    LinePrompts {
        greeting: draw.per_mille(500).then(|| name("greeting")),
        closed: Some(name("closed")),
        full: Some(name("full")),
        closing: Some(name("closing")),
        blocked: draw.per_mille(500).then(|| name("blocked")),
        staff_menu: Some(name("menu")),
    }
}

fn tiers(others: &[LineId], draw: &mut Draw) -> Vec<Tier> {
    let mut people = vec![Who::Own, Who::OtherLines];
    people.extend(TEAMS.iter().map(|team| Who::Team(name(team))));
    people.extend(draw.one_of(others).map(|line| Who::Line(*line)));
    let mut tiers = Vec::new();
    let first = draw.below(people.len() as u64) as usize;
    // Mostly a line's own operators come first, as in every real plan.
    let first = if draw.per_mille(700) { 0 } else { first };
    tiers.push(Tier { who: people.remove(first), when: Vec::new() });
    while !people.is_empty() && draw.per_mille(650) {
        let who = people.remove(draw.below(people.len() as u64) as usize);
        tiers.push(Tier { who, when: triggers(draw) });
    }
    if draw.per_mille(400) {
        let destination = name(OUTSIDE[draw.below(2) as usize]);
        let who = Who::Outside { destination, ring: Span::secs(5 + draw.below(12)) };
        tiers.push(Tier { who, when: triggers(draw) });
    }
    // Whatever happens, the ladder ends.
    let when = vec![Trigger::Wait(Span::secs(60 + draw.below(4) * 60))];
    tiers.push(Tier { who: Who::Closing, when });
    tiers
}

fn triggers(draw: &mut Draw) -> Vec<Trigger> {
    let mut when = Vec::new();
    for _ in 0..1 + draw.below(2) {
        when.push(match draw.below(6) {
            0 | 1 => Trigger::Busy,
            2 => Trigger::Empty,
            3 => Trigger::Wait(Span::secs(1 + draw.below(40))),
            4 => Trigger::Depth(draw.below(4) as u32),
            _ => Trigger::Missed(1 + draw.below(2) as u32),
        });
    }
    when
}

/// Random people for a hospital of this seed, at home on this plan's lines.
pub(super) fn people(seed: u64, plan: &Plan) -> Vec<Person> {
    let mut draw = Chance::new(seed).about(Purpose::Hospital, 1, 0);
    let count = 2 + draw.below(7) as usize;
    (1..=count)
        .map(|number| Person {
            operator: operator_id(number),
            profile: profile(plan, &mut draw),
            shift: draw.per_mille(950).then_some(Shift::ALWAYS),
        })
        .collect()
}

/// In some hospitals a gateway cannot ring everybody's device.
pub(super) fn reaches(
    seed: u64,
    gateways: &[GatewayId],
    people: &[Person],
) -> BTreeMap<GatewayId, BTreeSet<OperatorId>> {
    let mut draw = Chance::new(seed).about(Purpose::Hospital, 2, 0);
    let limited: Vec<GatewayId> = gateways.iter().copied().filter(|_| draw.per_mille(150)).collect();
    let mut reach =
        |_: &GatewayId| people.iter().map(|p| p.operator).filter(|_| draw.per_mille(700)).collect();
    limited.into_iter().map(|gateway| (gateway, reach(&gateway))).collect()
}

/// What is known of a random person.
pub(super) fn profile(plan: &Plan, draw: &mut Draw) -> Profile {
    let devices = [Device::AutoAnswer, Device::Ring, Device::Softphone, Device::Telephone];
    Profile {
        teams: plan.teams.keys().copied().filter(|_| draw.per_mille(500)).collect(),
        home: plan.lines.keys().copied().filter(|_| draw.per_mille(700)).collect(),
        skills: plan.skills.keys().copied().filter(|_| draw.per_mille(500)).collect(),
        device: devices[draw.below(4) as usize],
    }
}
