//! The server: its listeners, every service behind the doorkeeper, and its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::FILE_DESCRIPTOR_SET;
use api::v1::admin_service_server::AdminServiceServer;
use api::v1::audit_service_server::AuditServiceServer;
use api::v1::clock_service_server::ClockServiceServer;
use api::v1::gateway_service_server::GatewayServiceServer;
use api::v1::history_service_server::HistoryServiceServer;
use api::v1::operator_service_server::OperatorServiceServer;
use api::v1::roster_service_server::RosterServiceServer;
use api::v1::session_service_server::SessionServiceServer;
use api::v1::supervisor_service_server::SupervisorServiceServer;
use exchange::{ExchangeHandle, Refused};
use plan::ParsedPlan;
use session::{
    Audit, AuditEntry, Callers, Derived, Journal, Registry, RegistryFault, SubjectRecords, Subjects,
};
use switchboard::command::{Actor, Adoption, Command, Input};
use switchboard::id::{PrincipalId, Revision};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;
use tonic::service::{Routes, RoutesBuilder};
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::audited::{About, Recorder, check_recorded, tell_ends};
use crate::authorize::{TableFault, check_table, streaming};
use crate::door::Doorkeeper;
use crate::figures::Figures;
use crate::front::Front;
use crate::guesses::Guesses;
use crate::health;
use crate::limits::Limits;
use crate::listening::{Reception, incoming};
use crate::service;
use crate::site::{Site, SiteParts, plan_hash};
use crate::staff::StaffNumbers;
use crate::streams::{Leaving, Streams, closing};
use crate::tls::Tls;
use crate::tokens::Principals;
use crate::traces::Traces;

/// What every service takes: messages up to a size, measured after decompression.
macro_rules! bounded {
    ($service:expr) => {
        $service.accept_compressed(CompressionEncoding::Gzip).max_decoding_message_size(MESSAGE_BYTES_MAX)
    };
}

/// Longest request: far above what a well-behaved client sends.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Longest request to AdminService: a plan's text and a little around it.
pub const ADMIN_MESSAGE_BYTES_MAX: usize = plan::TEXT_BYTES_MAX + 16 * 1024;

/// A dead connection is noticed within the sum of these two.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(3);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// A request that has no head of an answer by then gets none: its message does not come, or nothing is decided.
const ANSWER_AT_LATEST: Duration = Duration::from_secs(30);

/// Longest header of a request, a token included.
const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// What a router serves.
pub struct RouterConfig {
    /// Where to listen. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Spoken on every listener, if given. Without it only loopback is listened on.
    pub tls: Option<Tls>,
    /// Listens beyond loopback in the clear: for a network that is private by other means.
    pub insecure_plaintext: bool,
    /// How much is let in.
    pub limits: Limits,
    /// Whether the site's clock is a stepped one, driven by ClockService.
    pub stepped: bool,
    /// Whose calls are the hospital's own.
    pub staff: StaffNumbers,
    /// Adopted if the site has no plan yet.
    pub first_plan: Option<ParsedPlan>,
    /// What is done about traces.
    pub traces: Traces,
}

/// What a router stands on.
pub struct RouterParts {
    /// The site's switchboard.
    pub exchange: ExchangeHandle,
    /// The same site's journal, to read what the exchange has forgotten.
    pub journal: Arc<dyn Journal>,
    /// What follows from it, to look back with.
    pub derived: Arc<dyn Derived>,
    /// Who calls.
    pub callers: Arc<dyn Callers>,
    /// Plans as they were written.
    pub registry: Arc<dyn Registry>,
    /// Who may ask.
    pub principals: Arc<Principals>,
    /// What the office did.
    pub audit: Arc<dyn Audit>,
    /// The persons behind callers' references.
    pub subjects: Arc<dyn Subjects>,
    /// The records of calls by who called.
    pub records: Arc<dyn SubjectRecords>,
}

/// Why a router did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Without TLS only this machine may connect.
    #[error("{0} is not on loopback and has no TLS; give it a certificate, or listen on 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    /// Whoever steps the clock decides everything: that is for this machine alone.
    #[error("{0} is not on loopback; a stepped clock is served on 127.0.0.1 or [::1] only")]
    SteppedBeyondLoopback(SocketAddr),
    /// Nowhere to listen.
    #[error("there is no address to listen on; give at least one")]
    NoAddress,
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
    /// The first plan could not be recorded.
    #[error("the first plan was not adopted: {0}")]
    Unrecorded(String),
    /// The first plan's text was not kept.
    #[error(transparent)]
    Registry(#[from] RegistryFault),
}

