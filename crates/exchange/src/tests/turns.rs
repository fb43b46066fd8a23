//! Whose turn it is when something is due at several routers at the same moment: who loses an append with the delay, and who
//! without.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use presence::Holder;
use session::{
    Appended, Head, Journal, JournalFault, MemoryJournal, MemoryRoll, Roll, Row, StoredRow, Writer,
};
use switchboard::command::Command;
use switchboard::id::{Seq, SiteId};
use tokio::sync::watch;
use tokio::time::sleep;

use super::site::{adopt, arrive, ask, attach_gateway, decisions, gateway, main_site};
use crate::planted::{Mistake, Planted};
use crate::{Clock, Exchange, ExchangeConfig, ExchangeHandle};

const ROUTERS: usize = 3;
const CALLS: u64 = 60;
/// Between two callers, so that hardly anything is due for two of them at once.
const BETWEEN: Duration = Duration::from_millis(730);
/// All of them have waited through their ladders by then.
const OUT_WAITED: Duration = Duration::from_secs(240);
/// What an append takes, and a hint that tells of it.
const APPEND_TAKES: Duration = Duration::from_millis(2);
const HINT_TAKES: Duration = Duration::from_millis(1);

/// A journal that takes a moment, and tells how far it is.
struct Telling {
    store: MemoryJournal,
    end: watch::Sender<Seq>,
}

#[async_trait]
impl Journal for Telling {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        sleep(APPEND_TAKES).await;
        let appended = self.store.append(site, row).await;
        if appended == Ok(Appended::Stored) {
            self.end.send_replace(row.last_seq);
        }
        appended
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
async fn with_the_delay_hardly_anybody_loses_what_is_due_and_without_most_do() {
    let with = day(None).await;
    let without = day(Some(Mistake::OutOfTurn)).await;
    println!("{with:?} with the delay, {without:?} without");
    assert!(with.due >= 100, "{with:?}: not enough became due to mean anything");
    assert_eq!(with.due, without.due, "the same happens, whoever lets it");
    assert!(without.lost >= without.due, "{without:?}: all but one lose what all let happen at once");
    assert!(with.lost * 20 <= with.due, "{with:?}: each in its turn");
}

#[derive(Debug)]
struct Day {
    /// Decisions that nobody asked for.
    due: u64,
    lost: u64,
}

/// Callers whom nobody answers, each at another router.
async fn day(mistake: Option<Mistake>) -> Day {
    let journal = Arc::new(Telling { store: MemoryJournal::new(), end: watch::Sender::new(Seq(0)) });
    let roll: Arc<dyn Roll> = Arc::new(MemoryRoll::default());
    let mut routers = Vec::new();
    for n in 0..ROUTERS {
        let mut config = ExchangeConfig::alone(main_site(), Writer::new(format!("writer-{n}")));
        config.planted = Planted { mistake };
        let config = config.among_routers(roll.clone());
        let router = Exchange::spawn(config, journal.clone(), Clock::System).await.expect("it is empty");
        tokio::spawn(hinted(router.clone(), journal.end.subscribe()));
        routers.push(router);
    }
    ask(&routers[0], adopt(0)).await;
    ask(&routers[0], attach_gateway()).await;
    let holder = Holder::Gateway { gateway: gateway(), incarnation: 1 };
    let _stream = routers[0].link(holder).expect("it was attached");
    // The hours are laid by whoever is first.
    sleep(BETWEEN).await;
    let lost_before = lost(&routers);
    for (n, router) in (0..CALLS).zip(routers.iter().cycle()) {
        ask(router, arrive(n)).await;
        sleep(BETWEEN).await;
    }
    sleep(OUT_WAITED).await;
    let decisions = decisions(&*journal).await;
    let due = decisions.iter().filter(|decision| decision.input.command == Command::Tick).count();
    Day { due: due as u64, lost: lost(&routers) - lost_before }
}

fn lost(routers: &[ExchangeHandle]) -> u64 {
    routers.iter().map(|router| router.figures().lost).sum()
}

/// Hears a moment later how far the journal is.
async fn hinted(router: ExchangeHandle, mut end: watch::Receiver<Seq>) {
    while end.changed().await.is_ok() {
        sleep(HINT_TAKES).await;
        let seq = *end.borrow_and_update();
        router.heard_of(seq);
    }
}
