//! `hotline site raise-format`: after an upgrade of every server, the record is written as the new release writes it.

use api::v1;
use serde::Serialize;

use super::super::answer::Listed;
use super::super::asking::Office;
use super::super::fault::{Exit, Fault, Told};
use super::super::find::{self, Known, Taken, find};
use super::super::said::said;
use super::{SiteItem, all};
use crate::lang::Lang;

/// The format in force, and the newest one where that is another.
pub(super) fn of(site: &SiteItem, lang: Lang) -> String {
    let (format, newest) = (site.format, site.newest_format);
    if newest <= format {
        return format.to_string();
    }
    lang.of(&format!("{format}（最新 {newest}）"), &format!("{format} of {newest}")).to_owned()
}

/// A server of a site, as programs read it.
#[derive(Debug, Serialize)]
struct Reader {
    name: String,
    reads_to: u32,
}

/// A site whose format was raised, or would be.
#[derive(Debug, Serialize)]
struct Raised {
    id: String,
    was: u32,
    format: u32,
    dry_run: bool,
    servers: Vec<Reader>,
}

impl Listed for Raised {
    fn id(&self) -> &str {
        &self.id
    }
}

pub(super) async fn raise(office: &Office, typed: &str, to: Option<u32>, dry_run: bool) -> Told<()> {
    let sites = all(office).await?;
    let newest = sites.iter().find(|site| site.id == typed).map_or(0, |site| site.newest_format);
    let known: Vec<Known> = sites.into_iter().map(|site| Known::id(site.id)).collect();
    let id = find(find::SITE, typed, &known, Taken::Whole)?;
    let looked = office.send(v1::GetFormatRequest { site_id: id.clone() }).await?;
    let was = looked.format;
    let to = to.filter(|to| *to > 0).unwrap_or(newest);
    let servers: Vec<Reader> = looked
        .routers
        .into_iter()
        .map(|v1::FormatReader { name, reads_to }| Reader { name, reads_to })
        .collect();
    if to > was {
        readable(&servers, &id, to)?;
    }
    if dry_run {
        let words = match to > was {
            true => said(
                format!("站点 {id} 可以从格式 {was} 升到 {to}：{}", listed(&servers)),
                format!("site {id} can be raised from format {was} to {to}: {}", listed(&servers)),
            ),
            false => said(
                format!("站点 {id} 已是格式 {was}：{}", listed(&servers)),
                format!("site {id} is in format {was}: {}", listed(&servers)),
            ),
        };
        let format = to.max(was);
        return office.answer.done("site_format", &Raised { id, was, format, dry_run, servers }, &words);
    }
    if to > was {
        office.go_on(&said(
            format!("站点 {id} 的记录此后以格式 {to} 写入，旧版服务器再也不能服务它。继续吗？"),
            format!(
                "the record of site {id} will be written in format {to}; servers of an earlier release can never serve \
                 it again. Go on?"
            ),
        ))?;
    }
    let request = v1::RaiseFormatRequest { site_id: id.clone(), to, ..v1::RaiseFormatRequest::default() };
    let v1::RaiseFormatResponse { was, format, .. } = office.send(request).await?;
    let words = match format > was {
        true => said(
            format!("站点 {id} 已从格式 {was} 升到 {format}"),
            format!("site {id} is raised from format {was} to {format}"),
        ),
        false => said(format!("站点 {id} 已是格式 {format}"), format!("site {id} is in format {format}")),
    };
    office.answer.done("site_format", &Raised { id, was, format, dry_run, servers }, &words)
}

/// Every server reads it, or which one does not.
fn readable(servers: &[Reader], id: &str, to: u32) -> Told<()> {
    let older: Vec<&Reader> = servers.iter().filter(|server| server.reads_to < to).collect();
    if older.is_empty() {
        return Ok(());
    }
    let what = said(
        format!("站点 {id} 还有服务器读不了格式 {to}"),
        format!("servers of site {id} do not read format {to}"),
    );
    let why = said(
        format!("较旧的：{}；全部：{}", listed(older.iter().copied()), listed(servers)),
        format!("older ones: {}; of all: {}", listed(older.iter().copied()), listed(servers)),
    );
    let mend = said(
        "用能读它的版本替换这些服务器，或结束它们；已结束的在 15 秒后不再列出，然后再执行一次",
        "replace these by a release that reads it, or end them; one that ended is listed for 15 s more; then do it again",
    );
    Err(Fault::new(Exit::Refused, "FORMAT_NOT_READ", what).because(why).mend(mend))
}

/// Each by its name, and up to which format it reads.
fn listed<'a>(servers: impl IntoIterator<Item = &'a Reader>) -> String {
    let each = servers.into_iter().map(|Reader { name, reads_to }| format!("{name} (1–{reads_to})"));
    each.collect::<Vec<_>>().join(", ")
}
