//! An operator's desk: a connection of its own, an open stream, heartbeats, and an operator who accepts whatever is
//! offered, ends every wrap-up at once, and is back when set aside.

use std::time::Duration;

use anyhow::{Context, Result};
use api::{Attached, Client, DeskFeed, v1};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::life::Lives;

/// The service wants one every 5 s.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(5);

/// The gRPC code of a service that says it is too late.
const FAILED_PRECONDITION: i32 = 9;

/// An open desk. Dropping it closes it.
pub(super) struct Desk {
    client: Client,
    working: JoinHandle<()>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.working.abort();
    }
}

impl Desk {
    /// Opens it; the operator is on duty when this returns.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub(super) async fn open(client: Client, desk: Uuid, lives: &Lives) -> Result<Desk> {
        let mut feed = client.attach(DeskFeed { desk_id: desk.to_string() });
        let first = feed.next().await.context("opening a desk")?.into_message();
        client.send(v1::GoOnDutyRequest::default()).await.context("coming on duty")?;
        let session = first.desk.map(|desk| desk.session).unwrap_or_default();
        let mut work =
            Working { client: client.clone(), lives: lives.clone(), session, answered: None, ended: None };
        let working = tokio::spawn(async move {
            if let Err(fault) = work.work(feed).await {
                work.lives.fail("a desk", &format!("{fault:#}"));
            }
        });
        Ok(Desk { client, working })
    }

    /// The operator goes off duty.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub(super) async fn leave(&self) -> Result<()> {
        self.client.send(v1::LeaveRequest::default()).await.map(drop).context("going off duty")
    }
}

struct Working {
    client: Client,
    lives: Lives,
    session: u32,
    /// The last offer answered and the last wrap-up ended: a desk shows each more than once.
    answered: Option<v1::OfferRef>,
    ended: Option<String>,
}

impl Working {
    async fn work(&mut self, mut feed: Attached<DeskFeed>) -> Result<()> {
        let mut heartbeats = interval(HEARTBEAT_EVERY);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                update = feed.next() => {
                    let shown = update.context("its stream")?.into_message().desk;
                    self.look(shown.unwrap_or_default()).await?;
                }
                _ = heartbeats.tick() => {
                    self.heartbeat().await?;
                }
            }
        }
    }

    /// While the stream is being opened again nobody is attached whose heart could beat.
    async fn heartbeat(&self) -> Result<()> {
        match self.client.send(v1::HeartbeatRequest { session: self.session }).await {
            Ok(_) => Ok(()),
            Err(status) if status.code() as i32 == FAILED_PRECONDITION => Ok(()),
            Err(status) => Err(status).context("a heartbeat"),
        }
    }

    async fn look(&mut self, desk: v1::Desk) -> Result<()> {
        self.session = desk.session;
        let offer = desk.offer.filter(|offer| !offer.accepted).and_then(|offer| offer.offer);
        if let Some(offer) = offer.filter(|offer| self.answered.as_ref() != Some(offer)) {
            self.lives.offered(&offer.call_id);
            self.accept(&offer).await?;
            self.answered = Some(offer);
        }
        if desk.duty.is_some_and(|duty| duty.state() == v1::DutyState::Suspended) {
            self.client.send(v1::ResumeRequest::default()).await.context("being back")?;
        }
        let Some(work) = desk.work.filter(|work| work.state() == v1::WorkState::WrapUp) else {
            return Ok(());
        };
        if self.ended.as_ref() != Some(&work.call_id) {
            self.client.send(v1::EndWrapUpRequest::default()).await.context("ending a wrap-up")?;
            self.lives.ended(&work.call_id);
            self.ended = Some(work.call_id);
        }
        Ok(())
    }

    /// An offer may be over when the answer arrives; then somebody else gets the call.
    async fn accept(&self, offer: &v1::OfferRef) -> Result<()> {
        let request =
            v1::AcceptRequest { offer: Some(offer.clone()), session: self.session, ..Default::default() };
        match self.client.send(request).await {
            Ok(answer) if answer.result() == v1::AcceptResult::Accepted => return Ok(()),
            Ok(_) => {}
            Err(status) if status.code() as i32 == FAILED_PRECONDITION => {}
            Err(status) => return Err(status).context("accepting"),
        }
        self.lives.late();
        Ok(())
    }
}
