//! Nobody hears of anything that is not stored.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use session::{Appended, Head, Journal, JournalFault, MemoryJournal, Row, StoredRow};
use switchboard::command::Command;
use switchboard::id::{Seq, SiteId};
use switchboard::rejection::Rejection;
use tokio::sync::Semaphore;

use super::site::{add_visitor, ask, by_admin, operator, rows};
use super::start;
use crate::planted::Mistake;
use crate::{Committed, ExchangeHandle, Lane, RETRY_AFTER, Refused};

/// A journal whose every append waits to be let through.
struct Gate {
    store: Arc<MemoryJournal>,
    asked: Semaphore,
    passes: Semaphore,
}

impl Gate {
    fn before(store: &Arc<MemoryJournal>) -> Arc<Gate> {
        let gate = Gate { store: Arc::clone(store), asked: Semaphore::new(0), passes: Semaphore::new(0) };
        Arc::new(gate)
    }

    /// Returns when an append stands before the gate.
    async fn approached(&self) {
        self.asked.acquire().await.expect("open").forget();
    }

    fn let_through(&self, appends: usize) {
        self.passes.add_permits(appends);
    }
}

#[async_trait]
impl Journal for Gate {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.asked.add_permits(1);
        self.passes.acquire().await.expect("open").forget();
        self.store.append(site, row).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        self.store.tail(site, after, rows_max).await
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        self.store.head(site).await
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        self.store.heads().await
    }
}

#[tokio::test]
async fn what_waits_shares_a_row() {
    let store = Arc::new(MemoryJournal::new());
    let gate = Gate::before(&store);
    let exchange = start(gate.clone(), "a", None).await;
    let mut first = Asked::new(&exchange, 1).await;
    gate.approached().await;
    let mut others = Vec::new();
    for n in 2..=90 {
        others.push(Asked::new(&exchange, n).await);
    }
    gate.let_through(3);
    assert_eq!(first.answer().await.unwrap().cursor.seq, Seq(1));
    for (asked, seq) in others.iter_mut().zip(2..) {
        assert_eq!(asked.answer().await.unwrap().cursor.seq, Seq(seq));
    }
    let stored = rows(&*store).await;
    let sizes: Vec<u64> = stored.iter().map(|s| s.row.last_seq.0 - s.row.seq.0 + 1).collect();
    assert_eq!(sizes, [1, 64, 25], "one append at a time, and as many decisions in it as wait, up to 64");
    assert_eq!(exchange.figures().appends, 3);
}

#[tokio::test]
async fn nobody_hears_of_a_decision_before_it_is_stored() {
    nobody_hears_early(None).await.unwrap();
    for mistake in [Mistake::AnswerBeforeAppend, Mistake::PublishBeforeAppend] {
        nobody_hears_early(Some(mistake)).await.expect_err("the planted mistake shows");
    }
}

async fn nobody_hears_early(mistake: Option<Mistake>) -> Result<(), &'static str> {
    let store = Arc::new(MemoryJournal::new());
    let gate = Gate::before(&store);
    let exchange = start(gate.clone(), "a", mistake).await;
    let mut feed = exchange.subscribe(None);
    let mut asked = Asked::new(&exchange, 1).await;
    gate.approached().await;
    settle().await;
    demand(!asked.is_answered().await, "it was answered")?;
    demand(feed.ready().is_none(), "it was published")?;
    demand(exchange.read(|sb| sb.operator(operator(1)).is_none()), "it could be read")?;
    demand(exchange.cursor().seq == Seq(0), "the cursor moved")?;
    gate.let_through(1);
    let answered = asked.answer().await.map_err(|_| "it was refused")?;
    demand(exchange.cursor() == answered.cursor, "an answer before the publication")?;
    demand(exchange.read(|sb| sb.operator(operator(1)).is_some()), "it cannot be read")?;
    demand(feed.ready().is_some(), "it is not published")
}

