//! One site as its services see it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::v1;
use exchange::{Committed, Cursor, ExchangeHandle, Linked};
use presence::Holder;
use session::{CallerNumber, Callers, Journal};
use switchboard::call::CallerKind;
use switchboard::command::{Actor, Command, Input};
use switchboard::id::{CallId, CallerRef, OperatorId, Revision, SiteId};
use switchboard::time::SiteTime;
use tonic::{Code, Request, Status};

use crate::convert;
use crate::principal::{Principal, Principals, Who};
use crate::refusal::{self, Reason};
use crate::staff::StaffNumbers;
use crate::streams::{StreamNumber, Streams, Whose, cursor, wire_cursor};

/// How long a read waits for a history that is not here yet.
const AT_LEAST_WAIT: Duration = Duration::from_secs(1);

/// Everything the services of one site share.
pub(crate) struct Site {
    pub(crate) exchange: ExchangeHandle,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) principals: Arc<Principals>,
    pub(crate) plan_texts: PlanTexts,
    callers: Arc<dyn Callers>,
    staff: StaffNumbers,
    stepped: bool,
    listening: Mutex<BTreeMap<Principal, usize>>,
}

/// Streams of one supervisor or administrator at a time.
const LISTENING_MAX: usize = 8;

impl Site {
    pub(crate) fn new(
        exchange: ExchangeHandle,
        journal: Arc<dyn Journal>,
        callers: Arc<dyn Callers>,
        principals: Arc<Principals>,
        streams: Arc<Streams>,
        staff: StaffNumbers,
        stepped: bool,
    ) -> Site {
        let plan_texts = PlanTexts::default();
        let listening = Mutex::default();
        Site { exchange, journal, streams, principals, plan_texts, callers, staff, stepped, listening }
    }

    pub(crate) fn id(&self) -> SiteId {
        self.exchange.site()
    }

    pub(crate) fn is_stepped(&self) -> bool {
        self.stepped
    }

    /// Asks as a principal.
    pub(crate) async fn ask(
        &self,
        who: Who,
        request_id: &str,
        command: Command,
    ) -> Result<Committed, Status> {
        let request = convert::request(request_id)?;
        let input = Input { actor: who.actor(), request, command };
        self.exchange.ask(input).await.map_err(refusal::refused)
    }

    /// Asks as a principal; only the receipt matters.
    pub(crate) async fn command(
        &self,
        who: Who,
        request_id: &str,
        command: Command,
    ) -> Result<Option<v1::Receipt>, Status> {
        let committed = self.ask(who, request_id, command).await?;
        Ok(Some(self.receipt(committed.cursor, committed.at).await))
    }

    /// What an answer carries. On a stepped clock it waits until every stream was told.
    pub(crate) async fn receipt(&self, cursor: Cursor, at: SiteTime) -> v1::Receipt {
        let stepped = if self.stepped {
            let progress = self.streams.progress_at(cursor.seq).await;
            Some(v1::Stepped { next_deadline_us: None, progress })
        } else {
            None
        };
        v1::Receipt { cursor: Some(wire_cursor(cursor)), at_us: at.0, stepped }
    }

    /// Where the site stands, as a receipt for something that was refused.
    pub(crate) async fn present_receipt(&self) -> v1::Receipt {
        self.receipt(self.exchange.cursor(), self.exchange.now()).await
    }

    /// Waits until reads here include a cursor.
    pub(crate) async fn reach(&self, at_least: Option<v1::Cursor>) -> Result<(), Status> {
        let Some(at_least) = at_least.map(cursor) else { return Ok(()) };
        let here = self.exchange.cursor();
        if at_least.epoch != here.epoch {
            let mend = "forget what is known and begin with what this answers without at_least";
            let reason = Reason { status: Code::FailedPrecondition, code: "OTHER_EPOCH", mend };
            return Err(refusal::status(reason, "the cursor belongs to another history"));
        }
        if at_least.seq <= here.seq {
            return Ok(());
        }
        match tokio::time::timeout(AT_LEAST_WAIT, self.exchange.reach(at_least)).await {
            Ok(reached) => reached.map_err(refusal::refused),
            Err(_) => {
                let mend = "ask again in a moment, or without at_least";
                let reason = Reason { status: Code::Unavailable, code: "NOT_THERE_YET", mend };
                Err(refusal::status(reason, "this router has not seen that decision yet"))
            }
        }
    }

