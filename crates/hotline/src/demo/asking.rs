//! Commands of the simulated hospital as requests, each sent by whoever would send it.

use std::collections::BTreeMap;

use api::{Client, Unary, v1};
use switchboard::call::CallerKind;
use switchboard::command::{Actor, Arrival, Command, Input, LegFact, Profile, TransferTarget};
use switchboard::id::{Attempt, CallId, CallerRef, DeskSession, OfferId, OperatorId, RequestId};
use switchboard::operator::Device;
use switchboard::plan::Plan;

use super::fault::DemoFault;

/// What became of a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was done, or had been done before.
    Done(v1::Receipt),
    /// It was refused and changed nothing: somebody else was faster.
    Refused,
}

/// Who can ask.
pub(super) struct Askers {
    pub(super) gateway: Client,
    pub(super) supervisor: Client,
    pub(super) admin: Client,
    /// Each with a token of the own, from when the person was added.
    pub(super) operators: BTreeMap<OperatorId, Client>,
    numbers: CallerNumbers,
    requests: RequestIds,
}

impl Askers {
    /// The three that a server knows from its start.
    pub(super) fn new(seed: u64, gateway: Client, supervisor: Client, admin: Client) -> Askers {
        Askers {
            gateway,
            supervisor,
            admin,
            operators: BTreeMap::new(),
            numbers: CallerNumbers::default(),
            requests: RequestIds { seed, minted: 0 },
        }
    }

    /// The plan in force; a service without one gets the plan that comes with the product.
    ///
    /// # Errors
    /// When the service fails, or its plan is none.
    pub(super) async fn plan_in_force(&self) -> Result<Plan, DemoFault> {
        let failed = |status: &dyn std::fmt::Display| DemoFault::call("reading the plan in force")(status);
        let found = self.admin.send(v1::GetPlanRequest::default()).await.map_err(|s| failed(&s))?;
        let text = if found.revision == 0 {
            let text = plan::HOSPITAL.to_owned();
            let request = v1::ApplyPlanRequest { text: text.clone(), ..v1::ApplyPlanRequest::default() };
            self.admin.send(request).await.map_err(|s| DemoFault::call("applying the plan")(&s))?;
            text
        } else {
            found.text
        };
        let parsed = plan::parse("the plan in force", &text);
        Ok(parsed.map_err(|faults| DemoFault::unreadable("a plan", faults.to_string()))?.plan)
    }

    /// The same with a request id, so that it is the same request however often it is sent.
    pub(super) fn named(&mut self, input: Input) -> Input {
        let request = input.request.unwrap_or_else(|| self.requests.mint());
        Input { request: Some(request), ..input }
    }

    /// Sends a command as a request of the actor's.
    ///
    /// # Errors
    /// When the service fails, or refuses what nobody else can have been faster at.
    pub(super) async fn ask(&mut self, input: &Input) -> Result<Answer, DemoFault> {
        let request_id = input.request.map(|request| request.0.to_string()).unwrap_or_default();
        match (&input.command, input.actor) {
            (Command::AddOperator { operator, profile }, _) => {
                self.add_operator(request_id, *operator, profile).await
            }
            (command, Actor::Gateway(_)) => self.report(command).await,
            (command, Actor::Operator(operator)) => self.operator_asks(request_id, operator, command).await,
            (command, _) => self.supervisor_asks(request_id, command).await,
        }
    }

    async fn add_operator(
        &mut self,
        request_id: String,
        operator: OperatorId,
        profile: &Profile,
    ) -> Result<Answer, DemoFault> {
        let request = v1::AddOperatorRequest {
            request_id,
            operator_id: operator.to_string(),
            profile: Some(wire_profile(profile)),
        };
        let added = self.admin.send(request).await.map_err(|s| DemoFault::call("adding an operator")(&s))?;
        let bearer = api::Bearer::new(&added.token)
            .map_err(|_| DemoFault::unreadable("an operator's token", "(hidden)"))?;
        self.operators.insert(operator, self.admin.with_token(bearer));
        Ok(Answer::Done(added.receipt.unwrap_or_default()))
    }

