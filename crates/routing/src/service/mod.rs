//! The services: each method turns a request into a command or a read, and an answer into a reply.

mod admin;
mod audit;
mod clock;
mod gateway;
mod history;
mod operator;
mod roster;
mod session;
mod supervisor;

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tonic::Status;

pub(crate) use self::admin::Admin;
pub(crate) use self::audit::Audit;
pub(crate) use self::clock::Clock;
pub(crate) use self::gateway::Gateway;
pub(crate) use self::history::History;
pub(crate) use self::operator::Operator;
pub(crate) use self::roster::Roster;
pub(crate) use self::session::Session;
pub(crate) use self::supervisor::Supervisor;

/// A server stream.
type Outgoing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A stream that holds something until it ends.
fn holding<T: 'static>(
    held: impl Send + 'static,
    stream: impl Stream<Item = Result<T, Status>> + Send + 'static,
) -> Outgoing<T> {
    Box::pin(stream.map(move |item| {
        let _until_dropped = &held;
        item
    }))
}
