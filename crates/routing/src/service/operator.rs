use std::sync::Arc;

use api::v1;
use api::v1::operator_service_server::OperatorService;
use exchange::{Committed, Refused};
use futures_util::stream::unfold;
use presence::{HEARTBEAT, Holder};
use switchboard::Switchboard;
use switchboard::command::{Actor, Command, Input};
use switchboard::decision::Reply;
use switchboard::id::{CallId, DeskId, DeskSession, OperatorId};
use switchboard::operator::{Link, Operator as Known};
use switchboard::rejection::Rejection;
use tonic::{Request, Response, Status};

use super::Outgoing;
use crate::convert;
use crate::principal::Who;
use crate::refusal;
use crate::site::{Site, principal};
use crate::streams::{Whose, cursor, wire_cursor};

/// For desks.
pub(crate) struct Operator(pub(crate) Arc<Site>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl OperatorService for Operator {
    type AttachStream = Outgoing<v1::OperatorServiceAttachResponse>;

    async fn attach(&self, request: Request<v1::OperatorServiceAttachRequest>) -> Answer<Self::AttachStream> {
        let (who, operator, request) = asked(request)?;
        let desk = DeskId(convert::uuid("desk_id", &request.desk_id)?);
        let attached = self.0.ask(who, "", Command::AttachDesk { operator, desk }).await?;
        let session = session_of(attached)?;
        let (stream, mailbox) = self.0.streams.open_desk(operator, session, request.resume.map(cursor))?;
        let holder = Holder::Desk { operator, desk, session };
        let open = self.0.opened(holder, Whose::Desk(operator), stream)?;
        Ok(Response::new(Box::pin(unfold((mailbox, open), |(mailbox, open)| async move {
            let news = mailbox.next().await?;
            Some((news.map(|news| news.message()), (mailbox, open)))
        }))))
    }

    async fn heartbeat(&self, request: Request<v1::HeartbeatRequest>) -> Answer<v1::HeartbeatResponse> {
        let (who, operator, request) = asked(request)?;
        let session = DeskSession(request.session);
        let of_session = |o: &&Known| o.session == session;
        let shown = |board: &Switchboard| {
            board.operator(operator).filter(of_session).and_then(|o| Some((o.desk?, o.link)))
        };
        let stale = || refusal::rejected(&Rejection::StaleSession);
        let (desk, link) = self.0.exchange.read(shown).ok_or_else(stale)?;
        self.0.exchange.heartbeat(Holder::Desk { operator, desk, session }).map_err(refusal::fenced)?;
        // An offer that was not confirmed in time put the desk in grace; a heartbeat proves it alive.
        if link != Link::Online {
            self.0.ask(who, "", Command::RenewDesk { operator, session }).await?;
        }
        let cursor = Some(wire_cursor(self.0.exchange.cursor()));
        Ok(Response::new(v1::HeartbeatResponse { cursor, next_within_ms: HEARTBEAT.0 / 1_000 }))
    }

    async fn go_on_duty(&self, request: Request<v1::GoOnDutyRequest>) -> Answer<v1::GoOnDutyResponse> {
        let (who, operator, request) = asked(request)?;
        let receipt = self.0.command(who, &request.request_id, Command::GoOnDuty { operator }).await?;
        Ok(Response::new(v1::GoOnDutyResponse { receipt }))
    }

    async fn pause(&self, request: Request<v1::PauseRequest>) -> Answer<v1::PauseResponse> {
        let (who, operator, request) = asked(request)?;
        let reason = convert::code("reason", &request.reason)?;
        let lasting = convert::optional_span_ms("lasting_ms", request.lasting_ms)?;
        let command = Command::Pause { operator, reason, lasting };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::PauseResponse { receipt }))
    }

    async fn resume(&self, request: Request<v1::ResumeRequest>) -> Answer<v1::ResumeResponse> {
        let (who, operator, request) = asked(request)?;
        let receipt = self.0.command(who, &request.request_id, Command::Resume { operator }).await?;
        Ok(Response::new(v1::ResumeResponse { receipt }))
    }

    async fn leave(&self, request: Request<v1::LeaveRequest>) -> Answer<v1::LeaveResponse> {
        let (who, operator, request) = asked(request)?;
        let receipt = self.0.command(who, &request.request_id, Command::Leave { operator }).await?;
        Ok(Response::new(v1::LeaveResponse { receipt }))
    }

    async fn confirm_delivery(
        &self,
        request: Request<v1::ConfirmDeliveryRequest>,
    ) -> Answer<v1::ConfirmDeliveryResponse> {
        let (who, _, request) = asked(request)?;
        let offer = convert::offer(request.offer)?;
        let command = Command::ConfirmDelivery { offer, session: DeskSession(request.session) };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::ConfirmDeliveryResponse { receipt }))
    }

    async fn accept(&self, request: Request<v1::AcceptRequest>) -> Answer<v1::AcceptResponse> {
        let (_, operator, request) = asked(request)?;
        let offer = convert::offer(request.offer)?;
        let command = Command::Accept { offer, session: DeskSession(request.session) };
        let asked = convert::request(&request.request_id)?;
        let input = Input { actor: Actor::Operator(operator), request: asked, command };
        let answer = self.0.exchange.ask(input).await;
        let result = accepted(&answer).ok_or_else(|| unaccepted(answer.clone()))?;
        let receipt = match answer {
            Ok(Committed { cursor, at, .. }) => self.0.receipt(cursor, at).await,
            Err(_) => self.0.present_receipt().await,
        };
        Ok(Response::new(v1::AcceptResponse { receipt: Some(receipt), result: result.into() }))
    }

    async fn decline(&self, request: Request<v1::DeclineRequest>) -> Answer<v1::DeclineResponse> {
        let (who, _, request) = asked(request)?;
        let offer = convert::offer(request.offer)?;
        let reason = convert::optional_code("reason", &request.reason)?;
        let command = Command::Decline { offer, session: DeskSession(request.session), reason };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::DeclineResponse { receipt }))
    }

    async fn confirm_media(
        &self,
        request: Request<v1::ConfirmMediaRequest>,
    ) -> Answer<v1::ConfirmMediaResponse> {
        let (who, _, request) = asked(request)?;
        let offer = convert::offer(request.offer)?;
        let command = Command::ConfirmMedia { offer, session: DeskSession(request.session) };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::ConfirmMediaResponse { receipt }))
    }

    async fn hold(&self, request: Request<v1::HoldRequest>) -> Answer<v1::HoldResponse> {
        let (who, _, request) = asked(request)?;
        let command = Command::Hold { call: call(&request.call_id)? };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::HoldResponse { receipt }))
    }

    async fn retrieve(&self, request: Request<v1::RetrieveRequest>) -> Answer<v1::RetrieveResponse> {
        let (who, _, request) = asked(request)?;
        let command = Command::Retrieve { call: call(&request.call_id)? };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::RetrieveResponse { receipt }))
    }

    async fn transfer(&self, request: Request<v1::TransferRequest>) -> Answer<v1::TransferResponse> {
        let (who, _, request) = asked(request)?;
        let to = convert::transfer_target(request.to)?;
        let command = Command::Transfer { call: call(&request.call_id)?, to };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::TransferResponse { receipt }))
    }

    async fn consult(&self, request: Request<v1::ConsultRequest>) -> Answer<v1::ConsultResponse> {
        let (who, _, request) = asked(request)?;
        let operator = convert::name("colleague_id", &request.colleague_id)?;
        let command = Command::Consult { call: call(&request.call_id)?, operator };
        let committed = self.0.ask(who, &request.request_id, command).await?;
        let offer = match committed.reply {
            Reply::Consulting { offer } => Some(convert::offer_ref(offer)),
            _ => None,
        };
        let receipt = Some(self.0.receipt(committed.cursor, committed.at).await);
        Ok(Response::new(v1::ConsultResponse { receipt, offer }))
    }

    async fn complete_transfer(
        &self,
        request: Request<v1::CompleteTransferRequest>,
    ) -> Answer<v1::CompleteTransferResponse> {
        let (who, _, request) = asked(request)?;
        let command = Command::CompleteTransfer { call: call(&request.call_id)? };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::CompleteTransferResponse { receipt }))
    }

    async fn hang_up(&self, request: Request<v1::HangUpRequest>) -> Answer<v1::HangUpResponse> {
        let (who, _, request) = asked(request)?;
        let command = Command::HangUp { call: call(&request.call_id)? };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::HangUpResponse { receipt }))
    }

    async fn end_wrap_up(&self, request: Request<v1::EndWrapUpRequest>) -> Answer<v1::EndWrapUpResponse> {
        let (who, _, request) = asked(request)?;
        let command = Command::EndWrapUp { topic: convert::optional_code("topic", &request.topic)? };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::EndWrapUpResponse { receipt }))
    }

    async fn block_caller(
        &self,
        request: Request<v1::OperatorServiceBlockCallerRequest>,
    ) -> Answer<v1::OperatorServiceBlockCallerResponse> {
        let (who, _, request) = asked(request)?;
        let reason = convert::code("reason", &request.reason)?;
        let command = Command::BlockCaller { call: call(&request.call_id)?, reason, lasting: None };
        let receipt = self.0.command(who, &request.request_id, command).await?;
        Ok(Response::new(v1::OperatorServiceBlockCallerResponse { receipt }))
    }
}

