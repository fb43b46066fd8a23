//! The record: its last decisions, snapshots, life, audit, and the clock beside it.

use std::path::Path;
use std::sync::Arc;

use session::{
    Audit, AuditFilter, AuditRow, Derived, Head, Journal, Registry, SNAPSHOT_STEP, SqliteStore, check_format,
    decode, newest_format, rows_holding,
};
use switchboard::id::{Seq, SiteId};

use super::{Finding, now_us, people, store};
use crate::chinese::chinese;
use crate::journal::unopened;
use crate::lang::Lang;
use crate::office::said::{Said, said};

/// So many of the last decisions are read.
const DECISIONS: u64 = 1_000;
/// So many of the audit's last rows are.
const AUDIT_ROWS: u64 = 100;
/// A clock is set by so much in good order.
const CLOCK_BACK_US: i64 = 1_000_000;

/// Everything that is read from the files.
pub(super) async fn look(data: &Path) -> Vec<Finding> {
    let mut findings = store::look(data).await;
    // Where the files cannot be used nothing in them is looked at.
    if findings.iter().all(|finding| finding.check != "sqlite") {
        return findings;
    }
    match SqliteStore::inspect(data).await {
        Ok(opened) => {
            let has_derived = opened.has_derived();
            findings.extend(sites(Arc::new(opened), has_derived).await);
        }
        Err(fault) => {
            let words = said(unopened(Lang::Zh, &fault), unopened(Lang::En, &fault));
            findings.push(Finding::bad("journal", words, restore()));
        }
    }
    findings
}

/// What the journals say, their audits and rosters with them.
pub(super) async fn sites<S>(store: Arc<S>, has_derived: bool) -> Vec<Finding>
where
    S: Journal + Derived + Audit + Registry + 'static,
{
    let sites = match store.heads().await {
        Ok(sites) if sites.is_empty() => {
            return vec![Finding::good("journal", said("还没有决定", "there is no decision yet"))];
        }
        Ok(sites) => sites,
        Err(fault) => return vec![unread("journal", &fault)],
    };
    let mut findings = Vec::new();
    for (site, _) in sites {
        let found = of_site(&store, has_derived, site).await;
        findings.extend(found.into_iter().map(|finding| finding.of(site)));
    }
    findings
}

/// What the journal of one site says, its audit and roster with it.
async fn of_site<S>(store: &Arc<S>, has_derived: bool, site: SiteId) -> Vec<Finding>
where
    S: Journal + Derived + Audit + Registry + 'static,
{
    let head = match store.head(site).await {
        Ok(head) => head,
        Err(fault) => return vec![unread("journal", &fault)],
    };
    let format = format(site, &head);
    if format.verdict != super::Verdict::Good {
        return vec![format];
    }
    let tail = tail(&**store, site, head.last_seq).await;
    let is_readable = tail.verdict == super::Verdict::Good;
    let mut findings = vec![format, tail];
    findings.push(snapshot(has_derived.then_some(&**store), site, head.last_seq).await);
    findings.extend([life(&head), clock(&head, now_us())]);
    findings.push(audit(&**store, site).await);
    if is_readable {
        findings.push(people::look(store, has_derived, site, head.last_seq).await);
    }
    findings
}

fn restore() -> Said {
    said(
        "用 `hotline journal verify` 查看全部日志；损坏时从备份恢复",
        "read all of it with `hotline journal verify`; if it is damaged, restore it from a backup",
    )
}

fn unread(check: &'static str, fault: &dyn std::fmt::Display) -> Finding {
    let words = said(format!("无法读取：{}", chinese(fault)), format!("it cannot be read: {fault}"));
    Finding::bad(check, words, restore())
}

