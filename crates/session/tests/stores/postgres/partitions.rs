//! Partitioned by site as docs/postgres.md says, everything is as before.

use session::{Appended, Journal};
use switchboard::id::Seq;

use super::{again, main, number, opened, row};
use crate::server::{ask, with_database};

const DOCUMENT: &str = include_str!("../../../../../docs/postgres.md");

/// The statements of the document that begin with these words.
fn documented(begin: &str) -> &'static str {
    let blocks =
        DOCUMENT.split("```sql\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    blocks.into_iter().find(|block| block.starts_with(begin)).expect("the document shows it")
}

#[tokio::test]
async fn a_journal_partitioned_by_hash_or_by_list_is_the_same_journal() {
    for begin in ["-- by hash", "-- by list"] {
        with_database(move |url| async move {
            let store = opened(&url).await;
            for n in 1..=3 {
                assert_eq!(store.append(main(), &row(n, n, "before")).await, Ok(Appended::Stored));
            }
            let before = store.tail(main(), Seq(0), 9).await.expect("readable");
            drop(store);
            ask(&url, documented(begin)).await;
            let parts = "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = 'hotline.journal'::regclass";
            assert!(number(&url, parts).await >= 3, "{begin}");
            let store = again(&url).await;
            assert_eq!(store.tail(main(), Seq(0), 9).await, Ok(before), "{begin}: to the letter");
            assert_eq!(store.append(main(), &row(3, 3, "after")).await, Ok(Appended::Lost), "{begin}");
            assert_eq!(store.append(main(), &row(4, 4, "after")).await, Ok(Appended::Stored), "{begin}");
            crate::journal::suite(&*store).await;
        })
        .await;
    }
}
