//! Presence on real Redis servers: what is shown, where it may be, and that nothing depends on it.

mod cut;
mod hospital;
mod nobodys_truth;
mod places;
mod servers;
mod shown;
