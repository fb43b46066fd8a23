//! The text of a scenario, pieces of it, and faults drawn where they stand.

use std::fmt;

use crate::text::{Found, Pattern, words};

/// A part of a scenario's text and where it begins in it, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

/// Something wrong, and where.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) what: String,
    pub(crate) mend: Option<String>,
}

/// Phrases with what each means.
pub(crate) type Book<T> = [(Pattern, T)];

/// Phrases of the source, ready to be found.
pub(crate) fn book<T: Copy>(phrases: &[(&str, T)]) -> Vec<(Pattern, T)> {
    phrases.iter().map(|(text, meaning)| (Pattern::of(text), *meaning)).collect()
}

impl<'a> Piece<'a> {
    /// The parts between a mark, without the blanks around them; empty ones left out.
    pub(crate) fn split(self, mark: &'a str) -> Vec<Piece<'a>> {
        let mut at = self.at;
        let mut pieces = Vec::new();
        for part in self.text.split(mark) {
            pieces.push(Piece { text: part, at }.trimmed());
            at += part.len() + mark.len();
        }
        pieces.retain(|piece| !piece.text.is_empty());
        pieces
    }

    /// The parts before and after the first such mark.
    pub(crate) fn cut(self, mark: &str) -> Option<(Piece<'a>, Piece<'a>)> {
        let (before, after) = self.text.split_once(mark)?;
        let at = self.at + before.len() + mark.len();
        Some((Piece { text: before, at: self.at }.trimmed(), Piece { text: after, at }.trimmed()))
    }

    pub(crate) fn trimmed(self) -> Piece<'a> {
        let text = self.text.trim_start();
        Piece { text: text.trim_end(), at: self.at + self.text.len() - text.len() }
    }

    /// The first word and the rest.
    pub(crate) fn first_word(self) -> (Piece<'a>, Piece<'a>) {
        let end = self.text.find(char::is_whitespace).unwrap_or(self.text.len());
        let rest = Piece { text: &self.text[end..], at: self.at + end };
        (Piece { text: &self.text[..end], at: self.at }, rest.trimmed())
    }

    pub(crate) fn fault(self, what: impl Into<String>) -> Fault {
        Fault { at: self.at, what: what.into(), mend: None }
    }

    /// The words as they are, blanks and line breaks made one blank.
    pub(crate) fn plain(self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Finds the phrase that a piece is.
    pub(crate) fn find<T>(self, book: &Book<T>) -> Result<(&T, Found), Fault> {
        let words = words(self.text);
        for (pattern, meaning) in book {
            if let Ok(found) = pattern.matches(&words) {
                return Ok((meaning, found));
            }
        }
        let guesses = book.iter().filter_map(|(pattern, _)| pattern.guess(&words));
        let nearest = guesses.max_by(|a, b| a.likeness.total_cmp(&b.likeness)).expect("a book has phrases");
        let at = words.get(nearest.miss.word).map_or(self.text.len(), |word| word.at);
        let here =
            words.get(nearest.miss.word).map_or("the end".to_owned(), |word| format!("'{}'", word.text));
        Err(Fault {
            at: self.at + at,
            what: format!("{here} does not fit here: expected {}", nearest.miss.expected),
            mend: Some(format!("the nearest phrase of docs/scenarios.md is: {}", nearest.pattern)),
        })
    }
}

/// A fault drawn in its file: where, the line, a caret, what is wrong, how to mend it.
pub(crate) struct Drawn<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    pub(crate) fault: &'a Fault,
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = &self.text[..self.fault.at.min(self.text.len())];
        let number = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let column = self.text[start..before.len()].chars().count() + 1;
        writeln!(f, "{}:{number}:{column}: {}", self.file, self.fault.what)?;
        writeln!(f, "  {number:>4} | {line}")?;
        write!(f, "       | {}^", " ".repeat(column - 1))?;
        self.fault.mend.iter().try_for_each(|mend| write!(f, "\n  {mend}"))
    }
}
