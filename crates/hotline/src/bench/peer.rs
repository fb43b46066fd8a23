//! The peer: a Redis of our own, private and synced at every turn, and the program that distributes calls with it.

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};

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

const PROGRAM: &str = "redis-server";

/// Runs the program named first with the words behind it, and ends it when standard input ends.
const HELD_BY_A_PIPE: &str = r#""$0" "$@" & server=$!; cat >/dev/null; kill "$server"; wait "$server""#;

/// Why there is nothing to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missing {
    /// Redis is not installed.
    Server,
    /// The program that distributes calls with it was not built.
    Peers(PathBuf),
}

/// What the peer says.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Distributed {
    pub(super) lives: u64,
    pub(super) seconds: f64,
}

impl Distributed {
    /// Lives per second.
    pub(super) fn rate(self) -> f64 {
        self.lives as f64 / self.seconds
    }
}

impl Peer {
    /// Starts one in a directory of its own below `parent`; `peers` is the program, beside this one if not given.
    ///
    /// # Errors
    /// When it is there but does not come up.
    pub(super) async fn start(parent: &Path, peers: Option<&Path>) -> Result<Result<Peer, Missing>> {
        let peers = match peers {
            Some(named) => named.to_owned(),
            None => env::current_exe().context("finding this program")?.with_file_name("peers"),
        };
        if !peers.is_file() {
            return Ok(Err(Missing::Peers(peers)));
        }
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
        Ok(Ok(Peer { server, leash, _dir: dir, port, peers }))
    }

    /// Lets the peer distribute calls for so long.
    ///
    /// # Errors
    /// When it fails.
    pub(super) async fn distribute(
        &self,
        operators: usize,
        in_flight: usize,
        length: Duration,
    ) -> Result<Distributed> {
        let mut command = Command::new(&self.peers);
        command
            .args(["redis-lua", "--port", &self.port.to_string()])
            .args(["--operators", &operators.to_string(), "--in-flight", &in_flight.to_string()])
            .args(["--milliseconds", &length.as_millis().to_string()])
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let output = command.output().await.context("running the peer")?;
        ensure!(output.status.success(), "the peer failed: {}", output.status);
        serde_json::from_slice(&output.stdout).context("what the peer said")
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

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

async fn listening(port: u16) -> Result<()> {
    let give_up_at = Instant::now() + START_PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if Instant::now() >= give_up_at {
            bail!("redis-server did not listen on port {port} within {} s", START_PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}
