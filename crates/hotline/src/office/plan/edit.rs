//! A change of one thing in the plan in force: its text is changed where that stands, shown, asked about, and applied.

use std::collections::BTreeSet;

use ::plan::edit::{EditError, Edited, Refused};
use api::v1;
use serde::Serialize;

use super::apply::{self, Preview};
use super::preview::{self, Difference};
use crate::chinese::translated;
use crate::office::answer::Listed;
use crate::office::asking::Office;
use crate::office::fault::{Exit, Fault, Told};
use crate::office::find::Kind;
use crate::office::line::seq;
use crate::office::said::{Said, said};

/// What is to be changed.
pub(in crate::office) struct Change<'c> {
    /// What the answer is called.
    pub(in crate::office) kind: &'static str,
    pub(in crate::office) id: &'c str,
    /// Where the waiting callers of the line go, if it is removed.
    pub(in crate::office) move_waiting_to: Option<&'c str>,
    /// Show it and change nothing.
    pub(in crate::office) dry_run: bool,
    /// The line is to be empty at once: only with a yes beforehand, after everybody could see what it does.
    pub(in crate::office) now: bool,
}

/// What was done, as programs read it.
#[derive(Debug, Serialize)]
struct Changed {
    id: String,
    revision: u32,
    seq: u64,
}

impl Listed for Changed {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Makes a change; where somebody else was first, once more on what is in force then.
///
/// # Errors
/// When something stands against the change, the person says no, or others are faster twice.
pub(in crate::office) async fn change(
    office: &Office,
    change: &Change<'_>,
    edit: impl Fn(&str) -> Result<Edited, EditError>,
    done: impl Fn(u32) -> Said,
) -> Told<()> {
    match once(office, change, &edit, &done).await {
        Err(fault) if fault.code() == "PLAN_CONFLICT" => {
            office.answer.chat(&said(
                "其间有人应用了另一版方案；按那一版再看一次",
                "somebody else applied a plan meanwhile; here is the same for that one",
            ));
            let again = once(office, change, &edit, &done).await;
            again.map_err(|fault| match fault.code() {
                "PLAN_CONFLICT" => {
                    fault.mend(said("未作任何更改；再执行一次", "nothing was changed; do it again"))
                }
                _ => fault,
            })
        }
        ended => ended,
    }
}

async fn once(
    office: &Office,
    change: &Change<'_>,
    edit: impl Fn(&str) -> Result<Edited, EditError>,
    done: impl Fn(u32) -> Said,
) -> Told<()> {
    let in_force = office.send(v1::GetPlanRequest::default()).await?;
    let edited = edit(&in_force.text).map_err(refused)?;
    let difference = Difference::of(office.send(v1::DiffPlanRequest { text: edited.text.clone() }).await?);
    let revision = in_force.revision;
    if difference.revision != revision {
        return Err(apply::conflict(revision, Some(difference.revision)));
    }
    let removed = difference.removed_lines();
    let kept: BTreeSet<String> = edited.parsed.plan.lines.keys().map(ToString::to_string).collect();
    let pair = change.move_waiting_to.map(|to| format!("{}={to}", change.id));
    let moves = preview::moves(pair.as_slice(), &removed, &kept)?;
    let removed_lines = preview::waiting(office, &removed, &moves).await?;
    let preview = Preview { difference, removed_lines, migrate: false, migrating: None };
    if change.dry_run {
        return preview.shown(office);
    }
    preview.told(office);
    if change.now && !office.has_agreed() {
        let what = said("--now 须加 --yes", "--now takes --yes");
        return Err(Fault::usage("NEEDS_YES", what).mend(said(
            "先看上面的预览：每个等候的来电会转到哪里；再加 --yes",
            "read above where each waiting caller would go, then say --yes",
        )));
    }
    office.go_on(&preview.question())?;
    let request = v1::ApplyPlanRequest {
        text: edited.text,
        expected_revision: revision,
        allow_remove: !removed.is_empty(),
        move_waiting: apply::sent_moves(moves),
        ..v1::ApplyPlanRequest::default()
    };
    let reply = office.send(request).await.map_err(|fault| apply::overtaken(fault, revision))?;
    let item = Changed { id: change.id.to_owned(), revision: reply.revision, seq: seq(reply.receipt) };
    office.answer.done(change.kind, &item, &done(reply.revision))
}

/// There is such a thing already.
pub(in crate::office) fn taken(kind: Kind, id: &str) -> Fault {
    let (zh, en) = kind.names();
    let what = said(format!("已有{zh} {id}"), format!("there is a {en} {id} already"));
    Fault::new(Exit::Refused, "TAKEN", what).mend(said("换一个标识", "choose another id"))
}

/// Why a text was not changed.
fn refused(fault: EditError) -> Fault {
    let no = |what: Said| Fault::new(Exit::Refused, "NOT_CHANGED", what);
    match fault {
        EditError::NotAPlan(findings) => no(said(
            "现行方案的文本有误，所以没有修改",
            "the text of the plan in force has mistakes, so it was not changed",
        ))
        .because(translated(format!("\n{findings}"))),
        EditError::Breaks(findings) => {
            no(said("这样修改后就不再是方案", "with this change it would be no plan"))
                .because(translated(format!("\n{findings}")))
        }
        EditError::Refused(Refused { place, reason, mend, named_by }) if named_by.is_empty() => {
            no(said(format!("不能这样修改 {place}"), format!("{place} cannot be changed like this")))
                .because(translated(reason))
                .mend(translated(mend))
        }
        EditError::Refused(Refused { place, reason, mend, named_by }) => {
            let named = |line: fn(usize) -> String| {
                let places = named_by.iter().map(|by| format!("\n    {} {}", line(by.line), by.field));
                places.collect::<String>()
            };
            let zh = named(|line| format!("第 {line} 行"));
            let en = named(|line| format!("line {line}:"));
            no(said(format!("方案里还有地方用到 {place}"), format!("{place} is still used: {reason}")))
                .because(said(format!("用到它的地方：{zh}"), format!("it is named in the plan:{en}")))
                .mend(said("先修改这些地方，再移除", mend))
        }
    }
}

#[cfg(test)]
mod tests {
    use ::plan::edit::remove_line;

    use super::*;
    use crate::lang::Lang;

    #[test]
    fn why_a_text_was_not_changed_is_told_in_both_languages() {
        let told = |text: &str, line: &str, lang| {
            let id = line.parse().expect("an id");
            refused(remove_line(text, id).expect_err("refused")).lines(lang).join("\n")
        };
        let unknown = |lang| told(::plan::HOSPITAL, "dutty", lang);
        assert!(unknown(Lang::En).contains("there is no line 'dutty' in this plan"), "{}", unknown(Lang::En));
        assert!(unknown(Lang::Zh).ends_with("原因：本方案中没有热线 dutty\n  办法：您是否指 duty？"));
        let no_plan = told("lines = 3\n", "duty", Lang::Zh);
        for words in ["错误：此处应为表，写的却是数字", "1 | lines = 3", "= 办法：每个标识写一项"]
        {
            assert!(no_plan.contains(words), "{words:?} is not in {no_plan}");
        }
    }
}
