//! Several servers on one Postgres under load: what two cost beside one, what happens when one of them dies or stands
//! still, and when Redis goes.
//!
//! Everybody stays connected through all of it: desks and gateways move from server to server, and no call is given up.

mod calls;
mod desk;
mod figures;
mod redis_server;
mod router;
mod telephony;
pub(super) mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::{Bearer, Client};
use futures_util::future::try_join_all;
use rustix::process::Signal;
use tokio::time::sleep;

use self::calls::longest_gap;
pub(super) use self::calls::{Calls, Counts};
pub(super) use self::desk::Desk;
pub(super) use self::figures::Measured;
use self::figures::{RedisLost, Takeovers, Two};
use self::redis_server::RedisServer;
use self::router::{Appends, verified};
pub(super) use self::router::{Begin, Router};
pub(super) use self::telephony::{Gateway, Ringing};
use super::floor::add_operator;
use super::postgres::{Database, Postgres};
use super::times::{Times, Turns};

/// Desks at each server: enough for callers whose desk hears of them late.
const DESKS_EACH: usize = 12;
/// One at each server.
const GATEWAYS: [&str; 2] = ["gateway-1", "gateway-2"];
const SITE: &str = "main";

/// Before anything is measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// What is looked at before a server goes, and after.
const SPAN: Duration = Duration::from_secs(2);
/// A server stands still for so long.
const STANDS_FOR: Duration = Duration::from_secs(3);
/// Whatever has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What is asked of the room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    pub(super) takeovers: u32,
    /// How often each load is measured with Redis and without.
    pub(super) turns: u32,
    /// Calls a second, of all gateways together.
    pub(super) rate: u32,
    pub(super) length: Duration,
}

/// From one moment to another.
type Span = (Instant, Instant);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Away {
    Killed,
    Stood,
}

struct Room<'d> {
    parent: &'d Path,
    database: &'d Database,
    ask: Ask,
    shown_in: Option<RedisServer>,
    routers: Vec<Router>,
    desks: Vec<(Desk, String)>,
    gateways: Vec<(Gateway, String)>,
    calls: Calls,
}

/// Measures all of it, in a database of its own.
///
/// # Errors
/// When a server fails, a call is stuck, or the journal does not agree with itself in the end.
pub(super) async fn measure(parent: &Path, postgres: &Postgres, ask: Ask) -> Result<Measured> {
    let database = postgres.database().await?;
    let shown_in = RedisServer::start(parent).await?;
    let mut room = Room::open(parent, &database, shown_in, ask).await?;
    let mut lost = RedisLost::default();
    let mut alone = Turns::default();
    room.load(WARM_UP).await?;
    for with_redis in loads(ask.turns) {
        let Some((from, until)) = room.one_load(with_redis, &mut lost.shown).await? else { continue };
        let measured = if with_redis { &mut alone } else { &mut lost.alone };
        measured.add(room.calls.waits(from, until, |_| true));
    }
    room.open_second().await?;
    room.load(WARM_UP).await?;
    let (mut two, mut appends) = (Two::default(), Appends::default());
    for with_redis in loads(ask.turns) {
        let before = room.appends().await?;
        let Some(span) = room.one_load(with_redis, &mut lost.shown).await? else { continue };
        if with_redis {
            appends = appends.and(room.appends().await?.since(before));
            two.add(&room.calls, span);
        } else {
            lost.two.add(&room.calls, span);
        }
    }
    let killed = room.takeovers(Away::Killed).await?;
    let stood = room.takeovers(Away::Stood).await?;
    verified(&database).await?;
    let redis_lost = room.shown_in.is_some().then_some(lost);
    let (counts, faults) = (room.calls.counts(), room.calls.faults().into_iter().collect());
    room.end().await?;
    Ok(Measured { rate: ask.rate, alone, two, appends, killed, stood, redis_lost, counts, faults })
}

/// With Redis and without, so many times, either first in every other turn.
fn loads(turns: u32) -> impl Iterator<Item = bool> {
    (0..turns).flat_map(|turn| [turn % 2 == 0, turn % 2 == 1])
}

