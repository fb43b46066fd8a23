//! A switchboard under watch: every law after every step, a replay and the reference beside it, and crashes between
//! decisions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use switchboard::Switchboard;
use switchboard::canonical;
use switchboard::command::{Command, Input};
use switchboard::decision::Decision;
use switchboard::laws;
use switchboard::rejection::Rejection;
use switchboard::state::State;
use switchboard::time::SiteTime;

use crate::chance::{Chance, Purpose};
use crate::drive::{Scripted, tick};
use crate::reference::Reference;

/// The bytes of state and replay are compared every so many decisions, and at every crash.
const COMPARED_EVERY: u64 = 16;

/// What went wrong, in words that begin with what was violated.
pub type Wrong = String;

/// A switchboard, everything that checks it, and everything that it decided.
#[derive(Debug, Clone)]
pub struct Checked {
    /// To which nothing has happened.
    fresh: Switchboard,
    live: Switchboard,
    replayed: Switchboard,
    reference: Reference,
    journal: Vec<Decision>,
    chance: Chance,
    crashes: u64,
}

impl Checked {
    /// Watches a switchboard to which nothing has happened; `seed` decides where it crashes.
    pub fn new(fresh: Switchboard, seed: u64) -> Checked {
        Checked {
            live: fresh.clone(),
            replayed: fresh.clone(),
            fresh,
            reference: Reference::new(),
            journal: Vec::new(),
            chance: Chance::new(seed),
            crashes: 0,
        }
    }

    /// The switchboard itself.
    pub fn live(&self) -> &Switchboard {
        &self.live
    }

    /// Everything decided so far.
    pub fn journal(&self) -> &[Decision] {
        &self.journal
    }

    /// How often it crashed and came back.
    pub fn crashes(&self) -> u64 {
        self.crashes
    }

    /// Hands in one input and checks everything about the answer.
    ///
    /// # Errors
    /// What was violated.
    pub fn handle(&mut self, at: SiteTime, input: Input) -> Result<Result<Decision, Rejection>, Wrong> {
        let before = self.live.state().clone();
        let live = &mut self.live;
        let answer = catch_unwind(AssertUnwindSafe(|| live.handle(at, input.clone())))
            .map_err(|_| format!("panic: the switchboard panicked at {input:?}"))?;
        let second = self.reference.handle(at, input.clone());
        if !agree(&answer, &second) {
            return Err(format!("reference: it says {second:?} where the switchboard says {answer:?}"));
        }
        let decision = match answer {
            Err(rejection) => {
                laws::l02_refusal::check(&before, &self.live).map_err(|v| v.to_string())?;
                return Ok(Err(rejection));
            }
            Ok(decision) => decision,
        };
        let step = laws::Step { before: &before, decision: &decision, after: &self.live };
        laws::check_step(step).map_err(|violation| violation.to_string())?;
        laws::check_decided(&decision, &self.live).map_err(|violation| violation.to_string())?;
        if !self.live.is_indexed_well() {
            return Err(format!("index: not what the state says after {:?}", decision.input));
        }
        self.replayed.evolve(&decision);
        self.journal.push(decision.clone());
        self.maybe_crash(&decision)?;
        Ok(Ok(decision))
    }

    /// Makes everything happen that is due by `at`.
    ///
    /// # Errors
    /// What was violated.
    pub fn tick(&mut self, at: SiteTime) -> Result<Vec<Decision>, Wrong> {
        let mut decisions = Vec::new();
        while self.live.next_deadline().is_some_and(|due| due <= at) {
            match self.handle(at, tick())? {
                Ok(decision) => decisions.push(decision),
                Err(rejection) => {
                    return Err(format!("tick: refused with {rejection} though something is due"));
                }
            }
        }
        Ok(decisions)
    }

    fn maybe_crash(&mut self, decision: &Decision) -> Result<(), Wrong> {
        let mut draw = self.chance.about(Purpose::Fault, decision.seq.0, 0);
        let crash = draw.below(16);
        if crash > 1 && !decision.seq.0.is_multiple_of(COMPARED_EVERY) {
            return Ok(());
        }
        let text = canonical::encode(self.live.state());
        if text != canonical::encode(self.replayed.state()) {
            return Err(format!("L01: live state and replay differ after {:?}", decision.input.command));
        }
        match crash {
            0 => {
                let state =
                    canonical::decode(&text).map_err(|e| format!("L01: a state cannot be read: {e}"))?;
                self.live = self.restored(state);
                self.crashes += 1;
            }
            1 => {
                self.live = self.replayed.clone();
                self.crashes += 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// A switchboard from its stored state, with what was planted in it.
    fn restored(&self, state: State) -> Switchboard {
        #[cfg(feature = "planted-bugs")]
        let state = State { planted: self.fresh.state().planted, ..state };
        Switchboard::from_state(state)
    }

    /// Decides every stored input again, on a switchboard to which nothing has happened, and reads every stored
    /// decision back.
    ///
    /// # Errors
    /// Where the second history differs.
    pub fn decide_again(&self) -> Result<(), Wrong> {
        let mut again = self.fresh.clone();
        for decision in &self.journal {
            let text = decision.to_canonical();
            if canonical::decode::<Decision>(&text).ok().as_ref() != Some(decision) {
                return Err(format!("L01: decision {} does not read back", decision.seq.0));
            }
            let second = again.handle(decision.at, decision.input.clone());
            if second.as_ref() != Ok(decision) {
                return Err(format!("L01: decision {} decided again is {second:?}", decision.seq.0));
            }
        }
        Ok(())
    }
}

/// Whether two switchboards decided the same; the order of events within one decision may differ.
fn agree(one: &Result<Decision, Rejection>, other: &Result<Decision, Rejection>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one.reply == other.reply && sorted(one) == sorted(other),
        (Err(one), Err(other)) => one == other,
        _ => false,
    }
}

fn sorted(decision: &Decision) -> Vec<String> {
    let mut events: Vec<String> = decision.events.iter().map(canonical::encode).collect();
    events.sort_unstable();
    events
}

/// Plays a script under watch on a switchboard to which nothing has happened. Ticks that are due and not in the script are handed in.
///
/// # Errors
/// What was violated first.
pub fn play(fresh: &Switchboard, seed: u64, script: &[Scripted]) -> Result<Checked, Wrong> {
    let mut checked = Checked::new(fresh.clone(), seed);
    for (at, input) in script {
        if input.command != Command::Tick {
            checked.tick(*at)?;
        }
        checked.handle(*at, input.clone())?.ok();
    }
    Ok(checked)
}
