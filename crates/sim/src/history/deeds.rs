//! What is done in one step: numbers read against the state of the moment.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::{Call, CallerKind, Offer, Phase, Stage};
use switchboard::command::{
    Actor, Adoption, Arrival, Command, Edge, EdgeKind, Force, Input, LegFact, TransferTarget,
};
use switchboard::id::{
    Attempt, CallId, CallerRef, DeskId, DeskSession, GatewayId, LineId, OfferId, OperatorId, RequestId,
    Revision,
};
use switchboard::operator::{Device, Duty, Work};
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};
use uuid::Uuid;

use super::site::{OUTSIDE, PEOPLE, SKILLS, line_id, name, operator_id, plan, profile};
use super::{Draw, Numbers};

/// How often each deed is done, in parts of their sum; the simplest first.
const DEEDS: [(Deed, usize); 24] = [
    (Deed::Arrive, 11),
    (Deed::Answer, 22),
    (Deed::CallerHangsUp, 4),
    (Deed::Decline, 3),
    (Deed::OperatorDoes, 9),
    (Deed::EndWrapUp, 3),
    (Deed::Duty, 5),
    (Deed::Desk, 5),
    (Deed::Leg, 6),
    (Deed::Key, 4),
    (Deed::PromptFinished, 2),
    (Deed::Line, 3),
    (Deed::MoveCall, 2),
    (Deed::Force, 2),
    (Deed::Gateway, 2),
    (Deed::Phone, 2),
    (Deed::Block, 1),
    (Deed::People, 2),
    (Deed::Schedule, 2),
    (Deed::Plan, 1),
    (Deed::Echo, 5),
    (Deed::Late, 3),
    (Deed::Foreign, 2),
    (Deed::Tick, 1),
];

#[derive(Debug, Clone, Copy)]
enum Deed {
    Arrive,
    Answer,
    CallerHangsUp,
    Decline,
    OperatorDoes,
    EndWrapUp,
    Duty,
    Desk,
    Leg,
    Key,
    PromptFinished,
    Line,
    MoveCall,
    Force,
    Gateway,
    Phone,
    Block,
    People,
    Schedule,
    Plan,
    Echo,
    Late,
    Foreign,
    Tick,
}

/// What a driver remembers beside the switchboard's state.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    calls: u128,
    requests: u128,
    /// Every input so far.
    pub(super) inputs: Vec<(SiteTime, Input)>,
}

impl Deeds {
    /// What a step does, if anything.
    pub(super) fn next(&mut self, state: &State, draw: &Draw) -> Option<Input> {
        let mut numbers = Numbers::of(&draw[2..]);
        let deed = deed(usize::from(draw[0]));
        let (actor, command) = match deed {
            Deed::Echo => {
                let back = 1 + numbers.next() % 6;
                return self.inputs.iter().rev().nth(back).map(|(_, input)| input.clone());
            }
            Deed::Foreign => {
                let (actor, command) = self.command(Deed::Late, state, &mut numbers)?;
                (another(actor), command)
            }
            deed => self.command(deed, state, &mut numbers)?,
        };
        Some(Input { actor, request: self.request(usize::from(draw[1])), command })
    }

    /// A fresh request id now and then; rarely one that was used for something else.
    fn request(&mut self, number: usize) -> Option<RequestId> {
        match number / 16 % 32 {
            0..16 => None,
            16..31 => {
                self.requests += 1;
                Some(RequestId(Uuid::from_u128(0x2000_0000 + self.requests)))
            }
            _ => Some(RequestId(Uuid::from_u128(0x2000_0000 + self.requests))),
        }
    }

