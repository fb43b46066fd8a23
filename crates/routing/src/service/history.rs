use std::sync::Arc;

use api::v1;
use api::v1::history_service_server::HistoryService;
use api::v1::moment::When;
use serde_json::Value;
use session::{RecordCursor, RecordPlace, RecordQuery, last_by_wall, may_have_dropped_records, rows_holding};
use switchboard::Switchboard;
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{CallId, Seq};
use switchboard::rejection::Rejection;
use tonic::{Code, Request, Response, Status};

use crate::convert::{self, Invalid};
use crate::refusal::{self, Reason};
use crate::site::{Site, principal};
use crate::stores::{records_fault, unreadable};
use crate::streams::{recorded, wire_cursor};

/// For whoever has to say afterwards why.
pub(crate) struct History(pub(crate) Arc<Site>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl HistoryService for History {
    async fn list_records(
        &self,
        request: Request<v1::ListRecordsRequest>,
    ) -> Answer<v1::ListRecordsResponse> {
        let request = asked(request)?;
        let asked = query(&request)?;
        let size = convert::page_size(request.page_size)?;
        let behind = record_place(&request.page_token)?;
        let cursor = Some(wire_cursor(self.0.exchange.cursor()));
        let found = self.0.derived.latest_records(self.0.id(), &asked, behind, size + 1).await;
        let mut records = found.map_err(|fault| records_fault(&fault))?;
        let more = records.len() > size;
        records.truncate(size);
        let last = records.last().filter(|_| more);
        let next_page_token = last.map(|record| page_token(record.place())).unwrap_or_default();
        let calls = records.iter().map(convert::recorded_call).collect();
        Ok(Response::new(v1::ListRecordsResponse { cursor, calls, next_page_token }))
    }

    async fn get_path(&self, request: Request<v1::GetPathRequest>) -> Answer<v1::GetPathResponse> {
        let request = asked(request)?;
        let call = CallId(convert::uuid("call_id", &request.call_id)?);
        self.0.reach(request.at_least).await?;
        let _place = self.0.looking_back.begin().await?;
        let cursor = self.0.exchange.cursor();
        let records = self.0.derived.record_cursor(self.0.id()).await;
        let records = records.map_err(|fault| records_fault(&fault))?;
        let stretch = self.stretch(call, records, cursor.seq).await?;
        let mut steps = self.steps(call, stretch).await?;
        if steps.is_empty() && stretch.0 > Seq(1) && self.may_lack_records(records).await? {
            // Its record was let go, or there never was such a call: only the whole journal knows.
            steps = self.steps(call, (Seq(1), cursor.seq)).await?;
        }
        if steps.is_empty() {
            return Err(refusal::rejected(&Rejection::UnknownCall));
        }
        Ok(Response::new(v1::GetPathResponse { cursor: Some(wire_cursor(cursor)), steps }))
    }

    async fn explain_past_call(
        &self,
        request: Request<v1::ExplainPastCallRequest>,
    ) -> Answer<v1::ExplainPastCallResponse> {
        let request = asked(request)?;
        let call = CallId(convert::uuid("call_id", &request.call_id)?);
        let _place = self.0.looking_back.begin().await?;
        let past = self.past(request.moment).await?;
        let explained = past.explain_call(call).ok_or_else(|| not_then("CALL_NOT_OPEN_THEN", "call"))?;
        let (found, cursor) = self.found(&past);
        let explanation = Some(v1::ExplainCallResponse { cursor, ..convert::explained_call(&explained) });
        Ok(Response::new(v1::ExplainPastCallResponse { found, explanation }))
    }

    async fn explain_past_operator(
        &self,
        request: Request<v1::ExplainPastOperatorRequest>,
    ) -> Answer<v1::ExplainPastOperatorResponse> {
        let request = asked(request)?;
        let operator = convert::name("operator_id", &request.operator_id)?;
        let _place = self.0.looking_back.begin().await?;
        let past = self.past(request.moment).await?;
        let explained = past.explain_operator(operator);
        let explained = explained.ok_or_else(|| not_then("OPERATOR_NOT_HERE_THEN", "operator"))?;
        let (found, cursor) = self.found(&past);
        let explanation =
            Some(v1::ExplainOperatorResponse { cursor, ..convert::explained_operator(&explained) });
        Ok(Response::new(v1::ExplainPastOperatorResponse { found, explanation }))
    }
}

impl History {
    /// Between which decisions a call's are. Its record says so; a call of the last moments may have none yet, and an
    /// open one goes on to the end. The records are at least as far as `records`.
    async fn stretch(
        &self,
        call: CallId,
        records: Option<RecordCursor>,
        end: Seq,
    ) -> Result<(Seq, Seq), Status> {
        let behind_records = records.map_or(Seq(1), |cursor| cursor.seq.next());
        let record = self.0.derived.record(self.0.id(), call).await;
        let record = record.map_err(|fault| records_fault(&fault))?;
        Ok(match record {
            Some(record) if record.closed.is_some() => (record.first_seq, record.last_seq),
            Some(record) => (record.first_seq, end),
            None => (behind_records, end),
        })
    }

    /// Whether a call that came before this cursor may be without a record: some were let go, or the records are of
    /// another history.
    async fn may_lack_records(&self, records: Option<RecordCursor>) -> Result<bool, Status> {
        let site = self.0.id();
        let Some(RecordCursor { seq, row }) = records else { return Ok(true) };
        if !row.stands(&*self.0.journal, site, seq).await.map_err(unreadable)? {
            return Ok(true);
        }
        // Where the audit cannot tell, the journal can.
        Ok(may_have_dropped_records(self.0.recorder.audit(), site).await.unwrap_or(true))
    }

    /// The decisions about a call between two, the plans in them left out.
    async fn steps(&self, call: CallId, stretch: (Seq, Seq)) -> Result<Vec<v1::PathStep>, Status> {
        if stretch.0 > stretch.1 {
            return Ok(Vec::new());
        }
        let named = call.to_string();
        let rows = rows_holding(&*self.0.journal, self.0.id(), stretch, |row| row.body.contains(&named));
        let mut steps = Vec::new();
        for stored in rows.await.map_err(unreadable)? {
            let decisions = session::decode(&stored.row).map_err(unreadable)?;
            let about = decisions.iter().filter(|decision| is_about(decision, call));
            steps.extend(about.map(|decision| v1::PathStep {
                decision: Some(without_plan(recorded(decision))),
                wall_us: stored.row.wall_us,
            }));
        }
        Ok(steps)
    }

    /// The switchboard as it was at a moment.
    async fn past(&self, moment: Option<v1::Moment>) -> Result<Switchboard, Status> {
        let when = moment.and_then(|moment| moment.when);
        let when = when.ok_or_else(|| Invalid::new("moment", "say after which decision, or at what time"))?;
        let (site, head) = (self.0.id(), self.0.exchange.cursor().seq);
        let at = match when {
            When::Seq(seq) => Seq(seq),
            When::WallUs(wall_us) => {
                // The journal may be a row ahead of what everybody sees.
                last_by_wall(&*self.0.journal, site, wall_us).await.map_err(unreadable)?.min(head)
            }
        };
        if at > head {
            return Err(Invalid::new("moment.seq", format!("name a decision up to {}", head.0)).into());
        }
        let past = exchange::past(&self.0.journal, Some(&self.0.derived), site, at).await;
        past.map_err(unreadable)
    }

    fn found(&self, past: &Switchboard) -> (Option<v1::Found>, Option<v1::Cursor>) {
        let state = past.state();
        let cursor = exchange::Cursor { seq: state.seq, ..self.0.exchange.cursor() };
        (Some(v1::Found { seq: state.seq.0, at_us: state.now.0 }), Some(wire_cursor(cursor)))
    }
}

fn asked<T>(request: Request<T>) -> Result<T, Status> {
    // The doorkeeper let nobody in who may not ask; who it is does not matter for what was.
    principal(&request)?;
    Ok(request.into_inner())
}

fn query(request: &v1::ListRecordsRequest) -> Result<RecordQuery, Status> {
    let caller = &request.caller_ref;
    Ok(RecordQuery {
        line: convert::optional_name("line_id", &request.line_id)?,
        operator: convert::optional_name("operator_id", &request.operator_id)?,
        caller: if caller.is_empty() { None } else { Some(convert::caller("caller_ref", caller)?) },
        outcome: convert::asked_outcome(request.outcome()),
        from_wall_us: request.from_wall_us,
        until_wall_us: request.until_wall_us,
        calls: convert::calls_that_begin("call_begins", &request.call_begins)?,
    })
}

/// Whether a decision did anything to a call, or to somebody because of it.
fn is_about(decision: &Decision, call: CallId) -> bool {
    decision.events.iter().any(|event| match event {
        Event::WrapUpStarted { call: of, .. } => *of == call,
        event => event.call() == Some(call),
    })
}

fn page_token(place: RecordPlace) -> String {
    format!("{}.{}", place.first_seq.0, place.call.0.simple())
}

fn record_place(token: &str) -> Result<Option<RecordPlace>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (first_seq, call) = token.split_once('.')?;
        Some(RecordPlace { first_seq: Seq(first_seq.parse().ok()?), call: CallId(call.parse().ok()?) })
    };
    read().map(Some).ok_or_else(|| convert::bad_page().into())
}

/// A decision for whoever follows a call: plans hold the hospital's own numbers, and are administrators'.
fn without_plan(recorded: v1::RecordedDecision) -> v1::RecordedDecision {
    let Ok(mut whole) = serde_json::from_str::<Value>(&recorded.canonical) else { return recorded };
    let mut left_out = drop_plan(whole.pointer_mut("/input/command/adopt_plan"));
    for event in whole["events"].as_array_mut().into_iter().flatten() {
        left_out |= drop_plan(event.get_mut("plan_adopted"));
    }
    if left_out { v1::RecordedDecision { canonical: whole.to_string(), ..recorded } } else { recorded }
}

fn drop_plan(holder: Option<&mut Value>) -> bool {
    holder.and_then(Value::as_object_mut).is_some_and(|holder| holder.remove("plan").is_some())
}

fn not_then(code: &'static str, what: &str) -> Status {
    let mend = "name a moment of its path: GetPath and ListRecords say when that was";
    let reason = Reason { status: Code::NotFound, code, mend };
    refusal::status(reason, &format!("there was no such {what} at that moment"))
}
