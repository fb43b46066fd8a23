//! The slip that an act is recorded on, from before it is done to its end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use exchange::ExchangeHandle;
use http::HeaderMap;
use session::{Audit, AuditEntry, AuditFault};
use switchboard::canonical::Hash;
use switchboard::id::RequestId;
use tonic::{Request, Status};
use uuid::Builder;

use super::{About, Recorded, recorded, why_of};
use crate::principal::Who;
use crate::stores::audit_fault;

/// Writes the audit of one site.
#[derive(Clone)]
pub(crate) struct Recorder {
    audit: Arc<dyn Audit>,
    exchange: ExchangeHandle,
    asked: Arc<Mutex<u64>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    pub(crate) fn new(audit: Arc<dyn Audit>, exchange: ExchangeHandle) -> Recorder {
        Recorder { audit, exchange, asked: Arc::default() }
    }

    pub(crate) fn audit(&self) -> &dyn Audit {
        &*self.audit
    }

    /// What the wall clock shows, in microseconds since 1970 UTC.
    pub(crate) fn wall_us(&self) -> i64 {
        self.exchange.wall_us()
    }

    /// A slip for a call of this method, if it is recorded.
    ///
    /// # Errors
    /// What is sent as the reason is none.
    pub(crate) fn slip(&self, method: &str, who: Who, headers: &HeaderMap) -> Result<Option<Act>, Status> {
        let Some(Recorded::As(what)) = recorded(method) else { return Ok(None) };
        Ok(Some(self.act(who.role().name(), who.id(), what, why_of(headers)?)))
    }

    /// A slip for something that the server does by itself.
    pub(crate) fn by_itself(&self, who: &str, what: &'static str) -> Act {
        self.act("server", who, what, String::new())
    }

    fn act(&self, role: &'static str, who: &str, what: &'static str, why: String) -> Act {
        let slip =
            Slip { recorder: self.clone(), role, who: who.to_owned(), what, why, said: Mutex::default() };
        Act(Arc::new(slip))
    }

    /// A request id for an act whose client sent none: the journal tells by it whether the act was done. Two acts at the
    /// same decision differ by their count. A later start may be at the same decision, where an act was asked and never
    /// done: it is at another time.
    pub(crate) fn request_id(&self) -> RequestId {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked += 1;
        let (site, seq) = (self.exchange.site(), self.exchange.cursor().seq.0);
        let (at, wall_us) = (self.exchange.now().0, self.wall_us());
        let Hash(hash) = Hash::of(&format!("request {site} {seq} {at} {wall_us} {asked}"));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        RequestId(Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// An act of somebody in the office, and the slip that it is recorded on.
#[derive(Clone)]
pub(crate) struct Act(Arc<Slip>);

struct Slip {
    recorder: Recorder,
    role: &'static str,
    who: String,
    what: &'static str,
    why: String,
    said: Mutex<Said>,
}

#[derive(Default)]
struct Said {
    /// The row that stands before the act: its number, what it is about, and its request id.
    asked: Option<(u64, String, String)>,
    /// What came of it.
    came: String,
    ended: bool,
    given_up: bool,
}

impl Act {
    /// The slip of a request of a recorded method.
    pub(crate) fn of<T>(request: &Request<T>) -> Result<Act, Status> {
        let act = request.extensions().get::<Act>();
        act.cloned().ok_or_else(|| Status::internal("an act of the office came without a slip"))
    }

    /// Records what is asked. Only then may it be done.
    ///
    /// # Errors
    /// It could not be recorded.
    pub(crate) async fn asks(&self, about: About) -> Result<(), Status> {
        let About { object, was, becomes, why, request } = about;
        let entry = AuditEntry {
            object: object.clone(),
            was,
            becomes,
            why: why.unwrap_or_else(|| self.0.why.clone()),
            request: request.clone(),
            outcome: AuditEntry::ASKED.to_owned(),
            ..self.entry()
        };
        let act = self.clone();
        // To its end, also when nobody waits any more: a row that nobody knows of would have no end.
        let recording = tokio::spawn(async move {
            let row = act.record(entry).await?;
            let given_up = act.is_asked_by(row, object, request);
            if given_up {
                act.end(AuditEntry::UNKNOWN.to_owned()).await;
            }
            Ok(())
        });
        let recorded = recording.await.map_err(|fault| Status::internal(fault.to_string()))?;
        recorded.map_err(|fault: AuditFault| audit_fault(&fault))
    }

    /// This row stands before the act. Says whether nobody waits for it any more.
    fn is_asked_by(&self, row: u64, object: String, request: String) -> bool {
        let mut said = self.said();
        said.asked = Some((row, object, request));
        said.given_up
    }

    /// Notes what came of the act.
    pub(crate) fn came(&self, came: String) {
        self.said().came = came;
    }

    /// Whether the act was recorded.
    pub(crate) fn is_asked(&self) -> bool {
        self.said().asked.is_some()
    }

    /// Records how the act ended, once; nothing if it was never asked. Goes to its end also when nobody waits for the
    /// answer any more.
    pub(crate) async fn end(&self, outcome: String) {
        let Some(entry) = self.ending(&outcome) else { return };
        let act = self.clone();
        let recording = tokio::spawn(async move {
            if let Err(fault) = act.record(entry).await {
                // The act has its row, and the journal tells the rest.
                tracing::error!(%fault, what = act.0.what, outcome, "how an act ended could not be recorded");
            }
        });
        // A task that panicked has said so itself.
        let _ended = recording.await;
    }

    /// Nobody waits for the answer: whether it was done is for the journal to tell.
    pub(crate) fn given_up(&self) {
        let open = {
            let mut said = self.said();
            said.given_up = true;
            said.asked.is_some() && !said.ended
        };
        if open && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let act = self.clone();
            runtime.spawn(async move { act.end(AuditEntry::UNKNOWN.to_owned()).await });
        }
    }

    fn ending(&self, outcome: &str) -> Option<AuditEntry> {
        let mut said = self.said();
        if said.ended {
            return None;
        }
        let (refers_to, object, request) = said.asked.clone()?;
        said.ended = true;
        let becomes = std::mem::take(&mut said.came);
        drop(said);
        Some(AuditEntry { object, becomes, request, outcome: outcome.to_owned(), refers_to, ..self.entry() })
    }

    fn entry(&self) -> AuditEntry {
        AuditEntry {
            wall_us: self.0.recorder.wall_us(),
            role: self.0.role.to_owned(),
            who: self.0.who.clone(),
            what: self.0.what.to_owned(),
            ..AuditEntry::default()
        }
    }

    async fn record(&self, entry: AuditEntry) -> Result<u64, AuditFault> {
        let Recorder { audit, exchange, .. } = &self.0.recorder;
        audit.record(exchange.site(), entry).await.map(|row| row.number)
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        // Every change under this lock is whole.
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
