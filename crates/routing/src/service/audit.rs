use std::sync::Arc;

use api::v1;
use api::v1::audit_service_server::AuditService;
use session::{
    AuditBreak, AuditFilter, AuditRow, CallRecord, CallerNumber, ERASURE_LASTS_US, Erasure, parse_hash,
    walk_audit,
};
use switchboard::canonical;
use switchboard::id::{CallId, CallerRef, Seq};
use switchboard::rejection::Rejection;
use tonic::{Code, Request, Response, Status};
use uuid::Builder;

use crate::audited::{About, Act, TOKEN_ISSUED, needed_why};
use crate::convert::{self, Invalid};
use crate::principal::Who;
use crate::refusal::{self, Reason};
use crate::site::{Site, principal};
use crate::stores::{audit_fault, callers_fault, records_fault};

/// Most requests that are shown as waiting.
const ERASURES_MAX: usize = 1_000;

/// For administrators, and for supervisors who need a number.
pub(crate) struct Audit(pub(crate) Arc<Site>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit(&self, request: Request<v1::ListAuditRequest>) -> Answer<v1::ListAuditResponse> {
        let request = request.into_inner();
        let size = convert::page_size(request.page_size)?;
        let before = match request.page_token.as_str() {
            "" => u64::MAX,
            token => token.parse().map_err(|_| convert::bad_page())?,
        };
        let filter = AuditFilter {
            who: request.who,
            role: request.role,
            what: request.what,
            object: request.object,
            from_us: request.from_unix_us,
            until_us: request.until_unix_us,
        };
        let rows = self.0.recorder.audit().rows(self.0.id(), &filter, before, size + 1).await;
        let mut rows = rows.map_err(|fault| audit_fault(&fault))?;
        let more = rows.len() > size;
        rows.truncate(size);
        let next_page_token = match rows.last() {
            Some(last) if more => last.number.to_string(),
            _ => String::new(),
        };
        let records = rows.into_iter().map(shown).collect();
        Ok(Response::new(v1::ListAuditResponse { records, next_page_token }))
    }

    async fn verify_audit(
        &self,
        request: Request<v1::VerifyAuditRequest>,
    ) -> Answer<v1::VerifyAuditResponse> {
        let request = request.into_inner();
        let known = match (request.known_number, request.known_hash.as_str()) {
            (0, "") => None,
            (0, _) => return Err(Invalid::new("known_number", "give the number of the row, too").into()),
            (number, hash) => {
                let none = || Invalid::new("known_hash", "the row's hash is meant: 64 hexadecimal digits");
                Some((number, parse_hash(hash).ok_or_else(none)?))
            }
        };
        let walk = walk_audit(self.0.recorder.audit(), self.0.id(), known).await;
        let walk = walk.map_err(|fault| audit_fault(&fault))?;
        Ok(Response::new(v1::VerifyAuditResponse {
            rows: walk.rows,
            head_number: walk.head,
            head_hash: walk.hash.to_string(),
            broken: walk.broken.map(shown_break),
            known_was_let_go: walk.known_was_let_go,
        }))
    }

    async fn reveal_caller(
        &self,
        request: Request<v1::RevealCallerRequest>,
    ) -> Answer<v1::RevealCallerResponse> {
        let (act, _, request) = acting(request)?;
        let why = Some(needed_why("reason", &request.reason)?);
        let (found, of) = match convert::present("subject", request.subject)? {
            v1::reveal_caller_request::Subject::CallId(call) => {
                let call = CallId(convert::uuid("call_id", &call)?);
                let unknown = || refusal::rejected(&Rejection::UnknownCall);
                (self.caller_of(call).await?.ok_or_else(unknown), format!("call:{call}"))
            }
            v1::reveal_caller_request::Subject::CallerRef(caller) => {
                (Ok(convert::caller("caller_ref", &caller)?), String::new())
            }
        };
        let object = found.as_ref().map_or(of, |caller| object(*caller));
        act.asks(About { object, why, ..About::default() }).await?;
        let caller = found?;
        let number = self.number(caller).await?.ok_or_else(no_number)?;
        Ok(Response::new(v1::RevealCallerResponse {
            caller_ref: caller.to_string(),
            number: number.reveal().unwrap_or_default().to_owned(),
            masked: number.masked(),
        }))
    }

    async fn export_subject(
        &self,
        request: Request<v1::ExportSubjectRequest>,
    ) -> Answer<v1::ExportSubjectResponse> {
        let (act, _, request) = acting(request)?;
        let why = Some(needed_why("reason", &request.reason)?);
        let size = convert::page_size(request.page_size)?;
        let after = match request.page_token.as_str() {
            "" => Seq(0),
            token => Seq(token.parse().map_err(|_| convert::bad_page())?),
        };
        let caller = self.asked_for(&act, request.subject, why).await?;
        let number = self.number(caller).await?;
        let records = self.0.records.of_caller(self.0.id(), caller, after, size + 1).await;
        let mut records = records.map_err(|fault| records_fault(&fault))?;
        let more = records.len() > size;
        records.truncate(size);
        let next_page_token = match records.last() {
            Some(last) if more => last.first_seq.0.to_string(),
            _ => String::new(),
        };
        let blocked = self.0.exchange.read(|switchboard| switchboard.state().blocks.get(&caller).copied());
        act.came(format!("{{\"calls\":{}}}", records.len()));
        Ok(Response::new(v1::ExportSubjectResponse {
            caller_ref: caller.to_string(),
            number: number.and_then(|number| number.reveal().map(str::to_owned)).unwrap_or_default(),
            blocked_for: blocked.map(|block| block.reason.to_string()).unwrap_or_default(),
            blocked_until_us: blocked.map(|block| block.until.0),
            calls: records.iter().map(shown_call).collect(),
            next_page_token,
        }))
    }

    async fn erase_subject(
        &self,
        request: Request<v1::EraseSubjectRequest>,
    ) -> Answer<v1::EraseSubjectResponse> {
        let (act, who, request) = acting(request)?;
        let why = Some(needed_why("reason", &request.reason)?);
        let caller = self.asked_for(&act, request.subject, why).await?;
        let number = self.number(caller).await?.ok_or_else(no_number)?;
        let erasure = match self.waiting_for(caller, who).await? {
            // Sent again, perhaps because the answer was lost.
            Some(waiting) => waiting,
            None => self.begin_erasure(caller, who).await?,
        };
        act.came(format!("{{\"erasure\":\"{}\"}}", erasure.id));
        let erasure = Some(shown_erasure(&erasure, &number));
        Ok(Response::new(v1::EraseSubjectResponse { erasure }))
    }

    async fn approve_erasure(
        &self,
        request: Request<v1::ApproveErasureRequest>,
    ) -> Answer<v1::ApproveErasureResponse> {
        let (act, who, request) = acting(request)?;
        let id = convert::uuid("erasure_id", &request.erasure_id)?;
        let (site, now_us) = (self.0.id(), self.0.recorder.wall_us());
        let found = self.0.subjects.erasure(site, id).await.map_err(|fault| callers_fault(&fault))?;
        let about = |caller: Option<CallerRef>| About {
            object: caller.map(object).unwrap_or_default(),
            becomes: format!("{{\"erasure\":\"{id}\"}}"),
            ..About::default()
        };
        act.asks(about(found.as_ref().map(|erasure| erasure.caller))).await?;
        let erasure = found.ok_or_else(no_erasure)?;
        let caller_ref = erasure.caller.to_string();
        match &erasure.ended {
            Some((by, _)) if by == who.id() => {
                return Ok(Response::new(v1::ApproveErasureResponse { caller_ref }));
            }
            Some(_) => return Err(no_erasure()),
            None if erasure.asked_by == who.id() => return Err(not_by_oneself()),
            None if erasure.expires_us <= now_us => return Err(expired()),
            None if self.has_token_since(who, erasure.asked_us).await? => return Err(too_new()),
            None => {}
        }
        // To its end, also when nobody waits for the answer any more.
        let (subjects, by) = (Arc::clone(&self.0.subjects), who.id().to_owned());
        let forgotten = tokio::spawn(async move {
            let forgotten = subjects.forget(site, &[erasure.caller]).await?;
            subjects.end_erasure(site, id, &by, now_us).await?;
            Ok(forgotten)
        });
        let forgotten = forgotten.await.map_err(|fault| Status::internal(fault.to_string()))?;
        let forgotten = forgotten.map_err(|fault| callers_fault(&fault))?;
        act.came(format!("{{\"numbers\":{forgotten}}}"));
        Ok(Response::new(v1::ApproveErasureResponse { caller_ref }))
    }

    async fn list_erasures(
        &self,
        _request: Request<v1::ListErasuresRequest>,
    ) -> Answer<v1::ListErasuresResponse> {
        let waiting = self.waiting().await?;
        let mut erasures = Vec::with_capacity(waiting.len());
        for erasure in &waiting {
            let number = self.number(erasure.caller).await?.unwrap_or_else(CallerNumber::withheld);
            erasures.push(shown_erasure(erasure, &number));
        }
        Ok(Response::new(v1::ListErasuresResponse { erasures }))
    }
}

