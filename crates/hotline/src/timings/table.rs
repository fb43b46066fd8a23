//! Runs commands, and writes how long each took.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use uuid::Uuid;

use super::commands::{Step, Timed};
use super::live::Live;
use super::{command, say};

/// Commands that are run from one directory, and what they took.
pub(super) struct Table<'t> {
    dir: &'t Path,
    rounds: usize,
    /// When it began, in seconds since 1970: ids of another run on the same site are others.
    pub(super) began_s: u64,
    rounds_so_far: u64,
    /// Whether a command missed its limit.
    pub(super) missed: bool,
}

/// What is another in each round.
pub(super) struct Round {
    /// An id that was never used before.
    pub(super) id: String,
    /// A call that may ring in.
    pub(super) call: String,
    /// Its caller's number.
    pub(super) number: String,
    /// The last line that the command before wrote.
    said: String,
}

impl Round {
    /// A command's words, with what is another in each round in its place.
    fn words<'r>(&'r self, words: &'r str) -> Vec<&'r str> {
        let filled = |word: &'r str| match word {
            "ID" => self.id.as_str(),
            "CALL" => self.call.as_str(),
            "NUMBER" => self.number.as_str(),
            "SAID" => self.said.as_str(),
            word => word,
        };
        words.split(' ').map(filled).collect()
    }
}

impl Table<'_> {
    /// Of commands that are run from this directory, each so often.
    ///
    /// # Errors
    /// When this machine's clock shows a time before 1970.
    pub(super) fn new(dir: &Path, rounds: usize) -> Result<Table<'_>> {
        let began_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok(Table { dir, rounds: rounds.max(1), began_s, rounds_so_far: 0, missed: false })
    }

    /// Runs a sequence round by round, and writes a line for each of its commands.
    ///
    /// # Errors
    /// When the answer of a command is not the one that it has.
    pub(super) fn time(&mut self, sequence: &[Step], live: &Live) -> Result<()> {
        let mut took: Vec<Vec<Duration>> = vec![Vec::new(); sequence.len()];
        for _ in 0..self.rounds {
            let mut round = self.round();
            for (step, took) in sequence.iter().zip(&mut took) {
                match step {
                    Step::Timed(timed) => took.push(self.once(timed, &mut round)?),
                    Step::Made(made) => live.make(*made, &round)?,
                }
            }
        }
        for (step, took) in sequence.iter().zip(took) {
            if let Step::Timed(timed) = step {
                self.write(timed, took)?;
            }
        }
        Ok(())
    }

    /// Runs a command that others need, and does not time it.
    ///
    /// # Errors
    /// When it does not end well.
    pub(super) fn prepare(&mut self, words: &str) -> Result<()> {
        let (timed, mut round) = (Timed::new(words, &[0]), self.round());
        self.once(&timed, &mut round).map(drop)
    }

    fn round(&mut self) -> Round {
        self.rounds_so_far += 1;
        let call = Uuid::new_v4();
        let digits = call.as_u128() % 100_000_000;
        Round {
            id: format!("t{}-{}", self.began_s, self.rounds_so_far),
            call: call.to_string(),
            number: format!("138{digits:08}"),
            said: String::new(),
        }
    }

    /// How long a command takes, whose answer has to be the one that it has.
    fn once(&self, timed: &Timed, round: &mut Round) -> Result<Duration> {
        let words = round.words(&timed.words);
        let mut asking = command(&words)?;
        asking.current_dir(self.dir);
        let began = Instant::now();
        let output = asking.output()?;
        let took = began.elapsed();
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.code().is_some_and(|code| timed.expected.contains(&code)) {
            bail!(
                "hotline {}: {}, and its answer has the exit code {:?}\n{}{said}",
                words.join(" "),
                output.status,
                timed.expected,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        round.said = said.lines().next_back().unwrap_or_default().to_owned();
        Ok(took)
    }

    /// The median, the longest, and the command.
    fn write(&mut self, timed: &Timed, mut took: Vec<Duration>) -> Result<()> {
        took.sort_unstable();
        let (Some(median), Some(longest)) = (took.get(took.len() / 2), took.last()) else { return Ok(()) };
        let over = timed.at_most.is_some_and(|at_most| *median > at_most);
        self.missed |= over;
        let mark = if over { "  OVER ITS LIMIT" } else { "" };
        say(&format!("{:>8}  {:>8}  hotline {}{mark}", shown(*median), shown(*longest), timed.words))
    }
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
