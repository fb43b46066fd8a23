//! Finding a place in a long journal without reading all of it.

use switchboard::id::{Seq, SiteId};

use crate::journal::{Journal, JournalFault, Row, StoredRow};

/// Rows read at once.
const PAGE: usize = 256;

/// How far before the decision sought the first page begins: most rows have fewer decisions.
const LOOK_BACK: u64 = 64;

/// The rows that hold the decisions from `first` to `last`, in order; of these only those that are `wanted`.
///
/// # Errors
/// [`JournalFault`].
pub async fn rows_holding(
    journal: &dyn Journal,
    site: SiteId,
    (first, last): (Seq, Seq),
    wanted: impl Fn(&Row) -> bool,
) -> Result<Vec<StoredRow>, JournalFault> {
    let mut found = Vec::new();
    let mut after = row_before(journal, site, first).await?;
    while after < last {
        let rows = journal.tail(site, after, PAGE).await?;
        let Some(end) = rows.last() else { break };
        after = end.row.last_seq;
        let holds = |row: &Row| row.last_seq >= first && row.seq <= last;
        found.extend(rows.into_iter().filter(|stored| holds(&stored.row) && wanted(&stored.row)));
    }
    Ok(found)
}

/// Some decision behind which the row that holds `seq` stands, and not far before it.
async fn row_before(journal: &dyn Journal, site: SiteId, seq: Seq) -> Result<Seq, JournalFault> {
    let mut back = LOOK_BACK;
    loop {
        let after = Seq(seq.0.saturating_sub(back));
        let begins = journal.tail(site, after, 1).await?.first().map(|stored| stored.row.seq);
        if after == Seq(0) || begins.is_some_and(|begins| begins <= seq) {
            return Ok(after);
        }
        // The decision sought stands in a row that begins before the page.
        back = back.saturating_mul(2);
    }
}

/// The last decision that was stored when the wall clock showed at most `wall_us`, in microseconds since 1970 UTC; 0 if
/// there was none. Where that clock went back this is one of the decisions that were.
///
/// # Errors
/// [`JournalFault`].
pub async fn last_by_wall(journal: &dyn Journal, site: SiteId, wall_us: i64) -> Result<Seq, JournalFault> {
    let (mut by_then, mut later) = (Seq(0), journal.head(site).await?.last_seq);
    while by_then < later {
        let middle = Seq(by_then.0.midpoint(later.0));
        match journal.tail(site, middle, 1).await?.first() {
            Some(StoredRow { row, .. }) if row.wall_us <= wall_us => by_then = row.last_seq,
            _ if middle == by_then => return Ok(by_then),
            _ => later = middle,
        }
    }
    Ok(by_then)
}

#[cfg(test)]
mod tests {
    use switchboard::time::SiteTime;

    use super::*;
    use crate::journal::{Appended, Writer};
    use crate::memory::MemoryJournal;

    /// Rows of these lengths, each stored ten microseconds after the one before.
    async fn journal(lengths: &[u64]) -> (MemoryJournal, SiteId) {
        let (journal, site) = (MemoryJournal::new(), "main".parse().expect("a name"));
        let (mut seq, mut wall_us) = (Seq(0), 0);
        for length in lengths {
            wall_us += 10;
            let row = Row {
                seq: seq.next(),
                last_seq: Seq(seq.0 + length),
                at: SiteTime(0),
                wall_us,
                writer: Writer::new("test"),
                format: crate::FORMAT,
                body: String::new(),
            };
            seq = row.last_seq;
            assert_eq!(journal.append(site, &row).await, Ok(Appended::Stored));
        }
        (journal, site)
    }

    #[tokio::test]
    async fn every_stretch_is_found_in_rows_of_any_length() {
        let lengths: Vec<u64> = (0..400).map(|n| if n % 97 == 5 { 700 } else { n % 3 + 1 }).collect();
        let (journal, site) = journal(&lengths).await;
        let all = journal.tail(site, Seq(0), usize::MAX).await.expect("readable");
        let last = all[all.len() - 1].row.last_seq.0;
        for first in (1..=last).step_by(37) {
            for length in [0, 1, 60, 900, last] {
                let stretch = (Seq(first), Seq((first + length).min(last)));
                let found = rows_holding(&journal, site, stretch, |_| true).await.expect("readable");
                let holds = |row: &Row| row.last_seq >= stretch.0 && row.seq <= stretch.1;
                let expected: Vec<StoredRow> = all.iter().filter(|row| holds(&row.row)).cloned().collect();
                assert_eq!(found, expected, "{stretch:?}");
            }
        }
        let of_one = rows_holding(&journal, site, (Seq(1), Seq(last)), |row| row.seq == Seq(2)).await;
        assert_eq!(of_one.expect("readable").len(), 1);
    }

    #[tokio::test]
    async fn a_moment_of_the_wall_clock_is_found() {
        let (journal, site) = journal(&[1, 64, 2, 700, 1, 3]).await;
        let all = journal.tail(site, Seq(0), usize::MAX).await.expect("readable");
        for wall_us in 0..=70 {
            let by_then = all.iter().take_while(|stored| stored.row.wall_us <= wall_us).last();
            let expected = by_then.map_or(Seq(0), |stored| stored.row.last_seq);
            let found = last_by_wall(&journal, site, wall_us).await.expect("readable");
            assert_eq!(found, expected, "{wall_us}");
        }
    }
}
