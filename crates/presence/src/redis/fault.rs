//! Why a Redis does not do what it is asked, and what mends it.

use std::error::Error;
use std::io;
use std::sync::Arc;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why a Redis cannot be used. Never names a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisFault {
    /// The address cannot be read.
    #[error(
        "this is not the address of a Redis: {0}; write it like redis://host:6379, rediss://host:6379 for TLS, redis+sentinel://host:26379/name or redis+cluster://host:6379"
    )]
    BadAddress(&'static str),
    /// Nobody answers there.
    #[error(
        "no Redis can be reached there: {0}; start it, or correct the address, also whether it speaks TLS"
    )]
    Unreachable(String),
    /// It answers too late.
    #[error("Redis did not answer within {limit_ms} ms; see what holds it up")]
    Slow {
        /// How long was waited, in milliseconds.
        limit_ms: u64,
    },
    /// It speaks something else.
    #[error(
        "what listens there does not answer as a Redis does; correct the address, or write rediss:// if it speaks TLS"
    )]
    NotRedis,
    /// Its certificate is not trusted, or it speaks no TLS.
    #[error(
        "TLS with Redis failed: {0}; name the authority of its certificate, or write redis:// if it speaks no TLS"
    )]
    Tls(String),
    /// It wants a password.
    #[error("Redis wants a password, and none is set; set it, better by a file than in the address")]
    PasswordMissing,
    /// It knows another password, or none.
    #[error("Redis does not accept this user and password; correct them, or leave them out if it has none")]
    PasswordWrong,
    /// The user may not do what is needed.
    #[error(
        "this user may not do at Redis what is needed; allow it keys and channels hotline:*, and the commands eval, publish, subscribe, ping and role"
    )]
    NotAllowed,
    /// It only follows another one.
    #[error(
        "this Redis is a replica, and only its primary takes what is written; give the primary's address, or the Sentinels' by redis+sentinel://"
    )]
    Replica,
    /// It is part of a cluster.
    #[error("this Redis is a node of a cluster; write its address as redis+cluster://")]
    InCluster,
    /// It is not part of a cluster.
    #[error("this Redis is no node of a cluster; write its address as redis://")]
    NoCluster,
    /// The cluster lacks nodes.
    #[error("the Redis cluster does not serve at present: {0}; see `redis-cli --cluster check`")]
    ClusterDown(String),
    /// The Sentinels know no such primary, or none is elected.
    #[error(
        "the Sentinels know no primary of this name that answers: {0}; correct the name, or see `redis-cli sentinel masters`"
    )]
    NoPrimary(String),
    /// It takes nothing for as long as it is full, cannot save, or loads.
    #[error("Redis takes nothing at present: {0}; see its log")]
    Refuses(String),
    /// Something else.
    #[error("Redis answered with a fault: {0}")]
    Other(String),
}

impl RedisFault {
    pub(crate) fn of(fault: &RedisError) -> RedisFault {
        match fault.kind() {
            ErrorKind::AuthenticationFailed => RedisFault::PasswordWrong,
            ErrorKind::Parse => RedisFault::NotRedis,
            ErrorKind::MasterNameNotFoundBySentinel | ErrorKind::NoValidReplicasFoundBySentinel => {
                RedisFault::NoPrimary(fault.to_string())
            }
            ErrorKind::ClusterConnectionNotFound => RedisFault::ClusterDown(fault.to_string()),
            ErrorKind::Io => of_io(fault),
            ErrorKind::Server(kind) => of_server(kind, fault),
            _ => of_code(fault),
        }
    }
}

fn of_io(fault: &RedisError) -> RedisFault {
    let shared = fault.source().and_then(|source| source.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    let io = shared.and_then(|inside| inside.downcast_ref::<io::Error>());
    let tls = io.and_then(io::Error::get_ref).and_then(|inside| inside.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls) => RedisFault::Tls(tls.to_string()),
        None if fault.is_timeout() => RedisFault::Unreachable("it does not answer".to_owned()),
        None => RedisFault::Unreachable(fault.to_string()),
    }
}

fn of_server(kind: ServerErrorKind, fault: &RedisError) -> RedisFault {
    match kind {
        ServerErrorKind::ReadOnly => RedisFault::Replica,
        ServerErrorKind::NoPerm => RedisFault::NotAllowed,
        ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot => RedisFault::InCluster,
        ServerErrorKind::ClusterDown => RedisFault::ClusterDown(said(fault)),
        ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain => {
            RedisFault::Refuses(said(fault))
        }
        ServerErrorKind::ResponseError if said(fault).contains("cluster support disabled") => {
            RedisFault::NoCluster
        }
        _ => of_code(fault),
    }
}

fn of_code(fault: &RedisError) -> RedisFault {
    match fault.code() {
        Some("NOAUTH") => RedisFault::PasswordMissing,
        Some("WRONGPASS") => RedisFault::PasswordWrong,
        Some("OOM" | "MISCONF" | "NOREPLICAS" | "BUSY") => RedisFault::Refuses(said(fault)),
        _ => RedisFault::Other(said(fault)),
    }
}

fn said(fault: &RedisError) -> String {
    fault.detail().map_or_else(|| fault.to_string(), str::to_owned)
}
