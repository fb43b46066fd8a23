//! A second switchboard, slow and obvious: every question is answered by looking at everybody. It keeps the rules of
//! `docs/semantics.md` in the order in which that page tells them and shares none of the real one's handlers, indexes
//! or matching; only the vocabulary (commands, events, the shape of the state) is the same, so that the two can be
//! compared. Where they differ, one of them, or the page, is wrong.

mod arrivals;
mod clock;
mod connected;
mod gateways;
mod legs;
mod lines;
mod offers;
mod operators;
mod settling;

use std::collections::{BTreeMap, BTreeSet};

use switchboard::call::Call;
use switchboard::command::{Actor, Command, Input};
use switchboard::decision::{Decision, Reply};
use switchboard::event::Event;
use switchboard::id::{CallId, LineId, OperatorId, RequestId, Revision};
use switchboard::operator::Operator;
use switchboard::plan::{Line, Timers};
use switchboard::rejection::Rejection;
use switchboard::state::{Remembered, State};
use switchboard::time::{SiteTime, Span};

/// Requests and closed calls are remembered this long.
const REMEMBERED: Span = Span::secs(600);

/// The reference switchboard.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// What is so.
    pub state: State,
    /// What was asked under which request id, and answered.
    requests: BTreeMap<RequestId, (SiteTime, Actor, Command, Reply)>,
    /// What the decision under way has said so far.
    said: Vec<Event>,
}

/// What a handler says: the reply, or why not.
type Answer = Result<Reply, Rejection>;

impl Reference {
    /// A site without a plan.
    pub fn new() -> Reference {
        Reference::default()
    }

    /// Decides one input at a time.
    ///
    /// # Errors
    /// The same rejections as the real one; nothing has changed then.
    pub fn handle(&mut self, at: SiteTime, input: Input) -> Result<Decision, Rejection> {
        let mut trial = self.clone();
        let decision = trial.decide(at, input)?;
        *self = trial;
        Ok(decision)
    }

