//! What a plan would change, and what would become of the callers who wait.

use std::collections::{BTreeMap, BTreeSet};

use api::v1;
use console::Style;
use serde::Serialize;

use crate::lang::Lang;
use crate::office::asking::Office;
use crate::office::fault::Told;
use crate::office::said::{Said, clean, counted, said};

/// What would change, as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    /// The revision compared with.
    pub(super) revision: u32,
    pub(super) changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    path: String,
    kind: &'static str,
    /// As JSON; none for an addition.
    before: Option<serde_json::Value>,
    /// As JSON; none for a removal.
    after: Option<serde_json::Value>,
}

/// A value on one line, not longer than this.
const VALUE_CHARS_MAX: usize = 100;

impl Difference {
    pub(super) fn of(sent: v1::DiffPlanResponse) -> Difference {
        let value = |text: &str| serde_json::from_str(text).ok();
        let changes = sent.changes.iter().map(|change| Change {
            kind: match change.kind() {
                v1::PlanChangeKind::Added => "added",
                v1::PlanChangeKind::Removed => "removed",
                v1::PlanChangeKind::Changed | v1::PlanChangeKind::Unspecified => "changed",
            },
            path: change.path.clone(),
            before: value(&change.before),
            after: value(&change.after),
        });
        Difference { revision: sent.revision, changes: changes.collect() }
    }

    /// The lines that would be removed.
    pub(super) fn removed_lines(&self) -> Vec<String> {
        let removed = self.changes.iter().filter(|change| change.kind == "removed");
        let lines = removed.filter_map(|change| change.path.strip_prefix("lines."));
        lines.filter(|id| !id.contains('.')).map(str::to_owned).collect()
    }

    /// On standard output.
    pub(super) fn write(&self, office: &Office) -> Told<()> {
        if office.answer.is_object() {
            return office.answer.one("plan_diff", self);
        }
        office.answer.text(&self.lines(|| Style::new().for_stdout()))
    }

    /// One line for each change, in the manner of a patch.
    pub(super) fn lines(&self, style: fn() -> Style) -> Vec<String> {
        let shown = |value: &Option<serde_json::Value>| {
            let text = clean(&value.as_ref().map(ToString::to_string).unwrap_or_default());
            match text.char_indices().nth(VALUE_CHARS_MAX) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        };
        let line = |change: &Change| {
            let path = clean(&change.path);
            match change.kind {
                "added" => {
                    style().green().apply_to(format!("+ {path} = {}", shown(&change.after))).to_string()
                }
                "removed" => {
                    style().red().apply_to(format!("- {path} = {}", shown(&change.before))).to_string()
                }
                _ => style()
                    .yellow()
                    .apply_to(format!("~ {path}: {} -> {}", shown(&change.before), shown(&change.after)))
                    .to_string(),
            }
        };
        self.changes.iter().map(line).collect()
    }
}

/// Callers who wait on a line that would be removed, as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Waiting {
    line: String,
    /// Where they would go; none: they finish where they are.
    to: Option<String>,
    /// Those in the queue, by call id.
    waiting: Vec<String>,
    /// Those for whom a phone rings, who talk, or are with an outside number: these finish in any case.
    others: usize,
}

/// What would become of everybody who is on a removed line.
///
/// # Errors
/// The server's no.
pub(super) async fn waiting(
    office: &Office,
    removed: &[String],
    moves: &BTreeMap<String, String>,
) -> Told<Vec<Waiting>> {
    let mut told = Vec::new();
    for line in removed {
        let mut one =
            Waiting { line: line.clone(), to: moves.get(line).cloned(), waiting: Vec::new(), others: 0 };
        for call in office.calls_on(line).await? {
            match call.state() {
                v1::CallState::Waiting => one.waiting.push(call.call_id),
                _ => one.others += 1,
            }
        }
        told.push(one);
    }
    Ok(told)
}

/// How many callers wait on lines that stay: to these, and to no others, a migration promises the new plan.
///
/// # Errors
/// The server's no.
pub(super) async fn migrating(office: &Office, kept: &BTreeSet<String>) -> Told<usize> {
    let calls = office.calls_on("").await?;
    let waiting = calls.iter().filter(|call| call.state() == v1::CallState::Waiting);
    Ok(waiting.filter(|call| kept.contains(&call.line_id)).count())
}

/// So many of those who wait are promised the new plan.
pub(super) fn promised(count: usize) -> Said {
    let callers = counted(count, "waiting caller", "waiting callers");
    said(
        format!("保留的热线上有 {count} 个等候的来电改用新方案"),
        format!("{callers} on lines that stay would be promised the new plan"),
    )
}

/// So many waiting calls are named.
const NAMED_MAX: usize = 20;