async fn tail(store: &dyn Journal, site: SiteId, last: Seq) -> Finding {
    const CHECK: &str = "journal";
    let first = Seq(last.0.saturating_sub(DECISIONS - 1).max(1));
    let rows = match rows_holding(store, site, (first, last), |_| true).await {
        Ok(rows) => rows,
        Err(fault) => return unread(CHECK, &fault),
    };
    let mut after: Option<Seq> = None;
    for stored in &rows {
        let row = &stored.row;
        let gap = match after {
            Some(after) => row.seq != after.next(),
            None => row.seq > first,
        };
        if gap {
            let seq = row.seq.0;
            let words =
                said(format!("第 {seq} 号决定之前有缺口"), format!("decisions are missing before {seq}"));
            return Finding::bad(CHECK, words, restore());
        }
        if let Err(fault) = decode(row) {
            return unread(CHECK, &fault);
        }
        after = Some(row.last_seq);
    }
    let (first, last) = (first.0, last.0);
    let words = said(
        format!("第 {first} 到 {last} 号决定可读且没有缺口"),
        format!("decisions {first} to {last} can be read, without a gap"),
    );
    Finding::good(CHECK, words)
}

async fn snapshot(derived: Option<&impl Derived>, site: SiteId, last: Seq) -> Finding {
    const CHECK: &str = "snapshot";
    let mend = || {
        said(
            "启动只是变慢：重新启动服务器会生成新的快照；若仍如此，停止服务器后删除 derived.db",
            "only a start takes longer: restart the server, which makes new ones; if that does not help, stop it and \
             remove derived.db",
        )
    };
    let found = match derived {
        Some(derived) => derived.snapshot(site, last).await,
        None => Ok(None),
    };
    match found {
        Err(fault) => Finding::doubtful(
            CHECK,
            said(format!("无法读取快照：{}", chinese(&fault)), format!("snapshots cannot be read: {fault}")),
            mend(),
        ),
        Ok(Some(snapshot)) => {
            let behind = last.0.saturating_sub(snapshot.seq.0);
            let words = said(
                format!("最近的快照落后 {behind} 个决定"),
                format!("the last snapshot is {behind} decisions behind"),
            );
            match snapshot.open() {
                Err(fault) => Finding::doubtful(
                    CHECK,
                    said(
                        format!("最近的快照不能用：{}", chinese(&fault)),
                        format!("the last one is not used: {fault}"),
                    ),
                    mend(),
                ),
                Ok(_) if behind > 2 * SNAPSHOT_STEP => Finding::doubtful(CHECK, words, mend()),
                Ok(_) => Finding::good(CHECK, words),
            }
        }
        Ok(None) if last.0 > 2 * SNAPSHOT_STEP => {
            Finding::doubtful(CHECK, said("没有快照", "there is none"), mend())
        }
        Ok(None) => Finding::good(CHECK, said("还不需要快照", "none is needed yet")),
    }
}

fn life(head: &Head) -> Finding {
    let epoch = head.epoch.0;
    Finding::good("epoch", said(format!("纪元 {epoch}"), format!("life {epoch}")))
}

/// How the record is written, and whether this release reads that.
fn format(site: SiteId, head: &Head) -> Finding {
    const CHECK: &str = "format";
    let (format, newest) = (head.format, newest_format());
    if let Err(fault) = check_format(head.last_seq.0, format) {
        let words = said(chinese(&fault), fault.to_string());
        let mend = said(
            "安装写入它的版本或更新的版本，再启动服务器",
            "install the release that wrote it, or a later one, and start the server of that one",
        );
        return Finding::bad(CHECK, words, mend);
    }
    if format < newest {
        return Finding::good(
            CHECK,
            said(
                format!(
                    "格式 {format}；所有服务器都是本版后可升到 {newest}：hotline site raise-format {site}"
                ),
                format!(
                    "format {format}; can be raised to {newest} when every server is of this release: \
                     hotline site raise-format {site}"
                ),
            ),
        );
    }
    Finding::good(CHECK, said(format!("格式 {format}"), format!("format {format}")))
}

