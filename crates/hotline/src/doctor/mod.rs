//! `hotline doctor`: looks at a data directory and its server's configuration, changes nothing, and says what is well,
//! what is doubtful and what is bad, and how to mend it.
//!
//! One file per kind of check. Not here: reading the whole journal (`hotline journal verify`), asking a server.

mod certificates;
mod configuration;
mod database;
mod disk;
mod files;
mod people;
mod ports;
mod record;
mod redis_server;
mod store;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use rustix::fs::Mode;
use rustix::process::umask;
use serde::Serialize;
use switchboard::id::SiteId;
use tokio::runtime::Builder;

use crate::chinese::{chinese, translated};
use crate::lang::Lang;
use crate::office::answer::{Answer, Column, Format, Listed, bad, fair, good, words};
use crate::office::ended;
use crate::office::fault::{Exit, Fault, Told, verdict};
use crate::office::said::{Said, clean, said};
use crate::office::sheet::Field;
use crate::postgres;
use crate::serve::ServerFile;

const EXIT_CODES: &str = "Exit codes: 0 all is good, 1 something is bad, 2 wrong flags, 3 nothing is bad and something is \
                          doubtful";

/// Looks at a data directory and its server's configuration, also while the server runs, changes nothing, and says what
/// is good, doubtful or bad, and how to mend it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Doctor {
    /// The data directory of `hotline serve`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The server's configuration file, if it has one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server keeps its tokens, if a flag tells it so.
    #[arg(long, value_name = "FILE")]
    tokens_file: Option<PathBuf>,
    /// Where the server listens, if flags tell it so; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// A file that holds the address of the server's Postgres database, if a flag tells it so.
    #[arg(long, value_name = "FILE")]
    postgres: Option<PathBuf>,
    /// Where the server's Redis is, if a flag tells it so.
    #[arg(long = "redis", value_name = "ADDRESS")]
    redis_address: Option<String>,
    /// A file that holds the key callers' numbers are sealed with, if a flag tells the server so.
    #[arg(long, value_name = "FILE")]
    seal_key: Option<PathBuf>,
    /// How to write it.
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// The language of what is said; the locale's if not said.
    #[arg(long)]
    lang: Option<Lang>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    Doubtful,
    Bad,
}

/// What one check found.
#[derive(Debug, Clone)]
struct Finding {
    check: &'static str,
    /// Whose it is; none of what the sites share.
    site: Option<SiteId>,
    verdict: Verdict,
    words: Said,
    mend: Option<Said>,
}

impl Finding {
    fn good(check: &'static str, words: Said) -> Finding {
        Finding { check, site: None, verdict: Verdict::Good, words, mend: None }
    }

    fn doubtful(check: &'static str, words: Said, mend: Said) -> Finding {
        Finding { check, site: None, verdict: Verdict::Doubtful, words, mend: Some(mend) }
    }

    fn bad(check: &'static str, words: Said, mend: Said) -> Finding {
        Finding { check, site: None, verdict: Verdict::Bad, words, mend: Some(mend) }
    }

    /// The same of one site, which its words begin with.
    fn of(self, site: SiteId) -> Finding {
        let (zh, en) = (self.words.of(Lang::Zh), self.words.of(Lang::En));
        let words = said(format!("站点 {site}：{zh}"), format!("site {site}: {en}"));
        Finding { site: Some(site), words, ..self }
    }

    fn told(&self, lang: Lang) -> Line {
        let text = |said: &Said| said.of(lang).to_owned();
        Line {
            id: self.check,
            site: self.site.map(|site| site.to_string()),
            verdict: self.verdict,
            words: text(&self.words),
            mend: self.mend.as_ref().map(text),
        }
    }
}

/// A finding in the language of the answer, as programs read it.
#[derive(Debug, Serialize)]
struct Line {
    id: &'static str,
    site: Option<String>,
    verdict: Verdict,
    words: String,
    mend: Option<String>,
}

impl Listed for Line {
    fn id(&self) -> &str {
        self.id
    }
}

impl Doctor {
    /// Looks, and says so, in the exit code, too.
    pub(crate) fn run(self) -> ExitCode {
        umask(Mode::RWXG | Mode::RWXO);
        let lang = self.lang.unwrap_or_else(Lang::of_environment);
        let answer = Answer { format: self.output, lang };
        let looked = Builder::new_multi_thread().enable_all().build().map_err(|fault| {
            Fault::new(Exit::Usage, "RUNTIME", said("无法启动", "the program cannot start"))
                .because(translated(&fault))
        });
        let told = looked.and_then(|runtime| {
            let findings = runtime.block_on(self.look());
            tell(&answer, &findings)
        });
        ended(&answer, told)
    }