    fn command(&mut self, deed: Deed, state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
        match deed {
            Deed::Tick => Some((Actor::Clock, Command::Tick)),
            Deed::Arrive => Some(self.arrive(state, n)),
            Deed::Answer => answer(state, n),
            Deed::CallerHangsUp => by_gateway(state, n, |call| Command::CallerHungUp { call }),
            Deed::PromptFinished => by_gateway(state, n, |call| Command::PromptFinished { call }),
            Deed::Decline => decline(state, n),
            Deed::OperatorDoes => operator_does(state, n),
            Deed::EndWrapUp => end_wrap_up(state, n),
            Deed::Duty => Some(duty(state, n)),
            Deed::Desk => desk(state, n),
            Deed::Leg => leg(state, n),
            Deed::Key => key(state, n),
            Deed::Line => Some((supervisor(), line(n))),
            Deed::MoveCall => {
                let (call, _) = any_call(state, n)?;
                Some((supervisor(), Command::MoveCall { call, to: line_id(n.next()) }))
            }
            Deed::Force => {
                let operator = operator_id(n.next());
                let to = n.one_of(&[Force::On, Force::Off, Force::Idle]);
                Some((supervisor(), Command::ForceOperator { operator, to }))
            }
            Deed::Gateway => Some(gateway(state, n)),
            Deed::Phone => {
                let (operator, busy) = (operator_id(n.next()), !n.one_in(2));
                Some((Actor::Gateway(gateway_id(n.next())), Command::NotePhone { operator, busy }))
            }
            Deed::Block => block(state, n),
            Deed::People => Some((admin(), people(state, n))),
            Deed::Schedule => Some((admin(), schedule(state, n))),
            Deed::Plan => Some((admin(), adopt(state, n))),
            Deed::Echo | Deed::Late | Deed::Foreign => late(state, n),
        }
    }

    fn arrive(&mut self, state: &State, n: &mut Numbers<'_>) -> (Actor, Command) {
        self.calls += 1;
        let skills = if n.one_in(8) { BTreeSet::from([name(n.one_of(&SKILLS))]) } else { BTreeSet::new() };
        let line = line_id(n.next());
        let caller = CallerRef(Uuid::from_u128(0x3000_0000 + (n.next() % 6) as u128));
        let odd = n.next();
        let mut arrival = Arrival {
            call: CallId(Uuid::from_u128(0x1000_0000 + self.calls)),
            line,
            caller,
            kind: if odd % 5 == 4 { CallerKind::Staff } else { CallerKind::Public },
            skills,
            waited: Span::ZERO,
            diverted: None,
        };
        match odd / 8 % 24 {
            20 => arrival.waited = Span::secs((odd % 90) as u64),
            21 => arrival.diverted = Some(name(OUTSIDE[0])),
            22 => {
                arrival.call =
                    state.calls.keys().chain(state.closed.keys()).next().copied().unwrap_or(arrival.call)
            }
            23 => arrival.waited = Span::secs(7_300),
            _ => {}
        }
        (Actor::Gateway(gateway_id(odd / 256)), Command::Arrive(arrival))
    }
}

fn deed(number: usize) -> Deed {
    let sum: usize = DEEDS.iter().map(|(_, parts)| parts).sum();
    let mut at = number % sum;
    for (deed, parts) in DEEDS {
        if at < parts {
            return deed;
        }
        at -= parts;
    }
    Deed::Tick
}

pub(super) fn gateway_id(n: usize) -> GatewayId {
    name(["gw-a", "gw-b"][usize::from(n % 8 == 7)])
}

pub(super) fn desk_id(operator: usize, which: usize) -> DeskId {
    DeskId(Uuid::from_u128(0x4000_0000 + (operator * 16 + which) as u128))
}

pub(super) fn supervisor() -> Actor {
    Actor::Supervisor(name("head-nurse"))
}

pub(super) fn admin() -> Actor {
    Actor::Admin(name("office"))
}

/// Somebody who has no business with it.
fn another(actor: Actor) -> Actor {
    match actor {
        Actor::Gateway(_) => Actor::Gateway(name("gw-b")),
        Actor::Operator(_) => Actor::Operator(operator_id(PEOPLE - 1)),
        Actor::Clock | Actor::Presence | Actor::Supervisor(_) | Actor::Admin(_) => {
            Actor::Operator(operator_id(0))
        }
    }
}

fn any_call<'a>(state: &'a State, n: &mut Numbers<'_>) -> Option<(CallId, &'a Call)> {
    let all: Vec<(CallId, &Call)> = state.calls.iter().map(|(id, call)| (*id, call)).collect();
    n.pick(&all)
}

type Live<'a> = (OfferId, &'a Call, &'a Offer);

fn live_offers(state: &State) -> Vec<Live<'_>> {
    let of = |(id, call): (&CallId, &'_ Call)| (*id, call.offers.keys().copied().collect::<Vec<_>>());
    let ids =
        state.calls.iter().map(of).flat_map(|(call, attempts)| attempts.into_iter().map(move |a| (call, a)));
    ids.map(|(call, attempt)| {
        let open = &state.calls[&call];
        (OfferId { call, attempt }, open, &open.offers[&attempt])
    })
    .collect()
}

fn session_of(state: &State, operator: OperatorId) -> DeskSession {
    state.operators.get(&operator).map_or(DeskSession(0), |o| o.session)
}

