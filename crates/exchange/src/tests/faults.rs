//! Faults of the program stay with the ask that met them, until there are too many.

use std::sync::Arc;

use session::MemoryJournal;
use switchboard::Switchboard;
use switchboard::canonical;
use switchboard::command::{Command, Expected, Input, Profile};
use switchboard::id::Seq;
use switchboard::operator::Device;
use switchboard::state::State;
use switchboard::time::SiteTime;

use super::site::{add_visitor, ask, by_admin, by_gateway, call, decisions, operator, visitor};
use super::{start, start_keeping_evidence};
use crate::planted::Mistake;
use crate::{Readiness, Refused};

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
    assert_eq!(*exchange.readiness().borrow(), Readiness::Degraded);
    assert!(exchange.read(|sb| sb.operator(operator(1)).is_some()));
    exchange.close().await;
    assert_eq!(exchange.ask(add_visitor(2)).await, Err(Refused::Closed));
}

#[tokio::test]
async fn what_breaks_a_law_is_not_journaled_and_can_be_looked_at() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let kept = dir.path().join("evidence");
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start_keeping_evidence(Arc::clone(&journal) as _, Mistake::BreakLaw, kept.clone()).await;
    ask(&exchange, add_visitor(1)).await;
    assert!(!kept.exists(), "there is nothing to keep");
    let profile = Profile { device: Device::Softphone, ..visitor() };
    let change = Command::ChangeOperator { operator: operator(1), profile, expect: Expected::default() };
    let bad = by_admin(change);
    assert_eq!(exchange.ask(bad.clone()).await, Err(Refused::Faulty));
    assert_eq!(ask(&exchange, add_visitor(2)).await.cursor.seq, Seq(2), "its number is the next one's");
    let stored = decisions(&*journal).await;
    assert_eq!(stored.len(), 2, "{stored:?}");

    let text = std::fs::read_to_string(kept.join("decision-2-1.json")).expect("kept");
    let field = |name: &str, end: &str| {
        let from = text.find(name).expect(name) + name.len();
        text[from..].split(end).next().expect("a value").to_owned()
    };
    assert!(field("\"what\":", ",\"at\"").contains("L06"), "{text}");
    let input: Input = canonical::decode(&field("\"input\":", ",\"before\"")).expect("an input");
    assert_eq!(input, bad);
    let at: SiteTime = canonical::decode(&field("\"at\":", ",\"input\"")).expect("a time");
    let before: State = canonical::decode(field("\"before\":", "\n").strip_suffix('}').expect("one object"))
        .expect("a state");
    assert!(Switchboard::from_state(before).handle(at, input).is_ok(), "it can happen again");

    for _ in 0..2 {
        assert_eq!(exchange.ask(bad.clone()).await, Err(Refused::Faulty));
    }
    assert!(exchange.is_serving(), "two at one place");
    assert_eq!(exchange.ask(bad).await, Err(Refused::Faulty));
    assert_eq!(*exchange.readiness().borrow(), Readiness::Degraded);
    assert_eq!(exchange.ask(add_visitor(3)).await, Err(Refused::Degraded));
    assert_eq!(std::fs::read_dir(kept).expect("there").count(), 4);
}
