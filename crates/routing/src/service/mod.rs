//! The services: each method turns a request into a command or a read, and an answer into a reply.

mod admin;
mod audit;
mod clock;
mod formats;
mod gateway;
mod history;
mod operator;
mod roster;
mod session;
mod sites;
mod supervisor;

use std::pin::Pin;
use std::sync::Arc;

use api::v1::admin_service_server::AdminServiceServer;
use api::v1::audit_service_server::AuditServiceServer;
use api::v1::clock_service_server::ClockServiceServer;
use api::v1::gateway_service_server::GatewayServiceServer;
use api::v1::history_service_server::HistoryServiceServer;
use api::v1::operator_service_server::OperatorServiceServer;
use api::v1::roster_service_server::RosterServiceServer;
use api::v1::session_service_server::SessionServiceServer;
use api::v1::site_service_server::SiteServiceServer;
use api::v1::supervisor_service_server::SupervisorServiceServer;
use futures_util::{Stream, StreamExt};
use tonic::Status;
use tonic::codec::CompressionEncoding;
use tonic::service::{Routes, RoutesBuilder};

use self::admin::Admin;
use self::audit::Audit;
use self::clock::Clock;
use self::gateway::Gateway;
use self::history::History;
use self::operator::Operator;
use self::roster::Roster;
use self::session::Session;
use self::sites::SitesService;
use self::supervisor::Supervisor;
use crate::site::Site;
use crate::sites::Sites;

/// What every service takes: messages up to a size, measured after decompression.
macro_rules! bounded {
    ($service:expr, $bytes_max:expr) => {
        $service.accept_compressed(CompressionEncoding::Gzip).max_decoding_message_size($bytes_max)
    };
    ($service:expr) => {
        bounded!($service, MESSAGE_BYTES_MAX)
    };
}

/// Longest request: far above what a well-behaved client sends.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Longest request that may bring a plan or a roster: its text and a little around it.
pub const ADMIN_MESSAGE_BYTES_MAX: usize = plan::TEXT_BYTES_MAX + 16 * 1024;

/// What somebody asks who has no token yet, of no site.
pub(crate) fn session(sites: &Arc<Sites>) -> SessionServiceServer<Session> {
    bounded!(SessionServiceServer::new(Session(Arc::clone(sites))))
}

/// Every service of one site; the clock's only where it can be stepped.
pub(crate) fn routes(site: &Arc<Site>, sites: &Arc<Sites>) -> Routes {
    let mut routes = RoutesBuilder::default();
    let sites = SitesService { site: Arc::clone(site), sites: Arc::downgrade(sites) };
    routes
        .add_service(bounded!(GatewayServiceServer::new(Gateway(Arc::clone(site)))))
        .add_service(bounded!(OperatorServiceServer::new(Operator(Arc::clone(site)))))
        .add_service(bounded!(SupervisorServiceServer::new(Supervisor(Arc::clone(site)))))
        .add_service(bounded!(HistoryServiceServer::new(History(Arc::clone(site)))))
        .add_service(bounded!(RosterServiceServer::new(Roster(Arc::clone(site))), ADMIN_MESSAGE_BYTES_MAX))
        .add_service(bounded!(AdminServiceServer::new(Admin(Arc::clone(site))), ADMIN_MESSAGE_BYTES_MAX))
        .add_service(bounded!(AuditServiceServer::new(Audit(Arc::clone(site)))))
        .add_service(bounded!(SiteServiceServer::new(sites), ADMIN_MESSAGE_BYTES_MAX));
    if site.is_stepped() {
        routes.add_service(bounded!(ClockServiceServer::new(Clock(Arc::clone(site)))));
    }
    routes.routes().prepare()
}

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