#[tokio::test]
async fn a_refusal_waits_for_the_append_it_stands_on() {
    refusals_wait(None).await.unwrap();
    refusals_wait(Some(Mistake::RefuseBeforeAppend)).await.expect_err("the planted mistake shows");
}

async fn refusals_wait(mistake: Option<Mistake>) -> Result<(), &'static str> {
    let store = Arc::new(MemoryJournal::new());
    let gate = Gate::before(&store);
    let exchange = start(gate.clone(), "a", mistake).await;
    let mut added = Asked::new(&exchange, 1).await;
    gate.approached().await;
    let mut again = Asked::new(&exchange, 1).await;
    let mut elsewhere =
        Asked::input(&exchange, by_admin(Command::RemoveOperator { operator: operator(2) })).await;
    settle().await;
    demand(!again.is_answered().await, "a refusal that stands on an append under way")?;
    demand(!elsewhere.is_answered().await, "a refusal that may stand on an append under way")?;
    let other = start(store.clone(), "b", None).await;
    ask(&other, add_visitor(2)).await;
    gate.let_through(9);
    demand(added.answer().await.is_ok(), "what was lost is decided again")?;
    demand(again.answer().await.is_ok_and(|answer| answer.again), "it had been done before")?;
    demand(elsewhere.answer().await.is_ok(), "the refusal stood on a history that never was")?;
    demand(exchange.figures().lost == 1, "one append was lost")
}

#[tokio::test]
async fn a_refusal_with_nothing_under_way_comes_at_once() {
    let gate = Gate::before(&Arc::new(MemoryJournal::new()));
    let exchange = start(gate, "a", None).await;
    let refused = exchange.ask(by_admin(Command::RemoveOperator { operator: operator(2) })).await;
    assert_eq!(refused, Err(Refused::Rejection(Rejection::UnknownOperator)));
}

#[tokio::test]
async fn a_full_lane_refuses_and_the_others_go_on() {
    let gate = Gate::before(&Arc::new(MemoryJournal::new()));
    let exchange = start(gate.clone(), "a", None).await;
    // Two appends' worth is taken out of the lane: one under way, one gathered.
    let mut asked = vec![Asked::new(&exchange, 0).await];
    gate.approached().await;
    let room = Lane::Oversight.asks_max() as u64 + 64;
    for n in 1..=64 {
        asked.push(Asked::new(&exchange, n).await);
    }
    settle().await;
    for n in 65..=room {
        asked.push(Asked::new(&exchange, n).await);
    }
    assert_eq!(exchange.ask(add_visitor(9_999)).await, Err(Refused::Busy { retry_after: RETRY_AFTER }));
    let mut fact = Asked::input(&exchange, super::site::hang_up(1)).await;
    assert!(!fact.is_answered().await, "facts are taken in, whatever else waits");
    gate.let_through(99);
    for asked in &mut asked {
        assert!(asked.answer().await.is_ok());
    }
    assert_eq!(fact.answer().await, Err(Refused::Rejection(Rejection::UnknownCall)));
}

/// An ask that stands in the inbox, and its answer as soon as there is one.
struct Asked(Pin<Box<dyn Future<Output = Result<Committed, Refused>> + Send>>);

impl Asked {
    async fn new(exchange: &ExchangeHandle, operator: u64) -> Asked {
        Asked::input(exchange, add_visitor(operator)).await
    }

    async fn input(exchange: &ExchangeHandle, input: switchboard::command::Input) -> Asked {
        let exchange = exchange.clone();
        let mut asked = Asked(Box::pin(async move { exchange.ask(input).await }));
        assert!(!asked.is_answered().await, "the exchange has not run since");
        asked
    }

    async fn is_answered(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(self.0.as_mut().poll(cx).is_ready())).await
    }

    async fn answer(&mut self) -> Result<Committed, Refused> {
        self.0.as_mut().await
    }
}

/// Lets everything run that can: on one thread, whoever is ready runs before the last of so many yields.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn demand(holds: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(otherwise) }
}
