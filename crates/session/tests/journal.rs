//! Where a site's time goes on from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use session::{FORMAT, Journal, MemoryJournal, Row, Writer};
use switchboard::id::{Seq, SiteId};
use switchboard::time::{SiteTime, Span};

#[tokio::test]
async fn site_time_goes_on_while_nobody_runs_and_never_back() {
    let store_us = Arc::new(AtomicI64::new(1_000_000));
    let clock = Arc::clone(&store_us);
    let journal = MemoryJournal::with_store_clock(move || clock.load(Ordering::Relaxed));
    let site: SiteId = "main".parse().unwrap();
    let row = Row {
        seq: Seq(1),
        last_seq: Seq(1),
        at: SiteTime(0) + Span::secs(100),
        wall_us: 0,
        writer: Writer::new("test"),
        format: FORMAT,
        body: "[]".to_owned(),
    };
    journal.append(site, &row).await.unwrap();
    store_us.store(8_000_000, Ordering::Relaxed);
    assert_eq!(journal.head(site).await.unwrap().site_now(), SiteTime(0) + Span::secs(107));
    store_us.store(500_000, Ordering::Relaxed);
    assert_eq!(journal.head(site).await.unwrap().site_now(), SiteTime(0) + Span::secs(100));
}
