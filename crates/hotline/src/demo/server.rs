//! The service as a child process of the demo. It ends with the demo, however that ends: the child reads its standard
//! input, and the pipe closes with its last writer.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs};

use api::{Bearer, Client};
use switchboard::id::GatewayId;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::asking::STAFF_PREFIX;
use super::fault::DemoFault;
use super::hearing::name;
use crate::serve::Ready;
use crate::tokens::{TokenEntry, TokenFile};

/// A service that is not up after this long is not coming up.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// A service that was asked to end gets this long.
const END_PATIENCE: Duration = Duration::from_secs(5);
/// What an ended service said last is there within this time.
const WORDS_PATIENCE: Duration = Duration::from_millis(500);
/// Of what it says, so many lines are kept to be shown if it fails.
const LAST_WORDS_MAX: usize = 30;

/// Where the service lives: everything that is the same at each of its starts.
pub(super) struct House {
    seed: u64,
    private: TempDir,
    on_disk: bool,
    address: Option<String>,
}

impl House {
    /// One with a private directory of its own, which goes with it. The journal is there, or in memory.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub(super) fn build(seed: u64, on_disk: bool) -> Result<House, DemoFault> {
        let not_made = DemoFault::machine("making a private directory for the service");
        let private = tempfile::Builder::new().prefix("hotline-demo-").tempdir().map_err(not_made)?;
        Ok(House { seed, private, on_disk, address: None })
    }

    /// The data directory, if there is one.
    pub(super) fn data(&self) -> Option<PathBuf> {
        self.on_disk.then(|| self.private.path().join("data"))
    }

    /// Starts this very program as a service on a stepped clock: the first time on a port that is free, then on the
    /// same again.
    ///
    /// # Errors
    /// When it does not come up; what it said is in the error.
    pub(super) async fn start(&mut self) -> Result<Process, DemoFault> {
        let mut child = self.command()?.spawn().map_err(DemoFault::machine("starting the service"))?;
        let leash = child.stdin.take();
        let words = Words::heard_from(child.stderr.take());
        let stdout = child.stdout.take();
        let address = match timeout(START_PATIENCE, announced(stdout)).await {
            Ok(Some(address)) => address,
            Ok(None) => return Err(words.not_started(&mut child).await),
            Err(_) => return Err(DemoFault::NotStarted { why: "it said nothing for 20 s".to_owned() }),
        };
        self.address = Some(address);
        Ok(Process { child, leash, words })
    }

    /// The way in. A service in memory reads its tokens at no other start: they go as soon as they are read, and a
    /// demo that is killed leaves none behind.
    ///
    /// # Errors
    /// When the service has not said where it listens, or its tokens cannot be read.
    pub(super) fn doors(&self) -> Result<Doors, DemoFault> {
        let file = self.tokens_file();
        let tokens = read_tokens(&file)?;
        if !self.on_disk {
            fs::remove_file(&file).map_err(DemoFault::machine("removing the service's tokens"))?;
        }
        let address = self.address.clone().ok_or_else(|| DemoFault::unreadable("no address", ""))?;
        Ok(Doors { address, tokens })
    }

    fn tokens_file(&self) -> PathBuf {
        self.private.path().join("tokens")
    }

    fn command(&self) -> Result<Command, DemoFault> {
        let program = env::current_exe().map_err(DemoFault::machine("finding this program"))?;
        let listen = self.address.as_deref().and_then(|address| address.strip_prefix("http://"));
        let mut command = Command::new(program);
        command
            .arg("serve")
            .args(["--listen", listen.unwrap_or("127.0.0.1:0")])
            .args(["--clock", "stepped", "--with-parent", "--log", "warn"])
            .args(["--seed", &self.seed.to_string()])
            .args(["--staff", &format!("{STAFF_PREFIX}*")])
            .arg("--tokens-file")
            .arg(self.tokens_file())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(data) = self.data() {
            command.arg("--data").arg(data);
        }
        // An interrupt at the keyboard is for the demo, which then ends the service in good order.
        #[cfg(unix)]
        command.process_group(0);
        Ok(command)
    }
}

