//! Whoever knows several routers hears from the one that is asked whether it serves those who have a choice. One that does
//! not, for example because its way to the journal is cut, is left for one that does; while none does, everybody stays.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::PROMPT;
use crate::backoff::Backoff;
use crate::routers::At;

/// Between two looks whether another serves: at first, and while none does.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// One that cannot be heard is listened to again after this; so long it may take until it is seen that another is asked.
const LISTEN_AGAIN: Duration = Duration::from_millis(500);
/// One that does not say in this time that it serves is not gone to.
const ANSWERS_WITHIN: Duration = Duration::from_millis(100);
/// Nobody goes to and fro between two that are in trouble by turns. One of an earlier release, which does not know the name, is
/// asked again after as long.
const STAYS_FOR: Duration = Duration::from_secs(5);

/// Why a router is not listened to any more.
enum Heard {
    /// It does not serve whoever has a choice.
    No,
    /// It says nothing of that.
    Unknown,
    /// It cannot be heard, or another is asked.
    Nothing,
}

/// Until nobody asks any more.
pub(crate) async fn keep_to_one_that_serves(channels: Arc<[Channel]>, at: Weak<At>) {
    let Some(mut asks) = at.upgrade().map(|at| at.watch()) else { return };
    while let Some(turn) = at.upgrade().map(|at| at.turn()) {
        let heard = tokio::select! {
            heard = listen(&channels[turn % channels.len()], &at, turn) => heard,
            () = nobody(&mut asks) => return,
        };
        match heard {
            Heard::No => {
                if let Some(later) = go_elsewhere(&channels, &at, turn).await {
                    stay(&at, later, STAYS_FOR).await;
                }
            }
            Heard::Unknown => stay(&at, turn, STAYS_FOR).await,
            Heard::Nothing => stay(&at, turn, LISTEN_AGAIN).await,
        }
    }
}

/// Until nobody asks any more.
async fn nobody(asks: &mut watch::Receiver<usize>) {
    while asks.changed().await.is_ok() {}
}

/// For so long, or until another router is asked.
async fn stay(at: &Weak<At>, turn: usize, length: Duration) {
    let until = Instant::now() + length;
    while Instant::now() < until && is_asked(at, turn) {
        sleep(LOOK_AGAIN.0).await;
    }
}

/// Listens to a router until it says that it does not serve.
async fn listen(channel: &Channel, at: &Weak<At>, turn: usize) -> Heard {
    let mut said = match HealthClient::new(channel.clone()).watch(asked()).await {
        Ok(said) => said.into_inner(),
        Err(status) if status.code() == Code::NotFound => return Heard::Unknown,
        Err(_) => return Heard::Nothing,
    };
    while is_asked(at, turn) {
        match timeout(LISTEN_AGAIN, said.message()).await {
            Ok(Ok(Some(status))) if !says_yes(&status) => return Heard::No,
            // Nothing new, or that it serves.
            Err(_) | Ok(Ok(Some(_))) => {}
            Ok(Ok(None) | Err(_)) => return Heard::Nothing,
        }
    }
    Heard::Nothing
}

/// Sends everybody to another router that serves, as soon as there is one and unless this one does again. Answers in which
/// turn they ask from then on, if they went.
async fn go_elsewhere(channels: &[Channel], at: &Weak<At>, turn: usize) -> Option<usize> {
    let mut backoff = Backoff::new(LOOK_AGAIN.0, LOOK_AGAIN.1);
    while is_asked(at, turn) && !serves(&channels[turn % channels.len()]).await {
        for later in turn + 1..turn + channels.len() {
            if serves(&channels[later % channels.len()]).await {
                return at.upgrade()?.leave(turn, later).then_some(later);
            }
        }
        sleep(backoff.step()).await;
    }
    None
}

fn is_asked(at: &Weak<At>, turn: usize) -> bool {
    at.upgrade().is_some_and(|at| at.turn() == turn)
}

/// Whether a router says in time that it serves.
async fn serves(channel: &Channel) -> bool {
    let mut health = HealthClient::new(channel.clone());
    let said = timeout(ANSWERS_WITHIN, health.check(asked())).await;
    matches!(said, Ok(Ok(said)) if says_yes(said.get_ref()))
}

fn asked() -> HealthCheckRequest {
    HealthCheckRequest { service: PROMPT.to_owned() }
}

fn says_yes(said: &HealthCheckResponse) -> bool {
    said.status() == ServingStatus::Serving
}
