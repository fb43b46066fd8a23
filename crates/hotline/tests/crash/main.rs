//! The real server, made to die under load and started again: a gateway and its desks over gRPC, a checker that
//! compares what they saw with the journal. `docs/reliability.md` says which fault is shown where.
//!
//! Not here: what a switchboard decides, and what a store holds after a crash at a single write; those have tests of
//! their own that try many more cases.
#![expect(clippy::print_stdout, reason = "figures of a run are for people")]

mod books;
mod chance;
mod checker;
mod crowd;
mod cycles;
#[path = "../ground/database.rs"]
mod database;
mod desk;
mod disk;
mod gateway;
mod hospital;
mod moved;
mod namespaces;
mod office;
mod on_postgres;
mod on_redis;
mod pair;
mod paused;
mod postgres;
#[path = "../../../exchange/tests/redis_server/mod.rs"]
mod redis_server;
mod routers;
mod seen;
mod server;
mod time;
mod trouble;
mod upgrade;
mod wire;
mod wires;
