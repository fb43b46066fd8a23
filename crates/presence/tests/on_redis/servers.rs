//! Real servers, begun by the tests and ended with them.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use presence::{Redis, RedisAddress, RedisHealth};
use redis::{Client, FromRedisValue, RedisResult, Value};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

/// For a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A `redis-server` on a free port of this machine that keeps nothing.
pub(crate) struct Server {
    pub(crate) port: u16,
    user_info: String,
    child: Child,
    _dir: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Server {
        Server::with(&[]).await
    }

    pub(crate) async fn with(words: &[&str]) -> Server {
        Server::on(free_port(), words).await
    }

    pub(crate) async fn on(port: u16, words: &[&str]) -> Server {
        let port_word = port.to_string();
        let mut all = vec!["--port", &port_word];
        all.extend(words);
        let server = Server::unready(port, &all);
        server.until_it_answers().await;
        server
    }

    /// One that need not answer in plain words.
    pub(crate) fn unready(port: u16, words: &[&str]) -> Server {
        let dir = tempfile::tempdir().expect("a directory for the server");
        let kept = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--daemonize", "no", "--dir"];
        let mut command = Command::new("redis-server");
        command.args(words).args(kept).arg(dir.path());
        Server { port, user_info: String::new(), child: run(command), _dir: dir }
    }

    /// A Sentinel with this configuration.
    pub(crate) async fn sentinel(port: u16, configuration: &str) -> Server {
        let dir = tempfile::tempdir().expect("a directory for the Sentinel");
        let file = dir.path().join("sentinel.conf");
        let text = format!("port {port}\nbind 127.0.0.1\ndir {}\n{configuration}", dir.path().display());
        fs::write(&file, text).expect("its configuration is written");
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel");
        let server = Server { port, user_info: String::new(), child: run(command), _dir: dir };
        server.until_it_answers().await;
        server
    }

    /// Asks it as this user from here on.
    pub(crate) fn for_user(mut self, user_info: &str) -> Server {
        self.user_info = format!("{user_info}@");
        self
    }

    pub(crate) fn address(&self) -> RedisAddress {
        format!("redis://127.0.0.1:{}", self.port).parse().expect("an address")
    }

    /// Asks as somebody who has nothing to do with this project.
    pub(crate) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let client = Client::open(format!("redis://{}127.0.0.1:{}", self.user_info, self.port))?;
        let mut line = client.get_connection_with_timeout(Duration::from_secs(2))?;
        line.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut question = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            question.arg(*word);
        });
        question.query(&mut line)
    }

    pub(crate) fn tell(&self, words: &[&str]) {
        self.ask::<Value>(words).unwrap_or_else(|fault| panic!("{words:?}: {fault}"));
    }

    pub(crate) fn field(&self, key: &str, field: &str) -> Option<String> {
        self.answer(&["HGET", key, field])
    }

    pub(crate) fn exists(&self, key: &str) -> bool {
        self.answer(&["EXISTS", key])
    }

    /// A server that becomes a primary cuts whoever is connected: then it is asked again.
    fn answer<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let asked =
            (0..50).map(|_| self.ask(words)).find(|answer| !matches!(answer, Err(cut) if cut.is_io_error()));
        asked.expect("it takes connections").expect("it answers")
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    async fn until_it_answers(&self) {
        until("the server answers", async || match self.ask::<Value>(&["PING"]) {
            Ok(_) => true,
            Err(fault) => fault.code() == Some("NOAUTH"),
        })
        .await;
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the server is ours");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both also of a stopped one; it may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn run(mut command: Command) -> Child {
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    started.unwrap_or_else(|fault| {
        panic!("missing tool: redis-server ({fault})\nto mend it: sudo apt-get install redis-server")
    })
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary directory's name is text")
}

/// Waits until it stands so with Redis.
pub(crate) async fn stands(redis: &Redis, is_so: impl FnMut(&RedisHealth) -> bool) {
    let mut health = redis.health();
    let is_late = timeout(PATIENCE, health.wait_for(is_so)).await.is_err();
    assert!(!is_late, "not within {} s, but {:?}", PATIENCE.as_secs(), *redis.health().borrow());
}

/// Waits for a condition, as long as a busy machine may need.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let give_up_at = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < give_up_at, "not within {} s: {what}", PATIENCE.as_secs());
        sleep(Duration::from_millis(20)).await;
    }
}
