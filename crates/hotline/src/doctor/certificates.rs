//! Whether the certificate can be served, and how long still.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use routing::TlsKeys;

use super::Finding;
use super::ports::noted;
use crate::certs::{SERVER, SERVER_KEY};
use crate::chinese::chinese;
use crate::office::said::{said, same};
use crate::serve::{ServerFile, TlsFiles, WARN_DAYS};

const CHECK: &str = "certificates";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The certificate of the configuration, or the one beside the authority that the server wrote down.
pub(super) fn look(data: &Path, file: &ServerFile, now: SystemTime) -> Finding {
    let beside = || {
        let dir = noted(data)?.authority?.parent()?.to_owned();
        Some(TlsFiles { certificate: dir.join(SERVER), key: dir.join(SERVER_KEY) })
    };
    match file.tls.clone().or_else(beside) {
        Some(files) => judged(&files, now),
        None => Finding::good(CHECK, said("未配置 TLS", "TLS is not configured")),
    }
}

fn judged(files: &TlsFiles, now: SystemTime) -> Finding {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let renew = || {
        said(
            "更换证书：`hotline certs renew DIR`，或按您的证书机构的办法",
            "renew it: `hotline certs renew DIR`, or your authority's way",
        )
    };
    let read = |path: &Path| fs::read(path).map_err(|fault| format!("{}: {fault}", path.display()));
    let pems = read(&files.certificate).and_then(|certificate| Ok((certificate, read(&files.key)?)));
    let keys = pems.and_then(|(certificate, key)| {
        TlsKeys::from_pem(&certificate, &key)
            .map_err(|fault| format!("{}: {fault}", files.certificate.display()))
    });
    let ends = match keys {
        Ok(keys) => keys.ends(),
        Err(fault) => {
            return Finding::bad(
                CHECK,
                said(format!("不能使用：{}", chinese(&fault)), format!("not usable: {fault}")),
                renew(),
            );
        }
    };
    let mode = fs::metadata(&files.key).map_or(0, |about| about.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let words = said(
            format!("其他用户可以访问 {key}（{mode:04o}）"),
            format!("others may use {key} ({mode:04o})"),
        );
        return Finding::bad(CHECK, words, same(format!("chmod 600 {key}")));
    }
    let Ok(left) = ends.duration_since(now) else {
        let words = said(format!("{certificate} 已过期"), format!("{certificate} has ended"));
        return Finding::bad(CHECK, words, renew());
    };
    let days = left.as_secs() / DAY.as_secs();
    let words =
        said(format!("{certificate} 还有 {days} 天"), format!("{certificate} lasts {days} more days"));
    match WARN_DAYS.into_iter().find(|days| left <= DAY * *days) {
        Some(within) if within == WARN_DAYS[0] => Finding::bad(CHECK, words, renew()),
        Some(_) => Finding::doubtful(CHECK, words, renew()),
        None => Finding::good(CHECK, words),
    }
}
