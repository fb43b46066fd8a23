//! The service: gRPC on loopback, who may call what, and the wire's words for the switchboard's. It asks and reads the
//! `exchange`, and tells open streams what is committed.
//!
//! Not here: deciding anything (crate `switchboard`), durability and time (crate `exchange`), the messages themselves
//! (crate `api`), TLS, metrics and pages.
//!
//! Read `site.rs` first: what all services share. `authorize.rs` is the table of who may call what, `streams` everybody
//! who listens, `convert` the words, `refusal.rs` every way of saying no.

mod authorize;
mod convert;
mod principal;
mod refusal;
mod server;
mod service;
mod site;
mod staff;
mod streams;

pub use authorize::{Access, TableFault, access, check_table};
pub use principal::{NoChance, Principal, Principals, Role, Token, Who};
pub use refusal::{Reason, reason_of, rejected};
pub use server::{ADMIN_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX, Router, RouterConfig, RouterParts, StartFault};
pub use staff::{BadStaffNumber, StaffNumbers};
