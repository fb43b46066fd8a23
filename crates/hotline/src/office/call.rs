//! `hotline call`: the calls inside, and why each is where it is.

mod closed;
mod reveal;
mod told;
mod why;

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use serde::Serialize;
use switchboard::time::Span;

pub(super) use self::why::named;
use super::answer::{Column, Fact, Listed, figures, words};
use super::asking::Office;
use super::fault::{EXIT_CODES, Fault, Told};
use super::find::Taken;
use super::line::seq;
use super::reach::Common;
use super::said::said;
use super::sheet::Field;
use super::words::{self as word, Word};
use crate::board::figures::clock;

/// Calls: who is inside, in the order in which they would be answered, and why.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Calls {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline call list --line emergency\n  hotline call why 0190a5c2\n  \
hotline call list --closed --line emergency --from 2h\n  hotline call why 0190a5c2 --at 10m\n  \
hotline call move 0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11 --to duty";

#[derive(Debug, Subcommand)]
enum Verb {
    /// The open calls, in the order in which they would be answered; or those that are over.
    List {
        /// Only this line's.
        #[arg(long, value_name = "LINE")]
        line: Option<String>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        /// Go on where the page before ended: what it said as `next`.
        #[arg(long, value_name = "NEXT")]
        after: Option<String>,
        #[command(flatten)]
        which: closed::Which,
    },
    /// One call: open or over.
    Show {
        /// Its id, or the beginning of it.
        call: String,
    },
    /// What happened to a call and why, from its first ring on; of an open one also what stands between it and each
    /// operator.
    Why {
        /// Its id, or the beginning of it.
        call: String,
        /// As of then: 2026-11-22 03:10, RFC 3339, 10m for ten minutes ago, or the number of a decision.
        #[arg(long, value_name = "MOMENT")]
        at: Option<String>,
    },
    /// The caller's number. It is recorded who looked, and why.
    Reveal {
        /// The call's id, or the beginning of it.
        call: String,
        /// Why, in your words: at most 500 characters.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Put a waiting or talking call on another line. It keeps its place.
    Move {
        /// Its whole id.
        call: String,
        /// Where to: the whole id of a line.
        #[arg(long, value_name = "LINE")]
        to: String,
    },
}

impl Calls {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::List { line, limit, after, which } if which.closed => {
                    closed::list(office, line.as_deref(), which, *limit, after.as_deref()).await?;
                }
                Verb::List { line, limit, after, which: _ } => {
                    list(office, line.as_deref(), *limit, after.as_deref()).await?
                }
                Verb::Show { call } => show(office, call).await?,
                Verb::Why { call, at } => why::tell(office, call, at.as_deref()).await?,
                Verb::Reveal { call, reason } => reveal::tell(office, call, reason).await?,
                Verb::Move { call, to } => move_to(office, call, to).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// A call, as programs read it.
#[derive(Debug, Serialize)]
struct CallItem {
    id: String,
    line: String,
    called_line: String,
    gateway: String,
    class: Word,
    caller_kind: Word,
    /// A random reference, never a number; none once the call is closed.
    caller_ref: Option<String>,
    state: Word,
    operator: Option<String>,
    /// For how long it has its place.
    age_ms: u64,
    arrived_at_us: u64,
    open_tiers: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Word>,
}

impl Listed for CallItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl CallItem {
    fn of(call: v1::CallSummary, now_us: u64) -> CallItem {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let until = call.closed_at_us.unwrap_or(now_us);
        CallItem {
            class: word::class(call.class()),
            caller_kind: word::caller_kind(call.caller_kind()),
            state: word::call_state(call.state()),
            outcome: word::outcome(call.outcome()),
            age_ms: until.saturating_sub(call.arrived_at_us) / 1_000,
            arrived_at_us: call.arrived_at_us,
            open_tiers: call.open_tiers,
            operator: some(call.operator_id),
            caller_ref: some(call.caller_ref),
            gateway: call.gateway_id,
            called_line: call.called_line_id,
            line: call.line_id,
            id: call.call_id,
        }
    }

