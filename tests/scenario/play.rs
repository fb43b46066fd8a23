//! A scenario played: one switchboard, a clock that the lines move, gateways and desks that do what they would do.
//! Every decision is held against the laws and against its own replay, and goes into the transcript.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use switchboard::Switchboard;
use switchboard::command::{Actor, Adoption, Command, Input, LegFact};
use switchboard::decision::{Decision, Reply};
use switchboard::event::Event;
use switchboard::id::{
    CallId, CallerRef, Code, DeskId, DeskSession, GatewayId, OfferId, OperatorId, RequestId, Revision,
};
use switchboard::laws::{self, Step, l01_replay, l02_refusal};
use switchboard::operator::Device;
use switchboard::plan::Plan;
use switchboard::time::{SiteTime, Span};
use uuid::Uuid;

use crate::plan::{Person, id};
use crate::schedule::Schedule;
use crate::slot::{START, clock};
use crate::tell::{self, Happening, Memory};
use crate::text::Found;

/// The site of one scenario.
pub(crate) struct Play {
    pub(crate) board: Switchboard,
    pub(crate) plans: BTreeMap<u32, Plan>,
    /// Operators whose desks show nothing.
    pub(crate) dark: BTreeSet<OperatorId>,
    /// Operators whose telephones do not ring.
    pub(crate) silent: BTreeSet<OperatorId>,
    pub(crate) schedule: Schedule,
    now: SiteTime,
    journal: Vec<Decision>,
    memory: Memory,
    happened: Vec<Happening>,
    transcript: String,
    doing: String,
    head: String,
    request: Option<RequestId>,
    /// Offers made, newest last.
    asked: Vec<(OperatorId, OfferId)>,
    /// Offers that desks and telephones have yet to show.
    to_show: Vec<OfferId>,
    desks: BTreeMap<OperatorId, u64>,
    callers: BTreeMap<String, String>,
}

impl Play {
    /// A site with its plan in force, its gateway there, its people at their desks.
    pub(crate) fn set_up(title: &str, plans: BTreeMap<u32, Plan>, people: &[Person]) -> Result<Play> {
        let first = plans.get(&1).context("a scenario needs a plan")?.clone();
        let mut play = Play {
            board: Switchboard::new(),
            plans,
            dark: BTreeSet::new(),
            silent: BTreeSet::new(),
            schedule: Schedule::default(),
            now: START - Span::secs(60),
            journal: vec![],
            memory: Memory::default(),
            happened: vec![],
            transcript: format!("{title}\n"),
            doing: String::new(),
            head: String::new(),
            request: None,
            asked: vec![],
            to_show: vec![],
            desks: BTreeMap::new(),
            callers: BTreeMap::new(),
        };
        let adoption =
            Adoption { plan: first, expect: Revision(0), migrate: false, move_waiting: BTreeMap::new() };
        play.doing("the plan is adopted".to_owned());
        play.admin(Command::AdoptPlan(Box::new(adoption)))?;
        play.doing("the gateway attaches".to_owned());
        play.main(Command::AttachGateway { incarnation: 1, reaches: None, calls: BTreeSet::new() })?;
        for person in people {
            play.now = play.now + Span::secs(1);
            play.comes(person)?;
        }
        Ok(play)
    }

    fn comes(&mut self, person: &Person) -> Result<()> {
        let operator = person.id;
        self.doing(format!("{operator} comes"));
        self.admin(Command::AddOperator { operator, profile: person.profile.clone() })?;
        if person.at_desk && person.profile.device.has_desk() {
            let desk = self.desk(operator);
            self.operator(operator, Command::AttachDesk { operator, desk })?;
        }
        if person.on_duty {
            self.operator(operator, Command::GoOnDuty { operator })?;
        }
        Ok(())
    }

    /// Says what is being done, for the transcript.
    pub(crate) fn doing(&mut self, text: String) {
        self.doing = text;
    }

    /// Begins an action of the scenario.
    pub(crate) fn begin(&mut self, text: &str, request: Option<u64>) {
        self.doing = text.to_owned();
        self.request = request.map(|number| RequestId(Uuid::from_u128(number.into())));
    }

    /// Whether the action under way is worded like this.
    pub(crate) fn action_says(&self, words: &str) -> bool {
        self.doing.contains(words)
    }

    /// Lets the clock run to the next thing due, at `end` at the latest; whether something was due.
    pub(crate) fn next_due(&mut self, end: SiteTime) -> Result<Option<SiteTime>> {
        let due = self.board.next_deadline().filter(|due| *due <= end);
        self.now = self.now.max(due.unwrap_or(end));
        if due.is_some() {
            self.doing("time".to_owned());
            self.ask(Actor::Clock, Command::Tick)?;
        }
        Ok(due)
    }

