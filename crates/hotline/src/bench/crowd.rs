//! A crowd of desks: what one more desk costs in memory, and whether a call costs more among many desks than among
//! few.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

use super::floor::Floor;
use super::load;
use super::round::IN_FLIGHT;
use super::server::{Keeping, Place, Server};

/// The smaller crowd.
pub(super) const FEW: u32 = 1_000;
/// Files that both programs have open beside the desks' connections.
const OTHER_FILES: u32 = 256;
/// How long nothing happens before memory is read and while the idle crowd's cost is.
const QUIET: Duration = Duration::from_secs(4);

/// A crowd of one size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd {
    pub(super) desks: u32,
    pub(super) resident_kb: u64,
    /// Of one processor, by the service, while nobody calls: heartbeats and keeping connections alive.
    pub(super) idle_share: f64,
    /// Of the service's processor time, for one life of a call, less what the idle crowd takes.
    pub(super) life_cpu: Duration,
    /// Lives per second.
    pub(super) rate: f64,
    /// Accepts that came when the offer was over.
    pub(super) late: u64,
}

/// Two crowds in one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowds {
    pub(super) few: Crowd,
    pub(super) many: Crowd,
}

impl Crowds {
    /// Memory of one more desk.
    pub(super) fn desk_kb(&self) -> f64 {
        let more_kb = self.many.resident_kb as f64 - self.few.resident_kb as f64;
        more_kb / f64::from(self.many.desks - self.few.desks)
    }

    /// What a life costs among many ÷ among few.
    pub(super) fn life_cost_ratio(&self) -> f64 {
        self.many.life_cpu.as_secs_f64() / self.few.life_cpu.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// As many files as the machine lets this program and its children have open; answers how many desks that is.
pub(super) fn desks_possible() -> u32 {
    crate::open_files::raised().saturating_sub(OTHER_FILES)
}

/// Opens the desks and measures at both sizes.
///
/// # Errors
/// When the service fails.
pub(super) async fn measure(parent: &Path, desks: u32, length: Duration) -> Result<Crowds> {
    let place = Place::new(parent, Keeping::Durable)?;
    let server = Server::start(&place).await?;
    let floor = Floor::open(server.doors(), FEW as usize).await?;
    let (floor, few) = look(&server, floor, FEW, length).await?;
    let mut floor = Arc::into_inner(floor).context("every caller has gone")?;
    floor.grow(server.doors(), desks as usize).await?;
    let (floor, many) = look(&server, floor, desks, length).await?;
    drop(floor);
    server.end().await;
    Ok(Crowds { few, many })
}

async fn look(server: &Server, floor: Floor, desks: u32, length: Duration) -> Result<(Arc<Floor>, Crowd)> {
    sleep(QUIET).await;
    let quiet = server.usage()?;
    sleep(QUIET).await;
    let idle = server.usage()?;
    let floor = Arc::new(floor);
    let loaded = load::closed(&floor, IN_FLIGHT, length).await?;
    let busy = server.usage()?;
    let idle_share = (idle.on_cpu - quiet.on_cpu).as_secs_f64() / QUIET.as_secs_f64();
    let beside = Duration::from_secs_f64(idle_share * loaded.took.as_secs_f64());
    let for_lives = (busy.on_cpu - idle.on_cpu).saturating_sub(beside);
    let life_cpu = for_lives / u32::try_from(loaded.lives.max(1)).unwrap_or(u32::MAX);
    let crowd = Crowd {
        desks,
        resident_kb: idle.resident_kb,
        idle_share,
        life_cpu,
        rate: loaded.rate(),
        late: loaded.late,
    };
    Ok((floor, crowd))
}
