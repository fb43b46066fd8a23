//! A connection to wherever the address leads: one server, a primary that Sentinels know, a cluster.

use std::time::Duration;

use ::redis::aio::{MultiplexedConnection, PubSub};
use ::redis::cluster::ClusterClientBuilder;
use ::redis::cluster_async::ClusterConnection;
use ::redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, InfoDict, RedisError, RedisResult, TlsMode, Value,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio::time::{Instant, timeout};

use super::address::{Node, Place, RedisAddress};
use super::fault::RedisFault;

/// No answer is waited for longer than this.
pub(crate) const RESPONSE_LIMIT: Duration = Duration::from_millis(250);

/// One server may take so long to be connected to, TLS and all.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);

/// And all there is to ask on the way, Sentinels or nodes of a cluster, so long.
const FIND_LIMIT: Duration = Duration::from_secs(4);

/// A connection that is shared by cloning it.
#[derive(Clone)]
pub(crate) enum Line {
    One(MultiplexedConnection),
    Cluster(Box<ClusterConnection>),
}

/// What was found behind an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisFound {
    /// Its release, as it calls itself.
    pub version: String,
    /// How long one question took.
    pub round_trip: Duration,
}

impl Line {
    /// Connects, and makes sure that what answers is a Redis that takes what is written.
    pub(crate) async fn connect(address: &RedisAddress) -> Result<Line, RedisFault> {
        in_time(FIND_LIMIT, async {
            let mut line = match &address.place {
                Place::Cluster(nodes) => cluster(address, nodes).await?,
                Place::One(_) | Place::Sentinels { .. } => {
                    let client = client(address, 0).await?;
                    let limits = AsyncConnectionConfig::new()
                        .set_connection_timeout(Some(CONNECT_LIMIT))
                        .set_response_timeout(Some(RESPONSE_LIMIT));
                    let connecting = client.get_multiplexed_async_connection_with_config(&limits);
                    Line::One(connecting.await.map_err(|fault| RedisFault::of(&fault))?)
                }
            };
            line.refuse_replica().await?;
            Ok(line)
        })
        .await
    }

    /// Asks, for as long as an answer may take.
    pub(crate) async fn ask<T: FromRedisValue>(&mut self, question: &Cmd) -> Result<T, RedisFault> {
        let asking = async {
            let answer: RedisResult<T> = match self {
                Line::One(line) => question.query_async(line).await,
                Line::Cluster(line) => question.query_async(&mut **line).await,
            };
            answer.map_err(|fault| slow_or(&fault))
        };
        in_time(RESPONSE_LIMIT, asking).await
    }

