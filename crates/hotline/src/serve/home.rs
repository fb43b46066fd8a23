//! The site that a configuration names, held against the record: a slip in its name would begin one more site, which
//! nobody calls, with tokens of its own.

use anyhow::Result;
use session::Journal;
use switchboard::id::SiteId;

/// Most sites that are named to whoever named another.
const TOLD_MAX: usize = 5;

/// A record that has begun, and not with this site.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no site {site} in this record, which has {there}; name one that it has as site in the configuration, or begin \
     {site} by hotline site create"
)]
pub(super) struct NoSuchSite {
    site: SiteId,
    there: String,
}

/// Refuses a site that a record does not have. One in which nothing was ever decided begins with whichever is named.
pub(super) async fn check(journal: &dyn Journal, site: SiteId) -> Result<()> {
    let sites = journal.heads().await?;
    if sites.is_empty() || sites.iter().any(|(known, _)| *known == site) {
        return Ok(());
    }
    let mut there: Vec<&str> = sites.iter().take(TOLD_MAX).map(|(known, _)| known.as_str()).collect();
    if sites.len() > TOLD_MAX {
        there.push("…");
    }
    Err(NoSuchSite { site, there: there.join(", ") }.into())
}

#[cfg(test)]
mod tests {
    use session::{FORMAT_OLDEST, MemoryJournal, Row, Writer};
    use switchboard::id::Seq;
    use switchboard::time::SiteTime;

    use super::*;
    use crate::chinese::chinese;

    fn site(name: &str) -> SiteId {
        name.parse().expect("a name")
    }

    async fn record_of(names: &[&str]) -> MemoryJournal {
        let journal = MemoryJournal::new();
        for name in names {
            let row = Row {
                seq: Seq(1),
                last_seq: Seq(1),
                at: SiteTime(1),
                wall_us: 1,
                writer: Writer::new("w"),
                format: FORMAT_OLDEST,
                body: String::new(),
            };
            journal.append(site(name), &row).await.expect("stored");
        }
        journal
    }

    #[tokio::test]
    async fn a_record_that_has_begun_is_served_with_the_sites_it_has_alone() {
        check(&record_of(&[]).await, site("west")).await.expect("it begins");
        let group = record_of(&["main", "north"]).await;
        check(&group, site("main")).await.expect("the first one");
        check(&group, site("north")).await.expect("one that was begun since");
        let fault = check(&group, site("mian")).await.expect_err("a slip");
        assert!(fault.is::<NoSuchSite>());
        let (english, chinese) = (fault.to_string(), chinese(&fault));
        assert!(english.contains("no site mian in this record, which has main, north;"), "{english}");
        assert!(chinese.contains("没有站点 mian，只有 main, north；"), "{chinese}");
        let many = record_of(&["a", "b", "c", "d", "e", "f"]).await;
        let fault = check(&many, site("g")).await.expect_err("none of them");
        assert!(fault.to_string().contains("which has a, b, c, d, e, …;"), "{fault}");
    }
}
