//! The tracker in one process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use switchboard::id::{GatewayId, OperatorId};
use switchboard::time::SiteTime;

use crate::{DESK_LEASE, Fenced, FreeOperators, GATEWAY_LEASE, Holder, Presence, StreamId};

/// What keeps a desk's lease alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Its heartbeats, on a clock that goes on by itself.
    Heartbeats,
    /// Its open stream, on a stepped clock: every step renews what is open, so that nothing ends while it is open.
    OpenStreams,
}

/// The leases of one site whose every stream ends in this process.
pub struct Tracker {
    renewal: Renewal,
    leases: Mutex<Leases>,
    free: Mutex<FreeOperators>,
}

impl Tracker {
    /// A tracker without leases.
    pub fn new(renewal: Renewal) -> Tracker {
        Tracker { renewal, leases: Mutex::default(), free: Mutex::default() }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        // Leases are soft: a half-done change is put right by the next heartbeat or end.
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Presence for Tracker {
    fn resume(&self, at: SiteTime, linked: &[Holder]) {
        let mut leases = self.leases();
        for holder in linked {
            let ends_at = match holder {
                Holder::Desk { .. } => at,
                Holder::Gateway { .. } => at + GATEWAY_LEASE,
            };
            leases.put(*holder, Lease { holder: *holder, streams: BTreeSet::new(), ends_at: Some(ends_at) });
        }
    }

    fn attached(&self, at: SiteTime, holder: Holder) {
        let mut leases = self.leases();
        match leases.by_subject.get(&Subject::of(&holder)).map(|l| l.holder) {
            Some(held) if held == holder => {
                let _ = leases.touch(at, holder, self.renewal);
            }
            _ => {
                let ends_at = Some(at + length(&holder));
                leases.put(holder, Lease { holder, streams: BTreeSet::new(), ends_at });
            }
        }
    }

    fn open(&self, at: SiteTime, holder: Holder) -> Result<StreamId, Fenced> {
        let mut leases = self.leases();
        let stream = StreamId(leases.streams_opened + 1);
        leases.held(&holder)?.streams.insert(stream);
        leases.streams_opened = stream.0;
        leases.touch(at, holder, self.renewal)?;
        Ok(stream)
    }

    fn renew(&self, at: SiteTime, holder: Holder) -> Result<(), Fenced> {
        self.leases().touch(at, holder, self.renewal)
    }

    fn close(&self, at: SiteTime, holder: Holder, stream: StreamId) {
        let mut leases = self.leases();
        let Ok(lease) = leases.held(&holder) else { return };
        if lease.streams.remove(&stream) && lease.streams.is_empty() {
            let ends_at = match holder {
                Holder::Desk { .. } => at,
                Holder::Gateway { .. } => at + GATEWAY_LEASE,
            };
            leases.set_end(&holder, Some(ends_at));
        }
    }

    fn next_end(&self) -> Option<SiteTime> {
        self.leases().by_end.first().map(|(ends_at, _)| *ends_at)
    }

    fn take_ended(&self, at: SiteTime) -> Vec<Holder> {
        let mut leases = self.leases();
        let mut ended = Vec::new();
        while let Some((_, subject)) = leases.by_end.first().copied().filter(|(ends_at, _)| *ends_at <= at) {
            let lease = leases.take(subject).expect("an end is only kept beside its lease");
            ended.push(lease.holder);
        }
        ended
    }

    fn show_free(&self, free: FreeOperators) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).advance(free);
    }

    fn free(&self) -> FreeOperators {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Of whom there is one lease at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Operator(OperatorId),
    Gateway(GatewayId),
}

impl Subject {
    fn of(holder: &Holder) -> Subject {
        match holder {
            Holder::Desk { operator, .. } => Subject::Operator(*operator),
            Holder::Gateway { gateway, .. } => Subject::Gateway(*gateway),
        }
    }
}

struct Lease {
    holder: Holder,
    streams: BTreeSet<StreamId>,
    /// None as long as an open stream alone keeps it.
    ends_at: Option<SiteTime>,
}

#[derive(Default)]
struct Leases {
    by_subject: BTreeMap<Subject, Lease>,
    by_end: BTreeSet<(SiteTime, Subject)>,
    streams_opened: u64,
}

impl Leases {
    fn held(&mut self, holder: &Holder) -> Result<&mut Lease, Fenced> {
        self.by_subject.get_mut(&Subject::of(holder)).filter(|lease| lease.holder == *holder).ok_or(Fenced)
    }

    fn touch(&mut self, at: SiteTime, holder: Holder, renewal: Renewal) -> Result<(), Fenced> {
        let open = !self.held(&holder)?.streams.is_empty();
        let kept = open && (renewal == Renewal::OpenStreams || matches!(holder, Holder::Gateway { .. }));
        self.set_end(&holder, (!kept).then(|| at + length(&holder)));
        Ok(())
    }

    fn set_end(&mut self, holder: &Holder, ends_at: Option<SiteTime>) {
        if let Some(lease) = self.take(Subject::of(holder)) {
            self.put(*holder, Lease { ends_at, ..lease });
        }
    }

    fn put(&mut self, holder: Holder, lease: Lease) {
        let subject = Subject::of(&holder);
        self.take(subject);
        self.by_end.extend(lease.ends_at.map(|ends_at| (ends_at, subject)));
        self.by_subject.insert(subject, lease);
    }

    fn take(&mut self, subject: Subject) -> Option<Lease> {
        let lease = self.by_subject.remove(&subject)?;
        if let Some(ends_at) = lease.ends_at {
            self.by_end.remove(&(ends_at, subject));
        }
        Some(lease)
    }
}

fn length(holder: &Holder) -> switchboard::time::Span {
    match holder {
        Holder::Desk { .. } => DESK_LEASE,
        Holder::Gateway { .. } => GATEWAY_LEASE,
    }
}
