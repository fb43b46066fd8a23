//! How far each stream will come: what a client that drives a stepped clock waits for.

use std::collections::BTreeMap;

use api::v1;
use api::v1::stream_progress::Holder;
use switchboard::id::{GatewayId, OperatorId};

/// Whose stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    Gateway(GatewayId),
    Desk(OperatorId),
}

/// Counts what every stream is told.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    numbers: BTreeMap<Whose, u64>,
    /// What changed since the last receipt; only kept where receipts tell of it.
    fresh: Option<BTreeMap<Whose, bool>>,
}

impl Progress {
    /// Counting, and telling in receipts if the clock is stepped.
    pub(crate) fn new(stepped: bool) -> Progress {
        Progress { numbers: BTreeMap::new(), fresh: stepped.then(BTreeMap::new) }
    }

    /// The number of the next message of this stream.
    pub(crate) fn count(&mut self, whose: Whose) -> u64 {
        let number = self.numbers.entry(whose).or_default();
        *number += 1;
        if let Some(fresh) = &mut self.fresh {
            fresh.insert(whose, false);
        }
        *number
    }

    /// The stream is closed, and the site knows.
    pub(crate) fn closed(&mut self, whose: Whose) {
        if let Some(fresh) = &mut self.fresh {
            fresh.insert(whose, true);
        }
    }

    /// What changed since this was last asked.
    pub(crate) fn take(&mut self) -> Vec<v1::StreamProgress> {
        let fresh = self.fresh.as_mut().map(std::mem::take).unwrap_or_default();
        fresh.into_iter().map(|(whose, closed)| self.told(whose, closed)).collect()
    }

    fn told(&self, whose: Whose, closed: bool) -> v1::StreamProgress {
        let number = self.numbers.get(&whose).copied().unwrap_or_default();
        let holder = match whose {
            Whose::Gateway(id) => Holder::GatewayId(id.to_string()),
            Whose::Desk(id) => Holder::OperatorId(id.to_string()),
        };
        v1::StreamProgress { holder: Some(holder), number, closed }
    }
}
