//! Plays a history on the switchboard and on the reference side by side.

use std::collections::BTreeSet;

use switchboard::Switchboard;
use switchboard::canonical;
use switchboard::command::{Actor, Adoption, Command, Input};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{LineId, Revision, Seq};
use switchboard::laws::{
    self, Step, Violation, l01_replay, l02_refusal, l09_attempts, l11_liveness, l12_privacy,
};
use switchboard::ledger::Ledger;
use switchboard::rejection::Rejection;
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};

use super::deeds::{Deeds, admin, desk_id, gateway_id};
use super::site::{PEOPLE, operator_id, plan, profile};
use super::{Draw, Failure, History, Numbers, quiet};
use crate::reference::Reference;

/// How many inputs a willing staff may need to let everybody out.
const QUIET_MAX: usize = 4_000;

/// What a history that held all laws came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    /// Accepted inputs.
    pub decisions: usize,
    /// Refused inputs.
    pub refusals: usize,
    /// Events of all decisions.
    pub events: usize,
}

/// Plays a history with every law after every step.
///
/// # Errors
/// The first law violated, or the first difference between switchboard and reference.
pub fn play(history: &History) -> Result<Played, Box<Failure>> {
    let mut stage = Stage::default();
    stage.open(history)?;
    for draw in &history.steps {
        stage.step(draw)?;
    }
    stage.quieten()?;
    stage.close()?;
    Ok(stage.played)
}

