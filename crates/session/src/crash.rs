//! Named places at which a process can be made to die, to see what its successor makes of it. Only a build with the
//! feature `crash-points` can; in any other [`reached`] does nothing and leaves no trace. Every place is listed here;
//! the rooms that have one call it by name.

use std::fmt;

/// The environment variable that arms one place: `label:nth` dies when the place is reached for the nth time.
pub const CRASH_VARIABLE: &str = "HOTLINE_CRASH_AT";

/// The environment variable that makes a build which can be made to die an older one: the newest format it knows.
pub const NEWEST_FORMAT_VARIABLE: &str = "HOTLINE_NEWEST_FORMAT";

/// Whether this build can be made to die.
pub const CAN_CRASH: bool = cfg!(feature = "crash-points");

/// A place between two steps that must not depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrashPoint {
    /// A start has read a page of the journal and not yet the next.
    WhileReplaying,
    /// A start has read its whole journal, and nobody is served yet.
    BeforeServing,
    /// A caller rings in whose number has no row yet.
    BeforeCaller,
    /// The caller has a reference; its row waits for the append that names it.
    AfterCaller,
    /// Decided, and nothing written.
    BeforeAppend,
    /// The row stands in the journal; this process does not know yet.
    AfterInsert,
    /// The row is known to stand; nobody can read of it yet.
    BeforePublish,
    /// Everybody can read of it; nobody who asked is answered yet.
    BeforeReply,
    /// Whoever asked is answered; feeds are perhaps not told yet.
    AfterReply,
    /// An act of the office is recorded and not done.
    AfterAsked,
    /// The long part of the log is in the file, the short rest is not.
    BetweenSweeps,
    /// The whole log is in the file, and begins again.
    AfterSweep,
    /// Decisions are folded into call records that are not written.
    BeforeRecords,
    /// Call records are written and not committed.
    WithinRecords,
    /// Call records are committed, the snapshot due at their cursor is not written.
    BeforeSnapshot,
    /// A snapshot is written and not committed, an earlier one deleted.
    WithinSnapshot,
    /// A snapshot is committed.
    AfterSnapshot,
}

impl CrashPoint {
    /// Every one.
    pub const ALL: [CrashPoint; 17] = [
        CrashPoint::WhileReplaying,
        CrashPoint::BeforeServing,
        CrashPoint::BeforeCaller,
        CrashPoint::AfterCaller,
        CrashPoint::BeforeAppend,
        CrashPoint::AfterInsert,
        CrashPoint::BeforePublish,
        CrashPoint::BeforeReply,
        CrashPoint::AfterReply,
        CrashPoint::AfterAsked,
        CrashPoint::BetweenSweeps,
        CrashPoint::AfterSweep,
        CrashPoint::BeforeRecords,
        CrashPoint::WithinRecords,
        CrashPoint::BeforeSnapshot,
        CrashPoint::WithinSnapshot,
        CrashPoint::AfterSnapshot,
    ];

    /// Its name in [`CRASH_VARIABLE`].
    pub fn label(self) -> &'static str {
        match self {
            CrashPoint::WhileReplaying => "while-replaying",
            CrashPoint::BeforeServing => "before-serving",
            CrashPoint::BeforeCaller => "before-caller",
            CrashPoint::AfterCaller => "after-caller",
            CrashPoint::BeforeAppend => "before-append",
            CrashPoint::AfterInsert => "after-insert",
            CrashPoint::BeforePublish => "before-publish",
            CrashPoint::BeforeReply => "before-reply",
            CrashPoint::AfterReply => "after-reply",
            CrashPoint::AfterAsked => "after-asked",
            CrashPoint::BetweenSweeps => "between-sweeps",
            CrashPoint::AfterSweep => "after-sweep",
            CrashPoint::BeforeRecords => "before-records",
            CrashPoint::WithinRecords => "within-records",
            CrashPoint::BeforeSnapshot => "before-snapshot",
            CrashPoint::WithinSnapshot => "within-snapshot",
            CrashPoint::AfterSnapshot => "after-snapshot",
        }
    }
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// What is rare in a long life and must be met in a short one: `seldom` in a build that ships, `often` in one that can
/// be made to die.
pub const fn rarely(seldom: u64, often: u64) -> u64 {
    if CAN_CRASH { often } else { seldom }
}

/// The newest format that this process knows of the `newest` there is: all, unless it stands for an older release.
#[cfg(feature = "crash-points")]
pub fn newest_format(newest: u32) -> u32 {
    static SAID: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    let said =
        SAID.get_or_init(|| std::env::var(NEWEST_FORMAT_VARIABLE).ok().and_then(|text| text.parse().ok()));
    said.unwrap_or(newest)
}

/// The newest format there is.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn newest_format(newest: u32) -> u32 {
    newest
}

/// This place is reached: dies here if it is armed and its count is full.
#[cfg(feature = "crash-points")]
pub fn reached(point: CrashPoint) {
    armed::reached(point);
}

/// This place is reached. Nothing happens in this build.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn reached(_point: CrashPoint) {}

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    use super::{CRASH_VARIABLE, CrashPoint};

    static ARMED: OnceLock<Option<(CrashPoint, u64)>> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);

    pub(super) fn reached(point: CrashPoint) {
        let armed = ARMED.get_or_init(|| std::env::var(CRASH_VARIABLE).ok().and_then(|text| parse(&text)));
        let Some((_, nth)) = armed.filter(|(armed, _)| *armed == point) else { return };
        if COUNT.fetch_add(1, Ordering::Relaxed) + 1 == nth {
            // As by kill -9: nothing is unwound, flushed or closed.
            let _sent = kill_process(getpid(), Signal::KILL);
            // Whoever outlives that must not go on, and ends by another signal, which a test tells apart.
            std::process::abort();
        }
    }

    pub(super) fn parse(text: &str) -> Option<(CrashPoint, u64)> {
        let (label, nth) = text.split_once(':')?;
        let point = CrashPoint::ALL.into_iter().find(|point| point.label() == label)?;
        Some((point, nth.parse().ok()?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_place_is_armed_by_its_name_and_count() {
            for point in CrashPoint::ALL {
                assert_eq!(parse(&format!("{point}:7")), Some((point, 7)));
            }
            for text in ["", "before-append", "before-append:", "before-append:x", "nowhere:1"] {
                assert_eq!(parse(text), None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_place_has_a_name_of_its_own() {
        let labels: BTreeSet<&str> = CrashPoint::ALL.into_iter().map(CrashPoint::label).collect();
        assert_eq!(labels.len(), CrashPoint::ALL.len());
        assert!(labels.iter().all(|label| label.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
    }
}