    /// Hands a command in. Whatever is refused is a happening, too.
    pub(crate) fn ask(&mut self, actor: Actor, command: Command) -> Result<Option<Reply>> {
        let input = Input { actor, request: self.request.take(), command };
        let before = self.board.clone();
        let reply = match self.board.handle(self.now, input) {
            Ok(decision) => Some(self.decided(&before, decision, actor)?),
            Err(rejection) => {
                l02_refusal::check(before.state(), &self.board)?;
                self.write_head();
                self.happens(tell::refused(&rejection));
                None
            }
        };
        self.show_offers()?;
        Ok(reply)
    }

    fn decided(&mut self, before: &Switchboard, decision: Decision, actor: Actor) -> Result<Reply> {
        laws::check_step(Step { before: before.state(), decision: &decision, after: &self.board })?;
        l01_replay::check(before, &decision, &self.board)?;
        ensure!(self.board.is_indexed_well(), "the indexes are not what the state makes of them");
        self.write_head();
        for event in &decision.events {
            self.memory.note(event);
            for happening in tell::told(event, &self.memory) {
                self.happens(happening);
            }
            if let Event::OfferMade { call, attempt, operator, .. } = event {
                let offer = OfferId { call: *call, attempt: *attempt };
                self.asked.push((*operator, offer));
                self.to_show.push(offer);
            }
        }
        let asker = if let Actor::Operator(operator) = actor { Some(operator) } else { None };
        tell::replied(decision.reply, asker).into_iter().for_each(|told| self.happens(told));
        let calls: BTreeSet<CallId> = decision.events.iter().filter_map(Event::call).collect();
        for treatment in calls.into_iter().filter_map(|call| self.board.treatment(call)) {
            if treatment.revision == decision.seq {
                self.transcript.push_str(&format!("     ~ {}\n", tell::experienced(&treatment)));
            }
        }
        let reply = decision.reply;
        self.journal.push(decision);
        Ok(reply)
    }

    /// One head over everything that one doing brings about at one time.
    fn write_head(&mut self) {
        let head = format!("\n{}  {}\n", clock(self.now), self.doing);
        if head != self.head {
            self.transcript.push_str(&head);
            self.head = head;
        }
    }

    fn happens(&mut self, happening: Happening) {
        self.transcript.push_str(&format!("       {}\n", happening.words.in_full()));
        self.happened.push(happening);
    }

