//! Dead ends. With nobody on duty, a caller of any line, at any minute of the week, must come to an end: an outside
//! number that somebody takes, or a last message. The walk follows the switchboard's rules one by one; what a plan's
//! own names and figures must be is [`switchboard::plan::Plan::check`]'s.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::{CallerKind, Class};
use switchboard::command::Profile;
use switchboard::id::{DestinationId, LineId, OperatorId, SkillId, TeamId};
use switchboard::plan::{HOPS_MAX, Hours, Line, MINUTES_PER_WEEK, Plan, WhenClosed, Who};

use crate::finding::Fault;
use crate::read::{Places, week_time};

/// A caller whom the plan leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEnd {
    /// The line the caller rings.
    pub line: LineId,
    /// When, in minutes from Monday 00:00 of the plan's zone: the first such minute of the week.
    pub minute_of_week: u16,
    /// Who calls.
    pub caller: CallerKind,
    /// What becomes of the caller.
    pub trap: Trap,
}

/// What becomes of a caller in a dead end, with nobody on duty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trap {
    /// Every tier is used up and no closing message ends the call.
    LeftWaiting {
        /// On this line.
        line: LineId,
    },
    /// Closed lines pass the caller on, farther than the switchboard follows.
    PassedOn {
        /// Given up at this line.
        line: LineId,
    },
    /// An emergency caller is let go and no outside number was rung.
    NobodyRung,
}

/// Every line's dead ends, each kind once per line.
pub fn dead_ends(plan: &Plan) -> Vec<DeadEnd> {
    let mut found = Vec::new();
    let minutes = minutes_of_change(plan);
    for id in plan.lines.keys() {
        let mut seen = BTreeSet::new();
        for minute in &minutes {
            for caller in [CallerKind::Public, CallerKind::Staff] {
                let Some(trap) = passage(plan, *id, *minute, caller).trap else { continue };
                if seen.insert(trap.clone()) {
                    found.push(DeadEnd { line: *id, minute_of_week: *minute, caller, trap });
                }
            }
        }
    }
    found
}

/// The minutes at which some line opens or closes: between two of them nothing changes, so they stand for the week.
fn minutes_of_change(plan: &Plan) -> BTreeSet<u16> {
    let mut minutes = BTreeSet::from([0]);
    for line in plan.lines.values() {
        if let Hours::Weekly(windows) = &line.hours {
            minutes.extend(windows.iter().flat_map(|w| [w.from, w.to % MINUTES_PER_WEEK]));
        }
    }
    minutes
}

/// Where one caller comes by, with nobody on duty and no outside number answering.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// The outside numbers that ring, in order.
    pub rung: Vec<DestinationId>,
    /// How it goes wrong, if it does; otherwise the call ends with a message.
    pub trap: Option<Trap>,
}

/// Follows one caller of a line who rings at this minute of the week. A line that the plan does not have leads nowhere
/// and traps nobody.
pub fn passage(plan: &Plan, line: LineId, minute_of_week: u16, caller: CallerKind) -> Passage {
    let mut passage = Passage::default();
    passage.trap = walk(plan, line, minute_of_week, caller, &mut passage.rung);
    let is_emergency = plan.lines.get(&line).is_some_and(|l| l.class == Class::Emergency);
    if passage.trap.is_none() && passage.rung.is_empty() && is_emergency && caller == CallerKind::Public {
        passage.trap = Some(Trap::NobodyRung);
    }
    passage
}

fn walk(
    plan: &Plan,
    start: LineId,
    minute: u16,
    caller: CallerKind,
    rung: &mut Vec<DestinationId>,
) -> Option<Trap> {
    let mut at = start;
    for _ in 0..HOPS_MAX {
        let line = plan.lines.get(&at)?;
        match next(plan, line, minute, caller) {
            Next::Line(to) => at = to,
            Next::Message => return None,
            Next::Ring(destination) => {
                rung.push(destination);
                return None;
            }
            Next::Ladder => return climb(at, line, rung),
        }
    }
    Some(Trap::PassedOn { line: at })
}

enum Next {
    Line(LineId),
    Message,
    Ring(DestinationId),
    Ladder,
}