/// A running router. Stop it; dropping it leaves it running until the process ends.
pub struct Router {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    streams: Arc<Streams>,
    health: HealthReporter,
    /// Keeps the health service told.
    healthy: JoinHandle<()>,
    drain: Duration,
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Router {
    /// Listens and serves, on tasks of its own.
    ///
    /// # Errors
    /// [`StartFault`].
    pub async fn start(config: RouterConfig, parts: RouterParts) -> Result<Router, StartFault> {
        check_table(DESCRIPTIONS)?;
        check_recorded(DESCRIPTIONS)?;
        let listeners = listeners(&config).await?;
        let addresses = listeners.iter().map(|(_, address)| *address).collect();
        let RouterConfig { tls, limits, traces, .. } = config;

        let RouterParts { exchange, journal, derived, callers, registry, principals, .. } = parts;
        let RouterParts { audit, subjects, records, .. } = parts;
        let recorder = Recorder::new(audit, exchange.clone());
        let readiness = exchange.readiness();
        let (streams, feed) = Streams::new(exchange.clone(), config.stepped, limits.operator_streams);
        let guesses = Arc::new(Guesses::new(limits.wrong_tokens_per_minute));
        let site = Arc::new(Site::new(SiteParts {
            guesses: Arc::clone(&guesses),
            exchange,
            journal,
            derived,
            callers,
            registry,
            principals: Arc::clone(&principals),
            recorder: recorder.clone(),
            subjects,
            records,
            streams: Arc::clone(&streams),
            staff: config.staff,
            stepped: config.stepped,
            limits,
        }));
        if let Err(fault) = tell_ends(&recorder, &site.exchange).await {
            tracing::warn!(%fault, "how acts ended before this start could not be recorded");
        }
        // Whoever was removed while nobody heard of it.
        site.forget(Leaving::Unknown);
        let follower = Arc::clone(&site);
        tokio::spawn(async move {
            follower.streams.follow(feed, |leaving| follower.forget(leaving)).await;
        });
        if let Some(plan) = config.first_plan {
            adopt_first(&site, plan).await?;
        }
        follow_roster(&site).await?;

        let (stop, stopped) = watch::channel(false);
        let figures = Arc::new(Figures::new(&traces.spans));
        let (health, routes) = routes(&site).await?;
        let doorkeeper = Doorkeeper::new(
            (principals, guesses),
            &limits,
            streaming(DESCRIPTIONS)?,
            Arc::clone(&figures),
            stopped.clone(),
            recorder,
            traces,
        );
        let healthy = tokio::spawn(health::follow(health.clone(), readiness));
        let server = Server::builder()
            .accept_http1(true)
            .timeout(ANSWER_AT_LATEST)
            .http2_keepalive_interval(Some(KEEP_ALIVE_EVERY))
            .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .max_concurrent_streams(limits.streams_per_connection)
            .layer(Front::new(site, Arc::clone(&figures), doorkeeper.clone()))
            .layer(doorkeeper)
            .add_routes(routes);
        let places = Arc::new(Semaphore::new(limits.connections));
        let reception = Reception { tls, places, figures, stopped: stopped.clone() };
        let incoming = incoming(listeners.into_iter().map(|(listener, _)| listener).collect(), &reception);
        let serving = tokio::spawn(server.serve_with_incoming_shutdown(incoming, told_to_stop(stopped)));
        Ok(Router { addresses, stop, serving, streams, health, healthy, drain: limits.drain })
    }

    /// Where it listens: the first of its addresses.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Everywhere it listens, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Says that it is not serving any more, ends every stream, answers what is under way, and stops listening; after
    /// [`Limits::drain`] also to those who do not let go.
    pub async fn stop(mut self) {
        // From here on nobody says otherwise.
        self.healthy.abort();
        drop((&mut self.healthy).await);
        health::tell(&self.health, ServingStatus::NotServing).await;
        self.streams.end_all(&closing());
        self.stop.send_replace(true);
        if tokio::time::timeout(self.drain, &mut self.serving).await.is_err() {
            tracing::warn!("some did not let go in time; their connections are cut");
            self.serving.abort();
        }
    }
}

/// What is served, as it describes itself.
const DESCRIPTIONS: &[&[u8]] = &[
    FILE_DESCRIPTOR_SET,
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
];

/// Listens everywhere, or nowhere.
async fn listeners(config: &RouterConfig) -> Result<Vec<(TcpListener, SocketAddr)>, StartFault> {
    let mut listeners = Vec::new();
    for address in config.listen.iter().copied() {
        let loopback = address.ip().to_canonical().is_loopback();
        if config.stepped && !loopback {
            return Err(StartFault::SteppedBeyondLoopback(address));
        }
        if config.tls.is_none() && !config.insecure_plaintext && !loopback {
            return Err(StartFault::NotLoopback(address));
        }
        let listening = |fault| StartFault::Listen { address, fault };
        let listener = TcpListener::bind(address).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        listeners.push((listener, address));
    }
    if listeners.is_empty() { Err(StartFault::NoAddress) } else { Ok(listeners) }
}

async fn told_to_stop(mut stopped: watch::Receiver<bool>) {
    // An error means that the router was dropped without a word: it goes on.
    if stopped.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Every service there is; the clock's only where it can be stepped.
async fn routes(site: &Arc<Site>) -> Result<(HealthReporter, Routes), tonic_reflection::server::Error> {
    let (health, health_server) = tonic_health::server::health_reporter();
    health::tell(&health, ServingStatus::Serving).await;
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(bounded!(GatewayServiceServer::new(service::Gateway(Arc::clone(site)))))
        .add_service(bounded!(OperatorServiceServer::new(service::Operator(Arc::clone(site)))))
        .add_service(bounded!(SupervisorServiceServer::new(service::Supervisor(Arc::clone(site)))))
        .add_service(bounded!(HistoryServiceServer::new(service::History(Arc::clone(site)))))
        .add_service(
            bounded!(RosterServiceServer::new(service::Roster(Arc::clone(site))))
                .max_decoding_message_size(ADMIN_MESSAGE_BYTES_MAX),
        )
        .add_service(
            bounded!(AdminServiceServer::new(service::Admin(Arc::clone(site))))
                .max_decoding_message_size(ADMIN_MESSAGE_BYTES_MAX),
        )
        .add_service(bounded!(AuditServiceServer::new(service::Audit(Arc::clone(site)))))
        .add_service(bounded!(SessionServiceServer::new(service::Session(Arc::clone(site)))))
        .add_service(health_server)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    if site.is_stepped() {
        routes.add_service(bounded!(ClockServiceServer::new(service::Clock(Arc::clone(site)))));
    }
    Ok((health, routes.routes()))
}

fn reflection<'a>() -> tonic_reflection::server::Builder<'a> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// The plan of a site that has none.
async fn adopt_first(site: &Site, parsed: ParsedPlan) -> Result<(), StartFault> {
    let expect = site.exchange.read(|switchboard| switchboard.state().revision);
    if expect.0 > 0 {
        return Ok(());
    }
    let revision = Revision(expect.0 + 1);
    site.registry.keep_plan(site.id(), revision, plan_hash(&parsed.plan), &parsed.text).await?;
    let adoption = Adoption { plan: parsed.plan, expect, migrate: false, move_waiting: Default::default() };
    let actor = Actor::Admin(first_start());
    let command = Command::AdoptPlan(Box::new(adoption));
    let act = site.recorder.by_itself(first_start().as_str(), "plan.begin");
    let request = site.recorder.request_id();
    let about = site.about(&command);
    let asked = act.asks(About { request: request.0.to_string(), ..about }).await;
    asked.map_err(|status| StartFault::Unrecorded(status.message().to_owned()))?;
    let asked = site.exchange.ask(Input { actor, request: Some(request), command }).await;
    let outcome = if asked.is_ok() { AuditEntry::DONE } else { AuditEntry::REFUSED };
    act.end(outcome.to_owned()).await;
    asked?;
    Ok(())
}

/// The roster that was in force before this start.
async fn follow_roster(site: &Site) -> Result<(), StartFault> {
    let zone =
        site.exchange.read(|switchboard| switchboard.state().plan().map(|plan| plan.time_zone.clone()));
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    if let Some(roster) = site.rosters.load(&*site.registry, site.id(), &zone).await? {
        site.exchange.follow_roster(roster);
    }
    Ok(())
}

/// As whom a first plan is adopted: nobody logged in yet.
fn first_start() -> PrincipalId {
    "first-start".parse().expect("the letters of a name")
}
