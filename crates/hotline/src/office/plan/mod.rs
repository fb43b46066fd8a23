//! `hotline plan`: everything a supervisor may decide, as a file.

mod apply;
pub(super) mod edit;
pub(super) mod file;
mod history;
mod preview;

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use serde::Serialize;

use self::apply::{Apply, Rollback};
use self::file::{PLAN, TextFile};
use super::answer::{Answer, Listed};
use super::asking::Office;
use super::fault::{EXIT_CODES, Exit, Fault, Told, verdict};
use super::gaps::Gaps;
use super::reach::Common;
use super::said::{Said, clean_lines, counted, said};
use crate::chinese::told;
use crate::lang::Lang;

/// The plan: lines, tiers, teams, numbers and recordings, as one file.
///
/// The file is TOML; docs/plan.md has every field. It is taken whole or not at all.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Plans {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline plan get > hospital.toml\n  hotline plan validate -f hospital.toml\n  \
hotline plan diff -f hospital.toml\n  hotline plan apply -f hospital.toml --dry-run\n  \
hotline plan apply -f hospital.toml --allow-remove --move-waiting-to outpatient-2=outpatient-1\n  \
hotline plan history\n  hotline plan rollback 3";

#[derive(Debug, Subcommand)]
enum Verb {
    /// The plan in force, or an earlier one, as it was written.
    Get {
        /// Which revision, if not the one in force.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        revision: Option<u32>,
    },
    /// Look at a file and change nothing. Exit code 0: it can be applied, 1: it cannot.
    Validate {
        #[command(flatten)]
        file: TextFile,
        /// Ask no server: then nothing is said of tiers without people.
        #[arg(long)]
        offline: bool,
    },
    /// What would change if a file were applied. Exit code 0: nothing, 1: something, more: it could not be compared.
    Diff {
        #[command(flatten)]
        file: TextFile,
    },
    /// Put a file in force, after a preview and a question.
    Apply(Apply),
    /// Every revision: when, by whom and why it was put in force, as the audit has it.
    History,
    /// Put an earlier revision in force again, as a new one, after a preview and a question.
    Rollback(Rollback),
}

impl Plans {
    pub(super) fn run(self) -> ExitCode {
        let Plans { common, verb } = self;
        if let Verb::Validate { file, offline: true } = &verb {
            let answer = Answer { format: common.output, lang: common.lang() };
            return super::ended(&answer, validate_here(&answer, file));
        }
        super::ask(&common, async |office| match &verb {
            Verb::Get { revision } => get(office, *revision).await,
            Verb::Validate { file, offline: _ } => validate(office, file).await,
            Verb::Diff { file } => diff(office, file).await.map_err(more_than_different),
            Verb::Apply(apply) => apply.run(office).await,
            Verb::History => history::list(office).await,
            Verb::Rollback(rollback) => rollback.run(office).await,
        })
    }
}

/// 1 says that two plans differ: an error needs another code.
fn more_than_different(fault: Fault) -> Fault {
    if fault.exit == Exit::Refused { fault.exiting(Exit::Usage) } else { fault }
}

/// The plan in force, as programs read it.
#[derive(Debug, Serialize)]
struct PlanItem {
    revision: u32,
    text: String,
}

