//! The server as a child process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use api::Bearer;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) tokens: PathBuf,
}

impl Server {
    pub(crate) fn start(name: &str, more: &[&str]) -> Server {
        Server::start_in(name, more, &[])
    }

    /// With variables of its own.
    pub(crate) fn start_in(name: &str, more: &[&str], variables: &[(&str, &OsStr)]) -> Server {
        let tokens = std::env::temp_dir().join(format!("hotline-{}-{name}.json", std::process::id()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_hotline"))
            .args(["serve", "--listen", "127.0.0.1:0", "--with-parent", "--tokens-file"])
            .arg(&tokens)
            .args(more)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Server { child, stdout, tokens }
    }

    pub(crate) fn ready(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("a ready line")
    }

    pub(crate) fn token(&self, role: &str) -> Bearer {
        Bearer::new(&self.secret(role)).expect("a token")
    }

    /// The token of a role, as text.
    pub(crate) fn secret(&self, role: &str) -> String {
        let text = std::fs::read_to_string(&self.tokens).expect("the token file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let entries = file["tokens"].as_array().expect("tokens");
        let entry = entries.iter().find(|entry| entry["role"] == role).expect("this role");
        entry["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn terminate(&self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill").success());
    }

    /// Ends it, and gives everything it said on standard error.
    pub(crate) fn log(&mut self) -> String {
        self.terminate();
        let mut said = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        assert!(self.ended().success(), "{said}");
        said
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < give_up_at, "it did not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; one that passed has none left to kill.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
        let _removed = std::fs::remove_file(&self.tokens);
    }
}