fn by_gateway(
    state: &State,
    n: &mut Numbers<'_>,
    what: impl Fn(CallId) -> Command,
) -> Option<(Actor, Command)> {
    let (id, call) = any_call(state, n)?;
    Some((Actor::Gateway(call.gateway), what(id)))
}

/// The next thing that brings a live offer, a consult or an outside number nearer to a conversation.
fn answer(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let outside = state.calls.iter().filter_map(|(id, call)| match call.phase {
        Phase::Diverting { attempt, ringing_until: Some(_), .. } => {
            let command = Command::Digit { call: *id, attempt: Some(attempt), digit: '1' };
            Some((Actor::Gateway(call.gateway), command))
        }
        _ => None,
    });
    let outside: Vec<(Actor, Command)> = outside.collect();
    let offers = live_offers(state);
    let which = n.next();
    if offers.is_empty() || (which % 8 == 7 && !outside.is_empty()) {
        return outside.get(which / 8 % outside.len().max(1)).cloned();
    }
    let (id, call, offer) = offers[which % offers.len()];
    Some(next_step(state, id, call, offer, n.one_in(2)))
}

/// What the operator of a live offer, or the phone, does next.
pub(super) fn next_step(
    state: &State,
    id: OfferId,
    call: &Call,
    offer: &Offer,
    direct: bool,
) -> (Actor, Command) {
    let OfferId { call: call_id, attempt } = id;
    let session = session_of(state, offer.operator);
    let operator = Actor::Operator(offer.operator);
    let gateway = Actor::Gateway(call.gateway);
    let fact = |fact| Command::Leg { call: call_id, attempt, fact };
    match (offer.stage, offer.device) {
        (Stage::Ringing { deliver_by: Some(_), .. }, Device::Telephone) => (gateway, fact(LegFact::Ringing)),
        (Stage::Ringing { deliver_by: Some(_), .. }, Device::Ring) if direct => {
            (gateway, fact(LegFact::Ringing))
        }
        (Stage::Ringing { deliver_by: Some(_), .. }, _) => {
            (operator, Command::ConfirmDelivery { offer: id, session })
        }
        (Stage::Ringing { .. }, Device::Telephone) => {
            (gateway, Command::Digit { call: call_id, attempt: Some(attempt), digit: '1' })
        }
        (Stage::Ringing { .. }, Device::Ring) if direct => (gateway, fact(LegFact::Answered)),
        (Stage::Ringing { .. }, _) => (operator, Command::Accept { offer: id, session }),
        (Stage::Accepted { .. } | Stage::Talking, Device::Softphone) => {
            (operator, Command::ConfirmMedia { offer: id, session })
        }
        (Stage::Accepted { .. } | Stage::Talking, _) => (gateway, fact(LegFact::Bridged)),
    }
}

fn decline(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let (offer, _, live) = n.pick(&live_offers(state))?;
    let session = session_of(state, live.operator);
    let reason = n.one_in(2).then(|| name("busy"));
    Some((Actor::Operator(live.operator), Command::Decline { offer, session, reason }))
}

fn operator_does(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let talking: Vec<(OperatorId, CallId)> = state
        .operators
        .iter()
        .filter_map(|(id, operator)| match operator.work {
            Work::Talking { call, .. } => Some((*id, call)),
            _ => None,
        })
        .collect();
    let (operator, call) = n.pick(&talking)?;
    let command = match n.next() % 10 {
        0..3 => Command::HangUp { call },
        3 => Command::Hold { call },
        4 => Command::Retrieve { call },
        5 => Command::Transfer { call, to: TransferTarget::Line(line_id(n.next())) },
        6 => Command::Transfer { call, to: TransferTarget::Operator(operator_id(n.next())) },
        7 | 8 => Command::Consult { call, operator: operator_id(n.next()) },
        _ => Command::CompleteTransfer { call },
    };
    Some((Actor::Operator(operator), command))
}

fn end_wrap_up(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let wrapping = state.operators.iter().filter(|(_, o)| matches!(o.work, Work::WrapUp { .. }));
    let wrapping: Vec<OperatorId> = wrapping.map(|(id, _)| *id).collect();
    let topic = n.one_in(2).then(|| name("records"));
    Some((Actor::Operator(n.pick(&wrapping)?), Command::EndWrapUp { topic }))
}

