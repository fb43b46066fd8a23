//! `hotline site`: the hospitals that one service serves.

mod format;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::answer::{Listed, figures, words};
use super::asking::Office;
use super::fault::{EXIT_CODES, Told};
use super::find::{self, Known, Taken, find, new_id};
use super::plan::file::{PLAN, read};
use super::reach::Common;
use super::said::said;
use super::sheet::Field;
use super::token::{KeptToken, Place, can_be_shown, give};

/// Sites: the hospitals that share this service, and nothing else.
///
/// For administrators of the home site, the one that the service was set up with. Each site has lines, people, tokens and a record of its own.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Sites {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline site create north -f north.toml --token-out north.token\n  \
hotline site list\n  hotline line list --token-file north.token\n  hotline site raise-format north --dry-run";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every site, and what happens there.
    List,
    /// Begin a site. Its first administrator's token is shown once.
    Create {
        /// Its name, never used before: of a-z, 0-9 and '-'.
        site: String,
        /// Its plan, a TOML file; `-` for standard input; the hospital's six lines, if not given.
        #[arg(short = 'f', long = "file", value_name = "FILE")]
        plan: Option<PathBuf>,
        /// Who administers it.
        #[arg(long, value_name = "ID", default_value = "admin")]
        admin: String,
        /// Write the token to this new file, readable by you alone, instead of standard output.
        #[arg(long, value_name = "FILE")]
        token_out: Option<PathBuf>,
    },
    /// End a site for ever, once no call is open there. Its record stays, and its people go on reading it.
    Retire {
        /// Its whole name.
        site: String,
    },
    /// Write a site's record in a newer format from here on, once every server that serves it reads that one. Never back.
    RaiseFormat {
        /// Its whole name.
        site: String,
        /// To this format; the newest that the server which answers reads, if not given.
        #[arg(long, value_name = "FORMAT")]
        to: Option<u32>,
        /// Only say whether it can be, and which servers read what.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Sites {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::List => list(office).await?,
                Verb::Create { site, plan, admin, token_out } => {
                    create(office, site, plan.as_deref(), admin, token_out.as_deref()).await?;
                }
                Verb::Retire { site } => retire(office, site).await?,
                Verb::RaiseFormat { site, to, dry_run } => format::raise(office, site, *to, *dry_run).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// A site, as programs read it.
#[derive(Debug, Serialize)]
struct SiteItem {
    id: String,
    home: bool,
    retired: bool,
    revision: u32,
    seq: u64,
    open_calls: u32,
    operators: u32,
    on_duty: u32,
    format: u32,
    newest_format: u32,
}

impl Listed for SiteItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl From<v1::SiteEntry> for SiteItem {
    fn from(sent: v1::SiteEntry) -> SiteItem {
        let v1::SiteEntry { site_id: id, home, retired, revision, seq, .. } = sent;
        let v1::SiteEntry { open_calls, operators, on_duty, format, newest_format, .. } = sent;
        SiteItem { id, home, retired, revision, seq, open_calls, operators, on_duty, format, newest_format }
    }
}

async fn all(office: &Office) -> Told<Vec<SiteItem>> {
    let mut items: Vec<SiteItem> = Vec::new();
    let mut page_token = String::new();
    loop {
        let sent = office.send(v1::ListSitesRequest { page_size: 0, page_token }).await?;
        items.extend(sent.sites.into_iter().map(SiteItem::from));
        page_token = sent.next_page_token;
        if page_token.is_empty() {
            return Ok(items);
        }
    }
}

async fn list(office: &Office) -> Told<()> {
    let items = all(office).await?;
    let columns = [
        words("站点", "SITE", |site: &SiteItem, _| Field::new(&site.id)).whole(),
        words("状态", "STATE", |site, lang| {
            Field::new(match (site.retired, site.home) {
                (true, _) => lang.of("已停用", "retired"),
                (false, true) => lang.of("主站点", "home"),
                (false, false) => lang.of("使用中", "in use"),
            })
        }),
        figures("通话", "CALLS", |site, _| Field::new(site.open_calls)),
        figures("在岗", "ON DUTY", |site, _| Field::new(site.on_duty)),
        figures("接线员", "OPERATORS", |site, _| Field::new(site.operators)),
        figures("方案版本", "PLAN", |site, _| Field::new(site.revision)),
        figures("决定", "DECISIONS", |site: &SiteItem, _| Field::new(site.seq)).wide(),
        words("格式", "FORMAT", |site: &SiteItem, lang| Field::new(format::of(site, lang))).wide(),
    ];
    office.answer.list("sites", &items, None, &columns)
}

async fn create(
    office: &Office,
    site: &str,
    plan: Option<&Path>,
    admin: &str,
    token_out: Option<&Path>,
) -> Told<()> {
    new_id(find::SITE, site)?;
    can_be_shown(office, token_out)?;
    let plan_text = plan.map(|path| read(PLAN, path)?.checked()).transpose()?.map(|parsed| parsed.text);
    let request = v1::CreateSiteRequest {
        site_id: site.to_owned(),
        plan_text: plan_text.unwrap_or_default(),
        admin_id: admin.to_owned(),
        ..v1::CreateSiteRequest::default()
    };
    let place = Place::of(office, token_out)?;
    let token = office.send(request).await?.token;
    let words = said(
        format!("站点 {site} 已建立，管理员 {admin}"),
        format!("site {site} begins; {admin} administers it"),
    );
    give(office, "site_created", KeptToken::new(site, "admin", token), place, &words)
}

/// A site that ended.
#[derive(Debug, Serialize)]
struct Retired {
    id: String,
    seq: u64,
}

impl Listed for Retired {
    fn id(&self) -> &str {
        &self.id
    }
}

async fn retire(office: &Office, typed: &str) -> Told<()> {
    let known: Vec<Known> = all(office).await?.into_iter().map(|site| Known::id(site.id)).collect();
    let id = find(find::SITE, typed, &known, Taken::Whole)?;
    office.go_on(&said(
        format!("站点 {id} 将永久停用，不再接任何来电；记录保留。继续吗？"),
        format!("site {id} will take no calls any more, for ever; its record stays. Go on?"),
    ))?;
    let request = v1::RetireSiteRequest { site_id: id.clone(), ..v1::RetireSiteRequest::default() };
    let seq = office.send(request).await?.cursor.map_or(0, |cursor| cursor.seq);
    let words = said(format!("站点 {id} 已停用"), format!("site {id} is retired"));
    office.answer.done("site_retired", &Retired { id, seq }, &words)
}
