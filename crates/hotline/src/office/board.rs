//! `hotline board`: lines and people at one moment, or as they change.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use api::{BoardFeed, Refusal, v1};
use clap::Args;
use console::Term;
use serde::Serialize;
use serde_json::{Value, json};
use switchboard::ledger::Account;
use switchboard::line::{LineDivert, LineState, LineStatus};
use switchboard::plan::Title;
use switchboard::time::{SiteTime, Span};
use switchboard::view::{Crew, LineView};

use super::answer::{self, Format};
use super::asking::Office;
use super::fault::{EXIT_CODES, Exit, Fault, Told};
use super::length;
use super::reach::Common;
use super::said::{clean, said};
use super::words as word;
use crate::board::figures::LineFigures;
use crate::board::{InPlace, Palette, crew_table, level_words, line_table};

/// Narrower than this nothing is readable; wider than this the eye does not find the figure to a line.
const WIDTHS: (usize, usize) = (40, 120);

/// The board: every line, every team, at one moment or as they change.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Boards {
    #[command(flatten)]
    common: Common,
    /// Go on: redraw it on a terminal, write one after another elsewhere.
    #[arg(short, long)]
    watch: bool,
    /// At least this long between two boards.
    #[arg(long, value_name = "LENGTH", default_value = "1s", requires = "watch")]
    every: String,
}

