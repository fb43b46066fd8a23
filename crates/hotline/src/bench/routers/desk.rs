//! A desk that outlives its router: whatever it shows is answered as it stands, so that what a dying router left undone is
//! done at the next.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use api::{Client, DeskFeed, Unary, v1};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use uuid::Uuid;

use super::calls::Calls;

/// The service wants one every 5 s.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);
/// Before a stream that was refused is opened again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// Who is not ready after this long is stuck.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open desk whose operator comes on duty and answers at once. Dropping it closes it.
pub(in crate::bench) struct Desk {
    at: watch::Sender<At>,
    is_ready: Arc<watch::Sender<bool>>,
    working: JoinHandle<()>,
}

/// Whom it asks, and which router that is at first.
#[derive(Clone)]
struct At {
    client: Client,
    router: usize,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.working.abort();
    }
}

impl Desk {
    /// Opens it with this client, first at this router, on a task of its own.
    pub(in crate::bench) fn open(client: Client, router: usize, number: usize, calls: &Calls) -> Desk {
        let at = watch::Sender::new(At { client: client.clone(), router });
        let is_ready = Arc::new(watch::Sender::new(false));
        let mut work = Working {
            client,
            router,
            number,
            desk_id: Uuid::new_v4().to_string(),
            session: 0,
            calls: calls.clone(),
            heard: None,
            answered: None,
            is_ready: Arc::clone(&is_ready),
        };
        let goes = at.subscribe();
        let working = tokio::spawn(async move { work.work(goes).await });
        Desk { at, is_ready, working }
    }

    /// Opens it anew, with this client, first at this router. The operator stays on duty.
    pub(super) fn goes_to(&self, client: Client, router: usize) {
        self.is_ready.send_replace(false);
        self.at.send_replace(At { client, router });
    }

    /// Where it is at home.
    pub(super) fn router(&self) -> usize {
        self.at.borrow().router
    }

    /// Waits until it is shown that the operator is on duty, at where it was told to go.
    ///
    /// # Errors
    /// When it does not come to it.
    pub(in crate::bench) async fn is_ready(&self) -> Result<()> {
        let mut ready = self.is_ready.subscribe();
        let shown = timeout(PATIENCE, ready.wait_for(|ready| *ready)).await;
        ensure!(matches!(shown, Ok(Ok(_))), "a desk was not ready within {} s", PATIENCE.as_secs());
        Ok(())
    }
}

struct Working {
    client: Client,
    router: usize,
    number: usize,
    desk_id: String,
    session: u32,
    calls: Calls,
    /// The last offer heard, and the last that was taken.
    heard: Option<v1::OfferRef>,
    answered: Option<v1::OfferRef>,
    is_ready: Arc<watch::Sender<bool>>,
}

impl Working {
    async fn work(&mut self, mut at: watch::Receiver<At>) {
        let mut heartbeats = interval(HEARTBEAT_EVERY);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            At { client: self.client, router: self.router } = at.borrow_and_update().clone();
            let mut feed = self.client.attach(DeskFeed { desk_id: self.desk_id.clone() });
            loop {
                tokio::select! {
                    update = feed.next() => match update {
                        Ok(update) => self.look(update.into_message().desk.unwrap_or_default()).await,
                        Err(status) => {
                            self.calls.failed("a desk's stream", status.message());
                            sleep(AGAIN_AFTER).await;
                        }
                    },
                    _ = heartbeats.tick() => self.beat(),
                    moved = at.changed() => {
                        if moved.is_err() {
                            return;
                        }
                        self.is_ready.send_replace(false);
                        break;
                    }
                }
            }
        }
    }

    /// One that does not come through is followed by the next; the stream says what matters.
    fn beat(&self) {
        let (client, session) = (self.client.clone().give_up_after(Duration::ZERO), self.session);
        tokio::spawn(async move { client.send(v1::HeartbeatRequest { session }).await.map(drop) });
    }

    async fn look(&mut self, desk: v1::Desk) {
        self.session = desk.session;
        match desk.duty.as_ref().map(v1::Duty::state) {
            Some(v1::DutyState::Off) => self.say("coming on duty", v1::GoOnDutyRequest::default()).await,
            Some(v1::DutyState::Suspended) => self.say("being back", v1::ResumeRequest::default()).await,
            Some(v1::DutyState::On) => {
                self.is_ready.send_if_modified(|ready| !std::mem::replace(ready, true));
            }
            _ => {}
        }
        let offer = desk.offer.filter(|offer| !offer.accepted).and_then(|offer| offer.offer);
        if let Some(offer) = offer.filter(|offer| self.answered.as_ref() != Some(offer)) {
            self.take(offer).await;
        }
        if desk.work.is_some_and(|work| work.state() == v1::WorkState::WrapUp) {
            self.say("ending a wrap-up", v1::EndWrapUpRequest::default()).await;
        }
    }

    async fn take(&mut self, offer: v1::OfferRef) {
        if self.heard.as_ref() != Some(&offer) {
            self.calls.offered(&offer.call_id, self.number, self.router);
            self.heard = Some(offer.clone());
        }
        let accept =
            v1::AcceptRequest { offer: Some(offer.clone()), session: self.session, ..Default::default() };
        match self.client.send(accept).await {
            Ok(answer) if answer.result() == v1::AcceptResult::Accepted => {
                self.calls.answered(&offer.call_id);
                self.answered = Some(offer);
            }
            Ok(_) => self.calls.late(),
            Err(status) => {
                self.calls.late();
                self.calls.failed("accepting", status.message());
            }
        }
    }

    async fn say<R: Unary>(&self, doing: &str, request: R) {
        if let Err(status) = self.client.send(request).await {
            self.calls.failed(doing, status.message());
        }
    }
}
