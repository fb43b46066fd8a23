//! A new file for a secret: made before the secret is, so that no secret is without a place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// An empty file that its owner alone reads. Gone again when nothing was kept in it.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl NewFile {
    /// Makes it.
    ///
    /// # Errors
    /// When something of this name is there, or nothing can be made there.
    pub(super) fn make(path: &Path) -> io::Result<NewFile> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(NewFile { path: path.to_owned(), file, is_kept: false })
    }

    /// Writes a secret into it, on a line of its own.
    ///
    /// # Errors
    /// When it cannot be written; the file is gone then.
    pub(super) fn keep(mut self, secret: &str) -> io::Result<()> {
        writeln!(self.file, "{secret}")?;
        self.file.sync_all()?;
        self.is_kept = true;
        Ok(())
    }

    /// What people call it.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            // Somebody else may have taken it away already.
            let _removed = fs::remove_file(&self.path);
        }
    }
}
