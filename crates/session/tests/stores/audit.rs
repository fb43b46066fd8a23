//! The audit: rows in order, found again by who, what, object and time.

use std::collections::BTreeSet;

use session::{Audit, AuditBreak, AuditEntry, AuditFilter, AuditWalk, let_audit_go, walk_audit};
use switchboard::canonical::Hash;
use switchboard::id::SiteId;

/// Runs the whole suite on a fresh store.
pub(crate) async fn suite(audit: &dyn Audit) {
    let north: SiteId = "north".parse().expect("a name");
    assert_eq!(walk_audit(audit, main(), None).await, Ok(AuditWalk::default()));
    assert_eq!(audit.ends().await, Ok(Vec::new()));
    for n in 1..=6 {
        let who = if n % 2 == 0 { "ana" } else { "bo" };
        let what = if n % 3 == 0 { "line.close" } else { "line.open" };
        let row = audit.record(main(), act(n, who, what, &format!("line:l{n}"))).await.expect("recorded");
        assert_eq!(row.number, n.unsigned_abs());
    }
    audit.record(north, act(7, "ana", "line.open", "line:l1")).await.expect("recorded");
    assert_eq!(audit.ends().await, Ok(vec![(main(), 6), (north, 1)]), "of each site where it ends");
    let numbers = async |filter: AuditFilter, before, most| {
        let rows = audit.rows(main(), &filter, before, most).await.expect("readable");
        rows.iter().map(|row| row.number).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(numbers(all(), u64::MAX, 4).await, [6, 5, 4, 3], "latest first");
    assert_eq!(numbers(all(), 3, 4).await, [2, 1]);
    assert_eq!(numbers(AuditFilter { who: "ana".into(), ..all() }, u64::MAX, 9).await, [6, 4, 2]);
    assert_eq!(numbers(AuditFilter { what: "line.close".into(), ..all() }, u64::MAX, 9).await, [6, 3]);
    assert_eq!(numbers(AuditFilter { object: "line:l5".into(), ..all() }, u64::MAX, 9).await, [5]);
    assert_eq!(numbers(AuditFilter { role: "supervisor".into(), ..all() }, u64::MAX, 9).await, [0; 0]);
    let times = AuditFilter { from_us: Some(2), until_us: Some(4), ..all() };
    assert_eq!(numbers(times, u64::MAX, 9).await, [3, 2]);

    let chain = audit.chain(main(), 2, 3).await.expect("readable");
    assert_eq!(chain.iter().map(|row| row.number).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(chain[0].entry, act(3, "bo", "line.close", "line:l3"));
    let hashes: BTreeSet<Hash> = chain.iter().map(|row| row.hash).collect();
    assert_eq!(hashes.len(), 3);
    let walk = walk_audit(audit, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (6, 6, None));
    let elsewhere = walk_audit(audit, north, None).await.expect("readable");
    assert_eq!((elsewhere.rows, elsewhere.head, elsewhere.broken), (1, 1, None));

    let by = || AuditEntry { wall_us: 8, role: "server".into(), ..AuditEntry::default() };
    assert_eq!(let_audit_go(audit, main(), 1, by()).await, Ok(None), "nothing is so old");
    assert_eq!(let_audit_go(audit, main(), 4, by()).await, Ok(Some(3)));
    let walk = walk_audit(audit, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (4, 7, None), "what is left begins where a row says");
    let knowing = async |known| walk_audit(audit, main(), Some(known)).await.expect("readable");
    assert!(knowing((2, Hash::default())).await.known_was_let_go);
    let last = knowing((3, chain[0].hash)).await;
    assert_eq!((last.known_was_let_go, last.broken), (false, None));
    assert_eq!(knowing((3, Hash::default())).await.broken, Some(AuditBreak::Rewritten(3)));
    assert_eq!(let_audit_go(audit, main(), i64::MAX, by()).await, Ok(Some(7)), "even what says so");
    let walk = walk_audit(audit, main(), None).await.expect("readable");
    assert_eq!((walk.rows, walk.head, walk.broken), (1, 8, None));
    audit.drop_through(north, 1).await.expect("dropped");
    assert_eq!(audit.ends().await, Ok(vec![(main(), 8)]), "a site without rows has no end");
    audit.record(north, act(9, "ana", "line.open", "line:l1")).await.expect("recorded");
    let begun_anew = walk_audit(audit, north, Some((1, elsewhere.hash))).await.expect("readable");
    assert_eq!(begun_anew.broken, Some(AuditBreak::Rewritten(1)));
}

pub(crate) fn act(wall_us: i64, who: &str, what: &str, object: &str) -> AuditEntry {
    AuditEntry {
        wall_us,
        role: "admin".to_owned(),
        who: who.to_owned(),
        what: what.to_owned(),
        object: object.to_owned(),
        why: "夜班".to_owned(),
        outcome: AuditEntry::ASKED.to_owned(),
        ..AuditEntry::default()
    }
}

pub(crate) fn main() -> SiteId {
    "main".parse().expect("a name")
}
