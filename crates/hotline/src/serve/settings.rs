//! What the server begins with: the file's words, with the flags' over them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use presence::RedisAddress;
use routing::{Limits, StaffNumbers};
use session::Retention;
use switchboard::id::{GatewayId, SiteId};
use tracing_subscriber::filter::LevelFilter;

use super::file::{self, Log, ServerFile, TlsFiles, TracesTo};
use super::traces::Collector;
use crate::journal::SealKeyAt;
use crate::lang::Lang;
use crate::log::LogFormat;
use crate::{certs, postgres, tokens};

const EXIT_CODES: &str = "Exit codes: 0 ended as told, 1 it could not start, 2 the flags, the configuration or what they name \
                          make no sense: mend them before you start it again, 75 only a new start can tell what was stored: \
                          start it again, 78 a later release has written the record: start that one";

/// Serve a hospital, or several, to gateways, desks, supervisors and administrators.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Serve {
    /// A file as config/server.toml; flags come before what it says.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one; may be given several times. Beyond loopback it needs TLS.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// Speak TLS with the certificate in this directory, as `hotline certs init` makes it.
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// Listen beyond loopback in the clear. Only for a network that is private by other means.
    #[arg(long, conflicts_with = "tls")]
    insecure_plaintext: bool,
    /// The site's clock: the machine's, or one that only ClockService moves.
    #[arg(long, value_enum, default_value_t = ClockKind::System)]
    clock: ClockKind,
    /// On a stepped clock: callers' references follow from this.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Where the journal is kept, in a directory that is this server's alone; in memory, and gone at the end, if not
    /// given. What led to a fault of the program is kept there, too, in evidence.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A file that holds the address of a Postgres database, which keeps the journal instead and may be shared with
    /// other servers. The data directory keeps the rest.
    #[arg(long, value_name = "FILE")]
    postgres: Option<PathBuf>,
    /// A file that holds the key callers' numbers are sealed with, the same for all servers of a database; the variable
    /// HOTLINE_SEAL_KEY holds the key itself. seal.key of the data directory, made at the first start, if not given.
    #[arg(long, value_name = "FILE")]
    seal_key: Option<PathBuf>,
    /// Where to keep the tokens of gateways, supervisor and administrator, readable by you alone; in the data
    /// directory, if not given.
    #[arg(long, value_name = "FILE")]
    tokens_file: Option<PathBuf>,
    /// The plan of a site that has none yet; the hospital's six lines if not given.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// A gateway's id; may be given several times.
    #[arg(long = "gateway", value_name = "ID")]
    gateways: Vec<GatewayId>,
    /// A number of the hospital's own telephones, or a prefix that ends with '*'; may be given several times.
    #[arg(long = "staff", value_name = "NUMBER")]
    staff: Vec<String>,
    /// Show other programs, and tell other servers, in this Redis who is free: redis://HOST:PORT, with TLS rediss://, or as
    /// docs/redis.md has it; never with a password.
    #[arg(long = "redis", value_name = "ADDRESS")]
    redis_address: Option<String>,
    /// How a line of the log is written.
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// How much to say on standard error: off, error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL")]
    log: Option<LevelFilter>,
    /// Send traces of requests to this collector, by OTLP over gRPC: http://HOST:PORT.
    #[arg(long, value_name = "ADDRESS")]
    otlp: Option<Collector>,
    /// End when standard input ends, so that no server outlives the program that started it.
    #[arg(long)]
    with_parent: bool,
    /// The language of what is said; the locale's if not said.
    #[arg(long)]
    lang: Option<Lang>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    System,
    Stepped,
}

