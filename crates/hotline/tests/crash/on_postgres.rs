//! Postgres under the real server and its load: it goes and comes, another takes over, it takes no commit, it has no room.

use std::path::Path;
use std::time::{Duration, Instant};

use api::Client;

use crate::chance::Chance;
use crate::disk::{answers, goes_on, is_clean, lives, silence};
use crate::hospital::{Hospital, Staffing, until};
use crate::moved::Address;
use crate::postgres::{Going, Postgres, ask};
use crate::server::{Server, verify};
use crate::trouble::TinyDisk;

/// How often it goes and comes, and how often another takes over, in `./test` and in the deep test.
const TIMES: usize = 6;
const TIMES_DEEP: usize = 50;
/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Away for longer than a desk's grace, and than a gateway's and a desk's connection is believed to live.
const LONG: Duration = Duration::from_secs(20);

fn times() -> usize {
    match std::env::var("HOTLINE_DEPTH").as_deref() {
        Ok("deep") => TIMES_DEEP,
        _ => TIMES,
    }
}

async fn opened(dir: &Path, address: &str, seed: u64) -> (Server, Hospital) {
    let mut server = Server::new(dir).at(address);
    assert!(server.start(None), "the first start in {}", dir.display());
    let hospital = Hospital::open(&server, Staffing::usual(seed)).await;
    hospital.is_back(0).await;
    (server, hospital)
}