impl Audit {
    async fn number(&self, caller: CallerRef) -> Result<Option<CallerNumber>, Status> {
        let number = self.0.subjects.number(self.0.id(), caller).await;
        number.map_err(|fault| callers_fault(&fault))
    }

    /// Whether somebody was given a token at or after a time: then whoever asked for something could have made the
    /// approver, too.
    async fn has_token_since(&self, who: Who, from_us: i64) -> Result<bool, Status> {
        let filter = AuditFilter {
            what: TOKEN_ISSUED.to_owned(),
            object: format!("{}:{}", who.role().name(), who.id()),
            from_us: Some(from_us),
            ..AuditFilter::default()
        };
        let rows = self.0.recorder.audit().rows(self.0.id(), &filter, u64::MAX, 1).await;
        Ok(!rows.map_err(|fault| audit_fault(&fault))?.is_empty())
    }

    /// Who made a call: an open one, or one with a record.
    async fn caller_of(&self, call: CallId) -> Result<Option<CallerRef>, Status> {
        let open = self.0.exchange.read(|switchboard| switchboard.call(call).map(|call| call.caller));
        if open.is_some() {
            return Ok(open);
        }
        let recorded = self.0.records.caller_of(self.0.id(), call).await;
        recorded.map_err(|fault| records_fault(&fault))
    }

