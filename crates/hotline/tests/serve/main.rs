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
mod process;
mod restored;
mod server;
mod shared;
mod systemd;
mod traces;
