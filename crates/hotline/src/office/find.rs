//! What somebody meant by an id: that id, a piece of it, or one near it.

use switchboard::id::{NameFault, OperatorId};

use super::fault::{Exit, Fault, Told};
use super::said::{Said, said};

/// So many names are told at once.
const TOLD_MAX: usize = 8;

/// A kind of thing that has ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    zh: &'static str,
    en: &'static str,
    /// The command that lists them.
    list: &'static str,
}

impl Kind {
    /// What people call it, and the command that lists them.
    pub(super) const fn of(zh: &'static str, en: &'static str, list: &'static str) -> Kind {
        Kind { zh, en, list }
    }

    /// What people call it, in Chinese and English.
    pub(super) const fn names(self) -> (&'static str, &'static str) {
        (self.zh, self.en)
    }
}

pub(super) const LINE: Kind = Kind::of("热线", "line", "hotline line list");
pub(super) const OPERATOR: Kind = Kind::of("接线员", "operator", "hotline operator list");
pub(super) const TEAM: Kind = Kind::of("班组", "team", "hotline team list");
pub(super) const CALL: Kind = Kind::of("通话", "call", "hotline call list");
pub(super) const ERASURE: Kind = Kind::of("删除申请", "erasure", "hotline privacy list");
pub(super) const DESTINATION: Kind = Kind::of("外线号码", "destination", "hotline plan get");
pub(super) const SITE: Kind = Kind::of("站点", "site", "hotline site list");
pub(super) const PROFILE: Kind = Kind::of("配置", "profile", "profiles.toml");

/// What is taken for an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// The whole id: something will be changed.
    Whole,
    /// Also its beginning, if only one begins like that: somebody only looks.
    Beginning,
}

/// One that could be meant.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: String,
    /// What else people call it.
    pub(super) names: Vec<String>,
}

impl Known {
    /// With no other name.
    pub(super) fn id(id: impl Into<String>) -> Known {
        Known { id: id.into(), names: Vec::new() }
    }
}

/// The id that is meant.
///
/// # Errors
/// When none is, with those near it; when several could be, with all of them.
pub(super) fn find(kind: Kind, typed: &str, known: &[Known], taken: Taken) -> Told<String> {
    if let Some(exact) = known.iter().find(|known| known.id == typed) {
        return Ok(exact.id.clone());
    }
    let begins: Vec<&str> = known
        .iter()
        .map(|known| known.id.as_str())
        .filter(|id| !typed.is_empty() && id.starts_with(typed))
        .collect();
    match (taken, begins.as_slice()) {
        (Taken::Beginning, [one]) => Ok((*one).to_owned()),
        (Taken::Beginning, [_, _, ..]) => Err(ambiguous(kind, typed, &begins)),
        (Taken::Whole, [_, ..]) => Err(not_whole(kind, typed, &begins)),
        (_, []) => Err(unknown(kind, typed, known)),
    }
}

fn ambiguous(kind: Kind, typed: &str, begins: &[&str]) -> Fault {
    let (zh, en) = listed(begins);
    let what = said(
        format!("{typed:?} 可指多个{}", kind.zh),
        format!("{typed:?} could be more than one {}", kind.en),
    );
    Fault::new(Exit::Usage, "AMBIGUOUS", what)
        .mend(said(format!("写全：{zh}"), format!("write more of it: {en}")))
}

fn not_whole(kind: Kind, typed: &str, begins: &[&str]) -> Fault {
    let (zh, en) = listed(begins);
    let what = said(
        format!("没有{} {typed:?}；要更改就须写全名", kind.zh),
        format!("there is no {} {typed:?}; a change takes the whole id", kind.en),
    );
    Fault::new(Exit::Refused, "UNKNOWN", what)
        .mend(said(format!("写全：{zh}"), format!("write it whole: {en}")))
}

/// None of this name, and which are near.
pub(super) fn unknown(kind: Kind, typed: &str, known: &[Known]) -> Fault {
    let what = said(format!("没有{} {typed:?}", kind.zh), format!("there is no {} {typed:?}", kind.en));
    Fault::new(Exit::Refused, "UNKNOWN", what).mend(meant(kind, typed, known))
}

/// Which one was probably meant.
pub(super) fn meant(kind: Kind, typed: &str, known: &[Known]) -> Said {
    let near = nearest(typed, known);
    if near.is_empty() {
        let list = kind.list;
        return said(format!("查看现有的：{list}"), format!("see which there are: {list}"));
    }
    let (zh, en) = listed(&near);
    said(format!("您是否指 {zh}？"), format!("did you mean {en}?"))
}

