//! `hotline privacy`: what is kept of a caller, and how a caller is forgotten.

use std::io::{self, BufRead};
use std::process::ExitCode;

use api::v1;
use api::v1::subject_ref::Subject;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::answer::{Fact, Listed, words};
use super::asking::{Office, PAGE};
use super::fault::{EXIT_CODES, Told};
use super::find::{self, Known, Taken};
use super::moment;
use super::path;
use super::reach::{Common, reason};
use super::said::{clean, said};
use super::sheet::Field;
use super::words::{self as word, Word};
use crate::lang::Lang;

/// What is kept of a caller, and how a caller is forgotten: one administrator asks, another approves.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Privacy {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline privacy export --number - --reason 'the caller asked for it' -o json\n  \
hotline privacy erase --caller f8a44dc6-5e09-40dd-a9f9-e5af7528750f --reason 'the caller asked for it'\n  hotline privacy list\n  \
hotline privacy approve 0290a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a12";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Everything that is kept of a caller.
    Export(Whom),
    /// Ask that a caller be forgotten. Another administrator has to approve it.
    Erase(Whom),
    /// Approve that a caller be forgotten, which is done at once and cannot be undone.
    Approve {
        /// The whole id of what was asked for: see `list`.
        erasure: String,
    },
    /// What waits for approval.
    List,
}

/// A caller, and why.
#[derive(Debug, Args)]
struct Whom {
    #[command(flatten)]
    subject: SubjectArgs,
    /// Why, in your words: at most 500 characters. It is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SubjectArgs {
    /// The caller's number; `-` reads it from standard input, so that no history of commands keeps it.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// The caller's reference, as calls have it; `--subject` says the same.
    #[arg(long, alias = "subject", value_name = "REF")]
    caller: Option<String>,
}

impl Whom {
    fn subject(&self) -> Told<Option<v1::SubjectRef>> {
        let subject = match (&self.subject.number, &self.subject.caller) {
            (Some(number), _) if number == "-" => {
                let mut line = String::new();
                io::stdin().lock().read_line(&mut line)?;
                Subject::Number(line.trim().to_owned())
            }
            (Some(number), _) => Subject::Number(number.clone()),
            (None, caller) => Subject::CallerRef(caller.clone().unwrap_or_default()),
        };
        Ok(Some(v1::SubjectRef { subject: Some(subject) }))
    }

    fn reason(&self) -> Told<String> {
        reason("--reason", &self.reason).map(str::to_owned)
    }
}