impl Boards {
    pub(super) fn run(self) -> ExitCode {
        let (watch, every) = (self.watch, self.every);
        super::ask(&self.common, async |office| {
            let interval_ms = length::milliseconds("--every", &every)?;
            if watch {
                follow(office, interval_ms).await?
            } else {
                once(office).await?
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn once(office: &Office) -> Told<()> {
    let (board, _) = office.board().await?;
    match office.answer.format {
        Format::Json | Format::Yaml => office.answer.one("board", &BoardItem::of(&board)),
        Format::Name => {
            office.answer.text(&board.lines.iter().map(|line| clean(&line.line_id)).collect::<Vec<_>>())
        }
        Format::Table | Format::Wide => office.answer.text(&drawn(office, &board)?),
    }
}

async fn follow(office: &Office, interval_ms: u64) -> Told<()> {
    let mut boards = office.client.attach(BoardFeed { interval_ms });
    // A server that is not there at all is said at once; one that goes away later is waited for.
    office.board().await?;
    let in_place = io::stdout().is_terminal() && !std::env::var("TERM").is_ok_and(|name| name == "dumb");
    let mut place = InPlace::default();
    loop {
        let update = boards.next().await.map_err(|status| office.refused(&Refusal::of(&status)))?;
        let Some(board) = &update.message().board else { continue };
        if office.answer.is_object() {
            office.answer.each("board", &BoardItem::of(board))?;
        } else if in_place {
            let lines = drawn(office, board)?;
            let term = Term::stdout();
            term.write_str(&place.next(&lines, term.size()))?;
        } else {
            let mut lines = drawn(office, board)?;
            lines.push(String::new());
            office.answer.text(&lines)?;
        }
    }
}

/// The board as lines of text.
fn drawn(office: &Office, board: &v1::Board) -> Told<Vec<String>> {
    let unread = || {
        Fault::new(Exit::Broken, "NO_BOARD", said("看不懂服务器的看板", "the server's board cannot be read"))
    };
    let lang = office.lang();
    let width = answer::width().unwrap_or(WIDTHS.1).clamp(WIDTHS.0, WIDTHS.1);
    let lines: Vec<LineFigures> =
        board.lines.iter().map(figures).collect::<Option<_>>().ok_or_else(unread)?;
    let total = lines.iter().fold(Account::default(), |total, line| sum(total, &line.account));
    let teams: Vec<(Title, Crew)> =
        board.teams.iter().map(|team| (title(&team.title, &team.team_id), crew(team.crew))).collect();
    let palette = Palette::for_stdout();
    let threshold = Span::millis(board.threshold_ms);
    let mut text = line_table(&lines, &total, threshold, lang, width, &palette).lines(width, &palette.head);
    text.push(String::new());
    text.extend(crew_table(&teams, &crew(board.operators), lang, width).lines(width, &palette.head));
    text.push(String::new());
    text.push(level_words(threshold, lang));
    if board.redis_state() == v1::RedisState::Away
        && let Some(away) = word::redis_state(board.redis_state())
    {
        text.push(palette.bad.apply_to(away.of(lang)).to_string());
    }
    Ok(text)
}

fn figures(line: &v1::BoardLine) -> Option<LineFigures> {
    let open = line.state() == v1::LineState::Open;
    let sent = line.account.clone().unwrap_or_default();
    let state = if open { LineState::Open } else { LineState::ClosedBySchedule };
    let until = SiteTime(line.until_us.unwrap_or_default());
    let divert = line.diverted_to_id.parse().ok().map(|destination| LineDivert { destination, until });
    Some(LineFigures {
        id: line.line_id.parse().ok()?,
        title: title(&line.title, &line.line_id),
        view: LineView {
            status: LineStatus { state, divert },
            waiting: line.waiting,
            ringing: line.ringing,
            talking: line.talking,
            diverting: line.diverting,
            longest_wait: Span::millis(line.longest_wait_ms),
            ..LineView::default()
        },
        account: account(&sent),
    })
}

/// As far as the board's columns show it.
fn account(sent: &v1::LineAccount) -> Account {
    use switchboard::ledger::OutcomeKind;
    let kinds = [
        (v1::Outcome::AbandonedWaiting, OutcomeKind::AbandonedWaiting),
        (v1::Outcome::AbandonedRinging, OutcomeKind::AbandonedRinging),
        (v1::Outcome::AbandonedConnecting, OutcomeKind::AbandonedConnecting),
    ];
    let count =
        |of| sent.outcomes.iter().filter(|count| count.outcome() == of).map(|count| count.count).sum();
    Account {
        arrived: sent.arrived,
        answerable: sent.answerable,
        answered: sent.answered,
        answered_in_time: sent.answered_in_time,
        overflowed: sent.overflowed,
        outcomes: kinds.into_iter().map(|(wire, kind)| (kind, count(wire))).collect(),
        ..Account::default()
    }
}

fn sum(mut total: Account, one: &Account) -> Account {
    total.arrived += one.arrived;
    total.answerable += one.answerable;
    total.answered += one.answered;
    total.answered_in_time += one.answered_in_time;
    total.overflowed += one.overflowed;
    for (kind, count) in &one.outcomes {
        *total.outcomes.entry(*kind).or_default() += count;
    }
    total
}

/// What people read; the id of something that left the plan.
fn title(sent: &Option<v1::Title>, id: &str) -> Title {
    let text = |text: &str| if text.is_empty() { clean(id) } else { clean(text) };
    let sent = sent.clone().unwrap_or_default();
    Title { zh: text(&sent.zh), en: text(&sent.en) }
}

fn crew(sent: Option<v1::Crew>) -> Crew {
    let sent = sent.unwrap_or_default();
    Crew {
        ready: sent.ready,
        offered: sent.offered,
        talking: sent.talking,
        wrap_up: sent.wrap_up,
        held_back: sent.held_back,
        paused: sent.paused,
        suspended: sent.suspended,
        unreachable: sent.unreachable,
        leaving: sent.leaving,
        off: sent.off,
    }
}

/// A board, as programs read it.
#[derive(Debug, Serialize)]
struct BoardItem {
    at_us: u64,
    plan_revision: u32,
    threshold_ms: u64,
    lines: Vec<Value>,
    teams: Vec<Value>,
    operators: Crew,
    #[serde(rename = "redis")]
    redis_state: Option<word::Word>,
}

impl BoardItem {
    fn of(board: &v1::Board) -> BoardItem {
        BoardItem {
            at_us: board.at_us,
            plan_revision: board.plan_revision,
            threshold_ms: board.threshold_ms,
            lines: board.lines.iter().map(|line| line_value(board.at_us, line)).collect(),
            teams: board
                .teams
                .iter()
                .map(|team| json!({ "id": team.team_id, "title": word::Title::of(team.title.clone()), "crew": crew(team.crew) }))
                .collect(),
            operators: crew(board.operators),
            redis_state: word::redis_state(board.redis_state()),
        }
    }
}

fn line_value(at_us: u64, line: &v1::BoardLine) -> Value {
    let account = line.account.clone().unwrap_or_default();
    let outcomes: serde_json::Map<String, Value> = account
        .outcomes
        .iter()
        .filter_map(|count| Some((word::outcome(count.outcome())?.code.to_owned(), Value::from(count.count))))
        .collect();
    json!({
        "id": line.line_id,
        "title": word::Title::of(line.title.clone()),
        "state": word::line_state(line.state()),
        "diverted_to": (!line.diverted_to_id.is_empty()).then_some(&line.diverted_to_id),
        "remaining_ms": line.until_us.map(|until| until.saturating_sub(at_us) / 1_000),
        "cover": word::cover(line.cover()),
        "waiting": line.waiting,
        "ringing": line.ringing,
        "talking": line.talking,
        "diverting": line.diverting,
        "longest_wait_ms": line.longest_wait_ms,
        "account": {
            "inside_at_start": account.inside_at_start,
            "arrived": account.arrived,
            "moved_in": account.moved_in,
            "moved_out": account.moved_out,
            "overflowed": account.overflowed,
            "answered": account.answered,
            "answered_in_time": account.answered_in_time,
            "answerable": account.answerable,
            "wait_sum_ms": account.wait_sum_ms,
            "wait_max_ms": account.wait_max_ms,
            "outcomes": outcomes,
        },
    })
}
