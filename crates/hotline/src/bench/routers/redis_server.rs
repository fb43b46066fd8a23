//! A private Redis that comes and goes.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::sleep;

use super::super::peer::{HELD_BY_A_PIPE, PROGRAM, free_port, is_installed, listening};

/// Who is shown nowhere after this long will not be.
const SHOWN_PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether somebody is.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// One that keeps nothing. It ends with this program, in whatever way that ends.
pub(super) struct RedisServer {
    dir: TempDir,
    port: u16,
    running: Option<(Child, ChildStdin)>,
}

impl RedisServer {
    /// Starts one, if it is installed.
    ///
    /// # Errors
    /// When it is and does not come up.
    pub(super) async fn start(parent: &Path) -> Result<Option<RedisServer>> {
        if !is_installed(PROGRAM) {
            return Ok(None);
        }
        let dir = tempfile::Builder::new().prefix("hotline-bench-redis-").tempdir_in(parent)?;
        let mut server = RedisServer { dir, port: free_port()?, running: None };
        server.begin().await?;
        Ok(Some(server))
    }

    /// Its address.
    pub(super) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again, empty.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) async fn begin(&mut self) -> Result<()> {
        let mut command = Command::new("sh");
        command
            .args(["-c", HELD_BY_A_PIPE, PROGRAM, "--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--appendonly", "no", "--save", "", "--dir"])
            .arg(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        let mut child = command.spawn().context("starting redis-server")?;
        let leash = child.stdin.take().context("its input is piped")?;
        self.running = Some((child, leash));
        listening(self.port).await
    }

    /// Ends it, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(super) async fn end(&mut self) -> Result<()> {
        let Some((mut child, leash)) = self.running.take() else { return Ok(()) };
        drop(leash);
        child.wait().await.context("ending redis-server")?;
        Ok(())
    }

    /// Waits until a router shows there who is free at this site.
    ///
    /// # Errors
    /// When nobody does.
    pub(super) async fn shows(&self, site: &str) -> Result<()> {
        let question = format!("EXISTS hotline:{{{site}}}:free\r\n");
        let give_up_at = Instant::now() + SHOWN_PATIENCE;
        while self.answer(&question).await.is_none_or(|answer| answer.trim() != ":1") {
            ensure!(Instant::now() < give_up_at, "nobody shows in Redis who is free");
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    async fn answer(&self, question: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        stream.write_all(question.as_bytes()).await.ok()?;
        let mut answer = [0; 64];
        let length = stream.read(&mut answer).await.ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}
