//! `hotline health`: whether a server serves, for whoever starts, watches and balances servers.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use api::Client;
use clap::Args;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::lang::Lang;
use crate::tokens::{ADDRESS_FILE, Address};

const EXIT_CODES: &str = "Exit codes: 0 it serves, 1 it does not, or does not answer, 2 wrong flags";

/// A server that has not said anything after so long is as good as none.
const PATIENCE: Duration = Duration::from_secs(5);

/// The exit code for flags that make no sense, as for every other command.
const MAKES_NO_SENSE: u8 = 2;

/// Where the data is if nobody says otherwise.
const DATA: &str = "data";

/// Asks a server whether it serves, once and without a token: by gRPC health, as balancers do. A server that is there and
/// takes no decisions, or takes long to make them durable, says no.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Health {
    /// The data directory of a server on this machine, which has its address; or HOTLINE_DATA, or `data`.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    data: Option<PathBuf>,
    /// A server's address, http://HOST:PORT or https://HOST:PORT.
    #[arg(long, value_name = "ADDRESS")]
    server: Option<String>,
    /// The authority that its certificate is from, a PEM file; the one that it wrote down, if not given.
    #[arg(long, alias = "authority", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The language of what is said; the locale's if not said.
    #[arg(long)]
    lang: Option<Lang>,
}

/// Whom to ask.
struct Way {
    address: String,
    client: Client,
}

impl Health {
    /// Asks, and says what was answered, in the exit code, too.
    pub(crate) fn run(&self) -> ExitCode {
        let lang = self.lang.unwrap_or_else(Lang::of_environment);
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(fault) => return told(ExitCode::FAILURE, &fault.to_string()),
        };
        runtime.block_on(async {
            match self.way(lang) {
                Ok(way) => asked(lang, &way).await,
                Err(fault) => {
                    let code = if self.server.is_some() { MAKES_NO_SENSE } else { 1 };
                    told(ExitCode::from(code), &format!("{fault:#}"))
                }
            }
        })
    }

    fn way(&self, lang: Lang) -> Result<Way> {
        let Address { address, authority } = match &self.server {
            Some(server) => Address { address: server.clone(), authority: None },
            None => self.written_down(lang)?,
        };
        let client = match self.ca.as_deref().or(authority.as_deref()) {
            Some(file) if address.starts_with("https://") => {
                let pem = fs::read_to_string(file).with_context(|| file.display().to_string())?;
                Client::trusting_without_token(&address, &pem)?
            }
            None if address.starts_with("https://") => bail!(lang.of(
                "https:// 的地址需要签发服务器证书的机构：用 --ca 文件指定",
                "an address with https:// needs the authority that the server's certificate is from: --ca FILE",
            )),
            _ => Client::without_token(&address)?,
        };
        Ok(Way { address, client })
    }

    /// What a server wrote into its data directory.
    fn written_down(&self, lang: Lang) -> Result<Address> {
        let variable = || std::env::var_os("HOTLINE_DATA").filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let dir = self.data.clone().or_else(variable).unwrap_or_else(|| PathBuf::from(DATA));
        let file = dir.join(ADDRESS_FILE);
        let bytes = fs::read(&file).with_context(|| unread(lang, &file))?;
        serde_json::from_slice(&bytes).with_context(|| unread(lang, &file))
    }
}

/// A file of a server that has not started yet, or of another directory.
fn unread(lang: Lang, file: &Path) -> String {
    let shown = file.display();
    match lang {
        Lang::Zh => format!("无法使用 {shown}：请指定 hotline serve --data 的目录；服务器启动后才会写下地址"),
        Lang::En => format!(
            "{shown} cannot be used: name the directory of `hotline serve --data`, whose server writes its address down \
             when it has started"
        ),
    }
}

async fn asked(lang: Lang, Way { address, client }: &Way) -> ExitCode {
    let answer = match timeout(PATIENCE, client.is_serving()).await {
        Ok(answer) => answer.map_err(|status| reason(&status)),
        Err(_) => {
            let after = PATIENCE.as_secs();
            Err(match lang {
                Lang::Zh => format!("等了 {after} 秒"),
                Lang::En => format!("nothing for {after} s"),
            })
        }
    };
    match (answer, lang) {
        (Ok(true), Lang::Zh) => told(ExitCode::SUCCESS, &format!("{address} 正在服务")),
        (Ok(true), Lang::En) => told(ExitCode::SUCCESS, &format!("{address} serves")),
        (Ok(false), Lang::Zh) => told(
            ExitCode::FAILURE,
            &format!(
                "{address} 在运行，但没有在服务：没有站点能及时作出决定并落盘；hotline doctor 会说明原因"
            ),
        ),
        (Ok(false), Lang::En) => told(
            ExitCode::FAILURE,
            &format!(
                "{address} runs and does not serve: none of its sites takes decisions and makes them durable in time; \
                 hotline doctor says why"
            ),
        ),
        (Err(why), Lang::Zh) => told(ExitCode::FAILURE, &format!("{address} 没有应答：{why}")),
        (Err(why), Lang::En) => told(ExitCode::FAILURE, &format!("{address} does not answer: {why}")),
    }
}

/// All that is known of why nobody answered.
fn reason(fault: &dyn Error) -> String {
    let mut cause = fault;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Where even this cannot be written the exit code is all.
fn told(code: ExitCode, words: &str) -> ExitCode {
    let _said = match code {
        ExitCode::SUCCESS => writeln!(io::stdout(), "{words}"),
        _ => writeln!(io::stderr(), "{words}"),
    };
    code
}
