use std::sync::Arc;

use api::v1;
use api::v1::supervisor_service_server::SupervisorService;
use switchboard::Switchboard;
use switchboard::call::Place;
use switchboard::command::Command;
use switchboard::id::{CallId, LineId};
use switchboard::rejection::Rejection;
use switchboard::time::{SiteTime, Span};
use tonic::{Request, Response, Status};

use super::{Outgoing, holding};
use crate::audited::Act;
use crate::convert;
use crate::principal::Who;
use crate::refusal;
use crate::site::{Site, principal};
use crate::streams::{boards, wire_cursor};

/// Between two boards, if nothing else is asked.
const BOARD_INTERVAL: Span = Span::secs(1);

/// For supervisors.
pub(crate) struct Supervisor(pub(crate) Arc<Site>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SupervisorService for Supervisor {
    type WatchBoardStream = Outgoing<v1::WatchBoardResponse>;

    async fn watch_board(&self, request: Request<v1::WatchBoardRequest>) -> Answer<Self::WatchBoardStream> {
        let listening = self.0.listen(principal(&request)?)?;
        let request = request.into_inner();
        let interval = match request.interval_ms {
            0 => BOARD_INTERVAL,
            ms => convert::span_ms("interval_ms", ms)?,
        };
        let shown_in = self.0.shown_in.as_ref().map(|shown_in| shown_in.health());
        let boards = boards(Arc::clone(&self.0.streams), interval, self.0.is_stepped(), shown_in);
        Ok(Response::new(holding(listening, boards)))
    }

    async fn list_calls(&self, request: Request<v1::ListCallsRequest>) -> Answer<v1::ListCallsResponse> {
        let (_, request) = asked(request)?;
        let line: Option<LineId> = convert::optional_name("line_id", &request.line_id)?;
        let size = convert::page_size(request.page_size)?;
        let after = page_place(&request.page_token)?;
        self.0.reach(request.at_least).await?;
        let cursor = self.0.exchange.cursor();
        let (calls, next_page_token) =
            self.0.exchange.read(|switchboard| page(switchboard, line, after, size));
        Ok(Response::new(v1::ListCallsResponse { cursor: Some(wire_cursor(cursor)), calls, next_page_token }))
    }

    async fn get_call(&self, request: Request<v1::GetCallRequest>) -> Answer<v1::GetCallResponse> {
        let (_, request) = asked(request)?;
        let id = CallId(convert::uuid("call_id", &request.call_id)?);
        self.0.reach(request.at_least).await?;
        let cursor = Some(wire_cursor(self.0.exchange.cursor()));
        let call = self.0.exchange.read(|switchboard| {
            let open = switchboard.call(id).map(|call| convert::open_summary(id, call));
            open.or_else(|| switchboard.closed(id).map(|tomb| convert::closed_summary(id, tomb)))
        });
        let call = call.ok_or_else(|| refusal::rejected(&Rejection::UnknownCall))?;
        Ok(Response::new(v1::GetCallResponse { cursor, call: Some(call) }))
    }

    async fn explain_call(
        &self,
        request: Request<v1::ExplainCallRequest>,
    ) -> Answer<v1::ExplainCallResponse> {
        let (_, request) = asked(request)?;
        let id = CallId(convert::uuid("call_id", &request.call_id)?);
        self.0.reach(request.at_least).await?;
        let cursor = Some(wire_cursor(self.0.exchange.cursor()));
        let explained = self.0.exchange.read(|switchboard| {
            let unknown = || match switchboard.closed(id) {
                Some(_) => Rejection::CallClosed,
                None => Rejection::UnknownCall,
            };
            switchboard.explain_call(id).ok_or_else(unknown)
        });
        let explained = explained.map_err(|rejection| refusal::rejected(&rejection))?;
        let response = v1::ExplainCallResponse { cursor, ..convert::explained_call(&explained) };
        Ok(Response::new(response))
    }

    async fn explain_operator(
        &self,
        request: Request<v1::ExplainOperatorRequest>,
    ) -> Answer<v1::ExplainOperatorResponse> {
        let (_, request) = asked(request)?;
        let id = convert::name("operator_id", &request.operator_id)?;
        self.0.reach(request.at_least).await?;
        let cursor = Some(wire_cursor(self.0.exchange.cursor()));
        let explained = self.0.exchange.read(|switchboard| switchboard.explain_operator(id));
        let explained = explained.ok_or_else(|| refusal::rejected(&Rejection::UnknownOperator))?;
        let response = v1::ExplainOperatorResponse { cursor, ..convert::explained_operator(&explained) };
        Ok(Response::new(response))
    }

    async fn divert_line(&self, request: Request<v1::DivertLineRequest>) -> Answer<v1::DivertLineResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::DivertLine {
            line: convert::name("line_id", &request.line_id)?,
            destination: convert::optional_name("destination_id", &request.destination_id)?,
            lasting: convert::span_ms("lasting_ms", request.lasting_ms)?,
        };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::DivertLineResponse { receipt }))
    }

    async fn open_line(&self, request: Request<v1::OpenLineRequest>) -> Answer<v1::OpenLineResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::OpenLine { line: convert::name("line_id", &request.line_id)? };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::OpenLineResponse { receipt }))
    }

    async fn close_line(&self, request: Request<v1::CloseLineRequest>) -> Answer<v1::CloseLineResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::CloseLine {
            line: convert::name("line_id", &request.line_id)?,
            reason: convert::code("reason", &request.reason)?,
            lasting: convert::span_ms("lasting_ms", request.lasting_ms)?,
        };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::CloseLineResponse { receipt }))
    }

    async fn move_call(&self, request: Request<v1::MoveCallRequest>) -> Answer<v1::MoveCallResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::MoveCall {
            call: CallId(convert::uuid("call_id", &request.call_id)?),
            to: convert::name("to_line_id", &request.to_line_id)?,
        };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::MoveCallResponse { receipt }))
    }

    async fn pause_operator(
        &self,
        request: Request<v1::PauseOperatorRequest>,
    ) -> Answer<v1::PauseOperatorResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::Pause {
            operator: convert::name("operator_id", &request.operator_id)?,
            reason: convert::code("reason", &request.reason)?,
            lasting: convert::optional_span_ms("lasting_ms", request.lasting_ms)?,
        };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::PauseOperatorResponse { receipt }))
    }

    async fn force_operator(
        &self,
        request: Request<v1::ForceOperatorRequest>,
    ) -> Answer<v1::ForceOperatorResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::ForceOperator {
            operator: convert::name("operator_id", &request.operator_id)?,
            to: convert::force("to", request.to())?,
        };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::ForceOperatorResponse { receipt }))
    }

    async fn block_caller(
        &self,
        request: Request<v1::BlockCallerRequest>,
    ) -> Answer<v1::BlockCallerResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::BlockCaller {
            call: CallId(convert::uuid("call_id", &request.call_id)?),
            reason: convert::code("reason", &request.reason)?,
            lasting: convert::optional_span_ms("lasting_ms", request.lasting_ms)?,
        };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::BlockCallerResponse { receipt }))
    }

    async fn unblock_caller(
        &self,
        request: Request<v1::UnblockCallerRequest>,
    ) -> Answer<v1::UnblockCallerResponse> {
        let (act, who, request) = acting(request)?;
        let command = Command::UnblockCaller { caller: convert::caller("caller_ref", &request.caller_ref)? };
        let receipt = self.act(&act, who, &request.request_id, command).await?;
        Ok(Response::new(v1::UnblockCallerResponse { receipt }))
    }
}

