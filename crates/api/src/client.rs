use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::BinaryMetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::attach::{Attached, Feed};
use crate::backoff::Backoff;
use crate::command::Unary;
use crate::routers::Routers;
use crate::token::Bearer;
use crate::trace::{Beside, Traceparent};
use crate::v1::admin_service_client::AdminServiceClient;
use crate::v1::audit_service_client::AuditServiceClient;
use crate::v1::clock_service_client::ClockServiceClient;
use crate::v1::gateway_service_client::GatewayServiceClient;
use crate::v1::history_service_client::HistoryServiceClient;
use crate::v1::operator_service_client::OperatorServiceClient;
use crate::v1::roster_service_client::RosterServiceClient;
use crate::v1::session_service_client::SessionServiceClient;
use crate::v1::site_service_client::SiteServiceClient;
use crate::v1::supervisor_service_client::SupervisorServiceClient;

type Sending = InterceptedService<Routers, Beside>;

/// A dead connection is noticed within the sum of these two, even when nothing is sent: by somebody who could only come
/// again at the same router, and by somebody who has another to go to.
const KEEP_ALIVE: KeepAlive = KeepAlive { every: Duration::from_secs(2), timeout: Duration::from_secs(2) };
const KEEP_ALIVE_OF_SEVERAL: KeepAlive =
    KeepAlive { every: Duration::from_millis(150), timeout: Duration::from_millis(250) };

/// How a connection is asked whether it lives.
struct KeepAlive {
    every: Duration,
    timeout: Duration,
}

/// One principal's way to a router, or to several that serve the same sites: then the next is asked when one does not
/// answer, or says that it cannot while another says that it can. Cloning is cheap, and clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    routers: Routers,
    beside: Beside,
    give_up_after: Duration,
}

/// The text is no address of a router.
#[derive(Debug)]
pub struct AddressError(tonic::transport::Error);

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not an address of a router; write http://HOST:PORT, or https:// with an authority, and a comma between \
             several ({})",
            self.0
        )
    }
}

impl std::error::Error for AddressError {}

impl Client {
    /// A client of the router at `address` (`http://HOST:PORT`), or of several with commas between them. Connects when
    /// first used, and again whenever needed.
    ///
    /// # Errors
    /// When `address` is not one.
    pub fn new(address: &str, bearer: Bearer) -> Result<Client, AddressError> {
        Ok(Client::over(routers(address, None)?, Some(bearer)))
    }

    /// A client of the router at `address` for whoever has no token yet: an invitation is redeemed with it, and
    /// [`Client::with_token`] goes on from there.
    ///
    /// # Errors
    /// When `address` is not one.
    pub fn without_token(address: &str) -> Result<Client, AddressError> {
        Ok(Client::over(routers(address, None)?, None))
    }

    /// The same at `https://HOST:PORT`, whose certificate is from the authority in `authority_pem`, and from no other.
    ///
    /// # Errors
    /// When `address` is not one.
    pub fn trusting_without_token(address: &str, authority_pem: &str) -> Result<Client, AddressError> {
        Ok(Client::over(trusting(address, authority_pem)?, None))
    }

    /// A client of the router at `address` (`https://HOST:PORT`) whose certificate is from the authority in
    /// `authority_pem`, and from no other.
    ///
    /// # Errors
    /// When `address` is not one.
    pub fn trusting(address: &str, bearer: Bearer, authority_pem: &str) -> Result<Client, AddressError> {
        Ok(Client::over(trusting(address, authority_pem)?, Some(bearer)))
    }

    fn over(routers: Routers, bearer: Option<Bearer>) -> Client {
        let beside = Beside { bearer, traceparent: None, why: None };
        Client { routers, beside, give_up_after: Duration::from_secs(30) }
    }

    /// Another principal over the same connection.
    #[must_use]
    pub fn with_token(&self, bearer: Bearer) -> Client {
        let beside = Beside { bearer: Some(bearer), ..self.beside.clone() };
        Client { beside, ..self.clone() }
    }

    /// The same principal at a place in its own trace: what the server does for these requests goes on from there.
    #[must_use]
    pub fn traced(&self, traceparent: Traceparent) -> Client {
        let beside = Beside { traceparent: Some(traceparent), ..self.beside.clone() };
        Client { beside, ..self.clone() }
    }

    /// The same principal, who says why: in at most 500 characters, without control characters. It is recorded with
    /// everything that this client changes.
    #[must_use]
    pub fn saying_why(&self, why: &str) -> Client {
        let beside =
            Beside { why: Some(BinaryMetadataValue::from_bytes(why.as_bytes())), ..self.beside.clone() };
        Client { beside, ..self.clone() }
    }

    /// How long [`Client::send`] goes on trying while no router answers; 30 s at first.
    #[must_use]
    pub fn give_up_after(self, give_up_after: Duration) -> Client {
        Client { give_up_after, ..self }
    }