    /// Whose data is asked for. That it was asked is recorded, also where nobody is found: a number that was tried is in
    /// no row, and who tried one is.
    async fn asked_for(
        &self,
        act: &Act,
        subject: Option<v1::SubjectRef>,
        why: Option<String>,
    ) -> Result<CallerRef, Status> {
        let found = match convert::present("subject", subject.and_then(|subject| subject.subject))? {
            v1::subject_ref::Subject::CallerRef(caller) => {
                Some(convert::caller("subject.caller_ref", &caller)?)
            }
            v1::subject_ref::Subject::Number(number) => {
                let known = self.0.subjects.known(self.0.id(), &CallerNumber::received(&number)).await;
                known.map_err(|fault| callers_fault(&fault))?
            }
        };
        let object = found.map_or_else(|| "caller:unknown".to_owned(), object);
        act.asks(About { object, why, ..About::default() }).await?;
        found.ok_or_else(no_number)
    }

    async fn waiting(&self) -> Result<Vec<Erasure>, Status> {
        let (site, now_us) = (self.0.id(), self.0.recorder.wall_us());
        let waiting = self.0.subjects.erasures(site, now_us, ERASURES_MAX).await;
        waiting.map_err(|fault| callers_fault(&fault))
    }

    async fn waiting_for(&self, caller: CallerRef, by: Who) -> Result<Option<Erasure>, Status> {
        let mut waiting = self.waiting().await?.into_iter();
        Ok(waiting.find(|erasure| erasure.caller == caller && erasure.asked_by == by.id()))
    }

    async fn begin_erasure(&self, caller: CallerRef, by: Who) -> Result<Erasure, Status> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|fault| Status::internal(fault.to_string()))?;
        let asked_us = self.0.recorder.wall_us();
        let erasure = Erasure {
            id: Builder::from_random_bytes(bytes).into_uuid(),
            caller,
            asked_by: by.id().to_owned(),
            asked_us,
            expires_us: asked_us.saturating_add(ERASURE_LASTS_US),
            ended: None,
        };
        let kept = self.0.subjects.keep_erasure(self.0.id(), &erasure).await;
        kept.map_err(|fault| callers_fault(&fault))?;
        Ok(erasure)
    }
}

