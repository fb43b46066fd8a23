//! A server that one test has to itself, to stop it and to start it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

/// Servers of tests that were killed are ended with what is there.
const PLACE: &str = "HOTLINE_TEST_POSTGRES_DIR";

/// It ends with the test.
pub(super) struct Private {
    pub(super) url: String,
    dir: TempDir,
}

impl Private {
    pub(super) async fn start() -> Private {
        let dir = match std::env::var_os(PLACE) {
            Some(place) => tempfile::tempdir_in(place),
            None => tempfile::tempdir(),
        };
        let dir = dir.expect("a temporary directory");
        let url = told("start", dir.path()).await;
        Private { url, dir }
    }

    /// `start`, `stop` or `kill`.
    pub(super) async fn does(&self, what: &str) {
        told(what, self.dir.path()).await;
    }

    /// Where its files are.
    pub(super) fn data(&self) -> PathBuf {
        self.dir.path().join("server/data")
    }
}

async fn told(what: &str, dir: &Path) -> String {
    let said = script().arg(what).arg(dir.join("server")).output().await.expect("bash");
    assert!(said.status.success(), "{what}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).expect("an address").trim().to_owned()
}

fn script() -> Command {
    let mut command = Command::new("bash");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tools/postgres.sh"));
    command
}

impl Drop for Private {
    fn drop(&mut self) {
        // Whatever is left of it ends with the servers of the run.
        let _stopped = script().into_std().arg("kill").arg(self.dir.path().join("server")).status();
    }
}