    /// What happened since this was asked last.
    pub(crate) fn take_happened(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happened)
    }

    /// Desks show what they are offered, telephones ring, unless the scenario says that they do not.
    fn show_offers(&mut self) -> Result<()> {
        while !self.to_show.is_empty() {
            let id = self.to_show.remove(0);
            let Some(offer) = self.board.call(id.call).and_then(|call| call.offers.get(&id.attempt)) else {
                continue;
            };
            let (operator, session, rings) = (offer.operator, offer.session, offer.device.rings());
            if rings && !self.silent.contains(&operator) {
                self.doing(format!("{operator}'s phone rings"));
                self.leg_says(id, LegFact::Ringing)?;
            } else if !rings && !self.dark.contains(&operator) {
                self.doing(format!("{operator}'s desk shows the call"));
                self.operator(operator, Command::ConfirmDelivery { offer: id, session })?;
            }
        }
        Ok(())
    }

    pub(crate) fn main(&mut self, command: Command) -> Result<()> {
        self.gateway(main_gateway(), command)
    }

    pub(crate) fn gateway(&mut self, gateway: GatewayId, command: Command) -> Result<()> {
        self.ask(Actor::Gateway(gateway), command).map(|_| ())
    }

    pub(crate) fn operator(&mut self, operator: OperatorId, command: Command) -> Result<()> {
        self.asks(operator, command).map(|_| ())
    }

    pub(crate) fn asks(&mut self, operator: OperatorId, command: Command) -> Result<Option<Reply>> {
        self.ask(Actor::Operator(operator), command)
    }

    pub(crate) fn presence(&mut self, command: Command) -> Result<()> {
        self.ask(Actor::Presence, command).map(|_| ())
    }

    pub(crate) fn supervisor(&mut self, command: Command) -> Result<()> {
        self.ask(Actor::Supervisor(id("supervisor")), command).map(|_| ())
    }

    pub(crate) fn admin(&mut self, command: Command) -> Result<()> {
        self.ask(Actor::Admin(id("admin")), command).map(|_| ())
    }

    /// The gateway that holds a call reports something of another leg.
    pub(crate) fn leg_says(&mut self, offer: OfferId, fact: LegFact) -> Result<Option<Reply>> {
        let OfferId { call, attempt } = offer;
        let gateway = self.gateway_of(call);
        self.ask(Actor::Gateway(gateway), Command::Leg { call, attempt, fact })
    }

    /// A key is pressed on another leg of a call.
    pub(crate) fn key(&mut self, offer: OfferId, digit: char) -> Result<Option<Reply>> {
        let OfferId { call, attempt } = offer;
        let gateway = self.gateway_of(call);
        self.ask(Actor::Gateway(gateway), Command::Digit { call, attempt: Some(attempt), digit })
    }

    pub(crate) fn key_one(&mut self, offer: OfferId) -> Result<Option<Reply>> {
        self.key(offer, '1')
    }

    /// The gateway of a call; the main one for a call nobody knows.
    pub(crate) fn gateway_of(&self, call: CallId) -> GatewayId {
        let open = self.board.call(call).map(|c| c.gateway);
        open.or_else(|| self.board.closed(call).map(|t| t.gateway)).unwrap_or_else(main_gateway)
    }

    pub(crate) fn held_by(&self, gateway: GatewayId) -> BTreeSet<CallId> {
        let calls = self.board.state().calls.iter();
        calls.filter(|(_, call)| call.gateway == gateway).map(|(id, _)| *id).collect()
    }

    pub(crate) fn life(&self, gateway: GatewayId) -> u64 {
        self.board.state().gateways.get(&gateway).map_or(1, |known| known.incarnation)
    }

    /// The offer an operator has, or had last; of one call, if that is said.
    pub(crate) fn offer(&self, operator: OperatorId, call: Option<CallId>) -> Result<OfferId> {
        let live = self.board.operator(operator).and_then(|known| known.work.call());
        let live = live.map(|(call, attempt)| OfferId { call, attempt });
        let of_call = |offer: &OfferId| call.is_none_or(|call| offer.call == call);
        let had = self.asked.iter().rev().filter(|(whom, _)| *whom == operator).map(|(_, offer)| *offer);
        live.into_iter().chain(had).find(of_call).with_context(|| format!("{operator} was not asked"))
    }

    pub(crate) fn session(&self, operator: OperatorId) -> DeskSession {
        self.board.operator(operator).map_or(DeskSession(0), |known| known.session)
    }

    pub(crate) fn device(&self, operator: OperatorId) -> Device {
        self.board.operator(operator).map_or(Device::AutoAnswer, |known| known.device)
    }

    /// The desk an operator sits at.
    pub(crate) fn desk(&mut self, operator: OperatorId) -> DeskId {
        let next = 1_000 * (self.desks.len() as u64 + 1);
        DeskId(Uuid::from_u128((*self.desks.entry(operator).or_insert(next)).into()))
    }

    /// Another desk, to which the operator goes.
    pub(crate) fn next_desk(&mut self, operator: OperatorId) -> DeskId {
        self.desk(operator);
        self.desks.entry(operator).and_modify(|desk| *desk += 1);
        self.desk(operator)
    }

    /// Under which letter a call's caller is known: that of the first call.
    pub(crate) fn caller_of(&self, call: &str) -> String {
        self.callers.get(call).cloned().unwrap_or_else(|| call.to_owned())
    }

    pub(crate) fn same_caller(&mut self, call: &str, caller: &str) {
        self.callers.insert(call.to_owned(), caller.to_owned());
    }

    /// Sends the schedule anew, as the wall clock has it.
    pub(crate) fn extend_schedule(&mut self) -> Result<()> {
        let edges = self.schedule.edges(self.now, self.board.state());
        self.ask(Actor::Clock, Command::ExtendSchedule { edges }).map(|_| ())
    }

    /// The router dies and comes back: everything is made again from the journal.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.board = self.replayed()?;
        self.write_head();
        Ok(())
    }

    fn replayed(&self) -> Result<Switchboard> {
        let mut replayed = Switchboard::new();
        self.journal.iter().for_each(|decision| replayed.evolve(decision));
        if replayed.state_hash() == self.board.state_hash() {
            Ok(replayed)
        } else {
            bail!("L01: the journal replayed is not the live state")
        }
    }

    pub(crate) fn why_call(&mut self, call: CallId) -> Result<()> {
        let why = self.board.explain_call(call).context("there is no such open call")?;
        self.write_head();
        tell::about_call(&why).into_iter().for_each(|told| self.happens(told));
        Ok(())
    }

    pub(crate) fn why_operator(&mut self, operator: OperatorId) -> Result<()> {
        let why = self.board.explain_operator(operator).context("there is no such operator")?;
        self.write_head();
        tell::about_operator(&why).into_iter().for_each(|told| self.happens(told));
        Ok(())
    }

    /// The whole transcript, once the journal has been replayed a last time.
    pub(crate) fn finish(self) -> Result<String> {
        self.replayed()?;
        l01_replay::check_restore(&self.board)?;
        Ok(self.transcript)
    }
}

/// The gateway of calls that name no other.
pub(crate) fn main_gateway() -> GatewayId {
    id("main")
}

/// A call's id, from its letter and number.
pub(crate) fn call_id(name: &str) -> CallId {
    CallId(Uuid::from_u128(name_code(name)))
}

/// A caller's reference, from the letter of the first call.
pub(crate) fn caller_ref(name: &str) -> CallerRef {
    CallerRef(Uuid::from_u128(name_code(name) | 1 << 64))
}

fn name_code(name: &str) -> u128 {
    let (letter, number) = name.split_at(1);
    u128::from(letter.as_bytes()[0]) << 24 | number.parse::<u128>().unwrap_or(0)
}

/// The code a phrase gives, or this one.
pub(crate) fn code(found: &Found, otherwise: &str) -> Code {
    id(found.any("code").unwrap_or(otherwise))
}
