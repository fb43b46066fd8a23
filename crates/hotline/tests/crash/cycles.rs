//! Death by signal 9 and return, over and over: at random moments, and by its own hand at every named point.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use session::crash::CrashPoint;

use crate::chance::Chance;
use crate::database::Database;
use crate::hospital::{Hospital, Staffing, until};
use crate::server::{Server, died_at_a_point, verify};

/// Cycles in `./test`, and in the deep test, of each engine.
const CYCLES: usize = 64;
const CYCLES_DEEP: usize = 1_000;
/// A point that is not reached within this time under load is not reached at all.
const REACHED_WITHIN: Duration = Duration::from_secs(60);
/// A house that is not full by then does not fill.
const FILLED_WITHIN: Duration = Duration::from_secs(180);
/// Every so many cycles the whole journal is read and decided again.
const VERIFIED_EVERY: usize = 32;

/// How a server dies, by signal 9 each time.
#[derive(Debug, Clone, Copy)]
enum Death {
    /// Killed so long after everybody is back.
    AfterMs(u64),
    /// By its own hand, when it comes to this point for the nth time.
    At(CrashPoint, u64),
}

/// What a run of cycles shows.
#[derive(Default)]
struct Tally {
    at_random: usize,
    by_point: BTreeMap<CrashPoint, usize>,
    /// From the start of a process to the first offer on a screen.
    first_offer: Vec<Duration>,
    open_at_death: Vec<usize>,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_it_dies_of_nobody_is_lost() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let points: Vec<CrashPoint> = under_load().collect();
    died_and_returned(Server::new(dir.path()), &points).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_it_dies_of_on_postgres_nobody_is_lost() {
    let (database, dir) = (Database::new(), tempfile::tempdir().expect("a temporary directory"));
    // A database sweeps its log by itself.
    let sweeps = [CrashPoint::BetweenSweeps, CrashPoint::AfterSweep];
    let points: Vec<CrashPoint> = under_load().filter(|point| !sweeps.contains(point)).collect();
    died_and_returned(Server::new(dir.path()).on(&database), &points).await;
}

async fn died_and_returned(mut server: Server, points: &[CrashPoint]) {
    let cycles = match std::env::var("HOTLINE_DEPTH").as_deref() {
        Ok("deep") => CYCLES_DEEP,
        _ => CYCLES,
    };
    let seed = std::env::var("HOTLINE_CRASH_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    assert!(server.start(None), "the first start");
    let mut hospital = Hospital::open(&server, Staffing::usual(seed)).await;
    hospital.is_back(0).await;
    let mut chance = Chance::new(seed);
    let mut tally = Tally::default();
    for cycle in 0..cycles {
        let death = death(cycle, points, &mut chance);
        let began = Instant::now();
        die(&mut server, &mut hospital, death, &mut tally).await;
        let returned = began.elapsed();
        let findings = hospital.settle(&server).await;
        println!(
            "cycle {cycle}, {death:?}: back after {} ms, settled after {} ms",
            returned.as_millis(),
            began.elapsed().as_millis()
        );
        assert!(findings.is_clean(), "cycle {cycle}, {death:?}: {findings}\n{}", hospital.witness.refusals());
        if cycle % VERIFIED_EVERY == 0 {
            verify(&server);
        }
    }
    verify(&server);
    let died_at: BTreeSet<CrashPoint> = tally.by_point.keys().copied().collect();
    assert_eq!(died_at, points.iter().copied().collect(), "every point is reached");
    let refusals = hospital.witness.refusals();
    assert!(!refusals.contains("Unknown"), "a stream that broke is no refusal: {refusals}");
    println!("{}", tally.words(cycles, seed, &hospital));
}

/// The points that callers and operators come to; those of the office are in a room of their own.
fn under_load() -> impl Iterator<Item = CrashPoint> {
    CrashPoint::ALL.into_iter().filter(|point| *point != CrashPoint::AfterAsked)
}

/// Half of the deaths at random moments; the others go round the points, each time at another count.
fn death(cycle: usize, points: &[CrashPoint], chance: &mut Chance) -> Death {
    if cycle.is_multiple_of(2) {
        return Death::AfterMs(chance.between(0, 900));
    }
    let point = points[cycle / 2 % points.len()];
    let nth = match point {
        CrashPoint::WhileReplaying | CrashPoint::BeforeServing => 1,
        CrashPoint::BeforeCaller | CrashPoint::AfterCaller => chance.between(1, 30),
        CrashPoint::BeforeAppend
        | CrashPoint::AfterInsert
        | CrashPoint::BeforePublish
        | CrashPoint::BeforeReply
        | CrashPoint::AfterReply => chance.between(1, 200),
        _ => chance.between(1, 2),
    };
    Death::At(point, nth)
}

/// The server that runs is killed at random, or stopped to be armed, dies at its point, and is followed by another.
async fn die(server: &mut Server, hospital: &mut Hospital, death: Death, tally: &mut Tally) {
    let mut before = hospital.attachments();
    match death {
        Death::AfterMs(ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            server.kill();
            tally.at_random += 1;
        }
        Death::At(point, nth) => {
            server.kill();
            hospital.server_is_gone();
            // Some points come before it serves: then it is dead at once.
            server.start(Some((point, nth)));
            until_dead(server, point).await;
            before = hospital.attachments();
            *tally.by_point.entry(point).or_default() += 1;
        }
    }
    hospital.server_is_gone();
    hospital.books.read(&server.journal()).await;
    tally.open_at_death.push(hospital.books.inside());
    let started = Instant::now();
    assert!(server.start(None), "it starts again after {death:?}");
    let up = started.elapsed();
    hospital.is_back(before).await;
    println!("  up after {} ms, everybody back after {} ms", up.as_millis(), started.elapsed().as_millis());
    let offered = || hospital.witness.notes().last_offer.filter(|last| *last > started);
    until("an offer after the restart", REACHED_WITHIN, || offered().is_some()).await;
    tally.first_offer.push(offered().expect("there is one") - started);
}

/// The case that a promise is given for: so much history, so many inside.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_offer_after_a_kill_with_a_full_house() {
    const DECISIONS: u64 = 10_000;
    const INSIDE: usize = 200;
    const KILLS: usize = 30;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::new(dir.path());
    assert!(server.start(None), "the first start");
    let staffing = Staffing { desks: INSIDE + 40, long_talkers: INSIDE, ..Staffing::usual(23) };
    let mut hospital = Hospital::open(&server, staffing).await;
    hospital.is_back(0).await;
    let give_up_at = Instant::now() + FILLED_WITHIN;
    while hospital.books.seq().0 < DECISIONS || hospital.books.inside() < INSIDE {
        assert!(Instant::now() < give_up_at, "{} inside after {:?}", hospital.books.inside(), FILLED_WITHIN);
        tokio::time::sleep(Duration::from_millis(100)).await;
        hospital.books.read(&server.journal()).await;
    }
    let mut tally = Tally::default();
    let mut chance = Chance::new(23);
    for kill in 0..KILLS {
        let death = Death::AfterMs(chance.between(0, 500));
        die(&mut server, &mut hospital, death, &mut tally).await;
        let findings = hospital.settle(&server).await;
        assert!(findings.is_clean(), "kill {kill}: {findings}\n{}", hospital.witness.refusals());
    }
    println!("{}", tally.words(KILLS, 23, &hospital));
}

async fn until_dead(server: &mut Server, point: CrashPoint) {
    let give_up_at = Instant::now() + REACHED_WITHIN;
    loop {
        if let Some(status) = server.died() {
            assert!(died_at_a_point(status), "{point}: {status}");
            return;
        }
        assert!(Instant::now() < give_up_at, "{point} is not reached");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl Tally {
    fn words(&self, cycles: usize, seed: u64, hospital: &Hospital) -> String {
        let mut first = self.first_offer.clone();
        first.sort_unstable();
        let at = |part: usize| first[(first.len() - 1) * part / 100].as_millis();
        let mut open = self.open_at_death.clone();
        let answers = hospital.witness.notes().answers;
        open.sort_unstable();
        format!(
            "seed {seed}: {cycles} deaths by signal 9, {} at random, {} at {} points; {} calls, {} decisions, \
             {} offers, {} answers; 0 lost, 0 doubly connected, 0 phantom, 0 unbalanced; \
             open at a death: median {}, most {}; from a start to the first new offer: median {} ms, \
             99 of 100 within {} ms, longest {} ms\n{}",
            self.at_random,
            self.by_point.values().sum::<usize>(),
            self.by_point.len(),
            hospital.books.calls(),
            hospital.books.seq().0,
            hospital.books.offers(),
            answers,
            open[open.len() / 2],
            open[open.len() - 1],
            at(50),
            at(99),
            at(100),
            hospital.witness.refusals(),
        )
    }
}
