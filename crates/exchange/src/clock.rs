//! The site's clock. Site time is monotone, one second per second; wall time is a label beside it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use presence::Renewal;
use switchboard::time::SiteTime;
use tokio::time::Instant;

/// Where wall labels start on a stepped clock: Monday, 4 April 2022, midnight in Shanghai.
pub const STEPPED_WALL_START_US: i64 = 1_649_001_600_000_000;

/// Which clock an exchange runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The machine's monotonic clock, from where the journal's last row left off.
    System,
    /// Stands still until it is stepped, so that the same asks between the same steps give the same journal. For
    /// loopback only: it is everybody's clock.
    Stepped {
        /// The wall label of site time zero, in microseconds since 1970 UTC.
        wall_start_us: i64,
    },
}

impl Clock {
    /// A stepped clock whose labels start at [`STEPPED_WALL_START_US`].
    pub const STEPPED: Clock = Clock::Stepped { wall_start_us: STEPPED_WALL_START_US };

    /// What keeps a desk's lease alive on this clock.
    pub fn renewal(self) -> Renewal {
        match self {
            Clock::System => Renewal::Heartbeats,
            Clock::Stepped { .. } => Renewal::OpenStreams,
        }
    }
}

/// A clock that was started at a site time.
pub(crate) enum SiteClock {
    System { origin: Instant, at_origin_us: AtomicU64 },
    Stepped { now_us: AtomicU64, wall_start_us: i64 },
}

impl SiteClock {
    pub(crate) fn start(clock: Clock, at: SiteTime) -> SiteClock {
        match clock {
            Clock::System => SiteClock::System { origin: Instant::now(), at_origin_us: AtomicU64::new(at.0) },
            Clock::Stepped { wall_start_us } => {
                SiteClock::Stepped { now_us: AtomicU64::new(at.0), wall_start_us }
            }
        }
    }

    pub(crate) fn now(&self) -> SiteTime {
        SiteTime(match self {
            SiteClock::System { origin, at_origin_us } => {
                at_origin_us.load(Ordering::Relaxed).saturating_add(passed_us(*origin))
            }
            SiteClock::Stepped { now_us, .. } => now_us.load(Ordering::Relaxed),
        })
    }

    /// Never shows less than `at` from here on: another exchange of this site was further.
    pub(crate) fn reach(&self, at: SiteTime) {
        match self {
            SiteClock::System { origin, at_origin_us } => {
                at_origin_us.fetch_max(at.0.saturating_sub(passed_us(*origin)), Ordering::Relaxed);
            }
            SiteClock::Stepped { now_us, .. } => {
                now_us.fetch_max(at.0, Ordering::Relaxed);
            }
        }
    }

    /// What the wall clock shows, in microseconds since 1970 UTC.
    pub(crate) fn wall_us(&self) -> i64 {
        let us = match self {
            SiteClock::System { .. } => {
                SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()
            }
            SiteClock::Stepped { now_us, wall_start_us } => {
                let passed = i64::try_from(now_us.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
                return wall_start_us.saturating_add(passed);
            }
        };
        i64::try_from(us).unwrap_or(i64::MAX)
    }

    /// When a sleeper should wake for `at`; none on a clock that only steps.
    pub(crate) fn instant(&self, at: SiteTime) -> Option<Instant> {
        match self {
            SiteClock::System { origin, at_origin_us } => {
                let from_origin = at.0.saturating_sub(at_origin_us.load(Ordering::Relaxed));
                // A deadline beyond what the machine can count is no reason to wake.
                origin.checked_add(Duration::from_micros(from_origin))
            }
            SiteClock::Stepped { .. } => None,
        }
    }

    pub(crate) fn is_stepped(&self) -> bool {
        matches!(self, SiteClock::Stepped { .. })
    }
}

fn passed_us(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
