//! Torture: small random hospitals under everything that can go wrong at once. First a phase of faults, in which every
//! law is checked after every step; then the faults stop and everybody must get through.

mod checked;
mod hospital;
mod office;
mod run;
mod shrink;
mod wire;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use switchboard::command::{Command, Input};
use switchboard::time::SiteTime;
use switchboard::{Switchboard, canonical};

pub use self::checked::{Checked, Wrong, play};
pub use self::run::{Endured, endure, endure_on};
use crate::drive::{Scripted, tick};

/// A seed that violated something.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which seed.
    pub seed: u64,
    /// What was violated.
    pub wrong: Wrong,
    /// Everything handed in until then.
    pub script: Vec<Scripted>,
}

impl Failure {
    /// The same failure with as little of a script as was found to be needed. A caller who never gets through cannot
    /// be found by leaving inputs out, because without them others do not, either: that script stays whole.
    #[must_use]
    pub fn shrunk(self) -> Failure {
        self.shrunk_on(&Switchboard::new())
    }

    /// The same on a switchboard to which nothing has happened, but which may have a mistake planted.
    #[must_use]
    pub fn shrunk_on(self, fresh: &Switchboard) -> Failure {
        let Failure { seed, wrong, script } = self;
        let kind = kind(&wrong).to_owned();
        let fails =
            |script: &[Scripted]| play(fresh, seed, script).err().filter(|wrong| self::kind(wrong) == kind);
        let (script, wrong) = shrink::shrink(script, wrong, fails);
        Failure { seed, wrong, script }
    }
}

/// What was violated, without where.
fn kind(wrong: &str) -> &str {
    wrong.split([' ', ':']).next().unwrap_or(wrong)
}

/// A script as text: each input as the journal writes it, and under it what a switchboard makes of it. Ticks that are
/// due and not in the script are put in.
pub fn transcript(script: &[Scripted]) -> String {
    let mut switchboard = Switchboard::new();
    let mut text = String::new();
    for (at, input) in script {
        while switchboard.next_deadline().is_some_and(|due| due <= *at) && input.command != Command::Tick {
            if !tell(&mut switchboard, *at, &tick(), &mut text) {
                break;
            }
        }
        tell(&mut switchboard, *at, input, &mut text);
    }
    text
}

/// Whether the input was accepted.
fn tell(switchboard: &mut Switchboard, at: SiteTime, input: &Input, text: &mut String) -> bool {
    *text += &format!("{:>12} s  {}\n", Seconds(at.0), canonical::encode(input));
    // What is being shown may well be a panic.
    match catch_unwind(AssertUnwindSafe(|| switchboard.handle(at, input.clone()))) {
        Ok(Ok(decision)) => {
            decision.events.iter().for_each(|event| *text += &format!("{:>19}{event:?}\n", "-> "));
            true
        }
        Ok(Err(rejection)) => {
            *text += &format!("{:>19}{rejection:?}\n", "-x ");
            false
        }
        Err(_) => {
            *text += &format!("{:>19}panic\n", "-x ");
            false
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { seed, wrong, .. } = self;
        write!(f, "HOTLINE_SEED={seed} cargo test -p sim --test torture one_seed -- --nocapture  # {wrong}")
    }
}

impl std::error::Error for Failure {}

/// Microseconds, shown as seconds.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000))
    }
}
