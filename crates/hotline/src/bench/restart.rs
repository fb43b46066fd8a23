//! Killed and started again: how long nobody is offered a caller.
//!
//! A service with a history and two hundred callers inside is killed without a word. The operator, in the middle of
//! after-call work, comes back, ends it, and must be offered the caller who has waited longest.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::{Attached, Client, DeskFeed, GatewayFeed, v1};
use tokio::time::timeout;
use uuid::Uuid;

use super::floor::{Floor, add_operator};
use super::gateway::{bridge, hang_up, ring_in};
use super::load;
use super::round::{DESKS, IN_FLIGHT};
use super::server::{Keeping, Place, Server};
use super::times::Times;

/// Decisions in the journal before the first kill.
const DECISIONS: u64 = 10_000;
/// Callers inside at each kill.
const OPEN_CALLS: usize = 200;
/// An offer that is not heard by then does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The times from each kill to the first correct offer.
///
/// # Errors
/// When the service fails, or an offer is not the right one.
pub(super) async fn measure(parent: &Path, restarts: u32) -> Result<Times> {
    let place = Place::new(parent, Keeping::Durable)?;
    let server = Server::start(&place).await?;
    make_history(&server).await?;
    let mut site = Site { added: Uuid::new_v4(), desk: Uuid::new_v4(), waiting: VecDeque::new() };
    let mut on_line = site.connect(&server).await?;
    on_line.operator.send(v1::GoOnDutyRequest::default()).await.context("coming on duty")?;
    while site.waiting.len() <= OPEN_CALLS {
        site.ring_in(&on_line).await?;
    }
    site.serve_one(&mut on_line).await?;
    let mut server = Some(server);
    let mut times = Times::default();
    for _ in 0..restarts {
        let Some(running) = server.take() else { break };
        let killed = running.kill().await?;
        drop(on_line);
        let started = Server::start(&place).await?;
        on_line = site.connect(&started).await?;
        on_line.operator.send(v1::EndWrapUpRequest::default()).await.context("ending a wrap-up")?;
        on_line.hears_offer(site.waiting.front()).await?;
        times.note(killed.elapsed());
        site.ring_in(&on_line).await?;
        site.serve_one(&mut on_line).await?;
        server = Some(started);
    }
    if let Some(server) = server {
        server.end().await;
    }
    Ok(times)
}

/// A morning's decisions.
async fn make_history(server: &Server) -> Result<()> {
    let floor = Arc::new(Floor::open(server.doors(), DESKS).await?);
    let give_up_at = Instant::now() + PATIENCE * 10;
    while floor.decisions().await? < DECISIONS {
        ensure!(Instant::now() < give_up_at, "the history was not made in time");
        load::closed(&floor, IN_FLIGHT, Duration::from_secs(1)).await?;
    }
    Arc::into_inner(floor).context("every caller has gone")?.leave().await
}

type Inventory = Box<dyn FnMut() -> Vec<String> + Send>;

/// What lasts over restarts.
struct Site {
    /// The request that added the operator.
    added: Uuid,
    desk: Uuid,
    /// Who rang in first stands first.
    waiting: VecDeque<Uuid>,
}

/// What is connected to one life of the service.
struct OnLine {
    gateway: Client,
    _treatments: Attached<GatewayFeed<Inventory>>,
    operator: Client,
    shown: Attached<DeskFeed>,
    session: u32,
    offer: Option<v1::OfferRef>,
    work: v1::WorkState,
}

impl Site {
    async fn connect(&self, server: &Server) -> Result<OnLine> {
        let doors = server.doors();
        let token = add_operator(&doors.client("admin")?, "back-again", &self.added.to_string()).await?;
        let (gateway, operator) = (doors.client("gateway")?, doors.client_of(&token)?);
        let held: Vec<String> = self.waiting.iter().map(Uuid::to_string).collect();
        let inventory: Inventory = Box::new(move || held.clone());
        let mut treatments = gateway.attach(GatewayFeed { incarnation: 1, reaches: None, inventory });
        let mut shown = operator.attach(DeskFeed { desk_id: self.desk.to_string() });
        let (attached, first) = tokio::join!(treatments.next(), shown.next());
        let unknown = attached.context("attaching the gateway")?.into_message().unknown_call_ids;
        ensure!(unknown.is_empty(), "{} callers were forgotten", unknown.len());
        let first = first.context("opening a desk")?.into_message();
        let mut on_line = OnLine {
            gateway,
            _treatments: treatments,
            operator,
            shown,
            session: 0,
            offer: None,
            work: v1::WorkState::Idle,
        };
        on_line.look(first.desk);
        Ok(on_line)
    }

    async fn ring_in(&mut self, on_line: &OnLine) -> Result<()> {
        let call = Uuid::new_v4();
        ring_in(&on_line.gateway, call).await?;
        self.waiting.push_back(call);
        Ok(())
    }

    /// The operator takes the first caller, talks, and begins after-call work.
    async fn serve_one(&mut self, on_line: &mut OnLine) -> Result<()> {
        let offer = on_line.hears_offer(self.waiting.front()).await?;
        let (attempt, call_id) = (offer.attempt, offer.call_id.clone());
        let session = on_line.session;
        let request = v1::AcceptRequest { offer: Some(offer), session, ..Default::default() };
        on_line.operator.send(request).await.context("accepting")?;
        bridge(&on_line.gateway, &call_id, attempt).await?;
        hang_up(&on_line.gateway, &call_id).await?;
        self.waiting.pop_front();
        on_line.shows(|desk| desk.work == v1::WorkState::WrapUp).await
    }
}

impl OnLine {
    /// The offer on the desk, which must be of this call.
    async fn hears_offer(&mut self, call: Option<&Uuid>) -> Result<v1::OfferRef> {
        self.shows(|desk| desk.offer.is_some()).await?;
        let offer = self.offer.clone().context("it is shown")?;
        ensure!(call.is_some_and(|call| call.to_string() == offer.call_id), "the wrong caller was offered");
        Ok(offer)
    }

    async fn shows(&mut self, expected: impl Fn(&OnLine) -> bool) -> Result<()> {
        let waiting = async {
            while !expected(self) {
                let update = self.shown.next().await.context("a desk's stream")?;
                self.look(update.into_message().desk);
            }
            Ok(())
        };
        timeout(PATIENCE, waiting).await.context("the desk did not show what it should")?
    }

    fn look(&mut self, desk: Option<v1::Desk>) {
        let desk = desk.unwrap_or_default();
        self.session = desk.session;
        self.offer = desk.offer.filter(|offer| !offer.accepted).and_then(|offer| offer.offer);
        self.work = desk.work.map(|work| work.state()).unwrap_or_default();
    }
}
