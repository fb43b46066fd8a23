//! Several processes on one database: each opens a store of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use session::{
    Appended, Audit, AuditEntry, CallerNumber, Callers, Derived, DerivedFault, Journal, JournalFault,
    PostgresCallers, PostgresStore, RecordCursor, Row, RowMark, Snapshot, Subjects, Writer, walk_audit,
};
use switchboard::canonical::Hash;
use switchboard::id::{CallerRef, Seq, SiteId};
use switchboard::state::State;

use super::{END_ALL, again, main, number, opened, row};
use crate::server::with_database;

const EACH: usize = 60;
/// More connections than this are ended while somebody appends.
const ENDED: i64 = 20;

/// One that appends until so many of its rows stand and it is told that this is enough, catching up behind every one that
/// it lost. Answers where they begin.
async fn contend(store: Arc<PostgresStore>, name: String, is_enough: Arc<AtomicBool>) -> Vec<Seq> {
    let (mut last, mut acknowledged) = (Seq(0), Vec::new());
    while acknowledged.len() < EACH || !is_enough.load(Ordering::Relaxed) {
        // Rows of several decisions: where one begins, another may not.
        let length = acknowledged.len() as u64 % 3;
        let mine = row(last.0 + 1, last.0 + 1 + length, &name);
        let mut answer = store.append(main(), &mine).await;
        let mut may_be_there = false;
        while let Err(JournalFault::OutcomeUnknown(_) | JournalFault::Unavailable(_)) = answer {
            may_be_there |= matches!(answer, Err(JournalFault::OutcomeUnknown(_)));
            answer = store.append(main(), &mine).await;
        }
        match answer.expect("stored or lost") {
            Appended::Stored | Appended::Awaited => {
                acknowledged.push(mine.seq);
                last = mine.last_seq;
            }
            Appended::Lost => loop {
                let Ok(tail) = store.tail(main(), last, 100).await else { continue };
                if may_be_there && tail.iter().any(|stored| stored.row == mine) {
                    acknowledged.push(mine.seq);
                }
                last = tail.last().expect("somebody was first").row.last_seq;
                break;
            },
        }
    }
    acknowledged
}

/// Every row follows the one before, and everything that was acknowledged is there, once.
async fn checked(store: &PostgresStore, acknowledged: &[(String, Vec<Seq>)]) {
    let rows = store.tail(main(), Seq(0), usize::MAX).await.expect("readable");
    let mut last = Seq(0);
    for stored in &rows {
        assert_eq!(stored.row.seq, last.next(), "no gap, and nothing twice");
        last = stored.row.last_seq;
    }
    for (name, seqs) in acknowledged {
        let written = rows.iter().filter(|stored| stored.row.writer.as_str() == name);
        let written: Vec<Seq> = written.map(|stored| stored.row.seq).collect();
        assert_eq!(&written, seqs, "{name}: what was acknowledged, no more and no less");
    }
    assert_eq!(rows.len(), acknowledged.iter().map(|(_, seqs)| seqs.len()).sum::<usize>());
}

