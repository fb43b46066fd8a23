//! Where a Redis is, and who we are there.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, TlsCertificates};

use super::fault::RedisFault;

/// The port of a Redis that names none.
const PORT: u16 = 6_379;

/// The port of a Sentinel that names none.
const SENTINEL_PORT: u16 = 26_379;

/// Where a Redis is and how it is spoken to. Shown without user and password.
///
/// | form | means |
/// |---|---|
/// | `redis://host:6379/0` | one server, database 0 |
/// | `redis+sentinel://host:26379,host2:26379/name` | the primary that these Sentinels know by this name; `?db=1` for another database |
/// | `redis+cluster://host:6379,host2:6379` | the cluster of which these are some nodes |
///
/// `rediss` in place of `redis` speaks TLS, also to Sentinels. A user and a password may stand before the hosts as
/// `user:password@`, escaped as in any URL; better they come from a file, by [`RedisAddress::with_password`].
#[derive(Clone)]
pub struct RedisAddress {
    pub(crate) place: Place,
    pub(crate) is_tls: bool,
    pub(crate) database: i64,
    pub(crate) user: Option<Secret>,
    pub(crate) password: Option<Secret>,
    pub(crate) sentinel_user: Option<Secret>,
    pub(crate) sentinel_password: Option<Secret>,
    pub(crate) authority: Option<Arc<[u8]>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    One(Node),
    Sentinels { nodes: Vec<Node>, name: String },
    Cluster(Vec<Node>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Text that is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<str>);

impl Secret {
    pub(crate) fn tell(&self) -> &str {
        &self.0
    }
}

impl RedisAddress {
    /// With a password, and a user if it is not the server's default one.
    #[must_use]
    pub fn with_password(mut self, user: Option<&str>, password: &str) -> RedisAddress {
        self.user = user.map(secret);
        self.password = Some(secret(password));
        self
    }

    /// Whether a user or a password stands in it: then it is no text to show.
    pub fn has_credentials(&self) -> bool {
        self.user.is_some() || self.password.is_some()
    }

    /// With a password for the Sentinels, which have their own.
    #[must_use]
    pub fn with_sentinel_password(mut self, user: Option<&str>, password: &str) -> RedisAddress {
        self.sentinel_user = user.map(secret);
        self.sentinel_password = Some(secret(password));
        self
    }

    /// Trusts these authorities (PEM) and no others; without, those of the machine.
    #[must_use]
    pub fn with_authority(mut self, pem: &[u8]) -> RedisAddress {
        self.authority = Some(pem.into());
        self
    }

    pub(crate) fn certificates(&self) -> TlsCertificates {
        TlsCertificates { client_tls: None, root_cert: self.authority.as_deref().map(<[u8]>::to_vec) }
    }

    pub(crate) fn at(&self, node: &Node) -> ConnectionAddr {
        let Node { host, port } = node.clone();
        if self.is_tls {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        } else {
            ConnectionAddr::Tcp(host, port)
        }
    }

    pub(crate) fn info(&self, node: &Node) -> Result<ConnectionInfo, RedisFault> {
        let mut settings = RedisConnectionInfo::default().set_db(self.database);
        if let Some(user) = &self.user {
            settings = settings.set_username(user.tell());
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.tell());
        }
        Ok(self
            .at(node)
            .into_connection_info()
            .map_err(|fault| RedisFault::of(&fault))?
            .set_redis_settings(settings))
    }
}

impl FromStr for RedisAddress {
    type Err = RedisFault;

