//! The log, on standard error. Only our own rooms say more than warnings: what a library says at a finer level can be
//! the bytes that went over the wire, and those hold callers' numbers and tokens.

use std::io::IsTerminal;

use clap::ValueEnum;
use serde::Deserialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// Rooms that have something to say. None of them is ever given a number or a token to say it with.
const ROOMS: [&str; 8] = ["api", "exchange", "hotline", "plan", "presence", "routing", "session", "sim"];

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object each, for programs.
    Json,
}

/// Whoever else listens to what the rooms say.
pub(crate) type Listener = Box<dyn Layer<Registry> + Send + Sync>;

/// Begins the log. Once per process.
pub(crate) fn begin(level: LevelFilter, format: LogFormat) {
    begin_with(level, format, None);
}

/// Begins the log, with another listener beside it. Once per process.
pub(crate) fn begin_with(level: LevelFilter, format: LogFormat, listener: Option<Listener>) {
    let others = level.min(LevelFilter::WARN);
    let rooms = Targets::new().with_default(others).with_targets(ROOMS.map(|room| (room, level)));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines: Listener = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let mut listeners = vec![lines.with_filter(rooms).boxed()];
    listeners.extend(listener);
    tracing_subscriber::registry().with(listeners).init();
}
