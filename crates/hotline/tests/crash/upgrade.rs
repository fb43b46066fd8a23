//! A rolling upgrade under load: the release before and this one side by side, one server replaced after the other, then
//! the format of the record raised. `HOTLINE_UPGRADE_FROM` names a program of an earlier release to upgrade from; without, this
//! build stands for one that knows only the oldest format.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;
use std::time::{Duration, Instant};

use session::{FORMAT, FORMAT_OLDEST, Journal, PostgresStore};
use switchboard::id::{Seq, SiteId};

use crate::database::Database;
use crate::hospital::{Hospital, Staffing, until};
use crate::server::{Server, earlier_release, verify};
use crate::trouble::signal;

/// How long each stretch of the upgrade lasts under load.
const STRETCH: Duration = Duration::from_secs(5);
/// Everybody is back at some server within this time. Only a hang takes so long.
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// A server that is gone is off the roll within this time.
const OFF_THE_ROLL_WITHIN: Duration = Duration::from_secs(60);
/// What says that a release is too old.
const TOO_OLD: &str =
    "is written in format 2; this release reads 1 to 1: start the release that wrote it, or a later one";
const TOO_OLD_EXIT: i32 = 78;
const RESTART_EXIT: i32 = 75;

/// Rows of a format: how many, and by whom.
type Rows = BTreeMap<u32, (u64, BTreeSet<String>)>;

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_upgraded_and_its_format_raised_and_nobody_is_lost() {
    let (database, dirs) = (Database::new(), [(); 3].map(|()| tempfile::tempdir().expect("a directory")));
    let mut first = Server::new(dirs[0].path()).on(&database).older(true);
    assert!(first.start(None), "the earlier release");
    let mut second = Server::new(dirs[1].path()).beside(&first);
    assert!(second.start(None), "this one beside it");
    let (one, two) = (first.place(), second.place().tokens_of(&first.place()));
    let mut hospital = Hospital::open_at(&[one.or(&two), two.or(&one)], Staffing::usual(31)).await;
    hospital.is_back(0).await;
    clean(&mut hospital, &first, "side by side").await;
    let refused = raise(&second, &first, &["--yes"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(
        told.contains("servers of site main do not read format 2") && told.contains("replace these"),
        "{told}"
    );
    let side_by_side = rows(&database).await;
    assert_eq!(side_by_side.keys().copied().collect::<Vec<_>>(), [FORMAT_OLDEST], "what both read");
    assert!(side_by_side[&FORMAT_OLDEST].1.len() >= 2, "both wrote: {side_by_side:?}");

    let replaced = Instant::now();
    first.kill();
    let mut first = first.older(false);
    assert!(first.start(None), "this release in its place");
    until("everybody is somewhere", BACK_WITHIN, || hospital.everybody_is_attached()).await;
    let back = replaced.elapsed();
    clean(&mut hospital, &first, "upgraded").await;

    until_off_the_roll(&first, &first).await;
    let off_the_roll = replaced.elapsed();
    let asked = Instant::now();
    let raised = raise(&second, &first, &["--yes"]);
    assert!(raised.status.success(), "{}", String::from_utf8_lossy(&raised.stderr));
    let raising = asked.elapsed();
    clean(&mut hospital, &first, "raised").await;

    let mut old = Server::new(dirs[2].path()).beside(&first).older(true);
    assert!(!old.start(None), "it must not serve what it cannot read");
    let code = ended(&mut old).await;
    assert!(old.log().contains(TOO_OLD), "{}", old.log());
    assert!(code == Some(TOO_OLD_EXIT) || earlier_release().is_some(), "{code:?}");
    clean(&mut hospital, &first, "and it changed nothing").await;
    verify(&first);

    let rows = rows(&database).await;
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), [FORMAT_OLDEST, FORMAT]);
    assert!(rows.values().all(|(_, writers)| writers.len() >= 2), "both wrote in each: {rows:?}");
    println!(
        "{} calls, {} decisions, {} offers; {} rows in format 1 by {} writers, {} in format 2 by {}; 0 lost, 0 doubly \
         connected, 0 phantom, 0 unbalanced; everybody back {} ms after the kill, the old one off the roll after {} ms, \
         raised in {} ms\n{}",
        hospital.books.calls(),
        hospital.books.seq().0,
        hospital.books.offers(),
        rows[&FORMAT_OLDEST].0,
        rows[&FORMAT_OLDEST].1.len(),
        rows[&FORMAT].0,
        rows[&FORMAT].1.len(),
        back.as_millis(),
        off_the_roll.as_millis(),
        raising.as_millis(),
        hospital.witness.refusals(),
    );
}

