//! What is kept of a fault of the program: enough to let it happen again elsewhere. Ids and codes only, as everywhere
//! in a switchboard.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use switchboard::canonical;
use switchboard::command::Input;
use switchboard::state::State;
use switchboard::time::SiteTime;

/// A program that goes wrong at every ask must not fill the disk.
const FILES_MAX: usize = 16;

/// One fault.
pub(crate) struct Evidence<'a> {
    /// What was found.
    pub(crate) what: &'a str,
    /// When.
    pub(crate) at: SiteTime,
    /// Deciding this …
    pub(crate) input: &'a Input,
    /// … on this state.
    pub(crate) before: &'a State,
}

/// Where evidence is kept, if anywhere.
#[derive(Debug, Default)]
pub(crate) struct EvidenceRoom {
    dir: Option<PathBuf>,
}

impl EvidenceRoom {
    pub(crate) fn new(dir: Option<PathBuf>) -> EvidenceRoom {
        EvidenceRoom { dir }
    }

    /// Keeps it, as one JSON object in a file of its own. The site does not depend on it.
    pub(crate) fn keep(&self, evidence: &Evidence<'_>) {
        let Some(dir) = &self.dir else { return };
        match write(dir, evidence) {
            Ok(Some(file)) => tracing::error!(file = %file.display(), "what led to it is kept"),
            Ok(None) => tracing::warn!(dir = %dir.display(), "enough is kept; this one is not"),
            Err(fault) => tracing::warn!(dir = %dir.display(), %fault, "what led to it could not be kept"),
        }
    }
}

fn write(dir: &Path, evidence: &Evidence<'_>) -> io::Result<Option<PathBuf>> {
    fs::create_dir_all(dir)?;
    let Some(number) = (fs::read_dir(dir)?.count() < FILES_MAX).then(|| evidence.before.seq.next().0) else {
        return Ok(None);
    };
    let mut paths = (1..).map(|nth| dir.join(format!("decision-{number}-{nth}.json")));
    let free = paths.find(|path| !path.exists());
    let Some(path) = free else { return Ok(None) };
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let Evidence { what, at, input, before } = evidence;
    writeln!(
        file,
        "{{\"what\":{},\"at\":{},\"input\":{},\"before\":{}}}",
        canonical::encode(what),
        canonical::encode(at),
        canonical::encode(input),
        canonical::encode(before),
    )?;
    file.sync_all()?;
    Ok(Some(path))
}
