//! What other rooms say in English sentences, in Simplified Chinese: what is wrong with a text or a field, why a text was not
//! changed, why a server does not start. A sentence is found by its template; one without a row stays as it is.
//!
//! Not here: what this room says itself, which is written in both languages where it is said.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::OnceLock;

use crate::lang::Lang;
use crate::office::said::{Said, said};

/// Each template, and what it is in Chinese.
const TABLE: &str = include_str!("zh-CN.toml");

/// Longest line that is looked at, in bytes: a sentence is shorter, and what a stranger wrote costs little.
const LINE_BYTES_MAX: usize = 2_000;
/// Most parts of a line with colons between them.
const PARTS_MAX: usize = 8;

/// An English text in both languages.
pub(crate) fn translated(english: impl Display) -> Said {
    let english = english.to_string();
    said(chinese(&english), english)
}

/// An English text in this language.
pub(crate) fn told(lang: Lang, english: impl Display) -> String {
    match lang {
        Lang::Zh => chinese(english),
        Lang::En => english.to_string(),
    }
}

/// An English text in Chinese, line by line; of a drawing all but what it shows of the source.
pub(crate) fn chinese(english: impl Display) -> String {
    english.to_string().split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A reason and its mend, as a server writes them behind each other.
pub(crate) fn reason_and_mend(english: &str) -> String {
    let both = english.match_indices("; ").find_map(|(at, sign)| {
        Some(format!("{}；{}", by_template(&english[..at])?, by_template(&english[at + sign.len()..])?))
    });
    both.unwrap_or_else(|| chinese(english))
}

/// How a drawing begins its title and its help, and what that is in Chinese.
const MARKS: [(&str, &str); 3] = [("error: ", "错误："), ("warning: ", "警告："), ("= help: ", "= 办法：")];

fn line(line: &str) -> String {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    if text.is_empty() || text.starts_with("--> ") || text.starts_with("::: ") || is_source(text) {
        return line.to_owned();
    }
    if text.starts_with('|') {
        let label = text.trim_start_matches(['|', '^', '-', '_', '/', '\\', ' ']);
        let drawn = &line[..line.len() - label.len()];
        return format!("{drawn}{}", sentence(label).unwrap_or_else(|| label.to_owned()));
    }
    let marked = MARKS.iter().find_map(|(english, chinese)| Some((*chinese, text.strip_prefix(english)?)));
    let (mark, text) = marked.unwrap_or(("", text));
    format!("{indent}{mark}{}", sentence(text).unwrap_or_else(|| text.to_owned()))
}

/// A line of the source, with its number: `8 | vol-1 = "daily erly"`.
fn is_source(text: &str) -> bool {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.len() < text.len() && rest.trim_start().starts_with('|')
}

/// A sentence in Chinese, or what of it can be said: parts with colons between them, as the causes of a fault.
fn sentence(english: &str) -> Option<String> {
    if english.len() > LINE_BYTES_MAX {
        return None;
    }
    let parts: Vec<&str> = english.splitn(PARTS_MAX, ": ").collect();
    let (mut said, mut rest, mut found) = (String::new(), parts.as_slice(), false);
    while !rest.is_empty() {
        let fitting = (1..=rest.len()).filter_map(|n| Some((n, weighed(&rest[..n].join(": "))?)));
        // A short template with everything behind it in its hole says less than a long one of the beginning.
        let best = fitting.max_by_key(|(n, (weight, _))| (*weight, *n));
        let (taken, chinese) = best.map_or_else(|| (1, rest[0].to_owned()), |(n, (_, chinese))| (n, chinese));
        found |= chinese != rest[..taken].join(": ");
        said.push_str(&chinese);
        rest = &rest[taken..];
        if !rest.is_empty() {
            said.push_str(if found { "：" } else { ": " });
        }
    }
    found.then_some(said)
}

/// A template and its Chinese.
struct Row {
    /// What stands between the holes.
    pieces: Vec<&'static str>,
    chinese: Vec<Part>,
}

/// A part of a Chinese sentence.
enum Part {
    Text(&'static str),
    Hole { number: usize, in_chinese: bool },
}

impl Row {
    fn of(template: &'static str, chinese: &'static str) -> Row {
        let mut parts = Vec::new();
        let mut rest = chinese;
        while let Some((at, hole, length)) = first_hole(rest) {
            parts.extend([Part::Text(&rest[..at]), hole]);
            rest = &rest[at + length..];
        }
        parts.push(Part::Text(rest));
        Row { pieces: template.split("{}").collect(), chinese: parts }
    }

    /// What stands in the holes, if a sentence is of this template.
    fn holes<'s>(&self, sentence: &'s str) -> Option<Vec<&'s str>> {
        let (first, others) = self.pieces.split_first()?;
        let mut rest = sentence.strip_prefix(first)?;
        let Some((last, between)) = others.split_last() else { return rest.is_empty().then(Vec::new) };
        let mut holes = Vec::with_capacity(others.len());
        for piece in between {
            let at = rest.find(piece)?;
            holes.push(&rest[..at]);
            rest = &rest[at + piece.len()..];
        }
        holes.push(rest.strip_suffix(last)?);
        Some(holes)
    }

    fn weight(&self) -> usize {
        self.pieces.iter().map(|piece| piece.len()).sum()
    }

    fn filled(&self, holes: &[&str]) -> String {
        let parts = self.chinese.iter().map(|part| match part {
            Part::Text(text) => (*text).to_owned(),
            Part::Hole { number, in_chinese } => {
                let held = holes.get(number - 1).copied().unwrap_or_default();
                let said = if *in_chinese { sentence(held) } else { None };
                said.unwrap_or_else(|| held.to_owned())
            }
        });
        parts.collect()
    }
}

