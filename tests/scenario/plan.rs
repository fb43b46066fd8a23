//! The header of a scenario: `plan`, `timers` and `shift` lines, made into plans and people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use switchboard::call::Class;
use switchboard::command::Profile;
use switchboard::id::{LineId, OperatorId, PromptId};
use switchboard::operator::Device;
use switchboard::plan::{
    Destination, Hours, Line, LinePrompts, Plan, PlanDraft, Preference, Prompt, Team, Tier, Timers, Title,
    Trigger, WhenClosed, Who,
};
use switchboard::time::Span;

use crate::slot;
use crate::source::{Book, Fault, Piece, book};
use crate::text::{Found, Pattern, words};

/// What a clause of the header does to what it speaks of.
type Change<T> = fn(&mut T, &Found);

/// What a plan line can say of a line.
pub(crate) const PLAN_PHRASES: &[(&str, Change<Line>)] = &[
    ("class <class>", |line, f| line.class = class(f.the("class"))),
    ("ring <span>", |line, f| line.ring = span(f, "span")),
    ("<number> ring at once", |line, f| line.ring_at_once = number(f) as u8),
    ("wrap-up <span>", |line, f| line.wrap_up = span(f, "span")),
    ("answered by <tier>", |line, f| line.tiers[0].who = who(f.the("tier"), None)),
    ("overflow <when>[ or <when>][ or <when>] to <tier>[ for <span>]", overflow),
    ("guard <number>", |line, f| line.guard = number(f)),
    ("at most <number> waiting", |line, f| line.max_waiting = Some(number(f))),
    ("boost <span>", |line, f| line.boost = span(f, "span")),
    ("needs <skill>", |line, f| {
        line.requires.insert(id(f.the("skill")));
    }),
    ("prefers <skill>[ for <span>]", |line, f| {
        let hold = f.any("span").map_or(Span::ZERO, |_| span(f, "span"));
        line.prefers.push(Preference { skill: id(f.the("skill")), hold });
    }),
    ("key <key> asks for <skill>", |line, f| {
        line.skill_keys.insert(f.the("key").chars().next().unwrap_or('0'), id(f.the("skill")));
    }),
    ("staff callers go to <line>", |line, f| line.staff_to = Some(id(f.the("line")))),
    ("when closed callers go to <line>", |line, f| line.when_closed = WhenClosed::MoveTo(id(f.the("line")))),
    ("when closed number <destination> rings", |line, f| {
        line.when_closed = WhenClosed::Divert(id(f.the("destination")));
    }),
    ("redials start afresh", |line, _| line.resume_redial = false),
];

/// What a timers line can say.
pub(crate) const TIMER_PHRASES: &[(&str, Change<Timers>)] = &[
    ("cool-down <span>", |t, f| t.cool_down = span(f, "span")),
    ("suspend after <number> misses", |t, f| t.misses_to_suspend = number(f) as u8),
    ("grace <span>", |t, f| t.grace = span(f, "span")),
    ("reload <span>", |t, f| t.reload = span(f, "span")),
    ("redial within <span>", |t, f| t.redial = span(f, "span")),
    ("transfer <span>", |t, f| t.transfer = span(f, "span")),
    ("shift end <span>", |t, f| t.shift_end = span(f, "span")),
    ("connect within <span>", |t, f| t.connect_by = span(f, "span")),
    ("deliver within <span>", |t, f| t.deliver_by = span(f, "span")),
];

/// What a shift line can say of a person.
pub(crate) const PEOPLE_PHRASES: &[(&str, Change<Person>)] = &[
    ("on <lines>", |p, f| p.profile.home.extend(slot::list(f.the("lines")).map(id::<LineId>))),
    ("is a <member>", |p, f| {
        p.profile.teams.insert(id(&format!("{}s", f.the("member"))));
    }),
    ("is in team <team>", |p, f| {
        p.profile.teams.insert(id(f.the("team")));
    }),
    ("speaks <skills>", |p, f| {
        p.profile.skills.extend(slot::list(f.the("skills")).map(id::<switchboard::id::SkillId>))
    }),
    ("answers by headset", |p, _| p.profile.device = Device::AutoAnswer),
    ("answers by desk phone", |p, _| p.profile.device = Device::Ring),
    ("answers by telephone", |p, _| p.profile.device = Device::Telephone),
    ("answers by softphone", |p, _| p.profile.device = Device::Softphone),
    ("is off duty", |p, _| p.on_duty = false),
    ("has no desk open", |p, _| (p.on_duty, p.at_desk) = (false, false)),
];

