//! The peers: a Redis of our own, private and synced at every turn, a database of our own on a Postgres that somebody
//! named, and the program that distributes calls with either.

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use super::postgres::{Database, Postgres};
use super::server::Doors;

/// A server that does not listen after this long is not coming up.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it does.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A private Redis, and the program beside it. Gone with everything it holds when dropped, or when this program ends in
/// whatever way: the shell that holds the server reads its standard input, and the pipe closes with its last writer.
pub(super) struct Peer {
    server: Child,
    leash: Option<ChildStdin>,
    _dir: TempDir,
    port: u16,
    peers: PathBuf,
}

pub(super) const PROGRAM: &str = "redis-server";

/// Runs the program named first with the words behind it, and ends it when standard input ends.
pub(super) const HELD_BY_A_PIPE: &str =
    r#""$0" "$@" & server=$!; cat >/dev/null; kill "$server"; wait "$server""#;

/// Why there is nothing to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missing {
    /// Redis is not installed.
    Server,
    /// The program that distributes calls with either was not built.
    Peers(PathBuf),
    /// No Postgres was named.
    Postgres,
}

/// What there is to compare with.
#[derive(Default)]
pub(super) struct Peers {
    pub(super) scripted: Option<Peer>,
    pub(super) matcher: Option<Matcher>,
    pub(super) missing: Vec<Missing>,
}

impl Peers {
    /// Starts what can be; `program` is what distributes calls, the one beside this one if none is given.
    ///
    /// # Errors
    /// When one of them is there but does not come up.
    pub(super) async fn start(
        parent: &Path,
        program: Option<&Path>,
        postgres: Option<&Postgres>,
    ) -> Result<Peers> {
        let mut peers = Peers::default();
        let program = match program {
            Some(named) => named.to_owned(),
            None => env::current_exe().context("finding this program")?.with_file_name("peers"),
        };
        if !program.is_file() {
            peers.missing.push(Missing::Peers(program));
            return Ok(peers);
        }
        match Peer::start(parent, &program).await? {
            Ok(scripted) => peers.scripted = Some(scripted),
            Err(missing) => peers.missing.push(missing),
        }
        match postgres {
            Some(postgres) => peers.matcher = Some(Matcher::start(postgres, &program).await?),
            None => peers.missing.push(Missing::Postgres),
        }
        Ok(peers)
    }
}

/// The peer's service. It ends when this is dropped.
pub(super) struct Service {
    _child: Child,
    _leash: Option<ChildStdin>,
    doors: Doors,
}

impl Service {
    /// A service that distributes calls as the command says.
    async fn start(mut command: Command) -> Result<Service> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("starting the peer's service")?;
        let leash = child.stdin.take();
        let stdout = child.stdout.take().context("the peer's output is piped")?;
        let line = timeout(START_PATIENCE, BufReader::new(stdout).lines().next_line()).await;
        let line = line.context("the peer's service did not say where it listens")??;
        let line = line.context("the peer's service ended; what it said stands above")?;
        let said: Listening = serde_json::from_str(&line).context("what the peer said")?;
        Ok(Service { _child: child, _leash: leash, doors: Doors::open_to_anybody(said.address) })
    }

    /// Its doors.
    pub(super) fn doors(&self) -> &Doors {
        &self.doors
    }
}

/// Distributes calls with Postgres, in a database of its own.
pub(super) struct Matcher {
    service: Service,
    _database: Database,
}

impl Matcher {
    /// Starts one; `peers` is the program.
    async fn start(postgres: &Postgres, peers: &Path) -> Result<Matcher> {
        let database = postgres.empty().await?;
        let mut command = Command::new(peers);
        command.arg("skip-locked").arg("--postgres").arg(database.file());
        Ok(Matcher { service: Service::start(command).await?, _database: database })
    }

    /// Its doors.
    pub(super) fn doors(&self) -> &Doors {
        self.service.doors()
    }
}

/// Databases of the one server: neither form may forget what the other has.
const SERVED: u8 = 0;
const BARE: u8 = 1;

#[derive(Debug, Deserialize)]
struct Listening {
    address: String,
}

#[derive(Debug, Deserialize)]
struct Distributed {
    lives: u64,
    seconds: f64,
}

impl Peer {
    /// Starts one in a directory of its own below `parent`; `peers` is the program.
    async fn start(parent: &Path, peers: &Path) -> Result<Result<Peer, Missing>> {
        if !is_installed(PROGRAM) {
            return Ok(Err(Missing::Server));
        }
        let dir = tempfile::Builder::new().prefix("hotline-bench-redis-").tempdir_in(parent)?;
        let port = free_port()?;
        let mut command = Command::new("sh");
        command
            .args(["-c", HELD_BY_A_PIPE, PROGRAM, "--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir"])
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0);
        let mut server = command.spawn().context("starting redis-server")?;
        let leash = server.stdin.take();
        listening(port).await?;
        Ok(Ok(Peer { server, leash, _dir: dir, port, peers: peers.to_owned() }))
    }

    /// Starts a service that distributes calls with it.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) async fn serve(&self) -> Result<Service> {
        Service::start(self.program("redis-lua", SERVED)).await
    }

    /// Distributes calls for so long with nobody connected; answers lives per second.
    ///
    /// # Errors
    /// When it fails.
    pub(super) async fn bare(&self, operators: usize, in_flight: usize, length: Duration) -> Result<f64> {
        let mut command = self.program("redis-lua-bare", BARE);
        command
            .args(["--operators", &operators.to_string(), "--in-flight", &in_flight.to_string()])
            .args(["--milliseconds", &length.as_millis().to_string()]);
        let output = command.output().await.context("running the peer")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the peer failed: {}: {}", output.status, said.trim());
        let distributed: Distributed =
            serde_json::from_slice(&output.stdout).context("what the peer said")?;
        Ok(distributed.lives as f64 / distributed.seconds)
    }

    fn program(&self, form: &str, database: u8) -> Command {
        let mut command = Command::new(&self.peers);
        let (port, database) = (self.port.to_string(), database.to_string());
        command.args([form, "--port", &port, "--database", &database]).kill_on_drop(true);
        command
    }

    /// Ends the server.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(super) async fn end(mut self) -> Result<()> {
        drop(self.leash.take());
        self.server.wait().await.context("ending redis-server")?;
        Ok(())
    }
}

pub(super) fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

pub(super) async fn listening(port: u16) -> Result<()> {
    let give_up_at = Instant::now() + START_PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if Instant::now() >= give_up_at {
            bail!("redis-server did not listen on port {port} within {} s", START_PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}
