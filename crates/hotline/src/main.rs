//! The one binary. Each subcommand is a room of its own; this file only says which there are.
//!
//! Not here: anything that decides, stores or serves; those are the crates this one puts together.

mod bench;
mod demo;
mod journal;
mod lang;
mod serve;
mod tokens;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

/// A hospital's hotlines: every caller in one order, every operator's phone at the right moment.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Hotline {
    /// How much to say on standard error: off, error, warn, info, debug or trace.
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL")]
    log: LevelFilter,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve one site to gateways, desks, supervisors and administrators of this machine.
    Serve(serve::Serve),
    Demo(demo::DemoFlags),
    Bench(bench::BenchFlags),
    Journal(journal::JournalFlags),
}

fn main() -> Result<ExitCode> {
    let hotline = Hotline::parse();
    tracing_subscriber::fmt().with_max_level(hotline.log).with_writer(std::io::stderr).init();
    match hotline.command {
        Command::Serve(serve) => serve.run(),
        Command::Demo(flags) => Ok(demo::run(&flags)),
        Command::Bench(flags) => Ok(flags.run()),
        Command::Journal(flags) => Ok(flags.run()),
    }
}