/// One person of the shift.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: OperatorId,
    pub(crate) profile: Profile,
    pub(crate) on_duty: bool,
    pub(crate) at_desk: bool,
}

/// What the header says: plans by number, people in the order of the shift.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    pub(crate) people: Vec<Person>,
    hospital: bool,
    drafts: BTreeMap<u32, PlanDraft>,
}

impl Setup {
    /// Reads one `plan` line: of the first plan, or of a later one (`plan 2 …`).
    pub(crate) fn plan_line(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        let (first, rest) = piece.first_word();
        let (number, piece) = match first.text.parse::<u32>() {
            Ok(number) => (number, rest),
            Err(_) => (1, piece),
        };
        let before = self.drafts.range(..number).next_back().map(|(_, draft)| draft.clone());
        let draft = self.drafts.entry(number).or_insert_with(|| before.unwrap_or_else(empty));
        if piece.text == "hospital" {
            self.hospital = true;
            return Ok(());
        }
        if let Some(gone) = piece.text.strip_prefix("without ") {
            draft.lines.remove(&parsed::<LineId>(piece, gone)?);
            return Ok(());
        }
        let Some((name, clauses)) = piece.cut(":") else {
            return Err(piece.fault("a plan line says '<line>: …', 'without <line>' or 'hospital'"));
        };
        let line_id = parsed::<LineId>(name, name.text)?;
        let mut line = new_line(name.text);
        for clause in clauses.split(",") {
            let (change, found) = clause.find(plan_book())?;
            change(&mut line, &found);
        }
        draft.lines.insert(line_id, line);
        Ok(())
    }

    /// Reads a `timers` line.
    pub(crate) fn timers_line(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        let draft = self.drafts.entry(1).or_insert_with(empty);
        for clause in piece.split(",") {
            let (change, found) = clause.find(timer_book())?;
            change(&mut draft.timers, &found);
        }
        Ok(())
    }

    /// Reads a `shift` line.
    pub(crate) fn shift_line(&mut self, piece: Piece<'_>) -> Result<(), Fault> {
        for clause in piece.split(";") {
            self.people.push(person(clause)?);
        }
        Ok(())
    }

    /// The plans by number, checked.
    pub(crate) fn plans(&self) -> Result<BTreeMap<u32, Plan>, String> {
        if self.hospital {
            let parsed = plan::parse("config/hospital.toml", plan::HOSPITAL).map_err(|e| e.to_string())?;
            return Ok([(1, parsed.plan)].into());
        }
        let checked = |(number, draft): (&u32, &PlanDraft)| {
            let plan = Plan::check(self.completed(draft)).map_err(|faults| {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                format!("plan {number}: {}", faults.join("; "))
            })?;
            Ok((*number, plan))
        };
        self.drafts.iter().map(checked).collect()
    }

    /// Whatever a plan names is in it.
    fn completed(&self, draft: &PlanDraft) -> PlanDraft {
        let mut draft = draft.clone();
        let tiers: Vec<Who> = draft.lines.values().flat_map(|l| &l.tiers).map(|t| t.who).collect();
        let of_tiers =
            tiers.iter().filter_map(|who| if let Who::Team(team) = who { Some(*team) } else { None });
        let teams: BTreeSet<_> =
            of_tiers.chain(self.people.iter().flat_map(|p| p.profile.teams.iter().copied())).collect();
        draft.teams = teams.into_iter().map(|team| (team, Team { title: title(&team) })).collect();
        let of_lines = draft.lines.values().flat_map(|l| {
            l.requires
                .iter()
                .copied()
                .chain(l.prefers.iter().map(|p| p.skill))
                .chain(l.skill_keys.values().copied())
        });
        let skills: BTreeSet<_> =
            of_lines.chain(self.people.iter().flat_map(|p| p.profile.skills.iter().copied())).collect();
        draft.skills = skills.into_iter().map(|skill| (skill, title(&skill))).collect();
        for number in ["duty-phone", "reception"] {
            let destination =
                Destination { title: title(&number), number: "02155500190".to_owned(), press_one: true };
            draft.destinations.insert(id(number), destination);
        }
        draft
    }
}

