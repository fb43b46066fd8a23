//! The document itself: TOML to a tree, and the tables at its top.

use std::ops::Range;

use switchboard::id::{DestinationId, LineId, PromptId, SkillId, TeamId};
use switchboard::plan::{Destination, Prompt, Team, Timers, Title};
use switchboard::time::Span;
use toml::Spanned;
use toml::de::DeTable;

use super::line::Shared;
use super::value::{Entry, Table};
use super::{Reading, zone};
use crate::finding::{FINDINGS_MAX, Fault};
use crate::schema;

/// A title for what has none that could be read; never seen, as the plan is refused.
const UNREAD: &str = "?";

const TITLE_EXAMPLE: &str = "{ zh = \"总机\", en = \"Switchboard\" }";

/// How long a recording plays at most when the plan does not say.
const PROMPT_LENGTH_MAX: Span = Span::secs(30);

/// What keeps a text from being a TOML document.
#[derive(Debug, Default)]
pub(crate) struct Syntax {
    /// It cannot be taken apart: nothing else can be said about it.
    pub(crate) broken: Option<Vec<Fault>>,
    /// Keys that stand twice; the rest can be read.
    pub(crate) repeated: Vec<Fault>,
}

const REPEATED: &str = "duplicate key";

/// Parses TOML as far as it goes, and tells what is not TOML.
pub(crate) fn tree(text: &str) -> (Spanned<DeTable<'_>>, Syntax) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let is_broken = errors.iter().any(|error| error.message() != REPEATED);
    let mut told: Vec<(Range<usize>, &str)> = errors
        .iter()
        .filter(|error| !is_broken || error.message() != REPEATED)
        .map(|error| (error.span().unwrap_or(text.len()..text.len()), error.message()))
        .collect();
    told.sort_by_key(|(span, _)| span.start);
    let mut faults: Vec<Fault> = Vec::new();
    let mut line_end = 0;
    for (span, message) in told {
        // After a mistake the rest of its line rarely means what it seems to.
        let is_aftermath = is_broken && !faults.is_empty() && span.start <= line_end;
        if is_aftermath || faults.len() == FINDINGS_MAX {
            continue;
        }
        line_end =
            text[text.floor_char_boundary(span.start)..].find('\n').map_or(text.len(), |at| span.start + at);
        faults.push(syntax(text, span, message));
    }
    let syntax = if is_broken {
        Syntax { broken: Some(faults), repeated: Vec::new() }
    } else {
        Syntax { broken: None, repeated: faults }
    };
    (table, syntax)
}

fn syntax(text: &str, span: Range<usize>, message: &str) -> Fault {
    if message == REPEATED {
        let key = text.get(span.clone()).unwrap_or_default();
        let reason = format!("{} stands twice", crate::source::quoted(key));
        let fault = Fault::new("", span.clone(), reason, "keep one of them, or give the other its own name");
        return match first_of(text, &span) {
            Some(first) => fault.also(first, "first here"),
            None => fault,
        };
    }
    Fault::new("", span.clone(), format!("this is not TOML: {message}"), advice(text, &span, message))
}

/// Where a repeated key or header stood first.
fn first_of(text: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let key = text.get(span.clone())?;
    let line_start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line_start..span.start];
    let is_header = before.trim_start().starts_with('[');
    let inside_line = before.rfind(key).filter(|_| !is_header).map(|at| line_start + at);
    let found = inside_line.or_else(|| {
        let wanted = format!("{}{key}", before.trim_start());
        let mut above = 0;
        let mut found = None;
        for line in text[..line_start].split_inclusive('\n') {
            let indent = line.len() - line.trim_start().len();
            let after = line[indent..].strip_prefix(&wanted);
            if after.is_some_and(|rest| rest.starts_with([' ', '=', ']', '\t', '.'])) {
                found = Some(above + indent + wanted.len() - key.len());
            }
            above += line.len();
        }
        found
    });
    found.map(|at| at..at + key.len())
}

fn advice(text: &str, span: &Range<usize>, message: &str) -> String {
    let line_start = text[..text.floor_char_boundary(span.start)].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].split(['\r', '\n']).next().filter(|line| line.len() <= LINE_BYTES_MAX);
    let line = line.unwrap_or_default();
    if line.contains(['“', '”', '‘', '’', '「', '」']) {
        return "use straight quotes: \" \"".to_owned();
    }
    if line.contains(['＝', '：', '，', '［', '］', '｛', '｝']) {
        return "use the half-width signs = : , [ ] { }".to_owned();
    }
    if message.starts_with("carriage return") {
        return "save the file again with the line ends of Unix or of Windows".to_owned();
    }
    if message.contains("recurs") {
        return "nothing here is ever nested this deep; remove the brackets".to_owned();
    }
    match line.split_once('=') {
        Some((key, value)) if bare(without_remark(value)) && key.len() < 64 => {
            format!("write it in quotes: {} = \"{}\"", key.trim(), without_remark(value))
        }
        Some(_) => "look at the quotes, brackets and commas of this line and of the one above".to_owned(),
        None if line.trim_start().starts_with('[') => "a header is written as [lines.emergency]".to_owned(),
        None => "write name = value, or begin a remark with #".to_owned(),
    }
}

/// Longest line that is looked at for advice.
const LINE_BYTES_MAX: usize = 1_000;

fn without_remark(value: &str) -> &str {
    value.split('#').next().unwrap_or_default().trim()
}

/// Whether a value looks like text that forgot its quotes.
fn bare(value: &str) -> bool {
    !value.is_empty()
        && value.len() < 64
        && value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '+' | ':' | '/' | ' ' | '.'))
}

