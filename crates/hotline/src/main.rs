//! The one binary. Each subcommand is a room of its own; this file only says which there are.
//!
//! Not here: anything that decides, stores or serves; those are the crates this one puts together.

mod backup;
mod bench;
mod board;
mod causes;
mod certs;
mod chinese;
mod demo;
mod doctor;
mod health;
mod help;
mod journal;
mod lang;
mod log;
mod office;
mod open_files;
mod postgres;
mod screenshots;
mod secrets;
mod serve;
mod timings;
mod tokens;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

use self::log::LogFormat;

/// A hospital's hotlines: every caller in one order, every operator's phone at the right moment.
#[derive(Debug, Parser)]
#[command(version)]
struct Hotline {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::DemoFlags),
    Bench(bench::BenchFlags),
    Journal(journal::JournalFlags),
    #[command(name = "backup")]
    BackUp(backup::BackUp),
    Restore(backup::Restore),
    Certs(certs::Certs),
    Migrate(postgres::Migrate),
    Health(health::Health),
    Doctor(doctor::Doctor),
    #[command(hide = true)]
    Screenshots(screenshots::Screenshots),
    #[command(hide = true)]
    Timings(timings::Timings),
    #[command(flatten)]
    Office(office::Noun),
}

fn main() -> Result<ExitCode> {
    let typed: Hotline = match help::typed(Hotline::command()) {
        Ok(typed) => typed,
        Err(ended) => return Ok(ended),
    };
    match typed.command {
        Command::Serve(flags) => Ok(serve::run(flags)),
        Command::Demo(flags) => {
            log::begin(LevelFilter::WARN, LogFormat::Text);
            Ok(demo::run(&flags))
        }
        Command::Bench(flags) => {
            log::begin(LevelFilter::WARN, LogFormat::Text);
            Ok(flags.run())
        }
        Command::Journal(flags) => {
            log::begin(LevelFilter::WARN, LogFormat::Text);
            Ok(flags.run())
        }
        Command::BackUp(flags) => Ok(flags.run()),
        Command::Restore(flags) => Ok(flags.run()),
        Command::Migrate(flags) => Ok(flags.run()),
        Command::Health(flags) => Ok(flags.run()),
        Command::Screenshots(screenshots) => screenshots.run(),
        Command::Timings(timings) => timings.run(),
        Command::Office(noun) => Ok(office::run(noun, Hotline::command())),
        Command::Doctor(doctor) => Ok(doctor.run()),
        Command::Certs(certs) => Ok(certs.run()),
    }
}