    fn age(&self) -> String {
        clock(Span::millis(self.age_ms))
    }
}

async fn list(office: &Office, line: Option<&str>, limit: u32, after: Option<&str>) -> Told<()> {
    let (board, _) = office.board().await?;
    let line_id = match line {
        Some(typed) => {
            super::find::find(super::find::LINE, typed, &super::asking::lines(&board), Taken::Beginning)?
        }
        None => String::new(),
    };
    let request = v1::ListCallsRequest {
        line_id,
        page_size: limit,
        page_token: after.unwrap_or_default().to_owned(),
        at_least: None,
    };
    let page = office.send(request).await?;
    let items: Vec<CallItem> = page.calls.into_iter().map(|call| CallItem::of(call, board.at_us)).collect();
    let columns = [
        words("通话", "CALL", |call: &CallItem, _| Field::new(&call.id)).whole(),
        words("热线", "LINE", |call, _| Field::new(&call.line)),
        words("状态", "STATE", |call, lang| Field::new(call.state.of(lang))),
        figures("时长", "AGE", |call, _| Field::new(call.age())),
        words("接线员", "OPERATOR", |call, _| {
            Field::or_dash(call.operator.as_deref().unwrap_or_default())
        }),
        words("优先级", "CLASS", |call: &CallItem, lang| Field::new(call.class.of(lang))).wide(),
        words("来电者", "CALLER", |call: &CallItem, lang| Field::new(call.caller_kind.of(lang))).wide(),
        words("拨打的热线", "CALLED", |call: &CallItem, _| Field::new(&call.called_line)).wide(),
        words("网关", "GATEWAY", |call: &CallItem, _| Field::new(&call.gateway)).wide(),
    ];
    self::page(office, "calls", &items, page.next_page_token, &columns)
}

/// A page of calls, and how to see the next.
pub(super) fn page<T: Listed>(
    office: &Office,
    kind: &str,
    items: &[T],
    next: String,
    columns: &[Column<T>],
) -> Told<()> {
    let more = Some(next).filter(|token| !token.is_empty());
    office.answer.list(kind, items, more.as_deref(), columns)?;
    if let Some(more) = more.filter(|_| !office.answer.is_object()) {
        office.answer.chat(&said(
            format!("还有更多：加 --after {more}"),
            format!("there are more: say --after {more}"),
        ));
    }
    Ok(())
}

async fn show(office: &Office, typed: &str) -> Told<()> {
    let call_id = office.any_call(typed).await?;
    let sent = match office.send(v1::GetCallRequest { call_id: call_id.clone(), at_least: None }).await {
        Ok(sent) => sent.call.unwrap_or_default(),
        Err(fault) if fault.code() == "UNKNOWN_CALL" => return closed::show(office, call_id).await,
        Err(fault) => return Err(fault),
    };
    let (board, _) = office.board().await?;
    let item = CallItem::of(sent, board.at_us);
    let lang = office.lang();
    let tiers: Vec<String> = item.open_tiers.iter().map(|tier| (tier + 1).to_string()).collect();
    let mut facts: Vec<Fact> = vec![
        (said("通话", "call"), Field::new(&item.id)),
        (said("热线", "line"), Field::or_dash(&item.line)),
        (said("拨打的热线", "called"), Field::or_dash(&item.called_line)),
        (said("状态", "state"), Field::new(item.state.of(lang))),
        (said("时长", "age"), Field::new(item.age())),
        (said("优先级", "class"), Field::new(item.class.of(lang))),
        (said("来电者", "caller"), Field::new(item.caller_kind.of(lang))),
        (said("接线员", "operator"), Field::or_dash(item.operator.as_deref().unwrap_or_default())),
        (said("已开放的级", "open tiers"), Field::or_dash(tiers.join(", "))),
        (said("网关", "gateway"), Field::or_dash(&item.gateway)),
    ];
    if let Some(outcome) = item.outcome {
        facts.push((said("结局", "outcome"), Field::new(outcome.of(lang))));
    }
    office.answer.show("call", &item, &facts, &[])
}

/// What was done to a call.
#[derive(Debug, Serialize)]
struct Moved {
    id: String,
    line: String,
    seq: u64,
}

impl Listed for Moved {
    fn id(&self) -> &str {
        &self.id
    }
}

async fn move_to(office: &Office, typed: &str, to: &str) -> Told<()> {
    let id = office.call(typed, Taken::Whole).await?;
    let line = office.line(to, Taken::Whole).await?;
    let request = v1::MoveCallRequest {
        call_id: id.clone(),
        to_line_id: line.clone(),
        ..v1::MoveCallRequest::default()
    };
    let receipt = office.send(request).await.map_err(closed_meanwhile)?.receipt;
    let words =
        said(format!("{id} 已转到 {line}，位置不变"), format!("{id} is on {line} and keeps its place"));
    office.answer.done("call_moved", &Moved { id, line, seq: seq(receipt) }, &words)
}

fn closed_meanwhile(fault: Fault) -> Fault {
    match fault.code() {
        "CALL_CLOSED" => {
            fault.because(said("来电者可能刚刚挂断", "the caller may have hung up a moment ago"))
        }
        _ => fault,
    }
}
