//! One round: every load once, in an order that differs from round to round, so that a machine that gets slower or
//! faster meanwhile favours nobody. The same durable service runs twice as the control: what differs between the two is
//! chance.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use api::Client;

use super::floor::Floor;
use super::ground;
use super::load::{self, Loaded};
use super::peer::{Matcher, Peer, Peers, Service};
use super::postgres::{Database, Postgres};
use super::server::{Keeping, Place, Server};
use super::times::Times;

/// Calls under way in a closed load.
pub(super) const IN_FLIGHT: usize = 64;
/// More operators than calls, so that somebody is always free.
pub(super) const DESKS: usize = 96;

/// One call at a time, a question over gRPC and a durable append take turns at these lengths.
const ALONE: Duration = Duration::from_millis(400);
const ECHOES: Duration = Duration::from_millis(150);
const APPENDS: Duration = Duration::from_millis(250);

/// What a round came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Round {
    /// The durable service, and once more another one like it.
    pub(super) durable: Loaded,
    pub(super) control: Loaded,
    pub(super) memory: Loaded,
    /// The durable service on Postgres.
    pub(super) postgres: Option<Loaded>,
    /// Redis and Lua behind the same API, with the same desks and gateway.
    pub(super) peer: Option<Loaded>,
    /// A matcher of SKIP LOCKED and NOTIFY on that Postgres, the same way.
    pub(super) matcher: Option<Loaded>,
    /// Redis and Lua with nobody connected: lives per second.
    pub(super) bare: Option<f64>,
    /// One call at a time through the durable service.
    pub(super) alone: Times,
    pub(super) echoes: Times,
    pub(super) appends: Times,
    /// Calls at their times, whatever the service does.
    pub(super) open: Loaded,
}

impl Round {
    /// Offer ÷ (echo + durable append), at the median, one call at a time.
    pub(super) fn r1(&self) -> f64 {
        self.alone.p50_us() as f64 / (self.echoes.p50_us() + self.appends.p50_us()).max(1) as f64
    }

    /// Durable ÷ in memory.
    pub(super) fn r2(&self) -> f64 {
        self.durable.rate() / self.memory.rate()
    }

    /// Durable ÷ the peer.
    pub(super) fn r3(&self) -> Option<f64> {
        self.peer.as_ref().map(|peer| self.durable.rate() / peer.rate())
    }

    /// Durable on Postgres ÷ the matcher there.
    pub(super) fn r4(&self) -> Option<f64> {
        let (postgres, matcher) = (self.postgres.as_ref()?, self.matcher.as_ref()?);
        Some(postgres.rate() / matcher.rate())
    }

    /// Durable ÷ durable.
    pub(super) fn control(&self) -> f64 {
        self.durable.rate() / self.control.rate()
    }
}

/// Everything that is measured round after round.
pub(super) struct Bench {
    durable: Measured,
    control: Measured,
    memory: Measured,
    postgres: Option<(Measured, Database)>,
    peer: Option<Compared>,
    matcher: Option<(Arc<Floor>, Matcher)>,
    echo: Client,
    length: Duration,
    rate: u32,
}

/// A service with everybody connected.
struct Measured {
    server: Server,
    floor: Arc<Floor>,
    place: Place,
}

impl Measured {
    async fn start(parent: &Path, keeping: Keeping<'_>) -> Result<Measured> {
        let place = Place::new(parent, keeping)?;
        let server = Server::start(&place).await?;
        let floor = Arc::new(Floor::open(server.doors(), DESKS).await?);
        Ok(Measured { server, floor, place })
    }

    async fn end(self) {
        drop(self.floor);
        self.server.end().await;
    }
}

/// The peer with everybody connected.
struct Compared {
    peer: Peer,
    _service: Service,
    floor: Arc<Floor>,
}

impl Compared {
    async fn start(peer: Peer) -> Result<Compared> {
        let service = peer.serve().await?;
        let floor = Arc::new(Floor::open(service.doors(), DESKS).await?);
        Ok(Compared { peer, _service: service, floor })
    }
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Durable,
    Control,
    Memory,
    Postgres,
    Peer,
    Matcher,
    Bare,
    Alone,
    Open,
}

const TURNS: [Turn; 9] = [
    Turn::Durable,
    Turn::Peer,
    Turn::Memory,
    Turn::Control,
    Turn::Bare,
    Turn::Postgres,
    Turn::Alone,
    Turn::Matcher,
    Turn::Open,
];

