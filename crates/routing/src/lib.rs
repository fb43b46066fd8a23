//! The service: gRPC and gRPC-Web on one port, with TLS or on loopback; who may call what; figures for Prometheus; and
//! the wire's words for the switchboard's. It asks and reads the `exchange`, and tells open streams what is committed.
//!
//! Not here: deciding anything (crate `switchboard`), durability and time (crate `exchange`), the messages themselves
//! (crate `api`), files of keys and configuration (crate `hotline`), and pages.
//!
//! Read `site.rs` first: what all services share. A request comes in by `listening.rs`, is sorted by `front.rs`, asked
//! who it is by `door.rs`, after the table of `authorize.rs`, and what the office does is recorded by `audited`. `streams` is everybody who listens, `convert` the words,
//! `refusal.rs` every way of saying no, `stores.rs` those of what is kept, `limits.rs` how much of anything is let in.

mod audited;
mod authorize;
mod convert;
mod cut;
mod door;
mod figures;
mod front;
mod guesses;
mod health;
mod invites;
mod limits;
mod listening;
mod looking_back;
mod malformed;
mod others;
mod principal;
mod readers;
mod refusal;
mod rosters;
mod server;
mod service;
mod site;
mod sites;
mod staff;
mod stores;
mod streams;
mod tls;
mod tokens;
mod traces;

pub use audited::{Recorded, check_recorded, recorded};
pub use authorize::{Access, TableFault, access, check_table};
pub use limits::Limits;
pub use principal::{Principal, Role, Who};
pub use refusal::{Reason, reason_of, rejected};
pub use rosters::{GAP_DAYS, Staffing};
pub use server::{Router, RouterConfig, RouterParts, StartFault};
pub use service::{ADMIN_MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX};
pub use sites::{OpenSite, Opening};
pub use staff::{BadStaffNumber, StaffNumbers};
pub use tls::{BadTlsKeys, Tls, TlsKeys, certificate_names};
pub use tokens::{Admitted, NotAdmitted, Principals, Token, TokenFault};
pub use traces::{SpanFigures, Traces};
