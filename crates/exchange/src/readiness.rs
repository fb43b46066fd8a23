//! Whether a client should be sent here: the difference between a site that works, one that is slow at this moment and
//! one that waits for somebody.

use std::time::Duration;

use tokio::sync::watch;

/// An append that takes longer than this holds everybody up.
pub const COMMIT_OVERDUE_AFTER: Duration = Duration::from_secs(1);

/// Whether a site takes decisions, and makes them durable in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// It does.
    Ready,
    /// The store has not finished an append for a while. It is waited for, and nobody is answered meanwhile; when it
    /// is done everything goes on by itself.
    CommitOverdue,
    /// It takes none until somebody has looked, or until another process has.
    Degraded,
    /// It is closing, or closed.
    Closed,
}

/// The present readiness. What is worse stays.
#[derive(Debug)]
pub(crate) struct ReadinessSign(watch::Sender<Readiness>);

impl Default for ReadinessSign {
    fn default() -> ReadinessSign {
        ReadinessSign(watch::Sender::new(Readiness::Ready))
    }
}

impl ReadinessSign {
    pub(crate) fn watch(&self) -> watch::Receiver<Readiness> {
        self.0.subscribe()
    }

    /// An append takes long.
    pub(crate) fn overdue(&self) {
        self.turn(|now| (now == Readiness::Ready).then_some(Readiness::CommitOverdue));
    }

    /// The append that took long has ended.
    pub(crate) fn landed(&self) {
        self.turn(|now| (now == Readiness::CommitOverdue).then_some(Readiness::Ready));
    }

    pub(crate) fn degraded(&self) {
        self.turn(|now| (now != Readiness::Closed).then_some(Readiness::Degraded));
    }

    pub(crate) fn closed(&self) {
        self.turn(|_| Some(Readiness::Closed));
    }

    fn turn(&self, to: impl FnOnce(Readiness) -> Option<Readiness>) {
        self.0.send_if_modified(|now| {
            let turned = to(*now).filter(|to| to != now);
            if let Some(to) = turned {
                *now = to;
            }
            turned.is_some()
        });
    }
}
