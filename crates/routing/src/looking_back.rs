//! How many look back at once. Each may read a whole journal, or evolve tens of thousands of decisions, beside the calls of
//! this moment.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::refusal::DOMAIN;

/// One who reads, and one more who is not kept waiting by that.
const PLACES: usize = 2;
/// Whoever waited so long for a place is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);
const COME_AGAIN: Duration = Duration::from_secs(1);

/// The places of a site.
#[derive(Debug)]
pub(crate) struct LookingBack(Semaphore);

impl Default for LookingBack {
    fn default() -> LookingBack {
        LookingBack(Semaphore::new(PLACES))
    }
}

impl LookingBack {
    /// A place, until what this returns is dropped.
    ///
    /// # Errors
    /// There was none for too long.
    pub(crate) async fn begin(&self) -> Result<SemaphorePermit<'_>, Status> {
        if let Ok(Ok(place)) = tokio::time::timeout(PATIENCE, self.0.acquire()).await {
            return Ok(place);
        }
        let mut details = ErrorDetails::new();
        details.set_retry_info(Some(COME_AGAIN));
        details.set_error_info("BUSY", DOMAIN, []);
        let message = "others are looking back at this moment";
        Err(Status::with_error_details(Code::ResourceExhausted, message, details))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_place_is_told_when_to_come_again() {
        let looking = LookingBack::default();
        let first = looking.begin().await.expect("a place");
        let _second = looking.begin().await.expect("a place");
        let refused = looking.begin().await.expect_err("two are looking");
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(api::is_worth_retrying(&refused), "it says when");
        let (third, ()) = tokio::join!(looking.begin(), async { drop(first) });
        assert!(third.is_ok(), "a place that became free while it waited");
    }
}