/// The roll does not know that it lives: it has to find out by itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_release_that_stood_still_while_the_format_was_raised_ends_and_says_why() {
    let (database, dirs) = (Database::new(), [(); 2].map(|()| tempfile::tempdir().expect("a directory")));
    let mut old = Server::new(dirs[0].path()).on(&database).older(true);
    assert!(old.start(None), "the earlier release");
    let mut new = Server::new(dirs[1].path()).beside(&old);
    assert!(new.start(None), "this one beside it");
    signal(old.pid(), "STOP");
    until_off_the_roll(&new, &old).await;
    let raised = raise(&new, &old, &["--yes"]);
    assert!(raised.status.success(), "{}", String::from_utf8_lossy(&raised.stderr));
    assert!(!old.log().contains(TOO_OLD));
    signal(old.pid(), "CONT");
    if earlier_release().is_some() {
        // The one before this stayed, and took no decisions.
        until("its word", BACK_WITHIN, || old.log().contains(TOO_OLD)).await;
        return;
    }
    assert_eq!(ended(&mut old).await, Some(RESTART_EXIT), "its clients go to the other");
    assert!(old.log().contains(TOO_OLD), "{}", old.log());
    assert!(!old.start(None), "and it is of no use to start it again");
    assert_eq!(ended(&mut old).await, Some(TOO_OLD_EXIT));
    verify(&new);
}

/// A server that is gone, or stands still, is not on the roll any more.
async fn until_off_the_roll(server: &Server, tokens_of: &Server) {
    let give_up_at = Instant::now() + OFF_THE_ROLL_WITHIN;
    loop {
        let looked = raise(server, tokens_of, &["--dry-run"]);
        if looked.status.success() {
            break;
        }
        let told = String::from_utf8_lossy(&looked.stderr).into_owned();
        assert!(Instant::now() < give_up_at, "the old one stays on the roll: {told}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The code with which a server ends by itself.
async fn ended(server: &mut Server) -> Option<i32> {
    let mut status = None;
    until("its end", BACK_WITHIN, || {
        status = status.or_else(|| server.died());
        status.is_some()
    })
    .await;
    status.and_then(|status| status.code())
}

/// A stretch of load, and then both sides agree.
async fn clean(hospital: &mut Hospital, server: &Server, when: &str) {
    let before = hospital.books.seq();
    tokio::time::sleep(STRETCH).await;
    let began = Instant::now();
    let findings = hospital.settle(server).await;
    println!("{when}: settled after {} ms", began.elapsed().as_millis());
    assert!(findings.is_clean(), "{when}: {findings}\n{}", hospital.witness.refusals());
    assert!(hospital.books.seq() > before, "{when}: nothing happened");
}

fn raise(server: &Server, tokens_of: &Server, more: &[&str]) -> Output {
    server.asked(tokens_of, &[&["site", "raise-format", "main"], more].concat())
}

/// The rows of the journal by their format. None is written in an older one than the row before.
async fn rows(database: &Database) -> Rows {
    let store = PostgresStore::open(&database.address()).await.expect("it can be read beside its servers");
    let site: SiteId = "main".parse().expect("a name");
    let (mut found, mut after, mut last) = (Rows::new(), Seq(0), 0);
    loop {
        let rows = store.tail(site, after, 512).await.expect("it can be read");
        let Some(end) = rows.last() else { break };
        after = end.row.last_seq;
        for stored in &rows {
            let row = &stored.row;
            assert!(row.format >= last, "the row at {} is in format {}", row.seq.0, row.format);
            last = row.format;
            let (count, writers) = found.entry(row.format).or_default();
            *count += 1;
            writers.insert(row.writer.as_str().to_owned());
        }
    }
    store.close().await;
    found
}
