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

/// The times of a load that was measured again and again.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Vec<Times>);

impl Turns {
    /// One more turn.
    pub(super) fn add(&mut self, turn: Times) {
        self.0.push(turn);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The times of all of them.
    pub(super) fn all(&self) -> Times {
        self.0.iter().fold(Times::default(), |mut all, turn| {
            all.add(turn);
            all
        })
    }

    /// All but one in a hundred of a turn were no longer, in microseconds: the median of the turns, so that a moment at
    /// which the machine stands still speaks in one of them.
    pub(super) fn p99_us(&self) -> f64 {
        median(self.0.iter().map(|turn| turn.percentile_us(99.0) as f64)).unwrap_or(f64::NAN)
    }
}

/// The one in the middle, or between the two there.
pub(super) fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(figures[middle]),
        _ => Some(f64::midpoint(figures[middle - 1], figures[middle])),
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

    #[test]
    fn a_moment_of_one_turn_does_not_speak_for_all() {
        let turn = |ms| {
            let mut times = Times::default();
            times.note(Duration::from_millis(ms));
            times
        };
        let mut turns = Turns::default();
        assert!(turns.p99_us().is_nan(), "nothing was measured");
        [10, 900, 12].into_iter().for_each(|ms| turns.add(turn(ms)));
        assert!((11_900.0..=12_100.0).contains(&turns.p99_us()));
        assert_eq!((turns.count(), turns.all().count()), (3, 3));
        assert!(turns.all().percentile_us(100.0) >= 899_000);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 3.0, 2.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }
}