    async fn report(&mut self, command: &Command) -> Result<Answer, DemoFault> {
        let Some(fact) = self.fact(command) else { return Err(no_request(command)) };
        let request = v1::ReportRequest { facts: vec![v1::Fact { fact: Some(fact) }] };
        let reported =
            self.gateway.send(request).await.map_err(|s| DemoFault::call("reporting a fact")(&s))?;
        match reported.results.first().and_then(|result| result.result.as_ref()) {
            Some(v1::fact_result::Result::Noted(_)) => Ok(Answer::Done(reported.receipt.unwrap_or_default())),
            Some(v1::fact_result::Result::Refused(_)) => Ok(Answer::Refused),
            None => Err(DemoFault::unreadable("what became of a fact", "")),
        }
    }

    fn fact(&mut self, command: &Command) -> Option<v1::fact::Fact> {
        use v1::fact::Fact;
        Some(match command {
            Command::Arrive(arrival) => Fact::Arrival(self.arrival(arrival)),
            Command::CallerHungUp { call } => {
                Fact::CallerHungUp(v1::CallerHungUp { call_id: call.to_string() })
            }
            Command::Leg { call, attempt, fact } => Fact::Leg(leg_report(*call, *attempt, *fact)),
            Command::Digit { call, attempt, digit } => Fact::Digit(v1::Digit {
                call_id: call.to_string(),
                attempt: attempt.map(|attempt| attempt.0),
                key: digit.to_string(),
            }),
            Command::PromptFinished { call } => {
                Fact::PromptFinished(v1::PromptFinished { call_id: call.to_string() })
            }
            Command::NotePhone { operator, busy } => {
                Fact::Phone(v1::PhoneReport { operator_id: operator.to_string(), busy: *busy })
            }
            _ => return None,
        })
    }

    fn arrival(&mut self, arrival: &Arrival) -> v1::Arrival {
        v1::Arrival {
            call_id: arrival.call.to_string(),
            line_id: arrival.line.to_string(),
            number: self.numbers.of(arrival.caller, arrival.kind).into_bytes(),
            skill_ids: arrival.skills.iter().map(ToString::to_string).collect(),
            waited_ms: arrival.waited.0 / 1_000,
            diverted_destination_id: arrival.diverted.map(|d| d.to_string()).unwrap_or_default(),
        }
    }

    async fn operator_asks(
        &self,
        request_id: String,
        operator: OperatorId,
        command: &Command,
    ) -> Result<Answer, DemoFault> {
        let client = self.client_of(operator)?;
        let of = |id: &OfferId| Some(offer_ref(*id));
        match command {
            Command::GoOnDuty { .. } => ask(client, v1::GoOnDutyRequest { request_id }).await,
            Command::Pause { reason, lasting, .. } => {
                let lasting_ms = lasting.map(|span| span.0 / 1_000);
                ask(client, v1::PauseRequest { request_id, reason: reason.to_string(), lasting_ms }).await
            }
            Command::Resume { .. } => ask(client, v1::ResumeRequest { request_id }).await,
            Command::Leave { .. } => ask(client, v1::LeaveRequest { request_id }).await,
            Command::ConfirmDelivery { offer, session: DeskSession(session) } => {
                let (offer, session) = (of(offer), *session);
                ask(client, v1::ConfirmDeliveryRequest { request_id, offer, session }).await
            }
            Command::Accept { offer, session: DeskSession(session) } => {
                let (offer, session) = (of(offer), *session);
                ask(client, v1::AcceptRequest { request_id, offer, session }).await
            }
            Command::Decline { offer, session: DeskSession(session), reason } => {
                let (offer, session) = (of(offer), *session);
                let reason = reason.map(|code| code.to_string()).unwrap_or_default();
                ask(client, v1::DeclineRequest { request_id, offer, session, reason }).await
            }
            Command::ConfirmMedia { offer, session: DeskSession(session) } => {
                let (offer, session) = (of(offer), *session);
                ask(client, v1::ConfirmMediaRequest { request_id, offer, session }).await
            }
            Command::EndWrapUp { topic } => {
                let topic = topic.map(|code| code.to_string()).unwrap_or_default();
                ask(client, v1::EndWrapUpRequest { request_id, topic }).await
            }
            _ => about_own_call(client, request_id, command).await,
        }
    }

