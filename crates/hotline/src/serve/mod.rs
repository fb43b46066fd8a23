//! `hotline serve`: the sites of a record, from their configuration to their end.

mod again;
mod file;
mod home;
mod keys;
mod opener;
mod redis_at;
mod retention;
mod settings;
mod systemd;
mod traces;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use exchange::{Clock, ExchangeHandle};
use plan::{ParsedPlan, PlanErrors};
use routing::{OpenSite, Principal, Principals, Router, RouterConfig, RouterParts, Traces, Who};
use rustix::fs::Mode;
use rustix::process::umask;
use serde::{Deserialize, Serialize};
use switchboard::id::{GatewayId, PrincipalId, SiteId};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

pub(crate) use self::file::{ServerFile, TlsFiles};
use self::keys::Keys;
pub(crate) use self::keys::WARN_DAYS;
use self::opener::Opener;
use self::retention::Sweeping;
pub(crate) use self::settings::Serve;
use self::settings::Settings;
pub(crate) use self::settings::read as read_configuration;
use self::traces::Sending;
use crate::journal::{Again, Kept};
use crate::lang::Lang;
use crate::tokens::Address;
use crate::{causes, certs, open_files, tokens};

/// After this long an exchange that cannot finish what it was asked is left behind.
const CLOSE_AT_LATEST: Duration = Duration::from_secs(2);

/// Files that are open beside connections.
pub(crate) const OTHER_FILES: usize = 64;

/// Where in a data directory it is kept what led to a fault of the program.
const EVIDENCE: &str = "evidence";

/// The exit code that asks whoever supervises the server to start it again: a temporary failure, as sysexits has it.
const RESTART_NEEDED: u8 = 75;

/// The one line on standard output that says the server is ready, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Where it listens: `http://HOST:PORT`, with TLS `https://`; the first of its addresses.
    pub(crate) address: String,
    /// All of them.
    #[serde(default)]
    pub(crate) addresses: Vec<String>,
    /// The home site.
    pub(crate) site: String,
    /// Whether its clock is a stepped one.
    pub(crate) stepped: bool,
}

/// The exit code for flags or a configuration that make no sense, as for every other command.
const MAKES_NO_SENSE: u8 = 2;

/// The exit code for a record that a later release has written, or the schema of which it has changed: starting this one
/// again is of no use.
const TOO_OLD: u8 = 78;

/// Serves until it is told to end, or until its journal fails so that only a restart can tell what was stored. Why the
/// server cannot start, or its ready line cannot be written, is told here.
pub(crate) fn run(flags: Serve) -> ExitCode {
    let lang = flags.lang();
    let (fault, again) = match flags.settings() {
        Ok(settings) => match begun(settings, lang) {
            Ok(ended) => return ended,
            Err(fault) => {
                let again = again::after(&fault);
                (fault, again)
            }
        },
        Err(fault) => {
            let again = again::after_settings(&fault);
            (fault, again)
        }
    };
    causes::tell(lang, &fault);
    match again {
        Again::MayHelp => ExitCode::FAILURE,
        Again::NeedsLaterRelease => ExitCode::from(TOO_OLD),
        Again::NeedsOtherWords => ExitCode::from(MAKES_NO_SENSE),
    }
}

fn begun(settings: Settings, lang: Lang) -> Result<ExitCode> {
    // What it writes is for its own user: callers' references, hashes of tokens, the whole state.
    umask(Mode::RWXG | Mode::RWXO);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let (traces, sending) = begin_to_tell(&settings)?;
        serve(settings, traces, sending, lang).await
    });
    runtime.shutdown_timeout(CLOSE_AT_LATEST);
    served
}

/// Begins the log, and the traces if they are wanted.
fn begin_to_tell(settings: &Settings) -> Result<(Traces, Option<Sending>)> {
    let mut traces = Traces::default();
    let to = &settings.traces;
    let (mut listener, mut sending) = (None, None);
    if let Some(collector) = &to.otlp {
        let (listens, sends) = traces::begin(collector, to.part, settings.site, traces.spans.clone())?;
        (listener, sending) = (Some(listens), Some(sends));
        traces.go_on = Some(traces::go_on);
    }
    crate::log::begin_with(settings.log.level, settings.log.format, listener);
    Ok((traces, sending))
}

