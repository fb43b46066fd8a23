//! `hotline roster`: who is on shift when, as a file; and who is due.

mod due;

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::asking::Office;
use super::fault::{EXIT_CODES, Exit, Fault, Told, verdict};
use super::gaps::Gaps;
use super::plan::file::{self, ROSTER, TextFile};
use super::plan::{Complaint, complained};
use super::reach::Common;
use super::said::{Said, clean_lines, counted, said, same};

/// The roster: who is on shift when, as one file; and who is due at this moment.
///
/// The file is TOML; docs/roster.md has every field. It is taken whole or not at all.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Rosters {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline roster get > roster.toml\n  hotline roster validate -f roster.toml\n  \
hotline roster apply -f roster.toml\n  hotline roster due --ahead 2h";

#[derive(Debug, Subcommand)]
enum Verb {
    /// The roster in force, as it was written.
    Get,
    /// Look at a file and change nothing. Exit code 0: it can be applied, 1: it cannot.
    Validate {
        #[command(flatten)]
        file: TextFile,
    },
    /// Put a file in force, after a question.
    Apply {
        #[command(flatten)]
        file: TextFile,
        /// Refused unless this revision is in force, 0 for none; the one that is when this begins, if not given.
        #[arg(long, value_name = "N")]
        expect_revision: Option<u32>,
        /// Say what would be done and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Who is on shift, and whether they are there.
    Due {
        /// Also those whose shift begins within this time: 30m, 2h.
        #[arg(long, value_name = "LENGTH")]
        ahead: Option<String>,
    },
}

impl Rosters {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| match &verb {
            Verb::Get => get(office).await,
            Verb::Validate { file } => validate(office, file).await,
            Verb::Apply { file, expect_revision, dry_run } => {
                apply(office, file, *expect_revision, *dry_run).await
            }
            Verb::Due { ahead } => due::list(office, ahead.as_deref()).await,
        })
    }
}

/// The roster in force, as programs read it.
#[derive(Debug, Serialize)]
struct RosterItem {
    /// 0 while there is none.
    revision: u32,
    wall_us: i64,
    text: String,
}

