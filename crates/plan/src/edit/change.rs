//! Pieces put into a text and taken out of it.

use std::ops::Range;

use switchboard::plan::Title;
use toml_edit::{Item, Key, Value};

use super::layout::{Block, Entry, Form, Layout};
use super::{EditError, refused};

/// What is to be done to a text; nothing is done before all of it is known.
pub(super) struct Changes<'l> {
    layout: &'l Layout<'l>,
    /// Replacements; none overlaps another.
    pieces: Vec<(Range<usize>, String)>,
}

/// A text in quotes.
pub(super) fn text(text: &str) -> String {
    Value::from(text).to_string()
}

/// A title in both languages.
pub(super) fn title(title: &Title) -> String {
    format!("{{ zh = {}, en = {} }}", text(&title.zh), text(&title.en))
}

/// A list of names.
pub(super) fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| text(name)).collect();
    format!("[{}]", names.join(", "))
}

impl<'l> Changes<'l> {
    pub(super) fn of(layout: &'l Layout<'l>) -> Changes<'l> {
        Changes { layout, pieces: Vec::new() }
    }

    /// The changed text.
    pub(super) fn applied(mut self) -> String {
        // What was asked for first stands first where two things are put at one place.
        self.pieces.sort_by_key(|(range, _)| range.start);
        let mut pieces: Vec<(Range<usize>, String)> = Vec::new();
        for (range, piece) in self.pieces {
            // Two entries that are taken out may share a blank line.
            match pieces.last_mut() {
                Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
                _ => pieces.push((range, piece)),
            }
        }
        let mut text = self.layout.text.to_owned();
        for (range, piece) in pieces.iter().rev() {
            text.replace_range(range.clone(), piece);
        }
        let mark = if self.layout.skipped > 0 { "\u{feff}" } else { "" };
        format!("{mark}{text}")
    }

    /// Adds an entry to a table, after its last one and in the same manner.
    pub(super) fn add(
        &mut self,
        section: &str,
        id: &str,
        fields: &[(&str, String)],
    ) -> Result<(), EditError> {
        match self.layout.form(section) {
            Form::Headers => {
                let at = self.after_last(section, None);
                self.insert_block(at, &headed(section, id, fields));
            }
            Form::Keys => {
                let entries = self.layout.entries(section);
                let last = entries.iter().max_by_key(|entry| entry.end());
                let at = last.map_or_else(|| self.layout.header_end(section), |entry| Some(entry.end()));
                let at = at.unwrap_or(self.layout.text.len());
                let line = self.keyed(last, id, fields);
                self.insert_lines(at, &line);
            }
            Form::Absent => {
                let at = self.layout.text.len();
                self.insert_block(at, &headed(section, id, fields));
            }
            Form::Packed => return Err(packed(section)),
        }
        Ok(())
    }

    /// `id = { … }`, its sign under that of the line above.
    fn keyed(&self, above: Option<&Entry<'_>>, id: &str, fields: &[(&str, String)]) -> String {
        let above = above.and_then(|entry| {
            let block = entry.blocks.last()?;
            let line = self.layout.text[block.lines.clone()].lines().next()?;
            let key = entry.key.span()?;
            let indent = key.start.checked_sub(block.lines.start)?;
            Some((line.get(..indent)?.to_owned(), line.split('=').next()?.chars().count()))
        });
        let (indent, sign_at) = above.unwrap_or_default();
        let pad = " ".repeat(sign_at.saturating_sub(indent.chars().count() + id.len() + 1));
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        format!("{indent}{id}{pad} = {{ {} }}\n", fields.join(", "))
    }

    /// Adds a line that is another one but for its id, title and numbers.
    pub(super) fn copy_line(
        &mut self,
        source: &Entry<'_>,
        id: &str,
        title: &Title,
        numbers: &[String],
    ) -> Result<(), EditError> {
        let is_one_key = matches!(source.item, Item::Value(_));
        let own_header = source.item.as_table().and_then(toml_edit::Table::span);
        if own_header.is_none() && !is_one_key {
            return Err(packed("lines"));
        }
        let mut copy = Changes::of(self.layout);
        copy.retitle(source, title);
        copy.renumber(source, numbers);
        copy.rename(source, id);
        let copies: Vec<String> = source.blocks.iter().map(|block| copy.within(&block.lines)).collect();
        let at = self.after_last("lines", Some(source));
        if is_one_key {
            self.insert_lines(source.end(), &copies.concat());
        } else {
            let nl = self.layout.newline();
            self.insert_block(at, &copies.join(nl));
        }
        Ok(())
    }

    /// The text of a stretch with the changes inside it.
    fn within(&self, stretch: &Range<usize>) -> String {
        let mut text = self.layout.text[stretch.clone()].to_owned();
        // What is put in stands behind something of its own block.
        let is_inside =
            |r: &Range<usize>| stretch.start <= r.start && r.end <= stretch.end && r.end > stretch.start;
        let mut inside: Vec<_> = self.pieces.iter().filter(|(range, _)| is_inside(range)).collect();
        inside.sort_by_key(|(range, _)| range.start);
        for (range, piece) in inside.into_iter().rev() {
            text.replace_range(range.start - stretch.start..range.end - stretch.start, piece);
        }
        if !text.ends_with('\n') {
            text.push_str(self.layout.newline());
        }
        text
    }

    /// Puts other texts in the place of a title's.
    pub(super) fn retitle(&mut self, entry: &Entry<'_>, title: &Title) {
        for (language, words) in [("zh", &title.zh), ("en", &title.en)] {
            let value = entry.item.get("title").and_then(|title| title.get(language));
            let span =
                value.and_then(Item::span).expect("what was read as a plan has titles in both languages");
            self.pieces.push((span, text(words)));
        }
    }

    /// Gives a line that is about to be copied other numbers.
    fn renumber(&mut self, entry: &Entry<'_>, numbers: &[String]) {
        match entry.item.get("numbers").and_then(Item::span) {
            Some(span) if numbers.is_empty() && entry.has_header() => {
                self.pieces.push((
                    self.layout.line_start(span.start)..self.layout.line_end(span.end),
                    String::new(),
                ));
            }
            Some(span) => self.pieces.push((span, list(numbers))),
            None if numbers.is_empty() => {}
            None if entry.has_header() => {
                // Right under the line's own header, where no other table has begun yet.
                let own = entry.item.as_table().and_then(toml_edit::Table::span);
                if let Some(header) = own {
                    let at = self.layout.line_end(header.end);
                    self.pieces
                        .push((at..at, format!("numbers = {}{}", list(numbers), self.layout.newline())));
                }
            }
            None => {
                // Behind the opening brace: there is a title in any case, so a comma follows.
                if let Some(braces) = entry.item.span() {
                    let at = braces.start + 1;
                    self.pieces.push((at..at, format!(" numbers = {},", list(numbers))));
                }
            }
        }
    }

    /// Gives an entry that is about to be copied another id, in each of its headers.
    fn rename(&mut self, entry: &Entry<'_>, id: &str) {
        for block in &entry.blocks {
            let Some(header) = &block.header else { continue };
            let brackets = if self.layout.text[header.clone()].starts_with("[[") { 2 } else { 1 };
            let inside = header.start + brackets..header.end - brackets;
            let Ok(path) = Key::parse(self.layout.text[inside.clone()].trim()) else { continue };
            let steps = path.iter().enumerate();
            let steps: Vec<String> = steps
                .map(|(n, step)| if n == 1 { id.to_owned() } else { step.display_repr().into_owned() })
                .collect();
            self.pieces.push((inside, steps.join(".")));
        }
        if !entry.has_header()
            && let Some(key) = entry.key.span()
        {
            self.pieces.push((key, id.to_owned()));
        }
    }

    /// Takes an entry out, with the comments close to it and without leaving a hole.
    pub(super) fn remove(&mut self, entry: &Entry<'_>) {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for block in &entry.blocks {
            let range = self.without_hole(block);
            match ranges.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => ranges.push(range),
            }
        }
        self.pieces.extend(ranges.into_iter().map(|range| (range, String::new())));
    }

    /// A block, its comments, and of the blank lines above and below it the fewer.
    fn without_hole(&self, block: &Block) -> Range<usize> {
        let Range { start, end } = self.layout.with_comments(block);
        if block.header.is_none() {
            return start..end;
        }
        let is_blank = |line: &&str| line.trim().is_empty();
        let above: Vec<&str> =
            self.layout.text[..start].split_inclusive('\n').rev().take_while(is_blank).collect();
        let below: Vec<&str> = self.layout.text[end..].split_inclusive('\n').take_while(is_blank).collect();
        let is_last = self.layout.text[end..].trim().is_empty();
        if is_last {
            return start - above.iter().map(|line| line.len()).sum::<usize>()..end;
        }
        let fewer = above.len().min(below.len());
        let is_first = self.layout.text[..start].trim().is_empty();
        let taken = if is_first { below.len() } else { fewer };
        start..end + below[..taken].iter().map(|line| line.len()).sum::<usize>()
    }

    /// Where a table's next entry stands: after this one, else after the last.
    fn after_last(&self, section: &str, after: Option<&Entry<'_>>) -> usize {
        let end_of = |entry: &Entry<'_>| {
            entry.blocks.iter().map(|block| self.layout.with_comments(block).end).max().unwrap_or_default()
        };
        let last = || self.layout.entries(section).iter().map(end_of).max();
        after.map(end_of).or_else(last).unwrap_or(self.layout.text.len())
    }

    /// A block of lines with a blank line above it.
    fn insert_block(&mut self, at: usize, lines: &str) {
        self.insert_lines(at, &format!("\n{lines}"));
    }

    fn insert_lines(&mut self, at: usize, lines: &str) {
        let nl = self.layout.newline();
        let mut lines = lines.replace("\r\n", "\n").replace('\n', nl);
        let above = &self.layout.text[..at];
        if !above.is_empty() && !above.ends_with('\n') {
            lines.insert_str(0, nl);
        }
        self.pieces.push((at..at, lines));
    }
}

/// `[section.id]` and its fields, their signs one under the other.
fn headed(section: &str, id: &str, fields: &[(&str, String)]) -> String {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: String = fields.iter().map(|(name, value)| format!("{name:width$} = {value}\n")).collect();
    format!("[{section}.{id}]\n{lines}")
}

fn packed(section: &str) -> EditError {
    refused(
        section.to_owned(),
        format!("this plan writes its {section} with dots or in one pair of braces"),
        format!("write each under a header of its own, as [{section}.<id>], and try again"),
    )
}
