//! Which server is asked, and with whose token: from flags, the environment, a profile, or the data directory of the
//! server on this machine, in this order. A flag that names a server names its token, too.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use api::{Bearer, Client};
use clap::Args;

use super::answer::Format;
use super::fault::{Exit, Fault, Told};
use super::profile::{self, Profile};
use super::said::{is_hostile, said, same};
use crate::chinese::translated;
use crate::lang::Lang;
use crate::tokens::{Address, TokenFile};

/// Where a server listens if nobody says otherwise.
const ADDRESS: &str = "http://127.0.0.1:7430";
/// Where its data is, from where it was started, if nobody says otherwise.
const DATA: &str = "data";

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The server's address, http://HOST:PORT or https://HOST:PORT, with commas between those that share a database; or
    /// HOTLINE_SERVER.
    #[arg(long, global = true, value_name = "ADDRESS", help_heading = "Which server")]
    server: Option<String>,
    /// The authority that the server's certificate is from, a PEM file; or HOTLINE_CA.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Which server")]
    ca: Option<PathBuf>,
    /// A file with the token, readable by you alone; or HOTLINE_TOKEN_FILE, or the token itself in HOTLINE_TOKEN.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Which server")]
    token_file: Option<PathBuf>,
    /// A server by its name in profiles.toml; or HOTLINE_PROFILE. Not together with --data.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Which server")]
    profile: Option<String>,
    /// The data directory of the server on this machine, which has its address and a token; or HOTLINE_DATA. `data`, if
    /// not given, and if it is your own or root's and no token comes from the environment.
    #[arg(long, global = true, value_name = "DIR", help_heading = "Which server")]
    data: Option<PathBuf>,
    /// Send the token in the clear beyond this machine. Only in a network that is private by other means.
    #[arg(long, global = true, help_heading = "Which server")]
    insecure_plaintext: bool,
    /// How the answer is written.
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, help_heading = "Output")]
    pub(super) output: Format,
    /// The language: zh-CN or en; the locale's if not said.
    #[arg(long, global = true, value_name = "LANG", help_heading = "Output")]
    pub(super) lang: Option<Lang>,
    /// Ask nothing: yes to every question.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(super) yes: bool,
    /// Why, in your words: recorded with everything that this command changes; at most 500 characters.
    #[arg(long, global = true, value_name = "TEXT", help_heading = "The record")]
    why: Option<String>,
}

/// The way to a server.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) client: Client,
    pub(super) address: String,
}

