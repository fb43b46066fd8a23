//! A router that always has something to append, and one that has further to go: whether the second ever comes first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use session::{Appended, Head, Journal, JournalFault, MemoryJournal, Row, StoredRow, Writer};
use switchboard::id::{Seq, SiteId};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::site::{add_visitor, adopt, arrive, ask, attach_gateway, hang_up, main_site};
use super::start;
use crate::ExchangeHandle;
use crate::planted::Mistake;

/// Who asks the busy one, each again as soon as it is answered.
const AT_ONCE: u64 = 8;
/// What the other is asked, one after the other.
const ASKS: u64 = 20;
/// Only whoever is kept out waits for so long.
const KEPT_OUT: Duration = Duration::from_secs(20);
/// What an append takes, and any other question: whoever lost is not back before the next append has begun.
const APPEND_TAKES: Duration = Duration::from_millis(4);
const QUESTION_TAKES: Duration = Duration::from_millis(3);

/// A journal some way off.
struct Far(MemoryJournal, Mutex<()>);

#[async_trait]
impl Journal for Far {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        // Whoever is first at a number keeps others from it until it is durable, and is not seen before.
        let _first = self.1.lock().await;
        if self.0.head(site).await?.last_seq.next() == row.seq {
            sleep(APPEND_TAKES).await;
        }
        self.0.append(site, row).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        sleep(QUESTION_TAKES).await;
        self.0.tail(site, after, rows_max).await
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        self.0.head(site).await
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        self.0.heads().await
    }

    async fn wait_for_turn(&self, site: SiteId, writer: &Writer, waits: bool) {
        sleep(QUESTION_TAKES).await;
        self.0.wait_for_turn(site, writer, waits).await;
    }

    async fn is_awaited(&self, site: SiteId, writer: &Writer) -> bool {
        sleep(QUESTION_TAKES).await;
        self.0.is_awaited(site, writer).await
    }
}

/// Two on one journal, the first of which is busy from here on.
async fn busy(mistake: Option<Mistake>) -> (ExchangeHandle, ExchangeHandle, Arc<Far>) {
    let journal = Arc::new(Far(MemoryJournal::new(), Mutex::default()));
    let first = start(journal.clone(), "first", mistake).await;
    let second = start(journal.clone(), "second", None).await;
    ask(&first, adopt(0)).await;
    ask(&first, attach_gateway()).await;
    let calls = Arc::new(AtomicU64::new(0));
    for _ in 0..AT_ONCE {
        let (first, calls) = (first.clone(), Arc::clone(&calls));
        tokio::spawn(async move {
            loop {
                let call = calls.fetch_add(1, Ordering::Relaxed);
                for input in [arrive(call), hang_up(call)] {
                    first.ask(input).await.expect("nobody else has that call");
                }
            }
        });
    }
    (first, second, journal)
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_second_again_goes_first_before_long() {
    let (first, second, _) = busy(None).await;
    let began = first.figures().decisions;
    for n in 0..ASKS {
        let asked = timeout(KEPT_OUT, second.ask(add_visitor(n))).await;
        asked.expect("it is not kept out").expect("nobody has that number");
    }
    let lost = second.figures().lost;
    assert!((2..ASKS * 4).contains(&lost), "{lost} lost for {ASKS}: it is held up, and not for long");
    assert!(first.figures().decisions - began > ASKS * 4, "whoever gives way goes on");
}

#[tokio::test(start_paused = true)]
async fn who_gives_no_way_keeps_the_other_out() {
    let (_first, second, _) = busy(Some(Mistake::GoesFirst)).await;
    timeout(KEPT_OUT, second.ask(add_visitor(0)))
        .await
        .expect_err("the journal is not busy enough to mean anything");
}

#[tokio::test(start_paused = true)]
async fn who_waits_and_never_goes_is_not_waited_for_all_the_time() {
    const LOOKED_FOR: Duration = Duration::from_secs(5);
    let (first, second, journal) = busy(None).await;
    let mut others = vec![None, None];
    // A third goes now and then, which is no sign that whoever stands still has gone.
    others.extend([Some(Duration::from_millis(60)); 2]);
    let mut decisions = Vec::new();
    for (nth, every) in others.into_iter().enumerate() {
        let stands_still = Writer::new("one that stands still");
        journal.wait_for_turn(main_site(), &stands_still, nth % 2 == 1).await;
        let asked = tokio::spawn(now_and_then(second.clone(), nth as u64 * 1_000, every));
        let before = first.figures().decisions;
        sleep(LOOKED_FOR).await;
        decisions.push(first.figures().decisions - before);
        asked.abort();
    }
    for pair in decisions.chunks(2) {
        let (without, beside_it) = (pair[0], pair[1]);
        assert!(beside_it < without, "{decisions:?}: it was given way");
        assert!(beside_it * 10 > without * 7, "{decisions:?}: and not all the time");
    }
}

async fn now_and_then(second: ExchangeHandle, from: u64, every: Option<Duration>) {
    let Some(every) = every else { return };
    for n in from.. {
        sleep(every).await;
        drop(second.ask(add_visitor(n)).await);
    }
}
