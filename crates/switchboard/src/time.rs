//! Site time: monotone microseconds of a site. Wall time never enters the switchboard.

use core::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A point on the site's own clock, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SiteTime(pub u64);

/// A length of site time, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// So many seconds.
    pub const fn secs(seconds: u64) -> Span {
        Span(seconds * 1_000_000)
    }

    /// So many milliseconds.
    pub const fn millis(milliseconds: u64) -> Span {
        Span(milliseconds * 1_000)
    }

    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl SiteTime {
    /// How long after `earlier` this is; nothing when it is not after.
    pub fn since(self, earlier: SiteTime) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, span: Span) -> Span {
        Span(self.0.saturating_add(span.0))
    }
}

impl Add<Span> for SiteTime {
    type Output = SiteTime;
    fn add(self, span: Span) -> SiteTime {
        SiteTime(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for SiteTime {
    type Output = SiteTime;
    fn sub(self, span: Span) -> SiteTime {
        SiteTime(self.0.saturating_sub(span.0))
    }
}
