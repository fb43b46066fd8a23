//! Taking one value of an expected kind out of the tree.

use std::ops::Range;
use std::str::FromStr;

use switchboard::id::NameFault;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Reading;
use crate::finding::Fault;
use crate::schema::Section;
use crate::source::{nearest, quoted};

/// Most entries of a table or a list: a file has a few dozen of anything, and what is read stays bounded.
const MEMBERS_MAX: usize = 1_000;

/// Whoever has a text for a later one is told that this is not it.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// A value and the path it stands under.
pub(crate) struct Entry<'t> {
    pub(crate) path: String,
    pub(crate) value: &'t Spanned<DeValue<'t>>,
}

impl Entry<'_> {
    pub(crate) fn span(&self) -> Range<usize> {
        self.value.span()
    }
}

/// A table with known fields.
pub(crate) struct Table<'t> {
    pub(crate) path: String,
    section: &'static Section,
    table: &'t DeTable<'t>,
}

impl Table<'_> {
    pub(crate) fn path_of(&self, field: &str) -> String {
        join(&self.path, field)
    }
}

pub(crate) fn join(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}

impl<D> Reading<D> {
    /// Notes a fault and marks its path.
    pub(crate) fn fault(
        &mut self,
        path: &str,
        span: Range<usize>,
        reason: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.places.mark_broken(path);
        self.faults.push(Fault::new(path, span, reason, mend));
    }

    fn wrong_kind(&mut self, entry: &Entry<'_>, wanted: &str, mend: String) {
        let reason = format!("{wanted} is wanted here, this is {}", kind(entry.value.get_ref()));
        self.fault(&entry.path, entry.span(), reason, mend);
    }

