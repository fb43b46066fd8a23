//! The service over a real connection on loopback, on a stepped clock.

mod access;
mod audit;
mod bad_input;
mod clock;
mod drain;
mod history;
mod hospital;
mod lines_and_plan;
mod messages;
mod other_routers;
mod passage;
mod privacy;
mod record;
#[path = "../../../exchange/tests/redis_server/mod.rs"]
mod redis_server;
mod refusals;
mod roster;
mod several;
mod silence;
mod sites;
mod streams;
mod tls;
mod tokens;
mod web;
