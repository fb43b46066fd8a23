//! One site as its services see it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::v1;
use exchange::{Committed, Cursor, ExchangeHandle, Linked};
use plan::ParsedPlan;
use presence::{Holder, Redis};
use session::{CallerNumber, Callers, Derived, Journal, Registry, SubjectRecords, Subjects};
use switchboard::call::CallerKind;
use switchboard::canonical::{self, Hash};
use switchboard::command::{Actor, Command, Input};
use switchboard::id::{CallId, CallerRef, OperatorId, Revision, SiteId};
use switchboard::plan::Plan;
use switchboard::rejection::Rejection;
use switchboard::time::SiteTime;
use tonic::{Code, Request, Status};

use crate::audited::{self, About, Act, Recorder};
use crate::convert;
use crate::limits::Limits;
use crate::looking_back::LookingBack;
use crate::principal::{Principal, Role, Who};
use crate::refusal::{self, Reason};
use crate::rosters::Rosters;
use crate::staff::StaffNumbers;
use crate::stores::{callers_fault, registry_fault};
use crate::streams::{Leaving, StreamNumber, Streams, Whose, cursor, wire_cursor};
use crate::tokens::Principals;

/// How long a read waits for a history that is not here yet.
const AT_LEAST_WAIT: Duration = Duration::from_secs(1);

/// How long somebody waits for the journal to be read to its end.
const CATCH_UP_WAIT: Duration = Duration::from_secs(1);

/// Everything the services of one site share.
pub(crate) struct Site {
    pub(crate) exchange: ExchangeHandle,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) derived: Arc<dyn Derived>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) principals: Arc<Principals>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) rosters: Rosters,
    pub(crate) recorder: Recorder,
    pub(crate) subjects: Arc<dyn Subjects>,
    pub(crate) records: Arc<dyn SubjectRecords>,
    pub(crate) looking_back: LookingBack,
    callers: Arc<dyn Callers>,
    staff: StaffNumbers,
    stepped: bool,
    /// Other routers may serve it, too.
    pub(crate) is_shared: bool,
    pub(crate) shown_in: Option<Arc<Redis>>,
    limits: Limits,
    listening: Mutex<BTreeMap<Principal, usize>>,
}

/// What a site is made of.
pub(crate) struct SiteParts {
    pub(crate) exchange: ExchangeHandle,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) derived: Arc<dyn Derived>,
    pub(crate) callers: Arc<dyn Callers>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) recorder: Recorder,
    pub(crate) subjects: Arc<dyn Subjects>,
    pub(crate) records: Arc<dyn SubjectRecords>,
    pub(crate) principals: Arc<Principals>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) staff: StaffNumbers,
    pub(crate) stepped: bool,
    pub(crate) is_shared: bool,
    pub(crate) shown_in: Option<Arc<Redis>>,
    pub(crate) limits: Limits,
}

