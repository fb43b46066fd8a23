//! The two loads. Closed: so many calls at any moment, the next rings in when one has ended. Open: calls ring in at
//! their times whatever the service does, and each is measured from the time it was meant to ring in, so that a service
//! that stalls does not thin out its own measurements.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::floor::Floor;
use super::times::Times;

/// What a load came to.
#[derive(Debug, Clone, Default)]
pub(super) struct Loaded {
    /// Whole lives within the time.
    pub(super) lives: u64,
    /// In so long.
    pub(super) took: Duration,
    /// From ringing in until a desk heard the offer.
    pub(super) offers: Times,
    /// Accepts that came when the offer was over: the service or this machine was too slow for the desk.
    pub(super) late: u64,
}

impl Loaded {
    /// Lives per second.
    pub(super) fn rate(&self) -> f64 {
        self.lives as f64 / self.took.as_secs_f64()
    }
}

/// So many calls at any moment, for so long.
///
/// # Errors
/// When any call went wrong.
pub(super) async fn closed(floor: &Arc<Floor>, in_flight: usize, length: Duration) -> Result<Loaded> {
    let began = Instant::now();
    let until = began + length;
    let mut callers = JoinSet::new();
    for _ in 0..in_flight {
        callers.spawn(call_again_and_again(Arc::clone(floor), until));
    }
    let mut loaded = Loaded { took: length, ..Loaded::default() };
    while let Some(called) = callers.join_next().await {
        let (lives, offers) = called??;
        loaded.lives += lives;
        loaded.offers.add(&offers);
    }
    loaded.late = floor.lives.take_late();
    floor.lives.check()?;
    Ok(loaded)
}

async fn call_again_and_again(floor: Arc<Floor>, until: Instant) -> Result<(u64, Times)> {
    let (mut lives, mut offers) = (0, Times::default());
    while Instant::now() < until {
        let began = Instant::now();
        let mut life = floor.lives.begin();
        let (noted, offered) = tokio::join!(floor.ring_in(life.id()), life.offered());
        noted?;
        offers.note(offered? - began);
        if life.ended().await? <= until {
            lives += 1;
        }
    }
    Ok((lives, offers))
}

/// So many calls each second, for so long, at even distances.
///
/// # Errors
/// When any call went wrong.
pub(super) async fn open(floor: &Arc<Floor>, rate: u32, length: Duration) -> Result<Loaded> {
    let began = Instant::now();
    let gap = Duration::from_secs(1) / rate.max(1);
    let mut callers = JoinSet::new();
    let mut intended = began;
    while intended < began + length {
        sleep_until(intended.into()).await;
        callers.spawn(call_once(Arc::clone(floor), intended));
        intended += gap;
    }
    let mut loaded = Loaded::default();
    while let Some(called) = callers.join_next().await {
        loaded.offers.note(called??);
        loaded.lives += 1;
    }
    loaded.took = began.elapsed();
    loaded.late = floor.lives.take_late();
    floor.lives.check()?;
    Ok(loaded)
}

async fn call_once(floor: Arc<Floor>, intended: Instant) -> Result<Duration> {
    let mut life = floor.lives.begin();
    let (noted, offered) = tokio::join!(floor.ring_in(life.id()), life.offered());
    noted?;
    let waited = offered? - intended;
    life.ended().await?;
    Ok(waited)
}