impl Bench {
    /// Starts every service.
    ///
    /// # Errors
    /// When one does not come up.
    pub(super) async fn start(
        parent: &Path,
        postgres: Option<&Postgres>,
        peers: Peers,
        length: Duration,
        rate: u32,
    ) -> Result<Bench> {
        let durable = Measured::start(parent, Keeping::Durable).await?;
        let control = Measured::start(parent, Keeping::Durable).await?;
        let memory = Measured::start(parent, Keeping::Memory).await?;
        let postgres = match postgres {
            Some(postgres) => {
                let database = postgres.database().await?;
                Some((Measured::start(parent, Keeping::On(&database)).await?, database))
            }
            None => None,
        };
        let echo = durable.server.doors().client("supervisor")?;
        let peer = match peers.scripted {
            Some(peer) => Some(Compared::start(peer).await?),
            None => None,
        };
        let matcher = match peers.matcher {
            Some(matcher) => Some((Arc::new(Floor::open(matcher.doors(), DESKS).await?), matcher)),
            None => None,
        };
        Ok(Bench { durable, control, memory, postgres, peer, matcher, echo, length, rate })
    }

    /// Everything once.
    ///
    /// # Errors
    /// When any call went wrong.
    pub(super) async fn round(&self, number: usize) -> Result<Round> {
        let mut round = Round::default();
        for nth in 0..TURNS.len() {
            match TURNS[(nth + number) % TURNS.len()] {
                Turn::Durable => round.durable = self.closed(&self.durable).await?,
                Turn::Control => round.control = self.closed(&self.control).await?,
                Turn::Memory => round.memory = self.closed(&self.memory).await?,
                Turn::Postgres => round.postgres = self.postgres().await?,
                Turn::Matcher => round.matcher = self.matcher().await?,
                Turn::Peer => round.peer = self.peer().await?,
                Turn::Bare => round.bare = self.bare().await?,
                Turn::Alone => self.alone(&mut round).await?,
                Turn::Open => round.open = load::open(&self.durable.floor, self.rate, self.length).await?,
            }
        }
        Ok(round)
    }

    async fn closed(&self, measured: &Measured) -> Result<Loaded> {
        load::closed(&measured.floor, IN_FLIGHT, self.length).await
    }

    async fn postgres(&self) -> Result<Option<Loaded>> {
        match &self.postgres {
            Some((measured, _)) => self.closed(measured).await.map(Some),
            None => Ok(None),
        }
    }

    async fn matcher(&self) -> Result<Option<Loaded>> {
        match &self.matcher {
            Some((floor, _)) => load::closed(floor, IN_FLIGHT, self.length).await.map(Some),
            None => Ok(None),
        }
    }

    async fn peer(&self) -> Result<Option<Loaded>> {
        match &self.peer {
            Some(compared) => load::closed(&compared.floor, IN_FLIGHT, self.length).await.map(Some),
            None => Ok(None),
        }
    }

    async fn bare(&self) -> Result<Option<f64>> {
        match &self.peer {
            Some(compared) => compared.peer.bare(DESKS, IN_FLIGHT, self.length).await.map(Some),
            None => Ok(None),
        }
    }

    /// One call at a time, and what it is made of, in short turns.
    async fn alone(&self, round: &mut Round) -> Result<()> {
        let turns = self.length.as_millis().div_ceil((ALONE + ECHOES + APPENDS).as_millis());
        for _ in 0..turns {
            round.appends.add(&ground::durable_appends(self.durable.place.path(), APPENDS).await?);
            round.alone.add(&load::closed(&self.durable.floor, 1, ALONE).await?.offers);
            round.echoes.add(&ground::echoes(&self.echo, ECHOES).await?);
        }
        Ok(())
    }

    /// Ends every service.
    ///
    /// # Errors
    /// When the peer cannot be waited for.
    pub(super) async fn end(self) -> Result<()> {
        self.durable.end().await;
        self.control.end().await;
        self.memory.end().await;
        if let Some((measured, database)) = self.postgres {
            measured.end().await;
            drop(database);
        }
        drop(self.matcher);
        match self.peer {
            Some(Compared { peer, _service: service, floor }) => {
                drop((floor, service));
                peer.end().await
            }
            None => Ok(()),
        }
    }
}
