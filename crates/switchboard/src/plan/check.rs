//! What makes a draft a plan: every name resolves, every figure is within its limit, every number that may be
//! rung asks for key 1, and no line sends its callers in a circle. Dead ends by hour are the linter's
//! (crate `plan`), because they need the calendar.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{
    BOOST_MAX, Hours, LINES_MAX, Line, MINUTES_PER_WEEK, PlanDraft, SKILLS_MAX, TIERS_MAX, TITLE_CHARS_MAX,
    Title, Trigger, WRAP_UP_MAX, WhenClosed, Who,
};
use crate::call::Class;
use crate::id::{DestinationId, LineId, PromptId, SkillId};
use crate::time::Span;

/// One thing wrong with a draft, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFault {
    /// Where: field names and ids from the top, as `lines.emergency.tiers.2.who`.
    pub path: Vec<String>,
    /// What.
    pub problem: PlanProblem,
}

/// What can be wrong with a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanProblem {
    /// There is nothing to answer: no line.
    NoLines,
    /// More than the limit.
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A name that nothing in the plan carries.
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A figure outside its limits.
    OutOfRange {
        /// The least allowed, as people write it.
        min: String,
        /// The most allowed, as people write it.
        max: String,
    },
    /// A line without tiers, or whose first tier is no one's.
    NoTiers,
    /// A tier after the first that nothing opens.
    NeverOpens,
    /// The closing message is not the last tier.
    AfterClosing,
    /// A tier names its own line where another is meant.
    OwnLine,
    /// The same tier twice.
    Repeated,
    /// A prompt the line can come to need is not given.
    PromptMissing,
    /// An outside number that does not ask for key 1.
    WithoutPressOne,
    /// A number that no telephone can dial.
    BadNumber,
    /// Windows that overlap, are empty, out of order, or outside the week.
    BadHours,
    /// A line that closed or moved callers come back to.
    Circle,
    /// A number published for two lines.
    NumberTaken {
        /// The line that has it.
        by: LineId,
    },
    /// An emergency line may not refuse callers.
    EmergencyRefuses,
    /// Text that a terminal or a browser could be fooled by: controls or bidirectional overrides, or nothing.
    BadText,
    /// A key no telephone has.
    BadKey,
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanProblem::NoLines => f.write_str("the plan has no line"),
            PlanProblem::TooMany { what, max } => write!(f, "more than {max} {what}"),
            PlanProblem::Unknown { what, name } => write!(f, "there is no {what} '{name}' in this plan"),
            PlanProblem::OutOfRange { min, max } => write!(f, "must be from {min} to {max}"),
            PlanProblem::NoTiers => f.write_str("a line needs at least one tier, and people in its first"),
            PlanProblem::NeverOpens => f.write_str("nothing ever opens this tier"),
            PlanProblem::AfterClosing => f.write_str("no tier can come after the closing message"),
            PlanProblem::OwnLine => f.write_str("this names the line itself"),
            PlanProblem::Repeated => f.write_str("this stands twice"),
            PlanProblem::PromptMissing => {
                f.write_str("the line can come to need this recording, and it has none")
            }
            PlanProblem::WithoutPressOne => {
                f.write_str("a number that callers are put through to must ask for key 1")
            }
            PlanProblem::BadNumber => f.write_str("not a number a telephone can dial"),
            PlanProblem::BadHours => f.write_str("windows must be in order, not empty and not overlapping"),
            PlanProblem::Circle => f.write_str("callers sent on from here come back here"),
            PlanProblem::NumberTaken { by } => write!(f, "this number is published for line '{by}' already"),
            PlanProblem::EmergencyRefuses => f.write_str("an emergency line refuses nobody"),
            PlanProblem::BadText => {
                write!(
                    f,
                    "a text of 1 to {TITLE_CHARS_MAX} characters without control or direction characters"
                )
            }
            PlanProblem::BadKey => f.write_str("not a key of a telephone (0-9, * or #)"),
        }
    }
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.join("."), self.problem)
    }
}

impl core::error::Error for PlanFault {}

