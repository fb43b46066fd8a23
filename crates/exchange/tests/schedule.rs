//! The plan's hours become edges, and stay two weeks ahead.

mod site;

use std::collections::BTreeMap;
use std::sync::Arc;

use exchange::{Clock, ExchangeHandle};
use session::MemoryJournal;
use site::*;
use switchboard::command::{Adoption, Command, Edge, EdgeKind, Input};
use switchboard::event::Event;
use switchboard::id::{LineId, Revision};
use switchboard::line::LineState;
use switchboard::plan::{Hours, Plan, Window};

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;

#[tokio::test]
async fn a_line_keeps_its_hours_from_the_moment_a_plan_is_adopted() {
    let exchange = start(&Arc::new(MemoryJournal::new()), "a", Clock::STEPPED).await;
    ask(&exchange, adopt_hours(0, 8, 18)).await;
    assert_eq!(state(&exchange), LineState::ClosedBySchedule, "labels start at midnight");
    step(&exchange, 8 * HOUR_S - 1).await;
    assert_eq!(state(&exchange), LineState::ClosedBySchedule);
    step(&exchange, 8 * HOUR_S).await;
    assert_eq!(state(&exchange), LineState::Open);
    step(&exchange, 18 * HOUR_S).await;
    assert_eq!(state(&exchange), LineState::ClosedBySchedule);
    ask(&exchange, adopt_hours(1, 8, 20)).await;
    assert_eq!(state(&exchange), LineState::Open, "the new plan's hours hold at once");
}

#[tokio::test]
async fn edges_are_laid_daily_two_weeks_ahead() {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    ask(&exchange, adopt_hours(0, 8, 18)).await;
    step(&exchange, 20 * DAY_S).await;
    let laid: Vec<_> = decisions(&*journal)
        .await
        .into_iter()
        .filter(|d| d.events.iter().any(|event| matches!(event, Event::ScheduleExtended { .. })))
        .map(|d| d.at)
        .collect();
    let daily: Vec<_> = (0..=20).map(|day| at(day * DAY_S)).collect();
    assert_eq!(laid, daily);
    let last = exchange.read(|sb| sb.state().edges.back().copied()).unwrap();
    assert!(last.at > at(33 * DAY_S), "{last:?}");
}

#[tokio::test]
async fn a_restart_lays_them_and_shifts_stay() {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    ask(&exchange, adopt_hours(0, 8, 18)).await;
    ask(&exchange, add_operator(1)).await;
    let shift = EdgeKind::ShiftStarts { operator: operator(1), ends_at: at(16 * HOUR_S) };
    let edges = vec![Edge { at: at(9 * HOUR_S), wall_us: 0, what: shift }];
    ask(&exchange, by_admin(Command::ExtendSchedule { edges })).await;
    exchange.close().await;
    let again = start(&journal, "b", Clock::STEPPED).await;
    let mut feed = again.subscribe(None);
    feed.next().await.expect("it lays edges by itself");
    assert!(again.read(|sb| sb.state().edges.len()) > 14);
    step(&again, 9 * HOUR_S).await;
    assert!(again.read(|sb| sb.operator(operator(1)).unwrap().shift.is_some()));
    assert_eq!(state(&again), LineState::Open);
}

#[tokio::test]
async fn hours_are_laid_also_when_somebody_with_a_shift_was_removed() {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    ask(&exchange, adopt_hours(0, 8, 18)).await;
    for n in [1, 2] {
        ask(&exchange, add_operator(n)).await;
    }
    let shift = |n| EdgeKind::ShiftStarts { operator: operator(n), ends_at: at(3 * DAY_S) };
    let edges = [1, 2].map(|n| Edge { at: at(2 * DAY_S), wall_us: 0, what: shift(n) }).to_vec();
    ask(&exchange, by_admin(Command::ExtendSchedule { edges })).await;
    ask(&exchange, by_admin(Command::RemoveOperator { operator: operator(1) })).await;
    step(&exchange, DAY_S).await;
    let laid = exchange.read(|sb| sb.state().edges.clone());
    assert!(laid.iter().any(|edge| edge.what == EdgeKind::LineOpens(comfort())), "{laid:?}");
    assert!(laid.iter().any(|edge| edge.what == shift(2)), "{laid:?}");
    assert!(!laid.iter().any(|edge| edge.what == shift(1)), "{laid:?}");
}

fn state(exchange: &ExchangeHandle) -> LineState {
    exchange.read(|sb| sb.state().lines[&comfort()].state)
}

fn adopt_hours(expect: u32, from: u16, to: u16) -> Input {
    let mut draft = plan().into_draft();
    let day = |day: u16| Window { from: (day * 24 + from) * 60, to: (day * 24 + to) * 60 };
    draft.lines.get_mut(&comfort()).expect("a line of the hospital").hours =
        Hours::Weekly((0..7).map(day).collect());
    let plan = Plan::check(draft).expect("still a plan");
    let adoption = Adoption { plan, expect: Revision(expect), migrate: false, move_waiting: BTreeMap::new() };
    by_admin(Command::AdoptPlan(Box::new(adoption)))
}

fn comfort() -> LineId {
    name("comfort")
}
