//! Readers of streams who answer pings and take nothing. A body is not asked for more until its reader has room, so that
//! such a stream ends neither by its own last word nor by the loss of its token: its connection is let go of instead.
//! Whoever was only slow comes again and resumes by cursor.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::{Instant, interval};

use crate::tokens::Admitted;

/// Between two looks at all readers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A reader whose token has ended is given so long to take the last word.
const LAST_WORD: Duration = Duration::from_secs(2);

/// A connection, to be let go of from elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Hold {
    let_go: AtomicBool,
    waker: AtomicWaker,
}

impl Hold {
    /// Ready when somebody let go of it.
    pub(crate) fn poll_let_go(&self, context: &Context<'_>) -> Poll<()> {
        self.waker.register(context.waker());
        if self.let_go.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ends it with the next look at it, which is at once.
    pub(crate) fn let_go(&self) {
        self.let_go.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// One open stream's reader.
#[derive(Debug)]
pub(crate) struct Reader {
    began: Instant,
    /// Milliseconds from the beginning to when something was handed over behind which nothing was asked for yet; 0 while
    /// more is asked for than there is.
    unread_since_ms: AtomicU64,
    connection: Arc<Hold>,
    admitted: Option<Admitted>,
}

impl Reader {
    /// It has room and waits for more.
    pub(crate) fn waits(&self) {
        self.unread_since_ms.store(0, Ordering::Relaxed);
    }

    /// Something was handed over for it.
    pub(crate) fn handed(&self) {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        self.unread_since_ms.store(since, Ordering::Relaxed);
    }

    fn unread_for(&self) -> Duration {
        match self.unread_since_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => self.began.elapsed().saturating_sub(Duration::from_millis(since)),
        }
    }

    fn is_stuck(&self, patience: Duration) -> bool {
        let unread_for = self.unread_for();
        let ended = || self.admitted.as_ref().is_some_and(Admitted::has_ended);
        unread_for > patience || (unread_for > LAST_WORD && ended())
    }
}

/// Everybody who reads a stream.
#[derive(Debug, Default)]
pub(crate) struct Readers(Mutex<Vec<Weak<Reader>>>);

impl Readers {
    /// Nobody yet. Whoever takes nothing for longer than `patience` is let go of.
    pub(crate) fn watched(patience: Duration) -> Arc<Readers> {
        let readers = Arc::new(Readers::default());
        tokio::spawn(look(Arc::downgrade(&readers), patience));
        readers
    }

    /// One more, until dropped.
    pub(crate) fn begin(&self, connection: Arc<Hold>, admitted: Option<Admitted>) -> Arc<Reader> {
        let unread_since_ms = AtomicU64::new(0);
        let reader = Arc::new(Reader { began: Instant::now(), unread_since_ms, connection, admitted });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&reader));
        reader
    }

    fn let_go_of_the_stuck(&self, patience: Duration) {
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| {
            let Some(reader) = reader.upgrade() else { return false };
            if reader.is_stuck(patience) {
                tracing::warn!(
                    unread_ms = u64::try_from(reader.unread_for().as_millis()).unwrap_or(u64::MAX),
                    "a reader takes nothing from its stream; its connection is let go of"
                );
                reader.connection.let_go();
            }
            true
        });
    }
}

/// Until nobody can begin to read any more.
async fn look(readers: Weak<Readers>, patience: Duration) {
    let mut looks = interval(LOOK_EVERY.min(patience));
    loop {
        looks.tick().await;
        let Some(readers) = readers.upgrade() else { return };
        readers.let_go_of_the_stuck(patience);
    }
}
