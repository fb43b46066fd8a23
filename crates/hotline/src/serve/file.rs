//! The server's configuration file. Read strictly: a field nobody knows, or a value that makes no sense, is refused
//! where it stands.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use routing::{Limits, StaffNumbers};
use serde::Deserialize;
use serde::de::{self, Deserializer};
use session::Retention;
use switchboard::id::{GatewayId, SiteId};
use tracing_subscriber::filter::LevelFilter;

use super::redis_at::RedisAt;
use super::traces::{Collector, Part};
use crate::log::LogFormat;
use crate::secrets;

/// Longest file that is looked into.
const BYTES_MAX: usize = 1 << 20;

const UNSHOWN: &str = "what stands here makes no sense here";

const MEND: &str = "config/server.toml shows every field, what it is for and what it may be";

/// What a file says; what it does not say is as in `config/server.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerFile {
    pub(crate) site: SiteId,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) seal_key: Option<PathBuf>,
    pub(crate) plan: Option<PathBuf>,
    pub(crate) gateways: Vec<GatewayId>,
    pub(crate) staff: Vec<StaffNumber>,
    pub(crate) postgres: Postgres,
    pub(crate) tokens: Tokens,
    pub(crate) tls: Option<TlsFiles>,
    #[serde(rename = "redis")]
    pub(crate) redis_at: RedisAt,
    pub(crate) retention: RetentionDays,
    pub(crate) limits: FileLimits,
    pub(crate) log: Log,
    pub(crate) traces: TracesTo,
}

/// The database that is shared with other servers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Postgres {
    pub(crate) file: Option<PathBuf>,
}

/// Who gets a token, and for how long.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tokens {
    pub(crate) file: Option<PathBuf>,
    pub(crate) lasting_days: Option<Count<1, 3_650>>,
}

/// Where certificate and key are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// How long what is kept, in days; without a number, for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionDays {
    numbers_days: Option<Count<1, 36_500>>,
    records_days: Option<Count<1, 36_500>>,
    audit_days: Option<Count<{ Retention::AUDIT_DAYS_MIN }, 36_500>>,
}

impl RetentionDays {
    pub(crate) fn retention(&self) -> Retention {
        Retention {
            numbers_days: self.numbers_days.map(|days| days.0),
            records_days: self.records_days.map(|days| days.0),
            audit_days: self.audit_days.map(|days| days.0),
        }
    }
}

/// The limits of `routing`, each within reason.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FileLimits {
    connections: Count<1, 1_000_000>,
    streams_per_connection: Count<1, 65_536>,
    operator_streams: Count<1, 64>,
    office_streams: Count<1, 1_024>,
    wallboard_streams: Count<1, 1_024>,
    wrong_tokens_per_minute: Count<1, 10_000>,
    stuck_reader_seconds: Count<1, 3_600>,
    drain_seconds: Count<1, 600>,
}

/// How much is logged, and how.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Log {
    #[serde(deserialize_with = "level")]
    pub(crate) level: LevelFilter,
    pub(crate) format: LogFormat,
}

/// Where traces of requests are sent, and how many of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TracesTo {
    pub(crate) otlp: Option<Collector>,
    pub(crate) part: Part,
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let count = u32::try_from(number).ok().filter(|count| (MIN..=MAX).contains(count));
        let wrong =
            || de::Error::custom(format_args!("{number} makes no sense here; from {MIN} to {MAX} does"));
        count.map(Count).ok_or_else(wrong)
    }
}

/// A number of the hospital's own telephones, or a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaffNumber(pub(crate) String);

impl<'de> Deserialize<'de> for StaffNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        StaffNumbers::parse([text.as_str()]).map_err(de::Error::custom)?;
        Ok(StaffNumber(text))
    }
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LevelFilter, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |_| de::Error::custom("a level is one of off, error, warn, info, debug and trace");
    text.parse().map_err(wrong)
}

impl Default for ServerFile {
    fn default() -> ServerFile {
        ServerFile {
            site: "main".parse().expect("the letters of a name"),
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 7430))],
            data: None,
            seal_key: None,
            plan: None,
            gateways: vec!["gw-1".parse().expect("the letters of a name")],
            staff: Vec::new(),
            postgres: Postgres::default(),
            tokens: Tokens::default(),
            tls: None,
            redis_at: RedisAt::default(),
            retention: RetentionDays::default(),
            limits: FileLimits::default(),
            log: Log::default(),
            traces: TracesTo::default(),
        }
    }
}

