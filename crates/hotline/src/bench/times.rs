//! Many measured times as a few figures.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// Times of three significant digits, from a microsecond to a minute.
#[derive(Debug, Clone)]
pub(super) struct Times(Histogram<u64>);

const LONGEST_US: u64 = 60_000_000;
const DIGITS: u8 = 3;

impl Default for Times {
    fn default() -> Times {
        Times(
            Histogram::new_with_max(LONGEST_US, DIGITS).expect("a minute in microseconds with three digits"),
        )
    }
}

impl Times {
    /// One more. Longer than a minute counts as a minute.
    pub(super) fn note(&mut self, time: Duration) {
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(us.max(1));
    }

    /// All of the others, too.
    pub(super) fn add(&mut self, others: &Times) {
        self.0.add(&others.0).expect("both have the same bounds");
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// So many in a hundred were no longer, in microseconds.
    pub(super) fn percentile_us(&self, percent: f64) -> u64 {
        self.0.value_at_percentile(percent)
    }

    /// The median, in microseconds.
    pub(super) fn p50_us(&self) -> u64 {
        self.percentile_us(50.0)
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "count": self.count(),
            "p50_us": self.p50_us(),
            "p90_us": self.percentile_us(90.0),
            "p99_us": self.percentile_us(99.0),
            "p999_us": self.percentile_us(99.9),
            "max_us": self.0.max(),
        })
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |percent| milliseconds(self.percentile_us(percent));
        write!(
            f,
            "p50 {}  p99 {}  p99.9 {}  max {} ms",
            at(50.0),
            at(99.0),
            at(99.9),
            milliseconds(self.0.max())
        )
    }
}

/// Microseconds as milliseconds for people.
fn milliseconds(us: u64) -> String {
    format!("{:.2}", us as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_tail() {
        let mut times = Times::default();
        (1..=999).for_each(|_| times.note(Duration::from_millis(1)));
        times.note(Duration::from_secs(2));
        assert_eq!(times.count(), 1_000);
        assert!((999..=1_001).contains(&times.p50_us()));
        assert!(times.percentile_us(99.95) >= 1_999_000);
        times.note(Duration::from_secs(600));
        assert!(times.percentile_us(100.0) >= 59_000_000, "longer than a minute is a minute");
    }
}
