//! Words of a line and where they stand; patterns that words are held against. A pattern is written as a reader
//! would write the phrase, with `<slots>` for what differs and `[brackets]` around what may be left out.

use std::fmt;

use crate::slot;

/// One word, or one of the marks `( ) , :` and `'s` that stick to words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a str,
    /// Where it begins in its text, in bytes.
    pub(crate) at: usize,
}

/// The words of a text.
pub(crate) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        split_marks(piece.trim_end(), start, &mut words);
        start += piece.len();
    }
    words
}

fn split_marks<'a>(piece: &'a str, at: usize, words: &mut Vec<Word<'a>>) {
    if piece.is_empty() {
        return;
    }
    if let Some(rest) = piece.strip_prefix('(') {
        words.push(Word { text: &piece[..1], at });
        return split_marks(rest, at + 1, words);
    }
    for mark in [")", ",", ":", "'s"] {
        if let Some(rest) = piece.strip_suffix(mark) {
            split_marks(rest, at, words);
            let cut = rest.len();
            return words.push(Word { text: &piece[cut..], at: at + cut });
        }
    }
    words.push(Word { text: piece, at });
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Word(String),
    Slot(String),
}

/// A phrase with room for names and figures.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// As it is written in the guide.
    pub(crate) text: String,
    /// Every way to leave something out.
    forms: Vec<Vec<Node>>,
}

/// What stood in the slots of a phrase, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found(Vec<(String, String)>);

/// Why some words are not a phrase: how far they were, and what would have to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Miss {
    /// The first word that does not fit; past the last if something is missing.
    pub(crate) word: usize,
    pub(crate) expected: String,
}

/// A phrase that some words were perhaps meant to be.
pub(crate) struct Guess<'a> {
    pub(crate) pattern: &'a Pattern,
    pub(crate) likeness: f64,
    pub(crate) miss: Miss,
}

impl Found {
    /// What stood in the only slot of this name, if the phrase had it.
    pub(crate) fn any(&self, slot: &str) -> Option<&str> {
        self.nth(slot, 0)
    }

    /// What stood in the `n`-th slot of this name, first 0.
    pub(crate) fn nth(&self, slot: &str, n: usize) -> Option<&str> {
        self.0.iter().filter(|(name, _)| name == slot).map(|(_, value)| value.as_str()).nth(n)
    }

    /// What stood in a slot that the phrase always has.
    pub(crate) fn the(&self, slot: &str) -> &str {
        self.any(slot).unwrap_or_else(|| panic!("the phrase has no slot <{slot}>"))
    }
}

impl Pattern {
    /// Reads a pattern. Patterns stand in the source, so a broken one is a fault of ours.
    pub(crate) fn of(text: &str) -> Pattern {
        let mut forms = vec![String::new()];
        expand(text, &mut forms);
        let forms = forms.iter().map(|form| nodes(form)).collect();
        Pattern { text: text.to_owned(), forms }
    }

    /// Holds words against the pattern.
    pub(crate) fn matches(&self, words: &[Word<'_>]) -> Result<Found, Miss> {
        let missed = Miss { word: 0, expected: "a phrase".to_owned() };
        self.forms.iter().map(|form| matches_form(form, words)).fold(Err(missed), Result::or)
    }

    /// How much some words that are not this phrase look like it, and the first word that does not fit.
    pub(crate) fn guess(&self, words: &[Word<'_>]) -> Option<Guess<'_>> {
        let guesses = self.forms.iter().filter_map(|form| {
            let miss = matches_form(form, words).err()?;
            Some(Guess { pattern: self, likeness: likeness(form, words), miss })
        });
        guesses.max_by(|a, b| a.likeness.total_cmp(&b.likeness))
    }

    /// Whether a text is this phrase.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.matches(&words(text)).is_ok()
    }

    /// The pattern in full, without brackets.
    pub(crate) fn in_full(&self) -> String {
        self.text.replace(['[', ']'], "")
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Appends a text to every form; at a bracket, each form goes on with and without it.
fn expand(text: &str, forms: &mut Vec<String>) {
    let Some(open) = text.find('[') else {
        return forms.iter_mut().for_each(|form| form.push_str(text));
    };
    forms.iter_mut().for_each(|form| form.push_str(&text[..open]));
    let close = open + closing(&text[open..]);
    let without = forms.clone();
    expand(&text[open + 1..close], forms);
    forms.extend(without);
    expand(&text[close + 1..], forms);
}

/// Where the bracket that a text begins with is closed.
pub(crate) fn closing(text: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '[') - i32::from(c == ']');
        if depth == 0 {
            return at;
        }
    }
    panic!("a bracket is not closed in the pattern {text}")
}

fn nodes(form: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('<') {
        nodes.extend(words(before).iter().map(|w| Node::Word(w.text.to_owned())));
        let (name, after) = after.split_once('>').expect("a slot of a pattern is closed");
        nodes.push(Node::Slot(name.to_owned()));
        rest = after;
    }
    nodes.extend(words(rest).iter().map(|w| Node::Word(w.text.to_owned())));
    nodes
}

fn matches_form(form: &[Node], words: &[Word<'_>]) -> Result<Found, Miss> {
    let mut found = Found::default();
    let mut at = 0;
    for node in form {
        match node {
            Node::Word(word) if words.get(at).is_some_and(|w| w.text == word) => at += 1,
            Node::Word(word) => return Err(Miss { word: at, expected: format!("'{word}'") }),
            Node::Slot(name) => {
                let taken = slot::take(name, &words[at..]);
                let Some(count) = taken else {
                    return Err(Miss { word: at, expected: slot::described(name) });
                };
                found.0.push((name.clone(), joined(&words[at..at + count])));
                at += count;
            }
        }
    }
    if at == words.len() { Ok(found) } else { Err(Miss { word: at, expected: "the end".to_owned() }) }
}

/// How much some words look like a phrase: each word by the best that stands for it, less for each too many.
fn likeness(form: &[Node], words: &[Word<'_>]) -> f64 {
    const SLOT_FITS: f64 = 0.8;
    const TOO_MANY: f64 = 0.5;
    let one = |at: usize, node: &Node| match node {
        Node::Word(word) => strsim::jaro(word, words[at].text),
        Node::Slot(name) if slot::take(name, &words[at..]).is_some() => SLOT_FITS,
        Node::Slot(_) => 0.0,
    };
    let alike = (0..words.len()).map(|at| form.iter().map(|node| one(at, node)).fold(0.0, f64::max));
    let apart = u32::try_from(form.len().abs_diff(words.len())).unwrap_or(u32::MAX);
    alike.sum::<f64>() - TOO_MANY * f64::from(apart)
}

/// Words as they would be written again.
fn joined(words: &[Word<'_>]) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() && !matches!(word.text, "," | ":" | ")" | "'s") && !text.ends_with('(') {
            text.push(' ');
        }
        text.push_str(word.text);
    }
    text
}