impl Waiting {
    /// In words, with the calls by id.
    pub(super) fn words(&self) -> Said {
        let Waiting { line, to, waiting, others } = self;
        let count = waiting.len();
        let zh_to = match to {
            Some(to) => format!("转到 {to}，保持位置"),
            None => "留在原线等完（不再进新来电）".to_owned(),
        };
        let en_to = match to {
            Some(to) => format!("would move to {to} and keep their place"),
            None => "would finish where they are (no new calls come in)".to_owned(),
        };
        let mut zh = format!("热线 {line} 将移除：{count} 个等候的来电{zh_to}；另有 {others} 个通话照常结束");
        let callers = counted(count, "waiting caller", "waiting callers");
        let calls = counted(*others, "other call finishes", "other calls finish");
        let mut en = format!("line {line} would be removed: {callers} {en_to}; {calls} as usual");
        for (n, call) in waiting.iter().enumerate() {
            if n == NAMED_MAX {
                zh.push_str(&format!("\n    … 另有 {} 个", count - n));
                en.push_str(&format!("\n    … and {} more", count - n));
                break;
            }
            zh.push_str(&format!("\n    {call}"));
            en.push_str(&format!("\n    {call}"));
        }
        said(zh, en)
    }
}

/// Where waiting callers of removed lines go: `FROM=TO` pairs that fit the plan.
///
/// # Errors
/// When one is no pair, is said twice, or is about a line that stays or does not.
pub(super) fn moves(
    pairs: &[String],
    removed: &[String],
    kept: &BTreeSet<String>,
) -> Told<BTreeMap<String, String>> {
    use crate::office::fault::Fault;
    use crate::office::find::{Known, LINE, unknown};
    let mut moves = BTreeMap::new();
    for pair in pairs {
        let shown = clean(pair);
        let bad = |what: Said| Fault::usage("BAD_MOVE", what);
        let Some((from, to)) = pair.split_once('=') else {
            let what = said(
                format!("--move-waiting-to {shown:?} 不成对"),
                format!("--move-waiting-to {shown:?} is no pair"),
            );
            return Err(
                bad(what).mend(said("写成 移除的热线=保留的热线", "write REMOVED=STAYING, two ids of lines"))
            );
        };
        if kept.contains(from) {
            let what =
                said(format!("热线 {from} 并不移除"), format!("line {from} is not removed by this plan"));
            return Err(
                bad(what).mend(said("只为被移除的热线指定去处", "say this only of lines that are removed"))
            );
        }
        if !removed.iter().any(|line| line == from) {
            let known: Vec<Known> = removed.iter().map(Known::id).collect();
            return Err(unknown(LINE, from, &known));
        }
        if !kept.contains(to) {
            let known: Vec<Known> = kept.iter().map(Known::id).collect();
            return Err(unknown(LINE, to, &known));
        }
        if moves.insert(from.to_owned(), to.to_owned()).is_some() {
            let what =
                said(format!("热线 {from} 有两个去处"), format!("line {from} is given two places to go to"));
            return Err(bad(what).mend(said("只写一个", "say one")));
        }
    }
    Ok(moves)
}

/// The text of a heading in the language of an answer.
pub(super) fn heading(lang: Lang, revision: u32) -> String {
    match lang {
        Lang::Zh => format!("相对现行的第 {revision} 版："),
        Lang::En => format!("compared with revision {revision}, which is in force:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pair: &str) -> String {
        let removed = ["outpatient-2".to_owned()];
        let kept = BTreeSet::from(["outpatient-1".to_owned(), "duty".to_owned()]);
        match moves(&[pair.to_owned()], &removed, &kept) {
            Ok(moves) => format!("{moves:?}"),
            Err(fault) => fault.lines(Lang::En).join("\n"),
        }
    }

    #[test]
    fn waiting_callers_go_from_a_removed_line_to_one_that_stays() {
        assert_eq!(told("outpatient-2=duty"), r#"{"outpatient-2": "duty"}"#);
        assert!(told("outpatient-2").contains("REMOVED=STAYING"));
        assert!(told("outpatient-2=dutty").contains("did you mean duty?"));
        assert!(told("duty=outpatient-1").contains("line duty is not removed"));
        assert!(told("outpatient-3=duty").contains("did you mean outpatient-2?"));
    }

    #[test]
    fn a_change_is_one_line_and_nothing_in_it_is_hostile() {
        let change = |kind, before: Option<&str>, after: Option<&str>| Change {
            path: "lines.duty.title.zh".to_owned(),
            kind,
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        let changes = vec![
            change("added", None, Some("x\u{202e}")),
            change("removed", Some("y"), None),
            change("changed", Some("y"), Some(&"z".repeat(500))),
        ];
        let lines = Difference { revision: 1, changes }.lines(|| Style::new().force_styling(false));
        assert_eq!(lines[0], r#"+ lines.duty.title.zh = "x\u{202e}""#);
        assert_eq!(lines[1], r#"- lines.duty.title.zh = "y""#);
        assert!(lines[2].starts_with(r#"~ lines.duty.title.zh: "y" -> "zzz"#) && lines[2].ends_with('…'));
    }
}
