//! Every sentence that another room says to people has its words in Chinese: the sources are read, each of their sentences
//! has a row in the table, and each row is a sentence of theirs.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::rust_text::keeps_out;
use crate::tree::{self, assert_found, assert_none};

const TABLE: &str = "crates/hotline/src/chinese/zh-CN.toml";

/// What of a file is said to people.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    /// All sentences in it.
    All,
    /// What its errors say.
    Errors,
    /// What it says of a field of a request.
    Fields,
}

/// Where the sentences stand: how a path begins, and what of such files is said.
const ROOMS: [(&str, Said); 14] = [
    ("crates/plan/src/", Said::All),
    ("crates/switchboard/src/id.rs", Said::All),
    ("crates/hotline/src/serve/", Said::All),
    ("crates/hotline/src/certs.rs", Said::All),
    ("crates/hotline/src/tokens.rs", Said::All),
    ("crates/hotline/src/journal/mod.rs", Said::All),
    ("crates/hotline/src/postgres/mod.rs", Said::All),
    ("crates/hotline/src/lang.rs", Said::All),
    ("crates/hotline/src/demo/flags.rs", Said::All),
    ("crates/hotline/src/demo/", Said::Errors),
    ("crates/exchange/src/", Said::Errors),
    ("crates/session/src/", Said::Errors),
    ("crates/routing/src/", Said::Errors),
    ("crates/routing/src/", Said::Fields),
];

/// Files of these rooms that have their Chinese elsewhere, and where.
const ELSEWHERE: [(&str, &str); 6] = [
    ("crates/plan/src/schema.rs", "the page of the plan's fields is in English only, and nobody is told it"),
    ("crates/plan/src/roster/words.rs", "gaps are told in both languages there"),
    ("crates/session/src/sqlite/open.rs", "crates/hotline/src/journal/text.rs"),
    ("crates/session/src/postgres/fault.rs", "crates/hotline/src/postgres/text.rs"),
    ("crates/hotline/src/serve/systemd.rs", "what systemd shows is English, as the log is"),
    ("crates/session/src/verify.rs", "crates/hotline/src/journal/text.rs"),
];

/// Texts that look like sentences and are none that anybody is told.
const NOT_SAID: [&str; 11] = [
    // Names in a certificate.
    "Hotline private authority",
    "Hotline server",
    // What the TOML library's words are compared with.
    "carriage return",
    "duplicate key",
    // Examples and pieces of a plan's text.
    "depth 5",
    "missed 2",
    "numbers = {}{}",
    "numbers = {},",
    // Words of the log, which is in English.
    "it does not answer",
    "it says something else: hotline plan diff -f, then hotline plan apply -f",
    "line {} cannot be used: hotline plan validate -f",
];

/// Macros and methods whose texts are for programmers or for the log.
const SILENT: [&str; 12] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "expect",
    "panic",
    "unreachable",
    "error",
    "warn",
    "info",
    "debug",
    "trace",
];

/// The templates of a file's sentences, and what of it hides some.
fn sentences(path: &str, text: &str, said: Said) -> (BTreeSet<String>, Vec<String>) {
    let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path} is not Rust: {error}"));
    let mut reading = Reading { path, said, literals: Vec::new(), faults: Vec::new() };
    reading.stream(stream, said == Said::All);
    let lines = reading.literals.iter().flat_map(|text| text.lines()).map(str::trim);
    let templates = lines.map(template).filter(|line| is_sentence(line) && !NOT_SAID.contains(&&**line));
    (templates.collect(), reading.faults)
}

struct Reading<'p> {
    path: &'p str,
    said: Said,
    literals: Vec<String>,
    faults: Vec<String>,
}