/// Collects faults under a path.
struct Checker<'a> {
    draft: &'a PlanDraft,
    path: Vec<String>,
    faults: Vec<PlanFault>,
}

pub(super) fn faults(draft: &PlanDraft) -> Vec<PlanFault> {
    let mut checker = Checker { draft, path: Vec::new(), faults: Vec::new() };
    checker.plan();
    checker.faults
}

impl Checker<'_> {
    fn fault(&mut self, problem: PlanProblem) {
        self.faults.push(PlanFault { path: self.path.clone(), problem });
    }

    fn at(&mut self, step: impl ToString, look: impl FnOnce(&mut Self)) {
        self.path.push(step.to_string());
        look(self);
        self.path.pop();
    }

    fn plan(&mut self) {
        let draft = self.draft;
        if draft.lines.is_empty() {
            self.fault(PlanProblem::NoLines);
        }
        self.limit("lines", draft.lines.len(), LINES_MAX);
        self.limit("skills", draft.skills.len(), SKILLS_MAX);
        for (id, team) in &draft.teams {
            self.under("teams", id, |c| c.title(&team.title));
        }
        for (id, title) in &draft.skills {
            self.under("skills", id, |c| c.title(title));
        }
        for (id, destination) in &draft.destinations {
            self.under("destinations", id, |c| {
                c.title(&destination.title);
                if !dialable(&destination.number) {
                    c.at("number", |c| c.fault(PlanProblem::BadNumber));
                }
            });
        }
        for (id, prompt) in &draft.prompts {
            self.under("prompts", id, |c| {
                c.at("says", |c| c.title(&prompt.says));
                c.at("length_max", |c| c.span(prompt.length_max, Span::secs(1), Span::secs(300)));
            });
        }
        self.at("timers", Self::timers);
        let mut published = alloc::collections::BTreeMap::new();
        for (id, line) in &draft.lines {
            self.under("lines", id, |c| {
                c.line(*id, line);
                for (n, number) in line.numbers.iter().enumerate() {
                    if let Some(by) = published.insert(*number, *id) {
                        c.at("numbers", |c| c.at(n, |c| c.fault(PlanProblem::NumberTaken { by })));
                    }
                }
            });
        }
    }

    fn under(&mut self, section: &str, id: impl ToString, look: impl FnOnce(&mut Self)) {
        self.at(section, |c| c.at(id, look));
    }

    fn limit(&mut self, what: &'static str, count: usize, max: usize) {
        if count > max {
            self.at(what, |c| c.fault(PlanProblem::TooMany { what, max }));
        }
    }

    fn title(&mut self, title: &Title) {
        for (lang, text) in [("zh", &title.zh), ("en", &title.en)] {
            if !readable(text) {
                self.at(lang, |c| c.fault(PlanProblem::BadText));
            }
        }
    }

    fn span(&mut self, span: Span, min: Span, max: Span) {
        if span < min || span > max {
            let (min, max) = (written(min), written(max));
            self.fault(PlanProblem::OutOfRange { min, max });
        }
    }

    fn timers(&mut self) {
        let t = self.draft.timers;
        let minute = Span::secs(60);
        let day = Span::secs(86_400);
        let rows = [
            ("deliver_by", t.deliver_by, Span::millis(500), minute),
            ("connect_by", t.connect_by, Span::secs(1), minute),
            ("pick_up_min", t.pick_up_min, Span::secs(1), minute),
            ("cool_down", t.cool_down, Span::ZERO, Span::secs(600)),
            ("reload", t.reload, Span::ZERO, Span::secs(30)),
            ("grace", t.grace, Span::secs(1), Span::secs(600)),
            ("redial", t.redial, Span::ZERO, Span::secs(3_600)),
            ("transfer", t.transfer, Span::secs(5), Span::secs(120)),
            ("shift_end", t.shift_end, Span::ZERO, Span::secs(1_800)),
            ("block", t.block, minute, Span::secs(30 * 86_400).max(day)),
        ];
        for (name, span, min, max) in rows {
            self.at(name, |c| c.span(span, min, max));
        }
        if !(1..=10).contains(&t.misses_to_suspend) {
            self.at("misses_to_suspend", |c| {
                c.fault(PlanProblem::OutOfRange { min: "1".into(), max: "10".into() });
            });
        }
    }

    fn line(&mut self, id: LineId, line: &Line) {
        self.at("title", |c| c.title(&line.title));
        for (n, number) in line.numbers.iter().enumerate() {
            self.at("numbers", |c| {
                c.at(n, |c| {
                    c.known_destination(*number);
                })
            });
        }
        self.at("hours", |c| c.hours(&line.hours));
        self.at("boost", |c| c.span(line.boost, Span::ZERO, BOOST_MAX));
        self.at("ring", |c| c.span(line.ring, Span::secs(3), Span::secs(60)));
        self.at("wrap_up", |c| c.span(line.wrap_up, Span::ZERO, WRAP_UP_MAX));
        if !(1..=5).contains(&line.ring_at_once) {
            self.at("ring_at_once", |c| {
                c.fault(PlanProblem::OutOfRange { min: "1".into(), max: "5".into() })
            });
        }
        if line.class == Class::Emergency && line.max_waiting.is_some() {
            self.at("max_waiting", |c| c.fault(PlanProblem::EmergencyRefuses));
        }
        if line.max_waiting == Some(0) {
            self.at("max_waiting", |c| {
                c.fault(PlanProblem::OutOfRange { min: "1".into(), max: u32::MAX.to_string() });
            });
        }
        for skill in &line.requires {
            self.at("requires", |c| c.skill(*skill));
        }
        for (n, preference) in line.prefers.iter().enumerate() {
            self.at("prefers", |c| {
                c.at(n, |c| {
                    c.skill(preference.skill);
                    c.at("hold", |c| c.span(preference.hold, Span::ZERO, Span::secs(600)));
                });
            });
        }
        for (key, skill) in &line.skill_keys {
            self.at("skill_keys", |c| {
                c.at(key, |c| {
                    if !matches!(key, '0'..='9' | '*' | '#') {
                        c.fault(PlanProblem::BadKey);
                    }
                    c.skill(*skill);
                });
            });
        }
        self.moves(id, line);
        self.tiers(id, line);
        self.prompts(line);
    }

    fn moves(&mut self, id: LineId, line: &Line) {
        if let Some(to) = line.staff_to {
            self.at("staff_to", |c| {
                c.other_line(id, to);
                if c.draft.lines.get(&to).is_some_and(|l| l.staff_to.is_some()) {
                    c.fault(PlanProblem::Circle);
                }
            });
        }
        self.at("when_closed", |c| match line.when_closed {
            WhenClosed::Message => {}
            WhenClosed::Divert(to) => c.rung(to),
            WhenClosed::MoveTo(to) => {
                c.other_line(id, to);
                if c.closed_circle(id) {
                    c.fault(PlanProblem::Circle);
                }
            }
        });
    }

    fn closed_circle(&self, start: LineId) -> bool {
        let mut seen = BTreeSet::new();
        let mut at = start;
        while let Some(WhenClosed::MoveTo(to)) = self.draft.lines.get(&at).map(|l| l.when_closed) {
            if !seen.insert(at) {
                return true;
            }
            at = to;
        }
        false
    }

    fn tiers(&mut self, id: LineId, line: &Line) {
        self.limit("tiers", line.tiers.len(), TIERS_MAX);
        self.at("tiers", |c| {
            if !line.tiers.first().is_some_and(|t| t.who.is_people()) {
                c.fault(PlanProblem::NoTiers);
            }
            for (n, tier) in line.tiers.iter().enumerate() {
                c.at(n, |c| {
                    c.at("who", |c| c.who(id, &tier.who));
                    if n > 0 && tier.when.is_empty() {
                        c.at("when", |c| c.fault(PlanProblem::NeverOpens));
                    }
                    for (k, trigger) in tier.when.iter().enumerate() {
                        c.at("when", |c| c.at(k, |c| c.trigger(trigger)));
                    }
                    if line.tiers[..n].iter().any(|t| t.who == tier.who) {
                        c.fault(PlanProblem::Repeated);
                    }
                    if line.tiers[..n].iter().any(|t| t.who == Who::Closing) {
                        c.fault(PlanProblem::AfterClosing);
                    }
                });
            }
        });
    }

    fn who(&mut self, id: LineId, who: &Who) {
        match who {
            Who::Own | Who::OtherLines | Who::Closing => {}
            Who::Team(team) => {
                if !self.draft.teams.contains_key(team) {
                    self.fault(PlanProblem::Unknown { what: "team", name: team.to_string() });
                }
            }
            Who::Line(line) => self.other_line(id, *line),
            Who::Outside { destination, ring } => {
                self.rung(*destination);
                self.at("ring", |c| c.span(*ring, Span::secs(5), Span::secs(120)));
            }
        }
    }

    fn trigger(&mut self, trigger: &Trigger) {
        match trigger {
            Trigger::Busy | Trigger::Empty | Trigger::Depth(_) => {}
            Trigger::Wait(span) => self.span(*span, Span::secs(1), Span::secs(3_600)),
            Trigger::Missed(count) => {
                if !(1..=20).contains(count) {
                    self.fault(PlanProblem::OutOfRange { min: "1".into(), max: "20".into() });
                }
            }
        }
    }

    fn prompts(&mut self, line: &Line) {
        let p = line.prompts;
        let closes = line.tiers.iter().any(|t| t.who == Who::Closing);
        let hours_end = line.hours != Hours::Always;
        let rows: [(&str, Option<PromptId>, bool); 6] = [
            ("greeting", p.greeting, false),
            ("closed", p.closed, hours_end),
            ("full", p.full, line.max_waiting.is_some()),
            ("closing", p.closing, closes),
            ("blocked", p.blocked, false),
            ("staff_menu", p.staff_menu, line.staff_to.is_some()),
        ];
        self.at("prompts", |c| {
            for (name, prompt, needed) in rows {
                c.at(name, |c| match prompt {
                    Some(id) if !c.draft.prompts.contains_key(&id) => {
                        c.fault(PlanProblem::Unknown { what: "prompt", name: id.to_string() });
                    }
                    None if needed => c.fault(PlanProblem::PromptMissing),
                    _ => {}
                });
            }
        });
    }

    fn hours(&mut self, hours: &Hours) {
        let Hours::Weekly(windows) = hours else { return };
        let mut last = 0;
        for (n, w) in windows.iter().enumerate() {
            if w.from >= w.to || w.to > MINUTES_PER_WEEK || (n > 0 && w.from < last) {
                self.at(n, |c| c.fault(PlanProblem::BadHours));
            }
            last = w.to;
        }
    }

    fn other_line(&mut self, own: LineId, other: LineId) {
        if other == own {
            self.fault(PlanProblem::OwnLine);
        } else if !self.draft.lines.contains_key(&other) {
            self.fault(PlanProblem::Unknown { what: "line", name: other.to_string() });
        }
    }

    fn skill(&mut self, skill: SkillId) {
        if !self.draft.skills.contains_key(&skill) {
            self.fault(PlanProblem::Unknown { what: "skill", name: skill.to_string() });
        }
    }

    fn known_destination(&mut self, id: DestinationId) -> bool {
        let known = self.draft.destinations.contains_key(&id);
        if !known {
            self.fault(PlanProblem::Unknown { what: "destination", name: id.to_string() });
        }
        known
    }

    fn rung(&mut self, id: DestinationId) {
        if self.known_destination(id) && !self.draft.destinations[&id].press_one {
            self.fault(PlanProblem::WithoutPressOne);
        }
    }
}

fn written(span: Span) -> String {
    if span.0.is_multiple_of(1_000_000) {
        format!("{}s", span.as_secs())
    } else {
        format!("{}ms", span.0 / 1_000)
    }
}

fn dialable(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    number.len() <= 64
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

fn readable(text: &str) -> bool {
    let direction = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    !text.trim().is_empty()
        && text.chars().count() <= TITLE_CHARS_MAX
        && !text
            .chars()
            .any(|c| c.is_control() || direction(c) || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'))
}
