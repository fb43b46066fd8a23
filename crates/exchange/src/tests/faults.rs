//! Faults of the program stay with the ask that met them, until there are too many.

use std::sync::Arc;

use session::MemoryJournal;
use switchboard::command::Command;
use switchboard::id::Seq;

use super::site::{add_visitor, ask, by_gateway, call, operator};
use super::start;
use crate::Refused;
use crate::planted::Mistake;

#[tokio::test]
async fn an_ask_that_panics_harms_nobody_else() {
    let exchange = start(Arc::new(MemoryJournal::new()), "a", Some(Mistake::Panic)).await;
    let bad = by_gateway(Command::PromptFinished { call: call(1) });
    for n in 1..=5 {
        assert_eq!(exchange.ask(bad.clone()).await, Err(Refused::Faulty));
        assert_eq!(exchange.ask(bad.clone()).await, Err(Refused::Faulty));
        assert_eq!(ask(&exchange, add_visitor(n)).await.cursor.seq, Seq(n));
    }
    assert!(exchange.is_serving());
    assert_eq!(exchange.figures().faults, 10);
}

#[tokio::test]
async fn three_at_one_place_and_the_site_stops_but_can_be_read_and_closed() {
    let exchange = start(Arc::new(MemoryJournal::new()), "a", Some(Mistake::Panic)).await;
    ask(&exchange, add_visitor(1)).await;
    let bad = by_gateway(Command::PromptFinished { call: call(1) });
    for _ in 0..3 {
        assert_eq!(exchange.ask(bad.clone()).await, Err(Refused::Faulty));
    }
    assert_eq!(exchange.ask(add_visitor(2)).await, Err(Refused::Degraded));
    assert!(!exchange.is_serving());
    assert!(exchange.read(|sb| sb.operator(operator(1)).is_some()));
    exchange.close().await;
    assert_eq!(exchange.ask(add_visitor(2)).await, Err(Refused::Closed));
}
