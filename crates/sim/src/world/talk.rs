//! Conversations: how long they take, what happens in them, who ends them.

use switchboard::command::{Actor, Command, TransferTarget};
use switchboard::id::{Attempt, CallId, LineId, OperatorId};
use switchboard::operator::Device;
use switchboard::time::Span;
use switchboard::treatment::{LegTo, Shape};

use super::World;
use super::agenda::{Item, LegAct, TalkAct};
use crate::chance::{Draw, Purpose};

/// A caller whose operator is gone hangs up after so long.
const GIVES_UP_AFTER: Span = Span::secs(20);

impl World {
    /// Caller and operator hear each other by this attempt.
    pub(super) fn talk_begins(&mut self, number: usize, attempt: Attempt) {
        let passage = &mut self.passages[number];
        if passage.talking == Some(attempt) || passage.shape != Shape::Connect {
            return;
        }
        passage.talking = Some(attempt);
        passage.talked = true;
        passage.waiting = false;
        let abusive = self.callers[passage.caller].abusive;
        let mut draw = self.chance.about(Purpose::Talk, number as u64, attempt.0.into());
        let mut length = Span::secs(3) + draw.skewed(self.habits.talk);
        let mut operator_ends = draw.per_mille(self.habits.operator_ends);
        if abusive {
            length = draw.between(Span::secs(8), Span::secs(20));
            operator_ends = true;
            self.talk_later(number, attempt, length, TalkAct::Blocks);
            length = length + Span::secs(1);
        } else {
            self.plan_middle(number, attempt, length, &mut draw);
            if draw.per_mille(self.habits.broken_bridges) {
                self.leg_later(number, attempt, Span(length.0 / 2), LegAct::BridgeBreaks);
            }
        }
        let caller_ends = if operator_ends {
            self.talk_later(number, attempt, length, TalkAct::OperatorEnds);
            length + GIVES_UP_AFTER
        } else {
            length
        };
        self.talk_later(number, attempt, caller_ends, TalkAct::CallerEnds);
    }

    /// Caller and outside number hear each other.
    pub(super) fn talk_begins_outside(&mut self, number: usize, attempt: Attempt) {
        let passage = &mut self.passages[number];
        passage.talking = Some(attempt);
        passage.talked = true;
        passage.waiting = false;
        let mut draw = self.chance.about(Purpose::Talk, number as u64, attempt.0.into());
        let length = Span::secs(3) + draw.skewed(self.habits.talk);
        if draw.per_mille(self.habits.operator_ends) {
            self.leg_later(number, attempt, length, LegAct::PutDown);
        }
        self.talk_later(number, attempt, length + GIVES_UP_AFTER, TalkAct::CallerEnds);
    }

    fn plan_middle(&mut self, number: usize, attempt: Attempt, length: Span, draw: &mut Draw) {
        let third = Span(length.0 / 3);
        let habits = self.habits;
        let kinds = [habits.holds, habits.consults, habits.transfers / 2, habits.transfers.div_ceil(2)];
        let nothing = 1_000_u32.saturating_sub(kinds.iter().sum());
        match draw.weighted(kinds.into_iter().chain([nothing])) {
            0 => {
                self.talk_later(number, attempt, third, TalkAct::Holds);
                self.talk_later(number, attempt, third + draw.skewed(Span::secs(20)), TalkAct::Retrieves);
            }
            1 => {
                let completes = draw.per_mille(500);
                let after = third + draw.between(Span::secs(15), Span::secs(40));
                self.talk_later(number, attempt, third, TalkAct::Consults);
                self.talk_later(number, attempt, after, TalkAct::EndsConsult { completes });
                // Whatever came of it, nobody is left on hold.
                self.talk_later(number, attempt, after + Span::secs(1), TalkAct::Retrieves);
            }
            2 => self.talk_later(number, attempt, third, TalkAct::TransfersToLine),
            3 => self.talk_later(number, attempt, third, TalkAct::TransfersToOperator),
            _ => {}
        }
    }

    fn talk_later(&mut self, number: usize, attempt: Attempt, after: Span, act: TalkAct) {
        self.later(after, Item::Talk(number, attempt, act));
    }

    /// The treatment says that nobody is to be heard any more: a time of waiting begins.
    pub(super) fn notice_end_of_talk(&mut self, number: usize) {
        let passage = &mut self.passages[number];
        let talks_outside = passage.shape == Shape::Divert
            && passage.talking.is_some_and(|attempt| passage.legs.contains_key(&attempt));
        if matches!(passage.shape, Shape::Queue | Shape::Ring | Shape::Divert) && !talks_outside {
            passage.talking = None;
            self.starts_waiting(number);
        }
    }

