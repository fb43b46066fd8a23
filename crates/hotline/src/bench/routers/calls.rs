//! Every call of a room in which routers die: when it rang in, and which desk heard of it when.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::super::times::Times;

/// What became of all calls so far.
#[derive(Clone, Default)]
pub(in crate::bench) struct Calls(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    rung: BTreeMap<Uuid, Rung>,
    offers: Vec<Offer>,
    answers: Vec<Answer>,
    lives: u64,
    /// Calls that were not taken, or let go of before anybody answered.
    refused: u64,
    /// Calls that were reported again, because the router did not know them when it was attached to.
    asked_again: u64,
    /// Answers that came when the offer was over.
    late: u64,
    /// What was said when something did not work, and how often.
    faults: BTreeMap<String, u64>,
}

#[derive(Clone, Copy)]
struct Rung {
    at: Instant,
    router: usize,
    heard: bool,
}

/// A desk heard an offer.
#[derive(Debug, Clone, Copy)]
pub(in crate::bench) struct Offer {
    /// When the call was meant to ring in.
    pub(super) rang: Instant,
    pub(super) at: Instant,
    /// Where its gateway is at home.
    pub(super) from: usize,
    /// Where the desk is.
    pub(super) to: usize,
    pub(super) desk: usize,
    /// Nobody was offered this call before.
    pub(super) first: bool,
}

/// An operator had a call: the answer to an offer was answered.
#[derive(Debug, Clone, Copy)]
struct Answer {
    rang: Instant,
    at: Instant,
}

/// How many there were so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::bench) struct Counts {
    pub(in crate::bench) lives: u64,
    pub(in crate::bench) refused: u64,
    pub(in crate::bench) asked_again: u64,
    pub(in crate::bench) late: u64,
}

impl Calls {
    /// A call rings in at a gateway of this router, or was meant to.
    pub(super) fn rings(&self, call: Uuid, at: Instant, router: usize) {
        self.inside().rung.insert(call, Rung { at, router, heard: false });
    }

    /// A desk at this router heard an offer.
    pub(super) fn offered(&self, call: &str, desk: usize, to: usize) {
        let at = Instant::now();
        let mut inside = self.inside();
        let rung = Uuid::parse_str(call).ok().and_then(|call| inside.rung.get_mut(&call));
        let Some(rung) = rung else { return };
        let first = !std::mem::replace(&mut rung.heard, true);
        let offer = Offer { rang: rung.at, at, from: rung.router, to, desk, first };
        inside.offers.push(offer);
    }

    /// A desk has the call.
    pub(super) fn answered(&self, call: &str) {
        let at = Instant::now();
        let mut inside = self.inside();
        let rung = Uuid::parse_str(call).ok().and_then(|call| inside.rung.get(&call).copied());
        inside.answers.extend(rung.map(|rung| Answer { rang: rung.at, at }));
    }

    /// The caller was answered and has hung up.
    pub(super) fn lived(&self, call: Uuid) {
        let mut inside = self.inside();
        inside.rung.remove(&call);
        inside.lives += 1;
    }

    /// The service did not take the call, or let it go.
    pub(super) fn refused(&self, call: Uuid) {
        let mut inside = self.inside();
        inside.rung.remove(&call);
        inside.refused += 1;
    }

    /// A call is reported again.
    pub(super) fn asked_again(&self) {
        self.inside().asked_again += 1;
    }

    /// An answer came when the offer was over.
    pub(super) fn late(&self) {
        self.inside().late += 1;
    }

    /// Something did not work, for whatever reason.
    pub(super) fn failed(&self, doing: &str, why: &str) {
        *self.inside().faults.entry(format!("{doing}: {why}")).or_default() += 1;
    }

    /// What did not work so far, and how often.
    pub(super) fn faults(&self) -> BTreeMap<String, u64> {
        self.inside().faults.clone()
    }

    /// How many there were so far.
    pub(in crate::bench) fn counts(&self) -> Counts {
        let inside = self.inside();
        let Inside { lives, refused, asked_again, late, .. } = *inside;
        Counts { lives, refused, asked_again, late }
    }

    /// The offers heard from this moment on and before that one.
    pub(super) fn offers(&self, from: Instant, until: Instant) -> Vec<Offer> {
        let inside = self.inside();
        inside.offers.iter().filter(|offer| from <= offer.at && offer.at < until).copied().collect()
    }

    /// Of the calls that were meant to ring in during this time, until a desk heard of each for the first time.
    pub(in crate::bench) fn waits(
        &self,
        from: Instant,
        until: Instant,
        of: impl Fn(&Offer) -> bool,
    ) -> Times {
        let inside = self.inside();
        let rang_then = |offer: &&Offer| from <= offer.rang && offer.rang < until;
        let mut times = Times::default();
        let offers = inside.offers.iter().filter(rang_then).filter(|offer| offer.first && of(offer));
        offers.for_each(|offer| times.note(offer.at.saturating_duration_since(offer.rang)));
        times
    }

    /// Of the same calls, until a desk had each.
    pub(super) fn answers(&self, from: Instant, until: Instant) -> Times {
        let mut times = Times::default();
        let inside = self.inside();
        let rang_then = inside.answers.iter().filter(|answer| from <= answer.rang && answer.rang < until);
        rang_then.for_each(|answer| times.note(answer.at.saturating_duration_since(answer.rang)));
        times
    }

    /// Of the calls that were meant to ring in before this moment, those that no desk has heard of.
    pub(super) fn waiting(&self, before: Instant) -> usize {
        self.inside().rung.values().filter(|rung| !rung.heard && rung.at < before).count()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change under this lock is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest time between two moments that follow each other, both ends of the span being moments, too.
pub(super) fn longest_gap(from: Instant, until: Instant, moments: impl Iterator<Item = Instant>) -> Duration {
    let mut moments: Vec<Instant> = moments.filter(|at| from <= *at && *at < until).collect();
    moments.extend([from, until]);
    moments.sort_unstable();
    moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_offer_of_a_call_is_its_wait() {
        let (calls, call) = (Calls::default(), Uuid::new_v4());
        let rang = Instant::now();
        calls.rings(call, rang, 1);
        let later = Instant::now() + Duration::from_secs(1);
        assert_eq!(calls.waiting(later), 1);
        calls.offered(&call.to_string(), 7, 0);
        calls.offered(&call.to_string(), 8, 1);
        calls.offered(&Uuid::new_v4().to_string(), 9, 1);
        assert_eq!(calls.waiting(later), 0);
        let offers = calls.offers(rang, later);
        let seen: Vec<(usize, bool)> = offers.iter().map(|offer| (offer.desk, offer.first)).collect();
        assert_eq!(seen, [(7, true), (8, false)]);
        assert_eq!(calls.waits(rang, later, |_| true).count(), 1);
        assert_eq!(calls.waits(rang, later, |offer| offer.from == offer.to).count(), 0);
        assert_eq!(calls.answers(rang, later).count(), 0);
        calls.answered(&call.to_string());
        assert_eq!(calls.answers(rang, later).count(), 1);
        calls.lived(call);
        assert_eq!(calls.counts(), Counts { lives: 1, ..Counts::default() });
    }

    #[test]
    fn the_longest_gap_counts_both_ends() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let gap = |moments: &[u64]| longest_gap(at(0), at(100), moments.iter().map(|ms| at(*ms)));
        assert_eq!(gap(&[]), Duration::from_millis(100));
        assert_eq!(gap(&[30, 60, 20]), Duration::from_millis(40));
        assert_eq!(gap(&[30, 300]), Duration::from_millis(70));
    }
}
