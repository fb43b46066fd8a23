//! Requests done a short while ago, in the order of their decisions.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decision::Reply;
use crate::id::{RequestId, Seq};
use crate::state::Remembered;
use crate::time::SiteTime;

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
    by_decision: Remembered<Seq, RequestMemory>,
    /// By which decision a request was done last.
    decisions: Remembered<RequestId, Seq>,
}

impl Requests {
    /// What is remembered of a request.
    pub fn find(&self, request: RequestId) -> Option<&RequestMemory> {
        self.by_decision.get(self.decisions.get(&request)?)
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.by_decision.size()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.by_decision.is_empty()
    }

    /// All of them by their decisions, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = (&Seq, &RequestMemory)> {
        self.by_decision.iter()
    }

    /// The earliest.
    pub(crate) fn first(&self) -> Option<&RequestMemory> {
        self.by_decision.first().map(|(_, memory)| memory)
    }

    /// One more, of a later decision than all others.
    pub(crate) fn remember(&mut self, seq: Seq, memory: RequestMemory) {
        self.decisions.insert_mut(memory.request, seq);
        self.by_decision.insert_mut(seq, memory);
    }

    /// The earliest is forgotten.
    pub(crate) fn forget_first(&mut self) {
        let Some((&seq, &RequestMemory { request, .. })) = self.by_decision.first() else { return };
        self.by_decision.remove_mut(&seq);
        if self.decisions.get(&request) == Some(&seq) {
            self.decisions.remove_mut(&request);
        }
    }
}

/// What is found by a request follows from the memories.
impl PartialEq for Requests {
    fn eq(&self, other: &Requests) -> bool {
        self.by_decision == other.by_decision
    }
}

impl Eq for Requests {}

/// As a map from decisions.
impl Serialize for Requests {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.by_decision.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Requests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Requests, D::Error> {
        let by_decision = Remembered::<Seq, RequestMemory>::deserialize(deserializer)?;
        let decisions = by_decision.iter().map(|(seq, memory)| (memory.request, *seq)).collect();
        Ok(Requests { by_decision, decisions })
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

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
        // The same request comes again, once it was forgotten and while it is remembered.
        for n in 1..=5_000 {
            let memory = memory(n, if n % 7 == 0 { n / 2 } else { n % 1_500 });
            requests.remember(Seq(n), memory);
            plain.insert(Seq(n), memory);
            while requests.len() >= 1_200 || (n % 1_100 == 0 && !requests.is_empty()) {
                let (_, earliest) = plain.pop_first().expect("as many");
                assert_eq!(requests.first(), Some(&earliest));
                requests.forget_first();
                let later = plain.values().rfind(|memory| memory.request == earliest.request);
                assert_eq!(requests.find(earliest.request), later, "{n}");
            }
            assert_eq!(requests.len(), plain.len());
            assert_eq!(requests.find(memory.request), plain.get(&Seq(n)), "{n}");
        }
        assert!(requests.iter().eq(&plain));
        assert_eq!(canonical::encode(&requests), canonical::encode(&plain), "kept as a map is");
        let back: Requests = serde_json::from_str(&canonical::encode(&requests)).expect("read");
        assert_eq!(back, requests);
        assert!(plain.values().all(|memory| back.find(memory.request) == requests.find(memory.request)));
        assert!(requests.find(id(u64::MAX)).is_none());
    }

    #[test]
    fn a_copy_shares_what_is_long_past() {
        let mut requests = Requests::default();
        for n in 1..=1_000 {
            requests.remember(Seq(n), memory(n, n));
        }
        let mut copy = requests.clone();
        copy.remember(Seq(9_999), memory(9_999, 9_999));
        copy.forget_first();
        assert_ne!(copy, requests);
        assert!(requests.find(id(9_999)).is_none() && requests.find(id(1)).is_some(), "each its own");
        assert!(copy.find(id(1)).is_none() && copy.find(id(2)).is_some());
        let shared =
            |n| core::ptr::eq(copy.find(id(n)).expect("there"), requests.find(id(n)).expect("there"));
        assert!((2..=1_000).all(shared));
    }
}
