//! Writes what the boards show, on one connection that is made when it can be made.

use std::sync::Arc;
use std::time::Duration;

use ::redis::cmd;
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep, sleep_until};

use super::Shared;
use super::board::Board;
use super::contact::Way;
use super::fault::RedisFault;
use super::line::Line;
use crate::HEARTBEAT;

/// So many sites are written side by side; hints are told between.
const SITES_AT_ONCE: usize = 64;

/// Waits between two attempts: doubling, with a random half, so that many routers do not return at once.
#[derive(Debug)]
pub(crate) struct Waits(Duration);

impl Waits {
    const MIN: Duration = Duration::from_millis(50);
    /// Well below a heartbeat: what was lost is there again within one.
    const MAX: Duration = Duration::from_secs(2);

    pub(crate) fn new() -> Waits {
        Waits(Waits::MIN)
    }

    pub(crate) fn reset(&mut self) {
        self.0 = Waits::MIN;
    }

    pub(crate) fn step(&mut self) -> Duration {
        let step = self.0;
        self.0 = (step * 2).min(Waits::MAX);
        let random = getrandom::u32().unwrap_or(u32::MAX);
        step / 2 + (step / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// For as long as the process has use for it.
pub(crate) async fn write(shared: Arc<Shared>) {
    let mut waits = Waits::new();
    loop {
        let fault = match Line::connect(&shared.address).await {
            Ok(line) => keep_written(&shared, line, &mut waits).await,
            Err(fault) => fault,
        };
        if shared.health.fails(Way::Writing, fault.clone()) {
            let address = &shared.address;
            tracing::warn!(%address, %fault, "Redis is not there; calls go on, other programs do not see who is free");
        }
        sleep(waits.step()).await;
    }
}

/// Until something fails.
async fn keep_written(shared: &Shared, mut line: Line, waits: &mut Waits) -> RedisFault {
    let mut beat_at = Instant::now();
    loop {
        let is_beat = Instant::now() >= beat_at;
        if is_beat {
            beat_at = Instant::now() + Duration::from_micros(HEARTBEAT.0);
        }
        if let Err(fault) = round(shared, &mut line, is_beat).await {
            return fault;
        }
        waits.reset();
        if shared.health.works(Way::Writing) {
            tracing::info!(address = %shared.address, "Redis is there");
        }
        tokio::select! {
            () = shared.wake.notified() => {}
            () = sleep_until(beat_at) => {}
        }
    }
}

async fn round(shared: &Shared, line: &mut Line, is_beat: bool) -> Result<(), RedisFault> {
    let boards = shared.boards();
    tell(&boards, line).await?;
    if is_beat {
        let asked = Instant::now();
        line.ask::<String>(&cmd("PING")).await?;
        shared.health.answered(asked.elapsed());
    }
    for some in boards.chunks(SITES_AT_ONCE) {
        try_join_all(some.iter().map(|board| board.show(line.clone(), &shared.router, is_beat))).await?;
        tell(&boards, line).await?;
    }
    Ok(())
}

async fn tell(boards: &[Arc<Board>], line: &mut Line) -> Result<(), RedisFault> {
    for board in boards {
        board.tell(line).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_two_seconds() {
        let mut waits = Waits::new();
        for step_ms in [50, 100, 200, 400, 800, 1_600, 2_000, 2_000] {
            let (wait, step) = (waits.step(), Duration::from_millis(step_ms));
            assert!(wait >= step / 2 && wait <= step, "{wait:?} for {step:?}");
        }
        waits.reset();
        assert!(waits.step() <= Waits::MIN);
    }
}
