//! A database of its own for each test, on the server that is there for tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The address of a server on which tests may make databases.
const SERVER: &str = "HOTLINE_TEST_POSTGRES";

/// An empty database, until it is dropped.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    pub(crate) fn new() -> Database {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("hotline_serve_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let server = std::env::var(SERVER).unwrap_or_else(|_| {
            panic!(
                "{SERVER} names no Postgres server for tests; run: \
                 tests/tools/postgres.sh run cargo nextest run --workspace"
            )
        });
        ask(&server, &format!("CREATE DATABASE {name}"));
        Database { server, name }
    }

    /// With the password.
    pub(crate) fn address(&self) -> String {
        let address = self.server.split('?').next().unwrap_or_default();
        let (host, _) = address.rsplit_once('/').expect("the server's address names a database");
        format!("{host}/{}", self.name)
    }

    /// A file with the address.
    pub(crate) fn named_in(&self, dir: &Path) -> PathBuf {
        let file = dir.join("database");
        std::fs::write(&file, self.address() + "\n").expect("written");
        file
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        ask(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// Asks a server something that is no statement of ours.
pub(crate) fn ask(server: &str, text: &str) {
    let asked = Command::new("psql").args(["--no-psqlrc", "--quiet", "--command", text, server]).output();
    let asked = asked.expect("psql is there: sudo apt-get install postgresql-client");
    assert!(asked.status.success(), "{text}: {}", String::from_utf8_lossy(&asked.stderr));
}
