//! `hotline line`: the published numbers, and what a supervisor does with them by hand.

mod added;
mod now;
mod planned;

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use serde::Serialize;
use switchboard::plan::Plan;
use switchboard::time::Span;

use self::planned::{Planned, planned};
use super::answer::{Fact, Listed, bad, fair, figures, good, words};
use super::asking::{Office, lines, or_nearest};
use super::fault::{EXIT_CODES, Fault, Told};
use super::find::{self, Known, Taken, find};
use super::length;
use super::reach::Common;
use super::said::{Said, clean, said};
use super::sheet::Field;
use super::words::{self as word, Title, Word};
use crate::board::figures::{clock, grouped, percent};
use crate::lang::Lang;

/// Lines: the published numbers, who could answer them, and what a supervisor does with them by hand.
///
/// Which lines there are and who answers them stands in the plan: see `hotline plan`. `add` and `remove` change its text.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Lines {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline line list\n  hotline line show emergency -o json\n  \
hotline line divert emergency --to duty-phone --for 30m\n  hotline line close duty --for 2h --reason repair\n  \
hotline line open duty\n  hotline line add duty-2 --zh 值班热线二 --en 'Duty line 2' --number 85000002 --like duty\n  \
hotline line remove outpatient-2 --move-waiting-to outpatient-1\n  hotline line remove outpatient-2 --now --yes";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every line, and how it is doing at this moment.
    List,
    /// One line: its state, and what the plan says about it.
    Show {
        /// Its id, or the beginning of it.
        line: String,
    },
    Add(added::Add),
    Remove(added::Remove),
    /// Close a line by hand for a while. Calls inside finish; the line opens by itself.
    Close {
        /// Its whole id.
        line: String,
        /// For how long: 30m, 2h, 1d; from 1m to 30d.
        #[arg(long = "for", value_name = "LENGTH")]
        lasting: String,
        /// Why, as a code of a-z, 0-9 and '-'.
        #[arg(long, value_name = "CODE", default_value = "by-hand")]
        reason: String,
    },
    /// Open a line that was closed by hand.
    Open {
        /// Its whole id.
        line: String,
    },
    /// Send a line's new calls to an outside number for a while, or end that.
    Divert {
        /// Its whole id.
        line: String,
        /// Where to: a destination of the plan that asks for key 1, by its id; `hotline plan get` has them under
        /// `[destinations]`. Add a number that the plan does not have to the plan first.
        #[arg(long, value_name = "DESTINATION", required_unless_present = "end", requires = "lasting")]
        to: Option<String>,
        /// For how long: 30m, 2h, 1d; from 1m to 30d.
        #[arg(long = "for", value_name = "LENGTH")]
        lasting: Option<String>,
        /// End the divert.
        #[arg(long, conflicts_with_all = ["to", "lasting"])]
        end: bool,
    },
}

