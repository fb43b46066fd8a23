//! The Redis in which a server shows who is free: where it is, and by what it knows this server. Secrets come from files or
//! from the environment, never from the command line or from an address.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use exchange::{Clock, ExchangeConfig};
use presence::{Redis, RedisAddress, RedisFault, Tracker};
use serde::Deserialize;
use serde::de::{self, Deserializer};
use switchboard::id::SiteId;

/// The address, in place of the file's.
const ADDRESS_VARIABLE: &str = "HOTLINE_REDIS";
/// The password, in place of the file's.
const PASSWORD_VARIABLE: &str = "HOTLINE_REDIS_PASSWORD";
/// The Sentinels' password, in place of the file's.
const SENTINEL_PASSWORD_VARIABLE: &str = "HOTLINE_REDIS_SENTINEL_PASSWORD";

/// What the configuration says of Redis.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RedisAt {
    pub(crate) address: Option<Place>,
    pub(crate) user: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) sentinel_user: Option<String>,
    pub(crate) sentinel_password_file: Option<PathBuf>,
    pub(crate) authority: Option<PathBuf>,
}

/// Where a Redis is: an address that can be read, and holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(String);

/// Why a text is no such address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPlace {
    #[error(transparent)]
    Unread(#[from] RedisFault),
    #[error(
        "an address holds no secrets: others on this machine may see it; say the user as `user` in [redis], and the \
         password in a file, as `password_file` there, or in HOTLINE_REDIS_PASSWORD"
    )]
    Secrets,
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Place, NoPlace> {
        if text.parse::<RedisAddress>()?.has_credentials() {
            return Err(NoPlace::Secrets);
        }
        Ok(Place(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl RedisAt {
    /// Its files, which are meant from where the configuration is.
    pub(super) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.password_file, &mut self.sentinel_password_file, &mut self.authority].into_iter().flatten()
    }

    /// The address with whatever opens it; none if there is no Redis. A flag comes first, then the environment.
    ///
    /// # Errors
    /// When it makes no sense, or a file cannot be read.
    pub(crate) fn address(self, flag: Option<&str>) -> Result<Option<RedisAddress>> {
        let is_said = self != RedisAt::default();
        let RedisAt { address, user, sentinel_user, .. } = self;
        let (from, text) = match (flag, variable(ADDRESS_VARIABLE)?, address) {
            (Some(text), ..) => ("--redis", text.to_owned()),
            (None, Some(text), _) => (ADDRESS_VARIABLE, text),
            (None, None, Some(Place(text))) => ("the address in [redis]", text),
            (None, None, None) => {
                ensure!(!is_said, "[redis] says no address; write one like redis://127.0.0.1:6379");
                return Ok(None);
            }
        };
        let Place(text) = text.parse().with_context(|| format!("{from} cannot be used"))?;
        let mut address: RedisAddress = text.parse()?;
        let password = secret(PASSWORD_VARIABLE, self.password_file.as_deref())?;
        match (user, password) {
            (user, Some(password)) => address = address.with_password(user.as_deref(), &password),
            (None, None) => {}
            (Some(user), None) => bail!(
                "[redis] names the user {user} and no password; name its file as password_file, or set \
                 {PASSWORD_VARIABLE}"
            ),
        }
        if let Some(password) = secret(SENTINEL_PASSWORD_VARIABLE, self.sentinel_password_file.as_deref())? {
            address = address.with_sentinel_password(sentinel_user.as_deref(), &password);
        }
        if let Some(file) = &self.authority {
            let pem = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            address = address.with_authority(&pem);
        }
        Ok(Some(address))
    }
}

/// A secret from the environment or a file of one line.
fn secret(name: &str, file: Option<&Path>) -> Result<Option<String>> {
    if let Some(secret) = variable(name)? {
        return Ok(Some(secret));
    }
    let Some(file) = file else { return Ok(None) };
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| {
        format!("cannot read the password in {shown}; its reader is the user that runs this")
    })?;
    let line = text.trim_end_matches(['\r', '\n']);
    ensure!(
        !line.is_empty() && !line.contains('\n'),
        "{shown} is to hold a password in one line, and does not"
    );
    Ok(Some(line.to_owned()))
}

/// A variable of the environment; an empty one is none.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{name} is no UTF-8 text"),
    }
}

/// Begins to connect. Whether anybody is there is told later, by the log, by figures and by the board.
pub(super) fn begin(address: RedisAddress) -> Arc<Redis> {
    Arc::new(Redis::start(address, &uuid::Uuid::new_v4().to_string()))
}

/// An exchange whose links, and who is free at it, are shown.
pub(super) fn shown(
    config: ExchangeConfig,
    shown_in: &Redis,
    site: SiteId,
    clock: Clock,
    is_shared: bool,
) -> ExchangeConfig {
    let tracker = if is_shared { Tracker::among_routers } else { Tracker::new };
    config.with_presence(Arc::new(shown_in.presence(site, tracker(clock.renewal()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_secrets_is_refused_without_showing_them() {
        for text in ["redis://:s3cret@cache", "redis://ana:s3cret@cache/1", "rediss+sentinel://ana@one/main"]
        {
            let fault = text.parse::<Place>().expect_err("it holds some").to_string();
            assert!(fault.contains("password_file") && !fault.contains("s3cret"), "{fault}");
        }
        let fault = "cache:6379".parse::<Place>().expect_err("no address").to_string();
        assert!(fault.contains("redis://host:6379"), "{fault}");
    }

    #[test]
    fn a_password_comes_from_a_file_of_one_line() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("password");
        let at = |user: Option<&str>| RedisAt {
            address: Some("redis://cache".parse().expect("an address")),
            user: user.map(str::to_owned),
            password_file: Some(file.clone()),
            ..RedisAt::default()
        };
        let said = |at: RedisAt| format!("{:#}", at.address(None).expect_err("it cannot be used"));
        assert!(said(at(None)).contains("cannot read the password"));
        fs::write(&file, "\n").expect("written");
        assert!(said(at(None)).contains("one line"));
        fs::write(&file, "s3cret\n").expect("written");
        for user in [None, Some("hotline")] {
            let address = at(user).address(None).expect("it can be used").expect("there is one");
            assert!(address.has_credentials());
            assert_eq!(address.to_string(), "redis://cache:6379/0");
        }
        let lonely = RedisAt { password_file: None, ..at(Some("hotline")) };
        assert!(said(lonely).contains("no password"));
        let nowhere = RedisAt { address: None, ..at(None) };
        assert!(said(nowhere).contains("says no address"));
        assert!(RedisAt::default().address(None).expect("nothing is wrong").is_none());
    }
}