    async fn look(&self) -> Vec<Finding> {
        let data = &*self.data;
        let (configured, mut file) = configuration::look(self.config.as_deref(), data);
        if let Some(tokens) = &self.tokens_file {
            file.tokens.file = Some(tokens.clone());
        }
        if !self.listen.is_empty() {
            file.listen.clone_from(&self.listen);
        }
        let mut findings = vec![configured];
        let shown = data.display();
        let database = postgres::address(self.postgres.as_deref(), file.postgres.file.as_deref());
        let has_begun = || files::BEGUN.iter().any(|name| data.join(name).exists());
        let unusable = match std::fs::read_dir(data) {
            Err(fault) => Some(said(
                format!("无法读取目录 {shown}：{}", chinese(&fault)),
                format!("the directory {shown} cannot be read: {fault}"),
            )),
            Ok(_) if !has_begun() && matches!(database, Ok(None)) => Some(said(
                format!("没有服务器用目录 {shown} 启动过"),
                format!("no server has begun in the directory {shown}"),
            )),
            Ok(_) => None,
        };
        if let Some(words) = unusable {
            let mend = said(
                "请指定 `hotline serve --data` 所用的目录，并以服务器的用户身份运行",
                "name the directory that `hotline serve --data` was given, as the user that the server runs as",
            );
            findings.push(Finding::bad("data", words, mend));
            return findings;
        }
        if let (false, Err(fault)) = (has_begun(), &database) {
            findings.push(database::unnamed(fault));
            return findings;
        }
        findings.extend(files::look(data, &file, self.seal_key.as_deref()));
        findings.extend(disk::look(data));
        match database {
            Ok(Some(address)) => findings.extend(database::look(&address).await),
            Ok(None) => {
                findings.extend(record::look(data).await);
                findings.push(store::not_configured());
            }
            Err(fault) => findings.push(database::unnamed(&fault)),
        }
        findings.push(certificates::look(data, &file, SystemTime::now()));
        findings.extend(ports::look(data, &file));
        findings.push(redis_server::look(self.redis_address.as_deref(), &file).await);
        findings
    }
}

fn tell(answer: &Answer, findings: &[Finding]) -> Told<ExitCode> {
    let lines: Vec<Line> = findings.iter().map(|finding| finding.told(answer.lang)).collect();
    let columns: [Column<Line>; 3] = [
        words("检查", "CHECK", |line: &Line, _| Field::new(line.id)).whole(),
        words("结论", "VERDICT", |line: &Line, lang| {
            let (zh, en, style) = match line.verdict {
                Verdict::Good => ("正常", "good", good()),
                Verdict::Doubtful => ("可疑", "doubtful", fair()),
                Verdict::Bad => ("有问题", "bad", bad()),
            };
            Field::new(lang.of(zh, en)).styled(style)
        })
        .whole(),
        words("情况", "FOUND", |line: &Line, _| Field::new(&line.words)).whole(),
    ];
    let mends = || {
        let mark = answer.lang.of("办法", "mend");
        let mend = |line: &Line| {
            let of = line.site.as_ref().map(|site| format!(" ({site})")).unwrap_or_default();
            Some(format!("{mark} {}{of}: {}", line.id, clean(line.mend.as_deref()?)))
        };
        let mends: Vec<String> = lines.iter().filter_map(mend).collect();
        match answer.format {
            Format::Table | Format::Wide => answer.text(&mends),
            Format::Json | Format::Yaml | Format::Name => Ok(()),
        }
    };
    let written = answer.list("doctor", &lines, None, &columns).and_then(|()| mends());
    let worst = findings.iter().map(|finding| finding.verdict).max();
    let code = ExitCode::from(match worst {
        None | Some(Verdict::Good) => 0,
        Some(Verdict::Bad) => 1,
        Some(Verdict::Doubtful) => 3,
    });
    verdict(written, code)
}

/// The machine's clock, in microseconds since 1970 UTC.
fn now_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

/// Where the server keeps its tokens.
fn tokens_file(data: &Path, file: &ServerFile) -> PathBuf {
    file.tokens.file.clone().unwrap_or_else(|| data.join(crate::tokens::FILE))
}
