use api::v1;
use switchboard::ledger::{Account, Ledger};
use switchboard::line::LineState;
use switchboard::plan::{Plan, Title};
use switchboard::time::SiteTime;
use switchboard::view::{Cover, Crew, LineView, SiteView};

use super::words;

/// The board: what is, and what came of the calls since counting began.
pub(crate) fn board(view: &SiteView, plan: Option<&Plan>, ledger: &Ledger, from: SiteTime) -> v1::Board {
    let lines = view.lines.iter().map(|(id, line)| v1::BoardLine {
        line_id: id.to_string(),
        title: plan.and_then(|p| p.lines.get(id)).map(|l| title(&l.title)),
        account: ledger.lines().get(id).map(account),
        ..board_line(line)
    });
    let teams = view.teams.iter().map(|(id, crew)| v1::BoardTeam {
        team_id: id.to_string(),
        title: plan.and_then(|p| p.teams.get(id)).map(|t| title(&t.title)),
        crew: Some(shown_crew(crew)),
    });
    v1::Board {
        at_us: view.at.0,
        plan_revision: view.revision.0,
        counted_from_us: from.0,
        threshold_ms: ledger.threshold().0 / 1_000,
        lines: lines.collect(),
        teams: teams.collect(),
        operators: Some(shown_crew(&view.operators)),
        ..v1::Board::default()
    }
}

/// How it stands with Redis, where there is one.
pub(crate) fn redis_state(is_well: Option<bool>) -> v1::RedisState {
    match is_well {
        None => v1::RedisState::Unspecified,
        Some(true) => v1::RedisState::There,
        Some(false) => v1::RedisState::Away,
    }
}

fn board_line(line: &LineView) -> v1::BoardLine {
    let (state, opens_at) = match line.status.state {
        LineState::Open => (v1::LineState::Open, None),
        LineState::ClosedBySchedule => (v1::LineState::ClosedBySchedule, None),
        LineState::ClosedByHand { until, .. } => (v1::LineState::ClosedByHand, Some(until)),
        LineState::Draining => (v1::LineState::Draining, None),
        LineState::Retired => (v1::LineState::Retired, None),
    };
    let cover = match line.cover {
        Cover::Staffed => v1::Cover::Staffed,
        Cover::Saturated => v1::Cover::Saturated,
        Cover::NobodyOnDuty => v1::Cover::NobodyOnDuty,
    };
    let divert = line.status.divert;
    v1::BoardLine {
        state: state.into(),
        diverted_to_id: divert.map(|d| d.destination.to_string()).unwrap_or_default(),
        until_us: opens_at.into_iter().chain(divert.map(|d| d.until)).min().map(|t| t.0),
        cover: cover.into(),
        waiting: line.waiting,
        ringing: line.ringing,
        talking: line.talking,
        diverting: line.diverting,
        longest_wait_ms: line.longest_wait.0 / 1_000,
        ..v1::BoardLine::default()
    }
}

fn account(account: &Account) -> v1::LineAccount {
    v1::LineAccount {
        inside_at_start: account.inside_at_start,
        arrived: account.arrived,
        moved_in: account.moved_in,
        moved_out: account.moved_out,
        answerable: account.answerable,
        overflowed: account.overflowed,
        answered: account.answered,
        answered_in_time: account.answered_in_time,
        wait_sum_ms: account.wait_sum.0 / 1_000,
        wait_max_ms: account.wait_max.0 / 1_000,
        outcomes: account
            .outcomes
            .iter()
            .map(|(kind, count)| v1::OutcomeCount {
                outcome: words::outcome_kind(*kind).into(),
                count: *count,
            })
            .collect(),
    }
}

fn shown_crew(crew: &Crew) -> v1::Crew {
    v1::Crew {
        ready: crew.ready,
        offered: crew.offered,
        talking: crew.talking,
        wrap_up: crew.wrap_up,
        held_back: crew.held_back,
        paused: crew.paused,
        suspended: crew.suspended,
        unreachable: crew.unreachable,
        leaving: crew.leaving,
        off: crew.off,
    }
}

fn title(title: &Title) -> v1::Title {
    v1::Title { zh: title.zh.clone(), en: title.en.clone() }
}
