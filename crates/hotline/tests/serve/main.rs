//! `hotline serve` and `hotline certs` as another program meets them.

mod certs;
mod collector;
mod config;
mod evidence;
mod logs;
mod plans;
mod process;
mod restored;
mod server;
mod traces;
