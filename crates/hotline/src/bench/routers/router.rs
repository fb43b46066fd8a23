//! One of several servers of a database, as a child process that is killed, stopped and started again on its port.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{sleep, timeout};

use super::super::postgres::Database;
use super::super::server::Usage;
use crate::serve::Ready;
use crate::tokens::TokenFile;

/// A server that is not up after this long is not coming up.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// A port of a server that died may be somebody's for a moment.
const PORT_PATIENCE: Duration = Duration::from_secs(10);
/// Before it is tried again.
const PORT_AGAIN: Duration = Duration::from_millis(100);
/// A server that was asked to end gets this long.
const END_PATIENCE: Duration = Duration::from_secs(10);
/// A page of figures takes at most so long.
const PAGE_PATIENCE: Duration = Duration::from_secs(10);

/// Variables that would tell a server of another database or Redis than it is to have.
const VARIABLES: [&str; 3] = [crate::postgres::VARIABLE, crate::journal::SEAL_KEY_VARIABLE, "HOTLINE_REDIS"];

/// A server and its directory.
pub(in crate::bench) struct Router {
    dir: TempDir,
    port: u16,
    running: Option<Running>,
}

struct Running {
    child: Child,
    /// Closing it ends the child.
    leash: ChildStdin,
}

/// What a server is started with.
pub(in crate::bench) struct Begin<'d> {
    pub(in crate::bench) database: &'d Database,
    pub(in crate::bench) redis_at: Option<String>,
    pub(in crate::bench) gateways: &'d [&'d str],
}

