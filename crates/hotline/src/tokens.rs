//! What a server leaves for whoever is on this machine: the token file, readable by its owner alone, and its address.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use routing::{Principal, Principals, Role};
use serde::{Deserialize, Serialize};
use switchboard::id::SiteId;

/// The token file's name in a data directory.
pub(crate) const FILE: &str = "tokens.json";
/// The name of the file with the address, beside it.
pub(crate) const ADDRESS_FILE: &str = "server.json";

/// What the file with the address holds, as JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct Address {
    /// Where somebody on this machine reaches the server: `http://HOST:PORT`, with TLS `https://`.
    pub(crate) address: String,
    /// The authority of its certificate, if that lies beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<PathBuf>,
}

/// Writes down where the server of this data directory is reached.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn note_address(data: &Path, address: &Address) -> Result<()> {
    let (path, text) = (data.join(ADDRESS_FILE), serde_json::to_string_pretty(address)?);
    replace(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

/// What the file holds, as JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct TokenFile {
    /// Which site the tokens are of.
    pub(crate) site: String,
    /// One for each principal the server began with. Operators' tokens come from adding them.
    pub(crate) tokens: Vec<TokenEntry>,
}

/// A file without a token, of a site whose gateways have theirs already.
pub(crate) fn nobodys(site: SiteId) -> String {
    let file = TokenFile { site: site.to_string(), tokens: Vec::new() };
    serde_json::to_string(&file).expect("names and texts")
}

/// A file that holds tokens of another site.
#[derive(Debug, thiserror::Error)]
#[error(
    "the token file {file} is of site {of}, not of {site}, and is not replaced; correct site in the configuration, or name \
     another token file"
)]
pub(crate) struct OthersTokens {
    file: String,
    of: String,
    site: SiteId,
}

/// One token.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenEntry {
    /// `gateway`, `supervisor` or `admin`.
    pub(crate) role: String,
    /// The principal's id.
    pub(crate) id: String,
    /// The token.
    pub(crate) token: String,
}

/// Sees to it that the file has a good token for each principal: one that is there already stays, a missing or spent
/// one is replaced. A gateway that has a good token elsewhere keeps that one: it stands in a machine that nobody
/// watches, and calls come through it. Without a file there are new tokens for all; a file that is there and cannot be
/// read is not taken for none, and one with another site's tokens stays as it is. Where other servers share the site,
/// whoever has a good token has it from one of them, and keeps it.
///
/// # Errors
/// When no token can be made or kept, or the file cannot be read or written; [`OthersTokens`].
pub(crate) async fn hand_out(
    path: &Path,
    site: SiteId,
    principals: &Principals,
    who: &[Principal],
    is_shared: bool,
) -> Result<()> {
    let file = read(path, site)?;
    let all_anew = file.is_none();
    let keeps = |principal: &Principal| {
        let may = is_shared || (!all_anew && principal.who.role() == Role::Gateway);
        may && principals.has_token(principal, SystemTime::now())
    };
    let earlier = file.map(|file| file.tokens).unwrap_or_default();
    let mut tokens = Vec::new();
    for principal in who {
        let (role, id) = (principal.who.role().name().to_owned(), principal.who.id().to_owned());
        let good = |entry: &&TokenEntry| {
            let admitted = principals.authenticate(&entry.token, SystemTime::now());
            admitted.is_ok_and(|admitted| admitted.principal == *principal)
        };
        let token = match earlier.iter().find(good) {
            Some(entry) => Some(entry.token.clone()),
            None if keeps(principal) => None,
            // Servers that begin at once all find that nobody has any.
            None if is_shared => {
                let first = principals.mint_first(*principal).await?;
                let is_anothers = first.is_none() && principals.has_token(principal, SystemTime::now());
                match first {
                    None if is_anothers => None,
                    Some(token) => Some(token.reveal().to_owned()),
                    None => Some(principals.mint(*principal).await?.reveal().to_owned()),
                }
            }
            None => Some(principals.mint(*principal).await?.reveal().to_owned()),
        };
        let Some(token) = token else {
            tracing::warn!(
                role,
                id,
                file = %path.display(),
                "there is a token that is not in the file; issue another if nobody knows it"
            );
            continue;
        };
        tokens.push(TokenEntry { role, id, token });
    }
    if !all_anew && tokens == earlier {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&TokenFile { site: site.to_string(), tokens })?;
    replace(path, text.as_bytes()).with_context(|| format!("cannot write the token file {}", path.display()))
}