fn clock(head: &Head, now_us: i64) -> Finding {
    const CHECK: &str = "clock";
    let back_us = head.wall_us.saturating_sub(now_us);
    if back_us <= CLOCK_BACK_US {
        return Finding::good(CHECK, said("不早于最后一个决定", "not before the last decision"));
    }
    let seconds = back_us / 1_000_000;
    let words = said(
        format!("时钟比最后一个决定早 {seconds} 秒：它被调回过，或另一台服务器的时钟偏快"),
        format!(
            "the clock is {seconds} s before the last decision: it went back, or another server's is ahead"
        ),
    );
    let mend = said(
        "校准本机及其他服务器的时钟（NTP），然后再检查一次",
        "set the clocks of this machine and of the other servers right (NTP), and look again",
    );
    Finding::bad(CHECK, words, mend)
}

async fn audit(store: &impl Audit, site: SiteId) -> Finding {
    const CHECK: &str = "audit";
    let last = store.rows(site, &AuditFilter::default(), u64::MAX, 1).await;
    let last = match last.map(|rows| rows.first().map(|row| row.number)) {
        Ok(Some(last)) => last,
        Ok(None) => return Finding::good(CHECK, said("还没有记录", "there is no row yet")),
        Err(fault) => return unread(CHECK, &fault),
    };
    let after = last.saturating_sub(AUDIT_ROWS + 1);
    let rows = match store.chain(site, after, usize::try_from(AUDIT_ROWS + 1).unwrap_or(usize::MAX)).await {
        Ok(rows) => rows,
        Err(fault) => return unread(CHECK, &fault),
    };
    let first = rows.first().filter(|row| row.number == 1).map(|row| (None, row));
    let pairs = rows.iter().zip(rows.iter().skip(1)).map(|(before, row)| (Some(before), row));
    let broken = first
        .into_iter()
        .chain(pairs)
        .find(|(before, row)| AuditRow::behind(site, *before, row.entry.clone()) != **row);
    if let Some((_, row)) = broken {
        let number = row.number;
        let words = said(
            format!("第 {number} 条记录与前一条不相连"),
            format!("row {number} does not follow the one before it"),
        );
        let mend = said(
            format!("用站点 {site} 的令牌执行 `hotline audit verify` 查看全部记录，并查明谁改动过数据目录"),
            format!(
                "read all of it with `hotline audit verify` and a token of site {site}, and find out who changed the \
                 data directory"
            ),
        );
        return Finding::bad(CHECK, words, mend);
    }
    let words = said(
        format!("到第 {last} 条的最后 {} 条相连", rows.len()),
        format!("the last {} rows, up to {last}, follow each other", rows.len()),
    );
    Finding::good(CHECK, words)
}

#[cfg(test)]
mod tests {
    use session::Epoch;
    use switchboard::time::SiteTime;

    use super::*;
    use crate::doctor::Verdict;

    fn head() -> Head {
        Head {
            epoch: Epoch(1),
            last_seq: Seq(1),
            at: SiteTime(0),
            wall_us: 100_000_000,
            format: 1,
            store_us: 0,
            store_now_us: 0,
        }
    }

    #[test]
    fn a_format_of_a_later_release_is_bad_and_an_older_one_can_be_raised() {
        let site: SiteId = "main".parse().expect("a name");
        let found = |format: u32| super::format(site, &Head { format, ..head() });
        assert_eq!(found(session::FORMAT).words.of(Lang::En), "format 2");
        let older = found(1);
        assert_eq!(older.verdict, Verdict::Good);
        assert!(older.words.of(Lang::Zh).contains("hotline site raise-format main"), "{older:?}");
        let later = found(9);
        assert_eq!(later.verdict, Verdict::Bad);
        assert!(
            later.words.of(Lang::En).contains("written in format 9; this release reads 1 to 2"),
            "{later:?}"
        );
    }

    #[test]
    fn a_clock_that_went_back_is_told() {
        let head = head();
        assert_eq!(clock(&head, 100_000_000).verdict, Verdict::Good);
        assert_eq!(clock(&head, 99_000_000).verdict, Verdict::Good);
        let back = clock(&head, 90_000_000);
        assert_eq!(back.verdict, Verdict::Bad);
        assert!(back.words.of(Lang::En).contains("10 s"), "{back:?}");
    }
}