    async fn refuse_replica(&mut self) -> Result<(), RedisFault> {
        if matches!(self, Line::Cluster(_)) {
            return self.ask::<String>(&::redis::cmd("PING")).await.map(drop);
        }
        match self.ask::<Vec<Value>>(&::redis::cmd("ROLE")).await {
            Ok(role) => match role.first() {
                Some(Value::BulkString(role)) if role == b"slave" => Err(RedisFault::Replica),
                Some(Value::BulkString(role)) if role == b"sentinel" => {
                    Err(RedisFault::BadAddress("this is a Sentinel, and its address is redis+sentinel://"))
                }
                _ => Ok(()),
            },
            // Whoever may not ask may still write.
            Err(RedisFault::NotAllowed) => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

/// Looks what is behind an address, and writes nothing.
///
/// # Errors
/// [`RedisFault`]: what is wrong, and what mends it.
pub async fn look_at_redis(address: &RedisAddress) -> Result<RedisFound, RedisFault> {
    let mut line = Line::connect(address).await?;
    let asked = Instant::now();
    line.ask::<String>(&::redis::cmd("PING")).await?;
    let round_trip = asked.elapsed();
    let said = match &mut line {
        Line::One(line) => {
            let info: RedisResult<InfoDict> = ::redis::cmd("INFO").arg("server").query_async(line).await;
            info.ok().and_then(|info| info.get::<String>("redis_version"))
        }
        // Every node answers, and they may differ.
        Line::Cluster(_) => None,
    };
    Ok(RedisFound { version: said.unwrap_or_else(|| "unknown".to_owned()), round_trip })
}

/// A connection that only listens. The nodes of a cluster take turns: each hears what is told to any.
pub(crate) async fn listen(address: &RedisAddress, attempt: usize) -> Result<PubSub, RedisFault> {
    in_time(FIND_LIMIT, async {
        let client = client(address, attempt).await?;
        client.get_async_pubsub().await.map_err(|fault| RedisFault::of(&fault))
    })
    .await
}

async fn client(address: &RedisAddress, attempt: usize) -> Result<Client, RedisFault> {
    provide_crypto(address);
    match &address.place {
        Place::One(node) => client_of(address, node),
        Place::Cluster(nodes) => client_of(address, &nodes[attempt % nodes.len()]),
        Place::Sentinels { nodes, name } => of_sentinels(address, nodes, name).await,
    }
}

fn client_of(address: &RedisAddress, node: &Node) -> Result<Client, RedisFault> {
    let info = address.info(node)?;
    let client = if address.is_tls && address.authority.is_some() {
        Client::build_with_tls(info, address.certificates())
    } else {
        Client::open(info)
    };
    client.map_err(|fault| authority_or(address, &fault))
}

async fn of_sentinels(address: &RedisAddress, nodes: &[Node], name: &str) -> Result<Client, RedisFault> {
    let fault = |fault: RedisError| authority_or(address, &fault);
    let sentinels = nodes.iter().map(|node| address.at(node));
    let mut builder =
        SentinelClientBuilder::new(sentinels, name, SentinelServerType::Master).map_err(fault)?;
    builder = builder.set_client_to_redis_db(address.database);
    if let Some(user) = &address.user {
        builder = builder.set_client_to_redis_username(user.tell());
    }
    if let Some(password) = &address.password {
        builder = builder.set_client_to_redis_password(password.tell());
    }
    if let Some(user) = &address.sentinel_user {
        builder = builder.set_client_to_sentinel_username(user.tell());
    }
    if let Some(password) = &address.sentinel_password {
        builder = builder.set_client_to_sentinel_password(password.tell());
    }
    if address.is_tls {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        builder = builder.set_client_to_sentinel_tls_mode(TlsMode::Secure);
        if address.authority.is_some() {
            builder = builder.set_client_to_redis_certificates(address.certificates());
            builder = builder.set_client_to_sentinel_certificates(address.certificates());
        }
    }
    let mut asked = builder.build().map_err(fault)?;
    asked.async_get_client().await.map_err(fault)
}

async fn cluster(address: &RedisAddress, nodes: &[Node]) -> Result<Line, RedisFault> {
    provide_crypto(address);
    let nodes = nodes.iter().map(|node| address.info(node)).collect::<Result<Vec<_>, _>>()?;
    let mut builder = ClusterClientBuilder::new(nodes)
        .connection_timeout(CONNECT_LIMIT)
        .response_timeout(RESPONSE_LIMIT)
        .retries(2)
        .min_retry_wait(5)
        .max_retry_wait(50);
    if let Some(user) = &address.user {
        builder = builder.username(user.tell());
    }
    if let Some(password) = &address.password {
        builder = builder.password(password.tell());
    }
    if address.is_tls {
        builder = builder.tls(TlsMode::Secure);
        if address.authority.is_some() {
            builder = builder.certs(address.certificates());
        }
    }
    let client = builder.build().map_err(|fault| authority_or(address, &fault))?;
    let line = client.get_async_connection().await.map_err(|fault| RedisFault::of(&fault))?;
    Ok(Line::Cluster(Box::new(line)))
}

/// Without one the first handshake would not know how to begin.
fn provide_crypto(address: &RedisAddress) {
    if address.is_tls && CryptoProvider::get_default().is_none() {
        // Somebody else was first, with the same one.
        let _installed = aws_lc_rs::default_provider().install_default();
    }
}

/// A certificate that cannot be read is met before anybody is connected to.
fn authority_or(address: &RedisAddress, fault: &RedisError) -> RedisFault {
    match RedisFault::of(fault) {
        RedisFault::Unreachable(what)
            if address.authority.is_some() && (what.contains("PEM") || what.contains("trust anchor")) =>
        {
            RedisFault::Tls(what)
        }
        fault => fault,
    }
}

fn slow_or(fault: &RedisError) -> RedisFault {
    if fault.is_timeout() { slow(RESPONSE_LIMIT) } else { RedisFault::of(fault) }
}

pub(crate) fn slow(limit: Duration) -> RedisFault {
    RedisFault::Slow { limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) }
}

async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, RedisFault>>,
) -> Result<T, RedisFault> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(slow(limit)))
}
