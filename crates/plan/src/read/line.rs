//! A line, and what lines share by `[defaults]`.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::Class;
use switchboard::id::{DestinationId, LineId, PromptId, SkillId};
use switchboard::plan::{Hours, Line, LinePrompts, Preference, Tier, WhenClosed, Who};
use switchboard::time::Span;

use super::Reading;
use super::document::unread;
use super::value::{Entry, Table, join};
use crate::schema;
use crate::source::{nearest, quoted};

/// What a line may take from `[defaults]`.
#[derive(Debug, Default)]
pub(super) struct Shared {
    hours: Option<Hours>,
    when_closed: Option<WhenClosed>,
    boost: Option<Span>,
    ring: Option<Span>,
    ring_at_once: Option<u8>,
    wrap_up: Option<Span>,
    guard: Option<u32>,
    resume_redial: Option<bool>,
    tiers: Option<Vec<Tier>>,
    prompts: LinePrompts,
}

const RING: Span = Span::secs(15);
const RING_EMERGENCY: Span = Span::secs(10);
const WRAP_UP: Span = Span::secs(20);

const CLASSES: [(&str, Class); 3] =
    [("emergency", Class::Emergency), ("normal", Class::Normal), ("background", Class::Background)];

impl Reading {
    pub(super) fn defaults(&mut self, entry: &Entry<'_>) -> Shared {
        match self.table(entry, &schema::DEFAULTS) {
            Some(table) => self.shared(&table),
            None => Shared::default(),
        }
    }

    fn shared(&mut self, table: &Table<'_>) -> Shared {
        Shared {
            hours: self.field(table, "hours").and_then(|e| self.hours(&e)),
            when_closed: self.field(table, "when_closed").and_then(|e| self.when_closed(&e)),
            boost: self.field(table, "boost").and_then(|e| self.span(&e)),
            ring: self.field(table, "ring").and_then(|e| self.span(&e)),
            ring_at_once: self.field(table, "ring_at_once").and_then(|e| self.count(&e, u8::MAX)),
            wrap_up: self.field(table, "wrap_up").and_then(|e| self.span(&e)),
            guard: self.field(table, "guard").and_then(|e| self.count(&e, u32::MAX)),
            resume_redial: self.field(table, "resume_redial").and_then(|e| self.flag(&e)),
            tiers: self.field(table, "tiers").map(|e| self.tiers(&e)),
            prompts: self.line_prompts(table),
        }
    }

    pub(super) fn line(&mut self, id: LineId, entry: &Entry<'_>, shared: &Shared) -> Line {
        let Some(table) = self.table(entry, &schema::LINE) else { return unread_line() };
        let title = self.title(&table);
        let class = self.field(&table, "class").and_then(|e| self.class(&e)).unwrap_or_default();
        let own = self.shared(&table);
        let path = entry.path.as_str();
        let tiers = self.taken(path, "tiers", own.tiers, &shared.tiers);
        let ring_default = if class == Class::Emergency { RING_EMERGENCY } else { RING };
        Line {
            title,
            class,
            numbers: self.field(&table, "numbers").map(|e| self.numbers(&e)).unwrap_or_default(),
            hours: self.taken(path, "hours", own.hours, &shared.hours).unwrap_or_default(),
            when_closed: self
                .taken(path, "when_closed", own.when_closed, &shared.when_closed)
                .unwrap_or(WhenClosed::Message),
            boost: self.taken(path, "boost", own.boost, &shared.boost).unwrap_or(Span::ZERO),
            ring: self.taken(path, "ring", own.ring, &shared.ring).unwrap_or(ring_default),
            ring_at_once: self
                .taken(path, "ring_at_once", own.ring_at_once, &shared.ring_at_once)
                .unwrap_or(1),
            wrap_up: self.taken(path, "wrap_up", own.wrap_up, &shared.wrap_up).unwrap_or(WRAP_UP),
            max_waiting: self.field(&table, "max_waiting").and_then(|e| self.count(&e, u32::MAX)),
            guard: self.taken(path, "guard", own.guard, &shared.guard).unwrap_or(1),
            resume_redial: self
                .taken(path, "resume_redial", own.resume_redial, &shared.resume_redial)
                .unwrap_or(true),
            requires: self.field(&table, "requires").map(|e| self.requires(&e)).unwrap_or_default(),
            prefers: self.field(&table, "prefers").map(|e| self.prefers(&e)).unwrap_or_default(),
            skill_keys: self.field(&table, "skill_keys").map(|e| self.skill_keys(&e)).unwrap_or_default(),
            staff_to: self.field(&table, "staff_to").and_then(|e| self.id(&e, "\"staff\"")),
            tiers: tiers.unwrap_or_else(|| self.no_tiers(id, path)),
            prompts: self.prompts_taken(path, own.prompts, shared.prompts),
        }
    }

