//! `hotline token`: who may ask this server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use api::v1;
use api::v1::principal_ref::Principal;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::answer::{Format, Listed, words};
use super::asking::Office;
use super::fault::{EXIT_CODES, Exit, Fault, Told};
use super::find::{self, Known, Taken};
use super::length;
use super::moment;
use super::new_file::NewFile;
use super::reach::Common;
use super::said::{Said, said};
use super::sheet::Field;
use crate::chinese::translated;

/// Tokens: who may ask this server.
///
/// A token is shown once and not stored; a lost one is replaced by another.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Tokens {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline token create gateway gw-2 --token-out gw-2.token\n  \
hotline token create wallboard hall --lasting 30d\n  hotline token revoke operator li-na";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token, in place of an earlier one, which is worth nothing from then on: if there is one you are asked.
    Create {
        /// For what kind of principal.
        #[arg(value_enum)]
        role: TokenRole,
        /// Its id.
        id: String,
        /// Worth nothing after this long: 8h, 30d; as long as the server lets tokens last, if not given.
        #[arg(long, value_name = "LENGTH")]
        lasting: Option<String>,
        /// Write the token to this new file, readable by you alone, instead of standard output.
        #[arg(long, value_name = "FILE")]
        token_out: Option<PathBuf>,
    },
    /// Who has a token. Never a token itself.
    List,
    /// Take a token away. What it has open ends at once.
    Revoke {
        /// Of what kind of principal.
        #[arg(value_enum)]
        role: TokenRole,
        /// Its id.
        id: String,
    },
}

/// What a principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TokenRole {
    /// A telephony gateway.
    Gateway,
    /// A person who answers; added before.
    Operator,
    /// Sees boards and calls, closes and diverts lines, pauses operators.
    Supervisor,
    /// Everything.
    Admin,
    /// A screen on the wall: boards and nothing else.
    Wallboard,
    /// Another program: the record as it grows, and the figures.
    Integrator,
}

impl TokenRole {
    fn name(self) -> &'static str {
        match self {
            TokenRole::Gateway => "gateway",
            TokenRole::Operator => "operator",
            TokenRole::Supervisor => "supervisor",
            TokenRole::Admin => "admin",
            TokenRole::Wallboard => "wallboard",
            TokenRole::Integrator => "integrator",
        }
    }

    fn zh(self) -> &'static str {
        match self {
            TokenRole::Gateway => "网关",
            TokenRole::Operator => "接线员",
            TokenRole::Supervisor => "主管",
            TokenRole::Admin => "管理员",
            TokenRole::Wallboard => "大屏",
            TokenRole::Integrator => "集成程序",
        }
    }

    fn of(principal: Principal) -> (TokenRole, String) {
        match principal {
            Principal::GatewayId(id) => (TokenRole::Gateway, id),
            Principal::OperatorId(id) => (TokenRole::Operator, id),
            Principal::SupervisorId(id) => (TokenRole::Supervisor, id),
            Principal::AdminId(id) => (TokenRole::Admin, id),
            Principal::WallboardId(id) => (TokenRole::Wallboard, id),
            Principal::IntegratorId(id) => (TokenRole::Integrator, id),
        }
    }

    fn principal(self, id: String) -> v1::PrincipalRef {
        let principal = match self {
            TokenRole::Gateway => Principal::GatewayId(id),
            TokenRole::Operator => Principal::OperatorId(id),
            TokenRole::Supervisor => Principal::SupervisorId(id),
            TokenRole::Admin => Principal::AdminId(id),
            TokenRole::Wallboard => Principal::WallboardId(id),
            TokenRole::Integrator => Principal::IntegratorId(id),
        };
        v1::PrincipalRef { principal: Some(principal) }
    }
}

