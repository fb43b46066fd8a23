use std::fmt;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::lang::Lang;

/// A day of these many first attempts is the hospital's usual one.
const CALLS_USUAL: u32 = 4_000;
/// More deaths than this in a day show nothing more.
const KILLS_MAX: u32 = 1_000;
/// More first attempts than this in a day are not simulated: each caller is kept in memory.
const CALLS_MAX: u32 = 1_000_000;

const KILLS_USUAL: &str = "10";

const EXIT_CODES: &str = "Exit codes: 0 the day was played and its ledger balances, 1 it does not balance, \
                          2 wrong flags, 3 the day could not be played, 130 interrupted";

/// Plays a hospital's day through the service, with a live board.
///
/// The service is started as a child process on this machine, on a clock that is stepped, and everything goes over
/// gRPC: callers through a telephony gateway, forty-two operators at their desks. The same seed gives the same day
/// on any machine and at any pace.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DemoFlags {
    /// Everything that chance decides follows from it.
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    pub(super) seed: u64,

    /// How many callers try for the first time; redials come on top.
    #[arg(long, allow_negative_numbers = true, default_value_t = CALLS_USUAL, value_parser = clap::value_parser!(u32).range(1..=i64::from(CALLS_MAX)))]
    pub(super) calls: u32,

    /// So many times as many callers, with the same shape of day.
    #[arg(long, allow_negative_numbers = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) surge: u32,

    /// How fast site time passes: `1x` as on a wall, `60x` a day in 24 minutes, `max` without waiting.
    #[arg(long, default_value = "max")]
    pub(super) pace: Pace,

    /// Kill the service N times (10 if not said) at random moments, each with a request on its way.
    ///
    /// The service then keeps its journal in a private directory that goes with the demo, and is started again after
    /// each death, whoever caused it: with 0 nobody does on purpose. A day with deaths is another one than the day
    /// without; its ledger balances all the same, and the journal is verified at the end.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = KILLS_USUAL, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..=i64::from(KILLS_MAX)))]
    pub(super) kill: Option<u32>,

    /// What is written to standard output at the end.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,

    /// The language of board and report; the locale's if not said.
    #[arg(long)]
    pub(super) lang: Option<Lang>,
}

impl DemoFlags {
    /// First attempts, the surge included.
    ///
    /// # Errors
    /// How many there would be, when they are too many.
    pub(super) fn first_attempts(&self) -> Result<u32, u64> {
        let all = u64::from(self.calls) * u64::from(self.surge);
        u32::try_from(all).ok().filter(|all| *all <= CALLS_MAX).ok_or(all)
    }
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    Text,
    /// One object on the last line, for programs.
    Json,
}

/// How fast site time passes. The clock is stepped all the same: a pace only waits between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// So many times as fast as a clock on the wall.
    Times(u32),
    /// As fast as the machine can.
    Max,
}

impl Pace {
    const TIMES_MAX: u32 = 1_000_000;
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Pace, String> {
        if text == "max" {
            return Ok(Pace::Max);
        }
        let times = text.strip_suffix('x').and_then(|times| times.parse().ok());
        match times.filter(|times| (1..=Pace::TIMES_MAX).contains(times)) {
            Some(times) => Ok(Pace::Times(times)),
            None => Err("write 1x, 60x, another whole number with an x, or max".to_owned()),
        }
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pace::Times(times) => write!(f, "{times}x"),
            Pace::Max => f.write_str("max"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_are_read_as_they_are_written() {
        for text in ["1x", "60x", "86400x", "max"] {
            assert_eq!(text.parse::<Pace>().unwrap().to_string(), text);
        }
        for text in ["", "x", "0x", "60", "-1x", "1.5x", "fast", "99999999x"] {
            assert!(text.parse::<Pace>().is_err(), "{text}");
        }
    }
}