async fn get(office: &Office) -> Told<ExitCode> {
    let v1::GetRosterResponse { revision, kept_us, text } = office.send(v1::GetRosterRequest {}).await?;
    if office.answer.is_object() {
        office.answer.one("roster", &RosterItem { revision, wall_us: kept_us, text })?;
    } else if revision == 0 {
        office.answer.chat(&said("还没有排班表", "there is no roster yet"));
    } else {
        let when = super::moment::shown(kept_us);
        office.answer.chat(&said(
            format!("排班表第 {revision} 版，{when} 应用"),
            format!("roster {revision}, applied {when}"),
        ));
        // As it was written, so that it can be changed and applied; its last line end is written again.
        office.answer.text(&[text.strip_suffix('\n').unwrap_or(&text).to_owned()])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What was found in a file, as programs read it.
#[derive(Debug, Serialize)]
struct Validated {
    valid: bool,
    complaints: Vec<Complaint>,
    left_out: u32,
    warnings: Vec<Complaint>,
    #[serde(flatten)]
    gaps: Gaps,
}

/// Looks at a file here, then at the server, which knows the people; also its text, if anybody can read it.
async fn looked_at(office: &Office, file: &TextFile) -> Told<(String, Validated, String)> {
    let read = file::read(ROSTER, &file.path)?;
    // The plan's clock, which the server knows, does not make a roster right or wrong.
    let parsed = match read.roster() {
        Ok(parsed) => parsed,
        Err(errors) => {
            let (complaints, left_out) = complained(&errors, office.lang());
            let gaps = Gaps::default();
            let found = Validated { valid: false, complaints, left_out, warnings: Vec::new(), gaps };
            return Ok((read.name, found, String::new()));
        }
    };
    let text = parsed.text;
    let sent = office.send(v1::ValidateRosterRequest { text: text.clone() }).await?;
    let complaint = |sent| Complaint::of(sent, &read.name, office.lang());
    let found = Validated {
        valid: sent.complaints.is_empty(),
        complaints: sent.complaints.into_iter().map(complaint).collect(),
        left_out: sent.left_out,
        warnings: sent.warnings.into_iter().map(complaint).collect(),
        gaps: Gaps::of(sent.gaps, sent.gaps_left_out, office.lang()),
    };
    Ok((read.name, found, text))
}

impl Validated {
    fn drawn(&self, office: &Office) -> Vec<String> {
        let found = self.complaints.iter().chain(&self.warnings);
        let drawings = found.map(|complaint| format!("{}\n", clean_lines(&complaint.drawing)));
        drawings.chain(self.gaps.lines(office.lang())).collect()
    }

    fn summary(&self, name: &str) -> Said {
        let wrong = self.complaints.len() + self.left_out as usize;
        let doubts = self.warnings.len() + self.gaps.count();
        match (self.valid, doubts) {
            (false, _) => said(
                format!("{name} 不能应用：{wrong} 处有误"),
                format!("{name} cannot be applied: {wrong} wrong"),
            ),
            (true, 0) => said(format!("{name} 可以应用"), format!("{name} can be applied")),
            (true, _) => said(
                format!("{name} 可以应用；{doubts} 处可能并非本意"),
                format!(
                    "{name} can be applied; {} probably not meant",
                    counted(doubts, "thing is", "things are")
                ),
            ),
        }
    }
}

async fn validate(office: &Office, file: &TextFile) -> Told<ExitCode> {
    let (name, found, _) = looked_at(office, file).await?;
    let written = if office.answer.is_object() {
        office.answer.one("roster_validated", &found)
    } else {
        let written = office.answer.text(&found.drawn(office));
        office.answer.chat(&found.summary(&name));
        written
    };
    verdict(written, ExitCode::from(u8::from(!found.valid)))
}

/// What was done, as programs read it.
#[derive(Debug, Serialize)]
struct Applied {
    changed: bool,
    revision: u32,
    #[serde(flatten)]
    gaps: Gaps,
}

async fn apply(office: &Office, file: &TextFile, expected: Option<u32>, dry_run: bool) -> Told<ExitCode> {
    let (name, found, text) = looked_at(office, file).await?;
    if !found.valid {
        let what = said(format!("{name} 有误"), format!("{name} has mistakes"));
        let drawings = found.drawn(office).join("\n");
        return Err(Fault::new(Exit::Refused, "BAD_ROSTER", what)
            .because(same(format!("\n{drawings}")))
            .mend(said(
                format!("改好后再看：hotline roster validate -f {name}"),
                format!("mend them, then look again: hotline roster validate -f {name}"),
            )));
    }
    let in_force = office.send(v1::GetRosterRequest {}).await?;
    let revision = in_force.revision;
    if let Some(expected) = expected.filter(|expected| *expected != revision) {
        return Err(conflict(expected, Some(revision)));
    }
    if revision != 0 && in_force.text == text {
        let words = said(
            format!("与现行的第 {revision} 版相同，无须应用"),
            format!("the same as roster {revision}, which is in force: nothing to do"),
        );
        return applied(office, &Applied { changed: false, revision, gaps: found.gaps }, &words);
    }
    if !office.answer.is_object() {
        office.answer.raw_chat(&found.drawn(office));
    }
    if dry_run {
        if office.answer.is_object() {
            office.answer.one("roster_validated", &found)?;
        } else {
            office.answer.chat(&found.summary(&name));
            office.answer.chat(&said("只是预览，未作任何更改", "this was a preview; nothing was changed"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    office.go_on(&question(revision, found.gaps.stretches()))?;
    let request = v1::ApplyRosterRequest { text, expected_revision: revision };
    let reply = office.send(request).await.map_err(|fault| match fault.code() {
        "OTHER_ROSTER" => conflict(revision, None),
        _ => fault,
    })?;
    let words = said(
        format!("排班表第 {} 版已生效", reply.revision),
        format!("roster {} is in force", reply.revision),
    );
    let gaps = Gaps::of(reply.gaps, reply.gaps_left_out, office.lang());
    applied(office, &Applied { changed: true, revision: reply.revision, gaps }, &words)
}

fn question(revision: u32, gaps: usize) -> Said {
    let (zh, en) = match gaps {
        0 => (String::new(), String::new()),
        _ => (
            format!("今后 14 天有 {gaps} 处开放时间无人当班。"),
            format!(
                "in the next 14 days {} nobody on shift. ",
                counted(gaps, "stretch of open hours has", "stretches of open hours have")
            ),
        ),
    };
    match revision {
        0 => {
            said(format!("{zh}应用这份排班表。继续吗？"), format!("{en}this roster will be in force. Go on?"))
        }
        _ => said(
            format!("{zh}取代第 {revision} 版排班表。继续吗？"),
            format!("{en}this will replace roster {revision}. Go on?"),
        ),
    }
}

fn applied(office: &Office, item: &Applied, words: &Said) -> Told<ExitCode> {
    if office.answer.is_object() {
        office.answer.one("roster_applied", item)?;
    } else {
        office.answer.chat(words);
    }
    Ok(ExitCode::SUCCESS)
}

/// Somebody else was first.
fn conflict(expected: u32, in_force: Option<u32>) -> Fault {
    let what = said(
        format!("其间有人应用了另一版排班表：您的修改基于第 {expected} 版"),
        format!("somebody else applied a roster meanwhile: yours is made for roster {expected}"),
    );
    let fault = Fault::new(Exit::Refused, "OTHER_ROSTER", what).mend(said(
        "未作任何更改。取现行排班表（hotline roster get），把您的修改放进去，再应用",
        "nothing was changed; get the roster in force (hotline roster get), make your change in it, then apply it",
    ));
    match in_force {
        Some(0) => fault.because(said("还没有排班表", "there is no roster yet")),
        Some(now) => fault.because(said(format!("现行的是第 {now} 版"), format!("roster {now} is in force"))),
        None => fault,
    }
}
