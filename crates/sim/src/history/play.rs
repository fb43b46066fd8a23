//! Plays a history on the switchboard, with the reference beside it and the laws after every step.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::Switchboard;
use switchboard::call::Call;
use switchboard::canonical;
use switchboard::command::{Actor, Adoption, Command, Input};
use switchboard::decision::Decision;
use switchboard::id::{LineId, Revision};
use switchboard::laws::{
    self, Step, Violation, l01_replay, l02_refusal, l09_attempts, l11_liveness, l12_privacy,
};
use switchboard::ledger::Ledger;
use switchboard::plan::{Trigger, Who};
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};

use super::deeds::{Deeds, admin, desk_id, gateway_id};
use super::site::{PEOPLE, operator_id, plan, profile};
use super::{Draw, Failure, History, Numbers, compare, quiet};
use crate::reference::Reference;

/// How many inputs a willing staff may need to let everybody out.
const QUIET_MAX: usize = 4_000;

/// Who looks at what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// The laws, after every step.
    pub laws: bool,
    /// The reference switchboard, side by side.
    pub reference: bool,
    /// The switchboard's own bookkeeping: its indexes, and what it shows to people.
    pub books: bool,
}

impl Watch {
    /// Everybody looks.
    pub const ALL: Watch = Watch { laws: true, reference: true, books: true };
    /// Nobody does.
    pub const NOBODY: Watch = Watch { laws: false, reference: false, books: false };
}

/// What a history without a fault came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Played {
    /// Accepted inputs.
    pub decisions: usize,
    /// Refused inputs.
    pub refusals: usize,
    /// Names of the events that happened and of the rejections given.
    pub seen: BTreeSet<String>,
    /// Everything that was handed in.
    pub inputs: Vec<(SiteTime, Input)>,
}

/// Plays a history.
///
/// # Errors
/// The first law violated, or the first difference between switchboard and reference.
pub fn play(history: &History, watch: Watch) -> Result<Played, Box<Failure>> {
    play_on(Switchboard::new(), history, watch)
}

/// Plays a history on a switchboard to which nothing has happened, but which may have a mistake planted.
///
/// # Errors
/// The first law violated, or the first difference between switchboard and reference.
pub fn play_on(real: Switchboard, history: &History, watch: Watch) -> Result<Played, Box<Failure>> {
    let mut stage = Stage {
        watch,
        real,
        reference: Reference::new(),
        deeds: Deeds::default(),
        at: SiteTime(0),
        decisions: Vec::new(),
        played: Played::default(),
    };
    stage.open(history)?;
    for draw in &history.steps {
        stage.step(draw)?;
    }
    stage.quieten()?;
    stage.close()?;
    Ok(Played { inputs: stage.deeds.inputs, ..stage.played })
}

struct Stage {
    watch: Watch,
    real: Switchboard,
    reference: Reference,
    deeds: Deeds,
    at: SiteTime,
    decisions: Vec<Decision>,
    played: Played,
}

type Outcome = Result<(), Box<Failure>>;

impl Stage {
    /// The plan, the gateways and the people.
    fn open(&mut self, history: &History) -> Outcome {
        let plan = plan(&mut Numbers::of(&history.plan));
        let lines: Vec<LineId> = plan.lines.keys().copied().collect();
        let adoption = Adoption { plan, expect: Revision(0), migrate: false, move_waiting: BTreeMap::new() };
        self.hand_in(admin(), Command::AdoptPlan(Box::new(adoption)))?;
        for n in [0, 7] {
            let command = Command::AttachGateway { incarnation: 1, reaches: None, calls: BTreeSet::new() };
            self.hand_in(Actor::Gateway(gateway_id(n)), command)?;
        }
        let mut numbers = Numbers::of(&history.people);
        for n in 0..PEOPLE - 1 {
            let operator = operator_id(n);
            self.hand_in(admin(), Command::AddOperator { operator, profile: profile(&mut numbers, &lines) })?;
            if self.real.state().operators[&operator].device.has_desk() {
                let command = Command::AttachDesk { operator, desk: desk_id(n, 0) };
                self.hand_in(Actor::Operator(operator), command)?;
            }
            if !numbers.one_in(5) {
                self.hand_in(Actor::Operator(operator), Command::GoOnDuty { operator })?;
            }
        }
        Ok(())
    }