impl Common {
    /// The language of this command, as far as flags and locale say.
    pub(super) fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(Lang::of_environment)
    }

    /// The profile that is meant, if one is.
    ///
    /// # Errors
    /// When it is not there or makes no sense.
    pub(super) fn profile(&self) -> Told<Option<Profile>> {
        if self.data.is_some() {
            return match &self.profile {
                Some(_) => Err(two_servers()),
                None => Ok(None),
            };
        }
        // Whoever says where to go needs none.
        let is_said = || {
            self.server.is_some()
                || ["HOTLINE_SERVER", "HOTLINE_DATA"].iter().any(|it| variable(it).is_some())
        };
        match self.profile.clone().or_else(|| variable("HOTLINE_PROFILE")) {
            Some(name) => profile::read(Some(&name)),
            None if is_said() => Ok(None),
            None => profile::read(None),
        }
    }

    /// The way to the server that is meant.
    ///
    /// # Errors
    /// When nobody says whose token to use, or a file that is named cannot be used.
    pub(super) fn way(&self, profile: Option<&Profile>) -> Told<Way> {
        let local = Local::of(self.data.clone(), profile.is_none() && !self.has_token_of_environment())?;
        let of_local =
            local.as_ref().map(|local| local.address.clone().unwrap_or_else(|| ADDRESS.to_owned()));
        let of_profile = profile.and_then(|profile| profile.server.clone());
        let by_flags = self.server.clone().or_else(|| match (&self.data, &self.profile) {
            (Some(_), _) => of_local.clone(),
            (None, Some(_)) => of_profile.clone(),
            (None, None) => None,
        });
        let given = by_flags.or_else(|| variable("HOTLINE_SERVER")).or_else(|| of_profile.clone());
        let address = given.or(of_local).unwrap_or_else(|| ADDRESS.to_owned());
        let bearer =
            self.bearer(profile.filter(|_| of_profile.as_ref() == Some(&address)), local.as_ref(), &address)?;
        let authority = self
            .ca
            .clone()
            .or_else(|| variable("HOTLINE_CA").map(PathBuf::from))
            .or_else(|| profile.and_then(|profile| profile.ca.clone()))
            .or_else(|| {
                local.as_ref().filter(|local| local.address.as_ref() == Some(&address))?.authority.clone()
            });
        let client = connect(&address, bearer, authority.as_deref(), self.insecure_plaintext)?;
        let client = match &self.why {
            Some(why) => client.saying_why(reason("--why", why)?),
            None => client,
        };
        Ok(Way { client, address })
    }

    /// Whether the environment's is the token, as far as flags go. A directory that merely lies here does not say where
    /// that is sent.
    fn has_token_of_environment(&self) -> bool {
        self.token_file.is_none()
            && ["HOTLINE_TOKEN", "HOTLINE_TOKEN_FILE"].iter().any(|name| variable(name).is_some())
    }

    /// A token goes only to the server it was written down for: another address takes no profile's and no data
    /// directory's, unless that is on this machine.
    fn bearer(&self, profile: Option<&Profile>, local: Option<&Local>, address: &str) -> Told<Bearer> {
        let file = |path: &Path| token_in(path).and_then(|text| bearer(&text, &path.display().to_string()));
        if let Some(path) = &self.token_file {
            return file(path);
        }
        if self.profile.is_some()
            && let Some(path) = profile.and_then(|profile| profile.token_file.as_ref())
        {
            return file(path);
        }
        let of_local =
            local.filter(|local| local.address.as_deref() == Some(address) || is_loopback(address));
        if let (Some(_), Some(local)) = (&self.data, of_local) {
            return file(&local.tokens);
        }
        if let Some(token) = variable("HOTLINE_TOKEN") {
            return bearer(token.trim(), "HOTLINE_TOKEN");
        }
        if let Some(path) = variable("HOTLINE_TOKEN_FILE") {
            return file(Path::new(&path));
        }
        if let Some(path) = profile.and_then(|profile| profile.token_file.as_ref()) {
            return file(path);
        }
        match of_local {
            Some(local) => file(&local.tokens),
            None => Err(no_token(address)),
        }
    }
}

/// What a server on this machine left in its data directory.
struct Local {
    address: Option<String>,
    authority: Option<PathBuf>,
    tokens: PathBuf,
}

impl Local {
    /// None if there is none, and nobody said that there is. One that nobody named is somebody's trap unless it is the
    /// user's own, or root's.
    fn of(given: Option<PathBuf>, or_here: bool) -> Told<Option<Local>> {
        let named = given.or_else(|| variable("HOTLINE_DATA").map(PathBuf::from));
        let (dir, is_named) = match named {
            Some(dir) => (dir, true),
            None if or_here => (PathBuf::from(DATA), false),
            None => return Ok(None),
        };
        let tokens = dir.join(crate::tokens::FILE);
        if !is_named && !is_own(&dir) {
            return Ok(None);
        }
        if !tokens.exists() {
            if !is_named {
                return Ok(None);
            }
            let shown = tokens.display();
            let what = said(format!("没有 {shown}"), format!("{shown} is not there"));
            return Err(Fault::new(Exit::NotAdmitted, "NO_TOKEN", what).mend(said(
                "请指定 hotline serve --data 所用的目录",
                "name the directory that `hotline serve --data` uses",
            )));
        }
        let written = fs::read(dir.join(crate::tokens::ADDRESS_FILE)).ok();
        let written = written.and_then(|bytes| serde_json::from_slice::<Address>(&bytes).ok());
        let (address, authority) = match written {
            Some(Address { address, authority }) => (Some(address), authority),
            None => (None, None),
        };
        Ok(Some(Local { address, authority, tokens }))
    }
}

/// Whether a directory, and what is read of it, belongs to this user or to root.
fn is_own(dir: &Path) -> bool {
    let me = rustix::process::geteuid().as_raw();
    let read = [dir.to_owned(), dir.join(crate::tokens::FILE), dir.join(crate::tokens::ADDRESS_FILE)];
    read.iter().all(|path| fs::metadata(path).map_or(true, |about| is_trusted(about.uid(), me)))
}

fn is_trusted(owner: u32, me: u32) -> bool {
    owner == me || owner == 0
}

