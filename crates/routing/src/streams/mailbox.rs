//! What one stream has not sent yet. Bounded by what there is to know: later news replaces earlier news of the same
//! thing, so a slow reader gets the latest state and nobody queues.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tonic::Status;

/// What can wait in a mailbox.
pub(crate) trait News {
    /// Takes later news in.
    fn absorb(&mut self, later: Self);
}

/// The mailbox of one stream.
pub(crate) struct Mailbox<N> {
    inside: Mutex<Inside<N>>,
    bell: Notify,
}

struct Inside<N> {
    news: Option<N>,
    end: End,
}

enum End {
    Open,
    Ending(Status),
    Ended,
}

impl<N: News> Mailbox<N> {
    pub(crate) fn with(news: N) -> Mailbox<N> {
        Mailbox { inside: Mutex::new(Inside { news: Some(news), end: End::Open }), bell: Notify::new() }
    }

    /// More to send.
    pub(crate) fn put(&self, later: N) {
        let mut inside = self.inside();
        match &mut inside.news {
            Some(news) => news.absorb(later),
            None => inside.news = Some(later),
        }
        drop(inside);
        self.bell.notify_one();
    }

    /// Nothing more, and why.
    pub(crate) fn end(&self, status: Status) {
        let mut inside = self.inside();
        if matches!(inside.end, End::Open) {
            inside.end = End::Ending(status);
        }
        drop(inside);
        self.bell.notify_one();
    }

    /// The next to send. Waits for it; one reader at a time.
    pub(crate) async fn next(&self) -> Option<Result<N, Status>> {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.bell.notified().await;
        }
    }

    /// What is there: news before the end, the end once, then nothing for ever.
    fn take(&self) -> Option<Option<Result<N, Status>>> {
        let mut inside = self.inside();
        if let Some(news) = inside.news.take() {
            return Some(Some(Ok(news)));
        }
        match std::mem::replace(&mut inside.end, End::Ended) {
            End::Open => {
                inside.end = End::Open;
                None
            }
            End::Ending(status) => Some(Some(Err(status))),
            End::Ended => Some(None),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside<N>> {
        // Every change under this lock is whole.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Latest(u32);

    impl News for Latest {
        fn absorb(&mut self, later: Latest) {
            *self = later;
        }
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_latest_and_then_the_end() {
        let mailbox = Mailbox::with(Latest(1));
        mailbox.put(Latest(2));
        mailbox.put(Latest(3));
        mailbox.end(Status::aborted("first"));
        mailbox.end(Status::aborted("second"));
        assert_eq!(mailbox.next().await.expect("news").expect("no end yet"), Latest(3));
        assert_eq!(mailbox.next().await.expect("the end").expect_err("the end").message(), "first");
        assert!(mailbox.next().await.is_none());
    }
}
