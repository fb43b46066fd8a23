//! Turns: given a small site, when something happens, then exactly this follows. One file per noun.

mod overflow;
mod passage;
mod site;
