//! The real `hotline serve` on a data directory, started, killed and started again on the same port.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use api::{Bearer, Client};
use serde_json::Value;
use session::FORMAT_OLDEST;
use session::crash::{CRASH_VARIABLE, CrashPoint, NEWEST_FORMAT_VARIABLE};

use crate::database::Database;

/// Where a journal is.
#[derive(Debug, Clone)]
pub(crate) enum Kept {
    Directory(PathBuf),
    Database(String),
}

const LOOPBACK: &str = "127.0.0.1";

/// The signal that a process sends itself at a crash point: that of `kill -9`.
const SIGKILL: i32 = 9;

/// Where a server runs, and the server.
pub(crate) struct Server {
    dir: PathBuf,
    data: PathBuf,
    /// The file with the address of the database that keeps the journal, and the address.
    database: Option<(PathBuf, String)>,
    /// Where it listens.
    host: String,
    port: Option<u16>,
    wrapper: Vec<String>,
    plan: Option<PathBuf>,
    is_older: bool,
    /// Where the Redis is that shows who is free.
    shown_in: Option<String>,
    child: Option<Child>,
}

impl Server {
    /// One that keeps everything in `dir` and is not started yet.
    pub(crate) fn new(dir: &Path) -> Server {
        let (dir, data) = (dir.to_owned(), dir.join("data"));
        Server {
            dir,
            data,
            database: None,
            host: LOOPBACK.to_owned(),
            port: None,
            wrapper: Vec::new(),
            plan: None,
            is_older: false,
            shown_in: None,
            child: None,
        }
    }

    /// Keeps its data elsewhere.
    pub(crate) fn with_data(mut self, data: &Path) -> Server {
        data.clone_into(&mut self.data);
        self
    }

    /// Keeps its journal in a database, whose tables are made.
    pub(crate) fn on(self, database: &Database) -> Server {
        let file = database.named_in(&self.dir);
        self.migrated(file, database.address())
    }

    /// The same with the database of this address.
    pub(crate) fn at(self, address: &str) -> Server {
        let file = self.dir.join("database");
        std::fs::write(&file, address).expect("written");
        self.migrated(file, address.to_owned())
    }

    fn migrated(mut self, file: PathBuf, address: String) -> Server {
        let made =
            Command::new(env!("CARGO_BIN_EXE_hotline")).args(["migrate", "--postgres"]).arg(&file).output();
        let made = made.expect("it ends");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.database = Some((file, address));
        self
    }

    /// Shows who is free in the Redis of this address.
    pub(crate) fn showing_in(mut self, address: &str) -> Server {
        self.shown_in = Some(address.to_owned());
        self
    }

    /// Serves the same database as one that is up, with the same key, and shows in the same Redis. Whoever has a token has it from that one.
    pub(crate) fn beside(mut self, other: &Server) -> Server {
        std::fs::create_dir_all(&self.data).expect("made");
        std::fs::copy(other.data.join("seal.key"), self.data.join("seal.key")).expect("the key of the other");
        self.database.clone_from(&other.database);
        self.shown_in.clone_from(&other.shown_in);
        self
    }

    /// Comes to its database at another address, over a wire: who reads the journal beside it does not.
    pub(crate) fn reaching(mut self, address: &str) -> Server {
        let (file, _) = self.database.as_mut().expect("it is on one");
        *file = self.dir.join("database-by-wire");
        std::fs::write(file, address).expect("written");
        self
    }

    /// Listens elsewhere than on loopback, in the clear.
    pub(crate) fn listening_at(mut self, host: &str) -> Server {
        host.clone_into(&mut self.host);
        self
    }

    /// Is started by another program, which is given its command line.
    pub(crate) fn through(mut self, wrapper: Vec<String>) -> Server {
        self.wrapper = wrapper;
        self
    }

    /// Is of the release before, or not any more from its next start on.
    pub(crate) fn older(mut self, is_older: bool) -> Server {
        self.is_older = is_older;
        self
    }

    /// Has another plan than the shipped one.
    pub(crate) fn with_plan(mut self, text: &str) -> Server {
        let path = self.dir.join("plan.toml");
        std::fs::write(&path, text).expect("written");
        self.plan = Some(path);
        self
    }

    /// Where its journal is read beside it.
    pub(crate) fn journal(&self) -> Kept {
        match &self.database {
            Some((_, address)) => Kept::Database(address.clone()),
            None => Kept::Directory(self.data.clone()),
        }
    }