impl Default for FileLimits {
    fn default() -> FileLimits {
        let limits = Limits::default();
        let count = |limit: usize| u32::try_from(limit).expect("the limits of a hospital are small numbers");
        let seconds = |length: Duration| u32::try_from(length.as_secs()).expect("seconds, not years");
        FileLimits {
            connections: Count(count(limits.connections)),
            streams_per_connection: Count(limits.streams_per_connection),
            operator_streams: Count(count(limits.operator_streams)),
            office_streams: Count(count(limits.office_streams)),
            wallboard_streams: Count(count(limits.wallboard_streams)),
            wrong_tokens_per_minute: Count(count(limits.wrong_tokens_per_minute)),
            stuck_reader_seconds: Count(seconds(limits.stuck_reader)),
            drain_seconds: Count(seconds(limits.drain)),
        }
    }
}

impl Default for Log {
    fn default() -> Log {
        Log { level: LevelFilter::INFO, format: LogFormat::Text }
    }
}

impl Default for TracesTo {
    fn default() -> TracesTo {
        TracesTo { otlp: None, part: Part::WHOLE }
    }
}

impl FileLimits {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            connections: self.connections.0 as usize,
            streams_per_connection: self.streams_per_connection.0,
            operator_streams: self.operator_streams.0 as usize,
            office_streams: self.office_streams.0 as usize,
            wallboard_streams: self.wallboard_streams.0 as usize,
            wrong_tokens_per_minute: self.wrong_tokens_per_minute.0 as usize,
            stuck_reader: Duration::from_secs(self.stuck_reader_seconds.0.into()),
            drain: Duration::from_secs(self.drain_seconds.0.into()),
        }
    }
}