    /// Who has no desk is put on and off duty by the own token, as a web page of a telephone operator would.
    async fn supervisor_asks(&self, request_id: String, command: &Command) -> Result<Answer, DemoFault> {
        match command {
            Command::GoOnDuty { operator }
            | Command::Pause { operator, .. }
            | Command::Resume { operator }
            | Command::Leave { operator } => self.operator_asks(request_id, *operator, command).await,
            _ => Err(no_request(command)),
        }
    }

    fn client_of(&self, operator: OperatorId) -> Result<&Client, DemoFault> {
        self.operators.get(&operator).ok_or_else(|| DemoFault::Call {
            doing: "asking for an operator",
            message: format!("{operator} was not added"),
        })
    }
}

async fn about_own_call(client: &Client, request_id: String, command: &Command) -> Result<Answer, DemoFault> {
    match command {
        Command::Hold { call } => {
            ask(client, v1::HoldRequest { request_id, call_id: call.to_string() }).await
        }
        Command::Retrieve { call } => {
            ask(client, v1::RetrieveRequest { request_id, call_id: call.to_string() }).await
        }
        Command::HangUp { call } => {
            ask(client, v1::HangUpRequest { request_id, call_id: call.to_string() }).await
        }
        Command::Transfer { call, to } => {
            let to = Some(transfer_target(*to));
            ask(client, v1::TransferRequest { request_id, call_id: call.to_string(), to }).await
        }
        Command::Consult { call, operator } => {
            let (call_id, colleague_id) = (call.to_string(), operator.to_string());
            ask(client, v1::ConsultRequest { request_id, call_id, colleague_id }).await
        }
        Command::CompleteTransfer { call } => {
            ask(client, v1::CompleteTransferRequest { request_id, call_id: call.to_string() }).await
        }
        Command::BlockCaller { call, reason, .. } => {
            let (call_id, reason) = (call.to_string(), reason.to_string());
            ask(client, v1::OperatorServiceBlockCallerRequest { request_id, call_id, reason }).await
        }
        _ => Err(no_request(command)),
    }
}

/// A reply that carries a receipt.
trait Receipted {
    fn receipt(self) -> Option<v1::Receipt>;
}

macro_rules! receipted {
    ($($reply:ident),+ $(,)?) => {$(
        impl Receipted for v1::$reply {
            fn receipt(self) -> Option<v1::Receipt> {
                self.receipt
            }
        }
    )+};
}

receipted!(
    GoOnDutyResponse,
    PauseResponse,
    ResumeResponse,
    LeaveResponse,
    ConfirmDeliveryResponse,
    AcceptResponse,
    DeclineResponse,
    ConfirmMediaResponse,
    EndWrapUpResponse,
    HoldResponse,
    RetrieveResponse,
    HangUpResponse,
    TransferResponse,
    ConsultResponse,
    CompleteTransferResponse,
    OperatorServiceBlockCallerResponse,
);

async fn ask<R>(client: &Client, request: R) -> Result<Answer, DemoFault>
where
    R: Unary,
    R::Reply: Receipted,
{
    match client.send(request).await {
        Ok(reply) => Ok(Answer::Done(reply.receipt().unwrap_or_default())),
        Err(status) if is_refusal(status.code() as i32) => Ok(Answer::Refused),
        Err(status) => Err(DemoFault::call("an operator's request")(&status)),
    }
}

/// The gRPC codes of a switchboard that says no: not found, already exists, permission denied (of somebody else's
/// call), failed precondition, aborted. Everything else would be a fault.
fn is_refusal(code: i32) -> bool {
    matches!(code, 5 | 6 | 7 | 9 | 10)
}

fn no_request(command: &Command) -> DemoFault {
    DemoFault::Call { doing: "looking for a request", message: format!("nobody can ask for {command:?}") }
}