    /// Who calls: a reference and a kind. The number goes no further.
    pub(crate) async fn caller(
        &self,
        call: CallId,
        number: &CallerNumber,
    ) -> Result<(CallerRef, CallerKind), Status> {
        let kind = self.staff.kind(number);
        // A withheld number gets a fresh reference each time; the same arrival reported twice is one time.
        let known = |switchboard: &switchboard::Switchboard| switchboard.call(call).map(|c| c.caller);
        if number.is_withheld()
            && let Some(caller) = self.exchange.read(known)
        {
            return Ok((caller, kind));
        }
        match self.callers.reference(self.id(), number).await {
            Ok(caller) => Ok((caller, kind)),
            Err(fault) => {
                let mend = "report the arrival again in a moment";
                let reason = Reason { status: Code::Unavailable, code: "CALLERS_UNAVAILABLE", mend };
                Err(refusal::status(reason, &fault.to_string()))
            }
        }
    }

    /// A removed person's token is worth nothing any more.
    pub(crate) fn forget_operator(&self, operator: OperatorId) {
        self.principals.revoke(&Principal { site: self.id(), who: Who::Operator(operator) });
    }

    /// One more stream of somebody in the office, until what this returns is dropped.
    ///
    /// # Errors
    /// That one has as many as there may be.
    pub(crate) fn listen(self: &Arc<Self>, principal: Principal) -> Result<Listening, Status> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = listening.entry(principal).or_default();
        if *streams >= LISTENING_MAX {
            let mend = "close another stream of this principal";
            let reason = Reason { status: Code::ResourceExhausted, code: "TOO_MANY_STREAMS", mend };
            let message = format!("this principal has {LISTENING_MAX} streams open already");
            return Err(refusal::status(reason, &message));
        }
        *streams += 1;
        Ok(Listening { site: Arc::clone(self), principal })
    }

    /// The stream of a holder is open from here until what this returns is dropped.
    pub(crate) fn opened(
        self: &Arc<Self>,
        holder: Holder,
        whose: Whose,
        stream: StreamNumber,
    ) -> Result<OpenStream, Status> {
        match self.exchange.link(holder) {
            Ok(linked) => Ok(OpenStream { site: Arc::clone(self), whose, stream, linked: Some(linked) }),
            Err(fenced) => {
                self.streams.close(whose, stream);
                Err(refusal::fenced(fenced))
            }
        }
    }
}

/// An open stream's hold on its lease and its place among the listeners.
pub(crate) struct OpenStream {
    site: Arc<Site>,
    whose: Whose,
    stream: StreamNumber,
    linked: Option<Linked>,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let last = self.site.streams.close(self.whose, self.stream);
        drop(self.linked.take());
        if !last || !self.site.stepped {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (site, whose) = (Arc::clone(&self.site), self.whose);
        runtime.spawn(async move {
            // Whatever the end of the lease leads to is decided before this is answered.
            let tick = Input { actor: Actor::Clock, request: None, command: Command::Tick };
            let _answered = site.exchange.ask(tick).await;
            site.streams.closed(whose);
        });
    }
}

/// One open stream of somebody in the office.
pub(crate) struct Listening {
    site: Arc<Site>,
    principal: Principal,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut listening = self.site.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = listening.get_mut(&self.principal) {
            *streams -= 1;
            if *streams == 0 {
                listening.remove(&self.principal);
            }
        }
    }
}

/// Who asks, as the doorkeeper found out.
pub(crate) fn principal<T>(request: &Request<T>) -> Result<Principal, Status> {
    let principal = request.extensions().get::<Principal>();
    principal.copied().ok_or_else(|| Status::internal("a request came past the doorkeeper"))
}

/// The texts of plans by revision, with their comments.
#[derive(Default)]
pub(crate) struct PlanTexts(Mutex<BTreeMap<Revision, String>>);

/// Texts kept: enough to look back a little; the journal has every plan.
const PLAN_TEXTS_MAX: usize = 16;

impl PlanTexts {
    pub(crate) fn keep(&self, revision: Revision, text: String) {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.insert(revision, text);
        if texts.len() > PLAN_TEXTS_MAX {
            texts.pop_first();
        }
    }

    pub(crate) fn of(&self, revision: Revision) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&revision).cloned()
    }
}