async fn contest(url: &str, is_disturbed: bool) {
    opened(url).await;
    let mut contending = Vec::new();
    let is_enough = Arc::new(AtomicBool::new(!is_disturbed));
    for n in 0..3 {
        let (name, store) = (format!("router-{n}"), again(url).await);
        contending.push((name.clone(), tokio::spawn(contend(store, name, Arc::clone(&is_enough)))));
    }
    let (mut ended, mut rows) = (0, 0);
    while is_disturbed && !contending.iter().all(|(_, task)| task.is_finished()) {
        // Whoever is never let go on never comes to an end.
        let now = number(url, "SELECT COUNT(*) FROM hotline.journal").await;
        if now >= rows + 8 {
            rows = now;
            ended += number(url, END_ALL).await;
            is_enough.store(ended > ENDED, Ordering::Relaxed);
        }
    }
    let mut acknowledged = Vec::new();
    for (name, task) in contending {
        acknowledged.push((name, task.await.expect("nobody stopped")));
    }
    checked(&*again(url).await, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_that_write_to_one_site_leave_one_history() {
    with_database(|url| async move { contest(&url, false).await }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_ended_in_the_middle_lose_nothing_and_double_nothing() {
    with_database(|url| async move { contest(&url, true).await }).await;
}

#[tokio::test]
async fn what_another_appended_is_a_loss_and_never_a_gap() {
    with_database(|url| async move {
        let (one, two) = (opened(&url).await, again(&url).await);
        assert_eq!(one.append(main(), &row(1, 2, "one")).await, Ok(Appended::Stored));
        assert_eq!(two.append(main(), &row(1, 1, "two")).await, Ok(Appended::Lost));
        assert_eq!(two.append(main(), &row(3, 3, "two")).await, Ok(Appended::Stored));
        // What the first one knows of the end is old, whichever row it comes with.
        assert_eq!(one.append(main(), &row(3, 5, "one")).await, Ok(Appended::Lost));
        assert_eq!(two.append(main(), &row(4, 6, "two")).await, Ok(Appended::Stored));
        assert_eq!(one.append(main(), &row(7, 7, "one")).await, Ok(Appended::Stored), "it has caught up");
        assert_eq!(one.append(main(), &row(4, 4, "one")).await, Ok(Appended::Lost));
        let gap = one.append(main(), &row(9, 9, "one")).await;
        assert_eq!(gap, Err(JournalFault::Gap { seq: Seq(9), last_seq: Seq(7) }));
        let inside = two.append(main(), &row(5, 5, "two")).await;
        assert_eq!(inside, Err(JournalFault::Gap { seq: Seq(5), last_seq: Seq(7) }));
        assert_eq!(one.head(main()).await.expect("readable").last_seq, Seq(7));
        assert_eq!(one.heads().await, Ok(vec![(main(), Seq(7))]));
    })
    .await;
}

#[tokio::test]
async fn who_waits_for_a_turn_is_seen_until_it_went_or_its_connection_is_gone() {
    with_database(|url| async move {
        let (one, two, three) = (opened(&url).await, again(&url).await, again(&url).await);
        let (me, other) = (Writer::new("me"), "there".parse().expect("a name"));
        let mut seq = 0;
        let mut appended = async || {
            seq += 1;
            one.append(main(), &row(seq, seq, "one")).await
        };
        assert_eq!(appended().await, Ok(Appended::Stored));
        for _ in 0..2 {
            two.wait_for_turn(main(), &me, true).await;
        }
        three.wait_for_turn(main(), &me, true).await;
        assert_eq!(appended().await, Ok(Appended::Awaited));
        assert!(one.is_awaited(main(), &me).await);
        assert!(two.is_awaited(main(), &me).await, "by the third");
        assert_eq!(one.append(other, &row(1, 1, "one")).await, Ok(Appended::Stored), "of another site");
        three.wait_for_turn(main(), &me, false).await;
        assert!(!two.is_awaited(main(), &me).await, "its own is no other's");
        assert_eq!(appended().await, Ok(Appended::Awaited));
        // However often it was said.
        two.wait_for_turn(main(), &me, false).await;
        assert_eq!(appended().await, Ok(Appended::Stored));
        two.wait_for_turn(main(), &me, true).await;
        assert_eq!(appended().await, Ok(Appended::Awaited));
        number(&url, END_ALL).await;
        while one.is_awaited(main(), &me).await {
            tokio::task::yield_now().await;
        }
        // It is said anew over the next connection.
        assert!(!two.is_awaited(main(), &me).await);
        two.wait_for_turn(main(), &me, true).await;
        assert!(one.is_awaited(main(), &me).await);
        two.wait_for_turn(main(), &me, false).await;
        assert!(!one.is_awaited(main(), &me).await);
    })
    .await;
}

#[tokio::test]
async fn rows_of_many_sites_share_commits_and_each_has_an_answer_of_its_own() {
    with_database(|url| async move {
        const SITES: u64 = 120;
        let (store, other) = (opened(&url).await, again(&url).await);
        let site = |n: u64| format!("site-{n:03}").parse::<SiteId>().expect("a name");
        let all = |seq: u64, last_seq: u64| {
            let rows = (0..SITES).map(move |n| {
                let wrong = Row { body: "\0".to_owned(), ..row(seq, last_seq, "me") };
                (site(n), if n % 40 == 13 && seq > 1 { wrong } else { row(seq, last_seq, "me") })
            });
            let appended = rows.map(|(site, row)| {
                let store = Arc::clone(&store);
                async move { store.append(site, &row).await }
            });
            futures_util::future::join_all(appended.collect::<Vec<_>>())
        };
        let first = all(1, 2).await;
        assert!(first.iter().all(|answer| *answer == Ok(Appended::Stored)), "{first:?}");
        let commits = number(&url, "SELECT COUNT(DISTINCT CAST(xmin AS TEXT)) FROM hotline.journal").await;
        assert!(commits < SITES as i64 / 4, "{commits} commits for {SITES} sites");
        // Among them some where another was first, some with a row that cannot be kept, and one that has less.
        for n in (0..SITES).filter(|n| n % 10 == 7) {
            assert_eq!(other.append(site(n), &row(3, 4, "other")).await, Ok(Appended::Stored));
        }
        number(&url, "WITH gone AS (DELETE FROM hotline.journal WHERE site = 'site-055' RETURNING 1) SELECT COUNT(*) FROM gone")
            .await;
        for (n, answer) in (0..).zip(all(3, 3).await) {
            match n {
                55 => assert_eq!(answer, Err(JournalFault::Gap { seq: Seq(3), last_seq: Seq(0) })),
                _ if n % 40 == 13 => assert!(matches!(answer, Err(JournalFault::Damaged(_))), "{n}: {answer:?}"),
                _ if n % 10 == 7 => assert_eq!(answer, Ok(Appended::Lost), "{n}"),
                _ => assert_eq!(answer, Ok(Appended::Stored), "{n}"),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_several_meet_at_once_is_one_caller() {
    with_database(|url| async move {
        let mut routers =
            vec![PostgresCallers::random(opened(&url).await, crate::key()).await.expect("callers")];
        for _ in 0..2 {
            routers.push(PostgresCallers::random(again(&url).await, crate::key()).await.expect("callers"));
        }
        let routers: Vec<Arc<PostgresCallers>> = routers.into_iter().map(Arc::new).collect();
        let mut references = Vec::new();
        for n in 0..40 {
            let number = CallerNumber::received(&format!("138{n:08}"));
            let asking = routers.iter().map(|callers| {
                let (callers, number) = (Arc::clone(callers), number.clone());
                tokio::spawn(async move { callers.reference(main(), &number).await })
            });
            let mut seen = BTreeSet::new();
            for asked in asking.collect::<Vec<_>>() {
                seen.insert(asked.await.expect("ended").expect("a reference"));
            }
            assert_eq!(seen.len(), 1, "{number:?}");
            references.extend(seen);
        }
        let gone: CallerRef = references[7];
        assert_eq!(routers[0].forget(main(), &[gone]).await, Ok(1));
        let number = CallerNumber::received("13800000007");
        let anew = routers[1].reference(main(), &number).await.expect("a reference");
        assert_ne!(anew, gone, "whoever forgot, all have");
        assert_eq!(routers[2].reference(main(), &number).await, Ok(anew));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_of_several_is_one_chain() {
    with_database(|url| async move {
        let stores = [opened(&url).await, again(&url).await, again(&url).await];
        let recording = stores.iter().enumerate().map(|(n, store)| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for at in 0..20 {
                    let entry = AuditEntry { wall_us: at, who: format!("{n}"), ..AuditEntry::default() };
                    Audit::record(&*store, main(), entry).await.expect("recorded");
                }
            })
        });
        for recorded in recording.collect::<Vec<_>>() {
            recorded.await.expect("nobody stopped");
        }
        let walk = walk_audit(&*stores[0], main(), None).await.expect("readable");
        assert_eq!((walk.rows, walk.head, walk.broken), (60, 60, None));
    })
    .await;
}

#[tokio::test]
async fn two_who_fold_records_move_the_cursor_once() {
    with_database(|url| async move {
        let (one, two) = (opened(&url).await, again(&url).await);
        let mark = RowMark { seq: Seq(1), hash: Hash::of("row") };
        let to = |seq| RecordCursor { seq: Seq(seq), row: mark };
        for (from, next) in [(None, 1), (Some(Seq(1)), 2), (Some(Seq(2)), 3)] {
            let (first, second) = tokio::join!(
                one.keep_records(main(), &[], from, to(next)),
                two.keep_records(main(), &[], from, to(next))
            );
            let moved = [first, second];
            let kept = moved.iter().filter(|kept| kept.is_ok()).count();
            assert_eq!(kept, 1, "{moved:?}");
            assert!(moved.contains(&Err(DerivedFault::Moved)), "{moved:?}");
        }
        let snapshot = Snapshot::of(&State { seq: Seq(3), ..State::default() }, mark);
        let both = tokio::join!(one.keep_snapshot(main(), &snapshot), two.keep_snapshot(main(), &snapshot));
        assert_eq!(both, (Ok(()), Ok(())));
        assert_eq!(one.snapshot(main(), Seq(3)).await, Ok(Some(snapshot)));
    })
    .await;
}