impl Privacy {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::Export(whom) => export(office, whom).await?,
                Verb::Erase(whom) => erase(office, whom).await?,
                Verb::Approve { erasure } => approve(office, erasure).await?,
                Verb::List => list(office).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Everything that is kept of a caller, as programs read it.
#[derive(Debug, Serialize)]
struct SubjectItem {
    /// The reference.
    id: String,
    number: Option<String>,
    blocked_for: Option<String>,
    blocked_until_us: Option<u64>,
    calls: Vec<SubjectCall>,
}

#[derive(Debug, Serialize)]
struct SubjectCall {
    id: String,
    rang_at_unix_us: i64,
    called_line: String,
    line: String,
    class: Word,
    operator: Option<String>,
    lasted_ms: Option<u64>,
    /// As the journal writes it; none while it is open.
    outcome: Option<Value>,
}

impl Listed for SubjectItem {
    fn id(&self) -> &str {
        &self.id
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl From<v1::SubjectCall> for SubjectCall {
    fn from(sent: v1::SubjectCall) -> SubjectCall {
        SubjectCall {
            class: word::class(sent.class()),
            id: sent.call_id,
            rang_at_unix_us: sent.rang_at_unix_us,
            called_line: sent.called_line_id,
            line: sent.line_id,
            operator: some(sent.operator_id),
            lasted_ms: sent.lasted_ms,
            outcome: serde_json::from_str(&sent.outcome).ok(),
        }
    }
}

impl SubjectCall {
    /// How it ended, in words; an outcome that this program does not know, as it came.
    fn ended(&self, lang: Lang) -> String {
        match &self.outcome {
            None => lang.of("进行中", "open").to_owned(),
            Some(outcome) => match serde_json::from_value(outcome.clone()) {
                Ok(outcome) => path::ended(outcome).of(lang).to_owned(),
                Err(_) => clean(&outcome.to_string()),
            },
        }
    }
}

async fn export(office: &Office, whom: &Whom) -> Told<()> {
    let (subject, reason) = (whom.subject()?, whom.reason()?);
    let page = |page_token| {
        let (subject, reason) = (subject.clone(), reason.clone());
        office.send(v1::ExportSubjectRequest { subject, reason, page_size: PAGE, page_token })
    };
    let mut sent = page(String::new()).await?;
    let mut calls: Vec<SubjectCall> = Vec::new();
    loop {
        calls.extend(sent.calls.drain(..).map(SubjectCall::from));
        if sent.next_page_token.is_empty() {
            break;
        }
        sent = page(sent.next_page_token).await?;
    }
    let item = SubjectItem {
        id: sent.caller_ref,
        number: some(sent.number),
        blocked_for: some(sent.blocked_for),
        blocked_until_us: sent.blocked_until_us,
        calls,
    };
    let facts: Vec<Fact> = vec![
        (said("来电者", "caller"), Field::new(&item.id)),
        (said("号码", "number"), Field::or_dash(item.number.as_deref().unwrap_or_default())),
        (said("屏蔽原因", "blocked for"), Field::or_dash(item.blocked_for.as_deref().unwrap_or_default())),
        (said("通话数", "calls"), Field::new(item.calls.len())),
    ];
    let calls = item.calls.iter().map(|call| {
        let outcome = call.ended(office.lang());
        format!("  {}  {}  {}  {outcome}", moment::shown(call.rang_at_unix_us), call.id, call.line)
    });
    office.answer.show("subject", &item, &facts, &calls.collect::<Vec<_>>())?;
    office.answer.clock(item.calls.len());
    Ok(())
}

/// A caller is to be forgotten, as programs read it.
#[derive(Debug, Serialize)]
struct ErasureItem {
    id: String,
    caller_ref: String,
    /// The number, for people who need only recognise it.
    masked: String,
    asked_by: String,
    asked_at_unix_us: i64,
    expires_at_unix_us: i64,
}

impl Listed for ErasureItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl From<v1::Erasure> for ErasureItem {
    fn from(sent: v1::Erasure) -> ErasureItem {
        ErasureItem {
            id: sent.erasure_id,
            caller_ref: sent.caller_ref,
            masked: sent.masked,
            asked_by: sent.asked_by,
            asked_at_unix_us: sent.asked_at_unix_us,
            expires_at_unix_us: sent.expires_at_unix_us,
        }
    }
}

async fn erase(office: &Office, whom: &Whom) -> Told<()> {
    let request = v1::EraseSubjectRequest { subject: whom.subject()?, reason: whom.reason()? };
    let item = ErasureItem::from(office.send(request).await?.erasure.unwrap_or_default());
    let (id, until) = (&item.id, moment::shown(item.expires_at_unix_us));
    let words = said(
        format!(
            "已申请删除 {}，待另一名管理员在 {until} 之前批准：hotline privacy approve {id}",
            item.masked
        ),
        format!(
            "asked that {} be forgotten; another administrator approves it before {until}: hotline privacy approve {id}",
            item.masked
        ),
    );
    office.answer.done("erasure", &item, &words)
}

async fn waiting(office: &Office) -> Told<Vec<ErasureItem>> {
    let sent = office.send(v1::ListErasuresRequest {}).await?;
    Ok(sent.erasures.into_iter().map(ErasureItem::from).collect())
}

async fn list(office: &Office) -> Told<()> {
    let columns = [
        words("申请", "ASKED FOR", |one: &ErasureItem, _| Field::new(&one.id)).whole(),
        words("号码", "NUMBER", |one: &ErasureItem, _| Field::or_dash(&one.masked)),
        words("申请人", "BY", |one: &ErasureItem, _| Field::new(&one.asked_by)),
        words("申请时间", "AT", |one: &ErasureItem, _| Field::new(moment::shown(one.asked_at_unix_us))),
        words("批准期限", "BEFORE", |one: &ErasureItem, _| {
            Field::new(moment::shown(one.expires_at_unix_us))
        }),
        words("来电者", "CALLER", |one: &ErasureItem, _| Field::new(&one.caller_ref)).wide(),
    ];
    let waiting = waiting(office).await?;
    office.answer.list("erasures", &waiting, None, &columns)?;
    office.answer.clock(waiting.len());
    Ok(())
}

/// Who was forgotten, as programs read it.
#[derive(Debug, Serialize)]
struct Erased {
    id: String,
    caller_ref: String,
}

impl Listed for Erased {
    fn id(&self) -> &str {
        &self.id
    }
}

async fn approve(office: &Office, typed: &str) -> Told<()> {
    let waiting = waiting(office).await?;
    let known: Vec<Known> = waiting.iter().map(|one| Known::id(&one.id)).collect();
    let id = find::find(find::ERASURE, typed, &known, Taken::Whole)?;
    let of = |one: &&ErasureItem| one.id == id;
    let (masked, by) = waiting.iter().find(of).map(|one| (&*one.masked, &*one.asked_by)).unwrap_or_default();
    office.go_on(&said(
        format!("删除 {masked}（申请人 {by}），不可恢复。继续吗？"),
        format!("{masked} will be forgotten, as {by} asked; this cannot be undone. Go on?"),
    ))?;
    let caller_ref = office.send(v1::ApproveErasureRequest { erasure_id: id.clone() }).await?.caller_ref;
    let words = said(format!("已删除：{masked}"), format!("{masked} is forgotten"));
    office.answer.done("erased", &Erased { id, caller_ref }, &words)
}