/// Mostly what brings somebody back.
fn duty(state: &State, n: &mut Numbers<'_>) -> (Actor, Command) {
    let operator = operator_id(n.next());
    let lasting = n.one_of(&[Some(Span::secs(60)), None, Some(Span::secs(1)), Some(Span::secs(300))]);
    let back = match state.operators.get(&operator).map(|o| o.duty) {
        Some(Duty::Off) | None => Command::GoOnDuty { operator },
        Some(_) => Command::Resume { operator },
    };
    let command = match n.next() % 8 {
        0..4 => back,
        4 | 5 => Command::Pause { operator, reason: name("tea"), lasting },
        6 => Command::Leave { operator },
        _ => Command::GoOnDuty { operator },
    };
    (if n.one_in(4) { supervisor() } else { Actor::Operator(operator) }, command)
}

fn desk(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let known: Vec<OperatorId> = state.operators.keys().copied().collect();
    let operator = n.pick(&known)?;
    let number = (0..PEOPLE).find(|p| operator_id(*p) == operator).unwrap_or(0);
    let session = session_of(state, operator);
    Some(match n.next() % 6 {
        0..3 => (Actor::Operator(operator), Command::AttachDesk { operator, desk: desk_id(number, 0) }),
        3 => (Actor::Operator(operator), Command::AttachDesk { operator, desk: desk_id(number, 1) }),
        _ => (Actor::Presence, Command::DropDesk { operator, session }),
    })
}

fn leg(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let (id, call) = any_call(state, n)?;
    let bridge = match call.phase {
        Phase::Bridged { attempt, .. } | Phase::Diverting { attempt, .. } => Some(attempt),
        Phase::Queued => None,
    };
    let legs: Vec<Attempt> = bridge.into_iter().chain(call.offers.keys().copied()).collect();
    let fact = n.one_of(&[
        LegFact::HungUp,
        LegFact::Failed(name("congestion")),
        LegFact::BridgeLost,
        LegFact::Ringing,
        LegFact::Answered,
        LegFact::Bridged,
        LegFact::HungUp,
        LegFact::Failed(name("no-answer")),
    ]);
    Some((Actor::Gateway(call.gateway), Command::Leg { call: id, attempt: n.pick(&legs)?, fact }))
}

fn key(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let (id, call) = any_call(state, n)?;
    let digit = n.one_of(&['1', '2', '3', '1', '9', '#']);
    let legs: Vec<Attempt> = call.offers.keys().copied().collect();
    let attempt = if n.one_in(3) { n.pick(&legs) } else { None };
    Some((Actor::Gateway(call.gateway), Command::Digit { call: id, attempt, digit }))
}

fn line(n: &mut Numbers<'_>) -> Command {
    let line = line_id(n.next());
    let lasting = n.one_of(&[Span::secs(60), Span::secs(300), Span::secs(5)]);
    let destination = Some(name(n.one_of(&["duty-phone", "reception", "duty-phone", "nowhere"])));
    match n.next() % 6 {
        0 | 1 => Command::CloseLine { line, reason: name("repairs"), lasting },
        2 => Command::OpenLine { line },
        3 | 4 => Command::DivertLine { line, destination, lasting },
        _ => Command::DivertLine { line, destination: None, lasting },
    }
}

fn gateway(state: &State, n: &mut Numbers<'_>) -> (Actor, Command) {
    let gateway = gateway_id(n.next());
    let life = state.gateways.get(&gateway).map_or(1, |g| g.incarnation);
    let keep = n.next();
    let calls = state.calls.iter().filter(|(_, call)| call.gateway == gateway).map(|(id, _)| *id);
    let calls = calls.enumerate().filter(|(i, _)| keep & (1 << (i % 16)) == 0).map(|(_, id)| id).collect();
    let reaches = n.one_in(3).then(|| (0..PEOPLE - 2).map(operator_id).collect());
    match n.next() % 6 {
        0..4 => (Actor::Gateway(gateway), Command::AttachGateway { incarnation: life, reaches, calls }),
        4 => (Actor::Gateway(gateway), Command::AttachGateway { incarnation: life + 1, reaches, calls }),
        _ => (Actor::Gateway(gateway), Command::LoseGateway { gateway, incarnation: life }),
    }
}

fn block(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    if n.one_in(3) {
        let caller = *state.blocks.keys().next()?;
        return Some((supervisor(), Command::UnblockCaller { caller }));
    }
    let calls: Vec<CallId> = state.calls.keys().chain(state.closed.keys()).copied().collect();
    let call = n.pick(&calls)?;
    let lasting = n.one_of(&[Some(Span::secs(120)), None, Some(Span::secs(1))]);
    Some((supervisor(), Command::BlockCaller { call, reason: name("abuse"), lasting }))
}