impl Reading {
    /// Reads the whole document.
    pub(crate) fn of(document: &DeTable<'_>) -> Reading {
        let mut reading = Reading::default();
        let top = reading.top(document, &schema::PLAN);
        reading.time_zone(&top);
        reading.teams(&top);
        reading.skills(&top);
        reading.destinations(&top);
        reading.prompts(&top);
        reading.timers(&top);
        reading.lines(&top);
        reading
    }

    fn time_zone(&mut self, top: &Table<'_>) {
        self.draft.time_zone = "Asia/Shanghai".to_owned();
        let Some(entry) = self.field(top, "time_zone") else { return };
        let Some(text) = self.text(&entry, "\"Asia/Shanghai\"") else { return };
        match zone(text) {
            Ok(zone) => self.draft.time_zone = zone.iana_name().unwrap_or(text).to_owned(),
            Err((reason, mend)) => self.fault(&entry.path, entry.span(), reason, mend),
        }
    }

    fn teams(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "teams") else { return };
        for (key, span, member) in self.members(&entry) {
            let Some(id) = self.id_in::<TeamId>(&member.path, span, key) else { continue };
            let title = match self.table(&member, &schema::TEAM) {
                Some(table) => self.title(&table),
                None => unread(),
            };
            self.draft.teams.insert(id, Team { title });
        }
    }

    fn skills(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "skills") else { return };
        for (key, span, member) in self.members(&entry) {
            let Some(id) = self.id_in::<SkillId>(&member.path, span, key) else { continue };
            let title = self.both_languages(&member);
            self.draft.skills.insert(id, title);
        }
    }

    fn destinations(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "destinations") else { return };
        for (key, span, member) in self.members(&entry) {
            let Some(id) = self.id_in::<DestinationId>(&member.path, span, key) else { continue };
            let Some(table) = self.table(&member, &schema::DESTINATION) else {
                let unread = Destination { title: unread(), number: "0".to_owned(), press_one: true };
                self.draft.destinations.insert(id, unread);
                continue;
            };
            let title = self.title(&table);
            let number = self.required(&table, "number", "\"021-5550-0100\"");
            let number = number.and_then(|e| self.text(&e, "\"021-5550-0100\"")).unwrap_or("0").to_owned();
            let press_one = self.field(&table, "press_one").map(|e| self.flag(&e).unwrap_or(true));
            let press_one = press_one.unwrap_or(false);
            self.draft.destinations.insert(id, Destination { title, number, press_one });
        }
    }

    fn prompts(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "prompts") else { return };
        for (key, span, member) in self.members(&entry) {
            let Some(id) = self.id_in::<PromptId>(&member.path, span, key) else { continue };
            let prompt = match self.table(&member, &schema::PROMPT) {
                Some(table) => {
                    let says = self.required(&table, "says", "{ zh = \"请稍候。\", en = \"Please hold.\" }");
                    let says = says.map_or_else(unread, |e| self.both_languages(&e));
                    let length_max = self.field(&table, "length_max").and_then(|e| self.span(&e));
                    Prompt { says, length_max: length_max.unwrap_or(PROMPT_LENGTH_MAX) }
                }
                None => Prompt { says: unread(), length_max: PROMPT_LENGTH_MAX },
            };
            self.draft.prompts.insert(id, prompt);
        }
    }

    fn timers(&mut self, top: &Table<'_>) {
        let Some(entry) = self.field(top, "timers") else { return };
        let Some(table) = self.table(&entry, &schema::TIMERS) else { return };
        let mut timers = Timers::default();
        let rows: [(&'static str, &mut Span); 10] = [
            ("deliver_by", &mut timers.deliver_by),
            ("connect_by", &mut timers.connect_by),
            ("pick_up_min", &mut timers.pick_up_min),
            ("cool_down", &mut timers.cool_down),
            ("reload", &mut timers.reload),
            ("grace", &mut timers.grace),
            ("redial", &mut timers.redial),
            ("transfer", &mut timers.transfer),
            ("shift_end", &mut timers.shift_end),
            ("block", &mut timers.block),
        ];
        for (name, timer) in rows {
            if let Some(span) = self.field(&table, name).and_then(|e| self.span(&e)) {
                *timer = span;
            }
        }
        if let Some(misses) = self.field(&table, "misses_to_suspend").and_then(|e| self.count(&e, u8::MAX)) {
            timers.misses_to_suspend = misses;
        }
        self.draft.timers = timers;
    }

    fn lines(&mut self, top: &Table<'_>) {
        let shared = match self.field(top, "defaults") {
            Some(entry) => self.defaults(&entry),
            None => Shared::default(),
        };
        let Some(entry) = self.field(top, "lines") else { return };
        for (key, span, member) in self.members(&entry) {
            let Some(id) = self.id_in::<LineId>(&member.path, span, key) else { continue };
            let line = self.line(id, &member, &shared);
            self.draft.lines.insert(id, line);
        }
    }
}

impl<D> Reading<D> {
    /// The `title` of a table.
    pub(crate) fn title(&mut self, table: &Table<'_>) -> Title {
        match self.required(table, "title", TITLE_EXAMPLE) {
            Some(entry) => self.both_languages(&entry),
            None => unread(),
        }
    }

    pub(crate) fn both_languages(&mut self, entry: &Entry<'_>) -> Title {
        let Some(table) = self.table(entry, &schema::TITLE) else { return unread() };
        let zh = self.required(&table, "zh", "\"总机\"").and_then(|e| self.text(&e, "\"总机\""));
        let en =
            self.required(&table, "en", "\"Switchboard\"").and_then(|e| self.text(&e, "\"Switchboard\""));
        Title { zh: zh.unwrap_or(UNREAD).to_owned(), en: en.unwrap_or(UNREAD).to_owned() }
    }
}

pub(super) fn unread() -> Title {
    Title { zh: UNREAD.to_owned(), en: UNREAD.to_owned() }
}
