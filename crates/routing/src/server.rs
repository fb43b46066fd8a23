//! The server: its listeners, every service behind the doorkeeper, and its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::FILE_DESCRIPTOR_SET;
use exchange::{ExchangeHandle, Refused};
use plan::ParsedPlan;
use presence::Redis;
use session::{
    Audit, Callers, Derived, Journal, JournalFault, Registry, RegistryFault, SubjectRecords, Subjects,
};
use switchboard::id::{PrincipalId, Revision};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tonic::service::{Routes, RoutesBuilder};
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::audited::check_recorded;
use crate::authorize::{TableFault, check_table, streaming};
use crate::door::Doorkeeper;
use crate::figures::Figures;
use crate::front::Front;
use crate::health;
use crate::limits::Limits;
use crate::listening::{Reception, incoming, is_true};
use crate::others::Following;
use crate::service;
use crate::site::Site;
use crate::sites::{BeginFault, Common, OpenSite, Sites, begin, follow_roster};
use crate::staff::StaffNumbers;
use crate::tls::Tls;
use crate::tokens::Principals;
use crate::traces::Traces;

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
    /// Whether each site's clock is a stepped one, driven by ClockService.
    pub stepped: bool,
    /// Whose calls are the hospital's own.
    pub staff: StaffNumbers,
    /// Adopted if the home site has no plan yet.
    pub first_plan: Option<ParsedPlan>,
    /// What is done about traces.
    pub traces: Traces,
}

/// What a router stands on.
pub struct RouterParts {
    /// The home site's switchboard: the site that the service is set up with.
    pub exchange: ExchangeHandle,
    /// Starts the other sites' switchboards; without, the home site is the only one.
    pub opener: Option<Arc<dyn OpenSite>>,
    /// The sites' journal, to read what their exchanges have forgotten.
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
    /// Whether other routers may serve the same sites from the same store: then this one follows what they do.
    pub is_shared: bool,
    /// Where it is shown who is free, if anywhere.
    pub shown_in: Option<Arc<Redis>>,
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
    #[error("cannot listen on {address}: {fault}; name another address, or free this one")]
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
    /// The first plan's text was not kept, or the roster not found.
    #[error(transparent)]
    Registry(#[from] RegistryFault),
    /// It cannot be found out which sites there are.
    #[error(transparent)]
    Journal(#[from] JournalFault),
}

impl From<BeginFault> for StartFault {
    fn from(fault: BeginFault) -> StartFault {
        match fault {
            BeginFault::Registry(fault) => fault.into(),
            BeginFault::Unrecorded(status) => StartFault::Unrecorded(status.message().to_owned()),
            BeginFault::Refused(refused) => refused.into(),
        }
    }
}

/// A running router. Stop it; dropping it leaves it running until the process ends.
pub struct Router {
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    /// Lets go of every connection.
    cut: watch::Sender<bool>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    sites: Arc<Sites>,
    health: HealthReporter,
    /// Keeps the health service told.
    healthy: JoinHandle<()>,
    /// Where other routers may serve the same sites.
    following: Option<Following>,
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
        let RouterConfig { tls, limits, traces, staff, stepped, first_plan, .. } = config;
        let principals = Arc::clone(&parts.principals);
        let exchange = parts.exchange.clone();
        let sites = Sites::new(Common { parts, staff, stepped, limits });
        let home = sites.serve(exchange).await;
        if let Some(plan) = first_plan {
            adopt_first(&home, plan).await?;
        }
        follow_roster(&home).await?;
        sites.open_all().await?;

        let (stop, stopped) = watch::channel(false);
        let figures = Arc::new(Figures::new(&traces.spans, sites.shown_in().is_some()));
        let (health, routes) = common_routes(&sites).await?;
        let doorkeeper = Doorkeeper::new(
            principals,
            &limits,
            streaming(DESCRIPTIONS)?,
            Arc::clone(&figures),
            stopped.clone(),
            Arc::clone(&sites),
            traces,
        );
        let healthy = tokio::spawn(health::follow(health.clone(), Arc::clone(&sites)));
        let following = sites.is_shared().then(|| Following::begin(&sites));
        let server = Server::builder()
            .accept_http1(true)
            .timeout(ANSWER_AT_LATEST)
            .http2_keepalive_interval(Some(KEEP_ALIVE_EVERY))
            .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
            .http2_max_header_list_size(HEADER_BYTES_MAX)
            .max_concurrent_streams(limits.streams_per_connection)
            .layer(Front::new(Arc::clone(&sites), Arc::clone(&figures), doorkeeper.clone()))
            .layer(doorkeeper)
            .add_routes(routes);
        let places = Arc::new(Semaphore::new(limits.connections));
        let (cut, is_cut) = watch::channel(false);
        let reception = Reception { tls, places, figures, stopped: stopped.clone(), cut: is_cut };
        let incoming = incoming(listeners.into_iter().map(|(listener, _)| listener).collect(), &reception);
        let serving = tokio::spawn(server.serve_with_incoming_shutdown(incoming, is_true(stopped)));
        Ok(Router { addresses, stop, cut, serving, sites, health, healthy, following, drain: limits.drain })
    }

    /// Where it listens: the first of its addresses.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Everywhere it listens, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Resolves when only another process can tell what was stored for some site.
    pub async fn restart_needed(&self) {
        self.sites.restart_needed().await;
    }

    /// The switchboards of every site, the home site's among them.
    pub fn exchanges(&self) -> Vec<ExchangeHandle> {
        self.sites.all().into_iter().map(|site| site.exchange.clone()).collect()
    }

    /// Says that it is not serving any more, ends every stream, answers what is under way, and stops listening; after
    /// [`Limits::drain`] also to those who do not let go.
    pub async fn stop(mut self) {
        if let Some(following) = &self.following {
            following.end();
        }
        // From here on nobody says otherwise.
        self.healthy.abort();
        drop((&mut self.healthy).await);
        health::tell(&self.health, ServingStatus::NotServing).await;
        self.sites.end_streams();
        self.stop.send_replace(true);
        if tokio::time::timeout(self.drain, &mut self.serving).await.is_err() {
            tracing::warn!("some did not let go in time; their connections are cut");
            self.cut.send_replace(true);
            if tokio::time::timeout(self.drain, &mut self.serving).await.is_err() {
                self.serving.abort();
            }
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

/// What anybody may ask, of no site.
async fn common_routes(
    sites: &Arc<Sites>,
) -> Result<(HealthReporter, Routes), tonic_reflection::server::Error> {
    let (health, health_server) = tonic_health::server::health_reporter();
    health::tell(&health, ServingStatus::Serving).await;
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(service::session(sites))
        .add_service(health_server)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok((health, routes.routes()))
}

fn reflection<'a>() -> tonic_reflection::server::Builder<'a> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

/// The plan of a site that has none.
async fn adopt_first(site: &Site, parsed: ParsedPlan) -> Result<(), StartFault> {
    if site.exchange.read(|switchboard| switchboard.state().revision) > Revision(0) {
        return Ok(());
    }
    match begin(site, parsed, first_start(), site.recorder.request_id()).await {
        // Another server that begins at the same moment was faster.
        Err(BeginFault::Refused(_))
            if site.exchange.read(|switchboard| switchboard.state().revision) > Revision(0) => {}
        Err(fault) => return Err(fault.into()),
        Ok(_) => {}
    }
    Ok(())
}

/// As whom a first plan is adopted: nobody logged in yet.
fn first_start() -> PrincipalId {
    "first-start".parse().expect("the letters of a name")
}