    /// Starts it, armed if it is to die at a point. Says whether it came up.
    pub(crate) fn start(&mut self, crash: Option<(CrashPoint, u64)>) -> bool {
        assert!(self.child.is_none(), "one at a time");
        let mut command = self.command();
        command.env_remove(CRASH_VARIABLE);
        if let Some((point, nth)) = crash {
            command.env(CRASH_VARIABLE, format!("{point}:{nth}"));
        }
        let log = File::options().create(true).append(true).open(self.dir.join("server.log"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.expect("a log can be written"));
        let mut child = command.spawn().expect("the server is there");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line, or none");
        self.child = Some(child);
        let Ok(ready) = serde_json::from_str::<Value>(&line) else { return false };
        let address = ready["address"].as_str().expect("an address");
        self.port = address.rsplit(':').next().and_then(|port| port.parse().ok());
        true
    }

    fn command(&self) -> Command {
        let earlier = earlier_release();
        let program = match &earlier {
            Some(earlier) if self.is_older => earlier.as_str(),
            _ => env!("CARGO_BIN_EXE_hotline"),
        };
        let mut words = self.wrapper.iter().map(String::as_str).chain([program]);
        let mut command = Command::new(words.next().expect("the server at least"));
        if self.is_older {
            command.env(NEWEST_FORMAT_VARIABLE, FORMAT_OLDEST.to_string());
        }
        command.args(words).arg("serve").arg("--with-parent");
        command.args(["--listen", &format!("{}:{}", self.host, self.port.unwrap_or(0))]);
        command.arg("--tokens-file").arg(self.tokens_file()).arg("--data").arg(&self.data);
        if let Some((file, _)) = &self.database {
            command.arg("--postgres").arg(file);
        }
        if self.host != LOOPBACK {
            command.arg("--insecure-plaintext");
        }
        if let Some(address) = &self.shown_in {
            command.args(["--redis", address]);
        }
        if let Some(plan) = &self.plan {
            command.arg("--plan").arg(plan);
        }
        command
    }

    /// The port it has from its first start on.
    pub(crate) fn port(&self) -> u16 {
        self.port.expect("it was started once")
    }

    fn tokens_file(&self) -> PathBuf {
        self.dir.join("tokens.json")
    }

    /// What it wrote to its log so far, at every start.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("server.log")).unwrap_or_default()
    }

    /// Asks it, as its administrator at a command line.
    pub(crate) fn asked(&self, tokens_of: &Server, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.args(words).args(["--lang", "en", "--server", &self.place().address]);
        command.arg("--token-file").arg(tokens_of.tokens_file()).output().expect("it ends")
    }

    /// What `hotline doctor` finds beside it, by the clock that it is shown.
    pub(crate) fn looked_at(&self) -> Output {
        let program = env!("CARGO_BIN_EXE_hotline");
        let mut words = self.wrapper.iter().map(String::as_str).chain([program]);
        let mut command = Command::new(words.next().expect("the program at least"));
        command.args(words).args(["doctor", "--lang", "en", "--output", "json", "--data"]).arg(&self.data);
        command.arg("--tokens-file").arg(self.tokens_file());
        if let Some((file, _)) = &self.database {
            command.arg("--postgres").arg(file);
        }
        command.output().expect("it ends")
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("it is started").id()
    }

    /// Kills it with signal 9, at whatever it is doing.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it is started");
        child.kill().expect("it can be killed");
        child.wait().expect("it was a child");
    }

    /// Whether it died by itself, and how.
    pub(crate) fn died(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut().expect("it is started").try_wait().expect("it is a child")?;
        self.child = None;
        Some(status)
    }

    /// A client with the token of this role, as the file has it at present.
    pub(crate) fn client(&self, role: &str) -> Client {
        client(&self.place(), role).expect("the token file")
    }

    /// Where clients find it, and their tokens.
    pub(crate) fn place(&self) -> Place {
        Place { address: format!("http://{}:{}", self.host, self.port()), tokens_file: self.tokens_file() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // A test that failed leaves no server behind.
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

/// A program of an earlier release, to try an upgrade from that one; otherwise this build stands for it, and knows no newer
/// format than the oldest.
pub(crate) fn earlier_release() -> Option<String> {
    std::env::var("HOTLINE_UPGRADE_FROM").ok()
}

/// Where a server is found, or several, and the tokens it gave out.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) address: String,
    tokens_file: PathBuf,
}

impl Place {
    /// The next server after this one, for whom this one does not answer.
    pub(crate) fn or(&self, next: &Place) -> Place {
        Place { address: format!("{},{}", self.address, next.address), ..self.clone() }
    }

    /// The same server over a wire that begins at this port.
    pub(crate) fn over(&self, port: u16) -> Place {
        Place { address: format!("http://{LOOPBACK}:{port}"), ..self.clone() }
    }

    /// The same tokens at another server.
    pub(crate) fn tokens_of(&self, first: &Place) -> Place {
        Place { tokens_file: first.tokens_file.clone(), ..self.clone() }
    }
}

/// A client with the token of this role, as the file has it at present; none while there is no such file.
pub(crate) fn client(place: &Place, role: &str) -> Option<Client> {
    let text = std::fs::read_to_string(&place.tokens_file).ok()?;
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let entries = file["tokens"].as_array().expect("tokens");
    let entry = entries.iter().find(|entry| entry["role"] == role).expect("this role");
    let bearer = Bearer::new(entry["token"].as_str().expect("a token")).expect("a token");
    Some(Client::new(&place.address, bearer).expect("an address"))
}

/// A client with the token of this role, as soon as there is one.
pub(crate) async fn client_when_there(place: &Place, role: &str) -> Client {
    loop {
        if let Some(client) = client(place, role) {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process died at a crash point.
pub(crate) fn died_at_a_point(status: ExitStatus) -> bool {
    status.signal() == Some(SIGKILL)
}

/// The whole journal, read and decided again by `hotline journal verify`.
pub(crate) fn verify(server: &Server) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["journal", "verify", "--lang", "en"]);
    match &server.database {
        Some((file, _)) => command.arg("--postgres").arg(file),
        None => command.arg("--data").arg(&server.data),
    };
    let verified = command.output().expect("it ends");
    let said = [verified.stdout, verified.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(verified.status.success(), "{said:?}");
}
