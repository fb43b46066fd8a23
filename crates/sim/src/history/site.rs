//! A small hospital: a plan of a few lines and a few people, as numbers have it.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::Class;
use switchboard::command::Profile;
use switchboard::id::{DestinationId, LineId, OperatorId, PromptId, SkillId, TeamId};
use switchboard::operator::Device;
use switchboard::plan::{
    Destination, Hours, Line, LinePrompts, Plan, PlanDraft, Preference, Prompt, Team, Tier, Timers, Title,
    Trigger, WhenClosed, Who,
};
use switchboard::time::Span;

use super::Numbers;

/// Lines of every plan; `extra` is there in some.
pub(super) const LINES: [&str; 5] = ["switchboard", "emergency", "outpatient", "staff", "extra"];
/// Teams of every plan.
pub(super) const TEAMS: [&str; 2] = ["professionals", "volunteers"];
/// Skills of every plan.
pub(super) const SKILLS: [&str; 2] = ["shanghainese", "sign"];
/// Outside numbers that may be rung.
pub(super) const OUTSIDE: [&str; 2] = ["duty-phone", "reception"];
/// People there can be.
pub(super) const PEOPLE: usize = 7;

pub(super) fn name<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().expect("every name in this module is a name")
}

pub(super) fn line_id(n: usize) -> LineId {
    name(LINES[n % LINES.len()])
}

pub(super) fn operator_id(n: usize) -> OperatorId {
    name(&format!("op-{:02}", n % PEOPLE + 1))
}

/// A plan, as the numbers have it.
pub(super) fn plan(numbers: &mut Numbers<'_>) -> Plan {
    let mut draft = PlanDraft { time_zone: "Asia/Shanghai".into(), ..PlanDraft::default() };
    for team in TEAMS {
        draft.teams.insert(name(team), Team { title: title(team) });
    }
    for skill in SKILLS {
        draft.skills.insert(name(skill), title(skill));
    }
    for number in OUTSIDE {
        let destination = Destination { title: title(number), number: "02166300588".into(), press_one: true };
        draft.destinations.insert(name(number), destination);
    }
    for prompt in ["greeting", "closed", "full", "closing", "blocked", "staff-menu"] {
        let length_max = Span::secs(8);
        draft.prompts.insert(name::<PromptId>(prompt), Prompt { says: title(prompt), length_max });
    }
    draft.timers = timers(numbers);
    let extra = numbers.one_in(2);
    let outpatient = !numbers.one_in(4);
    for n in 0..LINES.len() {
        let line = line(numbers, n, extra, outpatient);
        let left_out = (n == 2 && !outpatient) || (n == 4 && !extra);
        if !left_out {
            draft.lines.insert(line_id(n), line);
        }
    }
    Plan::check(draft).expect("only sound plans are drawn")
}

fn title(text: &str) -> Title {
    Title { zh: text.into(), en: text.into() }
}

fn timers(numbers: &mut Numbers<'_>) -> Timers {
    Timers {
        cool_down: numbers.one_of(&[Span::secs(20), Span::secs(5), Span::ZERO]),
        misses_to_suspend: numbers.one_of(&[2, 1, 3]),
        reload: numbers.one_of(&[Span::secs(3), Span::ZERO]),
        shift_end: numbers.one_of(&[Span::secs(120), Span::ZERO]),
        transfer: numbers.one_of(&[Span::secs(20), Span::secs(5)]),
        ..Timers::default()
    }
}

