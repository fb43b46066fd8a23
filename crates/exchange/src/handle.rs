//! What everybody else holds of an exchange.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plan::roster::Roster;
use presence::{Fenced, FreeOperators, Holder, Presence, StreamId};
use switchboard::Switchboard;
use switchboard::call::Class;
use switchboard::command::{Command, Input};
use switchboard::id::{LineId, Seq, SiteId};
use switchboard::plan::Line;
use switchboard::time::SiteTime;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::ask::{Ask, Asker, Committed, Cursor, Refused};
use crate::clock::SiteClock;
use crate::feed::Feed;
use crate::format::Formats;
use crate::inbox::{Inbox, Lane};
use crate::published::Published;
use crate::pulse::{Beat, Pulse};
use crate::readiness::{Readiness, ReadinessSign};
use crate::roll::OthersHeard;
use crate::step::{StepAsk, StepFault, StepTo, Stepped};
use crate::traces::Traced;

/// What the loop and its handles share.
pub(crate) struct Shared {
    pub(crate) site: SiteId,
    pub(crate) clock: SiteClock,
    pub(crate) presence: Arc<dyn Presence>,
    pub(crate) inbox: Inbox,
    /// Other routers should hear of a stream that opened or ended here.
    pub(crate) links_changed: Notify,
    pub(crate) published: Published,
    pub(crate) counters: Counters,
    /// The last decision somebody else says was committed.
    pub(crate) heard_of: AtomicU64,
    /// Only another process can find out what the journal holds.
    pub(crate) restart: watch::Sender<bool>,
    pub(crate) readiness: ReadinessSign,
    pub(crate) beat: Beat,
    /// What people call this router.
    pub(crate) name: String,
    pub(crate) format: Formats,
    /// The other routers of the site, as they said last; none where there is one alone.
    pub(crate) others: Option<watch::Sender<OthersHeard>>,
    /// How often somebody asked for the roll.
    pub(crate) roll_asked: AtomicU64,
    /// Who is on shift when, and whether that was said since the schedule was laid.
    pub(crate) roster: Mutex<Followed>,
}

impl Shared {
    /// Somebody says that the journal has come so far.
    pub(crate) fn hear_of(&self, seq: Seq) {
        self.heard_of.fetch_max(seq.0, Ordering::Relaxed);
        if seq > self.published.cursor().seq {
            self.inbox.ring();
        }
    }
}

impl AsRef<Beat> for Shared {
    fn as_ref(&self) -> &Beat {
        &self.beat
    }
}

/// The roster that is followed.
#[derive(Default)]
pub(crate) struct Followed {
    pub(crate) roster: Option<Arc<Roster>>,
    pub(crate) is_new: bool,
}

#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) appends: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) decisions: AtomicU64,
    pub(crate) refusals: AtomicU64,
    pub(crate) faults: AtomicU64,
}

/// What an exchange did since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Rows stored.
    pub appends: u64,
    /// Appends at which another writer was first.
    pub lost: u64,
    /// Decisions in its rows.
    pub decisions: u64,
    /// Asks that were refused, or had been done before.
    pub refusals: u64,
    /// Asks that met a fault of the program.
    pub faults: u64,
}

/// An exchange, to ask, to read and to listen to. When the last clone is dropped the exchange finishes what it was
/// asked and ends.
#[derive(Clone)]
pub struct ExchangeHandle {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    keeping: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared.inbox.refuse(Refused::Closed);
    }
}

impl ExchangeHandle {
    pub(crate) fn new(shared: Arc<Shared>, keeping: Option<JoinHandle<()>>) -> ExchangeHandle {
        ExchangeHandle { inner: Arc::new(Inner { shared, keeping: Mutex::new(keeping) }) }
    }

    /// Asks, and waits until the answer is durable. Dropping the future does not take the ask back.
    ///
    /// # Errors
    /// [`Refused`]: the switchboard's rejection, a full lane, or a site that takes no decisions.
    pub async fn ask(&self, input: Input) -> Result<Committed, Refused> {
        let (asker, answer) = oneshot::channel();
        let lane = Lane::of(&input.command, |line| self.is_emergency(line));
        let traced = Traced::begin(&input, lane);
        let marks = Traced::marks(traced.as_ref());
        self.shared().inbox.put(lane, Ask { input, asker: Asker::Client(asker), marks })?;
        let answer = answer.await.unwrap_or(Err(Refused::Closed));
        if let Some(traced) = traced {
            traced.answered(&answer);
        }
        answer
    }

    /// Reads the switchboard of committed decisions. Decisions are published between two reads, never during one:
    /// keep it short.
    pub fn read<T>(&self, read: impl FnOnce(&Switchboard) -> T) -> T {
        read(&self.shared().published.read().durable)
    }

    /// Where the site stands: the last committed decision.
    pub fn cursor(&self) -> Cursor {
        self.shared().published.cursor()
    }

    /// Waits until everything up to a cursor can be read here.
    ///
    /// # Errors
    /// [`Refused::Closed`]: the exchange ended before, or the cursor is of another epoch and never comes here.
    pub async fn reach(&self, at_least: Cursor) -> Result<(), Refused> {
        let shared = self.shared();
        if at_least.epoch != shared.published.cursor().epoch {
            return Err(Refused::Closed);
        }
        self.heard_of(at_least.seq);
        let mut head = shared.published.watch();
        let reached = head.wait_for(|head| head.seq >= at_least.seq || head.ended).await;
        if reached.is_ok_and(|head| head.seq >= at_least.seq) { Ok(()) } else { Err(Refused::Closed) }
    }

