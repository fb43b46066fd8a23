//! The service over a real connection on loopback, on a stepped clock.

mod access;
mod bad_input;
mod clock;
mod hospital;
mod lines_and_plan;
mod passage;
mod record;
mod refusals;
mod streams;
