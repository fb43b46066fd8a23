//! A text as it came: bounded, decoded, without characters that hide what it says.

use std::ops::Range;

use crate::finding::{FINDINGS_MAX, Fault};

/// Longest text of a plan or a roster in bytes; a longer one is refused before anyone looks into it.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Longest part of a source line that is drawn, in characters.
const EXCERPT_CHARS_MAX: usize = 160;

/// A text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Cleaned: it is printed.
    pub(crate) file: String,
    pub(crate) text: String,
    line_starts: Vec<usize>,
}

/// A place in a text, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One source line, cut if it is very long, with the span inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
    /// Columns of `text` are those of the line, also to the renderer.
    pub(crate) is_whole: bool,
}

impl Source {
    /// A text that was admitted before.
    pub(crate) fn of(file: &str, text: String) -> Source {
        let file = file.chars().take(256).map(|c| if c.is_control() || hides(c) { '?' } else { c }).collect();
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { file, text, line_starts }
    }

    /// Takes bytes in, or says why they are no text; then the text is what can be shown of it.
    pub(crate) fn admit(file: &str, bytes: &[u8]) -> Result<Source, (Source, Vec<Fault>)> {
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(too_long(file, bytes));
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(fault) => return Err(not_utf8(file, bytes, fault.valid_up_to())),
        };
        let source = Source::of(file, text.to_owned());
        let faults = hidden(text);
        if faults.is_empty() { Ok(source) } else { Err((source, faults)) }
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let (line, start, content) = self.line_at(offset);
        let before = (self.text.floor_char_boundary(offset) - start).min(content.len());
        Position { line, column: content[..before].chars().count() + 1 }
    }

    pub(crate) fn excerpt(&self, span: Range<usize>) -> Excerpt {
        let Position { line, column } = self.position(span.start);
        let (_, start, content) = self.line_at(span.start);
        let inside =
            |offset: usize| self.text.floor_char_boundary(offset).saturating_sub(start).min(content.len());
        let from = inside(span.start);
        let (text, span) = cut(content, from..inside(span.end).max(from));
        let is_whole = text == content && !content.contains('\r');
        Excerpt { line, column, text, span, is_whole }
    }

    /// The line in which an offset lies: its number, where it starts, and what stands in it.
    fn line_at(&self, offset: usize) -> (usize, usize, &str) {
        let line = self.line_starts.partition_point(|start| *start <= offset.min(self.text.len()));
        let start = self.line_starts[line - 1];
        let content = self.text[start..].split('\n').next().unwrap_or_default();
        (line, start, content.strip_suffix('\r').unwrap_or(content))
    }
}

/// Keeps a long line to the part around the span.
fn cut(content: &str, span: Range<usize>) -> (String, Range<usize>) {
    let before =
        content[..span.start].char_indices().rev().nth(EXCERPT_CHARS_MAX / 2).map_or(0, |(at, _)| at);
    let after = content[span.start..]
        .char_indices()
        .nth(EXCERPT_CHARS_MAX / 2)
        .map_or(content.len(), |(at, _)| span.start + at);
    let mut text = String::new();
    if before > 0 {
        text.push('…');
    }
    let shift = text.len();
    text.push_str(&content[before..after]);
    let span = shift + span.start - before..shift + span.end.min(after) - before;
    if after < content.len() {
        text.push('…');
    }
    (text, span)
}

fn too_long(file: &str, bytes: &[u8]) -> (Source, Vec<Fault>) {
    let head = String::from_utf8_lossy(&bytes[..80]);
    let head = head.lines().next().unwrap_or_default().to_owned();
    let reason = format!("the text has {} bytes; there are at most {TEXT_BYTES_MAX}", bytes.len());
    let mend = "give the file itself: a hospital's fits in a few pages";
    (Source::of(file, head), vec![Fault::new("", 0..0, reason, mend)])
}

fn not_utf8(file: &str, bytes: &[u8], at: usize) -> (Source, Vec<Fault>) {
    let shown = String::from_utf8_lossy(bytes).into_owned();
    let end = at + shown[at..].chars().next().map_or(0, char::len_utf8);
    let reason = format!("byte 0x{:02x} is not UTF-8 text", bytes[at]);
    let mend = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is saved as UTF-16: save it again as UTF-8",
        _ => "save the file again with the encoding UTF-8 (not GBK, GB18030 or Latin-1)",
    };
    (Source::of(file, shown), vec![Fault::new("", at..end, reason, mend)])
}

/// Characters that make a text read otherwise than it is: also in comments, where TOML itself lets them pass.
fn hidden(text: &str) -> Vec<Fault> {
    text.char_indices()
        .filter(|(_, c)| hides(*c))
        .take(FINDINGS_MAX)
        .map(|(at, c)| {
            let reason =
                format!("the character U+{:04X} cannot be seen and changes how the text reads", c as u32);
            Fault::new(
                "",
                at..at + c.len_utf8(),
                reason,
                "delete it; typing the line again is the easiest way",
            )
        })
        .collect()
}

pub(crate) fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A text of the writer's, fit to stand in a message: short, and nothing in it acts.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text
        .chars()
        .take(48)
        .flat_map(|c| if c.is_control() || hides(c) { c.escape_unicode().collect() } else { vec![c] })
        .collect();
    let more = if text.chars().nth(48).is_some() { "…" } else { "" };
    format!("'{shown}{more}'")
}

/// The candidate that a mistyped name most likely means.
pub(crate) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    const NAME_BYTES_MAX: usize = 96;
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let name = name.trim().to_lowercase().replace([' ', '_'], "-");
    let far = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|c| (strsim::osa_distance(&name, &c.to_lowercase().replace('_', "-")), c))
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, candidate)| candidate)
}
