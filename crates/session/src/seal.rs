//! The key under which callers' numbers are sealed, and what is done with it.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use switchboard::id::{CallerRef, SiteId};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// Two keys made from one: numbers are sealed with the first, and found by a keyed hash with the second.
pub struct SealKey {
    seal: Aes256Gcm,
    find: Hmac<Sha256>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SealKeyFault {
    /// Not 64 hexadecimal digits.
    #[error("a sealing key is 64 hexadecimal digits; this one is not")]
    NotAKey,
    /// Whoever named the file wrote the key itself, which is not to be repeated.
    #[error(
        "a key stands where the name of its file is wanted; write it into a file, for its owner alone, and name that file"
    )]
    KeyItself,
    /// The file holds something else.
    #[error("the key file {} holds no key, which is 64 hexadecimal digits", path.display())]
    NotInFile {
        /// Which.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("{} may be read by others; run: chmod 600 {}", path.display(), path.display())]
    NotPrivate {
        /// Which.
        path: PathBuf,
    },
    /// The file cannot be read or made.
    #[error("the key file {} cannot be used: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// The machine gave no random bytes.
    #[error("the machine gave no random bytes: {0}")]
    NoChance(String),
}

impl SealKey {
    /// A key in a file, whoever may read that.
    ///
    /// # Errors
    /// [`SealKeyFault::File`], [`SealKeyFault::NotInFile`], [`SealKeyFault::KeyItself`].
    pub fn read(path: &Path) -> Result<SealKey, SealKeyFault> {
        SealKey::read_text(path).map(|(key, _)| key)
    }

    /// The same, and how it stands there: some files are read once only.
    ///
    /// # Errors
    /// As [`SealKey::read`].
    pub fn read_text(path: &Path) -> Result<(SealKey, String), SealKeyFault> {
        let fault = |source| {
            // Also in the directory of a configuration, and with a digit too few.
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            match name.len() >= KEY_BYTES && name.bytes().all(|b| b.is_ascii_hexdigit()) {
                true => SealKeyFault::KeyItself,
                false => SealKeyFault::File { path: path.to_owned(), source },
            }
        };
        let bytes = fs::read(path).map_err(fault)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let key = SealKey::parse(&text).map_err(|_| SealKeyFault::NotInFile { path: path.to_owned() })?;
        Ok((key, text))
    }

    /// A key as text: 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`SealKeyFault::NotAKey`]. The text is not repeated.
    pub fn parse(text: &str) -> Result<SealKey, SealKeyFault> {
        let bytes = unhex(text.trim()).filter(|bytes| bytes.len() == KEY_BYTES);
        bytes.map(|bytes| SealKey::of(&bytes)).ok_or(SealKeyFault::NotAKey)
    }

    /// The key of a file that its owner alone may read; makes a random one if there is no file.
    ///
    /// # Errors
    /// [`SealKeyFault`].
    pub fn kept_in(path: &Path) -> Result<SealKey, SealKeyFault> {
        let fault = |source| SealKeyFault::File { path: path.to_owned(), source };
        match fs::metadata(path) {
            Ok(file) if file.permissions().mode() & 0o077 != 0 => {
                Err(SealKeyFault::NotPrivate { path: path.to_owned() })
            }
            Ok(_) => SealKey::read(path),
            Err(missing) if missing.kind() == ErrorKind::NotFound => {
                let mut bytes = [0; KEY_BYTES];
                getrandom::fill(&mut bytes).map_err(|none| SealKeyFault::NoChance(none.to_string()))?;
                keep(path, &bytes).map_err(fault)?;
                Ok(SealKey::of(&bytes))
            }
            Err(source) => Err(fault(source)),
        }
    }

    fn of(bytes: &[u8]) -> SealKey {
        let derived = |what: &str| mac(bytes).chain_update(what).finalize().into_bytes();
        SealKey { seal: Aes256Gcm::new(&derived("seal")), find: mac(&derived("find")) }
    }