/// What is wrong with a file, drawn where it stands.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct FileFault(String);

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a file's bytes. `name` is only what errors call it.
///
/// # Errors
/// The first thing wrong, with file, line, the source line with carets, and how to mend it.
pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<ServerFile, FileFault> {
    if bytes.len() > BYTES_MAX {
        return Err(FileFault(format!("{name} has {} bytes; a configuration has a few lines", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let at = fault.valid_up_to();
        FileFault(format!("{name} is no UTF-8 text at byte {at}; save it again with the encoding UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    toml::from_str(text).map_err(|fault| drawn(name, text, &fault))
}

fn drawn(name: &str, text: &str, fault: &toml::de::Error) -> FileFault {
    let span = fault.span().unwrap_or(0..0);
    let from = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
    let to = text[span.end..].find('\n').map_or(text.len(), |end| span.end + end);
    if secrets::may_be_in(&text[from..to]) {
        let (line, column) =
            (text[..from].matches('\n').count() + 1, text[from..span.start].chars().count() + 1);
        let title = if secrets::is_address(fault.message()) { UNSHOWN } else { fault.message() };
        let help = format!("a secret may stand there, so it is not shown; {MEND}");
        let place = Origin::path(name).line(line).char_column(column);
        let report = [Level::ERROR.primary_title(title).element(place).element(Level::HELP.message(help))];
        return FileFault(Renderer::plain().render(&report));
    }
    let place = Snippet::source(text).path(name).annotation(AnnotationKind::Primary.span(span));
    let report =
        [Level::ERROR.primary_title(fault.message()).element(place).element(Level::HELP.message(MEND))];
    FileFault(Renderer::plain().render(&report))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../../../config/server.toml");

    fn refused(text: &str) -> String {
        parse("server.toml", text.as_bytes()).expect_err("refused").to_string()
    }

    #[test]
    fn the_shipped_file_says_what_holds_without_one() {
        let shipped = parse("server.toml", SHIPPED.as_bytes()).expect("it is shipped");
        assert_eq!(shipped, ServerFile::default());
        assert_eq!(shipped.limits.limits(), Limits::default());
        assert_eq!(parse("server.toml", b"").expect("nothing is said"), ServerFile::default());
    }

    #[test]
    fn a_commented_example_in_it_can_be_uncommented() {
        let example = |line: &str| match line.strip_prefix("#: ") {
            Some(example) => format!("{example}\n"),
            None => format!("{line}\n"),
        };
        let text: String = SHIPPED.lines().map(example).collect();
        let file = parse("server.toml", text.as_bytes()).expect("every example is one");
        assert!(
            file.tls.is_some()
                && file.data.is_some()
                && file.seal_key.is_some()
                && file.plan.is_some()
                && file.tokens.lasting_days.is_some()
                && file.traces.otlp.is_some()
                && file.redis_at.address.is_some()
                && file.redis_at.user.is_some()
                && file.redis_at.password_file.is_some()
                && file.redis_at.authority.is_some()
                && file.retention.retention().tells_last_calls()
                && file.retention.retention().audit_days.is_some()
        );
    }

    #[test]
    fn what_may_be_a_secret_is_not_drawn() {
        let cases = [
            ("[redis]\npassword = \"s3cret\"", "server.toml:2:1", "unknown field `password`"),
            ("[redis]\n\"password\"=\"s3cret\"", "server.toml:2:1", "unknown field `password`"),
            ("redis = { password = \"s3cret\" }", "server.toml:1:", "unknown field `password`"),
            ("[redis]\nadress = \"redis://me:s3cret@cache\"", "server.toml:2:1", "unknown field `adress`"),
            ("[postgres]\nurl = \"postgres://me:s3cret@db/calls\"", "server.toml:2:1", "unknown field `url`"),
            ("postgres = \"postgres://me:s3cret@db/calls\"", "server.toml:1:12", UNSHOWN),
            ("[redis]\npassword: \"s3cret\"", "server.toml:2:", ""),
            ("redis = \"me:s3cret@cache:6379\"", "server.toml:1:9", UNSHOWN),
        ];
        for (text, place, words) in cases {
            let said = refused(text);
            assert!(said.contains(place) && said.contains(words), "{text}\n{said}");
            assert!(!said.contains("s3cret") && said.contains("config/server.toml"), "{said}");
            let chinese = crate::chinese::chinese(&said);
            assert!(chinese.contains(place) && chinese.contains("= 办法：那里可能有秘密"), "{chinese}");
        }
    }

    #[test]
    fn one_mistake_at_a_time() {
        let cases = [
            ("lissten = []", "server.toml:1:1", "unknown field `lissten`"),
            ("\n[limits]\nconnections = 0", "server.toml:3:15", "from 1 to 1000000"),
            ("[limits]\nconnections = \"many\"", "server.toml:2:15", "invalid type"),
            ("[limits]\ndrain_seconds = -1", "server.toml:2:17", "from 1 to 600"),
            ("listen = [\"localhost:7430\"]", "server.toml:1:11", "socket address"),
            ("staff = [\"8001\", \"80x\"]", "server.toml:1:9", "80x"),
            ("gateways = [\"Gate Way\"]", "server.toml:1:", "a-z, 0-9"),
            ("[tls]\ncertificate = \"a.pem\"", "server.toml:1:1", "missing field `key`"),
            ("[log]\nlevel = \"loud\"", "server.toml:2:9", "off, error, warn"),
            ("[log]\nformat = \"xml\"", "server.toml:2:10", "unknown variant"),
            ("[retention]\nnumbers_days = 0", "server.toml:2:16", "from 1 to 36500"),
            ("[retention]\naudit_days = 90", "server.toml:2:14", "from 180 to 36500"),
            ("[retention]\nnames_days = 9", "server.toml:2:1", "unknown field `names_days`"),
            ("[traces]\notlp = \"localhost\"", "server.toml:2:8", "http://127.0.0.1:4317"),
            ("[traces]\notlp = \"https://a:4317\"", "server.toml:2:8", "TLS is not spoken"),
            ("[traces]\npart = 1.5", "server.toml:2:8", "from 0.0 to 1.0"),
            ("[traces]\npart = nan", "server.toml:2:8", "from 0.0 to 1.0"),
            ("[traces]\njaeger = \"a\"", "server.toml:2:1", "unknown field `jaeger`"),
            ("[redis]\naddress = \"cache:6379\"", "server.toml:2:11", "redis://host:6379"),
            ("site = \"main\"\nsite = \"other\"", "server.toml:2:1", "duplicate key"),
            ("listen = [", "server.toml:1:", "unclosed"),
        ];
        for (text, place, words) in cases {
            let said = refused(text);
            assert!(said.contains(place) && said.contains(words), "{text}\n{said}");
            assert!(said.contains('^') && said.contains("config/server.toml"), "{said}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let latin = parse("server.toml", b"# caf\xe9\n").expect_err("no UTF-8").to_string();
        assert!(latin.contains("byte 5") && latin.contains("UTF-8"), "{latin}");
        let long = parse("server.toml", &vec![b'#'; BYTES_MAX + 1]).expect_err("too long").to_string();
        assert!(long.contains("a few lines"), "{long}");
    }
}
