//! The roster: whether it can be read, names people who are there, and leaves no open hour without anybody.

use std::sync::Arc;

use routing::{GAP_DAYS, Staffing};
use session::{Derived, Journal, Registry};
use switchboard::id::{Seq, SiteId};

use super::{Finding, now_us};
use crate::chinese::chinese;
use crate::office::said::{Said, said};

const CHECK: &str = "roster";

/// What is wrong with the roster in force, after the journal's last decision.
pub(super) async fn look<S>(store: &Arc<S>, has_derived: bool, site: SiteId, last: Seq) -> Finding
where
    S: Journal + Derived + Registry + 'static,
{
    let kept = match store.roster(site).await {
        Ok(Some(kept)) => kept,
        Ok(None) => return Finding::good(CHECK, said("没有排班表", "there is none")),
        Err(fault) => return unread(&fault),
    };
    let journal: Arc<dyn Journal> = store.clone();
    let derived: Arc<dyn Derived> = store.clone();
    let derived = has_derived.then_some(&derived);
    let switchboard = match exchange::past(&journal, derived, site, last).await {
        Ok(switchboard) => switchboard,
        Err(fault) => return unread(&fault),
    };
    if switchboard.state().retired {
        let words = said("站点已停用，不再按排班表排班", "it is retired, and follows no roster any more");
        return Finding::good(CHECK, words);
    }
    let (staffing, revision) = (Staffing::of(switchboard.state()), kept.revision);
    let parsed = match staffing.parsed(&kept.text) {
        Ok(parsed) => parsed,
        Err(faults) => {
            let first = faults.findings.first();
            let (reason, line) = first.map_or(("", 0), |fault| (fault.reason.as_str(), fault.line));
            let count = faults.findings.len() + faults.left_out;
            let words = said(
                format!("排班表第 {revision} 版有 {count} 处不能用；第 {line} 行：{}", chinese(reason)),
                format!("revision {revision} has {count} faults; line {line}: {reason}"),
            );
            return Finding::bad(CHECK, words, again(site));
        }
    };
    let gaps = staffing.gaps(&parsed.roster, now_us());
    let Some(first) = gaps.warnings.first() else {
        let words = said(
            format!("第 {revision} 版，未来 {GAP_DAYS} 天没有空缺"),
            format!("revision {revision}, no gap in the next {GAP_DAYS} days"),
        );
        return Finding::good(CHECK, words);
    };
    let more = gaps.warnings.len() - 1 + gaps.left_out;
    let words = said(format!("{}；另有 {more} 处", first.zh), format!("{}; and {more} more", first.en));
    Finding::doubtful(CHECK, words, again(site))
}

/// Whose roster a command gets and gives is said by the token alone.
fn again(site: SiteId) -> Said {
    said(
        format!("用站点 {site} 的令牌：以 `hotline roster get` 取出，改正后用 `hotline roster apply` 应用"),
        format!(
            "with a token of site {site}, take it with `hotline roster get`, mend it, and give it with `hotline roster \
             apply`"
        ),
    )
}

fn unread(fault: &dyn std::fmt::Display) -> Finding {
    let words = said(format!("无法读取：{}", chinese(fault)), format!("it cannot be read: {fault}"));
    let mend = said(
        "排班表本身未必有误：先看 `hotline journal verify` 对这个目录怎么说",
        "the roster itself may be well: see first what `hotline journal verify` says of this directory",
    );
    Finding::bad(CHECK, words, mend)
}