impl Router {
    /// A directory below `parent`, and a server that is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub(in crate::bench) async fn start(parent: &Path, begin: &Begin<'_>) -> Result<Router> {
        let dir = tempfile::Builder::new().prefix("hotline-bench-router-").tempdir_in(parent);
        let dir = dir.with_context(|| format!("cannot make a directory in {}", parent.display()))?;
        let mut router = Router { dir, port: 0, running: None };
        router.begin(begin).await?;
        Ok(router)
    }

    /// Starts it again, where it was.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) async fn begin(&mut self, begin: &Begin<'_>) -> Result<()> {
        let give_up_at = Instant::now() + PORT_PATIENCE;
        loop {
            match self.begun(begin).await {
                Err(fault) if self.port == 0 || Instant::now() >= give_up_at => return Err(fault),
                Err(_) => sleep(PORT_AGAIN).await,
                Ok(()) => return Ok(()),
            }
        }
    }

    async fn begun(&mut self, begin: &Begin<'_>) -> Result<()> {
        let program = env::current_exe().context("finding this program")?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--with-parent", "--log", "error", "--listen"])
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("--tokens-file")
            .arg(self.dir.path().join("tokens"))
            .arg("--data")
            .arg(self.dir.path().join("data"))
            .args(begin.database.flags());
        for gateway in begin.gateways {
            command.args(["--gateway", gateway]);
        }
        if let Some(address) = &begin.redis_at {
            command.args(["--redis", address]);
        }
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        // An interrupt at the keyboard is for the bench, whose end ends the server.
        command.process_group(0);
        let mut child = command.spawn().context("starting a server")?;
        let leash = child.stdin.take().context("its input is piped")?;
        let stdout = child.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let Ok(line) = timeout(START_PATIENCE, lines.next_line()).await else {
            bail!("a server was not ready after {} s", START_PATIENCE.as_secs());
        };
        let line = line?.context("a server ended before it was ready; what it said stands above")?;
        let ready: Ready = serde_json::from_str(&line).context("a server's ready line")?;
        let port = ready.address.rsplit(':').next().and_then(|port| port.parse().ok());
        self.port = port.context("a server's port")?;
        self.running = Some(Running { child, leash });
        Ok(())
    }

    /// Where clients find it.
    pub(in crate::bench) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The token it handed out to somebody in this role, and of this id if one is said.
    ///
    /// # Errors
    /// When there is none, or another server handed it out.
    pub(in crate::bench) fn token(&self, role: &str, id: Option<&str>) -> Result<String> {
        let text = fs::read_to_string(self.dir.path().join("tokens")).context("reading a server's tokens")?;
        let file: TokenFile = serde_json::from_str(&text).context("a server's tokens")?;
        let mut entries = file.tokens.into_iter();
        let entry = entries.find(|entry| entry.role == role && id.is_none_or(|id| entry.id == id));
        Ok(entry.with_context(|| format!("the server wrote no token for a {role}"))?.token)
    }

    /// What it holds in memory and has used of the processors.
    ///
    /// # Errors
    /// When it has ended.
    pub(in crate::bench) fn usage(&self) -> Result<Usage> {
        Usage::of(self.id()?)
    }

    /// Kills it at this very moment.
    ///
    /// # Errors
    /// When it has ended before.
    pub(super) async fn kill(&mut self) -> Result<Instant> {
        let mut running = self.running.take().context("it has ended")?;
        let killed = Instant::now();
        running.child.kill().await.context("killing a server")?;
        Ok(killed)
    }

    /// Stops it where it is, or lets it go on.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn signal(&self, signal: Signal) -> Result<Instant> {
        let pid = Pid::from_raw(i32::try_from(self.id()?)?).context("the server has ended")?;
        let at = Instant::now();
        kill_process(pid, signal).context("stopping a server")?;
        Ok(at)
    }

    fn id(&self) -> Result<u32> {
        self.running.as_ref().and_then(|running| running.child.id()).context("the server has ended")
    }

    /// Lets it go, and waits until it is gone.
    pub(in crate::bench) async fn end(mut self) {
        let Some(Running { mut child, leash }) = self.running.take() else { return };
        drop(leash);
        // Dropping a child that does not end kills it.
        let _ended = timeout(END_PATIENCE, child.wait()).await;
    }

    /// How many rows it stored of this site, and at how many another one was first.
    ///
    /// # Errors
    /// When it does not say.
    pub(super) async fn appends(&self, site: &str) -> Result<Appends> {
        let page = self.figures().await?;
        let figure = |name: &str| -> Result<u64> {
            let figure = figure_of(&page, &format!("{name}{{site=\"{site}\"}}"));
            figure.with_context(|| format!("{name} is not among a server's figures"))
        };
        let (stored, lost) = (figure("hotline_appends_total")?, figure("hotline_appends_lost_total")?);
        Ok(Appends { stored, lost })
    }

    /// Whether it writes to Redis and hears from it.
    ///
    /// # Errors
    /// When it does not say.
    pub(super) async fn is_in_redis(&self) -> Result<bool> {
        let page = self.figures().await?;
        let is_up = |way| figure_of(&page, &format!("hotline_redis_up{{way=\"{way}\"}}")) == Some(1);
        Ok(is_up("writing") && is_up("hearing"))
    }

    async fn figures(&self) -> Result<String> {
        timeout(PAGE_PATIENCE, self.page()).await.context("a server's figures")?
    }

    async fn page(&self) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let host = format!("127.0.0.1:{}", self.port);
        let request = format!("GET /metrics HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut page = String::new();
        stream.read_to_string(&mut page).await?;
        Ok(page)
    }
}

fn figure_of(page: &str, name: &str) -> Option<u64> {
    page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// What became of appends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::bench) struct Appends {
    pub(super) stored: u64,
    pub(super) lost: u64,
}

impl Appends {
    /// Since an earlier look.
    pub(super) fn since(self, earlier: Appends) -> Appends {
        Appends {
            stored: self.stored.saturating_sub(earlier.stored),
            lost: self.lost.saturating_sub(earlier.lost),
        }
    }

    /// Of two servers.
    pub(super) fn and(self, other: Appends) -> Appends {
        Appends { stored: self.stored + other.stored, lost: self.lost + other.lost }
    }

    /// How many of a hundred were lost.
    pub(super) fn lost_percent(self) -> f64 {
        self.lost as f64 * 100.0 / (self.stored + self.lost).max(1) as f64
    }
}

/// The whole journal, read and decided again by `hotline journal verify`.
///
/// # Errors
/// When it does not agree with itself.
pub(super) async fn verified(database: &Database) -> Result<()> {
    let program = env::current_exe().context("finding this program")?;
    let mut command = Command::new(program);
    command.args(["journal", "verify", "--lang", "en", "--postgres"]).arg(database.file());
    let output = command.kill_on_drop(true).output().await.context("verifying the journal")?;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    ensure!(output.status.success(), "the journal does not agree with itself: {}", said.concat().trim());
    Ok(())
}
