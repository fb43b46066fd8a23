//! Redis under two real servers of one record and their load: it stands still, dies, is emptied, and another takes over.
//! Calls go on, and what is shown is whole again within a heartbeat of the servers.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::database::Database;
use crate::disk::{goes_on, is_clean};
use crate::hospital::{CALLS_PER_SECOND, Hospital, Staffing, until};
use crate::redis_server::{Server as Redis, free_port};
use crate::server::{Server, verify};
use crate::trouble::signal;

/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Callers whose first offers are timed, with it and without: for longer than anybody takes to notice that it stands still.
const TIMED: usize = 400;
const FREE: &str = "hotline:{main}:free";

/// Two servers of one record, and their people at both.
struct Pair {
    first: Server,
    second: Server,
    hospital: Hospital,
    _dirs: [TempDir; 2],
}

impl Pair {
    async fn open(database: &Database, shown_in: &str, seed: u64) -> Pair {
        let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a temporary directory"));
        let mut first = Server::new(dirs[0].path()).on(database).showing_in(shown_in);
        assert!(first.start(None), "the first start");
        let mut second = Server::new(dirs[1].path()).beside(&first);
        assert!(second.start(None), "the second's");
        let places = [first.place(), second.place().tokens_of(&first.place())];
        let hospital = Hospital::open_at(&places, Staffing::usual(seed)).await;
        hospital.is_back(0).await;
        Pair { first, second, hospital, _dirs: dirs }
    }

    /// From here on callers' first offers are timed.
    fn begins_timing(&self) {
        self.hospital.witness.notes().to_first_offer.clear();
    }

    /// How long so many callers took to a desk since then.
    async fn timed(&self) -> Times {
        let enough = || self.hospital.witness.notes().to_first_offer.len() >= TIMED;
        until("enough callers are shown to somebody", PATIENCE, enough).await;
        let mut times = self.hospital.witness.notes().to_first_offer.clone();
        times.sort_unstable();
        Times(times)
    }

    async fn is_clean(&mut self) {
        is_clean(&mut self.hospital, &self.first).await;
        assert_eq!((self.first.died(), self.second.died()), (None, None), "both went on");
    }

    /// Nobody rings in any more, and everybody inside comes to an end.
    async fn rests(&mut self) {
        self.hospital.calls_per_second(0);
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            self.hospital.books.read(&self.first.journal()).await;
            if self.hospital.books.inside() == 0 {
                return;
            }
            assert!(Instant::now() < give_up_at, "{} are inside", self.hospital.books.inside());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until what is shown there is not of the past: it is of a decision that was not made before.
    async fn shown_anew(&mut self, place: &Redis, since: Instant) -> Duration {
        self.hospital.books.read(&self.first.journal()).await;
        let known = self.hospital.books.seq().0;
        let seq = || place.answer(&format!("HGET {FREE} seq")).and_then(|seq| seq.parse::<u64>().ok());
        until("it is shown again who is free", PATIENCE, || seq().is_some_and(|seq| seq >= known)).await;
        since.elapsed()
    }

    /// Waits until everybody is shown to be free there.
    async fn shown_whole(&self, place: &Redis, since: Instant) -> Duration {
        let everybody = (0..Staffing::usual(0).desks).map(|number| format!("op-{number:04}"));
        let everybody = everybody.collect::<Vec<_>>().join(" ");
        let all = || place.answer(&format!("HGET {FREE} all"));
        until("everybody is shown", PATIENCE, || all().as_deref() == Some(&*everybody)).await;
        since.elapsed()
    }

    fn told(&self) -> String {
        let Hospital { books, witness, .. } = &self.hospital;
        format!(
            "{} calls, {} decisions, {} offers; 0 lost, 0 doubly connected, 0 phantom, 0 unbalanced\n{}",
            books.calls(),
            books.seq().0,
            books.offers(),
            witness.refusals()
        )
    }
}

/// From a caller's ringing to the first desk that shows it, in order.
struct Times(Vec<Duration>);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |part: usize| self.0[(self.0.len() - 1) * part / 100].as_millis();
        write!(f, "median {} ms, 99 of 100 within {} ms, longest {} ms", at(50), at(99), at(100))
    }
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    StandsStill,
    Dies,
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_on_while_redis_stands_still_and_dies_and_it_shows_everybody_afterwards() {
    let (mut place, database) = (Redis::start(), Database::new());
    let mut pair = Pair::open(&database, &place.address(), 53).await;
    for trouble in [Trouble::StandsStill, Trouble::Dies, Trouble::StandsStill, Trouble::Dies] {
        pair.begins_timing();
        let with = pair.timed().await;
        pair.begins_timing();
        let without = match trouble {
            Trouble::StandsStill => {
                signal(place.child.id(), "STOP");
                let without = pair.timed().await;
                signal(place.child.id(), "CONT");
                without
            }
            Trouble::Dies => {
                let port = place.kill();
                let without = pair.timed().await;
                place = Redis::on(port);
                without
            }
        };
        let anew = pair.shown_anew(&place, Instant::now()).await;
        println!("{trouble:?}: shown again {anew:?} after it came back");
        println!("  to the first offer with it {with}; without {without}");
        goes_on(&pair.hospital).await;
        pair.is_clean().await;

        pair.rests().await;
        pair.shown_whole(&place, Instant::now()).await;
        let emptied = Instant::now();
        assert_eq!(place.answer("FLUSHALL").as_deref(), Some("+OK"));
        let whole = pair.shown_whole(&place, emptied).await;
        println!("  emptied while nobody calls: everybody is shown {whole:?} later");
        pair.hospital.calls_per_second(CALLS_PER_SECOND);
    }
    pair.rests().await;
    pair.is_clean().await;
    verify(&pair.first);
    println!("{}", pair.told());
}

