use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::lang::Lang;

const EXIT_CODES: &str = "Exit codes: 0 measured, and every figure is within its limit, 1 measured, and one is not, \
                          2 wrong flags, 3 it could not be measured";

/// Measures this program on this machine.
///
/// Services are started as child processes, durable and in memory, and loaded over gRPC by real desks and a gateway.
/// Beside every figure stands what it is made of on this machine: a small durable append, a question over gRPC, and,
/// where Redis is installed, a plain call distributor of Redis and Lua. Nothing else should run meanwhile.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct BenchFlags {
    /// The short form, for checks: few and short rounds, no crowd of desks, no restarts, and limits that a debug build
    /// keeps on any machine.
    #[arg(long)]
    pub(super) small: bool,

    /// How many times everything is measured, each time in another order; 5, in the short form 2.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(super) rounds: Option<u32>,

    /// How long each load lasts in each round; 4, in the short form 2.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(super) seconds: Option<u32>,

    /// The calls of the open load that ring in each second.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) rate: u32,

    /// How many desks the crowd grows to, from 1,000; 0 for none. 9,000, in the short form 0.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=50_000))]
    pub(super) desks: Option<u32>,

    /// How many times a service is killed and started again; 0 for none. 20, in the short form 0.
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(super) restarts: Option<u32>,

    /// How many times one of two servers on one database is killed under the open load, and as many times stopped; 0 for
    /// none of what is measured with two. 5, in the short form 0.
    #[arg(long, requires = "postgres", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(super) takeovers: Option<u32>,

    /// How many sites, of 15 operators each, one server serves on one database at 200 calls a second; 0 for none. 20, in
    /// the short form 0.
    #[arg(long, requires = "postgres", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(super) sites: Option<u32>,

    /// Where the services' directories are made, on the disk to be measured; the directory for temporary files if not
    /// given.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,

    /// A file that holds the address of a Postgres server, as in docs/postgres.md, whose user may make databases: the same
    /// loads are measured there, in databases that are dropped at the end.
    #[arg(long, value_name = "FILE")]
    pub(super) postgres: Option<PathBuf>,

    /// The program of other call distributors; the one beside this program if not given.
    #[arg(long, value_name = "PATH")]
    pub(super) peers: Option<PathBuf>,

    /// What is written to standard output.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,

    /// The language of the report; the locale's if not said.
    #[arg(long)]
    pub(super) lang: Option<Lang>,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people.
    Text,
    /// One object on the last line, for programs.
    Json,
}

impl BenchFlags {
    pub(super) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.small { 2 } else { 5 })
    }

    pub(super) fn seconds(&self) -> u32 {
        self.seconds.unwrap_or(if self.small { 2 } else { 4 })
    }

    pub(super) fn desks(&self) -> u32 {
        self.desks.unwrap_or(if self.small { 0 } else { 9_000 })
    }

    pub(super) fn restarts(&self) -> u32 {
        self.restarts.unwrap_or(if self.small { 0 } else { 20 })
    }

    pub(super) fn takeovers(&self) -> u32 {
        self.takeovers.unwrap_or(if self.small { 0 } else { 5 })
    }

    pub(super) fn sites(&self) -> u32 {
        self.sites.unwrap_or(if self.small { 0 } else { 20 })
    }
}
