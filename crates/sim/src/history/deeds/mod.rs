//! What is done in one step: numbers read against the state of the moment.

mod office;
mod phones;

use std::collections::BTreeSet;

use switchboard::call::{Call, CallerKind, Offer};
use switchboard::command::{Actor, Arrival, Command, Force, Input};
use switchboard::id::{CallId, CallerRef, DeskId, DeskSession, GatewayId, OfferId, OperatorId, RequestId};
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};
use uuid::Uuid;

use self::office::{adopt, block, desk, duty, gateway, line, people, schedule};
pub(super) use self::phones::next_step;
use self::phones::{answer, decline, end_wrap_up, key, late, leg, operator_does};
use super::site::{OUTSIDE, PEOPLE, SKILLS, line_id, name, operator_id};
use super::{Draw, Numbers};

/// How often each deed is done, in parts of their sum; the simplest first.
const DEEDS: [(Deed, usize); 24] = [
    (Deed::Arrive, 11),
    (Deed::Answer, 40),
    (Deed::CallerHangsUp, 4),
    (Deed::Decline, 3),
    (Deed::OperatorDoes, 18),
    (Deed::EndWrapUp, 3),
    (Deed::Duty, 5),
    (Deed::Desk, 6),
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
            deed => {
                let command = self.command(deed, state, &mut numbers);
                command.or_else(|| answer(state, &mut numbers))?
            }
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
            // A history that is over early shows little: seldom.
            Deed::Plan if n.one_in(16) => Some((admin(), Command::RetireSite)),
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