    /// What the line says itself, else what the defaults say, with its place.
    fn taken<T: Clone>(&mut self, line: &str, field: &str, own: Option<T>, shared: &Option<T>) -> Option<T> {
        let path = join(line, field);
        if self.places.exactly(&path).is_some() {
            return own;
        }
        self.places.inherit(&join("defaults", field), &path);
        shared.clone()
    }

    fn no_tiers(&mut self, id: LineId, line: &str) -> Vec<Tier> {
        let path = join(line, "tiers");
        if !self.places.is_broken(&path) {
            let span = self.places.of(line);
            let reason = format!("nobody answers line '{id}': it has no tiers, and [defaults] has none");
            self.fault(
                &path,
                span,
                reason,
                "write the ladder of every line once, as tiers = [ … ] under [defaults]",
            );
        }
        Vec::new()
    }

    fn prompts_taken(&mut self, line: &str, own: LinePrompts, shared: LinePrompts) -> LinePrompts {
        let mut take = |field: &str, own, shared: Option<PromptId>| {
            self.taken(line, &join("prompts", field), own, &shared)
        };
        LinePrompts {
            greeting: take("greeting", own.greeting, shared.greeting),
            closed: take("closed", own.closed, shared.closed),
            full: take("full", own.full, shared.full),
            closing: take("closing", own.closing, shared.closing),
            blocked: take("blocked", own.blocked, shared.blocked),
            staff_menu: take("staff_menu", own.staff_menu, shared.staff_menu),
        }
    }

    fn line_prompts(&mut self, table: &Table<'_>) -> LinePrompts {
        let Some(entry) = self.field(table, "prompts") else { return LinePrompts::default() };
        let Some(table) = self.table(&entry, &schema::LINE_PROMPTS) else { return LinePrompts::default() };
        let mut id = |name| self.field(&table, name).and_then(|e| self.id(&e, "\"closed\""));
        LinePrompts {
            greeting: id("greeting"),
            closed: id("closed"),
            full: id("full"),
            closing: id("closing"),
            blocked: id("blocked"),
            staff_menu: id("staff_menu"),
        }
    }

    fn class(&mut self, entry: &Entry<'_>) -> Option<Class> {
        let text = self.text(entry, "\"normal\"")?;
        let class = CLASSES.iter().find(|(name, _)| *name == text).map(|(_, class)| *class);
        if class.is_none() {
            let meant = nearest(text, CLASSES.iter().map(|(name, _)| *name));
            let mend = meant.map_or("classes are emergency, normal and background".to_owned(), |name| {
                format!("did you mean '{name}'?")
            });
            self.fault(&entry.path, entry.span(), format!("there is no class {}", quoted(text)), mend);
        }
        class
    }

    fn when_closed(&mut self, entry: &Entry<'_>) -> Option<WhenClosed> {
        let text = self.text(entry, "\"message\"")?;
        let span = entry.span();
        match text.split_once(':') {
            None if text == "message" => Some(WhenClosed::Message),
            Some(("line", id)) => self.id_in(&entry.path, span, id.trim()).map(WhenClosed::MoveTo),
            Some(("outside", id)) => self.id_in(&entry.path, span, id.trim()).map(WhenClosed::Divert),
            _ => {
                let reason = format!("{} does not say what a caller meets on the closed line", quoted(text));
                let mend = "write \"message\", \"line:<line>\" or \"outside:<destination>\"";
                self.fault(&entry.path, span, reason, mend);
                None
            }
        }
    }

