//! The token file: for whoever starts a server on this machine, readable by its owner alone.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use routing::{Principal, Principals};
use serde::{Deserialize, Serialize};

/// What the file holds, as JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenFile {
    /// Which site the tokens are of.
    pub(crate) site: String,
    /// One for each principal the server began with. Operators' tokens come from adding them.
    pub(crate) tokens: Vec<TokenEntry>,
}

/// One token.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenEntry {
    /// `gateway`, `supervisor` or `admin`.
    pub(crate) role: String,
    /// The principal's id.
    pub(crate) id: String,
    /// The token.
    pub(crate) token: String,
}

/// Mints a token for each principal and writes them down, in place of any earlier file.
///
/// # Errors
/// When there is no randomness, or the file cannot be written.
pub(crate) fn write(path: &Path, site: &str, principals: &Principals, who: &[Principal]) -> Result<()> {
    let mut tokens = Vec::new();
    for principal in who {
        let token = principals.mint(*principal)?.reveal().to_owned();
        let (role, id) = (principal.who.role().name().to_owned(), principal.who.id().to_owned());
        tokens.push(TokenEntry { role, id, token });
    }
    let text = serde_json::to_string_pretty(&TokenFile { site: site.to_owned(), tokens })?;
    replace(path, text.as_bytes()).with_context(|| format!("cannot write the token file {}", path.display()))
}

/// The file is never there with other permissions, and never half.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let written = file
        .set_permissions(Permissions::from_mode(0o600))
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // The first fault is the one to tell.
        let _removed = fs::remove_file(&unfinished);
    }
    written
}
