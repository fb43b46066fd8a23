//! A store that is away, that does not say what it did, or that holds what cannot be read.

mod site;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use exchange::{Clock, Lane, Readiness, Refused, StartFault};
use session::{
    Appended, BodyFault, Derived, Head, Journal, JournalFault, MemoryDerived, MemoryJournal, Row, RowMark,
    Snapshot, StoredRow, Writer,
};
use site::*;
use switchboard::id::{Seq, SiteId};
use switchboard::state::State;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Passes at once when all wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of an append.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Not stored, and said so.
    Away,
    /// Stored, and nothing said.
    StoredInSilence,
    /// Not stored, and nothing said.
    ForgottenInSilence,
    /// Nothing said, and stored only when the next append is there already.
    StoredLate,
    /// Another writer's row was first, and nothing said.
    BeatenInSilence,
    /// The journal is broken.
    Broken,
    /// A mistake of the journal's program.
    Panic,
    /// Stored, and said so only when the store comes to.
    Stalls,
    /// Perhaps stored, and no reading of it proves anything.
    StoredAndFailed,
}

/// Acts as told, then as memory does.
struct Moody {
    store: MemoryJournal,
    acts: Mutex<VecDeque<Act>>,
    late: Mutex<Option<Row>>,
    comes_to: Notify,
}

impl Moody {
    fn new(acts: &[Act]) -> Arc<Moody> {
        let acts = Mutex::new(acts.iter().copied().collect());
        Arc::new(Moody { store: MemoryJournal::new(), acts, late: Mutex::default(), comes_to: Notify::new() })
    }
}