/// A primary, one that follows it, and three who watch over them.
struct Watched {
    primary: Redis,
    replica: Redis,
    sentinels: Vec<Redis>,
    dir: TempDir,
}

impl Watched {
    fn start() -> Watched {
        let (primary, dir) = (Redis::start(), tempfile::tempdir().expect("a temporary directory"));
        let replica = following(free_port(), &primary, dir.path());
        let sentinels = (0..3).map(|nth| {
            let (port, file) = (free_port(), dir.path().join(format!("sentinel-{nth}.conf")));
            let text = format!(
                "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 2\n\
                 sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n",
                dir.path().display(),
                primary.port
            );
            fs::write(&file, text).expect("written");
            Redis::run(port, &[file.to_str().expect("a path"), "--sentinel"])
        });
        Watched { sentinels: sentinels.collect(), primary, replica, dir }
    }

    fn address(&self) -> String {
        let hosts: Vec<String> = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        format!("redis+sentinel://{}/main", hosts.join(","))
    }

    /// All who watch know each other and one that follows, and it is well.
    async fn are_well(&self) {
        let is_well = |one: &Redis| {
            says(one, "SENTINEL CKQUORUM main", "OK 3 usable")
                && says(one, "SENTINEL REPLICAS main", "flags\r\n$5\r\nslave\r\n")
                && says(one, "SENTINEL REPLICAS main", "master-link-status\r\n$2\r\nok\r\n")
        };
        until("all know of one another", PATIENCE, || self.sentinels.iter().all(is_well)).await;
    }

    /// The primary dies, its replica takes over, and another follows that where the first one was.
    async fn takes_over(self) -> Watched {
        let Watched { primary, replica, sentinels, dir } = self;
        let port = primary.kill();
        let named = || sentinels.iter().map(|one| one.answer("SENTINEL GET-MASTER-ADDR-BY-NAME main"));
        let new = Some(replica.port.to_string());
        until("the replica took over", PATIENCE, || named().all(|port| port == new)).await;
        Watched { replica: following(port, &replica, dir.path()), primary: replica, sentinels, dir }
    }
}

fn says(one: &Redis, line: &str, word: &str) -> bool {
    one.said(line).is_some_and(|said| said.contains(word))
}

/// What it is sent of the other's it puts into a file first.
fn following(port: u16, primary: &Redis, dir: &Path) -> Redis {
    let (own, other) = (port.to_string(), primary.port.to_string());
    let of = ["--replicaof", "127.0.0.1", &other, "--dir", dir.to_str().expect("a path")];
    Redis::run(port, &[&["--port", &own, "--bind", "127.0.0.1", "--save", ""][..], &of[..]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_on_while_another_redis_takes_over_and_it_shows_everybody_afterwards() {
    const FAIL_OVERS: usize = 3;
    let (mut watched, database) = (Watched::start(), Database::new());
    watched.are_well().await;
    let mut pair = Pair::open(&database, &watched.address(), 59).await;
    for nth in 0..FAIL_OVERS {
        watched.are_well().await;
        pair.begins_timing();
        let with = pair.timed().await;
        pair.begins_timing();
        let killed = Instant::now();
        watched = watched.takes_over().await;
        let took_over = killed.elapsed();
        let anew = pair.shown_anew(&watched.primary, killed).await;
        let meanwhile = pair.timed().await;
        println!(
            "{nth}: another took over {took_over:?} after the death, and shows who is free after {anew:?}"
        );
        println!("  to the first offer before {with}; meanwhile {meanwhile}");
        goes_on(&pair.hospital).await;
        pair.is_clean().await;
    }
    pair.rests().await;
    pair.shown_whole(&watched.primary, Instant::now()).await;
    pair.is_clean().await;
    verify(&pair.first);
    println!("{FAIL_OVERS} fail-overs; {}", pair.told());
}
