//! Whether what is secret is there, and for its owner alone.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use session::SealKey;

use super::{Finding, tokens_file};
use crate::chinese::chinese;
use crate::journal::{JOURNAL_FILE, SEAL_KEY_FILE, SEAL_KEY_VARIABLE};
use crate::office::said::{said, same};
use crate::serve::ServerFile;
use crate::tokens::{self, TokenFile};

/// Some of these are in every directory in which a server has begun.
pub(super) const BEGUN: [&str; 3] = [JOURNAL_FILE, SEAL_KEY_FILE, tokens::FILE];
/// Most files that are named.
const NAMED_MAX: usize = 5;

/// Modes, tokens, and the sealing key.
pub(super) fn look(data: &Path, file: &ServerFile, key: Option<&Path>) -> Vec<Finding> {
    let key = seal_key(data, key, file.seal_key.as_deref());
    vec![modes(data), tokens(&tokens_file(data, file)), key]
}

fn modes(data: &Path) -> Finding {
    const CHECK: &str = "modes";
    let mut open = Vec::new();
    if let Err(fault) = open_to_others(data, &mut open) {
        let words =
            said(format!("无法查看文件：{}", chinese(&fault)), format!("files cannot be looked at: {fault}"));
        let mend = said("以服务器的用户身份运行", "run this as the user that the server runs as");
        return Finding::bad(CHECK, words, mend);
    }
    if open.is_empty() {
        return Finding::good(CHECK, said("只有所有者可以读取", "only their owner reads them"));
    }
    let names: Vec<String> =
        open.iter().take(NAMED_MAX).map(|(path, mode)| format!("{} ({mode:04o})", path.display())).collect();
    let (names, all) = (names.join(", "), open.len());
    let words = said(
        format!("其他用户可以访问 {all} 个文件：{names}"),
        format!("others may use {all} of the files: {names}"),
    );
    Finding::bad(CHECK, words, same(format!("chmod -R u=rwX,go= {}", data.display())))
}

/// The directory and everything in it, as far as others may do something with it.
fn open_to_others(path: &Path, open: &mut Vec<(PathBuf, u32)>) -> io::Result<()> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        // A running server lets files go.
        Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(fault) => return Err(fault),
    };
    let mode = about.permissions().mode() & 0o777;
    if !about.is_symlink() && mode & 0o077 != 0 {
        open.push((path.to_owned(), mode));
    }
    if about.is_dir() {
        let mut inside: Vec<PathBuf> =
            fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        inside.sort();
        inside.iter().try_for_each(|path| open_to_others(path, open))?;
    }
    Ok(())
}

fn tokens(path: &Path) -> Finding {
    const CHECK: &str = "tokens";
    let shown = path.display();
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(fault) => {
            let words = said(
                format!("无法读取 {shown}：{}", chinese(&fault)),
                format!("{shown} cannot be read: {fault}"),
            );
            let mend = match fault.kind() {
                io::ErrorKind::NotFound => said(
                    "若服务器的令牌在别处，用 --tokens-file 指明；否则放回它的副本。没有它就启动服务器，所有人都会得到新令牌：\
                     旧令牌作废，每个网关都要换上新的",
                    "name it with --tokens-file if the server keeps its tokens elsewhere; otherwise put a copy of it back. A \
                     server that starts without it makes new tokens for all: the old ones are worth nothing then, and each \
                     gateway has to be given its new one",
                ),
                _ => said("以服务器的用户身份运行", "run this as the user that the server runs as"),
            };
            return Finding::bad(CHECK, words, mend);
        }
    };
    if serde_json::from_slice::<TokenFile>(&text).is_err() {
        let words = said(
            format!("{shown} 已损坏：服务器不会启动"),
            format!("{shown} is damaged: the server will not start"),
        );
        let mend = said(
            "放回它的副本；没有副本时，按 `hotline serve` 所说的写入：网关保留原有令牌。把它移走则所有人都会得到新令牌",
            "put a copy of it back; without one, write into it what `hotline serve` says: gateways keep their tokens then. If it \
             is moved away, everybody gets a new one, and each gateway has to be given its own",
        );
        return Finding::bad(CHECK, words, mend);
    }
    private(CHECK, path)
}

fn seal_key(data: &Path, flag: Option<&Path>, configured: Option<&Path>) -> Finding {
    const CHECK: &str = "seal-key";
    let wrong = || said("密钥应为 64 位十六进制数字", "the key is not 64 hexadecimal digits");
    let mend = || {
        said(
            format!("放回 {SEAL_KEY_FILE} 的副本，或设置 {SEAL_KEY_VARIABLE}：没有它号码无法打开"),
            format!(
                "put a copy of {SEAL_KEY_FILE} back, or set {SEAL_KEY_VARIABLE}: nothing else opens callers' numbers"
            ),
        )
    };
    if flag.is_none()
        && let Ok(text) = std::env::var(SEAL_KEY_VARIABLE)
    {
        let held = said(format!("由 {SEAL_KEY_VARIABLE} 提供"), format!("{SEAL_KEY_VARIABLE} holds it"));
        return SealKey::parse(&text)
            .map_or_else(|_| Finding::bad(CHECK, wrong(), mend()), |_| Finding::good(CHECK, held));
    }
    let named = flag.or(configured);
    let path = named.map_or_else(|| data.join(SEAL_KEY_FILE), Path::to_owned);
    let shown = path.display();
    match fs::read_to_string(&path) {
        Err(fault) => {
            let words = said(
                format!("无法读取 {shown}：{}", chinese(&fault)),
                format!("{shown} cannot be read: {fault}"),
            );
            Finding::bad(CHECK, words, mend())
        }
        Ok(text) if SealKey::parse(&text).is_err() => Finding::bad(CHECK, wrong(), mend()),
        // Who may read it is the affair of whoever hands it in.
        Ok(_) if named.is_some() => Finding::good(CHECK, same(shown.to_string())),
        Ok(_) => private(CHECK, &path),
    }
}

fn private(check: &'static str, path: &Path) -> Finding {
    let shown = path.display();
    let mode = fs::metadata(path).map(|about| about.permissions().mode() & 0o777);
    match mode {
        Ok(mode) if mode & 0o077 == 0 => Finding::good(check, same(shown.to_string())),
        Ok(mode) => {
            let words = said(
                format!("其他用户可以访问 {shown}（{mode:04o}）"),
                format!("others may use {shown} ({mode:04o})"),
            );
            Finding::bad(check, words, same(format!("chmod 600 {shown}")))
        }
        Err(fault) => {
            let words = said(
                format!("无法查看 {shown}：{}", chinese(&fault)),
                format!("{shown} cannot be looked at: {fault}"),
            );
            Finding::bad(check, words, said("再检查一次", "look again"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn what_a_new_token_file_would_cost_is_said() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("tokens.json");
        let mend = || {
            let mend = tokens(&path).mend.expect("it is not good");
            (mend.of(Lang::Zh).to_owned(), mend.of(Lang::En).to_owned())
        };
        let costs =
            |(zh, en): (String, String)| zh.contains("新令牌") && en.contains("each gateway has to be given");
        assert!(costs(mend()), "missing");
        fs::write(&path, "{\"site\":").expect("written");
        assert!(costs(mend()), "damaged");
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        assert!(!costs(mend()), "what cannot be read would not be made anew");
    }
}