#[async_trait]
impl Journal for Moody {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        let late = self.late.lock().expect("whole").take();
        if let Some(late) = late {
            self.store.append(site, &late).await?;
        }
        let act = self.acts.lock().expect("whole").pop_front();
        let silence = Err(JournalFault::OutcomeUnknown("the connection was lost".to_owned()));
        match act {
            None => self.store.append(site, row).await,
            Some(Act::Stalls) => {
                self.comes_to.notified().await;
                self.store.append(site, row).await
            }
            Some(Act::Away) => Err(JournalFault::Unavailable("nobody answers".to_owned())),
            Some(Act::Broken) => Err(JournalFault::Damaged("a page is torn".to_owned())),
            Some(Act::StoredAndFailed) => {
                self.store.append(site, row).await?;
                Err(JournalFault::RestartNeeded("a sync failed".to_owned()))
            }
            Some(Act::ForgottenInSilence) => silence,
            Some(Act::StoredLate) => {
                *self.late.lock().expect("whole") = Some(row.clone());
                silence
            }
            Some(Act::Panic) => panic!("a journal with a mistake"),
            Some(Act::StoredInSilence) => {
                self.store.append(site, row).await?;
                silence
            }
            Some(Act::BeatenInSilence) => {
                let other = Row { writer: Writer::new("another"), ..other_row(row.seq) };
                self.store.append(site, &other).await?;
                silence
            }
        }
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

#[tokio::test(start_paused = true)]
async fn whatever_the_store_says_an_ask_is_done_once() {
    for acts in [
        vec![Act::Away, Act::Away, Act::Away],
        vec![Act::StoredInSilence],
        vec![Act::ForgottenInSilence],
        vec![Act::StoredLate],
        vec![Act::StoredLate, Act::Away, Act::ForgottenInSilence],
        vec![Act::Away, Act::ForgottenInSilence, Act::StoredInSilence],
        vec![Act::BeatenInSilence],
        vec![Act::BeatenInSilence, Act::ForgottenInSilence, Act::StoredInSilence],
    ] {
        let journal = Moody::new(&acts);
        let exchange = start(&journal, "a", Clock::STEPPED).await;
        let done = ask(&exchange, add_visitor(1)).await;
        assert!(!done.again, "{acts:?}");
        assert_eq!(ask(&exchange, add_visitor(2)).await.cursor.seq, done.cursor.seq.next(), "{acts:?}");
        let stored = decisions(&*journal).await;
        let mine = stored.iter().filter(|d| d.input == add_visitor(1)).count();
        assert_eq!(mine, 1, "{acts:?}: {stored:?}");
        let beaten = acts.iter().filter(|act| matches!(act, Act::BeatenInSilence)).count();
        assert_eq!(stored.len(), 2 + beaten, "{acts:?}");
        assert_eq!(exchange.figures().lost, beaten as u64, "{acts:?}");
    }
}

#[tokio::test]
async fn a_broken_journal_stops_the_site_and_reads_go_on() {
    let journal = Moody::new(&[]);
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    ask(&exchange, add_visitor(1)).await;
    journal.acts.lock().unwrap().push_back(Act::Broken);
    assert_eq!(refusal(&exchange, add_visitor(2)).await, Refused::Degraded);
    assert_eq!(refusal(&exchange, add_visitor(3)).await, Refused::Degraded);
    assert!(exchange.read(|sb| sb.operator(operator(1)).is_some() && sb.operator(operator(2)).is_none()));
    assert!(!exchange.is_serving());
    exchange.close().await;
}

#[tokio::test(start_paused = true)]
async fn when_the_loop_ends_by_a_panic_everybody_who_waits_is_told() {
    let exchange = start(&Moody::new(&[Act::Panic]), "a", Clock::STEPPED).await;
    let asking = |n| {
        let exchange = exchange.clone();
        tokio::spawn(async move { exchange.ask(add_visitor(n)).await })
    };
    // More than the append under way and the one being gathered.
    let asked: Vec<_> = (0..200).map(asking).collect();
    for answer in asked {
        let answer = timeout(PATIENCE, answer).await.expect("an answer");
        assert_eq!(answer.expect("an asker"), Err(Refused::Closed));
    }
    assert_eq!(refusal(&exchange, add_visitor(300)).await, Refused::Closed);
}

#[tokio::test]
async fn a_journal_that_only_a_restart_can_read_asks_for_one_and_answers_nobody() {
    let journal = Moody::new(&[]);
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    ask(&exchange, add_visitor(1)).await;
    journal.acts.lock().unwrap().push_back(Act::StoredAndFailed);
    let refused = refusal(&exchange, add_visitor(2)).await;
    assert_eq!(refused, Refused::Closed, "ask again after the restart: nobody knows whether it was done");
    exchange.restart_needed().await;
    assert!(!exchange.is_serving());
    assert!(exchange.read(|sb| sb.operator(operator(2)).is_none()), "nothing is shown that may not be there");

    let successor = start(&journal, "b", Clock::STEPPED).await;
    assert!(successor.read(|sb| sb.operator(operator(2)).is_some()), "the journal knew");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stalls_answers_nobody_fills_only_so_far_and_goes_on_by_itself() {
    let journal = Moody::new(&[]);
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    let mut readiness = exchange.readiness();
    assert_eq!(*readiness.borrow_and_update(), Readiness::Ready);
    ask(&exchange, add_visitor(1)).await;
    journal.acts.lock().unwrap().push_back(Act::Stalls);
    let asking = |n: usize| {
        let exchange = exchange.clone();
        tokio::spawn(async move { exchange.ask(add_visitor(n as u64)).await })
    };
    let stalled = asking(2);
    timeout(PATIENCE, readiness.changed()).await.expect("it is told").expect("it serves");
    assert_eq!(*readiness.borrow_and_update(), Readiness::CommitOverdue);
    assert!(exchange.is_serving(), "nothing was given up");

    let many = Lane::Oversight.asks_max() * 2;
    let mut waiting: Vec<_> = (3..3 + many).map(asking).collect();
    let mut refused = 0;
    timeout(PATIENCE, async {
        while refused < many - Lane::Oversight.asks_max() - exchange::BATCH_DECISIONS_MAX {
            tokio::task::yield_now().await;
            refused = waiting.iter().filter(|asked| asked.is_finished()).count();
        }
    })
    .await
    .expect("a full lane refuses");
    assert!(!stalled.is_finished(), "what is not durable is not answered");
    assert_eq!(exchange.figures().appends, 1);

    journal.comes_to.notify_one();
    timeout(PATIENCE, stalled).await.expect("an answer").expect("an asker").expect("done");
    let mut done = 0;
    for asked in waiting.drain(..) {
        match asked.await.expect("an asker") {
            Ok(_) => done += 1,
            Err(refused) => assert!(matches!(refused, Refused::Busy { .. }), "{refused}"),
        }
    }
    let lane = Lane::Oversight.asks_max();
    assert!(
        (lane..=lane + exchange::BATCH_DECISIONS_MAX).contains(&done),
        "whoever was taken is answered: {done}"
    );
    assert_eq!(*readiness.borrow_and_update(), Readiness::Ready);
}

#[tokio::test]
async fn a_format_from_the_future_stops_the_site() {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    let asked = ask(&exchange, add_visitor(1)).await;
    let strange = Row { format: session::FORMAT + 1, ..other_row(asked.cursor.seq.next()) };
    assert_eq!(journal.append(main_site(), &strange).await, Ok(Appended::Stored));
    assert_eq!(refusal(&exchange, add_visitor(2)).await, Refused::Degraded);
    let config = exchange::ExchangeConfig::alone(main_site(), Writer::new("b"));
    let Err(fault) = exchange::Exchange::spawn(config, journal.clone(), Clock::STEPPED).await else {
        panic!("it must not start")
    };
    assert!(matches!(fault, StartFault::Body(BodyFault::UnknownFormat { .. })), "{fault}");

    // Nor where a snapshot stands at the very end, and no row has to be read.
    let derived = Arc::new(MemoryDerived::new());
    let last = rows(&*journal).await.pop().expect("a row");
    let state = switchboard::Switchboard::new().state().clone();
    let at_the_end = State { seq: last.row.last_seq, ..state };
    let snapshot = Snapshot::of(&at_the_end, RowMark::of(&last));
    derived.keep_snapshot(main_site(), &snapshot).await.expect("memory answers");
    let config = exchange::ExchangeConfig::alone(main_site(), Writer::new("c")).with_derived(derived);
    let Err(fault) = exchange::Exchange::spawn(config, journal, Clock::STEPPED).await else {
        panic!("it must not start")
    };
    assert!(matches!(fault, StartFault::Body(BodyFault::UnknownFormat { .. })), "{fault}");
}

/// A row of another exchange at this place.
fn other_row(seq: Seq) -> Row {
    let mut elsewhere = switchboard::Switchboard::new();
    let mut decision = elsewhere.handle(at(0), add_visitor(77)).expect("a new visitor");
    decision.seq = seq;
    let body = session::encode([&decision]);
    let writer = Writer::new("another");
    Row { seq, last_seq: seq, at: decision.at, wall_us: 0, writer, format: session::FORMAT, body }
}
