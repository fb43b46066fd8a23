//! How fast the disk keeps what it is told to keep, and how much room it has.

use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Finding, Verdict};
use crate::chinese::chinese;
use crate::office::said::said;

const WRITES: usize = 20;
/// About an append of the journal.
const WRITE_BYTES: usize = 4096;

const SYNC_DOUBTFUL_ABOVE: Duration = Duration::from_millis(20);
const SYNC_BAD_ABOVE: Duration = Duration::from_millis(200);

const FREE_DOUBTFUL_BELOW: u64 = 1 << 30;
const FREE_BAD_BELOW: u64 = 100 << 20;

/// Speed and room.
pub(super) fn look(data: &Path) -> Vec<Finding> {
    vec![fsync(data), free(data)]
}

fn fsync(data: &Path) -> Finding {
    const CHECK: &str = "fsync";
    let median = match median(data) {
        Ok(median) => median,
        Err(fault) => {
            let words =
                said(format!("无法写入：{}", chinese(&fault)), format!("nothing can be written: {fault}"));
            let mend = said(
                "腾出空间，并让服务器的用户可以写入该目录",
                "make room, and make the directory writable for the user that the server runs as",
            );
            return Finding::bad(CHECK, words, mend);
        }
    };
    let ms = median.as_secs_f64() * 1_000.0;
    let words = said(
        format!("写入并落盘的中位数 {ms:.1} 毫秒（{WRITES} 次）"),
        format!("a write and its sync take {ms:.1} ms, the median of {WRITES}"),
    );
    let mend = said(
        "每个决定都要等待落盘：请使用更快的磁盘，或减少其他程序的写入",
        "every decision waits for this: use a faster disk, or let other programs write less to it",
    );
    found(CHECK, sync_verdict(median), words, mend)
}

fn sync_verdict(median: Duration) -> Verdict {
    match median {
        slow if slow > SYNC_BAD_ABOVE => Verdict::Bad,
        slow if slow > SYNC_DOUBTFUL_ABOVE => Verdict::Doubtful,
        _ => Verdict::Good,
    }
}

/// Of a file that goes with the end of this function.
fn median(data: &Path) -> io::Result<Duration> {
    let mut file = tempfile::Builder::new().prefix("doctor-").tempfile_in(data)?;
    let mut taken = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let begun = Instant::now();
        file.rewind()?;
        file.write_all(&[0; WRITE_BYTES])?;
        file.as_file().sync_data()?;
        taken.push(begun.elapsed());
    }
    taken.sort();
    Ok(taken[WRITES / 2])
}

fn free(data: &Path) -> Finding {
    const CHECK: &str = "disk";
    let mend = said("腾出空间：日志只会增长", "make room: the journal only grows");
    match rustix::fs::statvfs(data) {
        Ok(about) => {
            let free = about.f_bavail.saturating_mul(about.f_frsize);
            let mib = free >> 20;
            let words = said(format!("剩余 {mib} MiB"), format!("{mib} MiB are free"));
            found(CHECK, room_verdict(free), words, mend)
        }
        Err(fault) => {
            let words = said(
                format!("无法得知剩余空间：{}", chinese(fault)),
                format!("room cannot be told: {fault}"),
            );
            Finding::doubtful(CHECK, words, mend)
        }
    }
}

fn room_verdict(free: u64) -> Verdict {
    match free {
        little if little < FREE_BAD_BELOW => Verdict::Bad,
        little if little < FREE_DOUBTFUL_BELOW => Verdict::Doubtful,
        _ => Verdict::Good,
    }
}

fn found(
    check: &'static str,
    verdict: Verdict,
    words: crate::office::said::Said,
    mend: crate::office::said::Said,
) -> Finding {
    match verdict {
        Verdict::Good => Finding::good(check, words),
        Verdict::Doubtful => Finding::doubtful(check, words, mend),
        Verdict::Bad => Finding::bad(check, words, mend),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_doubt_begins_and_where_it_ends() {
        let ms = Duration::from_millis;
        assert_eq!(
            [ms(20), ms(21), ms(200), ms(201)].map(sync_verdict),
            [Verdict::Good, Verdict::Doubtful, Verdict::Doubtful, Verdict::Bad]
        );
        let (gib, part) = (1 << 30, 100 << 20);
        assert_eq!(
            [gib, gib - 1, part, part - 1].map(room_verdict),
            [Verdict::Good, Verdict::Doubtful, Verdict::Doubtful, Verdict::Bad]
        );
    }
}
