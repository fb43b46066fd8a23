//! What the server, the network and other users of the database do to an append.

use std::sync::Arc;
use std::time::Duration;

use session::{
    Appended, CallerNumber, Callers, CallersFault, Derived, DerivedFault, Journal, JournalFault, KeptToken,
    PostgresCallers, PostgresLimits, PostgresStore, Registry, Roll,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use switchboard::id::Seq;

use super::private::Private;
use super::proxy::{Answers, Proxy};
use super::{END_ALL, OTHERS, main, number, opened, row, within};
use crate::derived::cursor;
use crate::roll::entry;
use crate::server::{ask, with_database};

const SHORT: PostgresLimits = PostgresLimits {
    connect: Duration::from_secs(20),
    lock: Duration::from_millis(200),
    statement: Duration::from_secs(20),
};

/// Only what hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_row_whose_acknowledgement_was_lost_is_found_by_reading_the_tail() {
    with_database(|url| async move {
        let proxy = Proxy::before(&url).await;
        let limits = PostgresLimits { statement: Duration::from_secs(2), ..SHORT };
        opened(&url).await;
        let store = within(&proxy.url(&url), limits).await;
        for (seq, lost) in [(2, Answers::AreCut), (4, Answers::AreHeld)] {
            // Where the journal ends is known by this: the next thing that is asked is the row itself.
            assert_eq!(store.append(main(), &row(seq - 1, seq - 1, "me")).await, Ok(Appended::Stored));
            proxy.set(lost);
            let mine = row(seq, seq, "me");
            let answer = store.append(main(), &mine).await;
            assert!(matches!(answer, Err(JournalFault::OutcomeUnknown(_))), "{lost:?}: {answer:?}");
            proxy.set(Answers::Arrive);
            let tail = store.tail(main(), Seq(seq - 1), 1).await.expect("readable again");
            assert_eq!(tail.first().map(|stored| &stored.row), Some(&mine), "{lost:?}");
            assert_eq!(store.append(main(), &mine).await, Ok(Appended::Lost), "it stands there once");
        }
        assert_eq!(store.append(main(), &row(5, 5, "me")).await, Ok(Appended::Stored));
    })
    .await;
}