impl<'d> Room<'d> {
    /// One server, with everybody.
    async fn open(
        parent: &'d Path,
        database: &'d Database,
        shown_in: Option<RedisServer>,
        ask: Ask,
    ) -> Result<Room<'d>> {
        let (desks, gateways, calls) = (Vec::new(), Vec::new(), Calls::default());
        let mut room = Room { parent, database, ask, shown_in, routers: Vec::new(), desks, gateways, calls };
        let first = Router::start(parent, &room.begin()).await?;
        let address = first.address();
        let admin = client(&address, &first.token("admin", None)?)?;
        for number in 0..2 * DESKS_EACH {
            let token = add_operator(&admin, &format!("operator-{number}"), "").await?;
            room.desks.push((Desk::open(client(&address, &token)?, 0, number, &room.calls), token));
        }
        for gateway in GATEWAYS {
            let token = first.token("gateway", Some(gateway))?;
            room.gateways.push((Gateway::open(client(&address, &token)?, 0, &room.calls), token));
        }
        room.routers.push(first);
        room.is_ready().await?;
        room.is_in_redis().await?;
        Ok(room)
    }

    /// A second server, where half of them are at home from here on.
    async fn open_second(&mut self) -> Result<()> {
        let second = Router::start(self.parent, &self.begin()).await?;
        self.routers.push(second);
        for router in [0, 1] {
            self.go_home(router)?;
        }
        self.is_ready().await?;
        self.is_in_redis().await
    }

    fn begin(&self) -> Begin<'d> {
        let redis_at = self.shown_in.as_ref().map(RedisServer::address);
        Begin { database: self.database, redis_at, gateways: &GATEWAYS }
    }

    /// Whoever is at home at this server goes there, and to the other one if it does not answer.
    fn go_home(&self, router: usize) -> Result<()> {
        let addresses = [router, 1 - router].map(|nth| self.routers[nth].address()).join(",");
        // By pairs: calls come to the servers in turn and go round the desks, so that half of them meet a desk at the other.
        let at_home = self.desks.iter().enumerate().filter(|(number, _)| number / 2 % 2 == router);
        for (_, (desk, token)) in at_home {
            desk.goes_to(client(&addresses, token)?, router);
        }
        let (gateway, token) = &self.gateways[router];
        gateway.goes_to(client(&addresses, token)?, router);
        Ok(())
    }

    async fn is_ready(&self) -> Result<()> {
        try_join_all(self.gateways.iter().map(|(gateway, _)| gateway.is_attached())).await?;
        try_join_all(self.desks.iter().map(|(desk, _)| desk.is_ready())).await?;
        Ok(())
    }

    async fn is_in_redis(&self) -> Result<()> {
        if self.shown_in.is_none() {
            return Ok(());
        }
        let give_up_at = Instant::now() + PATIENCE;
        for router in &self.routers {
            while !router.is_in_redis().await? {
                ensure!(Instant::now() < give_up_at, "a server does not come to Redis");
                sleep(LOOK_AGAIN).await;
            }
        }
        Ok(())
    }

    fn ringing(&self) -> Ringing {
        Ringing::begin(self.gateways.iter().map(|(gateway, _)| gateway.clone()).collect(), self.ask.rate)
    }

    /// Calls ring in for so long, and live their lives.
    async fn load(&self, length: Duration) -> Result<Span> {
        let began = Instant::now();
        let ringing = self.ringing();
        sleep(length).await;
        ringing.end(&self.calls).await?;
        Ok((began, began + length))
    }

    /// One of those.
    async fn one_load(&mut self, with_redis: bool, shown: &mut Times) -> Result<Option<Span>> {
        if with_redis { self.load(self.ask.length).await.map(Some) } else { self.without_redis(shown).await }
    }

    /// The same while there is no Redis, if there is one at other times.
    async fn without_redis(&mut self, shown: &mut Times) -> Result<Option<Span>> {
        let Some(shown_in) = &mut self.shown_in else { return Ok(None) };
        shown_in.end().await?;
        let span = self.load(self.ask.length).await?;
        let shown_in = self.shown_in.as_mut().context("it was there")?;
        shown_in.begin().await?;
        let began = Instant::now();
        shown_in.shows(SITE).await?;
        shown.note(began.elapsed());
        self.is_in_redis().await?;
        Ok(Some(span))
    }

    async fn appends(&self) -> Result<Appends> {
        let mut all = Appends::default();
        for router in &self.routers {
            all = all.and(router.appends(SITE).await?);
        }
        Ok(all)
    }

    /// One server after the other goes away and comes again, while calls ring in.
    async fn takeovers(&mut self, how: Away) -> Result<Takeovers> {
        let mut takeovers = Takeovers::default();
        let ringing = self.ringing();
        for number in 0..self.ask.takeovers {
            let away = number as usize % 2;
            sleep(SPAN).await;
            let gone = match how {
                Away::Killed => self.routers[away].kill().await?,
                Away::Stood => self.routers[away].signal(Signal::STOP)?,
            };
            let followed = self.followed(gone, away, &mut takeovers).await;
            if how == Away::Stood {
                sleep(STANDS_FOR.saturating_sub(gone.elapsed())).await;
            }
            self.come_again(how, away).await?;
            followed?;
            takeovers.number += 1;
        }
        ringing.end(&self.calls).await?;
        Ok(takeovers)
    }

    /// What follows when a server went away at this moment.
    async fn followed(&self, gone: Instant, away: usize, takeovers: &mut Takeovers) -> Result<()> {
        let (before, until) = (gone - SPAN, gone + SPAN);
        sleep(until.saturating_duration_since(Instant::now())).await;
        let its_desks = self.desks.iter().filter(|(desk, _)| desk.router() == away).count();
        let give_up_at = gone + PATIENCE;
        let next = loop {
            let mut next = BTreeMap::new();
            for offer in self.calls.offers(gone, Instant::now()) {
                if offer.to == away {
                    next.entry(offer.desk).or_insert(offer.at);
                }
            }
            let waiting = self.calls.waiting(until);
            if next.len() == its_desks && waiting == 0 {
                break next;
            }
            ensure!(
                Instant::now() < give_up_at,
                "{} of {its_desks} desks were offered a call, and {waiting} calls were offered to nobody, within {} s; \
                 what did not work: {:?}",
                next.len(),
                PATIENCE.as_secs(),
                self.calls.faults()
            );
            sleep(LOOK_AGAIN).await;
        };
        next.values().for_each(|at| takeovers.next.note(*at - gone));
        let at_the_other = |from, until| {
            let offers = self.calls.offers(from, until);
            longest_gap(from, until, offers.iter().filter(|offer| offer.to != away).map(|offer| offer.at))
        };
        takeovers.gap_before = takeovers.gap_before.max(at_the_other(before, gone));
        takeovers.gap = takeovers.gap.max(at_the_other(gone, until));
        // Who rang in shortly before may still be on the way.
        let shortly = gone - SPAN / 4;
        takeovers.waits_before.add(&self.calls.waits(before, shortly, |_| true));
        takeovers.waits.add(&self.calls.waits(shortly, until, |_| true));
        takeovers.answers_before.add(&self.calls.answers(before, shortly));
        takeovers.answers.add(&self.calls.answers(shortly, until));
        Ok(())
    }

    async fn come_again(&mut self, how: Away, away: usize) -> Result<()> {
        match how {
            Away::Killed => {
                let begin = self.begin();
                self.routers[away].begin(&begin).await?;
            }
            Away::Stood => {
                self.routers[away].signal(Signal::CONT)?;
                let asks = Client::without_token(&self.routers[away].address())?.give_up_after(PATIENCE);
                let give_up_at = Instant::now() + PATIENCE;
                // What it had under way took long by its clock: it says so until that has ended.
                while !asks.until_answered(|| asks.is_serving()).await.context("a server that stood still")? {
                    ensure!(Instant::now() < give_up_at, "a server that stood still does not serve");
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
        self.go_home(away)?;
        self.is_ready().await?;
        self.is_in_redis().await
    }

    async fn end(self) -> Result<()> {
        drop((self.desks, self.gateways));
        for router in self.routers {
            router.end().await;
        }
        match self.shown_in {
            Some(mut shown_in) => shown_in.end().await,
            None => Ok(()),
        }
    }
}

/// A client of the servers at these addresses, for whoever has this token.
pub(super) fn client(addresses: &str, token: &str) -> Result<Client> {
    Ok(Client::new(addresses, Bearer::new(token)?)?)
}
