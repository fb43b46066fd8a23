//! On the machine's clock. Time is tokio's, which stands still while anybody works and jumps when all wait.

mod site;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use exchange::{Clock, Exchange, ExchangeConfig, ExchangeHandle, FeedItem, Refused};
use presence::{DESK_LEASE, HEARTBEAT, Holder, Presence, Renewal, Tracker};
use session::{MemoryJournal, Writer};
use site::*;
use switchboard::call::CallState;
use switchboard::command::Command;
use switchboard::operator::Link;
use tokio::time::{Instant, sleep, timeout};

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
async fn who_is_free_is_shown_a_moment_later() {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::System).await;
    let _gateway = open(&exchange).await;
    let shown = async |expected: &[u64]| {
        let expected: Vec<_> = expected.iter().map(|n| operator(*n)).collect();
        let give_up_at = Instant::now() + Duration::from_secs(1);
        while !exchange.free_operators().operators.keys().eq(&expected) {
            assert!(Instant::now() < give_up_at, "{:?}", exchange.free_operators());
            sleep(Duration::from_millis(10)).await;
        }
    };
    shown(&[]).await;
    let _desks = (on_duty(&exchange, 1).await, on_duty(&exchange, 2).await);
    shown(&[1, 2]).await;
    let free = exchange.free_operators();
    let home = exchange.read(|sb| sb.operator(operator(1)).map(|known| known.home.clone())).unwrap();
    for line in &home {
        assert!(free.of_line(*line).any(|id| id == operator(1)), "{line}");
    }
    ask(&exchange, arrive(1)).await;
    let asked = exchange.read(|sb| sb.operator(operator(1)).is_some_and(|known| !known.is_ready()));
    shown(if asked { &[2] } else { &[1] }).await;
    assert!(exchange.free_operators().seq > free.seq);
    ask(&exchange, hang_up(1)).await;
    shown(&[1, 2]).await;
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

#[tokio::test(start_paused = true)]
async fn whoever_waits_when_it_closes_is_answered_first() {
    let exchange = start(&Arc::new(MemoryJournal::new()), "a", Clock::STEPPED).await;
    let asking = |n| {
        let exchange = exchange.clone();
        tokio::spawn(async move { exchange.ask(hang_up(n)).await })
    };
    // More refusals than are looked at in one go.
    let asked: Vec<_> = (0..200).map(asking).collect();
    let closing = tokio::spawn({
        let exchange = exchange.clone();
        async move { exchange.close().await }
    });
    for answer in asked {
        let answer = timeout(Duration::from_secs(60), answer).await.expect("an answer").expect("an asker");
        assert!(matches!(answer, Err(Refused::Rejection(_))), "{answer:?}");
    }
    closing.await.unwrap();
}

#[tokio::test]
async fn a_gateway_whose_incarnation_went_back_is_let_in() {
    let exchange = start(&Arc::new(MemoryJournal::new()), "a", Clock::STEPPED).await;
    let attach = |incarnation| {
        by_gateway(Command::AttachGateway { incarnation, reaches: None, calls: BTreeSet::new() })
    };
    let holder = |incarnation| Holder::Gateway { gateway: gateway(), incarnation };
    ask(&exchange, attach(9)).await;
    let _former = exchange.link(holder(9)).expect("it was attached");
    ask(&exchange, attach(4)).await;
    let _present = exchange.link(holder(4)).expect("it was attached");
    exchange.link(holder(9)).map(drop).expect_err("its former life is over");
}

#[tokio::test]
async fn whoever_is_attached_already_has_a_lease_after_attaching_again() {
    let presence = Arc::new(Tracker::new(Renewal::OpenStreams));
    let config = ExchangeConfig::alone(main_site(), Writer::new("a")).with_presence(presence.clone());
    let exchange =
        Exchange::spawn(config, Arc::new(MemoryJournal::new()), Clock::STEPPED).await.expect("it starts");
    let gateway = open(&exchange).await;
    let desk = on_duty(&exchange, 1).await;
    let [gateway, desk] = [gateway, desk].map(|linked| linked.holder());
    assert_eq!(presence.take_ended(at(1_000)), [desk, gateway], "and nobody decides on it");
    assert!(ask(&exchange, attach_gateway()).await.again);
    assert!(ask(&exchange, attach_desk(1)).await.again);
    let _linked = [gateway, desk].map(|holder| exchange.link(holder).expect("it has a lease"));
}

fn link(exchange: &ExchangeHandle) -> Link {
    exchange.read(|sb| sb.operator(operator(1)).expect("added").link)
}

#[tokio::test]
async fn whoever_left_before_it_was_decided_is_not_attached() {
    let exchange = start(&Arc::new(MemoryJournal::new()), "a", Clock::STEPPED).await;
    ask(&exchange, adopt(0)).await;
    ask(&exchange, add_operator(1)).await;
    for leaves in [attach_gateway(), attach_desk(1)] {
        let mut asking = Box::pin(exchange.ask(leaves));
        let asked = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(asked.is_pending(), "nobody has decided yet");
    }
    ask(&exchange, add_operator(2)).await;
    let attached = |sb: &switchboard::Switchboard| {
        let desk = sb.operator(operator(1)).and_then(|operator| operator.desk);
        [sb.state().gateways.contains_key(&gateway()), desk.is_some()]
    };
    assert_eq!(exchange.read(attached), [false; 2]);
    for stays in [attach_gateway(), attach_desk(1)] {
        ask(&exchange, stays).await;
    }
    assert_eq!(exchange.read(attached), [true; 2]);
}
