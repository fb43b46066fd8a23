//! The gRPC API as Rust types, and the one client that reconnects, resumes by cursor and retries what can be asked
//! twice. No domain logic: it knows neither calls nor lines, only how to ask and how to keep listening.

mod attach;
mod backoff;
mod client;
mod codec;
mod command;
mod redacted;
mod refusal;
mod routers;
mod token;
mod trace;
mod watching;

pub use self::attach::{Attached, BoardFeed, DeskFeed, EventFeed, Feed, GatewayFeed, Update};
pub use self::backoff::Backoff;
pub use self::client::{AddressError, Client, is_worth_retrying};
pub use self::command::Unary;
pub use self::refusal::{Refusal, RefusalKind};
pub use self::token::{Bearer, BearerFault};
pub use self::trace::{Beside, Traceparent, TraceparentFault};

/// Messages, clients and servers of the package `hotline.v1`.
#[expect(clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated from proto/")]
pub mod v1 {
    tonic::include_proto!("hotline.v1");
}

/// A name of the health service, for clients that know several routers: NOT_SERVING as soon as the journal is silent. Not for
/// balancers, or for whoever ends a router that does not serve: the nameless one waits for a while.
pub const PROMPT: &str = "hotline.prompt";

/// The package's description: for reflection, and to compare the method table with what is served.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("hotline.v1");
