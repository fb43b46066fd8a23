//! Postgres servers that one test has to itself: they go and come, follow one another and take over, and have as much room
//! as the test gives them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::trouble::{TinyDisk, signal};

/// Servers of tests that were killed are ended with what is there.
const PLACE: &str = "HOTLINE_TEST_POSTGRES_DIR";
const PATIENCE: Duration = Duration::from_secs(60);

/// How one goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Going {
    /// By signal 9 to the process that holds all others.
    Killed,
    /// At once, with nothing put in order.
    AtOnce,
    /// In good order.
    InGoodOrder,
}

/// It ends with the test.
pub(crate) struct Postgres {
    pub(crate) address: String,
    dir: PathBuf,
    _place: Option<TempDir>,
}

impl Postgres {
    /// One with nothing in it.
    pub(crate) fn start() -> Postgres {
        let place = place();
        let dir = place.path().join("server");
        Postgres { address: told("start", &[&dir]), dir, _place: Some(place) }
    }

    /// The same, with all its files on a disk of its own, which outlives it.
    pub(crate) fn on(disk: &TinyDisk) -> Postgres {
        let dir = disk.path().join("server");
        Postgres { address: told("start", &[&dir]), dir, _place: None }
    }

    /// A copy that follows this one, which acknowledges nothing from here on that the copy does not have.
    pub(crate) fn followed(&self) -> Postgres {
        let place = place();
        let dir = place.path().join("server");
        Postgres { address: told("follow", &[&dir, &self.dir]), dir, _place: Some(place) }
    }

    /// Follows nobody any more.
    pub(crate) fn takes_over(&self) {
        told("promote", &[&self.dir]);
    }

    /// The port it has, also after it came again.
    pub(crate) fn port(&self) -> u16 {
        let text = std::fs::read_to_string(self.dir.join("port")).expect("it was started");
        text.trim().parse().expect("a number")
    }

    pub(crate) fn goes(&self, how: Going) {
        match how {
            Going::Killed => signal(self.pid().expect("it is there"), "KILL"),
            Going::AtOnce => drop(told("kill", &[&self.dir])),
            Going::InGoodOrder => drop(told("stop", &[&self.dir])),
        }
    }

    /// Comes again where it was. What a killed one left behind needs a moment to notice that.
    pub(crate) fn comes(&self) {
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            match asked("start", &[&self.dir]) {
                Ok(_) => return,
                Err(said) => assert!(Instant::now() < give_up_at, "{said}"),
            }
        }
    }

    /// Whether the process that holds all others runs.
    pub(crate) fn is_there(&self) -> bool {
        self.pid().is_some_and(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // One that has ended stands there until somebody asks how.
            stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
        })
    }

    fn pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.dir.join("data/postmaster.pid")).ok()?;
        text.lines().next()?.parse().ok()
    }

    /// Begins one file of its log after the other, as many as it may have ready. It need not survive that.
    pub(crate) fn goes_through_its_log(&self) {
        for _ in 0..8 {
            let _said = psql(&self.address, "SELECT pg_switch_wal()");
        }
    }

    /// Its log of writes lies on this disk from here on.
    pub(crate) fn logs_on(&self, disk: &TinyDisk) {
        self.goes(Going::InGoodOrder);
        let (log, there) = (self.dir.join("data/pg_wal"), disk.path().join("pg_wal"));
        let copied = Command::new("cp").arg("-a").arg(&log).arg(&there).status();
        assert!(copied.expect("there is a cp").success(), "{} is copied", log.display());
        std::fs::remove_dir_all(&log).expect("it is elsewhere");
        std::os::unix::fs::symlink(&there, &log).expect("a link");
        self.comes();
    }

    /// Asked by somebody who has nothing to do with this project.
    pub(crate) fn answer(&self, text: &str) -> String {
        ask(&self.address, text)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It may have gone by itself. Whatever is left of it ends with the servers of the run.
        let _gone = asked("kill", &[&self.dir]);
    }
}

/// What a server answers to one statement, or to several in one transaction.
pub(crate) fn ask(address: &str, text: &str) -> String {
    let asked = psql(address, text);
    assert!(asked.status.success(), "{text}: {}", String::from_utf8_lossy(&asked.stderr));
    String::from_utf8_lossy(&asked.stdout).trim().to_owned()
}

fn psql(address: &str, text: &str) -> Output {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
    command.args(["--command", text, address]).output().expect("psql is there")
}

fn place() -> TempDir {
    let place = std::env::var_os(PLACE).expect("run: tests/tools/postgres.sh run cargo test …");
    tempfile::tempdir_in(place).expect("a temporary directory")
}

fn told(what: &str, about: &[&PathBuf]) -> String {
    asked(what, about).unwrap_or_else(|said| panic!("{what}: {said}"))
}

fn asked(what: &str, about: &[&PathBuf]) -> Result<String, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tools/postgres.sh");
    let said = Command::new("bash").arg(script).arg(what).args(about).output().expect("bash");
    let text = |said: &[u8]| String::from_utf8_lossy(said).trim().to_owned();
    if said.status.success() { Ok(text(&said.stdout)) } else { Err(text(&said.stderr)) }
}