impl Lines {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::List => list(office).await?,
                Verb::Show { line } => show(office, line).await?,
                Verb::Add(add) => add.run(office).await?,
                Verb::Remove(remove) => remove.run(office).await?,
                Verb::Close { line, lasting, reason } => close(office, line, lasting, reason).await?,
                Verb::Open { line } => open(office, line).await?,
                Verb::Divert { line, to, lasting, end: _ } => {
                    divert(office, line, to.as_deref(), lasting.as_deref()).await?;
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// A line, as programs read it.
#[derive(Debug, Serialize)]
struct LineItem {
    id: String,
    title: Title,
    state: Word,
    diverted_to: Option<String>,
    /// Until the divert or the closing by hand ends.
    remaining_ms: Option<u64>,
    cover: Word,
    waiting: u32,
    ringing: u32,
    talking: u32,
    diverting: u32,
    longest_wait_ms: u64,
    arrived: u64,
    answered: u64,
    answered_in_time: u64,
    answerable: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Planned>,
}

impl Listed for LineItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl LineItem {
    fn of(at_us: u64, line: v1::BoardLine) -> LineItem {
        let account = line.account.clone().unwrap_or_default();
        LineItem {
            state: word::line_state(line.state()),
            cover: word::cover(line.cover()),
            title: Title::of(line.title),
            diverted_to: (!line.diverted_to_id.is_empty()).then_some(line.diverted_to_id),
            remaining_ms: line.until_us.map(|until| until.saturating_sub(at_us) / 1_000),
            waiting: line.waiting,
            ringing: line.ringing,
            talking: line.talking,
            diverting: line.diverting,
            longest_wait_ms: line.longest_wait_ms,
            arrived: account.arrived,
            answered: account.answered,
            answered_in_time: account.answered_in_time,
            answerable: account.answerable,
            id: line.line_id,
            plan: None,
        }
    }

    fn state(&self, lang: Lang) -> Field {
        let until = self.remaining_ms.map(|ms| match lang {
            Lang::Zh => format!("（还有{}）", length::words(lang, ms)),
            Lang::En => format!(" ({} left)", length::words(lang, ms)),
        });
        let to = self.diverted_to.as_ref().map(|to| format!(" → {to}")).unwrap_or_default();
        let field = Field::new(format!("{}{to}{}", self.state.of(lang), until.unwrap_or_default()));
        field.styled(if self.state.code == "open" && self.diverted_to.is_none() { good() } else { fair() })
    }

    fn cover(&self, lang: Lang) -> Field {
        Field::new(self.cover.of(lang)).styled(match self.cover.code {
            "staffed" => good(),
            "saturated" => fair(),
            _ => bad(),
        })
    }

    fn longest(&self) -> String {
        if self.waiting + self.ringing == 0 {
            "-".to_owned()
        } else {
            clock(Span::millis(self.longest_wait_ms))
        }
    }

    fn level(&self) -> String {
        (self.answered_in_time * 1_000).checked_div(self.answerable).map_or_else(|| "-".to_owned(), percent)
    }
}

async fn list(office: &Office) -> Told<()> {
    let (board, _) = office.board().await?;
    let at = board.at_us;
    let items: Vec<LineItem> = board.lines.into_iter().map(|line| LineItem::of(at, line)).collect();
    let columns = [
        words("标识", "LINE", |line: &LineItem, _| Field::new(&line.id)).whole(),
        words("名称", "TITLE", |line, lang| Field::new(line.title.shown(lang))),
        words("状态", "STATE", LineItem::state),
        words("人手", "COVER", LineItem::cover),
        figures("等候", "WAITING", |line, _| Field::new(line.waiting + line.ringing)),
        figures("最长", "LONGEST", |line, _| Field::new(line.longest())),
        figures("通话", "TALKING", |line, _| Field::new(line.talking + line.diverting)),
        figures("进线", "ARRIVED", |line: &LineItem, _| Field::new(grouped(line.arrived))).wide(),
        figures("已接", "ANSWERED", |line: &LineItem, _| Field::new(grouped(line.answered))).wide(),
        figures("服务水平", "IN TIME", |line: &LineItem, _| Field::new(line.level())).wide(),
    ];
    office.answer.list("lines", &items, None, &columns)
}

async fn show(office: &Office, typed: &str) -> Told<()> {
    let (board, _) = office.board().await?;
    let id = find(find::LINE, typed, &lines(&board), Taken::Beginning)?;
    let at = board.at_us;
    let found = board.lines.into_iter().find(|line| line.line_id == id);
    let mut item = LineItem::of(at, found.expect("it was found among these"));
    item.plan = planned(office, &id).await?;
    let lang = office.lang();
    let mut facts: Vec<Fact> = vec![
        (said("标识", "line"), Field::new(&item.id)),
        (said("名称", "title"), Field::new(format!("{} / {}", item.title.zh, item.title.en))),
        (said("状态", "state"), item.state(lang)),
        (said("人手", "cover"), item.cover(lang)),
        (said("等候", "waiting"), Field::new(item.waiting)),
        (said("振铃", "ringing"), Field::new(item.ringing)),
        (said("最长等候", "longest wait"), Field::new(item.longest())),
        (said("通话", "talking"), Field::new(item.talking)),
        (said("转外线", "diverting"), Field::new(item.diverting)),
        (said("进线", "arrived"), Field::new(grouped(item.arrived))),
        (said("已接", "answered"), Field::new(grouped(item.answered))),
        (said("服务水平", "in time"), Field::new(item.level())),
    ];
    if let Some(plan) = &item.plan {
        facts.extend(plan.facts(lang));
    }
    office.answer.show("line", &item, &facts, &[])
}

/// What was done to a line.
#[derive(Debug, Serialize)]
struct LineDone {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    seq: u64,
}

impl Listed for LineDone {
    fn id(&self) -> &str {
        &self.id
    }
}

fn done(office: &Office, kind: &str, item: LineDone, words: &Said) -> Told<()> {
    office.answer.done(kind, &item, words)
}

async fn close(office: &Office, typed: &str, lasting: &str, reason: &str) -> Told<()> {
    let lasting_ms = length::milliseconds("--for", lasting)?;
    code("--reason", reason)?;
    let id = office.line(typed, Taken::Whole).await?;
    let request = v1::CloseLineRequest {
        line_id: id.clone(),
        reason: reason.to_owned(),
        lasting_ms,
        ..v1::CloseLineRequest::default()
    };
    let receipt = office.send(request).await?.receipt;
    let (zh, en) = (length::words(Lang::Zh, lasting_ms), length::words(Lang::En, lasting_ms));
    let words = said(
        format!("{id} 已关闭 {zh}，之后自动开放。提前开放：hotline line open {id}"),
        format!(
            "{id} is closed for {en} and then opens by itself. To open it sooner: hotline line open {id}"
        ),
    );
    let item = LineDone { id, lasting_ms: Some(lasting_ms), destination: None, seq: seq(receipt) };
    done(office, "line_closed", item, &words)
}

async fn open(office: &Office, typed: &str) -> Told<()> {
    let id = office.line(typed, Taken::Whole).await?;
    let request = v1::OpenLineRequest { line_id: id.clone(), ..v1::OpenLineRequest::default() };
    let receipt = office.send(request).await?.receipt;
    let words = said(format!("{id} 已开放"), format!("{id} is open"));
    done(
        office,
        "line_opened",
        LineDone { id, lasting_ms: None, destination: None, seq: seq(receipt) },
        &words,
    )
}

async fn divert(office: &Office, typed: &str, to: Option<&str>, lasting: Option<&str>) -> Told<()> {
    let lasting_ms = lasting.map(|lasting| length::milliseconds("--for", lasting)).transpose()?;
    let id = office.line(typed, Taken::Whole).await?;
    let request = v1::DivertLineRequest {
        line_id: id.clone(),
        destination_id: to.unwrap_or_default().to_owned(),
        lasting_ms: lasting_ms.unwrap_or(0),
        ..v1::DivertLineRequest::default()
    };
    let receipt = match office.send(request).await {
        Ok(reply) => reply.receipt,
        Err(fault) => return Err(with_destinations(office, fault, to.unwrap_or_default()).await),
    };
    let (kind, words) = match (to, lasting_ms) {
        (Some(to), Some(ms)) => {
            let (zh, en) = (length::words(Lang::Zh, ms), length::words(Lang::En, ms));
            let words = said(
                format!("{id} 的新来电转往 {to}，{zh}后自动结束。提前结束：hotline line divert {id} --end"),
                format!(
                    "new calls of {id} go to {to} for {en}. To end it sooner: hotline line divert {id} --end"
                ),
            );
            ("line_diverted", words)
        }
        _ => (
            "line_divert_ended",
            said(format!("{id} 不再转外线"), format!("new calls of {id} are answered here again")),
        ),
    };
    let item = LineDone { id, lasting_ms, destination: to.map(str::to_owned), seq: seq(receipt) };
    done(office, kind, item, &words)
}

/// The nearest of the destinations that callers may be put through to.
async fn with_destinations(office: &Office, fault: Fault, typed: &str) -> Fault {
    let Ok(sent) = office.send(v1::GetPlanRequest::default()).await else { return fault };
    let Ok(parsed) = plan::parse("plan", &sent.text) else { return fault };
    let plan: &Plan = &parsed.plan;
    let open = plan.destinations.iter().filter(|(_, destination)| destination.press_one);
    let known: Vec<Known> = open
        .map(|(id, destination)| Known {
            id: id.to_string(),
            names: vec![destination.title.zh.clone(), destination.title.en.clone()],
        })
        .collect();
    or_nearest(fault, "UNKNOWN_DESTINATION", find::DESTINATION, typed, &known)
}

/// A code, never free text.
pub(super) fn code(flag: &str, text: &str) -> Told<()> {
    if text.parse::<switchboard::id::Code>().is_ok() {
        return Ok(());
    }
    let shown = clean(text);
    let what = said(format!("{flag} {shown:?} 不是代码"), format!("{flag} {shown:?} is not a code"));
    Err(Fault::usage("BAD_CODE", what).mend(said(
        "用 a-z、0-9 和 - 写一个代码，如 lunch、repair；不写自由文字",
        "write a code of a-z, 0-9 and '-', as lunch or repair; no free text",
    )))
}

/// The place in the record of what was done.
pub(super) fn seq(receipt: Option<v1::Receipt>) -> u64 {
    receipt.and_then(|receipt| receipt.cursor).map(|cursor| cursor.seq).unwrap_or(0)
}
