//! The loop.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use session::{Journal, Writer};
use switchboard::Switchboard;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

use crate::ask::{Ask, Refused};
use crate::batch::{BATCH_DECISIONS_MAX, Batch};
use crate::committing::Flight;
use crate::drafting::Faults;
use crate::evidence::EvidenceRoom;
use crate::handle::Shared;
use crate::planted::Planted;
use crate::schedule::Schedule;
use crate::turns::Turns;
use crate::way::Way;

/// After this a refusal is answered by what is known.
const DOUBT_AT_LATEST: Duration = Duration::from_millis(500);

/// The one who decides: nobody else touches the draft.
pub(crate) struct Runner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) writer: Writer,
    /// Durable decisions, then those of the append under way, then those being gathered.
    pub(crate) draft: Switchboard,
    pub(crate) in_flight: Option<Flight>,
    pub(crate) building: Batch,
    /// Asks whose append was lost, before everybody else's.
    pub(crate) again: VecDeque<Ask>,
    pub(crate) doubts: Doubts,
    pub(crate) schedule: Schedule,
    /// Whose turn it is to let happen what is due.
    pub(crate) turns: Turns,
    pub(crate) way: Way,
    pub(crate) faults: Faults,
    pub(crate) degraded: bool,
    pub(crate) evidence: EvidenceRoom,
    pub(crate) planted: Planted,
}

/// Refusals that stand on no append: what another router decided a moment ago may speak against them.
#[derive(Default)]
pub(crate) struct Doubts {
    /// Other routers append to this journal.
    pub(crate) has_company: bool,
    /// Asks that were refused, and are decided once more when the journal was read to its end.
    pub(crate) asks: VecDeque<Ask>,
    /// It was, a moment ago.
    pub(crate) is_sure: bool,
}

impl Doubts {
    /// Whether a refusal has to be held against the journal first.
    pub(crate) fn are_due(&self) -> bool {
        self.has_company && !self.is_sure
    }
}

/// What woke the loop.
enum Woken {
    Landed(Result<session::Appended, session::JournalFault>),
    Rung,
    Due,
    Overdue,
}

impl Runner {
    /// Runs until the handles are gone or closed and everything asked is answered.
    pub(crate) async fn run(mut self) {
        let _ending = Ending(Arc::clone(&self.shared));
        loop {
            self.decide_what_waits();
            if self.in_flight.is_none() && !self.turn_idle().await {
                break;
            }
            match self.wake().await {
                Woken::Landed(landed) => self.land(landed).await,
                Woken::Overdue => self.overdue(),
                Woken::Rung | Woken::Due => {}
            }
        }
    }

    /// Time first, then what was lost, then the lanes in their order, until one append is full.
    fn decide_what_waits(&mut self) {
        let now = self.now();
        self.hear_of_roster(now);
        self.hear_of_format(now);
        let asked = !self.again.is_empty() || !self.shared.inbox.is_empty();
        // Whoever asks finds everything happened that was due; what nobody asks for waits for this writer's turn.
        if asked || self.due_in_turn().is_some_and(|due| due <= now) {
            self.fire_due(now);
        }
        self.decide_again();
        for _ in 0..BATCH_DECISIONS_MAX {
            if self.building.is_full() {
                return;
            }
            let Some(ask) = self.shared.inbox.take() else { return };
            self.decide(ask);
        }
        // Refusals fill no append: look at the append under way before going on.
        self.shared.inbox.ring();
    }

    pub(crate) fn decide_again(&mut self) {
        while !self.building.is_full() {
            let Some(ask) = self.again.pop_front() else { break };
            self.decide(ask);
        }
    }

    /// Nothing is under way: append, or step, or catch up. Says no when there is nothing left to do for ever.
    async fn turn_idle(&mut self) -> bool {
        self.wait_no_longer().await;
        if !self.building.is_empty() {
            // Whoever was just answered may ask for the next: then it shares this append.
            yield_now().await;
            self.decide_what_waits();
            self.append();
            return true;
        }
        if let Some(step) = self.shared.inbox.take_step() {
            self.step(step).await;
            self.shared.inbox.ring();
            return true;
        }
        if !self.doubts.asks.is_empty() {
            self.settle_doubts().await;
            self.shared.inbox.ring();
            return true;
        }
        let heard_of = self.shared.heard_of.load(Ordering::Relaxed);
        if heard_of > self.shared.published.cursor().seq.0 && !self.degraded {
            self.shared.heard_of.store(0, Ordering::Relaxed);
            self.catch_up().await;
            self.shared.inbox.ring();
            return true;
        }
        // Once the inbox is closed nothing comes into it: what waits is the last.
        let closed = self.shared.inbox.refusing() == Some(Refused::Closed);
        !(closed && self.again.is_empty() && self.shared.inbox.is_empty())
    }

    /// Whoever was refused by what this router knows is answered by what the journal knows.
    async fn settle_doubts(&mut self) {
        self.again.append(&mut self.doubts.asks);
        // While the store is away what this router knows is all there is: a desk that comes again is not kept waiting.
        if !self.degraded && timeout(DOUBT_AT_LATEST, self.catch_up()).await.is_err() {
            self.draft_afresh();
        }
        self.doubts.is_sure = true;
        self.decide_again();
        self.doubts.is_sure = false;
    }

    async fn wake(&mut self) -> Woken {
        let room = !self.building.is_full();
        let due = self
            .due_in_turn()
            .filter(|_| room && !self.degraded)
            .and_then(|due| self.shared.clock.instant(due));
        let overdue = self.in_flight.as_ref().and_then(Flight::overdue_at);
        let landing = async {
            match &mut self.in_flight {
                Some(flight) => flight.landed().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            landed = landing => Woken::Landed(landed),
            () = self.shared.inbox.rung(), if room => Woken::Rung,
            () = sleep(due) => Woken::Due,
            () = sleep(overdue) => Woken::Overdue,
        }
    }

    /// The append under way takes long: whoever has a choice goes elsewhere.
    fn overdue(&mut self) {
        let Some(flight) = &mut self.in_flight else { return };
        flight.told_overdue = true;
        tracing::warn!(site = %self.shared.site, "an append takes long; nobody is answered until it has ended");
        self.shared.readiness.overdue();
    }

    pub(crate) fn degraded(&self) -> Option<Refused> {
        self.degraded.then_some(Refused::Degraded)
    }
}

async fn sleep(until: Option<Instant>) {
    match until {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}

/// Says that the exchange has ended, also when it ended by a panic, and to everybody who still waits for an answer.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody decides any more: only a restart can.
            self.0.restart.send_replace(true);
        }
        self.0.inbox.close();
        self.0.published.end();
        self.0.readiness.closed();
    }
}
