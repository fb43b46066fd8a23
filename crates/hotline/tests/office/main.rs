//! The administrator's commands, as people and programs meet them, against a real server over loopback.

mod calls;
mod edits;
mod formats;
mod house;
mod lines;
mod mistakes;
mod pages;
mod people;
mod plans;
mod play;
mod records;
mod rosters;
mod secrets;
mod sites;
mod terminal;
mod tutorial;
mod way;