/// Who asks, and what.
fn asked<T>(request: Request<T>) -> Result<(Who, OperatorId, T), Status> {
    match principal(&request)?.who {
        who @ Who::Operator(operator) => Ok((who, operator, request.into_inner())),
        _ => Err(refusal::rejected(&Rejection::NotYours)),
    }
}

fn call(id: &str) -> Result<CallId, Status> {
    Ok(CallId(convert::uuid("call_id", id)?))
}

fn session_of(attached: Committed) -> Result<DeskSession, Status> {
    match attached.reply {
        Reply::Session { session } => Ok(session),
        _ => Err(Status::internal("an attached desk has a session")),
    }
}

/// The race between accept, ring and other accepts ends in an answer, not in an error.
fn accepted(answer: &Result<Committed, Refused>) -> Option<v1::AcceptResult> {
    match answer {
        Ok(Committed { reply: Reply::Accepted { .. }, .. }) => Some(v1::AcceptResult::Accepted),
        Ok(Committed { reply: Reply::Expired, .. }) => Some(v1::AcceptResult::Expired),
        Ok(Committed { reply: Reply::AnsweredElsewhere, .. }) => Some(v1::AcceptResult::AnsweredElsewhere),
        Ok(_) => None,
        Err(Refused::Rejection(rejection)) => match rejection {
            Rejection::CallerGone => Some(v1::AcceptResult::CallerGone),
            Rejection::AnsweredElsewhere => Some(v1::AcceptResult::AnsweredElsewhere),
            Rejection::Expired => Some(v1::AcceptResult::Expired),
            Rejection::StaleSession => Some(v1::AcceptResult::StaleSession),
            Rejection::Withdrawn => Some(v1::AcceptResult::Withdrawn),
            _ => None,
        },
        Err(_) => None,
    }
}

fn unaccepted(answer: Result<Committed, Refused>) -> Status {
    match answer {
        Ok(_) => Status::internal("an accept has an answer of its own"),
        Err(refused) => refusal::refused(refused),
    }
}