/// Waits until the health service says that clients should be sent there, or should not.
async fn serves(server: &Server, expected: bool) {
    let client = Client::without_token(&server.place().address).expect("an address");
    let give_up_at = Instant::now() + PATIENCE;
    while !client.is_serving().await.is_ok_and(|serving| serving == expected) {
        assert!(Instant::now() < give_up_at, "its health does not come to say {expected}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn said(what: &str, figures: &mut [Duration]) -> String {
    figures.sort_unstable();
    let (median, longest) = (figures[figures.len() / 2].as_millis(), figures[figures.len() - 1].as_millis());
    format!("{what}: median {median} ms, longest {longest} ms")
}

fn told(hospital: &Hospital) -> String {
    format!(
        "{} calls, {} decisions, {} offers; 0 lost, 0 doubly connected, 0 phantom, 0 unbalanced\n{}",
        hospital.books.calls(),
        hospital.books.seq().0,
        hospital.books.offers(),
        hospital.witness.refusals()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_goes_and_comes_is_waited_for() {
    let (postgres, dir) = (Postgres::start(), tempfile::tempdir().expect("a temporary directory"));
    let (mut server, mut hospital) = opened(dir.path(), &postgres.address, 31).await;
    let mut chance = Chance::new(31);
    let (mut noticed, mut went_on) = (Vec::new(), Vec::new());
    for nth in 0..times() {
        let way = [Going::Killed, Going::AtOnce, Going::InGoodOrder][nth % 3];
        tokio::time::sleep(Duration::from_millis(chance.between(0, 900))).await;
        let began = Instant::now();
        postgres.goes(way);
        serves(&server, false).await;
        noticed.push(began.elapsed());
        silence(&hospital).await;
        lives(&mut server).await;
        if nth == 2 {
            tokio::time::sleep(LONG).await;
            lives(&mut server).await;
        }
        postgres.comes();
        let back = Instant::now();
        goes_on(&hospital).await;
        went_on.push(back.elapsed());
        serves(&server, true).await;
        println!(
            "{nth}, {way:?}: not serving after {:?}, away for {:?}, people are answered {:?} after it came",
            noticed[nth],
            back - began,
            went_on[nth]
        );
        is_clean(&mut hospital, &server).await;
        assert_eq!(server.died(), None, "it went on by itself");
    }
    verify(&server);
    let (noticed, went_on) = (said("health says so", &mut noticed), said("goes on", &mut went_on));
    println!("gone {} times; {noticed}; {went_on}; {}", times(), told(&hospital));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_and_nothing_that_was_acknowledged_is_lost() {
    let mut primary = Postgres::start();
    let address = Address::of(primary.port()).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut server, mut hospital) = opened(dir.path(), &address.before(&primary.address), 37).await;
    let mut chance = Chance::new(37);
    let mut went_on = Vec::new();
    for nth in 0..times() {
        let replica = primary.followed();
        // With the replica each append is there and here before it is acknowledged.
        goes_on(&hospital).await;
        tokio::time::sleep(Duration::from_millis(chance.between(0, 900))).await;
        let began = Instant::now();
        let lives_on = nth % 2 == 1;
        if lives_on {
            // Nobody reaches it any more, and what it was asked last it may yet do.
            address.moves_to(replica.port());
        } else {
            primary.goes(Going::Killed);
        }
        replica.takes_over();
        address.moves_to(replica.port());
        let took_over = began.elapsed();
        // The one that was there ends here.
        primary = replica;
        goes_on(&hospital).await;
        went_on.push(began.elapsed());
        println!(
            "{nth}, the old one {}: the replica took over after {took_over:?}, people are answered after {:?}",
            if lives_on { "lives on" } else { "was killed" },
            went_on[nth]
        );
        is_clean(&mut hospital, &server).await;
        assert_eq!(server.died(), None, "it went on by itself");
        assert!(hospital.everybody_is_attached(), "nobody was cut off");
    }
    verify(&server);
    println!("{} fail-overs; {}; {}", times(), said("goes on", &mut went_on), told(&hospital));
}

/// One commit of ten fails, each time with another word: some say that nothing was done, others nothing at all.
const FAILING: &str = "CREATE SEQUENCE public.failed;
    CREATE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF random() < 0.1 THEN
            PERFORM nextval('public.failed');
            RAISE EXCEPTION 'this commit fails' USING ERRCODE = (ARRAY['58030', '53100', '40001', '23514', 'XX000',
                '57014', '53200'])[1 + floor(random() * 7)];
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON hotline.journal DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.fails();";

/// Ends connections that are in the middle of an append until so many were.
const ENDING: &str = "CREATE FUNCTION public.ended(wanted INT) RETURNS INT LANGUAGE plpgsql AS $$
        DECLARE ended INT := 0; one INT; BEGIN
        FOR look IN 1..6000 LOOP
            EXIT WHEN ended >= wanted;
            PERFORM pg_stat_clear_snapshot();
            FOR one IN SELECT pid FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND state = 'active' AND query ILIKE '%insert into journal%' LOOP
                IF pg_terminate_backend(one) THEN ended := ended + 1; END IF;
            END LOOP;
            PERFORM pg_sleep(0.01);
        END LOOP;
        RETURN ended;
    END $$;";

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_is_looked_for_and_nobody_is_lost() {
    const FAILURES: u64 = 200;
    const ENDED: u64 = 100;
    let (postgres, dir) = (Postgres::start(), tempfile::tempdir().expect("a temporary directory"));
    let (mut server, mut hospital) = opened(dir.path(), &postgres.address, 41).await;
    postgres.answer(FAILING);
    let give_up_at = Instant::now() + PATIENCE * 3;
    let mut failed = 0;
    while failed < FAILURES {
        assert!(Instant::now() < give_up_at, "{failed} commits failed");
        tokio::time::sleep(Duration::from_millis(50)).await;
        failed = postgres.answer("SELECT last_value FROM public.failed").parse().expect("a number");
    }
    postgres.answer("DROP TRIGGER fails ON hotline.journal");
    is_clean(&mut hospital, &server).await;
    println!("{failed} commits failed: {}", told(&hospital));

    postgres.answer(ENDING);
    let address = postgres.address.clone();
    let ended = tokio::task::spawn_blocking(move || ask(&address, &format!("SELECT public.ended({ENDED})")));
    let ended: u64 = ended.await.expect("it ends").parse().expect("a number");
    assert!(ended >= ENDED, "{ended} were ended");
    is_clean(&mut hospital, &server).await;
    println!("{ended} connections ended in the middle of an append: {}", told(&hospital));
    assert_eq!(server.died(), None);
    verify(&server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_postgres_answers_nobody_until_there_is_room() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let disk = TinyDisk::of_megabytes(dir.path(), 192);
    let postgres = Postgres::on(&disk);
    let (mut server, mut hospital) = opened(dir.path(), &postgres.address, 43).await;
    is_full_twice(&mut server, &mut hospital, &postgres, &disk, || {}).await;
}

/// What is full is the log of writes: Postgres does not survive that by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_log_of_postgres_answers_nobody_until_there_is_room() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let disk = TinyDisk::of_megabytes(dir.path(), 128);
    let postgres = Postgres::start();
    postgres.answer("ALTER SYSTEM SET min_wal_size = '32MB'");
    postgres.answer("ALTER SYSTEM SET max_wal_size = '48MB'");
    postgres.logs_on(&disk);
    let (mut server, mut hospital) = opened(dir.path(), &postgres.address, 47).await;
    // It has begun some files more than it needs, and fills them before it needs the disk.
    is_full_twice(&mut server, &mut hospital, &postgres, &disk, || postgres.goes_through_its_log()).await;
}

async fn is_full_twice(
    server: &mut Server,
    hospital: &mut Hospital,
    postgres: &Postgres,
    disk: &TinyDisk,
    then: impl Fn(),
) {
    for nth in 0..2 {
        disk.fill();
        then();
        let full = Instant::now();
        silence(hospital).await;
        serves(server, false).await;
        lives(server).await;
        let (silent, lived) = (full.elapsed(), postgres.is_there());
        disk.make_room().expect("the ballast is there");
        let (room, before) = (Instant::now(), answers(hospital));
        until("people are answered again", PATIENCE, || {
            // Whoever looks after Postgres starts it again.
            if !postgres.is_there() {
                postgres.comes();
            }
            answers(hospital) > before + 100
        })
        .await;
        println!(
            "full {nth}: nobody answered after {silent:?}, Postgres {}; people are answered {:?} after there was room",
            if lived { "lived" } else { "ended" },
            room.elapsed()
        );
        serves(server, true).await;
        is_clean(hospital, server).await;
        assert_eq!(server.died(), None, "it went on by itself");
    }
    verify(server);
    println!("{}", told(hospital));
}
