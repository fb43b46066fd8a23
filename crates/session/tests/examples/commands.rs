//! One decision per kind of command, spread over every kind of actor.

use std::collections::BTreeMap;

use switchboard::call::CallerKind;
use switchboard::command::{Actor, Adoption, Arrival, Command, Expected, Force, LegFact, TransferTarget};
use switchboard::decision::{Decision, Reply};
use switchboard::id::{Attempt, DeskSession, Revision};
use switchboard::time::Span;

use super::{
    call, caller, decision, desk, edges, gateway, kinds, line, name as text, names, offer, operator, plan,
    profile,
};

kinds!(Command:
    Tick, Arrive, CallerHungUp, Leg, Digit, PromptFinished, AttachGateway, LoseGateway, NotePhone, AttachDesk,
    RenewDesk, DropDesk, ConfirmDelivery, Accept, Decline, ConfirmMedia, Hold, Retrieve, HangUp, Transfer, Consult,
    CompleteTransfer, EndWrapUp, GoOnDuty, Pause, Resume, Leave, BlockCaller, UnblockCaller, DivertLine, OpenLine,
    CloseLine, MoveCall, ForceOperator, AdoptPlan, ExtendSchedule, AddOperator, ChangeOperator, RemoveOperator,
    RetireSite,
);

/// The examples, by name.
pub(crate) fn examples() -> Vec<(&'static str, Decision)> {
    let asked = [
        (Actor::Clock, vec![Command::Tick]),
        (Actor::Gateway(gateway()), from_gateways()),
        (Actor::Presence, from_presence()),
        (Actor::Operator(operator()), from_desks()),
        (Actor::Supervisor(text("head-nurse")), from_supervisors()),
        (Actor::Admin(text("admin")), from_administrators()),
    ];
    let decided = |(actor, commands): (Actor, Vec<Command>)| {
        commands
            .into_iter()
            .map(move |command| (name(&command), decision(actor, command, Vec::new(), Reply::Done)))
    };
    asked.into_iter().flat_map(decided).collect()
}

fn from_gateways() -> Vec<Command> {
    let arrival = Arrival {
        call: call(),
        line: line("emergency"),
        caller: caller(),
        kind: CallerKind::Public,
        skills: names(&["cantonese"]),
        waited: Span::secs(40),
        diverted: Some(text("duty-phone")),
    };
    let failed = LegFact::Failed(text("congestion"));
    vec![
        Command::Arrive(arrival),
        Command::CallerHungUp { call: call() },
        Command::Leg { call: call(), attempt: Attempt(2), fact: failed },
        Command::Digit { call: call(), attempt: Some(Attempt(2)), digit: '1' },
        Command::PromptFinished { call: call() },
        Command::AttachGateway {
            incarnation: 4,
            reaches: Some(names(&["op-01", "op-02"])),
            calls: [call()].into(),
        },
        Command::NotePhone { operator: operator(), busy: true },
    ]
}

fn from_presence() -> Vec<Command> {
    vec![
        Command::LoseGateway { gateway: gateway(), incarnation: 4 },
        Command::DropDesk { operator: operator(), session: DeskSession(2) },
    ]
}

fn from_desks() -> Vec<Command> {
    let (operator, call, offer, session) = (operator(), call(), offer(), DeskSession(2));
    vec![
        Command::AttachDesk { operator, desk: desk() },
        Command::RenewDesk { operator, session },
        Command::ConfirmDelivery { offer, session },
        Command::Accept { offer, session },
        Command::Decline { offer, session, reason: Some(text("break")) },
        Command::ConfirmMedia { offer, session },
        Command::Hold { call },
        Command::Retrieve { call },
        Command::HangUp { call },
        Command::Transfer { call, to: TransferTarget::Operator(operator) },
        Command::Consult { call, operator },
        Command::CompleteTransfer { call },
        Command::EndWrapUp { topic: Some(text("outpatient")) },
        Command::GoOnDuty { operator },
        Command::Pause { operator, reason: text("meal"), lasting: Some(Span::secs(1_800)) },
        Command::Resume { operator },
        Command::Leave { operator },
        Command::BlockCaller { call, reason: text("abuse"), lasting: Some(Span::secs(3_600)) },
        Command::UnblockCaller { caller: caller() },
    ]
}

fn from_supervisors() -> Vec<Command> {
    let line = line("emergency");
    vec![
        Command::DivertLine { line, destination: Some(text("duty-phone")), lasting: Span::secs(600) },
        Command::OpenLine { line },
        Command::CloseLine { line, reason: text("fire"), lasting: Span::secs(600) },
        Command::MoveCall { call: call(), to: line },
        Command::ForceOperator { operator: operator(), to: Force::Idle },
    ]
}

fn from_administrators() -> Vec<Command> {
    let adoption = Adoption {
        plan: plan(),
        expect: Revision(2),
        migrate: true,
        move_waiting: BTreeMap::from([(line("comfort"), line("switchboard"))]),
    };
    vec![
        Command::AdoptPlan(Box::new(adoption)),
        Command::ExtendSchedule { edges: edges() },
        Command::AddOperator { operator: operator(), profile: profile() },
        Command::ChangeOperator { operator: operator(), profile: profile(), expect: Expected::default() },
        Command::RemoveOperator { operator: operator() },
        Command::RetireSite,
    ]
}