/// What a server begins with.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) site: SiteId,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) tls: Option<TlsFiles>,
    pub(super) insecure_plaintext: bool,
    pub(super) stepped: bool,
    pub(super) seed: u64,
    pub(super) data: Option<PathBuf>,
    pub(super) postgres: Option<postgres::Address>,
    pub(super) seal_key: SealKeyAt,
    pub(super) tokens_file: PathBuf,
    pub(super) tokens_last: Option<Duration>,
    pub(super) retention: Retention,
    pub(super) plan: Option<PathBuf>,
    pub(super) gateways: Vec<GatewayId>,
    pub(super) staff: StaffNumbers,
    pub(super) limits: Limits,
    pub(super) log: Log,
    pub(super) traces: TracesTo,
    pub(super) redis_address: Option<RedisAddress>,
    pub(super) with_parent: bool,
}

impl Serve {
    /// In which language it is told why it does not begin.
    pub(super) fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(Lang::of_environment)
    }

    /// The file's words with these flags over them.
    ///
    /// # Errors
    /// When the file cannot be read or makes no sense, or something needed is in neither.
    pub(super) fn settings(self) -> Result<Settings> {
        let file = self.config.as_deref().map(read).transpose()?.unwrap_or_default();
        let data = self.data.or(file.data);
        let postgres = postgres::address(self.postgres.as_deref(), file.postgres.file.as_deref())?;
        let in_data = || data.as_ref().map(|dir| dir.join(tokens::FILE));
        let Some(tokens_file) = self.tokens_file.or(file.tokens.file).or_else(in_data) else {
            bail!(
                "say where to keep the tokens: --tokens-file FILE, or file in [tokens] of the configuration; \
                 with --data they are kept there"
            );
        };
        let staff = match self.staff {
            none if none.is_empty() => file.staff.into_iter().map(|staff| staff.0).collect(),
            given => given,
        };
        let retention = file.retention.retention();
        if !retention.tells_last_calls() {
            bail!(
                "[retention] keeps numbers_days longer than records_days, and only a record tells when a caller last \
                 called; keep records at least as long"
            );
        }
        let directory = |dir: PathBuf| TlsFiles {
            certificate: dir.join(certs::SERVER),
            key: dir.join(certs::SERVER_KEY),
        };
        Ok(Settings {
            site: file.site,
            listen: given_or(self.listen, file.listen),
            tls: if self.insecure_plaintext { None } else { self.tls.map(directory).or(file.tls) },
            insecure_plaintext: self.insecure_plaintext,
            stepped: self.clock == ClockKind::Stepped,
            seed: self.seed,
            data,
            postgres,
            seal_key: SealKeyAt { flag: self.seal_key, configured: file.seal_key },
            tokens_file,
            retention,
            tokens_last: file.tokens.lasting_days.map(|days| DAY * days.0),
            plan: self.plan.or(file.plan),
            gateways: given_or(self.gateways, file.gateways),
            staff: StaffNumbers::parse(staff.iter().map(String::as_str))?,
            limits: file.limits.limits(),
            log: Log {
                level: self.log.unwrap_or(file.log.level),
                format: self.log_format.unwrap_or(file.log.format),
            },
            traces: TracesTo { otlp: self.otlp.or(file.traces.otlp), part: file.traces.part },
            redis_address: file.redis_at.address(self.redis_address.as_deref())?,
            with_parent: self.with_parent,
        })
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn given_or<T>(given: Vec<T>, otherwise: Vec<T>) -> Vec<T> {
    if given.is_empty() { otherwise } else { given }
}

/// Reads a file; its paths are meant from where it is.
pub(crate) fn read(path: &Path) -> Result<ServerFile> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the configuration {name}"))?;
    let mut file = file::parse(&name, &bytes)?;
    let home = path.parent().unwrap_or(Path::new("")).to_owned();
    let from_home = |path: &mut PathBuf| *path = home.join(&*path);
    file.data.iter_mut().for_each(from_home);
    file.plan.iter_mut().for_each(from_home);
    file.postgres.file.iter_mut().for_each(from_home);
    file.seal_key.iter_mut().for_each(from_home);
    file.tokens.file.iter_mut().for_each(from_home);
    file.redis_at.files().for_each(from_home);
    if let Some(TlsFiles { certificate, key }) = &mut file.tls {
        from_home(certificate);
        from_home(key);
    }
    Ok(file)
}