fn people(state: &State, n: &mut Numbers<'_>) -> Command {
    let operator = operator_id(n.next());
    let lines: Vec<LineId> = state.lines.keys().copied().collect();
    match n.next() % 4 {
        0 | 1 => Command::AddOperator { operator, profile: profile(n, &lines) },
        2 => Command::ChangeOperator { operator, profile: profile(n, &lines) },
        _ => Command::RemoveOperator { operator },
    }
}

fn schedule(state: &State, n: &mut Numbers<'_>) -> Command {
    let lines: Vec<LineId> = state.lines.keys().copied().collect();
    let people: Vec<OperatorId> = state.operators.keys().copied().collect();
    let mut at = state.now;
    let mut edges = Vec::new();
    for _ in 0..1 + n.next() % 3 {
        at = at + n.one_of(&[Span::secs(30), Span::ZERO, Span::secs(5), Span::secs(90)]);
        let what = match (n.next() % 4, n.pick(&lines), n.pick(&people)) {
            (0, Some(line), _) => EdgeKind::LineOpens(line),
            (1, Some(line), _) => EdgeKind::LineCloses(line),
            (_, _, Some(operator)) => {
                EdgeKind::ShiftStarts { operator, ends_at: at + n.one_of(&[Span::secs(150), Span::secs(20)]) }
            }
            _ => continue,
        };
        edges.push(Edge { at, wall_us: 0, what });
    }
    Command::ExtendSchedule { edges }
}

fn adopt(state: &State, n: &mut Numbers<'_>) -> Command {
    let seed: Vec<u16> = (0..96_usize).map(|i| (n.clone().next() * 31 + i * i * 7919 + i) as u16).collect();
    n.next();
    let plan = plan(&mut Numbers::of(&seed));
    let odd = n.next();
    let expect = if odd % 8 == 7 { Revision(state.revision.0 + 1) } else { state.revision };
    let mut move_waiting = BTreeMap::new();
    for line in state.lines.keys().filter(|line| !plan.lines.contains_key(line)) {
        if odd.is_multiple_of(2) {
            move_waiting.insert(*line, line_id(0));
        }
    }
    let going = |line: &LineId| {
        use switchboard::line::LineState::{Draining, Retired};
        state.lines.get(line).is_some_and(|status| matches!(status.state, Draining | Retired))
    };
    move_waiting.retain(|line, _| !going(line));
    let mut draft = plan.into_draft();
    if odd % 16 != 15 {
        draft.lines.retain(|line, _| !going(line));
        let left: BTreeSet<LineId> = draft.lines.keys().copied().collect();
        for line in draft.lines.values_mut() {
            line.tiers
                .retain(|tier| !matches!(tier.who, switchboard::plan::Who::Line(l) if !left.contains(&l)));
        }
    }
    let plan =
        switchboard::plan::Plan::check(draft).expect("a sound plan without a line nobody needs is sound");
    Command::AdoptPlan(Box::new(Adoption {
        plan,
        expect,
        migrate: (odd / 2).is_multiple_of(2),
        move_waiting,
    }))
}

/// An answer to something that is over, or was never there.
fn late(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let open = state
        .calls
        .iter()
        .flat_map(|(id, call)| call.ended.iter().map(move |(a, end)| (*id, *a, end.operator)));
    let closed =
        state.closed.iter().flat_map(|(id, t)| t.ended.iter().map(move |(a, end)| (*id, *a, end.operator)));
    let over: Vec<(CallId, Attempt, OperatorId)> = open.chain(closed).collect();
    let (call, attempt, operator) = n.pick(&over)?;
    let attempt = if n.one_in(8) { Attempt(attempt.0 + 20) } else { attempt };
    let gateway = state.calls.get(&call).map_or_else(|| gateway_id(0), |c| c.gateway);
    let mut session = session_of(state, operator);
    if n.one_in(8) {
        session.0 += 1;
    }
    let offer = OfferId { call, attempt };
    let by_leg = |fact| (Actor::Gateway(gateway), Command::Leg { call, attempt, fact });
    Some(match n.next() % 8 {
        0..3 => (Actor::Operator(operator), Command::Accept { offer, session }),
        3 => (Actor::Operator(operator), Command::Decline { offer, session, reason: None }),
        4 => (Actor::Operator(operator), Command::ConfirmMedia { offer, session }),
        5 => by_leg(LegFact::Bridged),
        6 => by_leg(LegFact::HungUp),
        _ => (Actor::Gateway(gateway), Command::CallerHungUp { call }),
    })
}