fn offer_ref(offer: OfferId) -> v1::OfferRef {
    v1::OfferRef { call_id: offer.call.to_string(), attempt: offer.attempt.0 }
}

fn transfer_target(to: TransferTarget) -> v1::TransferTarget {
    use v1::transfer_target::Target;
    let target = match to {
        TransferTarget::Line(line) => Target::LineId(line.to_string()),
        TransferTarget::Operator(operator) => Target::OperatorId(operator.to_string()),
    };
    v1::TransferTarget { target: Some(target) }
}

fn leg_report(call: CallId, Attempt(attempt): Attempt, fact: LegFact) -> v1::LegReport {
    let (event, cause) = match fact {
        LegFact::Ringing => (v1::LegEvent::Ringing, String::new()),
        LegFact::Answered => (v1::LegEvent::Answered, String::new()),
        LegFact::Bridged => (v1::LegEvent::Bridged, String::new()),
        LegFact::HungUp => (v1::LegEvent::HungUp, String::new()),
        LegFact::Failed(cause) => (v1::LegEvent::Failed, cause.to_string()),
        LegFact::BridgeLost => (v1::LegEvent::BridgeLost, String::new()),
    };
    v1::LegReport { call_id: call.to_string(), attempt, event: event.into(), cause }
}

fn wire_profile(profile: &Profile) -> v1::OperatorProfile {
    let device = match profile.device {
        Device::AutoAnswer => v1::DeviceKind::AutoAnswer,
        Device::Ring => v1::DeviceKind::Ring,
        Device::Telephone => v1::DeviceKind::Telephone,
        Device::Softphone => v1::DeviceKind::Softphone,
    };
    v1::OperatorProfile {
        team_ids: profile.teams.iter().map(ToString::to_string).collect(),
        home_line_ids: profile.home.iter().map(ToString::to_string).collect(),
        skill_ids: profile.skills.iter().map(ToString::to_string).collect(),
        device: device.into(),
    }
}

/// What the hospital's own telephones begin with; the service is told the same when it is started.
pub(super) const STAFF_PREFIX: &str = "8";

/// A number for each caller: the same caller has the same number at the next attempt. All made up, and none in use.
#[derive(Debug, Default)]
struct CallerNumbers {
    known: BTreeMap<CallerRef, String>,
}

impl CallerNumbers {
    fn of(&mut self, caller: CallerRef, kind: CallerKind) -> String {
        let nth = self.known.len() + 1;
        let minted = || match kind {
            CallerKind::Staff => format!("{STAFF_PREFIX}{nth:06}"),
            CallerKind::Public => format!("1{nth:010}"),
        };
        self.known.entry(caller).or_insert_with(minted).clone()
    }
}

/// Request ids that follow from the seed, so that the record of the day is the same each time.
#[derive(Debug)]
struct RequestIds {
    seed: u64,
    minted: u64,
}

impl RequestIds {
    fn mint(&mut self) -> RequestId {
        self.minted += 1;
        let bits = (u128::from(self.seed) << 64) | u128::from(self.minted);
        RequestId(uuid::Builder::from_custom_bytes(bits.to_be_bytes()).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_caller_keeps_the_number_and_staff_are_told_by_it() {
        let mut numbers = CallerNumbers::default();
        let caller = |n| CallerRef(Uuid::from_u128(n));
        let first = numbers.of(caller(1), CallerKind::Public);
        let staff = numbers.of(caller(2), CallerKind::Staff);
        assert_eq!(numbers.of(caller(1), CallerKind::Public), first);
        assert_ne!(first, staff);
        assert!(staff.starts_with(STAFF_PREFIX) && !first.starts_with(STAFF_PREFIX));
    }

    #[test]
    fn request_ids_follow_from_the_seed_and_never_repeat() {
        let mint = |seed| {
            let mut ids = RequestIds { seed, minted: 0 };
            [ids.mint(), ids.mint()]
        };
        assert_eq!(mint(7), mint(7));
        let all: std::collections::BTreeSet<RequestId> = mint(7).into_iter().chain(mint(8)).collect();
        assert_eq!(all.len(), 4);
    }
}