    fn step(&mut self, draw: &Draw) -> Outcome {
        let early = self.pass(usize::from(draw[1]));
        let Some(input) = self.deeds.next(self.real.state(), draw) else { return Ok(()) };
        if !early {
            self.tick_if_due()?;
        }
        self.put(input)
    }

    /// Lets time pass; whether the next input is to come before the tick that is due.
    fn pass(&mut self, number: usize) -> bool {
        let until_next = self.real.next_deadline().map_or(Span::ZERO, |next| next.since(self.at));
        let more = (number / 16) as u64;
        let passed = match number % 16 {
            0..8 => Span::ZERO,
            8 | 9 => Span::millis(more % 3_000),
            11 => Span(until_next.0.saturating_sub(1)),
            12 => Span(until_next.0 + 1),
            13 => Span::secs(more % 60),
            14 if more.is_multiple_of(4) => Span::secs(60 + more % 600),
            14 => Span::ZERO,
            _ => until_next,
        };
        self.at = self.at + passed;
        number % 16 == 15
    }

    fn tick_if_due(&mut self) -> Outcome {
        let Some(due) = self.real.next_deadline().filter(|due| *due <= self.at) else { return Ok(()) };
        let refusals = self.played.refusals;
        self.hand_in(Actor::Clock, Command::Tick)?;
        if self.played.refusals == refusals {
            return Ok(());
        }
        Err(self.failure(Some("L03"), format!("something is due at {due:?}, and the tick is refused")))
    }

    /// Everybody is willing, until nobody is inside and everybody is free.
    fn quieten(&mut self) -> Outcome {
        for _ in 0..QUIET_MAX {
            self.tick_if_due()?;
            if let Some((actor, command)) = quiet::next(self.real.state()) {
                self.hand_in(actor, command)?;
            } else if self.real.state().calls.is_empty() {
                break;
            } else if let Some(hopeless) = self.hopeless() {
                self.put(hopeless)?;
            } else if let Some(next) = self.real.next_deadline() {
                self.at = self.at.max(next);
            }
        }
        self.lawful(l11_liveness::check(self.real.state()))
    }

    /// A waiting call whose ladder has no end that opens by itself: only its caller can end it, if nobody may take it.
    fn hopeless(&self) -> Option<Input> {
        let state = self.real.state();
        let (id, call) = state.calls.iter().find(|(_, call)| call.is_waiting() && !has_end(state, call))?;
        let command = Command::CallerHungUp { call: *id };
        Some(Input { actor: Actor::Gateway(call.gateway), request: None, command })
    }

    /// The laws about a whole history.
    fn close(&mut self) -> Outcome {
        if !self.watch.laws {
            return Ok(());
        }
        self.lawful(l01_replay::check_history(&self.decisions, &self.real))?;
        self.lawful(l01_replay::check_restore(&self.real))?;
        let state = self.real.state();
        self.lawful(l12_privacy::check_canonical(state.seq, &canonical::encode(state)))?;
        let mut ledger = Ledger::open(&State::default(), Span::secs(20));
        self.decisions.iter().for_each(|decision| ledger.record(decision));
        if ledger.is_balanced(self.real.state()) {
            return Ok(());
        }
        Err(self.failure(Some("L13"), "the ledger is not balanced".to_owned()))
    }

    fn hand_in(&mut self, actor: Actor, command: Command) -> Outcome {
        self.put(Input { actor, request: None, command })
    }