/// How the service's clients get in.
pub(super) struct Doors {
    address: String,
    tokens: Vec<TokenEntry>,
}

impl Doors {
    /// The gateway that the service knows.
    ///
    /// # Errors
    /// When it knows none.
    pub(super) fn gateway_id(&self) -> Result<GatewayId, DemoFault> {
        name("a gateway", &self.entry("gateway")?.id)
    }

    /// A client for the service's principal in this role.
    ///
    /// # Errors
    /// When there is none, or address or token are none.
    pub(super) fn client(&self, role: &str) -> Result<Client, DemoFault> {
        let token = &self.entry(role)?.token;
        let bearer = Bearer::new(token).map_err(|_| DemoFault::unreadable("a token", "(hidden)"))?;
        Client::new(&self.address, bearer)
            .map_err(|_| DemoFault::unreadable("the service's address", self.address.as_str()))
    }

    fn entry(&self, role: &str) -> Result<&TokenEntry, DemoFault> {
        let entry = self.tokens.iter().find(|entry| entry.role == role);
        entry.ok_or_else(|| DemoFault::unreadable("tokens without one of this role", role))
    }
}

/// A running service.
pub(super) struct Process {
    child: Child,
    /// Closing it ends the child.
    leash: Option<ChildStdin>,
    words: Words,
}

impl Process {
    /// Waits until it ends by itself. Cancel-safe.
    pub(super) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            // That it cannot be waited for is as good as its end.
            Err(fault) => fault.to_string(),
        }
    }

    /// Kills it, with whatever it is doing.
    pub(super) fn kill(&mut self) {
        // One that has ended before is dead, too.
        drop(self.child.start_kill());
    }

    /// How it ended, and what it said before.
    pub(super) async fn last_words(self, how: &str) -> String {
        self.words.after(how).await
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

/// Where it listens, as its first line says; none when it ends without one.
async fn announced(stdout: Option<impl AsyncRead + Unpin>) -> Option<String> {
    let line = BufReader::new(stdout?).lines().next_line().await.ok()??;
    serde_json::from_str::<Ready>(&line).ok().map(|ready| ready.address)
}

fn read_tokens(file: &Path) -> Result<Vec<TokenEntry>, DemoFault> {
    let text = fs::read_to_string(file).map_err(DemoFault::machine("reading the service's tokens"))?;
    let read: Result<TokenFile, _> = serde_json::from_str(&text);
    Ok(read.map_err(|fault| DemoFault::unreadable("a file of tokens", fault.to_string()))?.tokens)
}

/// The last lines that the service said.
struct Words {
    last: Arc<Mutex<VecDeque<String>>>,
    listener: JoinHandle<()>,
}

impl Words {
    fn heard_from(stderr: Option<impl AsyncRead + Unpin + Send + 'static>) -> Words {
        let last = Arc::new(Mutex::new(VecDeque::new()));
        let ear = Arc::clone(&last);
        let listener = tokio::spawn(async move {
            let Some(stderr) = stderr else { return };
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut last = ear.lock().unwrap_or_else(PoisonError::into_inner);
                if last.len() == LAST_WORDS_MAX {
                    last.pop_front();
                }
                last.push_back(line);
            }
        });
        Words { last, listener }
    }

    async fn not_started(self, child: &mut Child) -> DemoFault {
        let how = match timeout(END_PATIENCE, child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(fault)) => fault.to_string(),
            Err(_) => "it did not say where it listens".to_owned(),
        };
        DemoFault::NotStarted { why: self.after(&how).await }
    }

    async fn after(self, how: &str) -> String {
        // Hearing ends with the pipe; one that does not end is not worth waiting for.
        drop(timeout(WORDS_PATIENCE, self.listener).await);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let said: String = last.iter().map(|line| format!("\n  | {line}")).collect();
        format!("{how}{said}")
    }
}
