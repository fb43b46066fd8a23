//! How an answer is written: one typed value as a table for people, as a versioned object for programs, or as ids.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use console::{Style, Term};
use serde::Serialize;
use serde_json::{Value, json};

use super::fault::{Fault, Told};
use super::moment;
use super::said::{Said, clean, clean_lines, is_hostile, said};
use super::sheet::{Field, Head, Side, lines};
use crate::lang::Lang;

/// The version of every object that is written; it grows when something in it changes its meaning or goes.
const VERSION: u32 = 1;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns, for people.
    Table,
    /// The same with more columns.
    Wide,
    /// One object, for programs.
    Json,
    /// The same object as YAML.
    Yaml,
    /// Ids only, one on each line.
    Name,
}

/// One thing that can be listed.
pub(crate) trait Listed: Serialize {
    /// Its id.
    fn id(&self) -> &str;
}

/// One column of a table of `T`.
pub(crate) struct Column<T> {
    zh: &'static str,
    en: &'static str,
    side: Side,
    whole: bool,
    wide: bool,
    field: fn(&T, Lang) -> Field,
}

/// A column of words.
pub(crate) fn words<T>(zh: &'static str, en: &'static str, field: fn(&T, Lang) -> Field) -> Column<T> {
    Column { zh, en, side: Side::Left, whole: false, wide: false, field }
}

/// A column of figures.
pub(super) fn figures<T>(zh: &'static str, en: &'static str, field: fn(&T, Lang) -> Field) -> Column<T> {
    Column { side: Side::Right, ..words(zh, en, field) }
}

impl<T> Column<T> {
    /// Never shortened: somebody will copy it.
    #[must_use]
    pub(crate) fn whole(self) -> Column<T> {
        Column { whole: true, ..self }
    }

    /// Only in the wide form.
    #[must_use]
    pub(super) fn wide(self) -> Column<T> {
        Column { wide: true, ..self }
    }
}

/// The three colours of a table.
pub(crate) fn good() -> Style {
    Style::new().for_stdout().green()
}

/// Something to look at.
pub(crate) fn fair() -> Style {
    Style::new().for_stdout().yellow()
}

/// Something to do.
pub(crate) fn bad() -> Style {
    Style::new().for_stdout().red().bold()
}

/// Where answers go.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) format: Format,
    pub(crate) lang: Lang,
}

impl Answer {
    /// Many things of one kind. `more` is where the next page begins, if there is one.
    pub(crate) fn list<T: Listed>(
        &self,
        kind: &str,
        items: &[T],
        more: Option<&str>,
        columns: &[Column<T>],
    ) -> Told<()> {
        match self.format {
            Format::Json | Format::Yaml => {
                let mut object = json!({ "version": VERSION, "kind": kind, "items": valued(items) });
                if let Some(more) = more {
                    object["next"] = Value::from(more);
                }
                self.object(&object)
            }
            Format::Name => self.text(&items.iter().map(|item| clean(item.id())).collect::<Vec<_>>()),
            Format::Table | Format::Wide if items.is_empty() => {
                self.chat(&said("没有可列出的", "there are none"));
                Ok(())
            }
            Format::Table | Format::Wide => {
                let shown: Vec<&Column<T>> =
                    columns.iter().filter(|column| self.format == Format::Wide || !column.wide).collect();
                let heads: Vec<Head> = shown.iter().map(|column| self.head(column)).collect();
                let rows: Vec<Vec<Field>> = items
                    .iter()
                    .map(|item| shown.iter().map(|column| (column.field)(item, self.lang)).collect())
                    .collect();
                self.text(&lines(&heads, &rows, width()))
            }
        }
    }

    fn head<T>(&self, column: &Column<T>) -> Head {
        Head {
            name: self.lang.of(column.zh, column.en).to_owned(),
            side: column.side,
            whole: column.whole || self.format == Format::Wide,
        }
    }

    /// One thing: its facts under each other, then further lines.
    pub(super) fn show<T: Listed>(
        &self,
        kind: &str,
        item: &T,
        facts: &[Fact],
        further: &[String],
    ) -> Told<()> {
        match self.format {
            Format::Json | Format::Yaml => self.one(kind, item),
            Format::Name => self.text(&[clean(item.id())]),
            Format::Table | Format::Wide => {
                let head = |whole| Head { name: String::new(), side: Side::Left, whole };
                let rows: Vec<Vec<Field>> = facts
                    .iter()
                    .map(|(name, field)| vec![Field::new(name.of(self.lang)), field.clone()])
                    .collect();
                let mut text = lines(&[head(true), head(true)], &rows, None).split_off(1);
                text.extend(further.iter().cloned());
                self.text(&text)
            }
        }
    }

    /// By whose clock the times above are: for people only, and only where there are any.
    pub(super) fn clock(&self, items: usize) {
        if items > 0 && matches!(self.format, Format::Table | Format::Wide) {
            self.chat(&moment::clock_words());
        }
    }

    /// Something was done: for people a word beside the output, for programs an object.
    pub(super) fn done<T: Listed>(&self, kind: &str, item: &T, words: &Said) -> Told<()> {
        match self.format {
            Format::Json | Format::Yaml => self.one(kind, item),
            Format::Name => self.text(&[clean(item.id())]),
            Format::Table | Format::Wide => {
                self.chat(words);
                Ok(())
            }
        }
    }

