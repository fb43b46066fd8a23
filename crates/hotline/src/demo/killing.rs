//! Who kills the service, and when: at moments drawn from the seed, always with an answer outstanding.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sim::chance::{Chance, Draw, Purpose};
use tokio::task::yield_now;

/// Between the caller at whom a death is due and the death go fewer requests than this.
const REQUESTS_BEFORE: u64 = 32;
/// What a first answer may take.
const FIRST_GUESS: Duration = Duration::from_millis(2);

/// Somebody who kills the service so many times in a day.
pub(super) struct Killer {
    draw: Draw,
    /// After how many callers each death is due.
    due: VecDeque<u64>,
    /// Requests that still pass before the next death.
    passing: Option<u64>,
    /// How long answers take.
    usual: Duration,
}

impl Killer {
    /// Spreads deaths over a day with so many callers.
    pub(super) fn new(seed: u64, deaths: u32, callers: u32) -> Killer {
        let mut draw = Chance::new(seed).about(Purpose::Fault, u64::MAX, 0);
        let mut due: Vec<u64> = (0..deaths).map(|_| draw.below(callers.into())).collect();
        due.sort_unstable();
        Killer { draw, due: due.into(), passing: None, usual: FIRST_GUESS }
    }

    /// How long after a request is sent it is to die, if this request is one to die at. Whether that is before or after
    /// the answer nobody knows.
    pub(super) fn moment(&mut self, callers: u64) -> Option<Duration> {
        self.due.front().filter(|due| **due < callers)?;
        let passing = self.passing.get_or_insert_with(|| self.draw.below(REQUESTS_BEFORE));
        if *passing > 0 {
            *passing -= 1;
            return None;
        }
        let most = u64::try_from(self.usual.as_nanos()).unwrap_or(u64::MAX);
        Some(Duration::from_nanos(self.draw.below(most.saturating_mul(2))))
    }

    /// It has struck.
    pub(super) fn struck(&mut self) {
        self.due.pop_front();
        self.passing = None;
    }

    /// An answer took this long.
    pub(super) fn learn(&mut self, took: Duration) {
        self.usual = (self.usual * 7 + took) / 8;
    }
}

/// Passes so much real time to less than a timer's tick.
pub(super) async fn pass(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request and the moment of each death, with callers who send ten requests each.
    fn deaths(seed: u64, deaths: u32) -> Vec<(u64, Duration)> {
        let mut killer = Killer::new(seed, deaths, 50);
        let mut struck = Vec::new();
        for request in 0..1_000 {
            if let Some(moment) = killer.moment(request / 10) {
                killer.struck();
                struck.push((request, moment));
            }
        }
        struck
    }

    #[test]
    fn deaths_follow_from_the_seed_and_all_come() {
        assert_eq!(deaths(3, 7), deaths(3, 7));
        assert_ne!(deaths(3, 7), deaths(4, 7));
        for seed in 0..20 {
            assert_eq!(deaths(seed, 7).len(), 7);
            assert_eq!(deaths(seed, 0), []);
        }
    }

    #[test]
    fn a_request_that_is_answered_first_leaves_the_death_to_the_next() {
        let mut killer = Killer::new(1, 1, 1);
        let first = (0..REQUESTS_BEFORE + 1).find(|_| killer.moment(1).is_some());
        assert!(first.is_some());
        assert!(killer.moment(1).is_some(), "still due");
        killer.struck();
        assert_eq!(killer.moment(1), None);
    }
}
