//! The journal.

use session::{Appended, FORMAT, Journal, JournalFault, Row, Writer};
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;

/// Runs the whole suite on a fresh store.
pub(crate) async fn suite(store: &dyn Journal) {
    empty(store).await;
    rows_follow_each_other(store).await;
    the_first_writer_wins(store).await;
    sites_are_apart(store).await;
    a_tail_comes_in_pages(store).await;
    a_gap_is_a_fault(store).await;
    every_site_and_its_end_is_told(store).await;
}

async fn empty(store: &dyn Journal) {
    let head = store.head(site("empty")).await.unwrap();
    assert_eq!((head.last_seq, head.at), (Seq(0), SiteTime(0)));
    assert_eq!(head.site_now(), SiteTime(0), "the site's time begins with its first decision");
    assert_eq!(store.tail(site("empty"), Seq(0), 10).await.unwrap(), []);
}

async fn rows_follow_each_other(store: &dyn Journal) {
    let site = site("follow");
    let rows = [row(1, 3, "a"), row(4, 4, "b"), row(5, 9, "a")];
    for row in &rows {
        assert_eq!(store.append(site, row).await, Ok(Appended::Stored));
    }
    let stored = store.tail(site, Seq(0), 10).await.unwrap();
    assert!(stored.iter().map(|s| &s.row).eq(&rows));
    assert!(stored.is_sorted_by_key(|s| s.store_us));
    let behind_first = store.tail(site, Seq(3), 10).await.unwrap();
    assert_eq!(behind_first, stored[1..]);
    let head = store.head(site).await.unwrap();
    assert_eq!((head.last_seq, head.at, head.wall_us), (Seq(9), rows[2].at, rows[2].wall_us));
    assert_eq!(head.store_us, stored[2].store_us);
    assert!(head.store_now_us >= head.store_us);
    assert!(head.site_now() >= rows[2].at);
}

async fn the_first_writer_wins(store: &dyn Journal) {
    let site = site("contest");
    assert_eq!(store.append(site, &row(1, 2, "a")).await, Ok(Appended::Stored));
    assert_eq!(store.append(site, &row(1, 1, "b")).await, Ok(Appended::Lost));
    assert_eq!(store.append(site, &row(1, 2, "a")).await, Ok(Appended::Lost), "not even the same row again");
    let stored = store.tail(site, Seq(0), 10).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].row, row(1, 2, "a"), "nothing of the lost append is left");
    assert_eq!(store.append(site, &row(3, 3, "b")).await, Ok(Appended::Stored));
}

async fn sites_are_apart(store: &dyn Journal) {
    assert_eq!(store.append(site("here"), &row(1, 1, "a")).await, Ok(Appended::Stored));
    assert_eq!(store.append(site("there"), &row(1, 1, "b")).await, Ok(Appended::Stored));
    assert_eq!(store.tail(site("there"), Seq(0), 10).await.unwrap()[0].row, row(1, 1, "b"));
    assert_eq!(store.head(site("here")).await.unwrap().epoch, store.head(site("there")).await.unwrap().epoch);
}

async fn a_tail_comes_in_pages(store: &dyn Journal) {
    let site = site("pages");
    for n in 1..=7 {
        store.append(site, &row(n, n, "a")).await.unwrap();
    }
    let mut after = Seq(0);
    let mut seen = Vec::new();
    loop {
        let page = store.tail(site, after, 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = last.row.last_seq;
        seen.extend(page.iter().map(|s| s.row.seq.0));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}

async fn a_gap_is_a_fault(store: &dyn Journal) {
    let site = site("gap");
    store.append(site, &row(1, 2, "a")).await.unwrap();
    let refused = store.append(site, &row(4, 4, "a")).await;
    assert_eq!(refused, Err(JournalFault::Gap { seq: Seq(4), last_seq: Seq(2) }));
    assert_eq!(store.tail(site, Seq(0), 10).await.unwrap().len(), 1);
    let inside = store.append(site, &row(2, 2, "a")).await;
    assert_eq!(inside, Err(JournalFault::Gap { seq: Seq(2), last_seq: Seq(2) }), "no row begins there");
    let backwards = store.append(site, &Row { last_seq: Seq(2), ..row(3, 3, "a") }).await;
    assert!(matches!(backwards, Err(JournalFault::Gap { seq: Seq(3), .. })), "{backwards:?}");
    let first = store.append(self::site("late"), &row(5, 5, "a")).await;
    assert_eq!(first, Err(JournalFault::Gap { seq: Seq(5), last_seq: Seq(0) }));
}

async fn every_site_and_its_end_is_told(store: &dyn Journal) {
    let ends = [("contest", 3), ("follow", 9), ("gap", 2), ("here", 1), ("pages", 7), ("there", 1)];
    let ends = ends.map(|(name, end)| (site(name), Seq(end)));
    let mut told = store.heads().await.unwrap();
    // Some stores come here with a site that has decisions already.
    told.retain(|(site, _)| *site != self::site("main"));
    assert_eq!(told, ends, "by name, and nobody who only asked");
}

pub(crate) fn site(name: &str) -> SiteId {
    name.parse().expect("a name")
}

pub(crate) fn row(seq: u64, last_seq: u64, writer: &str) -> Row {
    Row {
        seq: Seq(seq),
        last_seq: Seq(last_seq),
        at: SiteTime(last_seq * 1_000_000),
        wall_us: 1_649_001_600_000_000,
        writer: Writer::new(writer),
        format: FORMAT,
        body: format!("[\"{writer} wrote {seq} to {last_seq}: 热线\"]"),
    }
}
