//! One thing said in both languages, and how text that others wrote is made safe to show.

use crate::lang::Lang;

/// The same in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    zh: String,
    en: String,
}

/// The same in both languages.
pub(crate) fn said(zh: impl Into<String>, en: impl Into<String>) -> Said {
    Said { zh: zh.into(), en: en.into() }
}

/// What is the same in every language: a name, or a library's words.
pub(crate) fn same(text: impl Into<String>) -> Said {
    let text = text.into();
    Said { zh: text.clone(), en: text }
}

impl Said {
    /// In this language.
    pub(crate) fn of(&self, lang: Lang) -> &str {
        lang.of(&self.zh, &self.en)
    }
}

/// A count and its noun in English.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Whether a terminal would act on it, or a reader would not see it: controls, marks that turn the direction of text,
/// and characters without a width.
pub(super) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text that others wrote, on one line, with what is hostile written out: `\u{1b}`.
pub(crate) fn clean(text: &str) -> String {
    if !text.contains(is_hostile) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_hostile(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// The same for a text of several lines, whose line ends and tabs stay.
pub(crate) fn clean_lines(text: &str) -> String {
    let kept = |c| matches!(c, '\n' | '\t');
    let shown =
        |c: char| if is_hostile(c) && !kept(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_would_act_on_is_left() {
        let hostile = "急诊\u{1b}[2J\u{202e}x\r\n\u{200b}\u{9b}\u{7f}";
        assert_eq!(clean(hostile), "急诊\\u{1b}[2J\\u{202e}x\\u{d}\\u{a}\\u{200b}\\u{9b}\\u{7f}");
        assert_eq!(clean_lines("a\n\tb\u{1b}"), "a\n\tb\\u{1b}");
        assert_eq!(clean("Ärzte 急诊 №1"), "Ärzte 急诊 №1");
    }
}