async fn get(office: &Office, revision: Option<u32>) -> Told<ExitCode> {
    let sent = office.send(v1::GetPlanRequest { revision: revision.unwrap_or_default() }).await?;
    if office.answer.is_object() {
        office.answer.one("plan", &PlanItem { revision: sent.revision, text: sent.text })?;
    } else {
        let revision = sent.revision;
        office.answer.chat(&said(format!("方案第 {revision} 版"), format!("revision {revision}")));
        // As it was written, so that it can be changed and applied; its last line end is written again.
        let text = sent.text.strip_suffix('\n').unwrap_or(&sent.text);
        office.answer.text(&[text.to_owned()])?;
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

/// What is wrong, or probably not meant, and where.
#[derive(Debug, Serialize)]
pub(super) struct Complaint {
    path: String,
    line: u32,
    column: u32,
    message: String,
    mend: String,
    #[serde(skip)]
    pub(super) drawing: String,
}

impl Listed for Complaint {
    fn id(&self) -> &str {
        &self.path
    }
}

impl Complaint {
    /// As a server sent it, whose drawing knows the text by what it is and not by the file's name.
    pub(super) fn of(sent: v1::PlanComplaint, file: &str, lang: Lang) -> Complaint {
        let v1::PlanComplaint { path, line, column, message, mend, drawing } = sent;
        let drawing = told(lang, named(&drawing, line, column, file));
        Complaint { path, line, column, message: told(lang, message), mend: told(lang, mend), drawing }
    }

    /// As this program found it.
    fn found(found: &::plan::Finding, lang: Lang) -> Complaint {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Complaint {
            path: found.field.clone(),
            line: number(found.line),
            column: number(found.column),
            message: told(lang, &found.reason),
            mend: told(lang, &found.mend),
            drawing: told(lang, found),
        }
    }
}

/// `--> roster:9:11` with the name of the file.
fn named(drawing: &str, line: u32, column: u32, file: &str) -> String {
    let place = format!(":{line}:{column}");
    let mut renamed = String::with_capacity(drawing.len() + file.len());
    for part in drawing.split_inclusive('\n') {
        match part.split_once("--> ") {
            Some((before, after)) if before.trim().is_empty() && after.trim_end().ends_with(&place) => {
                let end = &after[after.trim_end().len()..];
                renamed.push_str(&format!("{before}--> {file}{place}{end}"));
            }
            _ => renamed.push_str(part),
        }
    }
    renamed
}

async fn validate(office: &Office, file: &TextFile) -> Told<ExitCode> {
    let read = file::read(PLAN, &file.path)?;
    let lang = office.lang();
    let complaint = |sent| Complaint::of(sent, &read.name, lang);
    let validated = match read.parsed() {
        Err(errors) => refused_here(&errors, lang),
        Ok(parsed) => {
            let sent = office.send(v1::ValidatePlanRequest { text: parsed.text }).await?;
            Validated {
                valid: sent.complaints.is_empty(),
                complaints: sent.complaints.into_iter().map(complaint).collect(),
                left_out: sent.left_out,
                warnings: sent.warnings.into_iter().map(complaint).collect(),
                gaps: Gaps::of(sent.gaps, sent.gaps_left_out, lang),
            }
        }
    };
    tell(&office.answer, &read.name, &validated)
}

fn validate_here(answer: &Answer, file: &TextFile) -> Told<ExitCode> {
    let read = file::read(PLAN, &file.path)?;
    let validated = match read.parsed() {
        Ok(parsed) => Validated {
            valid: true,
            complaints: Vec::new(),
            left_out: 0,
            warnings: parsed.warnings.iter().map(|found| Complaint::found(found, answer.lang)).collect(),
            gaps: Gaps::default(),
        },
        Err(errors) => refused_here(&errors, answer.lang),
    };
    tell(answer, &read.name, &validated)
}

fn refused_here(errors: &::plan::PlanErrors, lang: Lang) -> Validated {
    let (complaints, left_out) = complained(errors, lang);
    Validated { valid: false, complaints, left_out, warnings: Vec::new(), gaps: Gaps::default() }
}

/// What is wrong with a text, and how much more.
pub(super) fn complained(errors: &::plan::Findings, lang: Lang) -> (Vec<Complaint>, u32) {
    let left_out = u32::try_from(errors.left_out).unwrap_or(u32::MAX);
    (errors.findings.iter().map(|found| Complaint::found(found, lang)).collect(), left_out)
}

fn tell(answer: &Answer, name: &str, validated: &Validated) -> Told<ExitCode> {
    let written = if answer.is_object() {
        answer.one("plan_validated", validated)
    } else {
        let found = validated.complaints.iter().chain(&validated.warnings);
        let drawings = found.map(|complaint| format!("{}\n", clean_lines(&complaint.drawing)));
        let lines: Vec<String> = drawings.chain(validated.gaps.lines(answer.lang)).collect();
        let written = answer.text(&lines);
        answer.chat(&summary(name, validated));
        written
    };
    verdict(written, ExitCode::from(u8::from(!validated.valid)))
}

fn summary(name: &str, validated: &Validated) -> Said {
    let wrong = validated.complaints.len() + validated.left_out as usize;
    let doubts = validated.warnings.len() + validated.gaps.count();
    match (validated.valid, doubts) {
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

async fn diff(office: &Office, file: &TextFile) -> Told<ExitCode> {
    let read = file::read(PLAN, &file.path)?;
    let text = read.checked()?.text;
    let sent = office.send(v1::DiffPlanRequest { text }).await?;
    let difference = preview::Difference::of(sent);
    let written = difference.write(office);
    if !office.answer.is_object() {
        let (revision, count) = (difference.revision, difference.changes.len());
        office.answer.chat(&match count {
            0 => said(
                format!("与现行的第 {revision} 版相同"),
                format!("the same as revision {revision}, which is in force"),
            ),
            _ => said(
                format!("与现行的第 {revision} 版有 {count} 处不同"),
                format!("{} to revision {revision}, which is in force", counted(count, "change", "changes")),
            ),
        });
    }
    verdict(written, ExitCode::from(u8::from(!difference.changes.is_empty())))
}