fn line(numbers: &mut Numbers<'_>, n: usize, extra: bool, outpatient: bool) -> Line {
    let class = [Class::Normal, Class::Emergency, Class::Normal, Class::Background, Class::Normal][n];
    let others: Vec<LineId> = (0..LINES.len())
        .filter(|other| *other != n && (*other != 4 || extra) && (*other != 2 || outpatient))
        .map(line_id)
        .collect();
    let skills: Vec<SkillId> = SKILLS.map(name).to_vec();
    let requires = if numbers.one_in(6) { BTreeSet::from([skills[0]]) } else { BTreeSet::new() };
    let holds = [Span::ZERO, Span::secs(10), Span::secs(40)];
    let prefers = match numbers.next() % 4 {
        0 | 1 => Vec::new(),
        2 => vec![Preference { skill: skills[1], hold: numbers.one_of(&holds) }],
        _ => skills.iter().map(|skill| Preference { skill: *skill, hold: numbers.one_of(&holds) }).collect(),
    };
    let max_waiting = numbers.one_of(&[None, None, Some(1), Some(3)]);
    let when_closed = match numbers.next() % 3 {
        0 => WhenClosed::Message,
        1 if n != 0 => WhenClosed::MoveTo(line_id(0)),
        _ => WhenClosed::Divert(name(OUTSIDE[1])),
    };
    Line {
        title: title(LINES[n]),
        class,
        numbers: Vec::new(),
        hours: Hours::Always,
        when_closed,
        boost: numbers.one_of(&[Span::ZERO, Span::secs(60), Span::secs(120)]),
        ring: numbers.one_of(&[Span::secs(15), Span::secs(5)]),
        ring_at_once: numbers.one_of(&[1, 1, 2, 3]),
        wrap_up: numbers.one_of(&[Span::secs(20), Span::ZERO, Span::secs(90)]),
        max_waiting: max_waiting.filter(|_| class != Class::Emergency),
        guard: numbers.one_of(&[1, 0, 2]),
        resume_redial: !numbers.one_in(4),
        requires,
        prefers,
        skill_keys: BTreeMap::from([('2', skills[0]), ('3', skills[1])]),
        staff_to: (n < 2 && numbers.one_in(2)).then(|| line_id(3)),
        tiers: tiers(numbers, &others),
        prompts: prompts(),
    }
}

fn prompts() -> LinePrompts {
    LinePrompts {
        greeting: Some(name("greeting")),
        closed: Some(name("closed")),
        full: Some(name("full")),
        closing: Some(name("closing")),
        blocked: Some(name("blocked")),
        staff_menu: Some(name("staff-menu")),
    }
}

fn tiers(numbers: &mut Numbers<'_>, others: &[LineId]) -> Vec<Tier> {
    let duty_phone: DestinationId = name(OUTSIDE[0]);
    let teams: Vec<TeamId> = TEAMS.map(name).to_vec();
    let mut who = vec![numbers.one_of(&[Who::Own, Who::Own, Who::Team(teams[0])])];
    for _ in 0..numbers.next() % 6 {
        let ring = Span::secs(20);
        let next = match numbers.next() % 6 {
            0 => Who::Team(teams[0]),
            1 => Who::Team(teams[1]),
            2 => Who::OtherLines,
            3 => Who::Line(numbers.one_of(others)),
            4 => Who::Own,
            _ => Who::Outside { destination: duty_phone, ring },
        };
        if !who.contains(&next) {
            who.push(next);
        }
    }
    if !numbers.one_in(3) {
        who.push(Who::Closing);
    }
    let tier = |(n, who)| Tier { who, when: if n == 0 { Vec::new() } else { triggers(numbers) } };
    who.into_iter().enumerate().map(tier).collect()
}

fn triggers(numbers: &mut Numbers<'_>) -> Vec<Trigger> {
    const ALL: [Trigger; 8] = [
        Trigger::Wait(Span::secs(10)),
        Trigger::Busy,
        Trigger::Wait(Span::secs(30)),
        Trigger::Depth(1),
        Trigger::Missed(1),
        Trigger::Empty,
        Trigger::Depth(2),
        Trigger::Missed(2),
    ];
    (0..=numbers.next() % 2).map(|_| numbers.one_of(&ALL)).collect()
}

/// One person, as the numbers have it.
pub(super) fn profile(numbers: &mut Numbers<'_>, lines: &[LineId]) -> Profile {
    let device = numbers.one_of(&[Device::AutoAnswer, Device::Ring, Device::Softphone, Device::Telephone]);
    let home = match numbers.next() % 6 {
        5 => BTreeSet::new(),
        4 => (0..2).filter_map(|_| numbers.pick(lines)).collect(),
        n => lines.get(n % lines.len().max(1)).copied().into_iter().collect(),
    };
    let teams = match numbers.next() % 5 {
        0 => vec![TEAMS[0]],
        1 => vec![TEAMS[1]],
        2 => TEAMS.to_vec(),
        _ => Vec::new(),
    };
    let skills = match numbers.next() % 4 {
        0 => SKILLS.to_vec(),
        1 => vec![SKILLS[0]],
        2 => vec![SKILLS[1]],
        _ => Vec::new(),
    };
    Profile {
        teams: teams.into_iter().map(name).collect(),
        home,
        skills: skills.into_iter().map(name).collect(),
        device,
    }
}
