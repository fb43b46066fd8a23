//! A service in front of a distributor, so that the same desks and the same gateway can be connected to it: the part
//! of the API that a plain call distributor needs, and nothing else. Who must hear of a step hears it over an open stream,
//! as soon as the distributor says that it was made.

mod messages;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::v1;
use api::v1::admin_service_server::{AdminService, AdminServiceServer};
use api::v1::gateway_service_server::{GatewayService, GatewayServiceServer};
use api::v1::operator_service_server::{OperatorService, OperatorServiceServer};
use futures_util::{Stream, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use self::messages::{desk_shows, receipt, treatment};
use crate::distributor::{Distributor, Listener, Step};

type Answer<T> = Result<Response<T>, Status>;
type Outgoing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What the services share. Cloning is cheap.
#[derive(Clone)]
struct Front(Arc<Inside>);

struct Inside {
    distributor: Box<dyn Distributor>,
    connected: Arc<Connected>,
}

/// Who is connected, and hears of every step that concerns them.
#[derive(Default)]
pub(crate) struct Connected(Mutex<Listeners>);

#[derive(Default)]
struct Listeners {
    gateway: Option<UnboundedSender<v1::GatewayServiceAttachResponse>>,
    desks: BTreeMap<String, UnboundedSender<v1::OperatorServiceAttachResponse>>,
}

/// Serves on a connection made to `listener`, until the process ends.
///
/// # Errors
/// When it cannot serve.
pub(crate) async fn serve(
    listener: TcpListener,
    distributor: Box<dyn Distributor>,
    connected: Arc<Connected>,
) -> anyhow::Result<()> {
    let front = Front(Arc::new(Inside { distributor, connected }));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder()
        .add_service(GatewayServiceServer::new(front.clone()))
        .add_service(OperatorServiceServer::new(front.clone()))
        .add_service(AdminServiceServer::new(front));
    Ok(server.serve_with_incoming(incoming).await?)
}

impl Connected {
    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, operator: &str, call_id: &str, work: v1::WorkState) {
        if let Some(desk) = self.listeners().desks.get(operator) {
            // A desk that is gone hears nothing.
            let _heard = desk.send(desk_shows(operator, call_id, work));
        }
    }

    fn treat(&self, call_id: &str, shape: v1::TreatmentShape, operator: &str) {
        if let Some(gateway) = &self.listeners().gateway {
            // A gateway that is gone hears nothing.
            let _heard = gateway.send(treatment(call_id, shape, operator));
        }
    }
}

impl Listener for Connected {
    fn hear(&self, step: Step, call: &str, operator: &str) {
        match step {
            Step::Ringing => self.treat(call, v1::TreatmentShape::Ring, ""),
            Step::Offered => self.show(operator, call, v1::WorkState::Offered),
            Step::Connecting => {
                self.show(operator, call, v1::WorkState::Connecting);
                self.treat(call, v1::TreatmentShape::Connect, operator);
            }
            Step::Talking => self.show(operator, call, v1::WorkState::Talking),
            Step::WrapUp => {
                self.treat(call, v1::TreatmentShape::Release, "");
                self.show(operator, call, v1::WorkState::WrapUp);
            }
            Step::Idle => self.show(operator, "", v1::WorkState::Idle),
        }
    }
}

impl Front {
    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.0.connected.listeners()
    }

    async fn note(&self, fact: v1::fact::Fact) -> Result<(), Status> {
        let distributor = &self.0.distributor;
        let noted = match fact {
            v1::fact::Fact::Arrival(arrival) => {
                let number = String::from_utf8_lossy(&arrival.number);
                distributor.arrive(&arrival.call_id, &number).await
            }
            v1::fact::Fact::Leg(leg) if leg.event() == v1::LegEvent::Bridged => {
                distributor.connect(&leg.call_id).await
            }
            v1::fact::Fact::CallerHungUp(gone) => distributor.end(&gone.call_id).await,
            _ => return Err(not_here()),
        };
        in_its_life(noted)
    }

    async fn free(&self, operator: &str) -> Result<(), Status> {
        in_its_life(self.0.distributor.free(operator).await)
    }
}

#[tonic::async_trait]
impl GatewayService for Front {
    type AttachStream = Outgoing<v1::GatewayServiceAttachResponse>;

    async fn attach(&self, _: Request<v1::GatewayServiceAttachRequest>) -> Answer<Self::AttachStream> {
        let (sender, receiver) = unbounded_channel();
        // It has just been made: the first message waits in it.
        let _waits = sender.send(v1::GatewayServiceAttachResponse::default());
        self.listeners().gateway = Some(sender);
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(receiver).map(Ok))))
    }

    async fn report(&self, request: Request<v1::ReportRequest>) -> Answer<v1::ReportResponse> {
        let mut results = Vec::new();
        for fact in request.into_inner().facts {
            self.note(fact.fact.ok_or_else(not_here)?).await?;
            let noted = v1::fact_result::Result::Noted(v1::FactNoted::default());
            results.push(v1::FactResult { result: Some(noted) });
        }
        Ok(Response::new(v1::ReportResponse { receipt: Some(receipt()), results }))
    }
}

