//! A seeded hospital: callers, operators, gateways and what goes wrong with them, as a state machine that is driven
//! from outside. The same seed gives the same day on any machine.
//!
//! There is no transport, clock, thread or entropy in here, no floating point, and nothing of the hospital looks inside
//! the switchboard: it acts on what a real gateway or desk would be told.

pub mod chance;
pub mod day;
pub mod drive;
pub mod habits;
pub mod history;
pub mod people;
pub mod reference;
pub mod shape;
pub mod torture;
pub mod world;
