//! In which format rows are written: in that of the last row, until somebody raises it. The row that is written in a newer
//! one is what raises it, for every router of the site at once: whoever appends behind it has read it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use switchboard::time::SiteTime;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::ask::{Cursor, Refused};
use crate::handle::ExchangeHandle;
use crate::inbox::RETRY_AFTER;
use crate::run::Runner;

/// A site that has not written a row by then is held up.
const RAISED_WITHIN: Duration = Duration::from_secs(5);

/// The format in force, and what somebody wants it to be.
pub(crate) struct Formats {
    /// Of the last row; 0 while there is none.
    in_force: watch::Sender<u32>,
    /// The first row's.
    begins_in: u32,
    wished: AtomicU32,
    /// Somebody wished since the runner looked.
    is_new: AtomicBool,
}

impl Formats {
    pub(crate) fn new(in_force: u32, begins_in: u32) -> Formats {
        let (wished, is_new) = (AtomicU32::new(0), AtomicBool::new(false));
        Formats { in_force: watch::Sender::new(in_force), begins_in, wished, is_new }
    }

    /// That of the last row, or of the first one to come.
    pub(crate) fn in_force(&self) -> u32 {
        let in_force = *self.in_force.borrow();
        if in_force == 0 { self.begins_in } else { in_force }
    }

    /// That of the next row.
    pub(crate) fn next(&self) -> u32 {
        self.in_force().max(self.wished.load(Ordering::Relaxed))
    }

    /// A row stands that is written in this one. It never goes down: an earlier release whose snapshot stood behind the row
    /// that raised it would write on as it knows.
    pub(crate) fn reached(&self, format: u32) {
        self.in_force.send_if_modified(|in_force| {
            let is_raised = format > *in_force;
            *in_force = format.max(*in_force);
            is_raised
        });
    }

    /// Stands until what this returns is dropped: whoever asks no more has not called the roll for a later row.
    fn wish(&self, format: u32) -> Wish<'_> {
        self.wished.fetch_max(format, Ordering::Relaxed);
        self.is_new.store(true, Ordering::Release);
        Wish(self)
    }
}

/// Somebody waits for a newer format.
struct Wish<'a>(&'a Formats);

impl Drop for Wish<'_> {
    fn drop(&mut self) {
        self.0.wished.store(0, Ordering::Relaxed);
        self.0.is_new.store(false, Ordering::Relaxed);
    }
}

impl Runner {
    /// Somebody wishes for a newer format: a row has to be written. The hours are laid anew, as they are every day.
    pub(crate) fn hear_of_format(&mut self, at: SiteTime) {
        // A plan may be on its way from another router: until then the wish stands.
        if self.draft.state().plan().is_some() && self.shared.format.is_new.swap(false, Ordering::Acquire) {
            self.schedule.due = Some(at);
        }
    }
}

impl ExchangeHandle {
    /// The format in which the site's rows are written.
    pub fn format(&self) -> u32 {
        self.shared().format.in_force()
    }

    /// Writes the site's rows in this format from here on, unless they are in a newer one, and answers when the first one
    /// stands. Whether every router reads it is for the asker to find out: one that does not takes no decisions any more.
    ///
    /// # Errors
    /// [`Refused`]: the site takes no decisions, or its store is slow, and then the format may have been raised or not.
    pub async fn raise_format(&self, to: u32) -> Result<Cursor, Refused> {
        let shared = self.shared();
        if let Some(refused) = shared.inbox.refusing() {
            return Err(refused);
        }
        let mut in_force = shared.format.in_force.subscribe();
        let is_older = *in_force.borrow_and_update() < to;
        let _wish = is_older.then(|| shared.format.wish(to));
        shared.inbox.ring();
        let raised = timeout(RAISED_WITHIN, in_force.wait_for(|in_force| *in_force >= to)).await;
        if !matches!(raised, Ok(Ok(_))) {
            return Err(shared.inbox.refusing().unwrap_or(Refused::Busy { retry_after: RETRY_AFTER }));
        }
        Ok(self.cursor())
    }
}
