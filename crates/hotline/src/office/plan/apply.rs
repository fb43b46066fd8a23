//! `hotline plan apply`: a preview, a question, and then all of it or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use ::plan::ParsedPlan;
use api::v1;
use clap::Args;
use console::Style;
use serde::Serialize;

use super::file::{self, PLAN, PlanText, TextFile};
use super::preview::{self, Difference, Waiting};
use crate::lang::Lang;
use crate::office::asking::Office;
use crate::office::fault::{Exit, Fault, Told};
use crate::office::line::seq;
use crate::office::said::{Said, counted, said};

/// Put a file in force, after a preview and a question.
#[derive(Debug, Args)]
pub(super) struct Apply {
    #[command(flatten)]
    file: TextFile,
    #[command(flatten)]
    how: How,
}

/// Put an earlier revision in force again, as a new one, after a preview and a question.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// Which revision: `hotline plan history` lists them.
    #[arg(value_name = "REVISION", value_parser = clap::value_parser!(u32).range(1..))]
    revision: u32,
    #[command(flatten)]
    how: How,
}

/// What is wanted, and what is allowed.
#[derive(Debug, Args)]
struct How {
    /// Refused unless this revision is in force; the one of the preview, if not given.
    #[arg(long, value_name = "N")]
    expect_revision: Option<u32>,
    /// Show the preview and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Lines may be removed.
    #[arg(long)]
    allow_remove: bool,
    /// Waiting callers are promised the new plan, too.
    #[arg(long)]
    migrate: bool,
    /// Where the waiting callers of a removed line go; may be given several times. Those of other removed lines finish
    /// where they are.
    #[arg(long, value_name = "FROM=TO")]
    move_waiting_to: Vec<String>,
}

/// What would be done, as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Preview {
    #[serde(flatten)]
    pub(super) difference: Difference,
    pub(super) removed_lines: Vec<Waiting>,
    pub(super) migrate: bool,
    /// With `migrate`, so many callers wait on lines that stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) migrating: Option<usize>,
}

/// What was done, as programs read it.
#[derive(Debug, Serialize)]
struct Applied {
    changed: bool,
    revision: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl Apply {
    pub(super) async fn run(&self, office: &Office) -> Told<ExitCode> {
        self.how.put(office, file::read(PLAN, &self.file.path)?).await
    }
}

impl Rollback {
    pub(super) async fn run(&self, office: &Office) -> Told<ExitCode> {
        let earlier = office.send(v1::GetPlanRequest { revision: self.revision }).await?;
        self.how.put(office, PlanText::of_revision(self.revision, earlier.text)).await
    }
}

impl How {
    async fn put(&self, office: &Office, read: PlanText) -> Told<ExitCode> {
        let ParsedPlan { plan, text, .. } = read.checked()?;
        let kept: BTreeSet<String> = plan.lines.keys().map(ToString::to_string).collect();
        let sent = office.send(v1::DiffPlanRequest { text: text.clone() }).await?;
        let difference = Difference::of(sent);
        self.expected(difference.revision)?;
        let removed = difference.removed_lines();
        let moves = preview::moves(&self.move_waiting_to, &removed, &kept)?;
        let waiting = preview::waiting(office, &removed, &moves).await?;
        if !removed.is_empty() && !self.allow_remove {
            return Err(would_remove(&removed, &waiting));
        }
        let migrating = if self.migrate { Some(preview::migrating(office, &kept).await?) } else { None };
        let preview = Preview { difference, removed_lines: waiting, migrate: self.migrate, migrating };
        if self.dry_run {
            preview.shown(office)?;
            return Ok(ExitCode::SUCCESS);
        }
        let revision = preview.difference.revision;
        if preview.difference.changes.is_empty() {
            let words = said(
                format!("与现行的第 {revision} 版相同，无须应用"),
                format!("the same as revision {revision}, which is in force: nothing to do"),
            );
            return applied(office, &Applied { changed: false, revision, seq: None }, &words);
        }
        preview.told(office);
        office.go_on(&preview.question())?;
        let request = v1::ApplyPlanRequest {
            text,
            expected_revision: revision,
            allow_remove: self.allow_remove,
            migrate: self.migrate,
            move_waiting: sent_moves(moves),
            ..v1::ApplyPlanRequest::default()
        };
        let reply = office.send(request).await.map_err(|fault| overtaken(fault, revision))?;
        let (before, revision) = (revision, reply.revision);
        let words = said(
            format!("第 {revision} 版方案已生效（此前为第 {before} 版）"),
            format!("revision {revision} is in force (before: {before})"),
        );
        applied(office, &Applied { changed: true, revision, seq: Some(seq(reply.receipt)) }, &words)
    }