    /// By what the key itself is known, to whoever has it. No site has an empty name, so this is no number's.
    pub(crate) fn mark(&self) -> String {
        hex(&self.find.clone().chain_update([0]).chain_update("mark").finalize().into_bytes())
    }

    /// By what a number is found. Says nothing of it to whoever lacks the key.
    pub(crate) fn mac(&self, site: SiteId, number: &str) -> String {
        let mac = self.find.clone().chain_update(site.as_str()).chain_update([0]).chain_update(number);
        hex(&mac.finalize().into_bytes())
    }

    /// The number, to be opened only as this caller of this site. None when the machine gave no random bytes.
    pub(crate) fn seal(&self, site: SiteId, caller: CallerRef, number: &str) -> Option<String> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).ok()?;
        let whose = whose(site, caller);
        let payload = Payload { msg: number.as_bytes(), aad: whose.as_bytes() };
        let sealed = self.seal.encrypt(&Nonce::from(nonce), payload).ok()?;
        Some(hex(&[nonce.as_slice(), &sealed].concat()))
    }

    /// The number again; none when it was sealed under another key, or as another caller.
    pub(crate) fn open(&self, site: SiteId, caller: CallerRef, sealed: &str) -> Option<String> {
        let sealed = unhex(sealed)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let whose = whose(site, caller);
        let payload = Payload { msg: sealed, aad: whose.as_bytes() };
        String::from_utf8(self.seal.decrypt(&Nonce::from(*nonce), payload).ok()?).ok()
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length will do")
}

fn whose(site: SiteId, caller: CallerRef) -> String {
    format!("{site}/{caller}")
}

/// The file is there whole or not at all, and never in place of another.
fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(fault) if fault.kind() != ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(hex(bytes).as_bytes())?;
    file.sync_all()?;
    fs::hard_link(&unfinished, path)?;
    fs::remove_file(&unfinished)?;
    File::open(path.parent().unwrap_or(path))?.sync_all()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
        .collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let halves: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let halves = halves.filter(|halves| halves.len() % 2 == 0)?;
    Some(halves.chunks(2).map(|two| two[0] << 4 | two[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_opened_only_as_its_caller_under_its_key() {
        let (key, other) = (SealKey::of(&[7; 32]), SealKey::of(&[8; 32]));
        let (site, caller) = ("main".parse().expect("a name"), CallerRef(uuid::Uuid::from_u128(5)));
        let sealed = key.seal(site, caller, "13800138000").expect("sealed");
        assert!(!sealed.contains("138001"));
        assert_eq!(key.open(site, caller, &sealed).as_deref(), Some("13800138000"));
        assert_eq!(other.open(site, caller, &sealed), None);
        assert_eq!(key.open(site, CallerRef(uuid::Uuid::from_u128(6)), &sealed), None);
        assert_eq!(key.open(site, caller, &sealed[..20]), None);
        assert_ne!(sealed, key.seal(site, caller, "13800138000").expect("sealed"), "no two seals are alike");
        assert_ne!(key.mac(site, "13800138000"), other.mac(site, "13800138000"));
        assert_eq!(key.mark(), SealKey::of(&[7; 32]).mark());
        assert_ne!(key.mark(), other.mark());
    }

    #[test]
    fn a_key_is_64_digits_and_no_more_is_said() {
        assert!(SealKey::parse(&"0f".repeat(32)).is_ok());
        for bad in ["", "abc", &"0g".repeat(32), &"00".repeat(31)] {
            let fault = SealKey::parse(bad).expect_err("not a key").to_string();
            assert!(bad.is_empty() || !fault.contains(bad), "{fault}");
        }
    }

    #[test]
    fn a_key_file_is_private_and_kept() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("seal.key");
        let made = SealKey::kept_in(&path).expect("made");
        let site = "main".parse().expect("a name");
        assert_eq!(SealKey::kept_in(&path).expect("there").mac(site, "1"), made.mac(site, "1"));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
        assert!(SealKey::kept_in(&path).expect_err("others read it").to_string().contains("chmod 600"));
    }
}