#[derive(Default)]
struct Stage {
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
        let move_waiting = std::collections::BTreeMap::new();
        let adoption = Adoption { plan, expect: Revision(0), migrate: false, move_waiting };
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
        let next = self.real.next_deadline();
        let until_next = next.map_or(Span::ZERO, |next| next.since(self.at));
        self.at = match number % 16 {
            0..5 => self.at,
            5..8 => self.at + Span::millis((number / 16 % 3_000) as u64),
            8..11 => self.at + until_next,
            11 => self.at + Span(until_next.0.saturating_sub(1)),
            12 => self.at + Span(until_next.0 + 1),
            13 => self.at + Span::secs((number / 16 % 60) as u64),
            14 => self.at + Span::secs(60 + (number / 16 % 600) as u64),
            _ => self.at + until_next,
        };
        number % 16 == 15
    }

    fn tick_if_due(&mut self) -> Outcome {
        if self.real.next_deadline().is_some_and(|due| due <= self.at) {
            self.hand_in(Actor::Clock, Command::Tick)?;
        }
        Ok(())
    }

    /// Everybody is willing, until nobody is inside.
    fn quieten(&mut self) -> Outcome {
        for _ in 0..QUIET_MAX {
            self.tick_if_due()?;
            if self.real.state().calls.is_empty() {
                break;
            }
            if let Some((actor, command)) = quiet::next(self.real.state()) {
                self.hand_in(actor, command)?;
            } else if let Some(next) = self.real.next_deadline() {
                self.at = self.at.max(next);
            } else {
                self.let_out()?;
            }
        }
        while matches!(quiet::next(self.real.state()), Some((_, Command::ForceOperator { .. }))) {
            let Some((actor, command)) = quiet::next(self.real.state()) else { break };
            self.tick_if_due()?;
            self.hand_in(actor, command)?;
        }
        let lawful = l11_liveness::check(self.real.state());
        self.lawful(lawful)
    }

    /// A ladder without an end, and nobody who may take the call: its caller gives up.
    fn let_out(&mut self) -> Outcome {
        let state = self.real.state();
        let hopeless = state.calls.iter().find(|(_, call)| call.is_waiting() && !has_end(state, call));
        let Some((id, gateway)) = hopeless.map(|(id, call)| (*id, call.gateway)) else { return Ok(()) };
        self.hand_in(Actor::Gateway(gateway), Command::CallerHungUp { call: id })
    }

    /// The laws about a whole history.
    fn close(&mut self) -> Outcome {
        let replayed = l01_replay::check_history(&self.decisions, &self.real);
        self.lawful(replayed)?;
        let restored = l01_replay::check_restore(&self.real);
        self.lawful(restored)?;
        let state = canonical::encode(self.real.state());
        self.lawful(l12_privacy::check_canonical(Seq(0), &state))?;
        let mut ledger = Ledger::open(&State::default(), Span::secs(20));
        self.decisions.iter().for_each(|decision| ledger.record(decision));
        if ledger.is_balanced(self.real.state()) {
            Ok(())
        } else {
            Err(self.failure("the ledger is not balanced"))
        }
    }

    fn hand_in(&mut self, actor: Actor, command: Command) -> Outcome {
        self.put(Input { actor, request: None, command })
    }

    fn put(&mut self, input: Input) -> Outcome {
        self.deeds.inputs.push((self.at, input.clone()));
        let before = self.real.clone();
        let decided = self.real.handle(self.at, input.clone());
        let expected = self.reference.handle(self.at, input);
        match (decided, expected) {
            (Ok(decision), Ok(expected)) => {
                self.played.decisions += 1;
                self.played.events += decision.events.len();
                self.agree(&decision, &expected)?;
                self.check_decision(&before, &decision)?;
                self.decisions.push(decision);
                Ok(())
            }
            (Err(rejection), Err(expected)) => {
                self.played.refusals += 1;
                self.lawful(l02_refusal::check(before.state(), &self.real))?;
                self.agree_on_refusal(&rejection, &expected)
            }
            (Ok(decision), Err(expected)) => Err(self.failure(format!(
                "decided {:?}; the reference refuses: {expected:?}",
                texts(&decision.events)
            ))),
            (Err(rejection), Ok(expected)) => Err(self.failure(format!(
                "refused {rejection:?}; the reference decides {:?}",
                texts(&expected.events)
            ))),
        }
    }

    fn check_decision(&mut self, before: &Switchboard, decision: &Decision) -> Outcome {
        let step = Step { before: before.state(), decision, after: &self.real };
        self.lawful(laws::check_step(step))?;
        self.lawful(l01_replay::check(before, decision, &self.real))?;
        self.lawful(l09_attempts::check_repeat(&self.real, decision))?;
        if decision.seq.0.is_multiple_of(8) {
            self.lawful(l01_replay::check_restore(&self.real))?;
        }
        if self.real.is_indexed_well() {
            Ok(())
        } else {
            Err(self.failure("the indexes are not what they should be"))
        }
    }

    fn agree(&mut self, decision: &Decision, expected: &Decision) -> Outcome {
        let (mut said, mut meant) = (texts(&decision.events), texts(&expected.events));
        said.sort_unstable();
        meant.sort_unstable();
        if said != meant || decision.reply != expected.reply {
            let only = |these: &[String], those: &[String]| -> Vec<String> {
                these.iter().filter(|text| !those.contains(text)).cloned().collect()
            };
            return Err(self.failure(format!(
                "reply {:?}, events {:#?}\nthe switchboard alone says {:#?}\nthe reference alone says {:?} {:#?}",
                decision.reply,
                texts(&decision.events),
                only(&said, &meant),
                expected.reply,
                only(&meant, &said),
            )));
        }
        let (real, reference) = (plain(self.real.state()), plain(&self.reference.state));
        if real == reference {
            return Ok(());
        }
        let (real, reference) = (canonical::encode(&real), canonical::encode(&reference));
        let at = real.bytes().zip(reference.bytes()).take_while(|(a, b)| a == b).count();
        let around = |text: &str| {
            text.get(at.saturating_sub(160)..(at + 120).min(text.len())).unwrap_or(text).to_owned()
        };
        Err(self.failure(format!(
            "the states differ after {:#?}: switchboard …{}…\nreference …{}…",
            texts(&decision.events),
            around(&real),
            around(&reference)
        )))
    }

    fn agree_on_refusal(&mut self, rejection: &Rejection, expected: &Rejection) -> Outcome {
        if rejection == expected {
            return Ok(());
        }
        Err(self.failure(format!("refused with {rejection:?}; the reference refuses with {expected:?}")))
    }

    fn lawful(&self, law: Result<(), Violation>) -> Outcome {
        law.map_err(|violation| {
            let mut failure = self.failure(violation.what);
            failure.law = Some(violation.law);
            failure
        })
    }

    fn failure(&self, what: impl Into<String>) -> Box<Failure> {
        Box::new(Failure { law: None, what: what.into(), inputs: self.deeds.inputs.clone() })
    }
}

/// Whether a call's ladder has a step that lets the caller out: it opens by itself, or by `Empty`.
fn has_end(state: &State, call: &switchboard::call::Call) -> bool {
    use switchboard::plan::{Trigger, Who};
    let line = &state.plans[&call.revision].lines[&call.line];
    line.tiers.iter().any(|tier| {
        let opens = tier.when.iter().any(|t| matches!(t, Trigger::Busy | Trigger::Wait(_)));
        opens && matches!(tier.who, Who::Closing)
    })
}

fn texts(events: &[Event]) -> Vec<String> {
    let text = |event: &Event| match event {
        Event::PlanAdopted { revision, plan, .. } => {
            let plan = canonical::Hash::of(&canonical::encode(plan));
            format!("PlanAdopted {{ revision: {revision:?}, plan: {plan} }}")
        }
        event => format!("{event:?}"),
    };
    events.iter().map(text).collect()
}

/// The state apart from what the reference does not keep: request memories and the revisions of treatments, which law
/// L05 looks at.
fn plain(state: &State) -> State {
    let mut plain = state.clone();
    plain.requests.clear();
    for call in plain.calls.values_mut() {
        call.treatment_revision = Seq(0);
    }
    plain
}