impl Site {
    pub(crate) fn new(parts: SiteParts) -> Site {
        let SiteParts { exchange, journal, derived, callers, registry, .. } = parts;
        let SiteParts { recorder, subjects, records, principals, .. } = parts;
        let SiteParts { streams, staff, stepped, is_shared, shown_in, limits, .. } = parts;
        Site {
            exchange,
            journal,
            derived,
            streams,
            principals,
            registry,
            rosters: Rosters::default(),
            recorder,
            subjects,
            records,
            looking_back: LookingBack::default(),
            callers,
            staff,
            stepped,
            is_shared,
            shown_in,
            limits,
            listening: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> SiteId {
        self.exchange.site()
    }

    pub(crate) fn is_stepped(&self) -> bool {
        self.stepped
    }

    /// Asks as somebody in the office, once it is recorded.
    pub(crate) async fn act(
        &self,
        act: &Act,
        who: Who,
        request_id: &str,
        command: Command,
    ) -> Result<Committed, Status> {
        let request = convert::request(request_id)?.unwrap_or_else(|| self.recorder.request_id());
        let actor = who.actor().ok_or_else(|| refusal::rejected(&Rejection::NotYours))?;
        let about = self.about(&command);
        act.asks(About { request: request.0.to_string(), ..about }).await?;
        let input = Input { actor, request: Some(request), command };
        let committed = self.exchange.ask(input).await.map_err(refusal::refused)?;
        let (seq, again) = (committed.cursor.seq.0, committed.again);
        act.came(format!("{{\"seq\":{seq},\"again\":{again}}}"));
        Ok(committed)
    }

    /// What a command of the office is about.
    pub(crate) fn about(&self, command: &Command) -> About {
        self.exchange.read(|switchboard| audited::about(switchboard.state(), command))
    }

    /// Asks as a gateway or an operator; the office acts.
    pub(crate) async fn ask(
        &self,
        who: Who,
        request_id: &str,
        command: Command,
    ) -> Result<Committed, Status> {
        let request = convert::request(request_id)?;
        if matches!(who, Who::Supervisor(_) | Who::Admin(_)) {
            return Err(Status::internal("somebody in the office asked without acting"));
        }
        let actor = who.actor().ok_or_else(|| refusal::rejected(&Rejection::NotYours))?;
        let input = Input { actor, request, command };
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

    /// Reads the journal to where it ends at this moment, and has everybody told. Says whether it came so far in time.
    pub(crate) async fn catch_up(&self) -> bool {
        let caught_up = async {
            let head = self.journal.head(self.id()).await.ok()?;
            let cursor = Cursor { epoch: head.epoch, seq: head.last_seq };
            self.exchange.reach(cursor).await.ok()?;
            self.streams.have_told(cursor.seq).await;
            Some(())
        };
        matches!(tokio::time::timeout(CATCH_UP_WAIT, caught_up).await, Ok(Some(())))
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
        let caller = self.callers.reference(self.id(), number).await;
        caller.map(|caller| (caller, kind)).map_err(|fault| callers_fault(&fault))
    }

    /// Tokens of people who are not here any more are worth nothing from here on.
    pub(crate) fn forget(self: &Arc<Self>, leaving: Leaving) {
        let gone = match leaving {
            Leaving::One(operator) => vec![operator],
            Leaving::Unknown => self.strangers(),
        };
        let site = self.id();
        let person = |operator| Principal { site, who: Who::Operator(operator) };
        let cut = gone.into_iter().filter(|operator| self.principals.cut(&person(*operator))).count();
        if cut == 0 {
            return;
        }
        let principals = Arc::clone(&self.principals);
        tokio::spawn(async move {
            if let Err(fault) = principals.settle().await {
                // A start looks for whoever has a token and is not here.
                tracing::warn!(%fault, "a token that is worth nothing could not be forgotten yet");
            }
        });
    }

    /// Who has an operator's token and is no operator here.
    fn strangers(&self) -> Vec<OperatorId> {
        let operators = self.principals.operators(self.id());
        self.exchange.read(|switchboard| {
            operators.into_iter().filter(|operator| switchboard.operator(*operator).is_none()).collect()
        })
    }

    /// Keeps a plan as it was written, for the revision it may become.
    pub(crate) async fn keep_plan(&self, revision: Revision, parsed: &ParsedPlan) -> Result<(), Status> {
        // Before there is a next one: which of its texts the present revision is.
        let present = self.exchange.read(|switchboard| {
            let state = switchboard.state();
            state.plan().map(|plan| (state.revision, plan_hash(plan)))
        });
        if let Some((present, hash)) = present {
            let settled = self.registry.settle_plan(self.id(), present, hash).await;
            settled.map_err(|fault| registry_fault(&fault))?;
        }
        let hash = plan_hash(&parsed.plan);
        let kept = self.registry.keep_plan(self.id(), revision, hash, &parsed.text).await;
        kept.map_err(|fault| registry_fault(&fault))
    }

    /// A revision's plan as it was written; of one that was not kept, nothing.
    pub(crate) async fn plan_text(&self, revision: Revision) -> Result<Option<String>, Status> {
        let hash = self.plans().await?.into_iter().find(|(of, _)| *of == revision);
        let Some((_, hash)) = hash else { return Ok(None) };
        let text = self.registry.plan(self.id(), revision, hash).await;
        text.map_err(|fault| registry_fault(&fault))
    }

    /// Every revision whose text was kept, the latest first.
    pub(crate) async fn plans(&self) -> Result<Vec<(Revision, Hash)>, Status> {
        let (in_force, hash) = self.exchange.read(|switchboard| {
            let state = switchboard.state();
            (state.revision, state.plan().map(plan_hash))
        });
        let mut kept = self.registry.plans(self.id()).await.map_err(|fault| registry_fault(&fault))?;
        kept.retain(|(revision, of)| *revision < in_force || (*revision == in_force && Some(*of) == hash));
        Ok(kept)
    }

    /// One more stream of somebody in the office, until what this returns is dropped.
    ///
    /// # Errors
    /// That one has as many as there may be.
    pub(crate) fn listen(self: &Arc<Self>, principal: Principal) -> Result<Listening, Status> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = listening.entry(principal).or_default();
        let most = match principal.who.role() {
            Role::Wallboard => self.limits.wallboard_streams,
            _ => self.limits.office_streams,
        };
        if *streams >= most {
            let mend = "close another stream of this principal";
            let reason = Reason { status: Code::ResourceExhausted, code: "TOO_MANY_STREAMS", mend };
            let message = format!("this principal has {most} streams open already");
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

/// Names a plan among those that may become the same revision.
pub(crate) fn plan_hash(plan: &Plan) -> Hash {
    Hash::of(&canonical::encode(plan))
}
