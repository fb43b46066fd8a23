//! The service as a child process of the demo. It ends with the demo, however that ends: the child reads its standard
//! input, and the pipe closes with its last writer.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs};

use api::{Bearer, Client};
use switchboard::id::GatewayId;
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
/// Whether a request failed because the service ended is known within this time.
const CAUSE_PATIENCE: Duration = Duration::from_millis(500);
/// Of what it says, so many lines are kept to be shown if it fails.
const LAST_WORDS_MAX: usize = 30;

/// A running service.
pub(super) struct Server {
    child: Child,
    /// Closing it ends the child.
    leash: Option<ChildStdin>,
    words: Words,
    address: String,
    tokens: Vec<TokenEntry>,
}

impl Server {
    /// Starts this very program as a service, on a port that is free, on a stepped clock.
    ///
    /// # Errors
    /// When it does not come up; what it said is in the error.
    pub(super) async fn start(seed: u64) -> Result<Server, DemoFault> {
        let not_made = DemoFault::machine("making a private directory for the tokens");
        let private = tempfile::Builder::new().prefix("hotline-demo-").tempdir().map_err(not_made)?;
        let tokens_file = private.path().join("tokens");
        let mut child =
            command(seed, &tokens_file)?.spawn().map_err(DemoFault::machine("starting the service"))?;
        let leash = child.stdin.take();
        let words = Words::heard_from(child.stderr.take());
        let stdout = child.stdout.take();
        let address = match timeout(START_PATIENCE, announced(stdout)).await {
            Ok(Some(address)) => address,
            Ok(None) => return Err(words.not_started(&mut child).await),
            Err(_) => return Err(DemoFault::NotStarted { why: "it said nothing for 20 s".to_owned() }),
        };
        // The directory goes as soon as it is read: a demo that is killed leaves no tokens behind.
        let tokens = read_tokens(&tokens_file)?;
        Ok(Server { child, leash, words, address, tokens })
    }

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

    /// Waits until it ends by itself, which it should not.
    pub(super) async fn ended(&mut self) {
        // That it cannot be waited for is as good as its end.
        drop(self.child.wait().await);
    }

    /// What lies behind a failure: that the service is gone, if it is.
    pub(super) async fn cause_of(mut self, fault: DemoFault) -> DemoFault {
        match timeout(CAUSE_PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => DemoFault::ServerGone { how: self.words.after(&status.to_string()).await },
            Ok(Err(_)) | Err(_) => fault,
        }
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

fn command(seed: u64, tokens_file: &Path) -> Result<Command, DemoFault> {
    let program = env::current_exe().map_err(DemoFault::machine("finding this program"))?;
    let mut command = Command::new(program);
    command
        .arg("serve")
        .args(["--listen", "127.0.0.1:0", "--clock", "stepped", "--with-parent", "--log", "warn"])
        .args(["--seed", &seed.to_string()])
        .args(["--staff", &format!("{STAFF_PREFIX}*")])
        .arg("--tokens-file")
        .arg(tokens_file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // An interrupt at the keyboard is for the demo, which then ends the service in good order.
    #[cfg(unix)]
    command.process_group(0);
    Ok(command)
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

    /// How it ended, and what it said before.
    async fn after(self, how: &str) -> String {
        // Hearing ends with the pipe; one that does not end is not worth waiting for.
        drop(timeout(CAUSE_PATIENCE, self.listener).await);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let said: String = last.iter().map(|line| format!("\n  | {line}")).collect();
        format!("{how}{said}")
    }
}