fn listed(ids: &[&str]) -> (String, String) {
    let mut text = ids.iter().take(TOLD_MAX).copied().collect::<Vec<_>>().join(", ");
    let more = ids.len().saturating_sub(TOLD_MAX);
    if more == 0 {
        return (text.clone(), text);
    }
    text.push_str(", ");
    (format!("{text}另有 {more} 个"), format!("{text}and {more} more"))
}

/// Those called so; else those nearest by spelling, if any are near.
fn nearest<'a>(typed: &str, known: &'a [Known]) -> Vec<&'a str> {
    let plain = typed.to_lowercase();
    let far = (plain.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = Vec::new();
    for one in known {
        let spelt = strsim::damerau_levenshtein(&plain, &one.id.to_lowercase());
        let called = !plain.is_empty() && one.names.iter().any(|name| name.to_lowercase().contains(&plain));
        let inside = plain.chars().count() >= 3 && one.id.contains(&plain);
        if called || inside {
            near.push((0, one.id.as_str()));
        } else if spelt <= far {
            near.push((spelt, one.id.as_str()));
        }
    }
    near.sort_unstable();
    near.dedup();
    let nearest = near.first().map_or(0, |(far, _)| *far);
    near.into_iter().filter(|(far, _)| *far == nearest).map(|(_, id)| id).collect()
}

/// An id for something new.
///
/// # Errors
/// When it has characters that no id has.
pub(super) fn new_id(kind: Kind, typed: &str) -> Told<()> {
    let Err(fault) = typed.parse::<OperatorId>() else { return Ok(()) };
    let what = said(
        format!("{typed:?} 不能作{}的标识", kind.zh),
        format!("{typed:?} cannot be the id of any {}", kind.en),
    );
    let lower: String =
        typed.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let lower = lower.trim_matches('-');
    let mend = match lower.parse::<OperatorId>() {
        Ok(_) if typed.is_ascii() => said(format!("例如写 {lower}"), format!("write, for example, {lower}")),
        _ => said("只用 a-z、0-9 和 -，最多 63 个字符", "use only a-z, 0-9 and '-', at most 63 characters"),
    };
    Err(Fault::usage("BAD_ID", what).because(why(fault)).mend(mend))
}

fn why(fault: NameFault) -> Said {
    let zh = match fault {
        NameFault::Empty => "标识不能为空".to_owned(),
        NameFault::TooLong => "标识最多 63 个字符".to_owned(),
        NameFault::BadByte(at) => format!("标识只用 a-z、0-9 和 -；第 {} 个字符不是", at + 1),
    };
    said(zh, fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    fn known() -> Vec<Known> {
        let lines =
            [("emergency", "急诊咨询"), ("outpatient-1", "门诊热线一"), ("outpatient-2", "门诊热线二")];
        lines.map(|(id, zh)| Known { id: id.to_owned(), names: vec![zh.to_owned()] }).into()
    }

    fn told(typed: &str, taken: Taken) -> String {
        find(LINE, typed, &known(), taken).expect_err(typed).lines(Lang::En).join("\n")
    }

    #[test]
    fn a_beginning_is_enough_to_look_and_not_to_change() {
        assert_eq!(find(LINE, "eme", &known(), Taken::Beginning).expect("one"), "emergency");
        assert!(told("eme", Taken::Whole).contains("write it whole: emergency"));
        assert!(told("out", Taken::Beginning).contains("outpatient-1, outpatient-2"));
    }

    #[test]
    fn a_slip_gets_the_nearest_name() {
        assert!(told("emergancy", Taken::Whole).contains("did you mean emergency?"));
        assert!(told("outpatient-3", Taken::Beginning).contains("outpatient-1, outpatient-2"));
        assert!(told("急诊", Taken::Whole).contains("did you mean emergency?"));
        assert!(told("zzz", Taken::Whole).contains("hotline line list"));
        assert!(told("", Taken::Beginning).contains("hotline line list"));
    }

    #[test]
    fn a_new_id_is_looked_at_before_anybody_is_asked() {
        new_id(OPERATOR, "li-na").expect("an id");
        let fault = new_id(OPERATOR, "Li Na").expect_err("a blank").lines(Lang::En).join("\n");
        assert!(fault.contains("li-na"), "{fault}");
        new_id(OPERATOR, "李娜").expect_err("not these letters");
    }
}
