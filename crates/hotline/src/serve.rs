//! `hotline serve`: one site, its journal in a data directory or in memory, on loopback.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use exchange::{Clock, Exchange, ExchangeConfig};
use plan::ParsedPlan;
use routing::{Principal, Principals, Router, RouterConfig, RouterParts, StaffNumbers, Who};
use serde::{Deserialize, Serialize};
use session::Writer;
use switchboard::id::{GatewayId, PrincipalId, SiteId};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::journal::Kept;
use crate::tokens;

/// After this long an exchange that cannot finish what it was asked is left behind.
const CLOSE_AT_LATEST: Duration = Duration::from_secs(2);

/// The exit code that asks whoever supervises the server to start it again: a temporary failure, as sysexits has it.
const RESTART_NEEDED: u8 = 75;

/// Serve one site.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen, on loopback; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7430", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The site's clock: the machine's, or one that only ClockService moves.
    #[arg(long, value_enum, default_value_t = ClockKind::System)]
    clock: ClockKind,
    /// On a stepped clock: callers' references follow from this.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Where the journal is kept, in a directory that is this server's alone; in memory, and gone at the end, if not
    /// given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to write the tokens of gateways, supervisor and administrator, readable by you alone.
    #[arg(long, value_name = "FILE")]
    tokens_file: PathBuf,
    /// The plan of a site that has none yet; the hospital's six lines if not given.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// A gateway's id; may be given several times.
    #[arg(long = "gateway", default_value = "gw-1", value_name = "ID")]
    gateways: Vec<GatewayId>,
    /// A number of the hospital's own telephones, or a prefix that ends with '*'; may be given several times.
    #[arg(long = "staff", value_name = "NUMBER")]
    staff: Vec<String>,
    /// End when standard input ends, so that no server outlives the program that started it.
    #[arg(long)]
    with_parent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClockKind {
    System,
    Stepped,
}

/// The one line on standard output that says the server is ready, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Where it listens: `http://HOST:PORT`.
    pub(crate) address: String,
    /// Which site.
    pub(crate) site: String,
    /// Whether its clock is a stepped one.
    pub(crate) stepped: bool,
}

impl Serve {
    /// Serves until it is told to end, or until its journal fails so that only a restart can tell what was stored.
    ///
    /// # Errors
    /// When the server cannot start, or its ready line cannot be written.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(self.serve());
        runtime.shutdown_timeout(CLOSE_AT_LATEST);
        served
    }

    async fn serve(self) -> Result<ExitCode> {
        let ending = ending(self.with_parent)?;
        let site: SiteId = "main".parse().context("the site's id")?;
        let stepped = self.clock == ClockKind::Stepped;
        let clock = if stepped { Clock::STEPPED } else { Clock::System };
        let kept = Kept::open(self.data.as_deref(), site, stepped.then_some(self.seed)).await?;
        let first_plan = Some(self.read_plan()?);
        let staff = StaffNumbers::parse(self.staff.iter().map(String::as_str))?;
        let principals = Arc::new(Principals::new());
        tokens::write(&self.tokens_file, site.as_str(), &principals, &everybody(site, &self.gateways)?)?;

        let Kept { journal, callers, derived } = kept;
        let writer = Writer::new(uuid::Uuid::new_v4().to_string());
        let mut config = ExchangeConfig::alone(site, writer);
        if let Some(derived) = derived {
            config = config.with_derived(derived);
        }
        let exchange = Exchange::spawn(config, journal.clone(), clock).await?;
        let parts = RouterParts { exchange: exchange.clone(), journal, callers, principals };
        let config = RouterConfig { listen: self.listen, stepped, staff, first_plan };
        let router = Router::start(config, parts).await?;

        say_ready(&Ready {
            address: format!("http://{}", router.address()),
            site: site.to_string(),
            stepped,
        })?;
        tokio::select! {
            () = ending => {}
            () = exchange.restart_needed() => return Ok(ExitCode::from(RESTART_NEEDED)),
        }
        router.stop().await;
        if tokio::time::timeout(CLOSE_AT_LATEST, exchange.close()).await.is_err() {
            tracing::warn!("the exchange did not finish in time");
        }
        Ok(ExitCode::SUCCESS)
    }

    fn read_plan(&self) -> Result<ParsedPlan> {
        let Some(path) = &self.plan else { return Ok(plan::parse("hospital.toml", plan::HOSPITAL)?) };
        let name = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read the plan {name}"))?;
        Ok(plan::parse_bytes(&name, &bytes)?)
    }
}

/// Whoever has a token from the start.
fn everybody(site: SiteId, gateways: &[GatewayId]) -> Result<Vec<Principal>> {
    let supervisor: PrincipalId = "supervisor".parse().context("the supervisor's id")?;
    let admin: PrincipalId = "admin".parse().context("the administrator's id")?;
    let gateways = gateways.iter().map(|gateway| Who::Gateway(*gateway));
    let office = [Who::Supervisor(supervisor), Who::Admin(admin)];
    Ok(gateways.chain(office).map(|who| Principal { site, who }).collect())
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
