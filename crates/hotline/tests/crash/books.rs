//! The journal, read where it is kept while the server writes it: every decision once, held against the laws.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use session::{Journal, PostgresStore, SqliteStore};
use switchboard::Switchboard;
use switchboard::call::Phase;
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Seq, SiteId};
use switchboard::laws;
use switchboard::time::SiteTime;

use crate::checker::{Deed, Passage, Screen, Written};
use crate::server::Kept;

/// What was read so far.
#[derive(Default)]
pub(crate) struct Books {
    switchboard: Switchboard,
    happened: BTreeSet<Deed>,
    passages: BTreeMap<String, Passage>,
    violations: Vec<String>,
    offers: u64,
    calls: usize,
    /// Calls that were offered to somebody and not answered yet, and since when.
    offered: BTreeMap<String, SiteTime>,
    /// How long those waited who were answered.
    answered: Vec<Duration>,
    /// Calls that closed, by how many settlements ago.
    closed: [BTreeSet<String>; 3],
}

impl Books {
    /// Reads what was written since.
    pub(crate) async fn read(&mut self, kept: &Kept) {
        match kept {
            Kept::Directory(data) => {
                let store =
                    SqliteStore::inspect(data).await.expect("the journal can be read beside its server");
                self.read_from(&store).await;
                store.close().await;
            }
            Kept::Database(address) => {
                let store =
                    PostgresStore::open(address).await.expect("the journal can be read beside its server");
                self.read_from(&store).await;
                store.close().await;
            }
        }
    }

    async fn read_from(&mut self, store: &dyn Journal) {
        loop {
            let rows = store.tail(site(), self.seq(), 512).await.expect("the journal can be read");
            if rows.is_empty() {
                break;
            }
            for stored in &rows {
                for decision in session::decode(&stored.row).expect("every row can be read") {
                    self.follow(&decision);
                }
            }
        }
    }

    /// The last decision read.
    pub(crate) fn seq(&self) -> Seq {
        self.switchboard.state().seq
    }

    /// How many offers were made.
    pub(crate) fn offers(&self) -> u64 {
        self.offers
    }

    /// How long callers waited for an answer after they were first offered to somebody; of those answered since this was
    /// asked last.
    pub(crate) fn answered(&mut self) -> Vec<Duration> {
        std::mem::take(&mut self.answered)
    }

    /// How many calls are open.
    pub(crate) fn inside(&self) -> usize {
        self.switchboard.state().calls.len()
    }

    /// How many calls came.
    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    /// Both sides agreed: what was over some settlements ago is put away. If it comes up again it has never arrived.
    pub(crate) fn settled(&mut self) {
        let [_, _, oldest] = &self.closed;
        for call in oldest {
            self.passages.remove(call);
        }
        self.happened.retain(|deed| !oldest.contains(deed.call()));
        self.closed.rotate_right(1);
        self.closed[0].clear();
    }

    fn follow(&mut self, decision: &Decision) {
        let state = self.switchboard.state();
        let next = laws::l10_order::check_next(state.seq, state.now, decision);
        self.switchboard.evolve(decision);
        let lawful = next.and_then(|()| laws::check_decided(decision, &self.switchboard));
        self.violations.extend(lawful.err().map(|violation| violation.to_string()));
        decision.events.iter().for_each(|event| self.note(event, decision.at));
    }

    fn note(&mut self, event: &Event, at: SiteTime) {
        let Some(call) = event.call().map(|call| call.to_string()) else { return };
        match event {
            Event::CallArrived { .. } => {
                self.calls += 1;
                self.passages.entry(call.clone()).or_default().arrivals += 1;
                self.happened.insert(Deed::Arrived { call });
            }
            Event::CallClosed { .. } => {
                self.closed[0].insert(call.clone());
                self.offered.remove(&call);
                self.passages.entry(call.clone()).or_default().closes += 1;
                self.happened.insert(Deed::Closed { call });
            }
            Event::OfferMade { .. } => {
                self.offers += 1;
                self.offered.entry(call).or_insert(at);
            }
            Event::OfferAccepted { attempt, .. } => {
                let waited = self.offered.remove(&call).map(|since| Duration::from_micros(at.since(since).0));
                self.answered.extend(waited);
                self.happened.insert(Deed::Accepted { call, attempt: attempt.0 });
            }
            Event::CallConnected { attempt, .. }
            | Event::BridgeFailed { attempt, .. }
            | Event::OfferWithdrawn { attempt, .. } => {
                self.happened.insert(Deed::Bridged { call, attempt: attempt.0 });
            }
            _ => {}
        }
    }

    /// What the journal says at its end.
    pub(crate) fn written(&self) -> Written {
        let state = self.switchboard.state();
        let open = state.calls.iter().map(|(id, call)| {
            let with = match &call.phase {
                Phase::Bridged { operator, .. } => Some(operator.to_string()),
                Phase::Queued | Phase::Diverting { .. } => None,
            };
            (id.to_string(), with)
        });
        let desks = state.operators.keys().filter_map(|operator| self.switchboard.desk(*operator));
        let screens = desks.map(|desk| {
            let offer = desk.offer.map(|offer| (offer.id.call.to_string(), offer.id.attempt.0));
            (desk.operator.to_string(), Screen { offer, talks: desk.call.map(|call| call.id.to_string()) })
        });
        let mut violations = self.violations.clone();
        violations.extend(laws::check_state(&self.switchboard).err().map(|violation| violation.to_string()));
        Written {
            open: open.collect(),
            screens: screens.collect(),
            happened: self.happened.clone(),
            passages: self.passages.clone(),
            violations,
        }
    }
}

fn site() -> SiteId {
    "main".parse().expect("a name")
}