    fn put(&mut self, input: Input) -> Outcome {
        self.deeds.inputs.push((self.at, input.clone()));
        let before = self.real.clone();
        let decided = self.real.handle(self.at, input.clone());
        if self.watch.reference {
            let expected = self.reference.handle(self.at, input);
            self.agreed(compare::answers(&decided, &expected))?;
            self.agreed(compare::states(self.real.state(), &self.reference.state))?;
        }
        match decided {
            Ok(decision) => {
                self.played.decisions += 1;
                self.played.seen.extend(decision.events.iter().map(name_of));
                self.check(&before, &decision)?;
                self.decisions.push(decision);
                Ok(())
            }
            Err(rejection) => {
                self.played.refusals += 1;
                self.played.seen.insert(name_of(&rejection));
                self.lawful(l02_refusal::check(before.state(), &self.real))
            }
        }
    }

    fn check(&self, before: &Switchboard, decision: &Decision) -> Outcome {
        if self.watch.laws {
            let step = Step { before: before.state(), decision, after: &self.real };
            self.lawful(laws::check_step(step))?;
            self.lawful(laws::check_decided(step.decision, step.after))?;
            self.lawful(l01_replay::check(before, decision, &self.real))?;
            self.lawful(l09_attempts::check_repeat(&self.real, decision))?;
            if decision.seq.0.is_multiple_of(8) {
                self.lawful(l01_replay::check_restore(&self.real))?;
            }
        }
        if self.watch.books { self.check_books() } else { Ok(()) }
    }

    fn check_books(&self) -> Outcome {
        if self.real.is_indexed_well() {
            return self.check_views();
        }
        Err(self.failure(None, "the indexes are not what they would be if built afresh".to_owned()))
    }

    /// Whoever looks sees what is so: every call once on the board, and a reason for everybody who is not asked.
    fn check_views(&self) -> Outcome {
        let state = self.real.state();
        let lines = self.real.view().lines;
        let shown: u32 = lines.values().map(|l| l.waiting + l.ringing + l.talking + l.diverting).sum();
        if shown as usize != state.calls.len() {
            return Err(self
                .failure(None, format!("{} calls are inside, the board shows {shown}", state.calls.len())));
        }
        for id in state.calls.keys() {
            let explained = self.real.explain_call(*id);
            let idle = |c: &&switchboard::explain::Candidate| c.against.is_empty();
            let free = explained.as_ref().and_then(|e| e.candidates.iter().find(idle));
            let waits = state.calls[id].is_waiting();
            if explained.is_none() || (waits && free.is_some()) {
                return Err(self.failure(None, format!("call {id} is explained by {explained:?}")));
            }
        }
        let unseen = state
            .operators
            .keys()
            .find(|id| self.real.desk(**id).is_none() || self.real.explain_operator(**id).is_none());
        unseen.map_or(Ok(()), |id| Err(self.failure(None, format!("{id} is not shown"))))
    }

    fn agreed(&self, difference: Option<String>) -> Outcome {
        difference.map_or(Ok(()), |what| Err(self.failure(None, what)))
    }

    fn lawful(&self, law: Result<(), Violation>) -> Outcome {
        law.map_err(|violation| self.failure(Some(violation.law), violation.what))
    }

    fn failure(&self, law: Option<&'static str>, what: String) -> Box<Failure> {
        Box::new(Failure { law, what, inputs: self.deeds.inputs.clone() })
    }
}

/// Whether a call's ladder has a closing message that opens by itself.
fn has_end(state: &State, call: &Call) -> bool {
    let line = &state.plans[&call.revision].lines[&call.line];
    line.tiers.iter().any(|tier| {
        let opens = tier.when.iter().any(|trigger| matches!(trigger, Trigger::Busy | Trigger::Wait(_)));
        opens && tier.who == Who::Closing
    })
}

/// The name of a variant.
fn name_of(value: &impl core::fmt::Debug) -> String {
    format!("{value:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}
