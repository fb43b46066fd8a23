//! Whether the loop comes round: somebody outside looks twice, and sees whether it has been in the middle of one and the same
//! turn all the while. Waiting for a store, for an ask or for time is no turn: a loop that waits does not stand still.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// What the loop did at the moment of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse(u64);

impl Pulse {
    /// Whether it is in the middle of the turn that it was in the middle of at an earlier look.
    pub fn stands_still_since(self, earlier: Pulse) -> bool {
        self == earlier && self.0 % 2 == 1
    }
}

/// Counts beginnings and ends of turns: odd in the middle of one.
#[derive(Debug, Default)]
pub(crate) struct Beat(AtomicU64);

impl Beat {
    pub(crate) fn look(&self) -> Pulse {
        Pulse(self.0.load(Ordering::Relaxed))
    }

    /// The same future, each of whose turns is counted.
    pub(crate) async fn of<F: Future>(beat: Arc<impl AsRef<Beat>>, turning: F) -> F::Output {
        Counted { beat, turning: pin!(turning) }.await
    }
}

struct Counted<'a, B, F> {
    beat: Arc<B>,
    turning: Pin<&'a mut F>,
}

impl<B: AsRef<Beat>, F: Future> Future for Counted<'_, B, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Counted { beat, turning } = &mut *self;
        let Beat(turns) = (**beat).as_ref();
        turns.fetch_add(1, Ordering::Relaxed);
        let polled = turning.as_mut().poll(context);
        turns.fetch_add(1, Ordering::Relaxed);
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::Waker;

    use super::*;

    impl AsRef<Beat> for Beat {
        fn as_ref(&self) -> &Beat {
            self
        }
    }

    #[test]
    fn a_turn_that_does_not_end_is_told_from_waiting() {
        let beat = Arc::new(Beat::default());
        let (inside, entered) = mpsc::channel::<()>();
        let (release, released) = mpsc::channel::<()>();
        let mut turns = 0;
        let turning = std::future::poll_fn(move |_| {
            turns += 1;
            if turns == 2 {
                inside.send(()).expect("the test waits for it");
                released.recv().expect("the test lets it go");
            }
            if turns == 3 { Poll::Ready(()) } else { Poll::Pending }
        });
        let counted = Arc::clone(&beat);
        let mut turning = Box::pin(Beat::of(counted, turning));
        let mut turn = move || turning.as_mut().poll(&mut Context::from_waker(Waker::noop()));

        let before = beat.look();
        assert!(turn().is_pending());
        let waiting = beat.look();
        assert!(!waiting.stands_still_since(before), "it came round");
        assert!(!beat.look().stands_still_since(waiting), "it waits");
        let thread = std::thread::spawn(move || {
            assert!(turn().is_pending());
            turn()
        });
        entered.recv().expect("in the middle of the second turn");
        let stuck = beat.look();
        assert!(!stuck.stands_still_since(waiting), "it has moved since");
        assert!(beat.look().stands_still_since(stuck));
        release.send(()).expect("it waits for this");
        assert!(thread.join().expect("it ends").is_ready());
        assert!(!beat.look().stands_still_since(stuck));
    }
}
