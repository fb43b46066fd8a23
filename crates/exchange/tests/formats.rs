//! In which format a site is written, when several routers serve it.

mod site;

use std::collections::BTreeSet;
use std::sync::Arc;

use exchange::{Clock, Exchange, ExchangeConfig, ExchangeHandle, Refused, SiteRouter};
use session::{
    Appended, FORMAT, FORMAT_OLDEST, Journal, MemoryJournal, MemoryRoll, Roll, RollEntry, Row, Writer,
};
use site::*;
use switchboard::command::Command;
use tokio::time::{Duration, sleep};

/// One store of several routers.
#[derive(Default)]
struct Store {
    journal: Arc<MemoryJournal>,
    roll: Arc<MemoryRoll>,
}

impl Store {
    async fn router(&self, name: &str) -> ExchangeHandle {
        let config = ExchangeConfig::alone(main_site(), Writer::new(name))
            .among_routers(self.roll.clone())
            .beginning_in(FORMAT_OLDEST)
            .named(&format!("east {name}"));
        Exchange::spawn(config, self.journal.clone(), Clock::System).await.expect("it can be read")
    }

    /// The format of each row, in order.
    async fn formats(&self) -> Vec<u32> {
        rows(&*self.journal).await.iter().map(|stored| stored.row.format).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn rows_are_in_the_format_of_the_last_one_until_it_is_raised_for_all() {
    let store = Store::default();
    let (a, b) = (store.router("a").await, store.router("b").await);
    ask(&a, adopt(0)).await;
    b.reach(a.cursor()).await.expect("it is read");
    ask(&b, add_visitor(1)).await;
    assert_eq!((a.format(), b.format()), (FORMAT_OLDEST, FORMAT_OLDEST));
    let before = store.formats().await;
    assert!(before.iter().all(|format| *format == FORMAT_OLDEST), "{before:?}");

    let raised = a.raise_format(FORMAT).await.expect("raised");
    assert_eq!(a.format(), FORMAT);
    assert_eq!(store.formats().await.last(), Some(&FORMAT), "a row says it, not a promise");
    // It has not heard of it: its append is lost, and it reads before it writes.
    ask(&b, add_visitor(2)).await;
    assert_eq!(b.format(), FORMAT);
    assert!(b.cursor().seq > raised.seq);
    let after = store.formats().await;
    assert!(after.is_sorted() && after.last() == Some(&FORMAT), "{after:?}");

    let rows_before = after.len();
    b.raise_format(FORMAT).await.expect("it is");
    assert_eq!(store.formats().await.len(), rows_before, "nothing is left to do");
    let late = store.router("late").await;
    assert_eq!(late.format(), FORMAT, "whatever it would begin in");
    assert_eq!(decisions(&*store.journal).await.len() as u64, late.cursor().seq.0, "both are read");
}

#[tokio::test(start_paused = true)]
async fn raised_at_two_routers_at_once_it_is_raised_once_and_nothing_else_happens() {
    let store = Store::default();
    let (a, b) = (store.router("a").await, store.router("b").await);
    ask(&a, adopt(0)).await;
    b.reach(a.cursor()).await.expect("it is read");
    let (at_a, at_b) = tokio::join!(a.raise_format(FORMAT), b.raise_format(FORMAT));
    at_a.expect("raised");
    at_b.expect("raised");
    assert!(store.formats().await.is_sorted());
    let all = decisions(&*store.journal).await;
    let other =
        |command: &Command| !matches!(command, Command::ExtendSchedule { .. } | Command::AdoptPlan(_));
    assert!(!all.iter().any(|decision| other(&decision.input.command)), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_site_without_a_plan_is_not_raised_and_says_so() {
    let store = Store::default();
    let a = store.router("a").await;
    assert!(matches!(a.raise_format(FORMAT).await, Err(Refused::Busy { .. })));
    ask(&a, adopt(0)).await;
    assert!(store.formats().await.iter().all(|format| *format == FORMAT_OLDEST), "nobody wishes any more");
}

#[tokio::test(start_paused = true)]
async fn a_wish_ends_with_whoever_wished() {
    let store = Store::default();
    let a = store.router("a").await;
    // There is no plan yet: nothing is written for it, and then nobody waits any more.
    let waited = tokio::time::timeout(Duration::from_secs(1), a.raise_format(FORMAT)).await;
    assert!(waited.is_err(), "it waits for a plan");
    ask(&a, adopt(0)).await;
    assert!(store.formats().await.iter().all(|format| *format == FORMAT_OLDEST));
}

#[tokio::test(start_paused = true)]
async fn the_roll_tells_who_reads_what_and_forgets_who_is_gone() {
    let store = Store::default();
    let a = store.router("a").await;
    let b = store.router("b").await;
    // An earlier release says whom it holds, and nothing of itself.
    let mut old = RollEntry { router: Writer::new("old"), beat: 1, held: "gateway main-1 1\n".to_owned() };
    store.roll.call(main_site(), &old).await.expect("memory answers");
    let told = async || -> BTreeSet<(String, u32)> {
        let routers = a.routers().await.expect("memory answers").into_iter();
        routers.map(|SiteRouter { name, reads_to }| (name, reads_to)).collect()
    };
    let reader = |name: &str, to| (name.to_owned(), to);
    let all = [reader("east-a", FORMAT), reader("east-b", FORMAT), reader("old", FORMAT_OLDEST)];
    assert_eq!(told().await, all.clone().into());
    for _ in 0..6 {
        sleep(Duration::from_secs(5)).await;
        old.beat += 1;
        store.roll.call(main_site(), &old).await.expect("memory answers");
        assert_eq!(told().await, all.clone().into(), "it lives");
    }
    sleep(Duration::from_secs(21)).await;
    let [ours, theirs, _] = all;
    assert_eq!(told().await, [ours, theirs].into(), "it is gone");
    b.close().await;
    let alone = store.router("c").await;
    assert_eq!(
        alone.routers().await.expect("memory answers")[0].name,
        "east-c",
        "the one that answers first"
    );
}

#[tokio::test(start_paused = true)]
async fn a_router_among_others_that_cannot_read_a_row_ends() {
    let store = Store::default();
    let a = store.router("a").await;
    ask(&a, add_visitor(1)).await;
    let seq = a.cursor().seq.next();
    let (at, body) = (a.now(), "of a later release".to_owned());
    let (writer, format) = (Writer::new("later"), FORMAT + 1);
    let later = Row { seq, last_seq: seq, at, wall_us: 0, writer, format, body };
    assert_eq!(store.journal.append(main_site(), &later).await, Ok(Appended::Stored));
    a.heard_of(seq);
    a.restart_needed().await;
    assert_eq!(refusal(&a, add_visitor(2)).await, Refused::Degraded);
}

#[tokio::test]
async fn a_site_of_one_router_begins_in_the_newest_format() {
    let journal = Arc::new(MemoryJournal::new());
    let alone = start(&journal, "a", Clock::STEPPED).await;
    assert_eq!(alone.format(), FORMAT);
    ask(&alone, add_visitor(1)).await;
    assert_eq!(journal.head(main_site()).await.expect("memory answers").format, FORMAT);
    let told = alone.routers().await.expect("there is no roll");
    assert_eq!(told, [SiteRouter { name: "a".to_owned(), reads_to: FORMAT }]);
}