impl Reading<'_> {
    fn stream(&mut self, stream: TokenStream, wanted: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut n = 0;
        while let Some(tree) = trees.get(n) {
            n += 1;
            match tree {
                TokenTree::Punct(mark) if mark.as_char() == '#' => n = self.attribute(&trees, n),
                TokenTree::Ident(name) => {
                    let is_macro =
                        matches!(trees.get(n), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
                    let name = name.to_string();
                    if SILENT.contains(&&*name) && (is_macro || name == "expect") {
                        n += 1 + usize::from(is_macro);
                    } else if self.said == Said::Fields
                        && name == "Invalid"
                        && let Some(TokenTree::Group(group)) = trees.get(n + 3)
                        && matches!(trees.get(n + 2), Some(TokenTree::Ident(new)) if new == "new")
                    {
                        self.field(group);
                    }
                }
                TokenTree::Literal(literal) if wanted => self.literals.extend(value(&literal.to_string())),
                TokenTree::Group(group) => self.stream(group.stream(), wanted),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// After the `#`: what an error says is taken, what is not in a shipped build is passed over.
    fn attribute(&mut self, trees: &[TokenTree], at: usize) -> usize {
        match trees.get(at) {
            Some(tree) if keeps_out(tree) => {
                let ends = |tree: &TokenTree| match tree {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    TokenTree::Punct(mark) => mark.as_char() == ';',
                    _ => false,
                };
                let rest = trees.iter().skip(at + 1);
                at + 2 + rest.take_while(|tree| !ends(tree)).count()
            }
            Some(TokenTree::Group(attribute)) => {
                let inside: Vec<TokenTree> = attribute.stream().into_iter().collect();
                if let [TokenTree::Ident(name), TokenTree::Group(words)] = inside.as_slice()
                    && name == "error"
                    && self.said != Said::Fields
                {
                    self.stream(words.stream(), true);
                }
                at + 1
            }
            // `#![…]`
            _ => at + 2,
        }
    }

    /// `(path, words)`: the words stand in it, or come from a fault that is read where it is written.
    fn field(&mut self, group: &Group) {
        let words: Vec<TokenTree> = group
            .stream()
            .into_iter()
            .skip_while(|tree| !matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ','))
            .skip(1)
            .collect();
        let is_fault = matches!(words.first(), Some(TokenTree::Ident(name)) if name == "fault");
        let before = self.literals.len();
        self.stream(words.into_iter().collect(), true);
        if self.literals.len() == before && !is_fault {
            let line = group.span_open().start().line;
            self.faults.push(format!("{}:{line}: write the words into Invalid::new(…)", self.path));
        }
    }
}

/// What a literal of text says.
fn value(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('r') {
        return Some(raw.trim_matches('#').trim_matches('"').to_owned());
    }
    let inside = literal.strip_prefix('"')?.strip_suffix('"')?;
    let (mut text, mut chars) = (String::new(), inside.chars().peekable());
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next()? {
            'n' => text.push('\n'),
            '\n' => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            'u' => {
                let code: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                text.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
            }
            other => text.push(other),
        }
    }
    Some(text)
}

/// A text with `{}` for everything that is put into it.
fn template(text: &str) -> String {
    let (mut template, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).filter(|(name, _)| {
            let name = name.split(':').next().unwrap_or_default();
            name.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
        });
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            template.push(c);
            rest = after;
        } else if let Some((_, after)) = inside {
            template.push_str("{}");
            rest = after;
        } else {
            template.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    template
}

/// Words with blanks between them that are not a piece of TOML, a command, or the exit codes that help has.
fn is_sentence(text: &str) -> bool {
    let is_word = |pair: &[u8]| pair.iter().all(u8::is_ascii_lowercase);
    let begins = ["\"", "[\"", "[[", "[{", "[ ", "{ ", "#", "early = {", "hotline ", "Exit codes: "];
    text.contains(' ')
        && text.as_bytes().windows(2).any(is_word)
        && !begins.iter().any(|begin| text.starts_with(begin))
}

/// Everything that is said, with where it stands first.
fn said_in_the_tree() -> (BTreeMap<String, String>, Vec<String>) {
    let (mut said, mut faults) = (BTreeMap::new(), Vec::new());
    for (begins, what) in ROOMS {
        for path in tree::files_like(begins, ".rs") {
            if ELSEWHERE.iter().any(|(file, _)| *file == path) {
                continue;
            }
            let (templates, hidden) = sentences(&path, &tree::text(&path), what);
            faults.extend(hidden);
            for template in templates {
                said.entry(template).or_insert_with(|| path.clone());
            }
        }
    }
    (said, faults)
}

/// Sentences without a row, and rows without a sentence.
fn table_faults(said: &BTreeMap<String, String>, rows: &BTreeSet<&str>) -> Vec<String> {
    let without = said.iter().filter(|(text, _)| !rows.contains(text.as_str()));
    let without = without.map(|(text, path)| format!("{path}: say this in Chinese, in {TABLE}: {text:?}"));
    let left = rows.iter().filter(|text| !said.contains_key(**text));
    without.chain(left.map(|text| format!("{TABLE}: nothing says this any more: {text:?}"))).collect()
}

/// What a row puts where: holes that its template does not have, and holes that are lost.
fn hole_faults(template: &str, chinese: &str) -> Vec<String> {
    let holes = template.matches("{}").count();
    let put = |n: usize| chinese.contains(&format!("{{{n}}}")) || chinese.contains(&format!("{{{n}:zh}}"));
    let lost = (1..=holes).filter(|n| !put(*n)).map(|n| format!("{template:?}: hole {n} is lost"));
    let none = (holes + 1..=9).filter(|n| put(*n)).map(|n| format!("{template:?} has no hole {n}"));
    lost.chain(none).collect()
}

#[test]
fn every_sentence_of_the_other_rooms_has_words_in_chinese() {
    let table: toml::Table = toml::from_str(&tree::text(TABLE)).expect("a table of texts");
    let section = |name: &str| table[name].as_table().expect("a section");
    let rows: BTreeSet<&str> = section("said").keys().map(String::as_str).collect();
    let (said, mut faults) = said_in_the_tree();
    assert!(said.len() > 300, "{} sentences", said.len());
    faults.extend(table_faults(&said, &rows));
    for (template, chinese) in ["said", "words"].into_iter().flat_map(section) {
        faults.extend(hole_faults(template, chinese.as_str().expect("a text")));
    }
    for (path, _) in ELSEWHERE {
        assert!(!tree::text(path).is_empty());
    }
    assert_none(&faults);
}

#[test]
fn sentences_are_found_where_they_stand() {
    let text = r#"
        //! A comment says nothing.
        #[error("the {what} is {}: {source:?}", path.display())]
        struct Fault;
        fn f() {
            bail!("two \
                   parts {{ {max:02} }}");
            tracing::warn!("a word of the log");
            x.expect("a word for programmers");
            Invalid::new("a.field", format!("from {min} to {}", 9));
            Invalid::new(path(1, 2), fault.to_string());
            Invalid::new("hidden", mend);
            say("[shifts]\nhas no shift", "\"Mon early\"", "one", r"a raw \one");
        }
        #[cfg(test)]
        mod tests { const A: &str = "a test says nothing"; }
        const LAST: &str = "the last one";
    "#;
    let found = |said| sentences("a.rs", text, said);
    let all: Vec<String> = found(Said::All).0.into_iter().collect();
    let expected = [
        "a raw \\one",
        "from {} to {}",
        "has no shift",
        "the last one",
        "the {} is {}: {}",
        "two parts { {} }",
    ];
    assert_eq!(all, expected);
    assert_eq!(found(Said::Errors).0.into_iter().collect::<Vec<_>>(), ["the {} is {}: {}"]);
    let (fields, faults) = found(Said::Fields);
    assert_eq!(fields.into_iter().collect::<Vec<_>>(), ["from {} to {}"]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_found(&faults, &["a.rs:12: write the words into Invalid::new"]);
}

#[test]
fn what_is_missing_or_left_over_is_named() {
    let said = BTreeMap::from([("there is no {}".to_owned(), "a.rs".to_owned())]);
    assert_found(
        &table_faults(&said, &BTreeSet::from(["there was no {}"])),
        &["a.rs: say this in Chinese", "nothing says this any more"],
    );
    assert_none(&table_faults(&said, &BTreeSet::from(["there is no {}"])));
    assert_found(&hole_faults("{} is {}", "{1} 和 {3}"), &["hole 2 is lost", "has no hole 3"]);
    assert_none(&hole_faults("{} is {}", "{2:zh}和{1}"));
}