/// What an earlier start left.
fn read(path: &Path, site: SiteId) -> Result<Option<TokenFile>> {
    let shown = path.display();
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(None),
        Err(fault) => {
            let unread =
                format!("cannot read the token file {shown}; its owner is to be the user that runs this");
            return Err(fault).context(unread);
        }
    };
    let damaged = || {
        format!(
            "the token file {shown} is damaged. Put a copy of it back. Without one, write {} into it: gateways keep \
             their tokens, the office gets new ones. If it is moved away instead, everybody gets a new one, and each \
             gateway has to be given its own",
            nobodys(site)
        )
    };
    let file: TokenFile = serde_json::from_slice(&bytes).with_context(damaged)?;
    // One without a token only says that gateways have theirs, as a restored copy's does, of whichever site.
    if !file.tokens.is_empty() && file.site != site.as_str() {
        return Err(OthersTokens { file: shown.to_string(), of: file.site, site }.into());
    }
    Ok(Some(file))
}

/// The file is never there with other permissions, and never half.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension(format!("unfinished-{}", std::process::id()));
    match fs::remove_file(&unfinished) {
        // One that ended in the middle left it.
        Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_never_taken_for_none() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tokens.json");
        let site: SiteId = "west".parse().expect("a name");
        assert!(read(&path, site).expect("none").is_none());
        fs::write(&path, nobodys(site)).expect("written");
        assert!(read(&path, site).expect("one").expect("there").tokens.is_empty());
        for text in ["", "{\"site\":\"main\",\"tok"] {
            fs::write(&path, text).expect("written");
            let fault = format!("{:#}", read(&path, site).err().expect("damaged"));
            assert!(fault.contains("is damaged") && fault.contains(&nobodys(site)), "{fault}");
        }
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        let fault = format!("{:#}", read(&path, site).err().expect("no file"));
        assert!(fault.contains("cannot read the token file"), "{fault}");
    }

    #[test]
    fn tokens_of_another_site_are_not_replaced() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tokens.json");
        let site = |name: &str| -> SiteId { name.parse().expect("a name") };
        let (role, id, token) = ("admin".to_owned(), "admin".to_owned(), "hl_a_b".to_owned());
        let file = TokenFile { site: "west".to_owned(), tokens: vec![TokenEntry { role, id, token }] };
        fs::write(&path, serde_json::to_string(&file).expect("names and texts")).expect("written");
        assert!(read(&path, site("west")).expect("its own").is_some());
        let fault = read(&path, site("east")).err().expect("another's");
        assert!(fault.is::<OthersTokens>(), "{fault}");
        let (english, chinese) = (fault.to_string(), crate::chinese::chinese(&fault));
        assert!(english.contains("is of site west, not of east"), "{english}");
        assert!(chinese.contains("属于站点 west，不是 east"), "{chinese}");
        fs::write(&path, nobodys(site("west"))).expect("written");
        assert!(read(&path, site("east")).expect("nobody's").is_some(), "nothing would be lost");
    }

    #[tokio::test]
    async fn a_server_among_others_takes_nobodys_token() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let site: SiteId = "west".parse().expect("a name");
        let admin = Principal { site, who: routing::Who::Admin("admin".parse().expect("a name")) };
        let registry = std::sync::Arc::new(session::MemoryRegistry::new());
        let (first, second) = (Principals::new(registry.clone(), None), Principals::new(registry, None));
        let of = |name: &str| dir.path().join(name);
        hand_out(&of("first.json"), site, &first, &[admin], true).await.expect("written");
        let file = read(&of("first.json"), site).expect("readable").expect("there");
        second.load(site).await.expect("readable");
        hand_out(&of("second.json"), site, &second, &[admin], true).await.expect("written");
        assert!(read(&of("second.json"), site).expect("readable").is_none_or(|file| file.tokens.is_empty()));
        let kept = second.authenticate(&file.tokens[0].token, SystemTime::now());
        assert_eq!(kept.expect("it is still good").principal, admin);
        hand_out(&of("second.json"), site, &second, &[admin], false).await.expect("written");
        let kept = second.authenticate(&file.tokens[0].token, SystemTime::now());
        assert!(kept.is_err(), "who is alone and has no file makes all anew");
    }

    #[test]
    fn what_a_killed_start_left_is_in_nobodys_way() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tokens.json");
        let left = path.with_extension(format!("unfinished-{}", std::process::id()));
        fs::write(&left, "half").expect("written");
        replace(&path, b"whole").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"whole");
        assert!(!left.exists());
    }
}