/// A lock that is waited for too long ends the statement before it changes anything: a definite failure.
#[tokio::test]
async fn a_lock_that_is_not_given_in_time_stores_nothing_for_certain() {
    with_database(|url| async move {
        let store = within(&url, SHORT).await;
        assert_eq!(store.append(main(), &row(1, 1, "me")).await, Ok(Appended::Stored));
        for locked in [
            "LOCK TABLE hotline.journal IN ACCESS EXCLUSIVE MODE",
            "INSERT INTO hotline.journal SELECT site, 2, 2, at_us, wall_us, store_us, 'other', format, body \
             FROM hotline.journal",
        ] {
            let mut other = PgConnection::connect(&url).await.expect("it answers");
            let mut held = other.begin().await.expect("begun");
            (&mut *held).execute(AssertSqlSafe(locked.to_owned())).await.expect(locked);
            let answer = store.append(main(), &row(2, 2, "me")).await;
            assert!(matches!(answer, Err(JournalFault::Unavailable(_))), "{locked}: {answer:?}");
            held.rollback().await.expect("undone");
            assert_eq!(store.head(main()).await.expect("readable").last_seq, Seq(1), "{locked}");
        }
        assert_eq!(store.append(main(), &row(2, 2, "me")).await, Ok(Appended::Stored));
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_not_known_to_have_failed() {
    with_database(|url| async move {
        let limits = PostgresLimits { statement: Duration::from_secs(2), lock: SHORT.connect, ..SHORT };
        let store = within(&url, limits).await;
        assert_eq!(store.append(main(), &row(1, 1, "me")).await, Ok(Appended::Stored));
        let mut other = PgConnection::connect(&url).await.expect("it answers");
        let mut held = other.begin().await.expect("begun");
        let lock = "LOCK TABLE hotline.journal IN ACCESS EXCLUSIVE MODE";
        (&mut *held).execute(lock).await.expect(lock);
        let answer = store.append(main(), &row(2, 2, "me")).await;
        assert!(matches!(answer, Err(JournalFault::OutcomeUnknown(_))), "{answer:?}");
        held.rollback().await.expect("undone");
        assert_eq!(store.tail(main(), Seq(1), 1).await, Ok(vec![]));
        assert_eq!(store.append(main(), &row(2, 2, "me")).await, Ok(Appended::Stored));
    })
    .await;
}

#[tokio::test]
async fn connections_that_were_ended_while_nobody_asked_are_made_again() {
    with_database(|url| async move {
        let store = opened(&url).await;
        let token = KeptToken {
            role: "admin".to_owned(),
            principal: "ana".to_owned(),
            token_id: "t1".to_owned(),
            secret_hash: "00ff".to_owned(),
            expires_us: None,
        };
        assert_eq!(store.append(main(), &row(1, 1, "me")).await, Ok(Appended::Stored));
        store.keep_token(main(), &token).await.expect("kept");
        assert!(number(&url, END_ALL).await >= 3);
        store.keep_token(main(), &token).await.expect("whoever writes looks first whether somebody is there");
        assert_eq!(store.tail(main(), Seq(0), 9).await.expect("whoever reads asks twice").len(), 1);
        assert!(number(&url, END_ALL).await >= 1);
        assert_eq!(store.tokens(main()).await, Ok(vec![token]));
        let settled = async {
            loop {
                match store.append(main(), &row(2, 2, "me")).await {
                    Err(JournalFault::OutcomeUnknown(_)) => {}
                    answer => return answer,
                }
            }
        };
        assert_eq!(settled.await, Ok(Appended::Stored));
    })
    .await;
}

/// What one connection meets in vain has mostly happened to the others: nobody waits for that again over each of them.
#[tokio::test]
async fn when_one_connection_falls_silent_those_over_which_nobody_asks_are_let_go() {
    with_database(|url| async move {
        let proxy = Proxy::before(&url).await;
        opened(&url).await;
        let store = Arc::new(within(&proxy.url(&url), SHORT).await);
        let callers = PostgresCallers::random(Arc::clone(&store), crate::key()).await.expect("callers");
        callers.reference(main(), &CallerNumber::received("13800000000")).await.expect("a reference");
        assert_eq!(store.append(main(), &row(1, 1, "me")).await, Ok(Appended::Stored));
        store.call(main(), &entry("me", 1, "")).await.expect("called");
        assert!(number(&url, OTHERS).await >= 4, "connections over which nobody asks");

        proxy.set(Answers::AreHeld);
        // Whoever follows the journals looks for no longer than this, and leaves: the server is given more.
        let look = tokio::time::timeout(Duration::from_secs(1), store.heads()).await;
        assert!(look.is_err(), "{look:?}");
        let nobody_is_left = async {
            while number(&url, OTHERS).await > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, nobody_is_left).await.expect("no connection of that time is kept");
        proxy.set(Answers::Arrive);
        assert_eq!(store.append(main(), &row(2, 2, "me")).await, Ok(Appended::Stored));
    })
    .await;
}

/// What is one statement is asked again where its connection broke, and is done once, whichever way the answer was lost.
#[tokio::test]
async fn what_is_asked_again_is_not_done_twice() {
    with_database(|url| async move {
        let proxy = Proxy::before(&url).await;
        opened(&url).await;
        let store = Arc::new(within(&proxy.url(&url), SHORT).await);
        let callers = PostgresCallers::random(Arc::clone(&store), crate::key()).await.expect("callers");
        let number_of = |n: u32| CallerNumber::received(&format!("138{n:08}"));
        store.keep_records(main(), &[], None, cursor(1)).await.expect("kept");
        store.call(main(), &entry("me", 1, "")).await.expect("called");
        let known = callers.reference(main(), &number_of(0)).await.expect("a reference");

        assert!(number(&url, END_ALL).await >= 3);
        store.keep_records(main(), &[], Some(Seq(1)), cursor(2)).await.expect("asked again");
        assert_eq!(store.call(main(), &entry("me", 2, "")).await, Ok(vec![]));
        assert_eq!(callers.reference(main(), &number_of(0)).await, Ok(known));

        proxy.set(Answers::AreCut);
        let unheard = store.keep_records(main(), &[], Some(Seq(2)), cursor(3)).await;
        assert!(matches!(unheard, Err(DerivedFault::Unavailable(_))), "{unheard:?}");
        let unheard = callers.reference(main(), &number_of(1)).await;
        assert!(matches!(unheard, Err(CallersFault::Unavailable(_))), "{unheard:?}");
        proxy.set(Answers::Arrive);
        let again = store.keep_records(main(), &[], Some(Seq(2)), cursor(3)).await;
        assert_eq!(again, Err(DerivedFault::Moved), "it was made");
        assert_eq!(store.record_cursor(main()).await, Ok(Some(cursor(3))));
        callers.reference(main(), &number_of(1)).await.expect("a reference");
        assert_eq!(number(&url, "SELECT COUNT(*) FROM hotline.caller").await, 2);
    })
    .await;
}

/// What a replica that took over had not heard of is gone; what was drawn from it must not stand behind nothing.
#[tokio::test]
async fn a_server_that_lost_rows_gets_no_hole() {
    with_database(|url| async move {
        let store = opened(&url).await;
        for n in 1..=3 {
            assert_eq!(store.append(main(), &row(n, n, "me")).await, Ok(Appended::Stored));
        }
        ask(&url, "DELETE FROM hotline.journal WHERE seq = 3").await;
        number(&url, END_ALL).await;
        let answer = loop {
            match store.append(main(), &row(4, 4, "me")).await {
                Err(JournalFault::OutcomeUnknown(_)) => {}
                answer => break answer,
            }
        };
        assert_eq!(answer, Err(JournalFault::Gap { seq: Seq(4), last_seq: Seq(2) }));
    })
    .await;
}

#[tokio::test]
async fn a_record_of_another_life_is_not_taken_for_the_one_that_was_opened() {
    with_database(|url| async move {
        let store = opened(&url).await;
        let mut broken = store.watch_broken();
        assert_eq!(store.append(main(), &row(1, 1, "me")).await, Ok(Appended::Stored));
        ask(&url, "INSERT INTO hotline.life SELECT epoch + 1, begun_us FROM hotline.life").await;
        number(&url, END_ALL).await;
        let answer = loop {
            match store.append(main(), &row(2, 2, "me")).await {
                Err(JournalFault::OutcomeUnknown(_)) => {}
                answer => break answer,
            }
        };
        assert!(matches!(answer, Err(JournalFault::RestartNeeded(_))), "{answer:?}");
        assert!(*broken.borrow_and_update());
        let again = PostgresStore::open(&url).await.expect("its tables");
        assert_eq!(again.append(main(), &row(2, 2, "me")).await, Ok(Appended::Stored));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_was_stopped_is_found_again() {
    let server = Private::start().await;
    let store = opened(&server.url).await;
    assert_eq!(store.append(main(), &row(1, 2, "me")).await, Ok(Appended::Stored));
    for (nth, how) in ["stop", "kill"].into_iter().enumerate() {
        let seq = 3 + nth as u64;
        server.does(how).await;
        // Which of the two depends on who notices first.
        let away = store.append(main(), &row(seq, seq, "me")).await;
        assert!(
            matches!(away, Err(JournalFault::Unavailable(_) | JournalFault::OutcomeUnknown(_))),
            "{how}: {away:?}"
        );
        let away = store.append(main(), &row(seq, seq, "me")).await;
        assert!(matches!(away, Err(JournalFault::Unavailable(_))), "{how}: nobody was asked: {away:?}");
        assert!(matches!(store.tail(main(), Seq(0), 9).await, Err(JournalFault::Unavailable(_))), "{how}");
        server.does("start").await;
        assert_eq!(store.head(main()).await.expect("it is back").last_seq, Seq(seq - 1), "{how}");
        assert_eq!(store.append(main(), &row(seq, seq, "me")).await, Ok(Appended::Stored), "{how}");
    }
}