    /// Committed decisions in order: behind a cursor, or from here on.
    pub fn subscribe(&self, from: Option<Cursor>) -> Feed {
        Feed::new(Arc::clone(self.shared()), from)
    }

    /// Somebody says this site's journal has come so far; reads the tail if that is news.
    pub fn heard_of(&self, seq: Seq) {
        self.shared().hear_of(seq);
    }

    /// Follows this roster from here on: its shifts are laid at once, and anew each day. Until somebody says which, the
    /// shifts laid before stay.
    pub fn follow_roster(&self, roster: Arc<Roster>) {
        let shared = self.shared();
        let mut followed = shared.roster.lock().unwrap_or_else(PoisonError::into_inner);
        *followed = Followed { roster: Some(roster), is_new: true };
        drop(followed);
        shared.inbox.ring();
    }

    /// The site's time.
    pub fn now(&self) -> SiteTime {
        self.shared().clock.now()
    }

    /// What the wall clock shows beside it, in microseconds since 1970 UTC.
    pub fn wall_us(&self) -> i64 {
        self.shared().clock.wall_us()
    }

    /// Moves a stepped clock. Everything asked before is decided at the time it was asked; everything that becomes
    /// due on the way happens at its own time.
    ///
    /// # Errors
    /// [`StepFault`]: the clock is not a stepped one, time would go back, or the site takes no decisions.
    pub async fn step(&self, to: StepTo) -> Result<Stepped, StepFault> {
        if !self.shared().clock.is_stepped() {
            return Err(StepFault::NotStepped);
        }
        let (asker, answer) = oneshot::channel();
        self.shared().inbox.put_step(StepAsk { to, asker })?;
        answer.await.unwrap_or(Err(StepFault::Refused(Refused::Closed)))
    }

    /// A stream of a desk or a gateway opened: hold the answer for as long as it stays open.
    ///
    /// # Errors
    /// [`Fenced`]: it is not attached, or a later session or incarnation took over. The switchboard is asked to
    /// attach it first.
    pub fn link(&self, holder: Holder) -> Result<Linked, Fenced> {
        let shared = Arc::clone(self.shared());
        let stream = shared.presence.open(shared.clock.now(), holder)?;
        shared.links_changed.notify_one();
        shared.inbox.ring();
        Ok(Linked { shared, holder, stream })
    }

    /// A heartbeat of a desk.
    ///
    /// # Errors
    /// [`Fenced`]: it is not attached any more.
    pub fn heartbeat(&self, holder: Holder) -> Result<(), Fenced> {
        let shared = self.shared();
        shared.presence.renew(shared.clock.now(), holder)
    }

    /// Who is free, as it is shown to other programs: at most a moment behind the switchboard.
    pub fn free_operators(&self) -> FreeOperators {
        self.shared().presence.free()
    }

    /// Which site.
    pub fn site(&self) -> SiteId {
        self.shared().site
    }

    /// Whether the site takes decisions.
    pub fn is_serving(&self) -> bool {
        self.shared().inbox.refusing().is_none()
    }

    /// Whether clients should be sent here, at present and whenever that changes.
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.shared().readiness.watch()
    }

    /// What the loop does at this moment; a second look says whether it stands still.
    pub fn pulse(&self) -> Pulse {
        self.shared().beat.look()
    }

    /// Resolves when the journal failed in such a way that only another process can tell what was stored: this one
    /// should end at once, without good order, and be started again.
    pub async fn restart_needed(&self) {
        let mut restart = self.shared().restart.subscribe();
        // The sender lives as long as this handle.
        let _needed = restart.wait_for(|needed| *needed).await;
    }

    /// Whether it is so already.
    pub fn needs_restart(&self) -> bool {
        *self.shared().restart.borrow()
    }

    /// What was done since the start.
    pub fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.shared().counters;
        Figures {
            appends: read(&counters.appends),
            lost: read(&counters.lost),
            decisions: read(&counters.decisions),
            refusals: read(&counters.refusals),
            faults: read(&counters.faults),
        }
    }

    /// Takes no more asks, finishes those that wait, ends the feeds, and returns when all is done. A store that does
    /// not answer is waited for; a caller with less patience drops the future.
    pub async fn close(&self) {
        let mut head = self.shared().published.watch();
        self.shared().inbox.refuse(Refused::Closed);
        self.shared().readiness.closed();
        // An error means that the sender is gone, and with it the exchange.
        head.wait_for(|head| head.ended).await.map(drop).ok();
        let keeping = self.inner.keeping.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeping) = keeping {
            // What it could not keep is made again at the next start.
            let _kept = keeping.await;
        }
    }

    /// Why an arrival on this line would be refused at this moment whoever calls, so that nobody works out who does.
    pub fn refuses_arrival(&self, line: LineId) -> Option<Refused> {
        let lane = if self.is_emergency(line) { Lane::Emergency } else { Lane::Arrivals };
        self.shared().inbox.refuses(lane)
    }

    fn is_emergency(&self, line: LineId) -> bool {
        let plan_says = |line: &Line| line.class == Class::Emergency;
        self.read(|switchboard| switchboard.state().line(line).is_some_and(plan_says))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }
}

/// An open stream's hold on its lease. Dropped when the stream ends.
pub struct Linked {
    shared: Arc<Shared>,
    holder: Holder,
    stream: StreamId,
}

impl Linked {
    /// Who holds it.
    pub fn holder(&self) -> Holder {
        self.holder
    }

    /// What the switchboard will be told if the lease ends.
    pub fn report(&self) -> Command {
        self.holder.report()
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        self.shared.presence.close(self.shared.clock.now(), self.holder, self.stream);
        self.shared.links_changed.notify_one();
        self.shared.inbox.ring();
    }
}