/// Methods that a plain call distributor does without.
macro_rules! not_here {
    ($($method:ident($request:ident) -> $reply:ident),+ $(,)?) => {$(
        fn $method<'s, 'f>(
            &'s self,
            _: Request<v1::$request>,
        ) -> Pin<Box<dyn Future<Output = Answer<v1::$reply>> + Send + 'f>>
        where
            's: 'f,
            Self: 'f,
        {
            Box::pin(async { Err(not_here()) })
        }
    )+};
}

#[tonic::async_trait]
impl OperatorService for Front {
    type AttachStream = Outgoing<v1::OperatorServiceAttachResponse>;

    async fn attach(&self, request: Request<v1::OperatorServiceAttachRequest>) -> Answer<Self::AttachStream> {
        let operator = operator_of(&request)?;
        let (sender, receiver) = unbounded_channel();
        // It has just been made: the first message waits in it.
        let _waits = sender.send(desk_shows(&operator, "", v1::WorkState::Idle));
        self.listeners().desks.insert(operator, sender);
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(receiver).map(Ok))))
    }

    async fn heartbeat(&self, _: Request<v1::HeartbeatRequest>) -> Answer<v1::HeartbeatResponse> {
        Ok(Response::new(v1::HeartbeatResponse::default()))
    }

    async fn go_on_duty(&self, request: Request<v1::GoOnDutyRequest>) -> Answer<v1::GoOnDutyResponse> {
        self.free(&operator_of(&request)?).await?;
        Ok(Response::new(v1::GoOnDutyResponse { receipt: Some(receipt()) }))
    }

    async fn accept(&self, request: Request<v1::AcceptRequest>) -> Answer<v1::AcceptResponse> {
        let operator = operator_of(&request)?;
        let offer = request.into_inner().offer.ok_or_else(not_here)?;
        in_its_life(self.0.distributor.accept(&offer.call_id, &operator).await)?;
        let result = v1::AcceptResult::Accepted.into();
        Ok(Response::new(v1::AcceptResponse { receipt: Some(receipt()), result }))
    }

    async fn end_wrap_up(&self, request: Request<v1::EndWrapUpRequest>) -> Answer<v1::EndWrapUpResponse> {
        self.free(&operator_of(&request)?).await?;
        Ok(Response::new(v1::EndWrapUpResponse { receipt: Some(receipt()) }))
    }

    not_here!(
        pause(PauseRequest) -> PauseResponse,
        resume(ResumeRequest) -> ResumeResponse,
        leave(LeaveRequest) -> LeaveResponse,
        confirm_delivery(ConfirmDeliveryRequest) -> ConfirmDeliveryResponse,
        decline(DeclineRequest) -> DeclineResponse,
        confirm_media(ConfirmMediaRequest) -> ConfirmMediaResponse,
        hold(HoldRequest) -> HoldResponse,
        retrieve(RetrieveRequest) -> RetrieveResponse,
        transfer(TransferRequest) -> TransferResponse,
        consult(ConsultRequest) -> ConsultResponse,
        complete_transfer(CompleteTransferRequest) -> CompleteTransferResponse,
        hang_up(HangUpRequest) -> HangUpResponse,
        block_caller(OperatorServiceBlockCallerRequest) -> OperatorServiceBlockCallerResponse,
    );
}

#[tonic::async_trait]
impl AdminService for Front {
    type TailEventsStream = Outgoing<v1::TailEventsResponse>;

    async fn add_operator(
        &self,
        request: Request<v1::AddOperatorRequest>,
    ) -> Answer<v1::AddOperatorResponse> {
        let token = request.into_inner().operator_id;
        Ok(Response::new(v1::AddOperatorResponse { receipt: Some(receipt()), token }))
    }

    async fn tail_events(&self, _: Request<v1::TailEventsRequest>) -> Answer<Self::TailEventsStream> {
        Err(not_here())
    }

    not_here!(
        get_plan(GetPlanRequest) -> GetPlanResponse,
        list_plans(ListPlansRequest) -> ListPlansResponse,
        list_tokens(ListTokensRequest) -> ListTokensResponse,
        validate_plan(ValidatePlanRequest) -> ValidatePlanResponse,
        diff_plan(DiffPlanRequest) -> DiffPlanResponse,
        apply_plan(ApplyPlanRequest) -> ApplyPlanResponse,
        change_operator(ChangeOperatorRequest) -> ChangeOperatorResponse,
        remove_operator(RemoveOperatorRequest) -> RemoveOperatorResponse,
        list_operators(ListOperatorsRequest) -> ListOperatorsResponse,
        invite_operator(InviteOperatorRequest) -> InviteOperatorResponse,
        issue_token(IssueTokenRequest) -> IssueTokenResponse,
        revoke_token(RevokeTokenRequest) -> RevokeTokenResponse,
    );
}

/// The token is the operator's name: a fair distributor asks who it is, a plain one believes it.
fn operator_of<T>(request: &Request<T>) -> Result<String, Status> {
    let token = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
    let name = token.and_then(|token| token.strip_prefix("Bearer "));
    name.map(ToOwned::to_owned).ok_or_else(|| Status::unauthenticated("say who you are"))
}

/// What became of a step.
fn in_its_life(made: anyhow::Result<bool>) -> Result<(), Status> {
    match made {
        Ok(true) => Ok(()),
        Ok(false) => Err(Status::failed_precondition("the call is not at this step of its life")),
        Err(fault) => Err(Status::unavailable(format!("{fault:#}"))),
    }
}

fn not_here() -> Status {
    Status::unimplemented("a plain call distributor does without it")
}
