//! Rust source as a stream of words with their lines: comments and lifetimes are gone, literals are told apart, and
//! what is not in a shipped build can be left out. Looks at tokens only; it does not know types.

use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};

/// The words of one file.
pub(crate) struct Words {
    words: Vec<(usize, Word)>,
}

/// One token that is worth looking at.
#[derive(Debug, PartialEq)]
pub(crate) enum Word {
    /// A name or keyword.
    Ident(String),
    /// A literal as written.
    Literal(String),
    /// One character of punctuation; an opening bracket stands for its group.
    Mark(char),
}

impl Words {
    /// All words of a file.
    pub(crate) fn of(path: &str, text: &str) -> Words {
        let mut words = Vec::new();
        flatten(stream(path, text), &mut words, false);
        Words { words }
    }

    /// The words of a file that are in a shipped build: without tests and planted mistakes.
    pub(crate) fn of_product(path: &str, text: &str) -> Words {
        let mut words = Vec::new();
        flatten(stream(path, text), &mut words, true);
        Words { words }
    }

    /// Names and keywords, with their lines.
    pub(crate) fn idents(&self) -> impl Iterator<Item = (usize, &str)> {
        self.words.iter().filter_map(|(line, word)| match word {
            Word::Ident(name) => Some((*line, name.as_str())),
            _ => None,
        })
    }

    /// Literals with a fraction, an exponent or a float suffix, with their lines.
    pub(crate) fn floats(&self) -> impl Iterator<Item = (usize, &str)> {
        let before = std::iter::once(&Word::Mark(' ')).chain(self.words.iter().map(|(_, word)| word));
        before.zip(&self.words).filter_map(|(before, (line, word))| match word {
            // `pair.0.1` is read as a dot and a number with a fraction.
            Word::Literal(literal) if is_float(literal) && *before != Word::Mark('.') => {
                Some((*line, literal.as_str()))
            }
            _ => None,
        })
    }

    /// Lines on which this sequence begins, written as words: `[".", "unwrap", "("]`.
    pub(crate) fn lines_with(&self, sequence: &[&str]) -> Vec<usize> {
        let same = |(found, wanted): (&(usize, Word), &&str)| match &found.1 {
            Word::Ident(name) | Word::Literal(name) => name == wanted,
            Word::Mark(mark) => wanted.chars().eq([*mark]),
        };
        let windows = self.words.windows(sequence.len());
        windows.filter(|window| window.iter().zip(sequence).all(same)).map(|window| window[0].0).collect()
    }
}

fn stream(path: &str, text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("{path} is not Rust: {error}"))
}

fn flatten(tokens: TokenStream, words: &mut Vec<(usize, Word)>, shipped: bool) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let line = token.span().start().line;
        match token {
            TokenTree::Punct(hash) if hash.as_char() == '#' && shipped => {
                if tokens.peek().is_some_and(keeps_out) {
                    skip_item(&mut tokens);
                } else {
                    words.push((line, Word::Mark('#')));
                }
            }
            TokenTree::Punct(quote) if quote.as_char() == '\'' => {
                tokens.next();
            }
            TokenTree::Punct(mark) => words.push((line, Word::Mark(mark.as_char()))),
            TokenTree::Ident(name) => words.push((line, Word::Ident(name.to_string()))),
            TokenTree::Literal(literal) => words.push((line, Word::Literal(literal.to_string()))),
            TokenTree::Group(group) => {
                let mark = match group.delimiter() {
                    Delimiter::Parenthesis => '(',
                    Delimiter::Brace => '{',
                    Delimiter::Bracket => '[',
                    Delimiter::None => ' ',
                };
                words.push((line, Word::Mark(mark)));
                flatten(group.stream(), words, shipped);
            }
        }
    }
}

/// What is never in a shipped build. Nothing wider: `cfg(any(test, …))` may be in one.
const NOT_SHIPPED: [&str; 2] = ["cfg(test)", "cfg(feature=\"planted-bugs\")"];

/// Whether an attribute keeps what follows it out of a shipped build.
pub(crate) fn keeps_out(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    NOT_SHIPPED.contains(&group.stream().to_string().replace(' ', "").as_str())
}

/// Goes on to the end of the item: its body in braces, or its semicolon.
fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(mark) if mark.as_char() == ';' => return,
            _ => {}
        }
    }
}

fn is_float(literal: &str) -> bool {
    let starts_as_number = literal.starts_with(|first: char| first.is_ascii_digit());
    let other_base = ["0x", "0b", "0o"].iter().any(|base| literal.starts_with(base));
    let suffix = literal.ends_with("f32") || literal.ends_with("f64");
    starts_as_number
        && !other_base
        && (literal.contains(['.', 'e', 'E']) && !literal.contains("size") || suffix)
}

#[test]
fn floats_are_told_from_whole_numbers() {
    let text = "const A: u64 = 1_000usize + 0xfe + 2isize + pair.0.1; const B: X = 1.5 + 2f64 + 3e4 + 5.;";
    let words = Words::of("sample", text);
    assert_eq!(words.floats().map(|(_, float)| float).collect::<Vec<_>>(), ["1.5", "2f64", "3e4", "5."]);
    assert!(is_float(&Literal::f64_suffixed(1.0).to_string()));
}

#[test]
fn comments_and_tests_are_left_out() {
    let text = "// alpha\nfn beta<'alpha>() {}\n#[cfg(test)]\nmod tests { fn gamma() {} }\n#[cfg(any(test))]\nfn delta() {}\n\
                #[cfg(feature = \"planted-bugs\")]\nstatic gamma: u8 = 1;\n#[cfg(not(feature = \"planted-bugs\"))]\nfn eta() {}";
    let product: Vec<String> =
        Words::of_product("sample", text).idents().map(|(line, name)| format!("{line}{name}")).collect();
    assert!(
        product.contains(&"2beta".into())
            && product.contains(&"6delta".into())
            && product.contains(&"10eta".into()),
        "{product:?}"
    );
    assert!(!product.iter().any(|name| name.contains("alpha") || name.contains("gamma")), "{product:?}");
    assert!(Words::of("sample", text).idents().any(|(_, name)| name == "gamma"));
}
