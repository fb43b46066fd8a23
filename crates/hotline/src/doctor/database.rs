//! The database that is shared with other servers, if one is configured, and the record in it.

use std::sync::Arc;

use session::{PostgresCheckup, PostgresFault, PostgresStore};

use super::{Finding, record};
use crate::chinese::translated;
use crate::lang::Lang;
use crate::office::said::{Said, said};
use crate::postgres::{Address, unopened_at};

const CHECK: &str = "postgres";
/// The site's time is the database's: a server beside it whose clock is further away tells wrong times in its log.
const CLOCKS_APART_US: i64 = 1_000_000;

fn told(address: &Address, fault: &PostgresFault) -> Said {
    said(unopened_at(Lang::Zh, address, fault), unopened_at(Lang::En, address, fault))
}

/// Whether the database can be used by this release, and everything that is read from it.
pub(super) async fn look(address: &Address) -> Vec<Finding> {
    let store = match PostgresStore::open(address.reveal()).await {
        Ok(store) => store,
        Err(fault) => {
            let words = told(address, &fault);
            return vec![Finding::bad(CHECK, words, again())];
        }
    };
    let mut findings = match store.check_up().await {
        Ok(checkup) => vec![judged(&checkup), clocks(&checkup)],
        Err(fault) => {
            let words = told(address, &fault);
            return vec![Finding::bad(CHECK, words, again())];
        }
    };
    findings.extend(record::sites(Arc::new(store), true).await);
    findings
}

/// The file with the address cannot be read.
pub(super) fn unnamed(fault: &anyhow::Error) -> Finding {
    Finding::bad(CHECK, translated(format!("{fault:#}")), again())
}

fn again() -> Said {
    said("按上文所述处理后再检查一次", "do what it says and look again")
}

fn judged(checkup: &PostgresCheckup) -> Finding {
    let PostgresCheckup { server, version, unsafe_settings, has_standby, answers_within, .. } = checkup;
    if !unsafe_settings.is_empty() {
        let off = unsafe_settings.join(", ");
        let words = said(
            format!("{server} 关闭了 {off}：断电会丢失已确认的内容"),
            format!("{server} has turned off {off}: a power cut loses what was acknowledged"),
        );
        let mend = said(
            format!("在 postgresql.conf 中打开 {off} 并重新启动数据库"),
            format!("turn {off} on in postgresql.conf and restart the database"),
        );
        return Finding::bad(CHECK, words, mend);
    }
    let ms = answers_within.as_secs_f64() * 1_000.0;
    let (zh, en) = if *has_standby {
        ("有同步备库", "a standby has what is acknowledged")
    } else {
        ("没有同步备库", "no standby has what is acknowledged")
    };
    Finding::good(
        CHECK,
        said(
            format!("{server}，Postgres {version}，{ms:.1} 毫秒内应答，{zh}"),
            format!("{server}, Postgres {version}, answers within {ms:.1} ms, {en}"),
        ),
    )
}

fn clocks(checkup: &PostgresCheckup) -> Finding {
    const CHECK: &str = "clocks";
    let ahead = checkup.clock_ahead_us;
    if ahead.saturating_abs() <= CLOCKS_APART_US {
        return Finding::good(CHECK, said("与数据库的时钟一致", "this machine and the database agree"));
    }
    let seconds = ahead.unsigned_abs() / 1_000_000;
    let (zh, en) = if ahead > 0 { ("快", "ahead of") } else { ("慢", "behind") };
    let words = said(
        format!("数据库的时钟比本机{zh} {seconds} 秒"),
        format!("the database's clock is {seconds} s {en} this machine's"),
    );
    let mend = said("在两台机器上校准时钟（NTP）", "set the clocks of both machines right (NTP)");
    Finding::doubtful(CHECK, words, mend)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::doctor::Verdict;

    fn checkup() -> PostgresCheckup {
        PostgresCheckup {
            server: "127.0.0.1:5432/hotline".to_owned(),
            version: "15.8".to_owned(),
            unsafe_settings: Vec::new(),
            has_standby: false,
            clock_ahead_us: 0,
            answers_within: Duration::from_micros(300),
        }
    }

    #[test]
    fn what_may_lose_something_is_bad() {
        assert_eq!(judged(&checkup()).verdict, Verdict::Good);
        let off = PostgresCheckup { unsafe_settings: vec!["fsync".to_owned()], ..checkup() };
        let found = judged(&off);
        assert_eq!(found.verdict, Verdict::Bad);
        assert!(found.words.of(Lang::En).contains("fsync"), "{found:?}");
    }

    #[test]
    fn clocks_that_are_apart_are_told() {
        let found = |clock_ahead_us| clocks(&PostgresCheckup { clock_ahead_us, ..checkup() });
        for together in [-1_000_000, 0, 1_000_000] {
            assert_eq!(found(together).verdict, Verdict::Good, "{together}");
        }
        for (apart, en, zh) in [
            (5_400_000, "5 s ahead of this machine's", "比本机快 5 秒"),
            (-1_000_001, "1 s behind this machine's", "比本机慢 1 秒"),
            (-259_200_000_000, "259200 s behind this machine's", "比本机慢 259200 秒"),
        ] {
            let Finding { verdict, words, mend, .. } = found(apart);
            assert_eq!(verdict, Verdict::Doubtful, "{apart}");
            assert_eq!(words.of(Lang::En), format!("the database's clock is {en}"));
            assert_eq!(words.of(Lang::Zh), format!("数据库的时钟{zh}"));
            let mend = mend.expect("what is doubtful can be mended");
            assert!([Lang::En, Lang::Zh].into_iter().all(|lang| mend.of(lang).contains("NTP")), "{mend:?}");
        }
    }
}