fn two_servers() -> Fault {
    Fault::usage(
        "TWO_SERVERS",
        said("--profile 与 --data 各指一台服务器", "--profile and --data name a server each"),
    )
    .mend(said("只写其中一个", "say one of them"))
}

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

/// A reason in somebody's words, as the audit takes it.
///
/// # Errors
/// When it is empty, too long, or has characters that a screen would obey.
pub(super) fn reason<'t>(flag: &str, text: &'t str) -> Told<&'t str> {
    let (text, bad) = (text.trim(), |zh: &str, en: &str| {
        Err(Fault::usage("BAD_REASON", said(format!("{flag} {zh}"), format!("{flag} {en}"))))
    });
    match text.chars().count() {
        0 => bad("是空的：请写明原因", "is empty: say why"),
        count if count > REASON_CHARS_MAX => bad("最多 500 个字符", "takes at most 500 characters"),
        _ if text.contains(is_hostile) => {
            bad("写在一行上，不用控制字符", "takes one line, without control characters")
        }
        _ => Ok(text),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn no_token(address: &str) -> Fault {
    let what = said(format!("没有用于 {address} 的令牌"), format!("there is no token for {address}"));
    let fault = Fault::new(Exit::NotAdmitted, "NO_TOKEN", what);
    let fault = match Path::new(DATA).exists() && !is_own(Path::new(DATA)) {
        true => fault.because(said(
            "这里的 data 属于另一个用户，没有指名就不使用",
            "`data` here belongs to another user, and is not used unless it is named",
        )),
        false => fault,
    };
    fault.mend(said(
        "用 --token-file 文件（或 HOTLINE_TOKEN_FILE、HOTLINE_TOKEN）；在服务器本机用 --data 目录",
        "say --token-file FILE (or HOTLINE_TOKEN_FILE, HOTLINE_TOKEN); on the server's machine --data DIR",
    ))
}

/// The token in a file: the file's whole text, or the administrator's of a file that a server wrote.
fn token_in(path: &Path) -> Told<String> {
    let shown = path.display().to_string();
    let unread = |fault: std::io::Error| {
        let what =
            said(format!("无法读取令牌文件 {shown}"), format!("the token file {shown} cannot be read"));
        let (why, mend) = match fault.kind() {
            ErrorKind::NotFound => (
                said("文件不存在", "there is no such file"),
                said(
                    "检查路径；令牌由 hotline token create 发放",
                    "look at the path; tokens come from `hotline token create`",
                ),
            ),
            ErrorKind::PermissionDenied => (
                said("该文件属于另一个用户", "it belongs to another user"),
                said(
                    "以运行服务器的用户执行，或使用自己的令牌",
                    "run this as the server's user, or use a token of your own",
                ),
            ),
            _ => (translated(&fault), said("检查路径", "look at the path")),
        };
        Fault::new(Exit::NotAdmitted, "TOKEN_FILE", what).because(why).mend(mend)
    };
    let metadata = fs::metadata(path).map_err(unread)?;
    if metadata.is_dir() {
        let what = said(
            format!("{shown} 是目录，不是令牌文件"),
            format!("{shown} is a directory, not a token file"),
        );
        return Err(Fault::new(Exit::NotAdmitted, "TOKEN_FILE", what));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let what = said(
            format!("令牌文件 {shown} 别人也能读取（权限 {mode:o}）"),
            format!("the token file {shown} can be read by others (mode {mode:o})"),
        );
        let quoted = format!("'{}'", shown.replace('\'', r"'\''"));
        return Err(
            Fault::new(Exit::NotAdmitted, "TOKEN_FILE_OPEN", what).mend(same(format!("chmod 600 {quoted}")))
        );
    }
    let text = fs::read_to_string(path).map_err(unread)?;
    let text = text.trim();
    if !text.starts_with('{') {
        return Ok(text.to_owned());
    }
    let file: Option<TokenFile> = serde_json::from_str(text).ok();
    let of_role = |role: &str| file.as_ref()?.tokens.iter().find(|entry| entry.role == role);
    let entry = of_role("admin").or_else(|| of_role("supervisor"));
    entry.map(|entry| entry.token.clone()).ok_or_else(|| {
        let what = said(
            format!("{shown} 中没有管理员或主管的令牌"),
            format!("{shown} has no administrator's and no supervisor's token"),
        );
        Fault::new(Exit::NotAdmitted, "TOKEN_FILE", what)
    })
}

fn bearer(text: &str, from: &str) -> Told<Bearer> {
    Bearer::new(text).map_err(|_| {
        let what = said(format!("{from} 中的不是令牌"), format!("what is in {from} is no token"));
        Fault::new(Exit::NotAdmitted, "TOKEN_FILE", what).mend(said(
            "令牌形如 hl_…，没有空格和换行；请重新复制",
            "a token is hl_…, without spaces or line ends; copy it again",
        ))
    })
}

fn connect(address: &str, bearer: Bearer, authority: Option<&Path>, insecure: bool) -> Told<Client> {
    let bad = |why: String| {
        let what = said(
            format!("{address:?} 不是服务器地址"),
            format!("{address:?} is not the address of a server"),
        );
        Fault::usage("BAD_ADDRESS", what).because(translated(why)).mend(said(
            "写成 http://主机:端口 或 https://主机:端口；多个地址之间用逗号",
            "write http://HOST:PORT or https://HOST:PORT, with commas between several",
        ))
    };
    let schemes =
        address.split(',').map(|one| scheme(one.trim()).ok_or_else(|| bad(format!("{:?}", one.trim()))));
    let schemes = schemes.collect::<Told<BTreeSet<&str>>>()?;
    match Vec::from_iter(schemes).as_slice() {
        ["https"] => {
            let Some(authority) = authority else {
                let what = said(
                    format!("没有用于 {address} 的证书机构"),
                    format!("there is no authority for {address}"),
                );
                return Err(Fault::usage("NO_AUTHORITY", what).mend(said(
                    "用 --ca 文件指定签发服务器证书的机构：hotline certs init 写出的 ca.pem",
                    "say --ca FILE, the authority that the server's certificate is from: ca.pem of `hotline certs init`",
                )));
            };
            let shown = authority.display().to_string();
            let pem = fs::read_to_string(authority).map_err(|fault| {
                let what = said(format!("无法读取 {shown}"), format!("{shown} cannot be read"));
                Fault::usage("NO_AUTHORITY", what).because(translated(&fault))
            })?;
            Client::trusting(address, bearer, &pem).map_err(|fault| bad(fault.to_string()))
        }
        ["http"] if insecure || address.split(',').all(|one| is_loopback(one.trim())) => {
            Client::new(address, bearer).map_err(|fault| bad(fault.to_string()))
        }
        ["http"] => {
            let what = said(
                format!("令牌会以明文发往 {address}"),
                format!("the token would be sent to {address} in the clear"),
            );
            Err(Fault::usage("PLAINTEXT", what).mend(said(
                "用 https:// 和 --ca 文件；网络确属专用时加 --insecure-plaintext",
                "use https:// and --ca FILE; in a network that is private, --insecure-plaintext",
            )))
        }
        // Whoever speaks TLS with one does not tell another the token in the clear.
        _ => Err(bad("http://, https://".to_owned())),
    }
}

/// How one address is spoken to; none if it is no address.
fn scheme(address: &str) -> Option<&'static str> {
    let parts: http::Uri = address.parse().ok()?;
    parts.host()?;
    ["http", "https"].into_iter().find(|scheme| parts.scheme_str() == Some(scheme))
}

/// Whether this is on this machine.
fn is_loopback(address: &str) -> bool {
    let Ok(parts) = address.parse::<http::Uri>() else { return false };
    let host = parts.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_somebody_else_is_not_ours() {
        assert!(is_trusted(1_000, 1_000) && is_trusted(0, 1_000) && is_trusted(0, 0));
        assert!(!is_trusted(1_001, 1_000) && !is_trusted(1_000, 0), "root is lured most gladly");
        let dir = tempfile::tempdir().expect("a directory");
        assert!(is_own(dir.path()) && is_own(&dir.path().join("nowhere")));
    }

    #[test]
    fn this_machine_is_told_from_others() {
        for address in
            ["http://127.0.0.1:7430", "http://[::1]:7430", "http://localhost:1", "https://127.1.2.3"]
        {
            assert!(is_loopback(address), "{address}");
        }
        for address in ["http://10.0.0.1:7430", "http://localhost.example:1", "http://127.0.0.1.example"] {
            assert!(!is_loopback(address), "{address}");
        }
    }
}
