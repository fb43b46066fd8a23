//! The files of certificate and key: read at the start, followed while serving.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use routing::{Tls, TlsKeys};

use super::file::TlsFiles;

/// Between two looks at the files.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// So many days before a certificate's end somebody is told.
pub(crate) const WARN_DAYS: [u32; 3] = [3, 14, 30];

/// What the two files hold.
#[derive(PartialEq, Eq)]
struct Pems {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Keys in use, and the files they came from.
pub(super) struct Keys {
    files: TlsFiles,
    tls: Tls,
    seen: Pems,
    /// Files that do not go together: perhaps only one of them is written yet.
    doubtful: Option<Pems>,
    warned: Option<u32>,
}

impl Keys {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be read, or they do not go together.
    pub(super) fn read(files: TlsFiles) -> Result<Keys> {
        let seen = pems(&files)?;
        let keys = keys(&files, &seen)?;
        Ok(Keys { files, tls: Tls::new(keys), seen, doubtful: None, warned: None })
    }

    /// The keys as the router takes them.
    pub(super) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Looks at the files for ever, and takes up what changed. What cannot be served is left, with a word about it.
    pub(super) async fn follow(mut self) {
        loop {
            self.warn_of_the_end(SystemTime::now());
            tokio::time::sleep(LOOK_AGAIN).await;
            let Ok(found) = pems(&self.files) else { continue };
            if found == self.seen {
                continue;
            }
            match keys(&self.files, &found) {
                Ok(keys) => {
                    self.tls.replace(keys);
                    (self.seen, self.warned) = (found, None);
                    tracing::info!("a changed certificate is in use for new connections");
                }
                Err(fault) if self.doubtful.as_ref() == Some(&found) => {
                    self.seen = found;
                    tracing::warn!(fault = %format!("{fault:#}"), "a changed certificate is not used");
                }
                Err(_) => self.doubtful = Some(found),
            }
        }
    }

    fn warn_of_the_end(&mut self, now: SystemTime) {
        let left = self.tls.ends().duration_since(now).unwrap_or_default();
        let Some(within) = due(left, self.warned) else { return };
        self.warned = Some(within);
        let days = left.as_secs() / DAY.as_secs();
        tracing::warn!(
            days,
            "the certificate ends soon; renew it: hotline certs renew, or your authority's way"
        );
    }
}

/// Which warning is due with so much time left, after the one there was.
fn due(left: Duration, warned: Option<u32>) -> Option<u32> {
    let within = WARN_DAYS.into_iter().find(|days| left <= DAY * *days)?;
    warned.is_none_or(|warned| warned > within).then_some(within)
}

fn pems(files: &TlsFiles) -> Result<Pems> {
    Ok(Pems { certificate: bytes(&files.certificate)?, key: bytes(&files.key)? })
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    let unread = || {
        let path = path.display();
        format!(
            "cannot read {path}; a certificate and its key come from hotline certs init, or from your own authority"
        )
    };
    std::fs::read(path).with_context(unread)
}

fn keys(files: &TlsFiles, pems: &Pems) -> Result<TlsKeys> {
    TlsKeys::from_pem(&pems.certificate, &pems.key)
        .with_context(|| format!("cannot use {} with {}", files.certificate.display(), files.key.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_told_in_time() {
        let mut warned = None;
        let mut told = Vec::new();
        for days_left in (0..=40).rev() {
            if let Some(within) = due(DAY * days_left, warned) {
                warned = Some(within);
                told.push(days_left);
            }
        }
        assert_eq!(told, [30, 14, 3], "once each, however often it is looked at");
    }
}