    fn numbers(&mut self, entry: &Entry<'_>) -> Vec<DestinationId> {
        let items = self.list(entry, "[\"main-number\"]");
        items
            .iter()
            .enumerate()
            .map(|(n, item)| self.id(item, "\"main-number\"").unwrap_or_else(|| placeholder(n)))
            .collect()
    }

    fn requires(&mut self, entry: &Entry<'_>) -> BTreeSet<SkillId> {
        let mut skills = BTreeSet::new();
        for item in self.list(entry, "[\"mandarin\"]") {
            let Some(skill) = self.id::<SkillId>(&item, "\"mandarin\"") else { continue };
            self.places.put(&join(&entry.path, skill.as_str()), item.span());
            if !skills.insert(skill) {
                let reason = format!("'{skill}' stands twice");
                self.fault(&item.path, item.span(), reason, "name each skill once");
            }
        }
        skills
    }

    fn prefers(&mut self, entry: &Entry<'_>) -> Vec<Preference> {
        const EXAMPLE: &str = "\"mandarin\"";
        let mut preferences: Vec<Preference> = Vec::new();
        for (n, item) in self.list(entry, "[{ skill = \"mandarin\", hold = \"15s\" }]").iter().enumerate() {
            let mut preference = Preference { skill: placeholder(n), hold: Span::ZERO };
            if let Some(table) = self.table(item, &schema::PREFERENCE) {
                let skill = self.required(&table, "skill", EXAMPLE).and_then(|e| self.id(&e, EXAMPLE));
                let hold = self.field(&table, "hold").and_then(|e| self.span(&e));
                match skill {
                    Some(skill) => preference.skill = skill,
                    None => self.places.mark_broken(&item.path),
                }
                preference.hold = hold.unwrap_or(Span::ZERO);
            }
            if preferences.iter().any(|p| p.skill == preference.skill) {
                let reason = format!("'{}' stands twice", preference.skill);
                self.fault(&item.path, item.span(), reason, "prefer each skill once");
            }
            preferences.push(preference);
        }
        preferences
    }

    fn skill_keys(&mut self, entry: &Entry<'_>) -> BTreeMap<char, SkillId> {
        let mut keys = BTreeMap::new();
        for (key, span, item) in self.members(entry) {
            let mut chars = key.chars();
            let (Some(digit), None) = (chars.next(), chars.next()) else {
                let reason = format!("{} is not one key of a telephone", quoted(key));
                self.fault(&item.path, span, reason, "use one of 0 to 9, \"*\" or \"#\"");
                continue;
            };
            self.places.put(&join(&item.path, "value"), item.span());
            if let Some(skill) = self.id(&item, "\"mandarin\"") {
                keys.insert(digit, skill);
            }
        }
        keys
    }
}

/// A name for an element that could not be read; what is said about it is dropped.
pub(crate) fn placeholder<I: std::str::FromStr<Err = switchboard::id::NameFault>>(n: usize) -> I {
    format!("unread-{n}").parse().expect("small letters, a dash and digits are a name")
}

fn unread_line() -> Line {
    Line {
        title: unread(),
        class: Class::Normal,
        numbers: Vec::new(),
        hours: Hours::Always,
        when_closed: WhenClosed::Message,
        boost: Span::ZERO,
        ring: RING,
        ring_at_once: 1,
        wrap_up: WRAP_UP,
        max_waiting: None,
        guard: 1,
        resume_redial: true,
        requires: BTreeSet::new(),
        prefers: Vec::new(),
        skill_keys: BTreeMap::new(),
        staff_to: None,
        tiers: vec![Tier { who: Who::Own, when: Vec::new() }],
        prompts: LinePrompts::default(),
    }
}
