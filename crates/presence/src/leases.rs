//! The leases of one site, by whom they are of and by when they end.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::id::{GatewayId, OperatorId};
use switchboard::time::{SiteTime, Span};

use crate::tracker::Renewal;
use crate::{DESK_LEASE, Fenced, GATEWAY_LEASE, Holder, StreamId};

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

#[derive(Debug, Clone)]
struct Lease {
    holder: Holder,
    streams: BTreeSet<StreamId>,
    /// It was heard of here: a stream opened or a heartbeat came, and the last stream has not ended since.
    is_heard: bool,
    /// When it ends by what is known here. None as long as an open stream alone keeps it.
    ends_at: Option<SiteTime>,
    /// Until when other routers keep it.
    kept_until: Option<SiteTime>,
}

impl Lease {
    fn until(holder: Holder, ends_at: SiteTime) -> Lease {
        let streams = BTreeSet::new();
        Lease { holder, streams, is_heard: false, ends_at: Some(ends_at), kept_until: None }
    }

    fn end(&self) -> Option<SiteTime> {
        self.ends_at.map(|ends_at| self.kept_until.map_or(ends_at, |kept| kept.max(ends_at)))
    }

    fn keep_until(&mut self, until: SiteTime) {
        self.kept_until = self.kept_until.max(Some(until));
    }
}

#[derive(Default)]
pub(crate) struct Leases {
    by_subject: BTreeMap<Subject, Lease>,
    by_end: BTreeSet<(SiteTime, Subject)>,
    streams_opened: u64,
}

impl Leases {
    /// A lease from here on, and none for whoever had it before.
    pub(crate) fn begin(&mut self, holder: Holder, ends_at: SiteTime) {
        self.put(Lease::until(holder, ends_at));
    }

    pub(crate) fn holds(&mut self, holder: &Holder) -> bool {
        self.held(holder).is_ok()
    }

    pub(crate) fn open(&mut self, at: SiteTime, holder: Holder, by: Renewal) -> Result<StreamId, Fenced> {
        let stream = StreamId(self.streams_opened + 1);
        self.held(&holder)?.streams.insert(stream);
        self.streams_opened = stream.0;
        self.hear(at, holder, by)?;
        Ok(stream)
    }

    /// It said something here.
    pub(crate) fn hear(&mut self, at: SiteTime, holder: Holder, by: Renewal) -> Result<(), Fenced> {
        self.renew(at, holder, by)?;
        self.change(&holder, |lease| lease.is_heard = true);
        Ok(())
    }

    /// It has the whole lease again.
    pub(crate) fn renew(&mut self, at: SiteTime, holder: Holder, by: Renewal) -> Result<(), Fenced> {
        let open = !self.held(&holder)?.streams.is_empty();
        let kept = open && (by == Renewal::OpenStreams || matches!(holder, Holder::Gateway { .. }));
        self.change(&holder, |lease| lease.ends_at = (!kept).then(|| at + length(&holder)));
        Ok(())
    }

    /// Ends a stream; whether it was the last.
    pub(crate) fn close(&mut self, holder: &Holder, stream: StreamId, ends_at: SiteTime) {
        let Ok(lease) = self.held(holder) else { return };
        if lease.streams.remove(&stream) && lease.streams.is_empty() {
            self.change(holder, |lease| {
                lease.ends_at = Some(ends_at);
                lease.is_heard = false;
            });
        }
    }

    /// Another router has it, as far as was known at this time.
    pub(crate) fn keep(&mut self, holder: &Holder, heard_at: SiteTime) {
        if self.holds(holder) {
            self.change(holder, |lease| lease.keep_until(heard_at + length(holder)));
        }
    }

    pub(crate) fn keep_all(&mut self, at: SiteTime) {
        let all: Vec<Holder> = self.holders().collect();
        for holder in all {
            self.keep(&holder, at);
        }
    }

    pub(crate) fn holders(&self) -> impl Iterator<Item = Holder> + '_ {
        self.by_subject.values().map(|lease| lease.holder)
    }

    /// Who was heard of here and has not fallen silent.
    pub(crate) fn heard(&self, at: SiteTime) -> Vec<Holder> {
        let heard = |lease: &&Lease| lease.is_heard && lease.ends_at.is_none_or(|ends_at| ends_at > at);
        self.by_subject.values().filter(heard).map(|lease| lease.holder).collect()
    }

    pub(crate) fn next_end(&self) -> Option<SiteTime> {
        self.by_end.first().map(|(ends_at, _)| *ends_at)
    }

    pub(crate) fn take_ended(&mut self, at: SiteTime) -> Vec<Holder> {
        let mut ended = Vec::new();
        while let Some((_, subject)) = self.by_end.first().copied().filter(|(ends_at, _)| *ends_at <= at) {
            let lease = self.take(subject).expect("an end is only kept beside its lease");
            ended.push(lease.holder);
        }
        ended
    }

    fn held(&mut self, holder: &Holder) -> Result<&mut Lease, Fenced> {
        self.by_subject.get_mut(&Subject::of(holder)).filter(|lease| lease.holder == *holder).ok_or(Fenced)
    }

    fn change(&mut self, holder: &Holder, change: impl FnOnce(&mut Lease)) {
        if let Some(mut lease) = self.take(Subject::of(holder)) {
            change(&mut lease);
            self.put(lease);
        }
    }

    fn put(&mut self, lease: Lease) {
        let subject = Subject::of(&lease.holder);
        self.take(subject);
        self.by_end.extend(lease.end().map(|ends_at| (ends_at, subject)));
        self.by_subject.insert(subject, lease);
    }

    fn take(&mut self, subject: Subject) -> Option<Lease> {
        let lease = self.by_subject.remove(&subject)?;
        if let Some(ends_at) = lease.end() {
            self.by_end.remove(&(ends_at, subject));
        }
        Some(lease)
    }
}

pub(crate) fn length(holder: &Holder) -> Span {
    match holder {
        Holder::Desk { .. } => DESK_LEASE,
        Holder::Gateway { .. } => GATEWAY_LEASE,
    }
}
