//! Call records: one line for each call, folded from decisions. Nothing decides by them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use switchboard::call::{CallerKind, Class, Outcome};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Attempt, CallId, CallerRef, GatewayId, LineId, OperatorId, Seq};
use switchboard::time::SiteTime;

/// One call, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which.
    pub call: CallId,
    /// The decision that let it in.
    pub first_seq: Seq,
    /// The last decision about it.
    pub last_seq: Seq,
    /// Where it came in.
    pub gateway: GatewayId,
    /// Who called.
    pub caller: CallerRef,
    /// Public or staff.
    pub kind: CallerKind,
    /// The line called.
    pub called: LineId,
    /// The line it is on, or closed on.
    pub line: LineId,
    /// Its priority there.
    pub class: Class,
    /// What the wall clock showed when it rang in, in microseconds since 1970 UTC.
    pub wall_us: i64,
    /// When it rang in.
    pub rang_at: SiteTime,
    /// When it was first bridged, and with whom.
    pub answered: Option<(SiteTime, OperatorId)>,
    /// How often somebody was asked.
    pub offers: u32,
    /// How many further tiers opened for it.
    pub tiers: u32,
    /// When and how it closed.
    pub closed: Option<(SiteTime, Outcome)>,
    /// Whom each attempt of an open call asks.
    pub asked: BTreeMap<Attempt, OperatorId>,
}

/// Folds decisions into records.
#[derive(Debug, Clone, Default)]
pub struct RecordFold {
    open: BTreeMap<CallId, CallRecord>,
    changed: BTreeMap<CallId, CallRecord>,
}

impl RecordFold {
    /// Goes on with the calls that were open.
    pub fn resume(open: impl IntoIterator<Item = CallRecord>) -> RecordFold {
        RecordFold {
            open: open.into_iter().map(|record| (record.call, record)).collect(),
            ..Default::default()
        }
    }

    /// Takes the next decision in. `wall_us` is its row's label.
    pub fn fold(&mut self, decision: &Decision, wall_us: i64) {
        for event in &decision.events {
            if let Some(arrived) = arrived(decision, event, wall_us) {
                self.open.insert(arrived.call, arrived);
            }
            let Some(call) = event.call() else { continue };
            let Some(record) = self.open.get_mut(&call) else { continue };
            record.last_seq = decision.seq;
            record.note(decision.at, event);
            self.changed.insert(call, record.clone());
            if record.closed.is_some() {
                self.open.remove(&call);
            }
        }
    }

    /// The records that changed since this was last asked.
    pub fn take_changed(&mut self) -> Vec<CallRecord> {
        std::mem::take(&mut self.changed).into_values().collect()
    }

    /// How many calls are open.
    pub fn open_calls(&self) -> usize {
        self.open.len()
    }
}

fn arrived(decision: &Decision, event: &Event, wall_us: i64) -> Option<CallRecord> {
    let Event::CallArrived { call, gateway, caller, kind, line, class, .. } = event else { return None };
    Some(CallRecord {
        call: *call,
        first_seq: decision.seq,
        last_seq: decision.seq,
        gateway: *gateway,
        caller: *caller,
        kind: *kind,
        called: *line,
        line: *line,
        class: *class,
        wall_us,
        rang_at: decision.at,
        answered: None,
        offers: 0,
        tiers: 0,
        closed: None,
        asked: BTreeMap::new(),
    })
}

impl CallRecord {
    fn note(&mut self, at: SiteTime, event: &Event) {
        match event {
            Event::CallMoved { to, class, .. } => {
                self.line = *to;
                self.class = *class;
            }
            Event::CallTransferred { line, class, .. } => {
                self.line = *line;
                self.class = *class;
            }
            Event::TierOpened { .. } => self.tiers += 1,
            Event::OfferMade { attempt, operator, .. } => {
                self.offers += 1;
                self.asked.insert(*attempt, *operator);
            }
            Event::CallConnected { attempt, .. } if self.answered.is_none() => {
                self.answered = self.asked.get(attempt).map(|operator| (at, *operator));
            }
            Event::CallClosed { outcome, .. } => {
                self.closed = Some((at, *outcome));
                self.asked.clear();
            }
            _ => {}
        }
    }
}