    /// One object on one line, of many that follow each other.
    pub(super) fn each<T: Serialize>(&self, kind: &str, item: &T) -> Told<()> {
        let object = json!({ "version": VERSION, "kind": kind, "item": valued(item) });
        match self.format {
            Format::Yaml => self.text(&["---".to_owned(), yaml(&object)]),
            _ => self.text(&[without_hostile(&object.to_string())]),
        }
    }

    /// One object.
    pub(super) fn one<T: Serialize>(&self, kind: &str, item: &T) -> Told<()> {
        self.object(&json!({ "version": VERSION, "kind": kind, "item": valued(item) }))
    }

    fn object(&self, object: &Value) -> Told<()> {
        match self.format {
            Format::Yaml => self.text(&[yaml(object)]),
            _ => self.text(&[without_hostile(&format!("{object:#}"))]),
        }
    }

    /// Whether programs read it.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.format, Format::Json | Format::Yaml)
    }

    /// Lines on standard output, as they are.
    pub(crate) fn text(&self, lines: &[String]) -> Told<()> {
        let mut out = io::stdout().lock();
        for line in lines {
            writeln!(out, "{line}")?;
        }
        Ok(out.flush()?)
    }

    /// A word for people, beside the output.
    pub(super) fn chat(&self, words: &Said) {
        // Where even this cannot be written, the exit code is all there is to say.
        let _written = writeln!(io::stderr().lock(), "{}", clean_lines(words.of(self.lang)));
    }

    /// Lines for people beside the output, with their colours.
    pub(super) fn raw_chat(&self, lines: &[String]) {
        if !lines.is_empty() {
            let _written = writeln!(io::stderr().lock(), "{}", lines.join("\n"));
        }
    }

    /// A fault, as people or programs read it.
    pub(super) fn fault(&self, fault: &Fault) {
        let text = match self.format {
            Format::Json => without_hostile(&fault.object(self.lang).to_string()),
            Format::Yaml => yaml(&fault.object(self.lang)),
            Format::Table | Format::Wide | Format::Name => fault.lines(self.lang).join("\n"),
        };
        let _written = writeln!(io::stderr().lock(), "{text}");
    }
}

/// A fact and its name.
pub(super) type Fact = (Said, Field);

/// How wide a table may be; as wide as it is where nobody looks at it.
pub(super) fn width() -> Option<usize> {
    let term = Term::stdout();
    let (_, columns) = term.size_checked().filter(|_| io::stdout().is_terminal())?;
    // The last column stays free: some terminals wrap there.
    Some(usize::from(columns).saturating_sub(1))
}

fn valued(item: &(impl Serialize + ?Sized)) -> Value {
    serde_json::to_value(item).expect("an answer has text keys only")
}

/// JSON's own escapes for what JSON would let through; it can stand in its texts only.
fn without_hostile(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hostile(c) && c != '\n' {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

/// YAML of such an object. Every text stands in double quotes, where YAML's escapes are JSON's: nothing in a name can
/// become a number, a truth or an order to a terminal.
fn yaml(value: &Value) -> String {
    let mut lines = Vec::new();
    block(value, 0, "", &mut lines);
    lines.join("\n")
}

fn block(value: &Value, depth: usize, before: &str, lines: &mut Vec<String>) {
    let room = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let mut lead = before;
            for (key, field) in fields {
                let start = if lead.is_empty() { room.clone() } else { std::mem::take(&mut lead).to_owned() };
                match field {
                    Value::Object(inner) if !inner.is_empty() => {
                        lines.push(format!("{start}{key}:"));
                        block(field, depth + 1, "", lines);
                    }
                    Value::Array(inner) if !inner.is_empty() => {
                        lines.push(format!("{start}{key}:"));
                        block(field, depth, "", lines);
                    }
                    scalar => lines.push(format!("{start}{key}: {}", without_hostile(&scalar.to_string()))),
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                block(item, depth + 1, &format!("{room}- "), lines);
            }
        }
        scalar => {
            let start = if before.is_empty() { room } else { before.to_owned() };
            lines.push(format!("{start}{}", without_hostile(&scalar.to_string())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_a_block_of_quoted_texts() {
        let object = json!({
            "items": [{"id": "no", "teams": ["1", "two"], "title": {"en": "a: b"}}, {"id": "x\u{1b}\u{202e}", "teams": []}],
            "version": 1,
        });
        let expected = "items:\n- id: \"no\"\n  teams:\n  - \"1\"\n  - \"two\"\n  title:\n    en: \"a: b\"\n\
                        - id: \"x\\u001b\\u202e\"\n  teams: []\nversion: 1";
        assert_eq!(yaml(&object), expected);
    }

    #[test]
    fn json_shows_no_hidden_character_and_still_says_it() {
        let text = without_hostile(&json!({"a": "x\u{202e}\u{9b}\u{e0001}急"}).to_string());
        assert_eq!(text, r#"{"a":"x\u202e\u009b\udb40\udc01急"}"#);
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["a"], "x\u{202e}\u{9b}\u{e0001}急");
    }
}
