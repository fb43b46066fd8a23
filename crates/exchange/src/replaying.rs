//! A switchboard from its journal: the last usable snapshot, then every decision behind it. Rows are read and decoded
//! ahead of the decisions being applied.

use std::sync::Arc;

use session::crash::{CrashPoint, reached};
use session::{Derived, Journal, JournalFault, StoredRow};
use switchboard::Switchboard;
use switchboard::decision::Decision;
use switchboard::id::{Seq, SiteId};
use tokio::sync::mpsc;

use crate::committing::{TAIL_ROWS_MAX, TailFault, decided};
use crate::start::StartFault;

/// Pages of decisions that are decoded ahead.
const PAGES_AHEAD: usize = 4;

type Page = Result<Vec<Arc<Decision>>, TailFault>;

/// The switchboard at the journal's end, and the decision of the snapshot it began with.
pub(crate) async fn replay(
    journal: &Arc<dyn Journal>,
    derived: Option<&Arc<dyn Derived>>,
    site: SiteId,
) -> Result<(Switchboard, Seq), StartFault> {
    let mut switchboard = match derived {
        Some(derived) => session::restore(&**journal, &**derived, site).await?.unwrap_or_default(),
        None => Switchboard::new(),
    };
    let (pages, mut ahead) = mpsc::channel(PAGES_AHEAD);
    let snapshot = switchboard.state().seq;
    let reading = tokio::spawn(read_ahead(Arc::clone(journal), site, snapshot, pages));
    while let Some(page) = ahead.recv().await {
        for decision in page? {
            switchboard.evolve(&decision);
        }
        reached(CrashPoint::WhileReplaying);
    }
    // An error means that the reader panicked: what it had not read is missing.
    if reading.await.is_err() {
        return Err(StartFault::Unread);
    }
    reached(CrashPoint::BeforeServing);
    Ok((switchboard, snapshot))
}

/// A site's switchboard as it was right after a decision, or after the journal's last if that is earlier.
///
/// # Errors
/// [`StartFault`], when the journal cannot be read.
pub async fn past(
    journal: &Arc<dyn Journal>,
    derived: Option<&Arc<dyn Derived>>,
    site: SiteId,
    at: Seq,
) -> Result<Switchboard, StartFault> {
    let mut switchboard = match derived {
        Some(derived) => session::restore_at(&**journal, &**derived, site, at).await?.unwrap_or_default(),
        None => Switchboard::new(),
    };
    let (pages, mut ahead) = mpsc::channel(PAGES_AHEAD);
    let reading = tokio::spawn(read_ahead(Arc::clone(journal), site, switchboard.state().seq, pages));
    while switchboard.state().seq < at
        && let Some(page) = ahead.recv().await
    {
        for decision in page?.into_iter().take_while(|decision| decision.seq <= at) {
            switchboard.evolve(&decision);
        }
    }
    drop(ahead);
    // An error means that the reader panicked: what it had not read is missing.
    reading.await.map_err(|_| StartFault::Unread)?;
    Ok(switchboard)
}

/// Reads one page while the one before is decoded, and that while the one before it is applied.
async fn read_ahead(journal: Arc<dyn Journal>, site: SiteId, after: Seq, pages: mpsc::Sender<Page>) {
    let (rows, mut read) = mpsc::channel(PAGES_AHEAD);
    let reading = tokio::spawn(read_rows(journal, site, after, rows));
    while let Some((after, rows)) = read.recv().await {
        let page = match rows {
            Ok(rows) => decided(after, &rows),
            Err(fault) => Err(fault.into()),
        };
        // Nobody receives any more when an earlier page ended the start.
        if pages.send(page).await.is_err() {
            return;
        }
    }
    // Otherwise rows are missing, and whoever waits for this task hears of its panic.
    reading.await.expect("rows are read to their end");
}

/// Rows, and behind which decision they stand.
type Rows = (Seq, Result<Vec<StoredRow>, JournalFault>);

async fn read_rows(journal: Arc<dyn Journal>, site: SiteId, mut after: Seq, pages: mpsc::Sender<Rows>) {
    loop {
        let rows = journal.tail(site, after, TAIL_ROWS_MAX).await;
        let last = match &rows {
            Ok(rows) => rows.last().map(|stored| stored.row.last_seq),
            Err(_) => None,
        };
        let ended = matches!(&rows, Ok(rows) if rows.is_empty());
        if ended || pages.send((after, rows)).await.is_err() {
            return;
        }
        let Some(last) = last else { return };
        after = last;
    }
}