/// Reads one person: a name, then what is known of the person.
pub(crate) fn person(clause: Piece<'_>) -> Result<Person, Fault> {
    let (name, rest) = clause.first_word();
    let profile = Profile {
        teams: BTreeSet::new(),
        home: BTreeSet::new(),
        skills: BTreeSet::new(),
        device: Device::AutoAnswer,
    };
    let mut person = Person { id: parsed(name, name.text)?, profile, on_duty: true, at_desk: true };
    for attribute in rest.split(",") {
        let (change, found) = attribute.find(people_book())?;
        change(&mut person, &found);
    }
    Ok(person)
}

fn empty() -> PlanDraft {
    let prompt = |name: &&str| (id(name), Prompt { says: title(name), length_max: Span::secs(10) });
    let prompts =
        ["welcome", "closed", "full", "closing", "blocked", "staff-menu"].iter().map(prompt).collect();
    PlanDraft {
        time_zone: "Asia/Shanghai".to_owned(),
        prompts,
        timers: Timers::default(),
        ..PlanDraft::default()
    }
}

fn new_line(name: &str) -> Line {
    let prompt = |name: &str| Some(id::<PromptId>(name));
    Line {
        title: title(&name),
        class: if name == "emergency" { Class::Emergency } else { Class::Normal },
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
        tiers: vec![Tier { who: Who::Own, when: vec![] }],
        prompts: LinePrompts {
            greeting: prompt("welcome"),
            closed: prompt("closed"),
            full: prompt("full"),
            closing: prompt("closing"),
            blocked: prompt("blocked"),
            staff_menu: prompt("staff-menu"),
        },
    }
}

fn title(name: &impl ToString) -> Title {
    Title { zh: name.to_string(), en: name.to_string() }
}

fn overflow(line: &mut Line, found: &Found) {
    let ring = found.any("span").and_then(|text| slot::span(text).ok());
    let when = (0..3).filter_map(|n| found.nth("when", n)).filter_map(trigger).collect();
    line.tiers.push(Tier { who: who(found.the("tier"), ring), when });
}

/// A condition as plan lines write it: `when busy`, `after 30s`, `beyond 2 waiting`.
fn trigger(text: &str) -> Option<Trigger> {
    let words: Vec<&str> = words(text).iter().map(|w| w.text).collect();
    match words[..] {
        ["when", "busy"] => Some(Trigger::Busy),
        ["when", "empty"] => Some(Trigger::Empty),
        ["when", "missed", times] => Some(Trigger::Missed(times.parse().ok()?)),
        ["after", time] => Some(Trigger::Wait(slot::span(time).ok()?)),
        ["beyond", depth, "waiting"] => Some(Trigger::Depth(depth.parse().ok()?)),
        _ => None,
    }
}

fn who(tier: &str, ring: Option<Span>) -> Who {
    match tier.split_once(' ') {
        None => Who::Team(id(tier)),
        Some(("own", _)) => Who::Own,
        Some(("other", _)) => Who::OtherLines,
        Some(("line", line)) => Who::Line(id(line)),
        Some(("number", number)) => {
            Who::Outside { destination: id(number), ring: ring.unwrap_or(Span::secs(30)) }
        }
        Some(_) => Who::Closing,
    }
}

fn class(text: &str) -> Class {
    match text {
        "emergency" => Class::Emergency,
        "background" => Class::Background,
        _ => Class::Normal,
    }
}

fn span(found: &Found, name: &str) -> Span {
    slot::span(found.the(name)).expect("the slot took only lengths of time")
}

fn number(found: &Found) -> u32 {
    found.the("number").parse().expect("the slot took only numbers")
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(piece: Piece<'_>, text: &str) -> Result<T, Fault> {
    text.trim().parse().map_err(|error| piece.fault(format!("{error}")))
}

/// An id out of a slot that took only names.
pub(crate) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("the slot took only names")
}

fn plan_book() -> &'static Book<Change<Line>> {
    static BOOK: OnceLock<Vec<(Pattern, Change<Line>)>> = OnceLock::new();
    BOOK.get_or_init(|| book(PLAN_PHRASES))
}

fn timer_book() -> &'static Book<Change<Timers>> {
    static BOOK: OnceLock<Vec<(Pattern, Change<Timers>)>> = OnceLock::new();
    BOOK.get_or_init(|| book(TIMER_PHRASES))
}

fn people_book() -> &'static Book<Change<Person>> {
    static BOOK: OnceLock<Vec<(Pattern, Change<Person>)>> = OnceLock::new();
    BOOK.get_or_init(|| book(PEOPLE_PHRASES))
}