/// The first `{1}` or `{1:zh}`: where it stands, what it is, and its length.
fn first_hole(text: &str) -> Option<(usize, Part, usize)> {
    text.match_indices('{').find_map(|(at, _)| {
        let inside = text[at + 1..].split('}').next()?;
        let (number, in_chinese) = match inside.strip_suffix(":zh") {
            Some(number) => (number, true),
            None => (inside, false),
        };
        let number = number.parse().ok().filter(|number| *number > 0)?;
        Some((at, Part::Hole { number, in_chinese }, inside.len() + 2))
    })
}

/// By the template that has most of the sentence in its own words.
fn by_template(english: &str) -> Option<String> {
    weighed(english).map(|(_, chinese)| chinese)
}

/// The same, and how much it has of the sentence in its own words.
fn weighed(english: &str) -> Option<(usize, String)> {
    let fitting = rows().iter().filter_map(|row| Some((row, row.holes(english)?)));
    let (row, holes) = fitting.max_by_key(|(row, _)| row.weight())?;
    Some((row.weight(), row.filled(&holes)))
}

fn rows() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        static TABLES: OnceLock<BTreeMap<String, BTreeMap<String, String>>> = OnceLock::new();
        let tables = TABLES.get_or_init(|| toml::from_str(TABLE).expect("a table of texts: a test reads it"));
        tables.values().flatten().map(|(english, chinese)| Row::of(english, chinese)).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROSTER: &str = include_str!("../../../../config/roster.toml");

    fn has_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    /// Two English words behind each other that are not quoted: names, fields and examples are.
    fn english_in(text: &str) -> Option<String> {
        let mut bare = String::new();
        let mut until = None;
        for c in text.chars() {
            match until {
                Some(end) if c == end => until = None,
                Some(_) => {}
                None => match c {
                    '"' | '\'' | '`' => until = Some(c),
                    '[' => until = Some(']'),
                    '{' => until = Some('}'),
                    _ => bare.push(c),
                },
            }
        }
        let words: Vec<&str> = bare.split(' ').collect();
        let is_word = |word: &str| word.len() > 2 && word.bytes().all(|b| b.is_ascii_lowercase());
        words.windows(2).find(|pair| pair.iter().all(|word| is_word(word))).map(|pair| pair.join(" "))
    }

    /// The same text with one mistake, for many mistakes.
    fn spoilt(text: &str) -> Vec<String> {
        const VALUES: [&str; 8] =
            ["15", "\"x y\"", "true", "[]", "{}", "\"3 parsecs\"", "[\"Mon-Fry 08:00-25:00\", \"Mon\"]", ""];
        let lines: Vec<&str> = text.lines().collect();
        let with = |n: usize, line: &str| {
            let all = lines.iter().enumerate().map(|(at, kept)| if at == n { line } else { *kept });
            all.collect::<Vec<_>>().join("\n")
        };
        let fields = lines.iter().enumerate().filter_map(|(n, line)| Some((n, line.split_once(" = ")?)));
        let fields = fields.filter(|(_, (name, _))| !name.trim_start().starts_with('#'));
        fields
            .flat_map(|(n, (name, value))| {
                let values = [VALUES[n % VALUES.len()], VALUES[(n + 3) % VALUES.len()]];
                let wrong = values.map(|value| format!("{name} = {value}"));
                let others = [format!("{}x = {value}", name.trim_end()), String::new()];
                let twice = format!("{name} = {value}\n{name} = {value}");
                wrong.into_iter().chain(others).chain([twice]).map(move |line| (n, line))
            })
            .map(|(n, line)| with(n, &line))
            .collect()
    }

    fn assert_in_chinese(finding: &plan::Finding) {
        for english in [&finding.reason, &finding.mend] {
            let chinese = chinese(english);
            assert!(has_chinese(&chinese) && english_in(&chinese).is_none(), "{english}\n{chinese}");
        }
        let (drawn, shown) = (chinese(finding), finding.to_string());
        assert_eq!(drawn.lines().count(), shown.lines().count(), "{drawn}");
        assert!(drawn.contains("= 办法：") && !drawn.contains("= help"), "{drawn}");
        for source in shown.lines().filter(|line| is_source(line.trim_start())) {
            assert!(drawn.contains(source), "{source:?} is not in {drawn}");
        }
    }

    #[test]
    fn whatever_is_wrong_with_a_plan_or_a_roster_is_told_in_chinese() {
        let plans = spoilt(plan::HOSPITAL);
        let plans = plans.iter().map(|text| plan::parse("hospital.toml", text).map(|parsed| parsed.warnings));
        let rosters = spoilt(ROSTER);
        let rosters = rosters.iter().map(|text| {
            plan::roster::parse("roster.toml", text, "Asia/Shanghai").map(|parsed| parsed.warnings)
        });
        let mut told = 0;
        for found in plans.chain(rosters) {
            let findings = found.unwrap_or_else(|errors| errors.findings);
            findings.iter().for_each(assert_in_chinese);
            told += findings.len();
        }
        assert!(told > 300, "{told}");
    }

    #[test]
    fn parts_of_a_sentence_are_said_in_their_order() {
        for (english, expected) in [
            ("there is no shift 'erly'", "没有班次 'erly'"),
            (
                "with nobody on duty, a caller of line 'duty' (an emergency) reaches nobody on Mon 07:30: no outside number is rung",
                "无人在岗时，热线 duty 的来电者（急诊）在周一 07:30 找不到任何人：没有外线号码会振铃",
            ),
            ("text in quotes is wanted here, this is a number", "此处应为带引号的文字，写的却是数字"),
            (
                "'a_b' is not an id: an id uses only a-z, 0-9 and '-'; character 2 is none of them",
                "'a_b' 不能作标识：标识只用 a-z、0-9 和 -；第 2 个字符不是",
            ),
            (
                "people are in team 'youth': ana, ben and 3 more",
                "班组 youth 里还有人：ana, ben 等，另有 3 人",
            ),
            (
                "cannot listen on 127.0.0.1:7430: Address already in use (os error 98); name another address, or \
                 free this one",
                "无法在 127.0.0.1:7430 监听：地址已被占用；请换一个地址，或让出这个地址",
            ),
            (
                "a.pem: certificate and private key do not go together: Broken",
                "a.pem: 证书与私钥不配套：Broken",
            ),
        ] {
            assert_eq!(chinese(english), expected);
        }
        assert_eq!(
            reason_and_mend("there is no shift 'erly'; did you mean 'early'?"),
            "没有班次 'erly'；您是否指 early？"
        );
        let whole = "all lines together open 12000 times a week; 10000 are the most; write fewer windows, here to begin with";
        assert_eq!(
            reason_and_mend(whole),
            "所有热线一周共开放 12000 次，最多 10000 次；少写些时段，先从这里减"
        );
    }

    #[test]
    fn what_has_no_row_is_told_as_it_is() {
        for text in
            ["a sentence nobody has written yet", "一句中文", "", "x: y", "8 | who = \"error: is nobody\""]
        {
            assert_eq!(chinese(text), text);
        }
        let long = format!("{} is nobody", "x".repeat(LINE_BYTES_MAX));
        assert_eq!(chinese(&long), long);
    }

    #[test]
    fn a_drawing_keeps_its_lines_and_what_it_shows() {
        let drawing = "error: 'op-1' has the shift 'early' twice on Mon\n  --> roster:9:11\n   |\n8  | a = \"Mon first here\"\n   |     --- with this\n9  | b = 1\n   |     ^\n   |\n   = help: keep one of them";
        let expected = "错误：'op-1' 在 周一 排了两次 early\n  --> roster:9:11\n   |\n8  | a = \"Mon first here\"\n   |     --- 与此冲突\n9  | b = 1\n   |     ^\n   |\n   = 办法：留下一个";
        assert_eq!(chinese(drawing), expected.replace("'op-1'", "op-1"));
    }
}
