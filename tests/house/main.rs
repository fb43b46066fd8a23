//! The house keeps its own rules: arrows, fences, purity, room sizes, forbidden habits, documents that match the tree.
//! Every check is a function from text to a list of faults, run once on the tree and once on a bad sample,
//! so that each is known to be able to fail. Nothing of the product is tested here, and nothing is written.

mod arrows;
mod chinese;
mod coverage;
mod documents;
mod fences;
mod habits;
mod manifests;
mod purity;
mod reliability;
mod rooms;
mod rust_text;
mod stages;
mod tree;
mod words;