    fn from_str(text: &str) -> Result<RedisAddress, RedisFault> {
        let (scheme, rest) = text.split_once("://").ok_or(bad("it has no scheme"))?;
        let (base, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let is_tls = match base {
            "redis" => false,
            "rediss" => true,
            _ => return Err(bad("its scheme is neither redis nor rediss")),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (who, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, password) = credentials(who)?;
        let (place, database) = match kind {
            "" => (Place::One(one(nodes(hosts, PORT)?)?), number(path)?),
            "sentinel" if path.is_empty() => {
                return Err(bad("it does not say by which name the Sentinels know the primary"));
            }
            "sentinel" => {
                let place = Place::Sentinels { nodes: nodes(hosts, SENTINEL_PORT)?, name: path.to_owned() };
                (place, number(query.strip_prefix("db=").unwrap_or(query))?)
            }
            "cluster" if path.is_empty() => (Place::Cluster(nodes(hosts, PORT)?), 0),
            "cluster" => return Err(bad("a cluster has no databases to choose from")),
            _ => return Err(bad("behind the + stands neither sentinel nor cluster")),
        };
        if !query.is_empty() && !matches!(place, Place::Sentinels { .. }) {
            return Err(bad("it has something behind a question mark"));
        }
        Ok(RedisAddress {
            place,
            is_tls,
            database,
            user,
            password,
            sentinel_user: None,
            sentinel_password: None,
            authority: None,
        })
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, nodes) = match &self.place {
            Place::One(node) => ("", std::slice::from_ref(node)),
            Place::Sentinels { nodes, .. } => ("+sentinel", nodes.as_slice()),
            Place::Cluster(nodes) => ("+cluster", nodes.as_slice()),
        };
        write!(f, "redis{}{kind}://", if self.is_tls { "s" } else { "" })?;
        for (n, node) in nodes.iter().enumerate() {
            let bracketed = node.host.contains(':');
            let (before, behind) = if bracketed { ("[", "]") } else { ("", "") };
            write!(f, "{}{before}{}{behind}:{}", if n == 0 { "" } else { "," }, node.host, node.port)?;
        }
        match &self.place {
            Place::One(_) => write!(f, "/{}", self.database),
            Place::Sentinels { name, .. } if self.database == 0 => write!(f, "/{name}"),
            Place::Sentinels { name, .. } => write!(f, "/{name}?db={}", self.database),
            Place::Cluster(_) => Ok(()),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn secret(text: &str) -> Secret {
    Secret(text.into())
}

fn bad(what: &'static str) -> RedisFault {
    RedisFault::BadAddress(what)
}

/// As in any URL: the client's own reader knows the escapes.
fn credentials(who: &str) -> Result<(Option<Secret>, Option<Secret>), RedisFault> {
    if who.is_empty() {
        return Ok((None, None));
    }
    let read = format!("redis://{who}@host").into_connection_info();
    let read = read.map_err(|_| bad("its user and password are not escaped as in a URL"))?;
    let settings = read.redis_settings();
    Ok((settings.username().map(secret), settings.password().map(secret)))
}

fn nodes(hosts: &str, port: u16) -> Result<Vec<Node>, RedisFault> {
    hosts.split(',').map(|host| node(host, port)).collect()
}

fn node(host: &str, port: u16) -> Result<Node, RedisFault> {
    let not_a_host = || bad("one of its hosts is not a host or host:port");
    let has_port = host.rsplit_once(']').map_or(host, |(_, behind)| behind).contains(':');
    let read = format!("redis://{host}").into_connection_info().map_err(|_| not_a_host())?;
    match read.addr() {
        ConnectionAddr::Tcp(host, named) if !host.is_empty() => {
            Ok(Node { host: host.clone(), port: if has_port { *named } else { port } })
        }
        _ => Err(not_a_host()),
    }
}

fn one(nodes: Vec<Node>) -> Result<Node, RedisFault> {
    <[Node; 1]>::try_from(nodes)
        .map(|[node]| node)
        .map_err(|_| bad("several hosts are Sentinels or a cluster: redis+sentinel:// or redis+cluster://"))
}

fn number(path: &str) -> Result<i64, RedisFault> {
    if path.is_empty() {
        return Ok(0);
    }
    path.parse().ok().filter(|number| *number >= 0).ok_or(bad("its database is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_without_their_secrets() {
        for (text, shown) in [
            ("redis://cache", "redis://cache:6379/0"),
            ("rediss://user:p%40ss@cache:7000/3", "rediss://cache:7000/3"),
            ("redis://[::1]:7000", "redis://[::1]:7000/0"),
            ("redis+sentinel://:pw@one,two:7/main", "redis+sentinel://one:26379,two:7/main"),
            ("rediss+sentinel://one/main?db=2", "rediss+sentinel://one:26379/main?db=2"),
            ("redis+cluster://one:1,two:2", "redis+cluster://one:1,two:2"),
        ] {
            let address: RedisAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(format!("{address:?}"), shown);
        }
        let address: RedisAddress = "redis://user:p%40ss@cache".parse().unwrap();
        assert_eq!(address.user.as_ref().map(Secret::tell), Some("user"));
        assert_eq!(address.password.as_ref().map(Secret::tell), Some("p@ss"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_is_wrong_and_without_its_password() {
        for (text, wrong) in [
            ("cache:6379", "no scheme"),
            ("http://cache", "neither redis nor rediss"),
            ("redis+ring://cache", "neither sentinel nor cluster"),
            ("redis://one,two", "several hosts"),
            ("redis://:s3cret@cache/first", "not a number"),
            ("redis://:s3cret@cache:port", "host:port"),
            ("redis://:s3cret@", "host:port"),
            ("redis+sentinel://:s3cret@one", "by which name"),
            ("redis+cluster://one/1", "no databases"),
            ("redis://cache?db=1", "question mark"),
        ] {
            let fault = text.parse::<RedisAddress>().unwrap_err().to_string();
            assert!(fault.contains(wrong) && !fault.contains("s3cret"), "{text}: {fault}");
        }
    }
}
