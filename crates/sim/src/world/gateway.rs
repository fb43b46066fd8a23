//! The gateway: makes a caller's treatment so, and says what its legs did.

use std::collections::BTreeSet;

use switchboard::command::{Actor, Command, LegFact};
use switchboard::id::{Attempt, Code, GatewayId, OperatorId};
use switchboard::time::Span;
use switchboard::treatment::{Hears, Leg, LegTo, Role, Shape, Treatment, Wish};

use super::World;
use super::agenda::{CallerAct, Item, LegAct};
use super::desk::Answer;
use crate::chance::Purpose;

/// A caller on hold whom nobody comes back to hangs up after so long.
const TIRES_OF_HOLD_AFTER: Span = Span::secs(180);

/// A telephony gateway.
#[derive(Debug, Clone)]
pub(super) struct Gateway {
    pub(super) id: GatewayId,
    pub(super) incarnation: u64,
    reaches: Option<BTreeSet<OperatorId>>,
    /// Its stream to a router is open.
    pub(super) attached: bool,
}

impl Gateway {
    pub(super) fn new(id: GatewayId, reaches: Option<BTreeSet<OperatorId>>) -> Gateway {
        Gateway { id, incarnation: 1, reaches, attached: false }
    }
}

/// A leg that is not the caller's.
#[derive(Debug, Clone, Copy)]
pub(super) struct PhoneLeg {
    pub(super) leg: Leg,
    pub(super) is: LegIs,
    /// Somebody is about to pick it up, or it is about to be mixed.
    busy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LegIs {
    Dialled,
    Ringing,
    Up,
    Bridged,
    Down,
}

impl World {
    pub(super) fn gateway_attaches(&mut self, gateway: usize) {
        let calls = self
            .passage_of
            .iter()
            .filter(|(_, n)| self.passages[**n].gateway == gateway && self.passages[**n].told)
            .map(|(call, _)| *call)
            .collect();
        let known = &mut self.gateways[gateway];
        known.attached = true;
        let (actor, incarnation) = (Actor::Gateway(known.id), known.incarnation);
        let reaches = known.reaches.clone();
        self.say(actor, Command::AttachGateway { incarnation, reaches, calls });
    }

    /// Says something about a passage; false when no router can be reached.
    pub(super) fn report(&mut self, number: usize, command: Command) -> bool {
        let gateway = &self.gateways[self.passages[number].gateway];
        let (attached, actor) = (gateway.attached, Actor::Gateway(gateway.id));
        if attached {
            self.say(actor, command);
        }
        attached
    }

    fn report_leg(&mut self, number: usize, attempt: Attempt, fact: LegFact) {
        let call = self.passages[number].call;
        self.report(number, Command::Leg { call, attempt, fact });
    }

    pub(super) fn gateway_hears(&mut self, treatment: &Treatment) {
        let Some(number) = self.passage_of.get(&treatment.call).copied() else { return };
        let passage = &mut self.passages[number];
        if !self.gateways[passage.gateway].attached || treatment.revision < passage.revision {
            return;
        }
        let before = passage.hears;
        passage.revision = treatment.revision;
        passage.shape = treatment.shape;
        passage.role = treatment.caller;
        passage.hears = treatment.hears;
        if treatment.shape == Shape::Release {
            return self.release(number);
        }
        self.play(number, before);
        self.match_legs(number, treatment);
        self.mix(number);
        self.notice_end_of_talk(number);
        self.hear_softphone(number);
        if treatment.shape == Shape::Hold {
            let act = CallerAct::TiresOfHold(treatment.revision);
            self.later(TIRES_OF_HOLD_AFTER, Item::Caller(number, act));
        }
    }

    fn release(&mut self, number: usize) {
        self.drop_all_legs(number);
        let passage = &mut self.passages[number];
        passage.talking = None;
        passage.waiting = false;
        let last_words = match passage.hears {
            Hears::Prompt(prompt) => self.recordings.get(&prompt).map_or(Span::ZERO, |r| r.length),
            _ => Span::ZERO,
        };
        self.later(last_words, Item::Caller(number, CallerAct::Leaves));
    }

    fn play(&mut self, number: usize, before: Hears) {
        let passage = &self.passages[number];
        if passage.hears == before {
            return;
        }
        match passage.hears {
            Hears::Menu(_) => self.hears_menu(number),
            Hears::Prompt(prompt) => {
                let revision = passage.revision;
                if let Some(recording) = self.recordings.get(&prompt).copied().filter(|r| r.closing) {
                    // A recording is a little shorter than the plan allows it to be.
                    let length = Span(recording.length.0 / 10 * 9);
                    self.later(length, Item::Caller(number, CallerAct::HearsOut(revision)));
                }
            }
            Hears::Music | Hears::Silence => {}
        }
    }

