//! `hotline backup` and `hotline restore`: a copy of a journal, of a data directory or a database, and beginning either
//! with one.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rustix::fs::Mode;
use rustix::process::umask;
use session::{
    Copied, CopyFault, OpenFault, SealKey, back_up, back_up_postgres, restore_from, restore_to_postgres,
};
use tokio::runtime::Builder;

use crate::chinese::{self, chinese};
use crate::journal::{SEAL_KEY_FILE, SEAL_KEY_VARIABLE, unnamed, unopened};
use crate::lang::Lang;
use crate::postgres::{self, Address, At};
use crate::tokens;

const EXIT_CODES: &str = "Exit codes: 0 done, 1 not done and nothing changed, 2 wrong flags";
const RESTORE_EXIT_CODES: &str = "Exit codes: 0 done, 1 not done: the directory has no journal, 2 wrong flags, 3 the journal is \
                                  there and the key or the token file could not be written";

/// The journal is there, and something beside it is not.
const HALF_DONE: u8 = 3;

/// Copies the journal of a data directory or a database into one file, while a server may be running: every decision, the
/// sealed callers, tokens' hashes, plans and rosters as they were written, the audit. The key that opens callers' numbers
/// is not in it: keep a copy of `seal.key` in another place.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct BackUp {
    /// The data directory of `hotline serve`; without it, the database of --postgres, --config or HOTLINE_POSTGRES.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["postgres", "config"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    at: At,
    /// The file to make. One that is there already is never replaced.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// The language of what is said; the locale's if not said.
    #[arg(long)]
    lang: Option<Lang>,
}

/// Begins a data directory or a database with a copy of a journal, whichever it was made of. The record goes on under a new life, so that every client forgets
/// what it knew and begins again with what the copy says. Numbers that were erased after the copy was made are in it
/// again: erase them again.
#[derive(Debug, Args)]
#[command(after_help = RESTORE_EXIT_CODES)]
pub(crate) struct Restore {
    /// A file that `hotline backup` made.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The data directory to begin, which must hold no journal; without it, the database of --postgres, --config or
    /// HOTLINE_POSTGRES, brought up by `hotline migrate` and otherwise empty.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["postgres", "config"])]
    data: Option<PathBuf>,
    #[command(flatten)]
    at: At,
    /// The key that callers' numbers were sealed with, if the directory does not hold it already.
    #[arg(long, value_name = "FILE", requires = "data")]
    seal_key: Option<PathBuf>,
    /// Where the server that is begun with it will keep its tokens, if not in the data directory: written there that
    /// gateways have theirs.
    #[arg(long, value_name = "FILE", requires = "data")]
    tokens_file: Option<PathBuf>,
    /// The language of what is said; the locale's if not said.
    #[arg(long)]
    lang: Option<Lang>,
}

impl BackUp {
    /// Does it and says so, in the exit code, too.
    pub(crate) fn run(self) -> ExitCode {
        let lang = self.lang.unwrap_or_else(Lang::of_environment);
        umask(Mode::RWXG | Mode::RWXO);
        told(async {
            let copied = match &self.data {
                Some(data) => back_up(data, &self.to).await.map_err(|fault| unopened(lang, &fault)),
                None => {
                    let address = database(&self.at, lang)?;
                    let copied = back_up_postgres(address.reveal(), &self.to).await;
                    copied.map_err(|fault| uncopied(lang, &address, &fault))
                }
            };
            Ok(copied_words(lang, &self.to, &copied.map_err(NotDone::nothing)?))
        })
    }
}

impl Restore {
    /// Does it and says so, in the exit code, too.
    pub(crate) fn run(self) -> ExitCode {
        let lang = self.lang.unwrap_or_else(Lang::of_environment);
        umask(Mode::RWXG | Mode::RWXO);
        told(async {
            match &self.data {
                Some(data) => self.begin_directory(data, lang).await,
                None => self.begin_database(lang).await,
            }
        })
    }

    async fn begin_database(&self, lang: Lang) -> Result<String, NotDone> {
        let address = database(&self.at, lang)?;
        let restored = restore_to_postgres(&self.from, address.reveal()).await;
        let (copied, life) = restored.map_err(|fault| NotDone::nothing(uncopied(lang, &address, &fault)))?;
        let (ends, life) = (ends(&copied), life.0);
        let mut words = match lang {
            Lang::Zh => format!("数据库已从备份开始，纪元 {life}。{ends}\n有令牌的人都保留原有令牌"),
            Lang::En => format!(
                "the database begins with the copy, in the life {life}. {ends}\neverybody keeps the token they have"
            ),
        };
        if copied.has_callers {
            words.push('\n');
            words.push_str(&match lang {
                Lang::Zh => format!(
                    "其中有封存的来电号码：启动服务器前，请把 {SEAL_KEY_FILE} 放进每台服务器的数据目录，或设置 {SEAL_KEY_VARIABLE}"
                ),
                Lang::En => format!(
                    "callers' numbers are sealed in it: put {SEAL_KEY_FILE} into the data directory of each server before you \
                     start it, or set {SEAL_KEY_VARIABLE}"
                ),
            });
        }
        Ok(words)
    }

