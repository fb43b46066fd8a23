//! The server: one listener on loopback, every service behind the doorkeeper.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::FILE_DESCRIPTOR_SET;
use api::v1::admin_service_server::AdminServiceServer;
use api::v1::clock_service_server::ClockServiceServer;
use api::v1::gateway_service_server::GatewayServiceServer;
use api::v1::operator_service_server::OperatorServiceServer;
use api::v1::supervisor_service_server::SupervisorServiceServer;
use exchange::{ExchangeHandle, Refused};
use plan::ParsedPlan;
use session::{Callers, Journal};
use switchboard::command::{Actor, Adoption, Command, Input};
use switchboard::decision::Reply;
use switchboard::id::PrincipalId;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::authorize::{Doorkeeper, TableFault, check_table};
use crate::principal::Principals;
use crate::service;
use crate::site::Site;
use crate::staff::StaffNumbers;
use crate::streams::{Streams, closing};

/// Longest request: far above what a well-behaved client sends.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Longest request to AdminService: a plan's text and a little around it.
pub const ADMIN_MESSAGE_BYTES_MAX: usize = plan::TEXT_BYTES_MAX + 16 * 1024;

/// A dead connection is noticed within the sum of these two.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(3);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// Open requests and streams of one connection: a driver of a whole hospital shares one.
const STREAMS_PER_CONNECTION_MAX: u32 = 1_024;

/// After this long a router that was told to stop stops listening to those who do not let go.
const STOP_AT_LATEST: Duration = Duration::from_secs(2);

/// What a router serves.
pub struct RouterConfig {
    /// Where to listen; on loopback. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether the site's clock is a stepped one, driven by ClockService.
    pub stepped: bool,
    /// Whose calls are the hospital's own.
    pub staff: StaffNumbers,
    /// Adopted if the site has no plan yet.
    pub first_plan: Option<ParsedPlan>,
}

/// What a router stands on.
pub struct RouterParts {
    /// The site's switchboard.
    pub exchange: ExchangeHandle,
    /// The same site's journal, to read what the exchange has forgotten.
    pub journal: Arc<dyn Journal>,
    /// Who calls.
    pub callers: Arc<dyn Callers>,
    /// Who may ask.
    pub principals: Arc<Principals>,
}

/// Why a router did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Without TLS only this machine may connect.
    #[error("{0} is not on loopback, and this server has no TLS; listen on 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {fault}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        fault: std::io::Error,
    },
    /// Somebody forgot to say who may call what.
    #[error(transparent)]
    Table(#[from] TableFault),
    /// The description for reflection cannot be read.
    #[error("the description of the services cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The first plan was refused.
    #[error("the first plan was not adopted: {0}")]
    FirstPlan(#[from] Refused),
}

/// A running router. Stop it; dropping it leaves it running until the process ends.
#[derive(Debug)]
pub struct Router {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    streams: Ending,
}

/// Ends every stream.
struct Ending(Arc<Streams>);

impl std::fmt::Debug for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ending")
    }
}

impl Router {
    /// Listens and serves, on tasks of its own.
    ///
    /// # Errors
    /// [`StartFault`].
    pub async fn start(config: RouterConfig, parts: RouterParts) -> Result<Router, StartFault> {
        check_table(&[
            FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ])?;
        if !config.listen.ip().is_loopback() {
            return Err(StartFault::NotLoopback(config.listen));
        }
        let listening = |fault| StartFault::Listen { address: config.listen, fault };
        let listener = TcpListener::bind(config.listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;

        let RouterParts { exchange, journal, callers, principals } = parts;
        let (streams, feed) = Streams::new(exchange.clone(), config.stepped);
        let site = Arc::new(Site::new(
            exchange,
            journal,
            callers,
            Arc::clone(&principals),
            Arc::clone(&streams),
            config.staff,
            config.stepped,
        ));
        let follower = Arc::clone(&site);
        tokio::spawn(async move {
            follower.streams.follow(feed, |operator| follower.forget_operator(operator)).await;
        });
        if let Some(plan) = config.first_plan {
            adopt_first(&site, plan).await?;
        }

        let (stop, stopped) = watch::channel(false);
        let routes = routes(&site).await?;
        let server = Server::builder()
            .http2_keepalive_interval(Some(KEEP_ALIVE_EVERY))
            .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
            .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
            .layer(Doorkeeper::new(principals))
            .add_routes(routes);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serving = tokio::spawn(server.serve_with_incoming_shutdown(incoming, told_to_stop(stopped)));
        Ok(Router { address, stop, serving, streams: Ending(streams) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every stream, answers what is under way, and stops listening; after a while also those who do not let go.
    pub async fn stop(mut self) {
        self.streams.0.end_all(&closing());
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_AT_LATEST, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}

async fn told_to_stop(mut stopped: watch::Receiver<bool>) {
    // An error means that the router was dropped without a word: it goes on.
    if stopped.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Every service there is; the clock's only where it can be stepped.
async fn routes(site: &Arc<Site>) -> Result<tonic::service::Routes, tonic_reflection::server::Error> {
    let gateway = GatewayServiceServer::new(service::Gateway(Arc::clone(site)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    let operator = OperatorServiceServer::new(service::Operator(Arc::clone(site)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    let supervisor = SupervisorServiceServer::new(service::Supervisor(Arc::clone(site)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX);
    let admin = AdminServiceServer::new(service::Admin(Arc::clone(site)))
        .max_decoding_message_size(ADMIN_MESSAGE_BYTES_MAX);
    let clock = ClockServiceServer::new(service::Clock(Arc::clone(site)))
        .max_decoding_message_size(MESSAGE_BYTES_MAX);

    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<GatewayServiceServer<service::Gateway>>().await;
    reporter.set_serving::<OperatorServiceServer<service::Operator>>().await;
    reporter.set_serving::<SupervisorServiceServer<service::Supervisor>>().await;
    reporter.set_serving::<AdminServiceServer<service::Admin>>().await;

    let mut routes = RoutesBuilder::default();
    routes
        .add_service(gateway)
        .add_service(operator)
        .add_service(supervisor)
        .add_service(admin)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    if site.is_stepped() {
        reporter.set_serving::<ClockServiceServer<service::Clock>>().await;
        routes.add_service(clock);
    }
    Ok(routes.routes())
}

fn reflection<'a>() -> tonic_reflection::server::Builder<'a> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// The plan of a site that has none.
async fn adopt_first(site: &Site, parsed: ParsedPlan) -> Result<(), Refused> {
    let expect = site.exchange.read(|switchboard| switchboard.state().revision);
    if expect.0 > 0 {
        return Ok(());
    }
    let adoption = Adoption { plan: parsed.plan, expect, migrate: false, move_waiting: Default::default() };
    let actor = Actor::Admin(first_start());
    let input = Input { actor, request: None, command: Command::AdoptPlan(Box::new(adoption)) };
    if let Reply::Adopted { revision } = site.exchange.ask(input).await?.reply {
        site.plan_texts.keep(revision, parsed.text);
    }
    Ok(())
}

/// As whom a first plan is adopted: nobody logged in yet.
fn first_start() -> PrincipalId {
    "first-start".parse().expect("the letters of a name")
}