impl Tokens {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::Create { role, id, lasting, token_out } => {
                    create(office, *role, id, lasting.as_deref(), token_out.as_deref()).await?;
                }
                Verb::List => list(office).await?,
                Verb::Revoke { role, id } => revoke(office, *role, id).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// Somebody with a token, as programs read it.
#[derive(Debug, Serialize)]
struct Holder {
    id: String,
    role: &'static str,
    #[serde(skip)]
    role_zh: &'static str,
    /// Worth nothing from then on; none: until it is taken away.
    expires_unix_us: Option<i64>,
}

impl Listed for Holder {
    fn id(&self) -> &str {
        &self.id
    }
}

async fn list(office: &Office) -> Told<()> {
    let sent = office.send(v1::ListTokensRequest {}).await?.tokens;
    let holder = |entry: v1::TokenEntry| {
        let (role, id) = TokenRole::of(entry.principal?.principal?);
        let (role, role_zh) = (role.name(), role.zh());
        Some(Holder { id, role, role_zh, expires_unix_us: entry.expires_us })
    };
    let items: Vec<Holder> = sent.into_iter().filter_map(holder).collect();
    let columns = [
        words("身份", "ROLE", |holder: &Holder, lang| Field::new(lang.of(holder.role_zh, holder.role))),
        words("谁", "ID", |holder: &Holder, _| Field::new(&holder.id)).whole(),
        words("有效期至", "EXPIRES", |holder, _| {
            Field::or_dash(holder.expires_unix_us.map(moment::shown).unwrap_or_default())
        }),
    ];
    office.answer.list("tokens", &items, None, &columns)
}

/// A token that was just made, as programs read it.
#[derive(Serialize)]
pub(super) struct KeptToken {
    id: String,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_file: Option<String>,
}

impl KeptToken {
    pub(super) fn new(id: &str, role: &'static str, token: String) -> KeptToken {
        KeptToken { id: id.to_owned(), role, token: Some(token), token_file: None }
    }
}

impl Listed for KeptToken {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Where a token goes: made before the token is, which ends the one before it.
#[derive(Debug)]
pub(super) enum Place {
    /// Standard output.
    Output,
    /// A file of its own.
    File(NewFile),
}

impl Place {
    /// Makes it.
    ///
    /// # Errors
    /// When a token would be lost there.
    pub(super) fn of(office: &Office, token_out: Option<&Path>) -> Told<Place> {
        can_be_shown(office, token_out)?;
        let Some(path) = token_out else { return Ok(Place::Output) };
        let made = NewFile::make(path).map_err(|fault| {
            let shown = path.display();
            let what = said(format!("无法创建 {shown}"), format!("{shown} cannot be made"));
            let mend = said("换一个位置；没有发放令牌", "name another place; no token was made");
            Fault::usage("TOKEN_OUT", what).because(translated(&fault)).mend(mend)
        })?;
        Ok(Place::File(made))
    }
}

/// Whether a token would reach whoever asked for it: looked at before anybody is asked anything.
///
/// # Errors
/// When it would be lost.
pub(super) fn can_be_shown(office: &Office, token_out: Option<&Path>) -> Told<()> {
    if let Some(path) = token_out {
        if !path.exists() {
            return Ok(());
        }
        let shown = path.display();
        let what = said(format!("{shown} 已存在"), format!("{shown} is there already"));
        return Err(Fault::usage("TOKEN_OUT", what)
            .mend(said("换一个文件名，或先移走它", "name another file, or move that one away first")));
    }
    if office.answer.format != Format::Name {
        return Ok(());
    }
    let what = said("用 -o name 时令牌无处显示", "with -o name the token would be shown nowhere");
    Err(Fault::usage("TOKEN_OUT", what).mend(said("加 --token-out 文件", "say --token-out FILE")))
}

/// Gives a token to whoever asked for it.
///
/// # Errors
/// When it cannot be written. It is worth something all the same: the fault says how to take it away.
pub(super) fn give(office: &Office, kind: &str, mut item: KeptToken, place: Place, words: &Said) -> Told<()> {
    let Place::File(file) = place else {
        office.answer.chat(words);
        if office.answer.is_object() {
            return office.answer.one(kind, &item);
        }
        office.answer.chat(&said("令牌只显示这一次：", "Its token, shown this once:"));
        return office.answer.text(&[item.token.unwrap_or_default()]);
    };
    let token = item.token.take().unwrap_or_default();
    let shown = file.shown();
    file.keep(&token).map_err(|fault| {
        let what = said(format!("令牌无法写入 {shown}"), format!("the token cannot be written to {shown}"));
        let (role, id) = (item.role, item.id.as_str());
        Fault::new(Exit::Usage, "TOKEN_OUT", what).because(translated(&fault)).mend(said(
            format!("令牌已经生效但无人看到；另发一个：hotline token create {role} {id}"),
            format!("nobody saw the token; make another in its place: hotline token create {role} {id}"),
        ))
    })?;
    item.token_file = Some(shown.clone());
    office.answer.chat(&said(format!("令牌写在 {shown}"), format!("its token is in {shown}")));
    office.answer.done(kind, &item, words)
}

async fn create(
    office: &Office,
    role: TokenRole,
    id: &str,
    lasting: Option<&str>,
    token_out: Option<&Path>,
) -> Told<()> {
    let lasting_ms = lasting.map(|lasting| length::milliseconds("--lasting", lasting)).transpose()?;
    can_be_shown(office, token_out)?;
    let id = match role {
        TokenRole::Operator => office.operator(id, Taken::Whole).await?,
        _ => {
            find::new_id(PRINCIPAL, id)?;
            id.to_owned()
        }
    };
    let (zh, en) = (role.zh(), role.name());
    if held(office, role).await?.iter().any(|known| known.id == id) {
        office.go_on(&said(
            format!("{zh} {id} 已有令牌，旧令牌立即作废。继续吗？"),
            format!("{en} {id} has a token, which will be worth nothing. Go on?"),
        ))?;
    }
    let place = Place::of(office, token_out)?;
    let principal = Some(role.principal(id.clone()));
    let token = office.send(v1::IssueTokenRequest { principal, lasting_ms }).await?.token;
    let words = said(format!("{zh} {id} 有了新令牌"), format!("{en} {id} has a new token"));
    give(office, "token_created", KeptToken::new(&id, role.name(), token), place, &words)
}

const PRINCIPAL: find::Kind = find::Kind::of("令牌持有者", "token's holder", "hotline token list");

/// A token that was taken away.
#[derive(Debug, Serialize)]
struct Revoked {
    id: String,
    role: &'static str,
    revoked: bool,
}

impl Listed for Revoked {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Those of a role who have a token.
async fn held(office: &Office, role: TokenRole) -> Told<Vec<Known>> {
    let sent = office.send(v1::ListTokensRequest {}).await?.tokens;
    let holders = sent.into_iter().filter_map(|entry| Some(TokenRole::of(entry.principal?.principal?)));
    Ok(holders.filter(|(of, _)| *of == role).map(|(_, id)| Known::id(id)).collect())
}

async fn revoke(office: &Office, role: TokenRole, id: &str) -> Told<()> {
    let (zh, en) = (role.zh(), role.name());
    find::new_id(PRINCIPAL, id)?;
    // Looked at before: afterwards nobody can tell a slip from an answer that was lost.
    let held = held(office, role).await?;
    if held.iter().all(|known| known.id != id) {
        let what = said(format!("{zh} {id} 没有令牌"), format!("{en} {id} has no token"));
        return Err(Fault::new(Exit::Refused, "NO_SUCH_TOKEN", what).mend(find::meant(PRINCIPAL, id, &held)));
    }
    office.go_on(&said(
        format!("收回{zh} {id} 的令牌，其连接立即断开。继续吗？"),
        format!("the token of {en} {id} will be taken away and what it has open ends at once. Go on?"),
    ))?;
    let principal = Some(role.principal(id.to_owned()));
    office.send(v1::RevokeTokenRequest { principal }).await?;
    let words = said(format!("{zh} {id} 的令牌已收回"), format!("the token of {en} {id} is taken away"));
    office.answer.done(
        "token_revoked",
        &Revoked { id: id.to_owned(), role: role.name(), revoked: true },
        &words,
    )
}