    /// The top of the document as a table.
    pub(crate) fn top<'t>(&mut self, table: &'t DeTable<'t>, section: &'static Section) -> Table<'t> {
        self.known_fields("", table, section);
        Table { path: String::new(), section, table }
    }

    pub(crate) fn table<'t>(&mut self, entry: &Entry<'t>, section: &'static Section) -> Option<Table<'t>> {
        let Some(table) = entry.value.get_ref().as_table() else {
            let mend = format!("write a table with {}", listed(section.fields));
            self.wrong_kind(entry, "a table", mend);
            return None;
        };
        self.known_fields(&entry.path, table, section);
        Some(Table { path: entry.path.clone(), section, table })
    }

    fn known_fields(&mut self, path: &str, table: &DeTable<'_>, section: &'static Section) {
        if table.len() > MEMBERS_MAX {
            let span = self.places.of(path);
            self.fault(
                path,
                span,
                "there are more fields here than there are names for",
                "keep those that the reference page names",
            );
            return;
        }
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if section.fields.contains(&name) {
                continue;
            }
            let mend = match nearest(name, section.fields.iter().copied()) {
                Some(field) => format!("did you mean '{field}'?"),
                None => {
                    let fields = listed(section.fields);
                    format!(
                        "what can stand here: {fields}; or this text is for a later release than {RELEASE}"
                    )
                }
            };
            let path = join(path, &quoted(name));
            self.fault(&path, key.span(), format!("there is no field {} here", quoted(name)), mend);
        }
    }

    /// A field of a table, if it is there; its place is remembered.
    pub(crate) fn field<'t>(&mut self, table: &Table<'t>, name: &'static str) -> Option<Entry<'t>> {
        debug_assert!(
            table.section.fields.contains(&name),
            "{name} is not in the schema of {}",
            table.section.name
        );
        let value = table.table.get(name)?;
        let path = table.path_of(name);
        self.places.put(&path, value.span());
        Some(Entry { path, value })
    }

    /// A field that must be there.
    pub(crate) fn required<'t>(
        &mut self,
        table: &Table<'t>,
        name: &'static str,
        example: &str,
    ) -> Option<Entry<'t>> {
        let entry = self.field(table, name);
        if entry.is_none() {
            let path = table.path_of(name);
            let span = self.places.of(&table.path);
            self.fault(&path, span, format!("'{name}' is missing here"), format!("add {name} = {example}"));
        }
        entry
    }

    /// The entries of a table whose keys are the writer's: each key as text, with its span.
    pub(crate) fn members<'t>(&mut self, entry: &Entry<'t>) -> Vec<(&'t str, Range<usize>, Entry<'t>)> {
        let Some(table) = entry.value.get_ref().as_table() else {
            self.wrong_kind(entry, "a table", "write one entry per id".to_owned());
            return Vec::new();
        };
        if table.len() > MEMBERS_MAX {
            let reason = format!("there are {} entries here; {MEMBERS_MAX} are the most", table.len());
            self.fault(&entry.path, entry.span(), reason, "keep those that are used");
            return Vec::new();
        }
        let mut members: Vec<_> = table
            .iter()
            .map(|(key, value)| {
                let path = join(&entry.path, key.get_ref());
                (key.get_ref().as_ref(), key.span(), Entry { path, value })
            })
            .collect();
        members.sort_by_key(|(_, span, _)| span.start);
        for (_, span, member) in &members {
            self.places.put(&member.path, span.clone());
        }
        members
    }

    pub(crate) fn list<'t>(&mut self, entry: &Entry<'t>, example: &str) -> Vec<Entry<'t>> {
        let Some(list) = entry.value.get_ref().as_array() else {
            self.wrong_kind(entry, "a list", format!("write it in brackets: {example}"));
            return Vec::new();
        };
        if list.len() > MEMBERS_MAX {
            let reason = format!("there are {} entries here; {MEMBERS_MAX} are the most", list.len());
            self.fault(&entry.path, entry.span(), reason, "keep those that are used");
            return Vec::new();
        }
        let entries: Vec<_> = list
            .iter()
            .enumerate()
            .map(|(n, value)| Entry { path: join(&entry.path, &n.to_string()), value })
            .collect();
        for item in &entries {
            self.places.put(&item.path, item.span());
        }
        entries
    }

    pub(crate) fn text<'t>(&mut self, entry: &Entry<'t>, example: &str) -> Option<&'t str> {
        match entry.value.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            DeValue::Integer(_) | DeValue::Float(_) => {
                self.wrong_kind(entry, "text in quotes", format!("put it in quotes, as {example}"));
                None
            }
            _ => {
                self.wrong_kind(entry, "text in quotes", format!("write it as {example}"));
                None
            }
        }
    }

    pub(crate) fn flag(&mut self, entry: &Entry<'_>) -> Option<bool> {
        let flag = entry.value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_kind(entry, "true or false", "write true or false, without quotes".to_owned());
        }
        flag
    }

    /// A whole number; its limits are the plan's own check's, this one only keeps it inside its type.
    pub(crate) fn count<N: TryFrom<u64> + Into<u64>>(&mut self, entry: &Entry<'_>, max: N) -> Option<N> {
        let max: u64 = max.into();
        let DeValue::Integer(digits) = entry.value.get_ref() else {
            self.wrong_kind(entry, "a whole number", "write a whole number without quotes, as 2".to_owned());
            return None;
        };
        let plain = digits.as_str().replace('_', "");
        let count = u64::from_str_radix(&plain, digits.radix()).ok().filter(|n| *n <= max);
        let fits = count.and_then(|n| N::try_from(n).ok());
        if fits.is_none() {
            let mend = format!("write a whole number from 0 to {max}");
            self.fault(&entry.path, entry.span(), "this number is out of range", mend);
        }
        fits
    }

    /// A name that refers to something declared elsewhere in the plan.
    pub(crate) fn id<I: FromStr<Err = NameFault>>(&mut self, entry: &Entry<'_>, example: &str) -> Option<I> {
        let text = self.text(entry, example)?;
        self.id_in(&entry.path, entry.span(), text)
    }

    pub(crate) fn id_in<I: FromStr<Err = NameFault>>(
        &mut self,
        path: &str,
        span: Range<usize>,
        text: &str,
    ) -> Option<I> {
        match text.parse() {
            Ok(id) => Some(id),
            Err(fault) => {
                let mend = match proper(text) {
                    Some(id) => format!("write '{id}'"),
                    None => "use 1 to 63 of a-z, 0-9 and '-', as outpatient-1".to_owned(),
                };
                self.fault(path, span, format!("{} is not an id: {fault}", quoted(text)), mend);
                None
            }
        }
    }
}

/// The id that a text would be with small letters and dashes.
fn proper(text: &str) -> Option<String> {
    let id: String = text
        .trim()
        .chars()
        .map(|c| if matches!(c, ' ' | '_' | '.' | '/') { '-' } else { c.to_ascii_lowercase() })
        .collect();
    switchboard::id::TeamId::from_str(&id).ok().map(|_| id)
}

pub(crate) fn listed(names: &[&str]) -> String {
    names.join(", ")
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a decimal point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
