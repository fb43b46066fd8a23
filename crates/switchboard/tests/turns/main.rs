//! Turns: given a small site, when something happens, then exactly this follows. One file per noun.

#![expect(clippy::unwrap_used, reason = "a turn that cannot be set up has failed")]

mod desks;
mod overflow;
mod passage;
mod people;
mod site;