    fn match_legs(&mut self, number: usize, treatment: &Treatment) {
        let unwished = |attempt: &Attempt| !treatment.legs.iter().any(|leg| leg.attempt == *attempt);
        let gone: Vec<Attempt> = self.passages[number].legs.keys().copied().filter(unwished).collect();
        for attempt in gone {
            self.drop_leg(number, attempt);
        }
        for wished in &treatment.legs {
            match self.passages[number].legs.get_mut(&wished.attempt) {
                None => self.dial(number, *wished),
                Some(known) => {
                    let taken = known.leg.role == Role::Held && wished.role == Role::Talk;
                    known.leg = *wished;
                    if taken && known.is < LegIs::Up && !known.busy {
                        self.picks_up_after_accept(number, wished.attempt);
                    }
                }
            }
        }
    }

    fn dial(&mut self, number: usize, leg: Leg) {
        self.passages[number].legs.insert(leg.attempt, PhoneLeg { leg, is: LegIs::Dialled, busy: false });
        let mut draw = self.chance.about(Purpose::Lines, number as u64, leg.attempt.0.into());
        match leg.to {
            LegTo::Operator(operator) => {
                let Some(person) = self.numbers.get(&operator).copied() else { return };
                let desk = &mut self.desks[person];
                if desk.phone.is_some() || desk.outside {
                    return self.leg_later(number, leg.attempt, Span::millis(150), LegAct::Busy);
                }
                desk.phone = Some((number, leg.attempt));
                if draw.per_mille(self.habits.broken_legs) {
                    return self.leg_later(number, leg.attempt, Span::millis(1_500), LegAct::Unreachable);
                }
                let setup = draw.between(Span::millis(150), Span::millis(400));
                match leg.wish {
                    Wish::Up => self.leg_later(number, leg.attempt, setup, LegAct::Answers),
                    Wish::Ring => self.phone_rings(number, leg.attempt, person, setup),
                }
            }
            LegTo::Outside(_) => {
                self.leg_later(number, leg.attempt, Span::millis(400), LegAct::Rings);
                if draw.per_mille(self.habits.outside_takes) {
                    let after = draw.between(Span::secs(4), Span::secs(10));
                    self.leg_later(number, leg.attempt, after, LegAct::Answers);
                }
            }
        }
    }

    fn phone_rings(&mut self, number: usize, attempt: Attempt, person: usize, setup: Span) {
        self.leg_later(number, attempt, setup, LegAct::Rings);
        let reaction = self.reaction(person, number, attempt);
        if reaction.by_phone {
            match reaction.answer {
                Answer::Takes => self.leg_later(number, attempt, setup + reaction.after, LegAct::Answers),
                Answer::Declines => self.leg_later(number, attempt, setup + reaction.after, LegAct::PutDown),
                Answer::Misses | Answer::TakesLate => {}
            }
        }
    }

    fn picks_up_after_accept(&mut self, number: usize, attempt: Attempt) {
        let mut draw = self.chance.about(Purpose::Lines, number as u64, (1 << 32) | u64::from(attempt.0));
        if let Some(leg) = self.passages[number].legs.get_mut(&attempt) {
            leg.busy = true;
        }
        if !draw.per_mille(self.habits.broken_legs) {
            let after = draw.between(Span::millis(1_000), Span::millis(3_500));
            self.leg_later(number, attempt, after, LegAct::Answers);
        }
    }

    pub(super) fn leg_later(&mut self, number: usize, attempt: Attempt, after: Span, act: LegAct) {
        self.later(after, Item::Leg(number, attempt, act));
    }

    pub(super) fn leg_acts(&mut self, number: usize, attempt: Attempt, act: LegAct) {
        let Some(leg) = self.passages[number].legs.get(&attempt).copied() else { return };
        if leg.is == LegIs::Down {
            return;
        }
        match act {
            LegAct::Rings if leg.is == LegIs::Dialled => {
                self.leg_turns(number, attempt, LegIs::Ringing, LegFact::Ringing);
            }
            LegAct::Answers if leg.is < LegIs::Up => self.leg_answers(number, attempt, leg),
            LegAct::PressesOne if leg.is == LegIs::Up => {
                let call = self.passages[number].call;
                self.report(number, Command::Digit { call, attempt: Some(attempt), digit: '1' });
                if matches!(leg.leg.to, LegTo::Outside(_)) {
                    self.talk_begins_outside(number, attempt);
                }
            }
            LegAct::Bridges if leg.is == LegIs::Up && is_mixable(&leg) => {
                self.leg_turns(number, attempt, LegIs::Bridged, LegFact::Bridged);
                self.talk_begins(number, attempt);
            }
            LegAct::PutDown => self.leg_turns(number, attempt, LegIs::Down, LegFact::HungUp),
            LegAct::Busy => self.leg_fails(number, attempt, "busy"),
            LegAct::Unreachable => self.leg_fails(number, attempt, "unreachable"),
            LegAct::BridgeBreaks if leg.is == LegIs::Bridged => {
                self.leg_turns(number, attempt, LegIs::Down, LegFact::BridgeLost);
            }
            LegAct::Rings | LegAct::Answers | LegAct::PressesOne | LegAct::Bridges | LegAct::BridgeBreaks => {
            }
        }
    }

