//! A service to measure, as a child process: this very program, on the machine's clock, durable or in memory.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use api::{Bearer, Client};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::postgres::Database;
use crate::journal::SEAL_KEY_VARIABLE;
use crate::postgres::VARIABLE as POSTGRES_VARIABLE;
use crate::serve::Ready;
use crate::tokens::{TokenEntry, TokenFile};

/// A service that is not up after this long is not coming up.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// A service that was asked to end gets this long.
const END_PATIENCE: Duration = Duration::from_secs(10);

/// Where a service keeps its decisions.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keeping<'d> {
    /// In a data directory: nothing is acknowledged before it is on the disk.
    Durable,
    /// In a database, which several services may share.
    On(&'d Database),
    /// In memory.
    Memory,
}

/// A directory of one service: its tokens and, if it is durable, its data. Gone when dropped.
pub(super) struct Place {
    dir: TempDir,
    /// Where it keeps its decisions, as `hotline serve` is told.
    kept: Vec<OsString>,
}

impl Place {
    /// A fresh one below `parent`.
    pub(super) fn new(parent: &Path, keeping: Keeping<'_>) -> Result<Place> {
        let dir = tempfile::Builder::new().prefix("hotline-bench-").tempdir_in(parent);
        let dir = dir.with_context(|| format!("cannot make a directory in {}", parent.display()))?;
        let data = ["--data".into(), dir.path().join("data").into()];
        let kept = match keeping {
            Keeping::Memory => Vec::new(),
            Keeping::Durable => data.into(),
            Keeping::On(database) => data.into_iter().chain(database.flags()).collect(),
        };
        Ok(Place { dir, kept })
    }

    /// The directory in which the data directory lies.
    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    fn tokens(&self) -> PathBuf {
        self.dir.path().join("tokens")
    }

    fn command(&self) -> Result<Command> {
        let program = env::current_exe().context("finding this program")?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--with-parent", "--tokens-file"])
            .arg(self.tokens())
            .args(&self.kept)
            // What is measured is what was asked for here.
            .env_remove(POSTGRES_VARIABLE)
            .env_remove(SEAL_KEY_VARIABLE);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        // An interrupt at the keyboard is for the bench, whose end ends the service.
        command.process_group(0);
        Ok(command)
    }
}

/// Where a service is, and who may come in at first.
pub(super) struct Doors {
    address: String,
    tokens: Vec<TokenEntry>,
}

impl Doors {
    /// Of a service that believes every name.
    pub(super) fn open_to_anybody(address: String) -> Doors {
        let named =
            |role: &str| TokenEntry { role: role.to_owned(), id: role.to_owned(), token: role.to_owned() };
        Doors { address, tokens: ["gateway", "admin"].map(named).into() }
    }

    /// A client of its own connection for the principal in this role.
    pub(super) fn client(&self, role: &str) -> Result<Client> {
        let entry = self.tokens.iter().find(|entry| entry.role == role);
        let entry = entry.with_context(|| format!("the service wrote no token for a {role}"))?;
        self.client_of(&entry.token)
    }

    /// A client of its own connection for whoever has this token.
    pub(super) fn client_of(&self, token: &str) -> Result<Client> {
        Ok(Client::new(&self.address, Bearer::new(token)?)?)
    }
}

/// A running service.
pub(super) struct Server {
    child: Child,
    /// Closing it ends the child.
    leash: Option<ChildStdin>,
    doors: Doors,
}

impl Server {
    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) async fn start(place: &Place) -> Result<Server> {
        let mut child = place.command()?.spawn().context("starting the service")?;
        let leash = child.stdin.take();
        let stdout = child.stdout.take().context("the service's output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let Ok(line) = timeout(START_PATIENCE, lines.next_line()).await else {
            bail!("the service was not ready after {} s", START_PATIENCE.as_secs());
        };
        let line = line?.context("the service ended before it was ready; what it said stands above")?;
        let ready: Ready = serde_json::from_str(&line).context("the service's ready line")?;
        let text = fs::read_to_string(place.tokens()).context("reading the service's tokens")?;
        let file: TokenFile = serde_json::from_str(&text).context("the service's tokens")?;
        let doors = Doors { address: ready.address, tokens: file.tokens };
        Ok(Server { child, leash, doors })
    }

    /// Its doors.
    pub(super) fn doors(&self) -> &Doors {
        &self.doors
    }

    /// What it holds in memory and has used of the processors.
    pub(super) fn usage(&self) -> Result<Usage> {
        let id = self.child.id().context("the service has ended")?;
        Usage::of(id)
    }

    /// Kills it at this very moment and waits until it is gone.
    pub(super) async fn kill(mut self) -> Result<Instant> {
        let killed = Instant::now();
        self.child.kill().await.context("killing the service")?;
        Ok(killed)
    }

    /// Lets it go, and waits until it is gone.
    pub(super) async fn end(mut self) {
        drop(self.leash.take());
        if timeout(END_PATIENCE, self.child.wait()).await.is_err() {
            // Dropping the child kills it.
            drop(self.child);
        }
    }
}

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Resident memory.
    pub(super) resident_kb: u64,
    /// Time on the processors, in its own code and in the kernel's for it.
    pub(super) on_cpu: Duration,
}

/// What Linux counts processor time in, for every program that asks through /proc.
const TICK: Duration = Duration::from_millis(10);

impl Usage {
    pub(super) fn of(process: u32) -> Result<Usage> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).context("reading /proc")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|rest| rest.trim().strip_suffix(" kB"));
        let resident_kb = resident.context("no VmRSS in /proc")?.parse()?;
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("reading /proc")?;
        // The name, in brackets, may have spaces of its own.
        let behind_name = stat.rsplit(") ").next().context("no name in /proc")?;
        let ticks = behind_name.split(' ').skip(11).take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
        Ok(Usage { resident_kb, on_cpu: TICK * ticks })
    }
}