fn next(plan: &Plan, line: &Line, minute: u16, caller: CallerKind) -> Next {
    if !line.hours.contains(minute) {
        return match line.when_closed {
            WhenClosed::Message => Next::Message,
            WhenClosed::MoveTo(to) => Next::Line(to),
            WhenClosed::Divert(destination) => Next::Ring(destination),
        };
    }
    match line.staff_to {
        Some(to)
            if caller == CallerKind::Staff
                && plan.lines.get(&to).is_some_and(|l| l.hours.contains(minute)) =>
        {
            Next::Line(to)
        }
        _ => Next::Ladder,
    }
}

/// Nobody is on duty, so `Empty` opens tier after tier at once.
fn climb(id: LineId, line: &Line, rung: &mut Vec<DestinationId>) -> Option<Trap> {
    for tier in &line.tiers {
        match tier.who {
            Who::Own | Who::Team(_) | Who::Line(_) | Who::OtherLines => {}
            Who::Outside { destination, .. } => rung.push(destination),
            Who::Closing => return None,
        }
    }
    Some(Trap::LeftWaiting { line: id })
}

/// Who could ever be asked: everybody who answers. People are not in the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staff {
    people: BTreeMap<OperatorId, Person>,
}

/// What decides whether somebody could be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Person {
    teams: BTreeSet<TeamId>,
    home: BTreeSet<LineId>,
    skills: BTreeSet<SkillId>,
}

impl Staff {
    /// The staff of these people.
    pub fn of<'p>(people: impl IntoIterator<Item = (OperatorId, &'p Profile)>) -> Staff {
        let person =
            |p: &Profile| Person { teams: p.teams.clone(), home: p.home.clone(), skills: p.skills.clone() };
        Staff { people: people.into_iter().map(|(id, profile)| (id, person(profile))).collect() }
    }

    /// Who is in this team.
    pub fn in_team(&self, team: TeamId) -> impl Iterator<Item = OperatorId> {
        self.people.iter().filter(move |(_, person)| person.teams.contains(&team)).map(|(id, _)| *id)
    }

    /// Who may answer calls of a line at all: in any of its tiers of people, with every skill it requires.
    pub fn answerers(&self, id: LineId, line: &Line) -> BTreeSet<OperatorId> {
        let tiers = || line.tiers.iter().filter(|tier| tier.who.is_people());
        let may = |person: &Person| {
            line.requires.is_subset(&person.skills) && tiers().any(|tier| person.is_in(id, &tier.who))
        };
        self.people.iter().filter(|(_, person)| may(person)).map(|(id, _)| *id).collect()
    }

    fn has(&self, line: LineId, who: &Who) -> bool {
        self.people.values().any(|person| person.is_in(line, who))
    }
}

impl Person {
    fn is_in(&self, line: LineId, who: &Who) -> bool {
        match who {
            Who::Own => self.home.contains(&line),
            Who::Team(team) => self.teams.contains(team),
            Who::Line(other) => self.home.contains(other),
            Who::OtherLines => !self.home.is_empty() && !self.home.contains(&line),
            Who::Outside { .. } | Who::Closing => true,
        }
    }
}

/// Tiers for which the staff has nobody at all: line and number of the tier, from 0.
pub fn empty_tiers(plan: &Plan, staff: &Staff) -> Vec<(LineId, usize)> {
    let tiers = plan.lines.iter().flat_map(|(id, line)| line.tiers.iter().enumerate().map(move |t| (*id, t)));
    tiers
        .filter(|(line, (_, tier))| tier.who.is_people() && !staff.has(*line, &tier.who))
        .map(|(line, (n, _))| (line, n))
        .collect()
}

/// Dead ends in the words of the text.
pub(crate) fn told(plan: &Plan, places: &Places) -> Vec<Fault> {
    let mut faults: Vec<Fault> = dead_ends(plan).iter().map(|end| tell(plan, places, end)).collect();
    faults.extend(lonely(plan, places));
    faults.extend(restless(plan, places));
    faults
}

/// Most openings of all lines in a week: two weeks of edges, and as much again for shifts, stay well inside what a
/// site takes at once.
const OPENINGS_MAX: usize = 10_000;