    /// Sends a request and, while no router answers, sends it again: with the same request id, so that it is done once.
    /// A request id left empty is minted.
    ///
    /// # Errors
    /// The router's refusal at once; the last failure when no router answered in time.
    pub async fn send<R: Unary>(&self, mut request: R) -> Result<R::Reply, Status> {
        if let Some(id) = request.request_id_mut()
            && id.is_empty()
        {
            *id = Uuid::new_v4().to_string();
        }
        let ask = move || {
            let request = request.clone();
            async move { Ok(request.call(self).await?.into_inner()) }
        };
        self.until_answered(ask).await
    }

    /// Asks something that does nothing when it is asked twice, and asks it again while no router answers.
    ///
    /// # Errors
    /// The router's refusal at once; the last failure when no router answered in time.
    pub async fn until_answered<T, A>(&self, mut ask: impl FnMut() -> A) -> Result<T, Status>
    where
        A: Future<Output = Result<T, Status>>,
    {
        let give_up_at = Instant::now() + self.give_up_after;
        let mut backoff = Backoff::default();
        loop {
            let status = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            let wait = asked_to_wait(&status).unwrap_or_else(|| backoff.step());
            if !is_worth_retrying(&status) || Instant::now() + wait >= give_up_at {
                return Err(status);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Asks the router, once, whether it serves. The cheapest question there is: nobody decides, nothing is stored.
    ///
    /// # Errors
    /// When the router does not answer.
    pub async fn is_serving(&self) -> Result<bool, Status> {
        let mut health = HealthClient::new(self.routers.clone());
        let answer = health.check(HealthCheckRequest::default()).await?;
        Ok(answer.into_inner().status() == ServingStatus::Serving)
    }

    /// Opens a stream that reconnects and resumes by itself.
    pub fn attach<F: Feed>(&self, feed: F) -> Attached<F> {
        Attached::new(self.clone(), feed)
    }

    /// The bare gateway service: no retries.
    pub fn gateway(&self) -> GatewayServiceClient<Sending> {
        GatewayServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare operator service: no retries.
    pub fn operator(&self) -> OperatorServiceClient<Sending> {
        OperatorServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare supervisor service: no retries.
    pub fn supervisor(&self) -> SupervisorServiceClient<Sending> {
        SupervisorServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare admin service: no retries.
    pub fn admin(&self) -> AdminServiceClient<Sending> {
        AdminServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare history service: no retries.
    pub fn history(&self) -> HistoryServiceClient<Sending> {
        HistoryServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare roster service: no retries.
    pub fn roster(&self) -> RosterServiceClient<Sending> {
        RosterServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare service of the sites: no retries.
    pub fn sites(&self) -> SiteServiceClient<Sending> {
        SiteServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare audit service: no retries.
    pub fn audit(&self) -> AuditServiceClient<Sending> {
        AuditServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }

    /// The bare session service: no retries, as an invitation is worth something once.
    pub fn session(&self) -> SessionServiceClient<Sending> {
        SessionServiceClient::with_interceptor(self.routers.staying(), self.beside.clone())
    }

    /// The bare clock service: no retries.
    pub fn clock(&self) -> ClockServiceClient<Sending> {
        ClockServiceClient::with_interceptor(self.routers.clone(), self.beside.clone())
    }
}

fn routers(addresses: &str, tls: Option<ClientTlsConfig>) -> Result<Routers, AddressError> {
    let keep_alive = if addresses.contains(',') { KEEP_ALIVE_OF_SEVERAL } else { KEEP_ALIVE };
    let channel = |address: &str| {
        let endpoint = endpoint(address.trim(), &keep_alive)?;
        let endpoint = match &tls {
            Some(tls) => endpoint.tls_config(tls.clone()).map_err(AddressError)?,
            None => endpoint,
        };
        Ok(endpoint.connect_lazy())
    };
    Ok(Routers::new(addresses.split(',').map(channel).collect::<Result<_, _>>()?))
}

fn endpoint(address: &str, keep_alive: &KeepAlive) -> Result<Endpoint, AddressError> {
    let endpoint = Endpoint::from_shared(address.to_owned()).map_err(AddressError)?;
    Ok(endpoint
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(keep_alive.every)
        .keep_alive_timeout(keep_alive.timeout)
        .keep_alive_while_idle(true))
}

fn trusting(addresses: &str, authority_pem: &str) -> Result<Routers, AddressError> {
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority_pem));
    routers(addresses, Some(tls))
}

/// Whether asking the same again, here or at another router, may be answered: nobody answered, the connection broke,
/// or the router asked to come back later. A refusal is not worth it.
pub fn is_worth_retrying(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        Code::ResourceExhausted => asked_to_wait(status).is_some(),
        // What a router says has no source: this was made here, of a connection that broke.
        _ => status.source().is_some(),
    }
}

fn asked_to_wait(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}
