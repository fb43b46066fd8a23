//! Steps of a stepped clock.

use switchboard::time::SiteTime;
use tokio::sync::oneshot;

use crate::ask::{Cursor, Refused};
use crate::run::Runner;

/// How far a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepTo {
    /// To this time, through everything that is due on the way.
    At(SiteTime),
    /// To the first time at which something is due, or to this one if that comes first: for a driver whose people
    /// react to what happens.
    Due {
        /// No further than this.
        at_most: SiteTime,
    },
}

/// Where a step ended. Everything that was due is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stepped {
    /// The site's time.
    pub at: SiteTime,
    /// When something is due next.
    pub next: Option<SiteTime>,
    /// The last decision.
    pub cursor: Cursor,
}

/// Why a clock was not stepped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepFault {
    /// It goes by itself.
    #[error("this exchange runs on the machine's clock; start it with a stepped one")]
    NotStepped,
    /// Time would go back.
    #[error("the site's time is {} µs already; step to a later one", now.0)]
    Backwards {
        /// The site's time.
        now: SiteTime,
    },
    /// The site takes no decisions.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// A step that waits for its turn.
pub(crate) struct StepAsk {
    pub(crate) to: StepTo,
    pub(crate) asker: oneshot::Sender<Result<Stepped, StepFault>>,
}

impl Runner {
    /// Only when nothing is under way: what was asked before a step is decided before it.
    pub(crate) async fn step(&mut self, step: StepAsk) {
        let answer = self.step_to(step.to).await;
        // A stepper who left has no use for the answer.
        drop(step.asker.send(answer));
    }

    async fn step_to(&mut self, to: StepTo) -> Result<Stepped, StepFault> {
        let (target, stops) = match to {
            StepTo::At(at) => (at, false),
            StepTo::Due { at_most } => (at_most, true),
        };
        let now = self.now();
        if target < now {
            return Err(StepFault::Backwards { now });
        }
        let reached = self.pass_through(target, stops).await;
        self.shared.clock.reach(reached);
        if let Some(refused) = self.degraded() {
            return Err(refused.into());
        }
        Ok(Stepped { at: self.now(), next: self.due(), cursor: self.shared.published.cursor() })
    }

    /// Lets everything due until `target` happen, each at its own time; answers where it stopped.
    async fn pass_through(&mut self, target: SiteTime, stops: bool) -> SiteTime {
        while let Some(due) = self.due().filter(|due| *due <= target) {
            if self.degraded().is_some() {
                break;
            }
            self.shared.clock.reach(due);
            let now = self.now();
            self.fire_due(now);
            if stops || self.building.is_full() {
                self.commit_all().await;
            }
            if stops {
                return now;
            }
        }
        self.commit_all().await;
        target
    }
}
