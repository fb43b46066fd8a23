//! `hotline serve` and `hotline certs` as another program meets them.

mod certs;
mod collector;
mod config;
#[path = "../ground/database.rs"]
mod database;
mod evidence;
mod health;
mod logs;
mod plans;
#[path = "../../../session/tests/stores/postgres/private.rs"]
mod private;
mod process;
#[path = "../../../exchange/tests/redis_server/mod.rs"]
mod redis_server;
mod restored;
mod server;
mod shared;
mod shown;
mod systemd;
mod traces;
