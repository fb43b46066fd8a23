//! Random but meaningful histories: a small hospital, and a sequence of things people, phones and gateways do there,
//! right, wrong, twice, late and at the very microsecond of a deadline. Written as plain numbers that are read against
//! the state of the moment, so that any numbers are a history, and smaller ones are a simpler one.
//!
//! [`play`] hands a history to the switchboard and to the [`reference`](crate::reference) side by side, with every law
//! after every step.

mod compare;
mod deeds;
mod play;
mod quiet;
mod site;

use core::fmt;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use switchboard::canonical;
use switchboard::command::{Command, Input};
use switchboard::plan::{Line, LinePrompts, Title};
use switchboard::time::SiteTime;

pub use self::play::{Played, Watch, play, play_on};

/// One step of a history: what is done, and numbers to choose by.
pub type Draw = [u16; 6];

/// A small hospital and what is done there.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct History {
    /// The plan, as numbers; when they run out, zeros.
    pub plan: Vec<u16>,
    /// The people, likewise.
    pub people: Vec<u16>,
    /// What is done.
    pub steps: Vec<Draw>,
}

impl History {
    /// The history of a seed.
    pub fn from_seed(seed: u64, steps: usize) -> History {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut number = || chance.next_u32() as u16;
        let plan = (0..96).map(|_| number()).collect();
        let people = (0..48).map(|_| number()).collect();
        let steps = (0..steps).map(|_| core::array::from_fn(|_| number())).collect();
        History { plan, people, steps }
    }
}

/// On one line, as it is written in a test.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let History { plan, people, steps } = self;
        write!(f, "History {{ plan: vec!{plan:?}, people: vec!{people:?}, steps: vec!{steps:?} }}")
    }
}

/// What went wrong, with everything needed to see it again.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which law did not hold; none when switchboard and reference differ, or the switchboard's indexes are wrong.
    pub law: Option<&'static str>,
    /// What was found.
    pub what: String,
    /// Every input so far, the last one included.
    pub inputs: Vec<(SiteTime, Input)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.law.unwrap_or("reference"), self.what)?;
        writeln!(f, "after {} inputs, of which the last are:", self.inputs.len())?;
        for (at, input) in self.inputs.iter().rev().take(40).rev() {
            match &input.command {
                Command::AdoptPlan(adoption) => {
                    writeln!(
                        f,
                        "{:>14} adopt a plan: migrate {}, {:?}",
                        at.0, adoption.migrate, adoption.move_waiting
                    )?;
                    for (id, line) in &adoption.plan.lines {
                        writeln!(f, "{:>16} {}", id, Brief(line))?;
                    }
                }
                _ => writeln!(f, "{:>14} {}", at.0, canonical::encode(input))?,
            }
        }
        Ok(())
    }
}

/// A line as far as it decides anything.
struct Brief<'a>(&'a Line);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = Line { prompts: LinePrompts::default(), title: Title::default(), ..self.0.clone() };
        let text = canonical::encode(&line);
        f.write_str(text.split(",\"prompts\"").next().unwrap_or_default())
    }
}

/// Reads numbers one after the other; zeros when they run out.
#[derive(Debug, Clone)]
struct Numbers<'a>(core::slice::Iter<'a, u16>);

impl<'a> Numbers<'a> {
    fn of(numbers: &'a [u16]) -> Numbers<'a> {
        Numbers(numbers.iter())
    }

    fn next(&mut self) -> usize {
        self.0.next().copied().unwrap_or(0).into()
    }

    /// One of some; the first for zero.
    fn one_of<T: Copy>(&mut self, some: &[T]) -> T {
        some[self.next() % some.len()]
    }

    /// One of some, if there are any.
    fn pick<T: Copy>(&mut self, some: &[T]) -> Option<T> {
        let n = self.next();
        (!some.is_empty()).then(|| some[n % some.len()])
    }

    /// Whether a chance of one in `n` came true; never for zero.
    fn one_in(&mut self, n: usize) -> bool {
        self.next() % n == n - 1
    }
}