    fn expected(&self, in_force: u32) -> Told<()> {
        match self.expect_revision {
            Some(expected) if expected != in_force => Err(conflict(expected, Some(in_force))),
            _ => Ok(()),
        }
    }
}

fn applied(office: &Office, item: &Applied, words: &Said) -> Told<ExitCode> {
    if office.answer.is_object() {
        office.answer.one("plan_applied", item)?;
    } else {
        office.answer.chat(words);
    }
    Ok(ExitCode::SUCCESS)
}

/// Where waiting callers go, as the server takes it.
pub(super) fn sent_moves(moves: BTreeMap<String, String>) -> Vec<v1::MoveWaiting> {
    let moves = moves.into_iter();
    moves.map(|(from_line_id, to_line_id)| v1::MoveWaiting { from_line_id, to_line_id }).collect()
}

/// Somebody else was first.
pub(super) fn overtaken(fault: Fault, expected: u32) -> Fault {
    if fault.code() == "PLAN_CONFLICT" { conflict(expected, None) } else { fault }
}

pub(super) fn conflict(expected: u32, in_force: Option<u32>) -> Fault {
    let what = said(
        format!("其间有人应用了另一版方案：您的修改基于第 {expected} 版"),
        format!("somebody else applied a plan meanwhile: yours is made for revision {expected}"),
    );
    let fault = Fault::new(Exit::Refused, "PLAN_CONFLICT", what).mend(said(
        "未作任何更改。取现行方案（hotline plan get），把您的修改放进去，再 diff、apply",
        "nothing was changed; get the plan in force (hotline plan get), make your change in it, then diff and apply it",
    ));
    match in_force {
        Some(now) => {
            fault.because(said(format!("现行的是第 {now} 版"), format!("revision {now} is in force")))
        }
        None => fault,
    }
}

fn would_remove(removed: &[String], waiting: &[Waiting]) -> Fault {
    let list = removed.join(", ");
    let words: Vec<Said> = waiting.iter().map(Waiting::words).collect();
    let joined = |lang| words.iter().map(|words| words.of(lang)).collect::<Vec<_>>().join("\n  ");
    let what = said(format!("该方案会移除热线 {list}"), format!("this plan would remove the lines {list}"));
    Fault::new(Exit::Refused, "WOULD_REMOVE", what)
        .because(said(joined(Lang::Zh), joined(Lang::En)))
        .mend(said(
            "把它们留在方案中；确要移除时加 --allow-remove，等候的来电用 --move-waiting-to 热线=热线 转走",
            "keep them in the plan; to remove them say --allow-remove, and --move-waiting-to FROM=TO for those who wait",
        ))
}

impl Preview {
    /// The preview alone, on standard output.
    pub(super) fn shown(&self, office: &Office) -> Told<()> {
        if office.answer.is_object() {
            return office.answer.one("plan_preview", self);
        }
        let mut lines = vec![preview::heading(office.lang(), self.difference.revision)];
        lines.extend(self.difference.lines(|| Style::new().for_stdout()));
        lines.extend(self.callers(office.lang()));
        office.answer.text(&lines)?;
        office.answer.chat(&said("只是预览，未作任何更改", "this was a preview; nothing was changed"));
        Ok(())
    }

    /// The preview before the question, beside the output.
    pub(super) fn told(&self, office: &Office) {
        let mut lines = vec![preview::heading(office.lang(), self.difference.revision)];
        lines.extend(self.difference.lines(|| Style::new().for_stderr()));
        lines.extend(self.callers(office.lang()));
        office.answer.raw_chat(&lines);
    }

    /// What would become of those who wait.
    fn callers(&self, lang: Lang) -> impl Iterator<Item = String> {
        let removed = self.removed_lines.iter().map(Waiting::words);
        let words = removed.chain(self.migrating.map(preview::promised));
        words.map(move |words| words.of(lang).to_owned())
    }

    pub(super) fn question(&self) -> Said {
        let count = self.difference.changes.len();
        let changes = counted(count, "change", "changes");
        let (zh, en) = match self.migrate {
            true => ("；等候的来电也改用新方案", ", also for the callers who wait"),
            false => ("；等候的来电仍按原方案", "; callers who wait keep the plan they were promised"),
        };
        said(
            format!("应用这 {count} 处更改{zh}。继续吗？"),
            format!("{changes} will be in force{en}. Go on?"),
        )
    }
}