impl Supervisor {
    async fn act(
        &self,
        act: &Act,
        who: Who,
        request_id: &str,
        command: Command,
    ) -> Result<Option<v1::Receipt>, Status> {
        let committed = self.0.act(act, who, request_id, command).await?;
        Ok(Some(self.0.receipt(committed.cursor, committed.at).await))
    }
}

/// Who acts, on which slip, and what is asked.
fn acting<T>(request: Request<T>) -> Result<(Act, Who, T), Status> {
    let act = Act::of(&request)?;
    asked(request).map(|(who, request)| (act, who, request))
}

/// Who asks, and what.
fn asked<T>(request: Request<T>) -> Result<(Who, T), Status> {
    match principal(&request)?.who {
        who @ (Who::Supervisor(_) | Who::Admin(_)) => Ok((who, request.into_inner())),
        Who::Gateway(_) | Who::Operator(_) | Who::Wallboard(_) | Who::Integrator(_) => {
            Err(refusal::rejected(&Rejection::NotYours))
        }
    }
}

/// A call's place as a page token, and back. A place outlives its call, so a page follows even if the call is gone.
fn page_token(place: &Place) -> String {
    let (arrived, seq) = (place.arrived_less_boost.0, place.seq.0);
    format!("{}.{arrived}.{seq}.{}", place.class as u8, place.call.0.simple())
}

fn page_place(token: &str) -> Result<Option<Place>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let mut parts = token.split('.');
        let class = match parts.next()? {
            "0" => switchboard::call::Class::Emergency,
            "1" => switchboard::call::Class::Normal,
            "2" => switchboard::call::Class::Background,
            _ => return None,
        };
        let arrived_less_boost = SiteTime(parts.next()?.parse().ok()?);
        let seq = switchboard::id::Seq(parts.next()?.parse().ok()?);
        let call = CallId(parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Place { class, arrived_less_boost, seq, call })
    };
    read().map(Some).ok_or_else(|| convert::bad_page().into())
}

fn page(
    switchboard: &Switchboard,
    line: Option<LineId>,
    after: Option<Place>,
    size: usize,
) -> (Vec<v1::CallSummary>, String) {
    let state = switchboard.state();
    let calls = state.calls.iter().filter(|(_, call)| line.is_none_or(|line| call.line == line));
    let mut places: Vec<Place> = calls.map(|(id, call)| state.place(*id, call)).collect();
    places.retain(|place| after.is_none_or(|after| *place > after));
    places.sort_unstable();
    let token = if places.len() > size { page_token(&places[size - 1]) } else { String::new() };
    places.truncate(size);
    let shown = places.iter().map(|place| convert::open_summary(place.call, &state.calls[&place.call]));
    (shown.collect(), token)
}
