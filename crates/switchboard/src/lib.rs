//! The pure switchboard of one hospital's hotline: it decides every call of every line, and who answers it.
//!
//! Absent on purpose: clocks, randomness, input and output, threads, `async`, floating point, hash maps, people's names
//! and callers' numbers. Time and every fact come in as inputs; what happened comes out as a [`decision::Decision`];
//! what the world should look like is pulled from state ([`Switchboard::treatment`], [`Switchboard::desk`],
//! [`Switchboard::view`], [`Switchboard::explain_call`]).
//!
//! | kind | methods |
//! |---|---|
//! | decide | [`Switchboard::handle`] |
//! | repeat | [`Switchboard::evolve`] |
//! | ask when | [`Switchboard::next_deadline`] |
//! | look | `treatment`, `desk`, `view`, `explain_call`, `explain_operator`, `state` |
//!
//! The rules stand in `docs/semantics.md`; who gets the next call stands in `settle`.
#![no_std]

extern crate alloc;

pub mod call;
pub mod canonical;
pub mod command;
mod decide;
pub mod decision;
pub mod desk;
pub mod eligible;
pub mod event;
mod evolve;
pub mod explain;
mod fingerprint;
pub mod id;
mod index;
pub mod laws;
pub mod ledger;
pub mod line;
pub mod operator;
pub mod plan;
pub mod planted;
pub mod rejection;
pub mod requests;
mod settle;
pub mod skills;
pub mod state;
mod switchboard;
pub mod time;
pub mod treatment;
pub mod view;

pub use self::switchboard::Switchboard;
