//! A small site to run exchanges for, and journals that misbehave on demand.
#![expect(dead_code, reason = "every test file takes what it needs")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use exchange::{
    Clock, Committed, Exchange, ExchangeConfig, ExchangeHandle, Linked, Refused, StepTo, Stepped,
};
use presence::Holder;
use session::{Journal, MemoryJournal, StoredRow, Writer};
use switchboard::call::CallerKind;
use switchboard::command::{Actor, Adoption, Arrival, Command, Input, Profile};
use switchboard::decision::{Decision, Reply};
use switchboard::id::{CallId, CallerRef, DeskId, GatewayId, OperatorId, Revision, Seq, SiteId};
use switchboard::operator::Device;
use switchboard::plan::Plan;
use switchboard::time::{SiteTime, Span};

pub(crate) fn main_site() -> SiteId {
    name("main")
}

pub(crate) fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a name")
}

pub(crate) fn at(seconds: u64) -> SiteTime {
    SiteTime(0) + Span::secs(seconds)
}

pub(crate) async fn start(
    journal: &Arc<impl Journal + 'static>,
    writer: &str,
    clock: Clock,
) -> ExchangeHandle {
    let config = ExchangeConfig::alone(main_site(), Writer::new(writer));
    let journal: Arc<dyn Journal> = Arc::clone(journal) as Arc<dyn Journal>;
    Exchange::spawn(config, journal, clock).await.expect("the journal can be read")
}

/// A stepped exchange on a fresh journal, with the hospital's plan and its gateway.
pub(crate) async fn hospital() -> (ExchangeHandle, Arc<MemoryJournal>, Linked) {
    let journal = Arc::new(MemoryJournal::new());
    let exchange = start(&journal, "a", Clock::STEPPED).await;
    let stream = open(&exchange).await;
    (exchange, journal, stream)
}

/// Adopts the hospital's plan and attaches its gateway, whose stream stays open as long as the answer is held.
pub(crate) async fn open(exchange: &ExchangeHandle) -> Linked {
    exchange.ask(adopt(0)).await.expect("the plan is adopted");
    exchange.ask(attach_gateway()).await.expect("the gateway is attached");
    exchange.link(Holder::Gateway { gateway: gateway(), incarnation: 1 }).expect("it was attached")
}

/// An operator whose desk is attached and on duty; the stream stays open as long as the answer is held.
pub(crate) async fn on_duty(exchange: &ExchangeHandle, n: u64) -> Linked {
    ask(exchange, add_operator(n)).await;
    let attached = ask(exchange, attach_desk(n)).await;
    ask(exchange, by_operator(n, Command::GoOnDuty { operator: operator(n) })).await;
    let Reply::Session { session } = attached.reply else { panic!("a desk gets a session") };
    exchange.link(Holder::Desk { operator: operator(n), desk: desk(n), session }).expect("it was attached")
}

pub(crate) fn plan() -> Plan {
    plan::parse("hospital.toml", plan::HOSPITAL).expect("the shipped plan").plan
}

pub(crate) fn adopt(expect: u32) -> Input {
    let adoption =
        Adoption { plan: plan(), expect: Revision(expect), migrate: false, move_waiting: BTreeMap::new() };
    by_admin(Command::AdoptPlan(Box::new(adoption)))
}

pub(crate) fn by_admin(command: Command) -> Input {
    input(Actor::Admin(name("admin")), command)
}

pub(crate) fn input(actor: Actor, command: Command) -> Input {
    Input { actor, request: None, command }
}

pub(crate) fn gateway() -> GatewayId {
    name("main-1")
}

pub(crate) fn attach_gateway() -> Input {
    by_gateway(Command::AttachGateway { incarnation: 1, reaches: None, calls: BTreeSet::new() })
}

pub(crate) fn by_gateway(command: Command) -> Input {
    input(Actor::Gateway(gateway()), command)
}

pub(crate) fn call(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(0x018f_0000_0000_7000, 0x8000_0000_0000_0000 | n))
}

pub(crate) fn arrive_on(line: &str, n: u64) -> Input {
    by_gateway(Command::Arrive(Arrival {
        call: call(n),
        line: name(line),
        caller: CallerRef(uuid::Uuid::from_u64_pair(7, n)),
        kind: CallerKind::Public,
        skills: BTreeSet::new(),
        waited: Span::ZERO,
        diverted: None,
    }))
}

pub(crate) fn arrive(n: u64) -> Input {
    arrive_on("switchboard", n)
}

pub(crate) fn hang_up(n: u64) -> Input {
    by_gateway(Command::CallerHungUp { call: call(n) })
}

pub(crate) fn operator(n: u64) -> OperatorId {
    name(&format!("op-{n:02}"))
}

pub(crate) fn add_operator(n: u64) -> Input {
    let profile = Profile {
        teams: [name("professionals")].into(),
        home: [name("switchboard")].into(),
        skills: BTreeSet::new(),
        device: Device::AutoAnswer,
    };
    by_admin(Command::AddOperator { operator: operator(n), profile })
}

/// Somebody of no team and no line: takes no calls, and needs no plan.
pub(crate) fn add_visitor(n: u64) -> Input {
    by_admin(Command::AddOperator { operator: operator(n), profile: visitor() })
}

pub(crate) fn visitor() -> Profile {
    Profile {
        teams: BTreeSet::new(),
        home: BTreeSet::new(),
        skills: BTreeSet::new(),
        device: Device::AutoAnswer,
    }
}

pub(crate) fn desk(n: u64) -> DeskId {
    DeskId(uuid::Uuid::from_u64_pair(9, n))
}

pub(crate) fn by_operator(n: u64, command: Command) -> Input {
    input(Actor::Operator(operator(n)), command)
}

pub(crate) fn attach_desk(n: u64) -> Input {
    by_operator(n, Command::AttachDesk { operator: operator(n), desk: desk(n) })
}

pub(crate) async fn ask(exchange: &ExchangeHandle, input: Input) -> Committed {
    exchange.ask(input).await.expect("it is accepted")
}

pub(crate) async fn refusal(exchange: &ExchangeHandle, input: Input) -> Refused {
    exchange.ask(input).await.expect_err("it is refused")
}

pub(crate) async fn step(exchange: &ExchangeHandle, seconds: u64) -> Stepped {
    exchange.step(StepTo::At(at(seconds))).await.expect("it steps")
}

pub(crate) async fn rows(journal: &dyn Journal) -> Vec<StoredRow> {
    journal.tail(main_site(), Seq(0), usize::MAX).await.expect("memory answers")
}

pub(crate) async fn decisions(journal: &dyn Journal) -> Vec<Decision> {
    let rows = rows(journal).await;
    rows.iter().flat_map(|stored| session::decode(&stored.row).expect("it was written here")).collect()
}
