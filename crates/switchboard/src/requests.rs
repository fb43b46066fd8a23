//! Requests done a short while ago, in the order of their decisions. A copy shares all but the latest with what it was
//! copied from: a switchboard is copied whenever an append was lost, and remembers tens of thousands of requests.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::iter::once;

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decision::Reply;
use crate::id::{RequestId, Seq};
use crate::time::SiteTime;

/// So many are shared together. Each stretch is one more to look into, and what is not shared yet is copied.
const STRETCH: usize = 4_096;

/// A request that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestMemory {
    /// Its id.
    pub request: RequestId,
    /// Of its actor and command.
    pub fingerprint: u64,
    /// When.
    pub at: SiteTime,
    /// What was answered.
    pub reply: Reply,
}

/// Memories of requests, the earliest first.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    /// The earlier ones, none of which changes any more.
    shared: VecDeque<Arc<Stretch>>,
    latest: Stretch,
    /// So many of the first stretch are forgotten.
    gone: usize,
}

#[derive(Debug, Clone, Default)]
struct Stretch {
    memories: Vec<(Seq, RequestMemory)>,
    /// Where in this stretch a request was remembered last.
    places: BTreeMap<RequestId, usize>,
}

impl Requests {
    /// What is remembered of a request.
    pub fn find(&self, request: RequestId) -> Option<&RequestMemory> {
        let latest_first = once(&self.latest).chain(self.shared.iter().rev().map(Arc::as_ref));
        let mut places = latest_first.enumerate().filter_map(|(nth, stretch)| {
            let place = *stretch.places.get(&request)?;
            Some((nth == self.shared.len(), place, stretch))
        });
        let (is_first, place, stretch) = places.next()?;
        let is_gone = is_first && place < self.gone;
        stretch.memories.get(place).filter(|_| !is_gone).map(|(_, memory)| memory)
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.shared.len() * STRETCH + self.latest.memories.len() - self.gone
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them by their decisions, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = &(Seq, RequestMemory)> {
        let stretches = self.shared.iter().map(Arc::as_ref).chain(once(&self.latest));
        stretches.flat_map(|stretch| &stretch.memories).skip(self.gone)
    }

    /// The earliest.
    pub(crate) fn first(&self) -> Option<&RequestMemory> {
        let first = self.shared.front().map_or(&self.latest, Arc::as_ref);
        first.memories.get(self.gone).map(|(_, memory)| memory)
    }

    /// One more, of a later decision than all others.
    pub(crate) fn remember(&mut self, seq: Seq, memory: RequestMemory) {
        self.latest.places.insert(memory.request, self.latest.memories.len());
        self.latest.memories.push((seq, memory));
        if self.latest.memories.len() == STRETCH {
            self.shared.push_back(Arc::new(core::mem::take(&mut self.latest)));
        }
    }

    /// The earliest is forgotten.
    pub(crate) fn forget_first(&mut self) {
        self.gone += 1;
        let first = self.shared.front().map_or(&self.latest, Arc::as_ref);
        if self.gone < first.memories.len() {
            return;
        }
        self.gone = 0;
        if self.shared.pop_front().is_none() {
            self.latest = Stretch::default();
        }
    }
}

impl PartialEq for Requests {
    fn eq(&self, other: &Requests) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Requests {}

/// As a map from decisions.
impl Serialize for Requests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (seq, memory) in self.iter() {
            map.serialize_entry(seq, memory)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Requests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Requests, D::Error> {
        let by_decision = BTreeMap::<Seq, RequestMemory>::deserialize(deserializer)?;
        let mut requests = Requests::default();
        for (seq, memory) in by_decision {
            requests.remember(seq, memory);
        }
        Ok(requests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;

    fn memory(n: u64, request: u64) -> RequestMemory {
        let request = RequestId(uuid::Uuid::from_u128(request.into()));
        RequestMemory { request, fingerprint: n, at: SiteTime(n), reply: Reply::Done }
    }

    fn id(request: u64) -> RequestId {
        memory(0, request).request
    }

    #[test]
    fn what_is_remembered_is_found_until_it_is_forgotten() {
        let (mut requests, mut plain) = (Requests::default(), BTreeMap::new());
        // The same request comes again once it was forgotten, sooner and later than a stretch ends.
        let comes_again = 3 * STRETCH as u64 / 2;
        for n in 1..=4 * STRETCH as u64 {
            requests.remember(Seq(n), memory(n, n % comes_again));
            plain.insert(Seq(n), memory(n, n % comes_again));
            while requests.len() as u64 >= comes_again || (n % 5_000 == 0 && !requests.is_empty()) {
                let (_, earliest) = plain.pop_first().expect("as many");
                assert_eq!(requests.first(), Some(&earliest));
                requests.forget_first();
                assert!(requests.find(earliest.request).is_none(), "{n}");
            }
            assert_eq!(requests.len(), plain.len());
            for (_, memory) in plain.iter().next().into_iter().chain(plain.last_key_value()) {
                assert_eq!(requests.find(memory.request), Some(memory), "{n}");
            }
        }
        assert!(requests.iter().map(|(seq, memory)| (seq, memory)).eq(&plain));
        assert_eq!(canonical::encode(&requests), canonical::encode(&plain), "kept as a map is");
        let back: Requests = serde_json::from_str(&canonical::encode(&requests)).expect("read");
        assert_eq!(back, requests);
        assert!(requests.find(id(u64::MAX)).is_none());
    }

    #[test]
    fn a_copy_shares_what_is_long_past() {
        let mut requests = Requests::default();
        for n in 1..=2 * STRETCH as u64 + 1 {
            requests.remember(Seq(n), memory(n, n));
        }
        let mut copy = requests.clone();
        assert!(copy.shared.iter().zip(&requests.shared).all(|(one, other)| Arc::ptr_eq(one, other)));
        copy.remember(Seq(9_999), memory(9_999, 9_999));
        copy.forget_first();
        assert_ne!(copy, requests);
        assert!(requests.find(id(9_999)).is_none() && requests.find(id(1)).is_some(), "each its own");
        assert!(copy.find(id(1)).is_none() && copy.find(id(2)).is_some());
    }
}
