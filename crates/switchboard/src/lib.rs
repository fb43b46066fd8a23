//! The pure switchboard.
#![no_std]
extern crate alloc;
pub mod call;
pub mod canonical;
pub mod command;
pub mod decision;
pub mod event;
pub mod id;
pub mod line;
pub mod operator;
pub mod plan;
pub mod rejection;
pub mod skills;
pub mod time;
pub mod treatment;
