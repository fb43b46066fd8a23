//! Committed decisions in their order, from a cursor.

use std::collections::VecDeque;
use std::sync::Arc;

use switchboard::Switchboard;
use switchboard::decision::Decision;
use switchboard::id::Seq;
use tokio::sync::watch;

use crate::ask::Cursor;
use crate::handle::Shared;
use crate::published::Head;

/// Copied out at once, so that a reader takes the lock once per row and not once per decision.
const READ_AHEAD_DECISIONS_MAX: usize = 64;

/// What a feed tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedItem {
    /// The next decision.
    Decision(Arc<Decision>),
    /// Decisions between were not told, or the cursor names nothing here: take a [`Feed::snapshot`]. The feed goes
    /// on behind it.
    Reset(ResetCause),
}

/// Why a feed could not go on where its reader was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetCause {
    /// The reader was more than [`crate::FEED_DECISIONS_MAX`] decisions behind.
    Lagged,
    /// The cursor is of another epoch, or of a decision that is not made yet.
    Unknown,
}

/// One reader's place in the history. Dropping it ends it.
pub struct Feed {
    shared: Arc<Shared>,
    head: watch::Receiver<Head>,
    place: Seq,
    reset: Option<ResetCause>,
    ahead: VecDeque<Arc<Decision>>,
}

impl Feed {
    pub(crate) fn new(shared: Arc<Shared>, from: Option<Cursor>) -> Feed {
        let head = shared.published.watch();
        let here = shared.published.cursor();
        let from = from.unwrap_or(here);
        let known = from.epoch == here.epoch && from.seq <= here.seq;
        let (place, reset) = if known { (from.seq, None) } else { (here.seq, Some(ResetCause::Unknown)) };
        Feed { shared, head, place, reset, ahead: VecDeque::new() }
    }

    /// The next decision, or that some cannot be told; waits for it. `None` when the exchange has ended and
    /// everything was told. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<FeedItem> {
        loop {
            let ended = self.head.borrow_and_update().ended;
            if let Some(item) = self.ready() {
                return Some(item);
            }
            if ended || self.head.changed().await.is_err() {
                return None;
            }
        }
    }

    /// The next item if it is there already.
    pub fn ready(&mut self) -> Option<FeedItem> {
        if let Some(cause) = self.reset.take() {
            return Some(FeedItem::Reset(cause));
        }
        if self.ahead.is_empty() {
            self.look_ahead();
        }
        if let Some(cause) = self.reset.take() {
            return Some(FeedItem::Reset(cause));
        }
        let decision = self.ahead.pop_front()?;
        self.place = decision.seq;
        Some(FeedItem::Decision(decision))
    }

    /// Reads the durable switchboard and goes on exactly behind what was read.
    pub fn snapshot<T>(&mut self, read: impl FnOnce(&Switchboard) -> T) -> (Cursor, T) {
        let inside = self.shared.published.read();
        let cursor = self.shared.published.cursor_of(&inside);
        let value = read(&inside.durable);
        drop(inside);
        self.ahead.clear();
        self.reset = None;
        self.place = cursor.seq;
        (cursor, value)
    }

    /// The last decision told.
    pub fn cursor(&self) -> Cursor {
        Cursor { seq: self.place, ..self.shared.published.cursor() }
    }

    fn look_ahead(&mut self) {
        let inside = self.shared.published.read();
        let first = inside.first();
        if self.place.next() < first {
            self.reset = Some(ResetCause::Lagged);
            self.place = inside.durable.state().seq;
            return;
        }
        let told = usize::try_from(self.place.0 + 1 - first.0).unwrap_or(usize::MAX);
        self.ahead.extend(inside.last.iter().skip(told).take(READ_AHEAD_DECISIONS_MAX).cloned());
    }
}