async fn serve(settings: Settings, traces: Traces, sending: Option<Sending>, lang: Lang) -> Result<ExitCode> {
    let ending = ending(settings.with_parent)?;
    let (files, connections) = (open_files::raised(), settings.limits.connections);
    if usize::try_from(files).is_ok_and(|files| files < connections + OTHER_FILES) {
        tracing::warn!(
            files,
            connections,
            "fewer files may be open than connections; raise the limit (ulimit -n)"
        );
    }
    let (site, stepped) = (settings.site, settings.stepped);
    let seed = stepped.then_some(settings.seed);
    let Settings { data, postgres, seal_key, .. } = &settings;
    let kept = Kept::open(data.as_deref(), postgres.as_ref(), seal_key, site, seed, lang).await?;
    let broken = kept.broken.clone();
    match serve_kept(settings, traces, sending, kept, ending).await {
        Err(fault) if *broken.borrow() => {
            tracing::error!(%site, "a sync failed at the start: {fault:#}");
            Ok(ExitCode::from(RESTART_NEEDED))
        }
        ended => ended,
    }
}

/// Serves what was opened.
async fn serve_kept(
    settings: Settings,
    traces: Traces,
    sending: Option<Sending>,
    kept: Kept,
    ending: impl Future<Output = ()>,
) -> Result<ExitCode> {
    let (site, stepped) = (settings.site, settings.stepped);
    let clock = if stepped { Clock::STEPPED } else { Clock::System };
    let authority = settings.tls.as_ref().and_then(|tls| authority_of(&tls.certificate));
    let keys = settings.tls.map(Keys::read).transpose()?;
    let tls = keys.as_ref().map(Keys::tls);
    let Kept { journal, callers, registry, audit, subjects, records, derived, roll, is_kept, broken } = kept;
    home::check(&*journal, site).await?;
    let principals = Arc::new(Principals::new(registry.clone(), settings.tokens_last));
    principals.load(site).await?;
    let everybody = everybody(site, &settings.gateways)?;
    let is_shared = roll.is_some();
    tokens::hand_out(&settings.tokens_file, site, &principals, &everybody, is_shared).await?;

    let shown_in = settings.redis_address.map(redis_at::begin);
    let opener = Opener {
        home: site,
        journal: journal.clone(),
        derived: derived.clone(),
        clock,
        evidence: settings.data.as_ref().map(|data| data.join(EVIDENCE)),
        roll,
        shown_in: shown_in.clone(),
    };
    let exchange = opener.open(site).await?;
    let first_plan = first_plan(settings.plan.as_deref(), &exchange)?;
    let sweeping = Sweeping {
        journal: journal.clone(),
        retention: settings.retention,
        derived: derived.clone(),
        audit: audit.clone(),
        subjects: subjects.clone(),
        records: records.clone(),
    };
    let watched = systemd::Watched { journal: journal.clone(), site, is_elsewhere: is_shared };
    let parts = RouterParts {
        exchange: exchange.clone(),
        opener: Some(Arc::new(opener)),
        journal,
        derived,
        callers,
        registry,
        principals,
        audit,
        subjects,
        records,
        is_shared,
        shown_in,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let config = RouterConfig {
        listen: settings.listen,
        tls,
        insecure_plaintext: settings.insecure_plaintext,
        limits: settings.limits,
        stepped,
        staff: settings.staff,
        first_plan,
        traces,
    };
    let router = match Router::start(config, parts).await {
        Ok(router) => router,
        Err(fault) if exchange.needs_restart() => {
            tracing::error!(%fault, "the journal failed at the start");
            return Ok(ExitCode::from(RESTART_NEEDED));
        }
        Err(fault) => return Err(fault.into()),
    };
    // On a stepped clock no day goes by.
    if is_kept && !stepped {
        tokio::spawn(sweeping.every_day());
    } else if !settings.retention.keeps_all() {
        tracing::warn!("[retention] is not followed: nothing is kept, or the clock is a stepped one");
    }
    if let Some(keys) = keys {
        tokio::spawn(keys.follow());
    }

    let addresses: Vec<String> =
        router.addresses().iter().map(|address| format!("{scheme}://{address}")).collect();
    tracing::info!(%site, stepped, addresses = addresses.join(" "), "serving");
    if let Some(data) = &settings.data {
        let address = addresses
            .iter()
            .find_map(|address| reached_here(address))
            .unwrap_or_else(|| addresses[0].clone());
        tokens::note_address(data, &Address { address, authority })?;
    }
    say_ready(&Ready { address: addresses[0].clone(), addresses, site: site.to_string(), stepped })?;
    systemd::serves(site, router.addresses()).await;
    tokio::select! {
        () = ending => {}
        never = systemd::lives(&router, &watched) => match never {},
        () = router.restart_needed() => return Ok(ExitCode::from(RESTART_NEEDED)),
        () = is_broken(broken) => {
            tracing::error!(%site, "what was kept is not known any more; another process has to find out");
            return Ok(ExitCode::from(RESTART_NEEDED));
        }
    }
    tracing::info!(%site, "ending: streams are told, what is under way is finished");
    systemd::ends().await;
    let exchanges = router.exchanges();
    router.stop().await;
    let closing = futures_util::future::join_all(exchanges.iter().map(ExchangeHandle::close));
    if tokio::time::timeout(CLOSE_AT_LATEST, closing).await.is_err() {
        tracing::warn!("an exchange did not finish in time");
    }
    if let Some(sending) = sending {
        sending.end().await;
    }
    tracing::info!(%site, "ended");
    Ok(ExitCode::SUCCESS)
}

/// Resolves when a sync has failed, be it of the office's words and not of an append: what is refused from then on would
/// be refused for ever.
async fn is_broken(mut broken: watch::Receiver<bool>) {
    if broken.wait_for(|broken| *broken).await.is_err() {
        // What is in memory is never synced.
        std::future::pending::<()>().await;
    }
}

/// The plan of a site that has none yet. Once it has one the file decides nothing, and whoever changed it is told.
fn first_plan(path: Option<&Path>, exchange: &ExchangeHandle) -> Result<Option<ParsedPlan>> {
    let in_force = exchange.read(|switchboard| switchboard.state().plan().cloned());
    let Some(in_force) = in_force else { return read_plan(path).map(Some) };
    let Some(file) = path else { return Ok(None) };
    let differs = match read_plan(path) {
        Ok(read) if read.plan == in_force => return Ok(None),
        Ok(_) => "it says something else: hotline plan diff -f, then hotline plan apply -f".to_owned(),
        Err(fault) => match fault.downcast_ref::<PlanErrors>() {
            // Its lines stay out of the log: there are numbers in them.
            Some(errors) => {
                let line = errors.findings.first().map_or(0, |found| found.line);
                format!("line {line} cannot be used: hotline plan validate -f")
            }
            None => format!("{fault:#}"),
        },
    };
    tracing::warn!(file = %file.display(), "the plan in force stays, a file is for a site without one; {differs}");
    Ok(None)
}

fn read_plan(path: Option<&Path>) -> Result<ParsedPlan> {
    let Some(path) = path else { return Ok(plan::parse("hospital.toml", plan::HOSPITAL)?) };
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the plan {name}"))?;
    Ok(plan::parse_bytes(&name, &bytes)?)
}

/// Whoever has a token from the start.
fn everybody(site: SiteId, gateways: &[GatewayId]) -> Result<Vec<Principal>> {
    let supervisor: PrincipalId = "supervisor".parse().context("the supervisor's id")?;
    let admin: PrincipalId = "admin".parse().context("the administrator's id")?;
    let gateways = gateways.iter().map(|gateway| Who::Gateway(*gateway));
    let office = [Who::Supervisor(supervisor), Who::Admin(admin)];
    Ok(gateways.chain(office).map(|who| Principal { site, who }).collect())
}

/// How somebody on this machine says this address, if that can be said: an address of every network is also this machine's.
fn reached_here(address: &str) -> Option<String> {
    let (scheme, socket) = address.split_once("://")?;
    let mut socket: SocketAddr = socket.parse().ok()?;
    if socket.ip().is_unspecified() {
        let loopback: IpAddr =
            if socket.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
        socket.set_ip(loopback);
    }
    socket.ip().is_loopback().then(|| format!("{scheme}://{socket}"))
}

/// The authority that `hotline certs init` left beside this certificate.
fn authority_of(certificate: &Path) -> Option<PathBuf> {
    let authority = std::path::absolute(certificate.with_file_name(certs::AUTHORITY)).ok()?;
    authority.exists().then_some(authority)
}

fn say_ready(ready: &Ready) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(ready)?)?;
    Ok(stdout.flush()?)
}

/// Resolves when the server is to end: interrupted, terminated, or left by its parent.
fn ending(with_parent: bool) -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let parent = with_parent.then(parent_gone);
    Ok(async move {
        let left = async {
            match parent {
                // An error means that the reading thread is gone, and with it any word of the parent.
                Some(gone) => drop(gone.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = left => {}
        }
    })
}

/// Reads standard input to its end. On a thread of its own: the end of the process does not wait for it.
fn parent_gone() -> oneshot::Receiver<()> {
    let (gone, heard) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut ignored = [0; 64];
        while input.read(&mut ignored).is_ok_and(|bytes| bytes > 0) {}
        // Nobody hears it when the server ends for another reason.
        let _heard = gone.send(());
    });
    heard
}
