//! The administrator's commands, as people and programs meet them, against a real server over loopback.

mod calls;
mod formats;
mod house;
mod lines;
mod mistakes;
mod pages;
mod people;
mod plans;
mod terminal;
mod way;
