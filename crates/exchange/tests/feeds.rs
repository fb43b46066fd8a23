//! What readers and listeners get.

mod site;

use exchange::{Cursor, FEED_DECISIONS_MAX, FeedItem, Refused, ResetCause};
use session::Epoch;
use site::*;
use switchboard::id::Seq;

#[tokio::test]
async fn a_feed_tells_everything_behind_its_cursor_once_and_in_order() {
    let (exchange, journal, _gateway) = hospital().await;
    let from = exchange.cursor();
    let mut early = exchange.subscribe(None);
    for n in 0..200 {
        ask(&exchange, arrive(n)).await;
    }
    let expected: Vec<_> = decisions(&*journal).await.into_iter().filter(|d| d.seq > from.seq).collect();
    let mut late = exchange.subscribe(Some(from));
    for decision in &expected {
        for feed in [&mut early, &mut late] {
            let Some(FeedItem::Decision(told)) = feed.next().await else { panic!("nothing was lost") };
            assert_eq!(*told, *decision);
            assert_eq!(feed.cursor().seq, decision.seq);
        }
    }
    assert_eq!(early.ready(), None);
}

#[tokio::test]
async fn a_reader_who_lags_is_told_so_and_goes_on_behind_a_snapshot() {
    let (exchange, _journal, _gateway) = hospital().await;
    let from = exchange.cursor();
    let mut feed = exchange.subscribe(Some(from));
    for n in 0..FEED_DECISIONS_MAX as u64 {
        ask(&exchange, add_visitor(n + 100)).await;
    }
    let mut just_in_time = exchange.subscribe(Some(from));
    assert!(
        matches!(just_in_time.next().await, Some(FeedItem::Decision(first)) if first.seq == from.seq.next())
    );
    ask(&exchange, add_visitor(1)).await;
    assert_eq!(feed.next().await, Some(FeedItem::Reset(ResetCause::Lagged)));
    let (cursor, people) = feed.snapshot(|sb| sb.state().operators.len());
    assert_eq!(people, FEED_DECISIONS_MAX + 1);
    assert_eq!(cursor, exchange.cursor());
    let next = ask(&exchange, add_visitor(2)).await;
    assert!(matches!(feed.next().await, Some(FeedItem::Decision(told)) if told.seq == next.cursor.seq));
}

#[tokio::test]
async fn a_cursor_that_names_nothing_here_is_reset() {
    let (exchange, _journal, _gateway) = hospital().await;
    let here = exchange.cursor();
    let ahead = Cursor { seq: Seq(here.seq.0 + 1), ..here };
    let elsewhere = Cursor { epoch: Epoch(here.epoch.0 + 1), ..here };
    for (n, unknown) in [ahead, elsewhere].into_iter().enumerate() {
        let mut feed = exchange.subscribe(Some(unknown));
        assert_eq!(feed.next().await, Some(FeedItem::Reset(ResetCause::Unknown)));
        let next = ask(&exchange, arrive(n as u64)).await;
        assert!(matches!(feed.next().await, Some(FeedItem::Decision(told)) if told.seq == next.cursor.seq));
    }
    assert_eq!(exchange.reach(elsewhere).await, Err(Refused::Closed));
    assert_eq!(exchange.reach(here).await, Ok(()));
}

#[tokio::test]
async fn reaching_a_cursor_waits_for_it() {
    let (exchange, _journal, _gateway) = hospital().await;
    let next = Cursor { seq: exchange.cursor().seq.next(), ..exchange.cursor() };
    let (reached, asked) = tokio::join!(exchange.reach(next), exchange.ask(arrive(1)));
    assert_eq!(reached, Ok(()));
    assert_eq!(asked.unwrap().cursor, next);
    let never = Cursor { seq: Seq(1_000_000), ..next };
    let (reached, ()) = tokio::join!(exchange.reach(never), exchange.close());
    assert_eq!(reached, Err(Refused::Closed));
}

#[tokio::test]
async fn closing_answers_what_waits_and_ends_the_feeds() {
    let (exchange, journal, _gateway) = hospital().await;
    let mut feed = exchange.subscribe(None);
    let (first, second, ()) =
        tokio::join!(exchange.ask(arrive(1)), exchange.ask(arrive(2)), exchange.close());
    let last = second.unwrap().cursor.seq;
    assert_eq!(first.unwrap().cursor.seq.next(), last);
    assert_eq!(rows(&*journal).await.last().unwrap().row.last_seq, last);
    assert!(matches!(feed.next().await, Some(FeedItem::Decision(_))));
    assert!(matches!(feed.next().await, Some(FeedItem::Decision(_))));
    assert_eq!(feed.next().await, None);
    exchange.close().await;
}

#[tokio::test]
async fn the_last_handle_ends_the_exchange() {
    let (exchange, _journal, gateway) = hospital().await;
    let mut feed = exchange.subscribe(None);
    drop(exchange.clone());
    ask(&exchange, arrive(1)).await;
    drop(exchange);
    assert!(matches!(feed.next().await, Some(FeedItem::Decision(_))));
    assert_eq!(feed.next().await, None);
    drop(gateway);
}