/// Who acts, on which slip, and what is asked. The door knows who may.
fn acting<T>(request: Request<T>) -> Result<(Act, Who, T), Status> {
    let (act, who) = (Act::of(&request)?, principal(&request)?.who);
    Ok((act, who, request.into_inner()))
}

fn object(caller: CallerRef) -> String {
    format!("caller:{caller}")
}

fn shown(row: AuditRow) -> v1::AuditRecord {
    let AuditRow { number, entry, hash } = row;
    v1::AuditRecord {
        number,
        at_unix_us: entry.wall_us,
        role: entry.role,
        who: entry.who,
        what: entry.what,
        object: entry.object,
        before: entry.was,
        after: entry.becomes,
        why: entry.why,
        request_id: entry.request,
        outcome: entry.outcome,
        refers_to: entry.refers_to,
        hash: hash.to_string(),
    }
}

fn shown_break(broken: AuditBreak) -> v1::AuditBreak {
    let kind = match broken {
        AuditBreak::Changed(_) => v1::AuditBreakKind::Changed,
        AuditBreak::Gone { .. } => v1::AuditBreakKind::Gone,
        AuditBreak::BegunLate(_) => v1::AuditBreakKind::BegunLate,
        AuditBreak::CutShort { .. } => v1::AuditBreakKind::CutShort,
        AuditBreak::Rewritten(_) => v1::AuditBreakKind::Rewritten,
    };
    v1::AuditBreak { number: broken.at(), kind: kind.into(), message: broken.to_string() }
}

fn shown_call(record: &CallRecord) -> v1::SubjectCall {
    let lasted = |(at, _): (switchboard::time::SiteTime, _)| at.0.saturating_sub(record.rang_at.0) / 1_000;
    v1::SubjectCall {
        call_id: record.call.to_string(),
        rang_at_unix_us: record.wall_us,
        called_line_id: record.called.to_string(),
        line_id: record.line.to_string(),
        class: convert::class(record.class).into(),
        operator_id: record.answered.map(|(_, operator)| operator.to_string()).unwrap_or_default(),
        lasted_ms: record.closed.map(lasted),
        outcome: record.closed.map(|(_, outcome)| canonical::encode(&outcome)).unwrap_or_default(),
    }
}

fn shown_erasure(erasure: &Erasure, number: &CallerNumber) -> v1::Erasure {
    v1::Erasure {
        erasure_id: erasure.id.to_string(),
        caller_ref: erasure.caller.to_string(),
        masked: if number.is_withheld() { String::new() } else { number.masked() },
        asked_by: erasure.asked_by.clone(),
        asked_at_unix_us: erasure.asked_us,
        expires_at_unix_us: erasure.expires_us,
    }
}

fn no_number() -> Status {
    let mend = "look at the reference; callers who withhold their number or were forgotten have none";
    refusal::status(
        Reason { status: Code::NotFound, code: "NO_NUMBER", mend },
        "no number of this caller is kept",
    )
}

fn no_erasure() -> Status {
    let mend = "look at what waits for approval";
    refusal::status(
        Reason { status: Code::NotFound, code: "UNKNOWN_ERASURE", mend },
        "nobody asked for this erasure",
    )
}

fn not_by_oneself() -> Status {
    let mend = "let another administrator approve it";
    let reason = Reason { status: Code::PermissionDenied, code: "NOT_BY_ONESELF", mend };
    refusal::status(reason, "whoever asks that a caller be forgotten cannot approve it")
}

fn too_new() -> Status {
    let mend =
        "let an administrator approve it who had the token before it was asked for, or ask for it again";
    let reason = Reason { status: Code::PermissionDenied, code: "APPROVER_TOO_NEW", mend };
    refusal::status(
        reason,
        "the approver's token was made after the erasure was asked for: whoever asked could have made it",
    )
}

fn expired() -> Status {
    let mend = "ask for it again";
    let reason = Reason { status: Code::FailedPrecondition, code: "ERASURE_EXPIRED", mend };
    refusal::status(reason, "nobody approved it in time")
}
