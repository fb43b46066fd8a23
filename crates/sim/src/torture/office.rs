//! What supervisors and administrators do on a bad day, and what comes in by mistake: random commands about what is
//! there, and about what is not.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::Switchboard;
use switchboard::call::{CallerKind, Phase};
use switchboard::command::{
    Actor, Adoption, Arrival, Command, Edge, EdgeKind, Expected, Force, Input, LegFact, TransferTarget,
};
use switchboard::id::{
    Attempt, CallId, CallerRef, DeskId, DeskSession, GatewayId, LineId, OfferId, OperatorId, RequestId,
};
use switchboard::time::{SiteTime, Span};
use uuid::Uuid;

use super::hospital;
use crate::chance::Draw;

/// Draws commands about one switchboard.
pub(super) struct Office<'a> {
    pub(super) seed: u64,
    pub(super) at: SiteTime,
    pub(super) switchboard: &'a Switchboard,
    pub(super) draw: Draw,
}

impl Office<'_> {
    /// Something a supervisor or an administrator may well do.
    pub(super) fn act(&mut self) -> Input {
        let command = match self.draw.below(16) {
            0 | 1 => {
                Command::CloseLine { line: self.line(), reason: code("maintenance"), lasting: self.lasting() }
            }
            2 => Command::OpenLine { line: self.line() },
            3 | 4 => {
                let destination =
                    self.draw.per_mille(700).then(|| code(["duty-phone", "reception"][self.two()]));
                Command::DivertLine { line: self.line(), destination, lasting: self.lasting() }
            }
            5 => Command::MoveCall { call: self.call(), to: self.line() },
            6 | 7 => {
                let to = [Force::On, Force::Off, Force::Idle][self.draw.below(3) as usize];
                Command::ForceOperator { operator: self.operator(), to }
            }
            8 => Command::Pause {
                operator: self.operator(),
                reason: code("talk"),
                lasting: self.draw.per_mille(700).then(|| self.lasting()),
            },
            9 => Command::Resume { operator: self.operator() },
            10 => Command::BlockCaller { call: self.call(), reason: code("abusive"), lasting: None },
            11 => Command::UnblockCaller { caller: self.caller() },
            12 => return self.schedule(),
            13 => return self.adoption(),
            14 => Command::Leave { operator: self.operator() },
            _ => return self.staffing(),
        };
        self.by_office(command)
    }

    /// Something that makes no sense, or comes too late, or from somebody else.
    pub(super) fn mistake(&mut self) -> Input {
        let (call, operator, offer) = (self.call(), self.operator(), self.offer());
        let session = DeskSession(self.draw.below(4) as u32);
        let facts = [
            LegFact::Ringing,
            LegFact::Answered,
            LegFact::Bridged,
            LegFact::HungUp,
            LegFact::Failed(code("lost")),
            LegFact::BridgeLost,
        ];
        let fact = facts[self.draw.below(6) as usize];
        let digit = ['0', '1', '2', '3', '#'][self.draw.below(5) as usize];
        let attempt = Attempt(self.draw.below(5) as u32);
        let command = match self.draw.below(22) {
            0 | 1 => Command::Accept { offer, session },
            2 => Command::Decline { offer, session, reason: None },
            3 => Command::ConfirmDelivery { offer, session },
            4 => Command::ConfirmMedia { offer, session },
            5..8 => Command::Leg { call, attempt, fact },
            8 => Command::Digit { call, attempt: Some(attempt), digit },
            9 => Command::Digit { call, attempt: None, digit },
            10 => Command::PromptFinished { call },
            11 => Command::CallerHungUp { call },
            12 => Command::Hold { call },
            13 => Command::Retrieve { call },
            14 => Command::CompleteTransfer { call },
            15 => Command::Consult { call, operator: self.operator() },
            16 => Command::Transfer { call, to: self.transfer_target() },
            17 => Command::DropDesk { operator, session },
            18 => Command::EndWrapUp { topic: None },
            19 => Command::Arrive(self.arrival()),
            20 => Command::AttachDesk { operator, desk: DeskId(Uuid::from_u128(self.draw.below(3).into())) },
            _ => Command::NotePhone { operator, busy: self.draw.per_mille(500) },
        };
        let actor = match self.draw.below(10) {
            0 => Actor::Clock,
            1 => Actor::Presence,
            2 => Actor::Supervisor(code("supervisor-1")),
            _ => self.usual_actor(&command, operator),
        };
        let request = self.draw.per_mille(100).then(|| RequestId(Uuid::from_u128(self.draw.below(4).into())));
        Input { actor, request, command }
    }

    fn usual_actor(&mut self, command: &Command, operator: OperatorId) -> Actor {
        match command {
            Command::DropDesk { .. } => Actor::Presence,
            Command::Leg { call, .. }
            | Command::Digit { call, .. }
            | Command::PromptFinished { call }
            | Command::CallerHungUp { call } => Actor::Gateway(self.gateway_of(*call)),
            Command::Arrive(_) | Command::NotePhone { .. } => Actor::Gateway(self.gateway_of(nobody())),
            Command::Accept { offer, .. }
            | Command::Decline { offer, .. }
            | Command::ConfirmDelivery { offer, .. }
            | Command::ConfirmMedia { offer, .. } => Actor::Operator(self.asked(*offer).unwrap_or(operator)),
            Command::Hold { call }
            | Command::Retrieve { call }
            | Command::CompleteTransfer { call }
            | Command::Consult { call, .. }
            | Command::Transfer { call, .. } => {
                let talks = match self.switchboard.call(*call).map(|c| c.phase) {
                    Some(Phase::Bridged { operator, .. }) => operator,
                    _ => operator,
                };
                Actor::Operator(talks)
            }
            _ => Actor::Operator(operator),
        }
    }

    fn by_office(&mut self, command: Command) -> Input {
        let admin = matches!(
            command,
            Command::AdoptPlan(_)
                | Command::ExtendSchedule { .. }
                | Command::AddOperator { .. }
                | Command::ChangeOperator { .. }
                | Command::RemoveOperator { .. }
        );
        let actor =
            if admin { Actor::Admin(code("admin-1")) } else { Actor::Supervisor(code("supervisor-1")) };
        let bits = u128::from(self.draw.bits()) << 64 | u128::from(self.draw.bits());
        Input { actor, request: Some(RequestId(Uuid::from_u128(bits))), command }
    }

    fn schedule(&mut self) -> Input {
        let mut edges = Vec::new();
        let mut at = self.at;
        for _ in 0..self.draw.below(8) {
            at = at + Span::millis(1 + self.draw.below(40_000));
            let what = match self.draw.below(4) {
                0 => EdgeKind::LineCloses(self.line()),
                1 => EdgeKind::LineOpens(self.line()),
                _ => {
                    let ends_at = at + Span::secs(10 + self.draw.below(200));
                    EdgeKind::ShiftStarts { operator: self.operator(), ends_at }
                }
            };
            edges.push(Edge { at, wall_us: at.0 as i64, what });
        }
        self.by_office(Command::ExtendSchedule { edges })
    }

    fn adoption(&mut self) -> Input {
        let plan = hospital::plan(self.seed, 1 + self.draw.below(4));
        let state = self.switchboard.state();
        let removed: Vec<LineId> = state
            .plan()
            .map(|old| old.lines.keys().copied().filter(|line| !plan.lines.contains_key(line)).collect())
            .unwrap_or_default();
        let stays: Vec<LineId> = plan.lines.keys().copied().collect();
        let mut move_waiting = BTreeMap::new();
        for line in removed {
            if self.draw.per_mille(500)
                && let Some(to) = self.draw.one_of(&stays)
            {
                move_waiting.insert(line, *to);
            }
        }
        let expect = state.revision;
        let migrate = self.draw.per_mille(500);
        self.by_office(Command::AdoptPlan(Box::new(Adoption { plan, expect, migrate, move_waiting })))
    }

    fn staffing(&mut self) -> Input {
        let known = self.operator();
        let device = self.switchboard.operator(known).map(|o| o.device);
        let plan = self.switchboard.state().plan().cloned().unwrap_or_default();
        let mut profile = hospital::profile(&plan, &mut self.draw);
        let command = match (self.draw.below(5), device) {
            // The telephone on the desk is what it is: only the rest changes.
            (drawn @ 0..3, Some(device)) => {
                profile.device = device;
                // Some look first, and say what they saw.
                let seen = (drawn == 0).then(|| self.switchboard.profile(known)).flatten();
                Command::ChangeOperator { operator: known, profile, expect: Expected(seen.map(Box::new)) }
            }
            (3, _) => Command::RemoveOperator { operator: known },
            _ => Command::AddOperator { operator: self.operator(), profile },
        };
        self.by_office(command)
    }

    fn arrival(&mut self) -> Arrival {
        Arrival {
            call: self.call(),
            line: self.line(),
            caller: self.caller(),
            kind: if self.draw.per_mille(300) { CallerKind::Staff } else { CallerKind::Public },
            skills: BTreeSet::new(),
            waited: Span::secs(self.draw.below(10_000)),
            diverted: self.draw.per_mille(300).then(|| code("duty-phone")),
        }
    }

    fn transfer_target(&mut self) -> TransferTarget {
        if self.draw.per_mille(500) {
            TransferTarget::Line(self.line())
        } else {
            TransferTarget::Operator(self.operator())
        }
    }

    fn lasting(&mut self) -> Span {
        Span::secs(50 + self.draw.below(200))
    }

    fn two(&mut self) -> usize {
        self.draw.below(2) as usize
    }

    fn line(&mut self) -> LineId {
        let lines: Vec<LineId> = self.switchboard.state().lines.keys().copied().collect();
        self.draw
            .one_of(&lines)
            .copied()
            .filter(|_| self.draw.per_mille(970))
            .unwrap_or_else(|| code("nowhere"))
    }

    fn operator(&mut self) -> OperatorId {
        let people: Vec<OperatorId> = self.switchboard.state().operators.keys().copied().collect();
        self.draw
            .one_of(&people)
            .copied()
            .filter(|_| self.draw.per_mille(950))
            .unwrap_or_else(|| code("op-99"))
    }

    fn call(&mut self) -> CallId {
        let state = self.switchboard.state();
        let open: Vec<CallId> = state.calls.keys().copied().collect();
        let closed: Vec<CallId> = state.closed.keys().copied().collect();
        match self.draw.below(20) {
            0 => nobody(),
            1..5 => self.draw.one_of(&closed).copied().unwrap_or_else(nobody),
            _ => self.draw.one_of(&open).copied().unwrap_or_else(nobody),
        }
    }

    fn caller(&mut self) -> CallerRef {
        let state = self.switchboard.state();
        let blocked: Vec<CallerRef> = state.blocks.keys().copied().collect();
        let inside: Vec<CallerRef> = state.calls.values().map(|c| c.caller).collect();
        let from = if self.draw.per_mille(500) { blocked } else { inside };
        self.draw.one_of(&from).copied().unwrap_or(CallerRef(Uuid::nil()))
    }

    fn offer(&mut self) -> OfferId {
        let call = self.call();
        let live = self.switchboard.call(call).map(|c| c.attempts).unwrap_or(1);
        OfferId {
            call,
            attempt: Attempt((live + self.draw.below(2) as u32).saturating_sub(self.draw.below(2) as u32)),
        }
    }

    fn asked(&self, offer: OfferId) -> Option<OperatorId> {
        let call = self.switchboard.call(offer.call)?;
        let live = call.offers.get(&offer.attempt).map(|o| o.operator);
        live.or_else(|| call.ended.get(&offer.attempt).map(|e| e.operator))
    }

    fn gateway_of(&mut self, call: CallId) -> GatewayId {
        let state = self.switchboard.state();
        let all: Vec<GatewayId> = state.gateways.keys().copied().collect();
        let own = state.calls.get(&call).map(|c| c.gateway);
        own.or_else(|| self.draw.one_of(&all).copied()).unwrap_or_else(|| code("gateway-9"))
    }
}

fn nobody() -> CallId {
    CallId(Uuid::nil())
}

/// A fixed name.
fn code<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("fixed names are names")
}
