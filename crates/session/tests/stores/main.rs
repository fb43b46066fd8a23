//! What every store must do, whatever it stands on: one suite for each of its sides, run over memory, SQLite and
//! Postgres; and what only a database that several share can do wrong.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

mod audit;
mod callers;
mod derived;
mod journal;
mod memory;
mod postgres;
mod registry;
mod roll;
mod server;
mod sqlite;
mod unkeepable;

use session::SealKey;

fn key() -> SealKey {
    SealKey::parse(&"5".repeat(64)).expect("a key")
}
