//! Everybody who listens. One task follows the committed decisions and tells each open stream what concerns it; each
//! stream sends at its reader's pace.

mod board;
mod desks;
mod gateways;
mod mailbox;
mod progress;
mod record;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::v1;
use exchange::{Cursor, ExchangeHandle, Feed, FeedItem};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{CallId, DeskSession, GatewayId, OperatorId, Seq};
use switchboard::ledger::{Ledger, THRESHOLD};
use switchboard::time::SiteTime;
use tokio::sync::watch;
use tonic::{Code, Status};

pub(crate) use self::board::boards;
pub(crate) use self::desks::DeskNews;
use self::desks::Desks;
use self::gateways::Gateways;
pub(crate) use self::gateways::{GatewayNews, Inventory};
pub(crate) use self::mailbox::Mailbox;
use self::progress::Progress;
pub(crate) use self::progress::Whose;
pub(crate) use self::record::{record, recorded};
use crate::refusal::{Reason, status};

/// One open stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StreamNumber(u64);

/// Everybody who listens to one site.
pub(crate) struct Streams {
    exchange: ExchangeHandle,
    listeners: Mutex<Listeners>,
    told: watch::Sender<Told>,
}

/// How far everybody was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) seq: Seq,
    pub(crate) ended: bool,
}

struct Listeners {
    desks: Desks,
    gateways: Gateways,
    progress: Progress,
    ledger: Ledger,
    counted_from: SiteTime,
    opened: u64,
}

impl Streams {
    /// Nobody yet. The returned feed is to be followed.
    pub(crate) fn new(exchange: ExchangeHandle, stepped: bool, windows_max: usize) -> (Arc<Streams>, Feed) {
        let mut feed = exchange.subscribe(None);
        let (cursor, (ledger, counted_from)) = feed.snapshot(|switchboard| {
            let state = switchboard.state();
            (Ledger::open(state, THRESHOLD), state.now)
        });
        let listeners = Listeners {
            desks: Desks::new(windows_max),
            gateways: Gateways::default(),
            progress: Progress::new(stepped),
            ledger,
            counted_from,
            opened: 0,
        };
        let told = watch::Sender::new(Told { seq: cursor.seq, ended: false });
        (Arc::new(Streams { exchange, listeners: Mutex::new(listeners), told }), feed)
    }

    /// Tells everybody what is committed, until the exchange ends.
    pub(crate) async fn follow(&self, mut feed: Feed, on_leaving: impl Fn(Leaving) + Send) {
        while let Some(item) = feed.next().await {
            self.take_in(item, &on_leaving);
            while let Some(item) = feed.ready() {
                self.take_in(item, &on_leaving);
            }
            self.told.send_modify(|told| told.seq = feed.cursor().seq);
        }
        self.end_all(&closing());
    }

    /// Waits until everybody was told of this decision.
    pub(crate) async fn have_told(&self, seq: Seq) {
        let mut told = self.told.subscribe();
        // An error means that nobody follows any more, and then nobody is told anything either.
        drop(told.wait_for(|told| told.seq >= seq || told.ended).await);
    }

    /// Waits until everybody was told of this decision, and says how far the streams will come.
    pub(crate) async fn progress_at(&self, seq: Seq) -> Vec<v1::StreamProgress> {
        self.have_told(seq).await;
        self.listeners().progress.take()
    }

    /// Opens a window of a desk.
    ///
    /// # Errors
    /// The desk is gone, or has too many windows.
    pub(crate) fn open_desk(
        &self,
        operator: OperatorId,
        session: DeskSession,
        resume: Option<Cursor>,
    ) -> Result<(StreamNumber, Arc<Mailbox<DeskNews>>), Status> {
        let mut listeners = self.listeners();
        let Listeners { desks, progress, opened, .. } = &mut *listeners;
        *opened += 1;
        let stream = StreamNumber(*opened);
        let (view, cursor) = self.read(|switchboard, cursor| (switchboard.desk(operator), cursor));
        let view = view.ok_or_else(|| Status::not_found("this operator was removed"))?;
        let (kind, _) = resumed(resume, cursor);
        let mailbox = desks.open(stream, session, view, kind, cursor, progress).ok_or_else(|| {
            let mend = "close a window of this desk";
            let reason = Reason { status: Code::ResourceExhausted, code: "TOO_MANY_STREAMS", mend };
            status(reason, "this desk has as many windows open as it may")
        })?;
        Ok((stream, mailbox))
    }

    /// Opens a gateway's stream in place of any earlier one.
    pub(crate) fn open_gateway(
        &self,
        gateway: GatewayId,
        calls: BTreeSet<CallId>,
        resume: Option<Cursor>,
    ) -> (StreamNumber, Arc<Mailbox<GatewayNews>>) {
        let mut listeners = self.listeners();
        let Listeners { gateways, progress, opened, .. } = &mut *listeners;
        *opened += 1;
        let stream = StreamNumber(*opened);
        let mailbox = self.read(|switchboard, cursor| {
            let (kind, known) = resumed(resume, cursor);
            let inventory = Inventory { calls, known };
            gateways.open(gateway, stream, inventory, kind, (switchboard, cursor), progress)
        });
        (stream, mailbox)
    }

