//! A switchboard from its journal: the last usable snapshot, then every decision behind it. Rows are read and decoded
//! ahead of the decisions being applied.

use std::sync::Arc;

use session::crash::{CrashPoint, reached};
use session::{Derived, Journal};
use switchboard::Switchboard;
use switchboard::decision::Decision;
use switchboard::id::{Seq, SiteId};
use tokio::sync::mpsc;

use crate::committing::{TailFault, tail};
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

async fn read_ahead(journal: Arc<dyn Journal>, site: SiteId, mut after: Seq, pages: mpsc::Sender<Page>) {
    loop {
        let page = tail(&*journal, site, after).await;
        let last = match &page {
            Ok(decisions) => decisions.last().map(|decision| decision.seq),
            Err(_) => None,
        };
        let ended = matches!(&page, Ok(decisions) if decisions.is_empty());
        // Nobody receives any more when an earlier page ended the start.
        if ended || pages.send(page).await.is_err() {
            return;
        }
        let Some(last) = last else { return };
        after = last;
    }
}