    async fn begin_directory(&self, dir: &Path, lang: Lang) -> Result<String, NotDone> {
        let key = self.key(dir, lang).map_err(NotDone::nothing)?;
        let restored = restore_from(&self.from, dir).await;
        let (copied, life) = restored.map_err(|fault: OpenFault| NotDone::nothing(unopened(lang, &fault)))?;
        let (data, life) = (dir.display(), life.0);
        let written = self.keep_beside(dir, key.as_deref(), &copied).map_err(|fault| NotDone {
            code: HALF_DONE,
            words: match lang {
                Lang::Zh => format!("{data} 中已有日志，但其余文件未能写入：{}", chinese(&fault)),
                Lang::En => format!(
                    "the journal is in {data}, and what belongs beside it could not be written: {fault}"
                ),
            },
        })?;
        let mut words = match lang {
            Lang::Zh => format!("{data} 已从备份开始，纪元 {life}。{}", ends(&copied)),
            Lang::En => format!("{data} begins with the copy, in the life {life}. {}", ends(&copied)),
        };
        if written && self.tokens_file.is_none() {
            let tokens = self.tokens(dir);
            let tokens = tokens.display();
            words.push('\n');
            words.push_str(&match lang {
                Lang::Zh => format!(
                    "网关保留原有令牌，{tokens} 中如此写明；若服务器把令牌放在别处，启动前请把它移到那里，否则每个网关都会得到新令牌"
                ),
                Lang::En => format!(
                    "gateways keep their tokens, {tokens} says so; if the server keeps its tokens elsewhere, move it there \
                     before you start it, or every gateway gets a new one"
                ),
            });
        }
        if copied.has_callers && key.is_none() && !dir.join(SEAL_KEY_FILE).exists() {
            words.push('\n');
            words.push_str(&match lang {
                Lang::Zh => format!(
                    "其中有封存的来电号码：启动前请放回 {SEAL_KEY_FILE}，或设置 {SEAL_KEY_VARIABLE}"
                ),
                Lang::En => format!(
                    "callers' numbers are sealed in it: put {SEAL_KEY_FILE} back before you start it, or set {SEAL_KEY_VARIABLE}"
                ),
            });
        }
        Ok(words)
    }

    /// Read before anything is begun.
    fn key(&self, dir: &Path, lang: Lang) -> Result<Option<String>, String> {
        let Some(file) = &self.seal_key else { return Ok(None) };
        let (_, text) = SealKey::read_text(file).map_err(|fault| chinese::told(lang, fault))?;
        let here = dir.join(SEAL_KEY_FILE);
        match fs::read_to_string(&here) {
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(Some(text)),
            Ok(held) if held.trim().eq_ignore_ascii_case(text.trim()) => Ok(None),
            // Which of the two opens the numbers is not known before it was tried.
            _ => Err(match lang {
                Lang::Zh => format!(
                    "{} 已存在，且不是同一把密钥，不会被覆盖。把它移走，或不写 --seal-key",
                    here.display()
                ),
                Lang::En => format!(
                    "{} is there already, is another key, and is not replaced; move it away, or leave --seal-key out",
                    here.display()
                ),
            }),
        }
    }

    fn tokens(&self, dir: &Path) -> PathBuf {
        self.tokens_file.clone().unwrap_or_else(|| dir.join(tokens::FILE))
    }

    /// The key, and a token file that says that the gateways have theirs: their hashes are in the copy. Whether the
    /// latter was written.
    fn keep_beside(&self, dir: &Path, key: Option<&str>, copied: &Copied) -> io::Result<bool> {
        let named = |path: &Path, fault: io::Error| {
            io::Error::new(fault.kind(), format!("{}: {fault}", path.display()))
        };
        if let Some(key) = key {
            let path = dir.join(SEAL_KEY_FILE);
            private(&path, key).map_err(|fault| named(&path, fault))?;
        }
        let tokens = self.tokens(dir);
        match copied.sites.first() {
            Some((site, _)) if !tokens.exists() => {
                private(&tokens, &tokens::nobodys(*site)).map_err(|fault| named(&tokens, fault))?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn database(at: &At, lang: Lang) -> Result<Address, NotDone> {
    let address =
        at.address().map_err(|fault| NotDone::nothing(chinese::told(lang, format!("{fault:#}"))))?;
    address.ok_or_else(|| NotDone::nothing(unnamed(lang).to_owned()))
}

fn uncopied(lang: Lang, address: &Address, fault: &CopyFault) -> String {
    match fault {
        CopyFault::File(fault) => unopened(lang, fault),
        CopyFault::Database(fault) => postgres::unopened_at(lang, address, fault),
    }
}

/// Why it ended otherwise than asked.
struct NotDone {
    code: u8,
    words: String,
}

impl NotDone {
    /// Nothing was changed.
    fn nothing(words: String) -> NotDone {
        NotDone { code: 1, words }
    }
}

fn private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn copied_words(lang: Lang, to: &Path, copied: &Copied) -> String {
    let (to, bytes) = (to.display(), copied.bytes);
    let mut words = match lang {
        Lang::Zh => format!("已备份到 {to}（{bytes} 字节）。{}", ends(copied)),
        Lang::En => format!("copied to {to}, {bytes} bytes. {}", ends(copied)),
    };
    if copied.has_callers {
        words.push('\n');
        words.push_str(lang.of(
            "其中有封存的来电号码：请把 seal.key 另存一处，没有它号码无法打开",
            "callers' numbers are sealed in it: keep a copy of seal.key elsewhere, nothing else opens them",
        ));
    }
    words
}

fn ends(copied: &Copied) -> String {
    let ends: Vec<String> = copied.sites.iter().map(|(site, seq)| format!("{site}: {}", seq.0)).collect();
    ends.join(", ")
}

fn told(done: impl Future<Output = Result<String, NotDone>>) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| NotDone::nothing(fault.to_string()));
    match runtime.and_then(|runtime| runtime.block_on(done)) {
        Ok(words) => {
            // Where even this cannot be written the exit code is all there is to say.
            let _said = writeln!(io::stdout(), "{words}");
            ExitCode::SUCCESS
        }
        Err(NotDone { code, words }) => {
            let _said = writeln!(io::stderr(), "{words}");
            ExitCode::from(code)
        }
    }
}
