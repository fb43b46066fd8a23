//! What Redis shows of one site, and how it is put there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ::redis::{Cmd, cmd};
use serde_json::json;
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;
use tokio::sync::watch;

use super::fault::RedisFault;
use super::line::Line;
use crate::leases::length;
use crate::{FreeOperators, Holder, Presence, Tracker};

/// Who is free is shown for this long: two heartbeats.
const FREE_LASTS_MS: u64 = 10_000;

/// Leases nobody touches vanish altogether after this.
const UNTOUCHED_MS: u64 = 60_000;

const LINKS: &str = include_str!("scripts/links.lua");
const FREE: &str = include_str!("scripts/free.lua");

/// One site's tracker, and what of it is shown.
pub(crate) struct Board {
    pub(crate) site: SiteId,
    pub(crate) tracker: Tracker,
    /// The latest hint of another router.
    pub(crate) hint: watch::Sender<Seq>,
    /// The site's time, as far as it was told here.
    now: AtomicU64,
    is_changed: AtomicBool,
    is_over: AtomicBool,
    announced: AtomicU64,
    told: AtomicU64,
    /// Who was shown last.
    shown: Mutex<BTreeSet<String>>,
}

impl Board {
    pub(crate) fn new(site: SiteId, tracker: Tracker) -> Board {
        Board {
            site,
            tracker,
            hint: watch::Sender::new(Seq(0)),
            now: AtomicU64::new(0),
            is_changed: AtomicBool::new(true),
            is_over: AtomicBool::new(false),
            announced: AtomicU64::new(0),
            told: AtomicU64::new(0),
            shown: Mutex::default(),
        }
    }

    pub(crate) fn pass(&self, at: SiteTime) {
        self.now.fetch_max(at.0, Ordering::Relaxed);
    }

    pub(crate) fn change(&self) {
        self.is_changed.store(true, Ordering::Release);
    }

    /// Nobody asks it any more: it shows that it holds nobody.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.change();
    }

    pub(crate) fn announce(&self, seq: Seq) {
        self.announced.fetch_max(seq.0, Ordering::Relaxed);
    }

    /// Tells the other routers how far the journal is, if that is news.
    pub(crate) async fn tell(&self, line: &mut Line) -> Result<(), RedisFault> {
        let seq = self.announced.load(Ordering::Relaxed);
        if seq <= self.told.load(Ordering::Relaxed) {
            return Ok(());
        }
        line.ask::<u64>(cmd("PUBLISH").arg(channel(self.site)).arg(seq)).await?;
        self.told.fetch_max(seq, Ordering::Relaxed);
        Ok(())
    }

    /// Shows leases and who is free: what changed, or everything.
    pub(crate) async fn show(&self, mut line: Line, router: &str, all: bool) -> Result<(), RedisFault> {
        if !self.is_changed.swap(false, Ordering::Acquire) && !all {
            return Ok(());
        }
        let is_over = self.is_over.load(Ordering::Acquire);
        let held = match is_over {
            true => Vec::new(),
            false => self.tracker.held(SiteTime(self.now.load(Ordering::Relaxed))),
        };
        let mut shown = self.show_links(&mut line, router, &held).await;
        if shown.is_ok() && !is_over {
            shown = line.ask::<u64>(&free(self.site, &self.tracker.free())).await.map(drop);
        }
        if shown.is_err() {
            self.change();
        }
        shown
    }

    async fn show_links(&self, line: &mut Line, router: &str, held: &[Holder]) -> Result<(), RedisFault> {
        let members: BTreeSet<String> = held.iter().map(member).collect();
        let gone: Vec<String> =
            self.shown.lock().unwrap_or_else(PoisonError::into_inner).difference(&members).cloned().collect();
        let mut links = cmd("EVAL");
        links.arg(LINKS).arg(2).arg(key(self.site, "links")).arg(key(self.site, "who"));
        links.arg(router).arg(UNTOUCHED_MS).arg(gone.len()).arg(gone);
        for holder in held {
            links.arg(member(holder)).arg(length(holder).0 / 1_000).arg(who(holder, router));
        }
        line.ask::<u64>(&links).await?;
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = members;
        Ok(())
    }
}

fn free(site: SiteId, free: &FreeOperators) -> Cmd {
    let mut fields: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (operator, reach) in &free.operators {
        fields.entry("all".to_owned()).or_default().push(operator.as_str());
        for line in &reach.home_lines {
            fields.entry(format!("line:{line}")).or_default().push(operator.as_str());
        }
        for team in &reach.teams {
            fields.entry(format!("team:{team}")).or_default().push(operator.as_str());
        }
    }
    let mut shown = cmd("EVAL");
    shown.arg(FREE).arg(1).arg(key(site, "free")).arg(free.seq.0).arg(FREE_LASTS_MS);
    for (field, operators) in fields {
        shown.arg(field).arg(operators.join(" "));
    }
    shown
}

/// The site stands in braces, so that a cluster keeps everything of it on one node.
pub(crate) fn key(site: SiteId, what: &str) -> String {
    format!("hotline:{{{site}}}:{what}")
}

/// Where hints about a site are told.
pub(crate) fn channel(site: SiteId) -> String {
    key(site, "seq")
}

/// The site of such a channel.
pub(crate) fn site_of(channel: &str) -> Option<SiteId> {
    channel.strip_prefix("hotline:{")?.strip_suffix("}:seq")?.parse().ok()
}

fn member(holder: &Holder) -> String {
    match holder {
        Holder::Desk { operator, .. } => format!("desk:{operator}"),
        Holder::Gateway { gateway, .. } => format!("gateway:{gateway}"),
    }
}

fn who(holder: &Holder, router: &str) -> String {
    let who = match holder {
        Holder::Desk { desk, session, .. } => {
            json!({ "router": router, "desk": desk.0.to_string(), "session": session.0 })
        }
        // Larger than what other languages' numbers hold exactly.
        Holder::Gateway { incarnation, .. } => {
            json!({ "router": router, "incarnation": incarnation.to_string() })
        }
    };
    who.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_names_its_site() {
        let site: SiteId = "north-2".parse().unwrap();
        assert_eq!(channel(site), "hotline:{north-2}:seq");
        assert_eq!(site_of(&channel(site)), Some(site));
        assert_eq!(site_of("hotline:{}:seq"), None);
        assert_eq!(site_of("elsewhere"), None);
    }
}