    fn decide(&mut self, at: SiteTime, input: Input) -> Result<Decision, Rejection> {
        if at < self.state.now {
            return Err(Rejection::TimeWentBack { now: self.state.now });
        }
        let due = self.next_deadline().filter(|due| *due <= at);
        if let Some(due) = due.filter(|_| input.command != Command::Tick) {
            return Err(Rejection::TickFirst { due });
        }
        self.recall(&input)?;
        if due.is_none() && input.command == Command::Tick {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.state.now = at;
        self.state.seq = self.state.seq.next();
        let reply = self.perform(&input)?;
        self.settle();
        self.forget();
        if let Some(request) = input.request {
            self.requests.insert(request, (at, input.actor, input.command.clone(), reply));
        }
        Ok(Decision { seq: self.state.seq, at, input, events: std::mem::take(&mut self.said), reply })
    }

    /// A request seen before gives its first reply again.
    fn recall(&self, input: &Input) -> Result<(), Rejection> {
        let seen = input.request.and_then(|request| self.requests.get(&request));
        match seen {
            None => Ok(()),
            Some((_, actor, command, reply)) if (actor, command) == (&input.actor, &input.command) => {
                Err(Rejection::AlreadyDone(*reply))
            }
            Some(_) => Err(Rejection::RequestReused),
        }
    }

    fn forget(&mut self) {
        let now = self.now();
        self.requests.retain(|_, (when, ..)| now.since(*when) <= REMEMBERED);
        retain(&mut self.state.closed, |tombstone| now.since(tombstone.closed_at) <= REMEMBERED);
        for callers in self.state.abandons.values_mut() {
            retain(callers, |abandon| abandon.until >= now);
        }
        self.state.abandons.retain(|_, callers| !callers.is_empty());
        let open = self.state.calls.values().map(|call| call.revision);
        let closed = self.state.closed.values().map(|tombstone| tombstone.revision);
        let promised: BTreeSet<Revision> = open.chain(closed).chain([self.state.revision]).collect();
        self.state.plans.retain(|revision, _| promised.contains(revision));
    }

    fn perform(&mut self, input: &Input) -> Answer {
        let brought = matches!(
            input.command,
            Command::Tick | Command::DropDesk { .. } | Command::LoseGateway { .. } | Command::RetireSite
        );
        if self.state.retired && !brought {
            return Err(Rejection::SiteRetired);
        }
        match (&input.actor, &input.command) {
            (Actor::Clock, Command::Tick) => Ok(Reply::Done),
            (Actor::Gateway(gateway), command) => self.for_gateway(*gateway, command),
            (Actor::Clock, Command::ExtendSchedule { edges }) => self.extend_schedule(edges),
            (Actor::Presence, Command::LoseGateway { gateway, incarnation }) => {
                self.lose_gateway(*gateway, *incarnation)
            }
            (Actor::Presence, Command::DropDesk { operator, session }) => self.drop_desk(*operator, *session),
            (Actor::Operator(operator), command) => self.for_desk(*operator, command),
            (Actor::Supervisor(_), command) => self.for_supervisor(command),
            (Actor::Admin(_), command) => self.for_admin(command),
            _ => Err(Rejection::NotYours),
        }
    }

    fn for_supervisor(&mut self, command: &Command) -> Answer {
        match command {
            Command::DivertLine { line, destination, lasting } => {
                self.divert_line(*line, *destination, *lasting)
            }
            Command::OpenLine { line } => self.open_line(*line),
            Command::CloseLine { line, reason, lasting } => self.close_line(*line, *reason, *lasting),
            Command::MoveCall { call, to } => self.move_by_hand(*call, *to),
            Command::ForceOperator { operator, to } => self.force(*operator, *to),
            Command::Pause { operator, reason, lasting } => self.pause(*operator, *reason, *lasting),
            Command::Resume { operator } => self.resume(*operator),
            Command::GoOnDuty { operator } => self.go_on_duty(*operator),
            Command::Leave { operator } => self.leave(*operator),
            Command::BlockCaller { call, reason, lasting } => self.block(*call, *reason, *lasting),
            Command::UnblockCaller { caller } => self.unblock(*caller),
            _ => Err(Rejection::NotYours),
        }
    }

    fn for_admin(&mut self, command: &Command) -> Answer {
        match command {
            Command::AdoptPlan(adoption) => self.adopt(adoption),
            Command::ExtendSchedule { edges } => self.extend_schedule(edges),
            Command::AddOperator { operator, profile } => self.add_operator(*operator, profile),
            Command::ChangeOperator { operator, profile, expect } => {
                self.change_operator(*operator, profile, expect)
            }
            Command::RemoveOperator { operator } => self.remove_operator(*operator),
            Command::RetireSite => self.retire(),
            _ => self.for_supervisor(command),
        }
    }

    // Looking things up.

    fn say(&mut self, event: Event) {
        self.said.push(event);
    }

    fn now(&self) -> SiteTime {
        self.state.now
    }

    fn timers(&self) -> Timers {
        self.state.plans.get(&self.state.revision).map_or_else(Timers::default, |plan| plan.timers)
    }

    /// A line as the plan in force has it.
    fn planned(&self, line: LineId) -> Option<&Line> {
        self.state.plans.get(&self.state.revision)?.lines.get(&line)
    }

    /// A call's line as the plan it was promised has it.
    fn promised(&self, call: &Call) -> &Line {
        &self.state.plans[&call.revision].lines[&call.line]
    }

    fn call(&self, call: CallId) -> &Call {
        &self.state.calls[&call]
    }

    fn call_mut(&mut self, call: CallId) -> &mut Call {
        self.state.calls.get_mut(&call).expect("the caller has looked: this call is open")
    }

    fn operator(&self, operator: OperatorId) -> &Operator {
        &self.state.operators[&operator]
    }

    fn operator_mut(&mut self, operator: OperatorId) -> &mut Operator {
        self.state.operators.get_mut(&operator).expect("the caller has looked: this operator exists")
    }

    fn open_call(&self, call: CallId) -> Result<&Call, Rejection> {
        match self.state.calls.get(&call) {
            Some(open) => Ok(open),
            None if self.state.closed.contains_key(&call) => Err(Rejection::CallClosed),
            None => Err(Rejection::UnknownCall),
        }
    }

    fn known_operator(&self, operator: OperatorId) -> Result<&Operator, Rejection> {
        self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)
    }
}

/// Forgets all but these.
fn retain<K: Clone + Ord, V>(remembered: &mut Remembered<K, V>, stays: impl Fn(&V) -> bool) {
    let gone: Vec<K> =
        remembered.iter().filter(|(_, value)| !stays(value)).map(|(key, _)| key.clone()).collect();
    for key in gone {
        remembered.remove_mut(&key);
    }
}