    pub(super) fn talk_goes_on(&mut self, number: usize, attempt: Attempt, act: TalkAct) {
        let passage = &self.passages[number];
        if passage.talking != Some(attempt) || !passage.up {
            return;
        }
        let call = passage.call;
        if act == TalkAct::CallerEnds {
            return self.caller_hangs_up(number);
        }
        let Some(person) = self.person_by(number, attempt) else { return };
        if act == TalkAct::OperatorEnds && !self.people[person].profile.device.has_desk() {
            return self.leg_acts(number, attempt, LegAct::PutDown);
        }
        if !self.desks[person].connected {
            return;
        }
        if let Some(command) = self.operator_says(number, person, call, act) {
            let actor = Actor::Operator(self.people[person].operator);
            self.ask(actor, command);
        }
    }

    fn operator_says(&mut self, number: usize, person: usize, call: CallId, act: TalkAct) -> Option<Command> {
        let held = self.passages[number].shape == Shape::Hold;
        Some(match act {
            TalkAct::Blocks => {
                let reason = "abusive".parse().expect("a fixed code");
                Command::BlockCaller { call, reason, lasting: None }
            }
            TalkAct::Holds => Command::Hold { call },
            TalkAct::Retrieves if held => Command::Retrieve { call },
            TalkAct::Consults => Command::Consult { call, operator: self.colleague(number, person)? },
            TalkAct::EndsConsult { completes: true } if held => Command::CompleteTransfer { call },
            TalkAct::EndsConsult { completes: false } if held => Command::Retrieve { call },
            TalkAct::TransfersToLine => {
                let to = TransferTarget::Line(self.another_line(number)?);
                Command::Transfer { call, to }
            }
            TalkAct::TransfersToOperator => {
                let to = TransferTarget::Operator(self.colleague(number, person)?);
                Command::Transfer { call, to }
            }
            TalkAct::OperatorEnds => Command::HangUp { call },
            TalkAct::Retrieves | TalkAct::EndsConsult { .. } | TalkAct::CallerEnds => return None,
        })
    }

    /// Whose leg, or whose softphone, an attempt is.
    fn person_by(&self, number: usize, attempt: Attempt) -> Option<usize> {
        let passage = &self.passages[number];
        match passage.legs.get(&attempt).map(|l| l.leg.to) {
            Some(LegTo::Operator(operator)) => self.numbers.get(&operator).copied(),
            Some(LegTo::Outside(_)) => None,
            None => self.desks.iter().position(|d| d.talks_by == Some((passage.call, attempt))),
        }
    }

    /// Somebody at the desks who looks free.
    fn colleague(&self, number: usize, person: usize) -> Option<OperatorId> {
        let mut draw = self.chance.about(Purpose::Talk, number as u64, 1 << 40);
        let free: Vec<usize> =
            (0..self.people.len()).filter(|n| *n != person && self.desks[*n].looks_free).collect();
        draw.one_of(&free).map(|n| self.people[*n].operator)
    }

    fn another_line(&self, number: usize) -> Option<LineId> {
        let own = self.passages[number].line;
        let mut draw = self.chance.about(Purpose::Talk, number as u64, 2 << 40);
        let others: Vec<LineId> = self.lines.keys().copied().filter(|line| *line != own).collect();
        draw.one_of(&others).copied()
    }

    /// The caller is let through to a softphone that was there before the gateway knew.
    pub(super) fn hear_softphone(&mut self, number: usize) {
        let passage = &self.passages[number];
        if passage.shape != Shape::Connect || passage.talking.is_some() {
            return;
        }
        let there = self.desks.iter().enumerate().find_map(|(person, desk)| {
            let (call, attempt) = desk.talks_by?;
            (call == passage.call).then_some((person, attempt))
        });
        if let Some((person, attempt)) = there {
            self.talk_begins_at_desk(person, passage.call, attempt);
        }
    }

    /// A softphone's operator and the caller hear each other.
    pub(super) fn talk_begins_at_desk(&mut self, person: usize, call: CallId, attempt: Attempt) {
        if self.people[person].profile.device != Device::Softphone {
            return;
        }
        if let Some(number) = self.passage_of.get(&call).copied() {
            self.talk_begins(number, attempt);
        }
    }
}