fn restless(plan: &Plan, places: &Places) -> Option<Fault> {
    let openings = |line: &Line| match &line.hours {
        Hours::Always => 0,
        Hours::Weekly(windows) => windows.len(),
    };
    let total: usize = plan.lines.values().map(openings).sum();
    let (busiest, _) = plan.lines.iter().max_by_key(|(_, line)| openings(line))?;
    let path = format!("lines.{busiest}.hours");
    let reason = format!("all lines together open {total} times a week; {OPENINGS_MAX} are the most");
    let fault = || Fault::new(&path, places.of(&path), reason, "write fewer windows, here to begin with");
    (total > OPENINGS_MAX).then(fault)
}

fn tell(plan: &Plan, places: &Places, end: &DeadEnd) -> Fault {
    let caller = match end.caller {
        CallerKind::Public => "a caller",
        CallerKind::Staff => "a staff caller",
    };
    let scene = format!("with nobody on duty, {caller} of line '{}'", end.line);
    let when = week_time(end.minute_of_week);
    match &end.trap {
        Trap::LeftWaiting { line } => {
            let last = plan.lines[line].tiers.len().saturating_sub(1);
            let path = format!("lines.{line}.tiers.{last}");
            let reason =
                format!("{scene} is left waiting for ever: the ladder has no closing message at its end");
            let mend = "add { who = \"closing\", when = [\"empty\", \"wait 15m\"] } as the last tier";
            Fault::new(&path, places.of(&path), reason, mend)
        }
        Trap::PassedOn { line } => {
            let path = format!("lines.{line}.when_closed");
            let reason = format!("{scene} is passed on by more than {HOPS_MAX} closed lines on {when}");
            Fault::new(&path, places.of(&path), reason, "let one of these lines end with \"message\"")
        }
        Trap::NobodyRung => {
            let line = &plan.lines[&end.line];
            let open = line.hours.contains(end.minute_of_week);
            let last = line.tiers.len().saturating_sub(1);
            let (path, mend) = if open {
                let mend =
                    "add { who = \"outside:<destination>\", when = \"wait 90s\" } before the closing message";
                (format!("lines.{}.tiers.{last}", end.line), mend)
            } else {
                let mend = "write when_closed = \"outside:<destination>\", or hours = \"always\"";
                (format!("lines.{}.when_closed", end.line), mend)
            };
            let reason =
                format!("{scene} (an emergency) reaches nobody on {when}: no outside number is rung");
            Fault::new(&path, places.of(&path), reason, mend)
        }
    }
}

/// `other-lines` in a plan that has no other line.
fn lonely(plan: &Plan, places: &Places) -> Vec<Fault> {
    if plan.lines.len() > 1 {
        return Vec::new();
    }
    let tiers = plan.lines.iter().flat_map(|(id, line)| line.tiers.iter().enumerate().map(move |t| (id, t)));
    tiers
        .filter(|(_, (_, tier))| tier.who == Who::OtherLines)
        .map(|(id, (n, _))| {
            let path = format!("lines.{id}.tiers.{n}.who");
            let mend = "remove this tier, or add another line";
            Fault::new(&path, places.of(&path), "a tier without people: this plan has no other line", mend)
        })
        .collect()
}

/// Tiers without people in the words of the text.
pub(crate) fn told_empty(plan: &Plan, places: &Places, staff: &Staff) -> Vec<Fault> {
    let tell = |(line, n): (LineId, usize)| {
        let path = format!("lines.{line}.tiers.{n}.who");
        let (whom, mend) = match plan.lines[&line].tiers[n].who {
            Who::Own => (
                format!("nobody has '{line}' as a home line"),
                "give somebody this home line, or begin the ladder with a team".to_owned(),
            ),
            Who::Team(team) => (
                format!("nobody is in team '{team}'"),
                "put somebody in the team, or remove the tier".to_owned(),
            ),
            Who::Line(other) => (
                format!("nobody has '{other}' as a home line"),
                "give somebody that home line, or remove the tier".to_owned(),
            ),
            Who::OtherLines | Who::Outside { .. } | Who::Closing => {
                ("nobody has another line as a home line".to_owned(), "remove this tier".to_owned())
            }
        };
        Fault::new(&path, places.of(&path), format!("a tier without people on line '{line}': {whom}"), mend)
    };
    empty_tiers(plan, staff).into_iter().map(tell).collect()
}
