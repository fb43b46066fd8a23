//! What the gateway and the desks saw, gathered in one place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::checker::{Deed, Screen};

/// Shared by the gateway, the desks and the test.
#[derive(Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Notes>>);

/// What was noted.
#[derive(Default)]
pub(crate) struct Notes {
    /// Acknowledged since the last settlement.
    pub(crate) acknowledged: std::collections::BTreeSet<Deed>,
    /// The last screen of each desk.
    pub(crate) screens: BTreeMap<String, Screen>,
    /// Moments of a double connection.
    pub(crate) doubles: Vec<String>,
    /// Refusals, by whom and why: none is fatal, and a test that fails shows them.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// When the last offer appeared that had not been seen before.
    pub(crate) last_offer: Option<Instant>,
    offers: std::collections::BTreeSet<(String, u32)>,
    /// Who rang in and was shown to nobody yet, and since when.
    ringing: BTreeMap<String, Instant>,
    /// How long it took from there to the first desk that showed the caller.
    pub(crate) to_first_offer: Vec<Duration>,
    /// Commands and facts that were answered.
    pub(crate) answers: u64,
}

impl Witness {
    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().expect("nobody panics while noting")
    }

    /// Who was refused what, and how often, in words.
    pub(crate) fn refusals(&self) -> String {
        format!("refusals: {:#?}", self.notes().refusals)
    }

    /// A caller rings in.
    pub(crate) fn rings_in(&self, call: &str) {
        self.notes().ringing.insert(call.to_owned(), Instant::now());
    }

    /// The server has acknowledged this.
    pub(crate) fn acknowledged(&self, deed: Deed) {
        self.notes().acknowledged.insert(deed);
    }

    /// The server has refused something.
    pub(crate) fn refused(&self, who: &str, why: &str) {
        *self.notes().refusals.entry(format!("{who}: {why}")).or_default() += 1;
    }

    /// A desk shows this from here on.
    pub(crate) fn shows(&self, operator: &str, screen: Screen) {
        let mut notes = self.notes();
        if let Some(offer) = &screen.offer
            && notes.offers.insert(offer.clone())
        {
            notes.last_offer = Some(Instant::now());
            if let Some(since) = notes.ringing.remove(&offer.0) {
                notes.to_first_offer.push(since.elapsed());
            }
        }
        notes.screens.insert(operator.to_owned(), screen);
    }
}