    /// Forgets a stream.
    pub(crate) fn close(&self, whose: Whose, stream: StreamNumber) -> bool {
        let mut listeners = self.listeners();
        match whose {
            Whose::Gateway(gateway) => listeners.gateways.close(gateway, stream),
            Whose::Desk(operator) => listeners.desks.close(operator, stream),
        }
    }

    /// The site has taken note of a stream's end.
    pub(crate) fn closed(&self, whose: Whose) {
        self.listeners().progress.closed(whose);
    }

    /// Ends every stream.
    pub(crate) fn end_all(&self, status: &Status) {
        let listeners = self.listeners();
        for operator in listeners.desks.everybody() {
            listeners.desks.end(operator, status);
        }
        for gateway in listeners.gateways.everybody() {
            listeners.gateways.end(gateway, status.clone());
        }
        drop(listeners);
        self.told.send_modify(|told| told.ended = true);
    }

    /// Rings at every decision.
    pub(crate) fn told(&self) -> watch::Receiver<Told> {
        self.told.subscribe()
    }

    fn take_in(&self, item: FeedItem, on_leaving: &impl Fn(Leaving)) {
        match item {
            FeedItem::Decision(decision) => self.tell(&decision, on_leaving),
            FeedItem::Reset(_) => {
                self.tell_afresh();
                on_leaving(Leaving::Unknown);
            }
        }
    }

    fn tell(&self, decision: &Decision, on_leaving: &impl Fn(Leaving)) {
        let mut listeners = self.listeners();
        let Listeners { desks, gateways, progress, ledger, .. } = &mut *listeners;
        ledger.record(decision);
        let calls: BTreeSet<CallId> = decision.events.iter().filter_map(Event::call).collect();
        let concerned = desks.concerned(decision.events.iter().filter_map(Event::operator), &calls);
        self.read(|switchboard, cursor| {
            gateways.tell(decision.seq, &calls, switchboard, cursor, progress);
            desks.tell(concerned, switchboard, cursor, progress);
            if decision.events.iter().any(|event| matches!(event, Event::PlanAdopted { .. })) {
                gateways.tell_plan(switchboard, cursor, progress);
            }
        });
        for event in &decision.events {
            match event {
                Event::OperatorRemoved { operator } => on_leaving(Leaving::One(*operator)),
                Event::GatewayLost { gateway } => gateways.end(*gateway, lost()),
                _ => {}
            }
        }
    }

    /// Decisions were missed: everybody gets the whole. The account goes on from here.
    fn tell_afresh(&self) {
        let mut listeners = self.listeners();
        let Listeners { desks, gateways, progress, ledger, counted_from, .. } = &mut *listeners;
        self.read(|switchboard, cursor| {
            gateways.tell_all(switchboard, cursor, progress);
            desks.tell(desks.everybody(), switchboard, cursor, progress);
            *ledger = Ledger::open(switchboard.state(), THRESHOLD);
            *counted_from = switchboard.state().now;
        });
    }

    fn read<T>(&self, read: impl FnOnce(&switchboard::Switchboard, Cursor) -> T) -> T {
        let epoch = self.exchange.cursor().epoch;
        self.exchange.read(|switchboard| read(switchboard, Cursor { epoch, seq: switchboard.state().seq }))
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        // What is derived here can be derived again: a panic leaves nothing that matters half-done.
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the first message means to a client that knows this much, and behind what its changes begin.
fn resumed(resume: Option<Cursor>, here: Cursor) -> (v1::UpdateKind, Option<Seq>) {
    let Some(known) = resume else { return (v1::UpdateKind::Snapshot, None) };
    let behind = here.seq.0.checked_sub(known.seq.0);
    let near = behind.is_some_and(|behind| behind <= exchange::FEED_DECISIONS_MAX as u64);
    if known.epoch == here.epoch && near {
        (v1::UpdateKind::Change, Some(known.seq))
    } else {
        (v1::UpdateKind::Reset, None)
    }
}

/// Who is not an operator any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// This one.
    One(OperatorId),
    /// Some may have left: it was not heard.
    Unknown,
}

/// A cursor for the wire.
pub(crate) fn wire_cursor(cursor: Cursor) -> v1::Cursor {
    v1::Cursor { epoch: cursor.epoch.0, seq: cursor.seq.0 }
}

/// A cursor from the wire.
pub(crate) fn cursor(cursor: v1::Cursor) -> Cursor {
    Cursor { epoch: session::Epoch(cursor.epoch), seq: Seq(cursor.seq) }
}

/// Why streams end when the router does.
pub(crate) fn closing() -> Status {
    let mend = "connect to another router, or again in a moment";
    status(Reason { status: Code::Unavailable, code: "CLOSING", mend }, "this router is closing")
}

fn stale_session() -> Status {
    let mend = "attach again to take the session back";
    let reason = Reason { status: Code::FailedPrecondition, code: "STALE_SESSION", mend };
    status(reason, "another desk of this operator took over")
}

fn taken_over() -> Status {
    let mend = "give each gateway its own id and token";
    let reason = Reason { status: Code::Aborted, code: "TAKEN_OVER", mend };
    status(reason, "another stream of this gateway took over")
}

fn lost() -> Status {
    let mend = "attach again with the inventory";
    let reason = Reason { status: Code::FailedPrecondition, code: "UNKNOWN_GATEWAY", mend };
    status(reason, "this gateway's legs are given up")
}
