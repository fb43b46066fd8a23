//! On the machine's clock. Time is tokio's, which stands still while anybody works and jumps when all wait.

mod site;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use exchange::{Clock, ExchangeHandle, FeedItem};
use presence::{DESK_LEASE, HEARTBEAT};
use session::MemoryJournal;
use site::*;
use switchboard::call::CallState;
use switchboard::command::Command;
use switchboard::operator::Link;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn deadlines_fire_by_themselves_and_on_time() {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::System).await;
    let _gateway = open(&exchange).await;
    let _desk = on_duty(&exchange, 1).await;
    ask(&exchange, arrive(1)).await;
    assert_eq!(exchange.read(|sb| sb.call(call(1)).map(|c| c.state())), Some(CallState::Offered));
    let due = exchange.read(|sb| sb.next_deadline()).unwrap();
    let mut feed = exchange.subscribe(None);
    let Some(FeedItem::Decision(tick)) = feed.next().await else { panic!("a tick") };
    assert_eq!(tick.input.command, Command::Tick);
    assert!(tick.at >= due && tick.at.since(due) < switchboard::time::Span::millis(5), "{:?}", tick.at);
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_falls_silent_is_dropped_and_one_that_speaks_is_not() {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::System).await;
    let _gateway = open(&exchange).await;
    let desk = on_duty(&exchange, 1).await;
    for _ in 0..10 {
        sleep(Duration::from_micros(HEARTBEAT.0)).await;
        exchange.heartbeat(desk.holder()).expect("it is attached");
    }
    assert_eq!(link(&exchange), Link::Online);
    let (mut feed, silent_since) = (exchange.subscribe(None), Instant::now());
    let Some(FeedItem::Decision(dropped)) = feed.next().await else { panic!("a report") };
    assert!(matches!(dropped.input.command, Command::DropDesk { .. }));
    let silent = silent_since.elapsed();
    assert!(silent.abs_diff(Duration::from_micros(DESK_LEASE.0)) < Duration::from_millis(5), "{silent:?}");
    exchange.heartbeat(desk.holder()).expect_err("it has to attach again");
    ask(&exchange, attach_desk(1)).await;
    assert_eq!(link(&exchange), Link::Online);
}

#[tokio::test(start_paused = true)]
async fn site_time_goes_on_over_a_restart() {
    let store_us = Arc::new(AtomicI64::new(1_000_000_000));
    let store_clock = Arc::clone(&store_us);
    let journal = Arc::new(MemoryJournal::with_store_clock(move || store_clock.load(Ordering::Relaxed)));
    let exchange = start(&journal, "a", Clock::System).await;
    sleep(Duration::from_secs(40)).await;
    let asked = ask(&exchange, add_visitor(1)).await;
    assert!(asked.at >= at(40));
    let (before, epoch) = (exchange.read(|sb| sb.state_hash()), exchange.cursor().epoch);
    exchange.close().await;
    store_us.fetch_add(25_000_000, Ordering::Relaxed);
    let again = start(&journal, "b", Clock::System).await;
    assert_eq!(again.read(|sb| sb.state_hash()), before);
    assert_eq!(again.cursor().epoch, epoch);
    assert_eq!(again.now(), asked.at + switchboard::time::Span::secs(25));
    let next = ask(&again, add_visitor(2)).await;
    assert_eq!(next.cursor.seq, asked.cursor.seq.next());
}

#[tokio::test(start_paused = true)]
async fn another_exchanges_time_and_decisions_are_caught_up_with() {
    let journal = Arc::new(MemoryJournal::with_store_clock(|| 0));
    let behind = start(&journal, "behind", Clock::System).await;
    let ahead = start(&journal, "ahead", Clock::STEPPED).await;
    step(&ahead, 500).await;
    let asked = ask(&ahead, add_visitor(1)).await;
    assert_eq!(asked.at, at(500));
    behind.heard_of(asked.cursor.seq);
    behind.reach(asked.cursor).await.unwrap();
    assert!(behind.read(|sb| sb.operator(operator(1)).is_some()));
    assert_eq!(behind.figures().lost, 0, "it looked before it appended");
    let next = ask(&behind, add_visitor(2)).await;
    assert!(next.at >= at(500), "site time never goes back");
}

fn link(exchange: &ExchangeHandle) -> Link {
    exchange.read(|sb| sb.operator(operator(1)).expect("added").link)
}
