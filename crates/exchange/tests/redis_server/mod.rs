//! A `redis-server` of a test's own, begun and ended with it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// For a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// On a free port of this machine; it keeps nothing.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) child: Child,
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::on(free_port())
    }

    /// On a port where one was before.
    pub(crate) fn on(port: u16) -> Server {
        let port_word = port.to_string();
        Server::run(port, &["--port", &port_word, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
    }

    /// With these words, which make it answer on that port.
    pub(crate) fn run(port: u16, words: &[&str]) -> Server {
        let mut command = Command::new("redis-server");
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|fault| {
            panic!("missing tool: redis-server ({fault})\nto mend it: sudo apt-get install redis-server")
        });
        let server = Server { port, child };
        let give_up_at = Instant::now() + PATIENCE;
        while server.answer("PING").as_deref() != Some("+PONG") {
            assert!(Instant::now() < give_up_at, "redis-server does not answer");
            thread::yield_now();
        }
        server
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The last line of its answer to one line; none while nobody answers.
    pub(crate) fn answer(&self, line: &str) -> Option<String> {
        let said = self.said(line)?;
        let lines: Vec<&str> = said.lines().collect();
        // The very last is its word to our leaving.
        lines.iter().rev().nth(1).map(|line| (*line).to_owned())
    }

    /// All it says to one line, as it says it; none while nobody answers.
    pub(crate) fn said(&self, line: &str) -> Option<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(stream, "{line}\r\nQUIT\r\n").ok()?;
        let (mut said, mut part) = (String::new(), [0; 4_096]);
        // A Sentinel knows no leaving, and says so.
        while !said.contains("unknown command 'QUIT'") {
            let read = stream.read(&mut part).ok()?;
            if read == 0 {
                break;
            }
            said.push_str(&String::from_utf8_lossy(&part[..read]));
        }
        Some(said)
    }

    /// Ends it, in the middle of whatever it does.
    pub(crate) fn kill(mut self) -> u16 {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("a child");
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