    fn leg_answers(&mut self, number: usize, attempt: Attempt, leg: PhoneLeg) {
        self.leg_turns(number, attempt, LegIs::Up, LegFact::Answered);
        if leg.leg.press_one {
            let mut draw = self.chance.about(Purpose::Lines, number as u64, (2 << 32) | u64::from(attempt.0));
            if !draw.per_mille(self.habits.machines) {
                let after = draw.between(Span::millis(700), Span::millis(1_800));
                self.leg_later(number, attempt, after, LegAct::PressesOne);
            }
        } else if matches!(leg.leg.to, LegTo::Outside(_)) {
            self.talk_begins_outside(number, attempt);
        }
        self.mix(number);
    }

    fn leg_fails(&mut self, number: usize, attempt: Attempt, cause: &str) {
        let cause: Code = cause.parse().expect("causes are fixed codes");
        self.leg_turns(number, attempt, LegIs::Down, LegFact::Failed(cause));
    }

    fn leg_turns(&mut self, number: usize, attempt: Attempt, is: LegIs, fact: LegFact) {
        if let Some(leg) = self.passages[number].legs.get_mut(&attempt) {
            leg.is = is;
            leg.busy = false;
        }
        if is == LegIs::Down {
            self.free_phone(number, attempt);
        }
        self.report_leg(number, attempt, fact);
    }

    /// Mixes legs that are up and wished to talk with whoever else is.
    fn mix(&mut self, number: usize) {
        let passage = &mut self.passages[number];
        let caller_talks = passage.role == Role::Talk;
        let others_up = passage.legs.values().filter(|l| is_mixable(l) && l.is >= LegIs::Up).count();
        let counterpart = caller_talks || others_up >= 2;
        let ready: Vec<Attempt> = passage
            .legs
            .iter_mut()
            .filter(|(_, l)| counterpart && l.is == LegIs::Up && is_mixable(l) && !l.busy)
            .map(|(attempt, l)| {
                l.busy = true;
                *attempt
            })
            .collect();
        for attempt in ready {
            self.leg_later(number, attempt, Span::millis(60), LegAct::Bridges);
        }
        let resumed =
            self.passages[number].legs.iter().find(|(_, l)| l.is == LegIs::Bridged && is_mixable(l));
        if let Some((attempt, _)) = resumed.filter(|_| caller_talks) {
            let attempt = *attempt;
            self.talk_begins(number, attempt);
        }
    }

    fn drop_leg(&mut self, number: usize, attempt: Attempt) {
        self.passages[number].legs.remove(&attempt);
        self.free_phone(number, attempt);
    }

    pub(super) fn drop_all_legs(&mut self, number: usize) {
        let legs = std::mem::take(&mut self.passages[number].legs);
        for attempt in legs.into_keys() {
            self.free_phone(number, attempt);
        }
    }

    fn free_phone(&mut self, number: usize, attempt: Attempt) {
        // Few phones are off the hook at once, but a leg does not know whose it is once it is dropped.
        for desk in &mut self.desks {
            if desk.phone == Some((number, attempt)) {
                desk.phone = None;
            }
        }
    }

    /// Says again what the legs of a passage are, after nobody could be told for a while.
    pub(super) fn report_all_legs(&mut self, number: usize) {
        let legs: Vec<(Attempt, LegIs)> =
            self.passages[number].legs.iter().map(|(a, l)| (*a, l.is)).collect();
        for (attempt, is) in legs {
            let fact = match is {
                LegIs::Dialled => continue,
                LegIs::Ringing => LegFact::Ringing,
                LegIs::Up => LegFact::Answered,
                LegIs::Bridged => LegFact::Bridged,
                LegIs::Down => LegFact::HungUp,
            };
            self.report_leg(number, attempt, fact);
        }
    }
}

fn is_mixable(leg: &PhoneLeg) -> bool {
    leg.leg.role == Role::Talk && matches!(leg.leg.to, LegTo::Operator(_))
}
