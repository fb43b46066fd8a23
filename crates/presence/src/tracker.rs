//! The tracker of one router: alone, or one of several.

use std::sync::{Mutex, MutexGuard, PoisonError};

use switchboard::command::Command;
use switchboard::time::SiteTime;

use crate::leases::{Leases, length};
use crate::{
    Fenced, FreeOperators, GATEWAY_LEASE, HAND_OVER, HeldElsewhere, Holder, Presence, ROLL_FRESH, StreamId,
};

/// What keeps a desk's lease alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Its heartbeats, on a clock that goes on by itself.
    Heartbeats,
    /// Its open stream, on a stepped clock: every step renews what is open, so that nothing ends while it is open.
    OpenStreams,
}

/// The leases of one site, as one router sees them.
pub struct Tracker {
    renewal: Renewal,
    is_alone: bool,
    inside: Mutex<Inside>,
    free: Mutex<FreeOperators>,
}

#[derive(Default)]
struct Inside {
    leases: Leases,
    /// When the routers last called their roll.
    roll_at: Option<SiteTime>,
}

impl Tracker {
    /// A tracker without leases, of the only router there is: every stream ends in this process.
    pub fn new(renewal: Renewal) -> Tracker {
        Tracker { renewal, is_alone: true, inside: Mutex::default(), free: Mutex::default() }
    }

    /// A tracker without leases, of one router of several. It ends nothing that no roll came after.
    pub fn among_routers(renewal: Renewal) -> Tracker {
        Tracker { is_alone: false, ..Tracker::new(renewal) }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Leases are soft: a half-done change is put right by the next heartbeat or end.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which ends by then are sure: all when no other router can know better, otherwise those that a roll came after.
    fn sure(&self, inside: &Inside, at: SiteTime) -> Option<SiteTime> {
        if self.is_alone { Some(at) } else { inside.roll_at.map(|roll_at| roll_at.min(at)) }
    }
}

impl Presence for Tracker {
    fn resume(&self, at: SiteTime, linked: &[Holder]) {
        let mut inside = self.inside();
        for holder in linked {
            let ends_at = match holder {
                Holder::Desk { .. } if self.is_alone => at,
                _ => at + length(holder),
            };
            inside.leases.begin(*holder, ends_at);
        }
    }

    fn attached(&self, at: SiteTime, holder: Holder) {
        let leases = &mut self.inside().leases;
        if leases.renew(at, holder, self.renewal).is_err() {
            leases.begin(holder, at + length(&holder));
        }
    }

    fn attached_elsewhere(&self, at: SiteTime, holder: Holder) {
        if self.is_alone {
            return;
        }
        let leases = &mut self.inside().leases;
        if leases.holds(&holder) {
            leases.keep(&holder, at);
        } else {
            leases.begin(holder, at + length(&holder));
        }
    }

    fn open(&self, at: SiteTime, holder: Holder) -> Result<StreamId, Fenced> {
        self.inside().leases.open(at, holder, self.renewal)
    }

    fn renew(&self, at: SiteTime, holder: Holder) -> Result<(), Fenced> {
        self.inside().leases.hear(at, holder, self.renewal)
    }

    fn close(&self, at: SiteTime, holder: Holder, stream: StreamId) {
        let ends_at = match holder {
            Holder::Desk { .. } if self.is_alone => at,
            Holder::Desk { .. } => at + HAND_OVER,
            Holder::Gateway { .. } => at + GATEWAY_LEASE,
        };
        self.inside().leases.close(&holder, stream, ends_at);
    }

    fn held(&self, at: SiteTime) -> Vec<Holder> {
        self.inside().leases.heard(at)
    }

    fn next_roll(&self) -> Option<SiteTime> {
        let inside = self.inside();
        let end = inside.leases.next_end()?;
        (!self.is_alone && inside.roll_at.is_none_or(|roll_at| roll_at < end)).then_some(end)
    }

    fn roll_called(&self, at: SiteTime, elsewhere: &[HeldElsewhere]) {
        let mut inside = self.inside();
        if inside.roll_at.is_none_or(|roll_at| at > roll_at + ROLL_FRESH) {
            // What happened since the last roll is not known, so everybody has a whole lease.
            inside.leases.keep_all(at);
        }
        for held in elsewhere {
            inside.leases.keep(&held.holder, held.heard_at);
        }
        inside.roll_at = inside.roll_at.max(Some(at));
    }

    fn next_end(&self) -> Option<SiteTime> {
        let inside = self.inside();
        inside.leases.next_end().filter(|end| self.sure(&inside, *end) == Some(*end))
    }

    fn take_ended(&self, at: SiteTime) -> Vec<Holder> {
        let mut inside = self.inside();
        let sure = self.sure(&inside, at);
        sure.map_or_else(Vec::new, |by| inside.leases.take_ended(by))
    }

    fn is_linked_again(&self, report: &Command) -> bool {
        self.inside().leases.holders().any(|holder| holder.report() == *report)
    }

    fn show_free(&self, free: FreeOperators) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).advance(free);
    }

    fn free(&self) -> FreeOperators {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
