//! A hospital under load: 50 calls a second ring in whatever the server does, people answer them, and now and then
//! everybody holds still to be compared with the journal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::books::Books;
use crate::chance::Chance;
use crate::checker::{Findings, Seen, compare};
use crate::desk::{Desk, Habit, Person};
use crate::gateway::Gateway;
use crate::seen::Witness;
use crate::server::{Place, Server};

/// Callers a second, paced: nobody waits for the server to ring in.
pub(crate) const CALLS_PER_SECOND: u32 = 50;
/// Both sides agree, or somebody is lost: nothing has moved for so long.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);
/// What moves all the time and never agrees is as bad.
const SETTLED_AT_LATEST: Duration = Duration::from_secs(90);
/// The same on a busy machine, while connections that broke are noticed and made anew. What is lost stays lost.
const RESTS_WITHIN: Duration = Duration::from_secs(30);
/// Longer than an operator is left alone who could not be reached.
const LEFT_ALONE: Duration = Duration::from_secs(25);
/// So many times the usual callers keep everybody at work.
const RUSH: u32 = 3;
/// A gateway and its desks are back within this time of a start. Only a hang takes so long.
const BACK_WITHIN: Duration = Duration::from_secs(60);
/// Longer than any test.
const LONG_TALK: Duration = Duration::from_secs(3_600);
/// Who waits longer gives up.
const PATIENCE: Duration = Duration::from_secs(8);

/// Who works there, and how many call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Staffing {
    pub(crate) seed: u64,
    pub(crate) desks: usize,
    pub(crate) habit: Habit,
    /// So many of the desks keep their caller, unless that one hangs up.
    pub(crate) long_talkers: usize,
    pub(crate) calls_per_second: u32,
}

impl Staffing {
    /// Enough operators for the load.
    pub(crate) fn usual(seed: u64) -> Staffing {
        Staffing { seed, desks: 40, habit: Habit::Takes, long_talkers: 0, calls_per_second: CALLS_PER_SECOND }
    }
}

/// A hospital.
pub(crate) struct Hospital {
    pub(crate) witness: Witness,
    pub(crate) books: Books,
    gateway: Gateway,
    desks: Vec<Arc<Desk>>,
    going: watch::Sender<bool>,
    rate: watch::Sender<u32>,
}

impl Hospital {
    /// Opens at a server that is up.
    pub(crate) async fn open(server: &Server, staffing: Staffing) -> Hospital {
        Hospital::open_at(&[server.place()], staffing).await
    }

    /// Opens at servers that are up: the gateway at the first, the desks at each in turn.
    pub(crate) async fn open_at(places: &[Place], staffing: Staffing) -> Hospital {
        Hospital::open_between(&places[0], places, staffing).await
    }

    /// The same, the gateway with a way of its own.
    pub(crate) async fn open_between(reached: &Place, places: &[Place], staffing: Staffing) -> Hospital {
        let Staffing { seed, desks: many, habit, long_talkers, calls_per_second } = staffing;
        let witness = Witness::default();
        let going = watch::Sender::new(true);
        let mut chance = Chance::new(seed);
        let mut desks = Vec::new();
        for number in 0..many {
            let short = Duration::from_millis(chance.between(100, 400));
            let talks_for = if number < long_talkers { LONG_TALK } else { short };
            let person = Person { number, habit, talks_for };
            desks
                .push(Desk::open(&places[number % places.len()], person, &witness, &going.subscribe()).await);
        }
        let gateway = Gateway::start(reached.clone(), witness.clone());
        let rate = watch::Sender::new(calls_per_second);
        tokio::spawn(callers(gateway.clone(), going.subscribe(), rate.subscribe(), chance));
        Hospital { witness, books: Books::default(), gateway, desks, going, rate }
    }

    /// The server is gone, or about to be: whoever is attached has to come back.
    pub(crate) fn server_is_gone(&self) {
        self.desks.iter().for_each(|desk| desk.forget_attachment());
    }

    /// Waits until the gateway has attached once more than `before`, and every desk is back.
    pub(crate) async fn is_back(&self, before: u64) {
        let back = || self.gateway.attachments() > before && self.everybody_is_attached();
        until("everybody is back", BACK_WITHIN, back).await;
    }

    /// Waits until the gateway and every desk has heard something new, and says how long that took. People have to be at
    /// work: an operator whose leg did not come up in time is left alone for a while first, as the plan has it, and comes
    /// last then. So more callers ring in when that takes long, until nobody else is free.
    pub(crate) async fn everybody_hears(&self) -> Duration {
        let (began, heard) = (Instant::now(), self.gateway.heard());
        self.server_is_gone();
        let hears = || self.gateway.heard() > heard && self.everybody_is_attached();
        while !hears() && began.elapsed() < LEFT_ALONE {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if !hears() {
            let usual = *self.rate.borrow();
            self.calls_per_second(usual * RUSH);
            until("everybody hears something", BACK_WITHIN, hears).await;
            self.calls_per_second(usual);
        }
        began.elapsed()
    }

    /// The gateway's stream and every desk's is open.
    pub(crate) fn everybody_is_attached(&self) -> bool {
        self.gateway.is_attached() && self.desks.iter().all(|desk| desk.is_attached())
    }

    /// One caller rings in on the switchboard's line, beside those of the rate.
    pub(crate) fn rings_in(&self) -> String {
        let call = Uuid::new_v4().to_string();
        self.gateway.rings_in(&call, "switchboard");
        call
    }

    /// How often the gateway has attached.
    pub(crate) fn attachments(&self) -> u64 {
        self.gateway.attachments()
    }

    /// So many callers a second from here on.
    pub(crate) fn calls_per_second(&self, rate: u32) {
        self.rate.send_replace(rate);
    }

    /// Everybody holds still until both sides agree, or do not in time; then goes on.
    pub(crate) async fn settle(&mut self, server: &Server) -> Findings {
        self.settle_within(server, SETTLED_WITHIN).await
    }

    /// The same after trouble on the way, when it is not told who reaches whom by now; says how long it took.
    pub(crate) async fn comes_to_rest(&mut self, server: &Server) -> (Findings, Duration) {
        let began = Instant::now();
        let findings = self.settle_within(server, RESTS_WITHIN).await;
        (findings, began.elapsed())
    }

    async fn settle_within(&mut self, server: &Server, time: Duration) -> Findings {
        self.going.send_replace(false);
        let began = Instant::now();
        let (mut moved_at, mut was) = (began, None);
        let findings = loop {
            let quiet = self.gateway.is_quiet();
            // In this order: what is acknowledged before the journal is read is in it.
            let seen = self.seen();
            self.books.read(&server.journal()).await;
            let findings = compare(&seen, &self.books.written());
            let is = Some((self.books.seq(), findings.to_string()));
            if is != was {
                (moved_at, was) = (Instant::now(), is);
            }
            // On a machine that is busy with something else it takes its time; as long as it gets on nobody gives up.
            let is_stuck = moved_at.elapsed() >= time || began.elapsed() >= SETTLED_AT_LATEST;
            if (findings.is_clean() && quiet) || is_stuck {
                if findings.is_clean() {
                    self.books.settled();
                    self.witness.notes().acknowledged.retain(|deed| !seen.acknowledged.contains(deed));
                }
                break findings;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        self.going.send_replace(true);
        findings
    }

    fn seen(&self) -> Seen {
        let legs = self.gateway.legs();
        let notes = self.witness.notes();
        Seen {
            legs,
            screens: notes.screens.clone(),
            acknowledged: notes.acknowledged.clone(),
            doubles: notes.doubles.clone(),
        }
    }
}

/// Waits for a condition, and says which one did not come to pass.
pub(crate) async fn until(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    let give_up_at = Instant::now() + within;
    while !condition() {
        assert!(Instant::now() < give_up_at, "it did not come to pass within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Rings in at the pace of the clock, not at that of the server.
async fn callers(
    gateway: Gateway,
    going: watch::Receiver<bool>,
    mut rate: watch::Receiver<u32>,
    mut chance: Chance,
) {
    loop {
        let per_second = *rate.borrow_and_update();
        if per_second == 0 {
            if rate.changed().await.is_err() {
                return;
            }
            continue;
        }
        let mut pace = tokio::time::interval(Duration::from_secs(1) / per_second);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        // An error means that the test is over.
        while !rate.has_changed().unwrap_or(false) {
            pace.tick().await;
            if *going.borrow() {
                tokio::spawn(caller(gateway.clone(), going.clone(), chance.fork()));
            }
        }
    }
}

async fn caller(gateway: Gateway, mut going: watch::Receiver<bool>, mut chance: Chance) {
    let call = Uuid::new_v4().to_string();
    let line = if chance.one_in(10) { "emergency" } else { "switchboard" };
    gateway.rings_in(&call, line);
    let impatient = chance.one_in(10);
    let patience = if impatient { Duration::from_millis(chance.between(5, 600)) } else { PATIENCE };
    match gateway.bridged_within(&call, patience).await {
        None => return,
        Some(true) if chance.one_in(2) => {
            tokio::time::sleep(Duration::from_millis(chance.between(20, 300))).await;
        }
        // The operator hangs up.
        Some(true) => return,
        Some(false) => {}
    }
    // An error means that the test is over.
    if going.wait_for(|going| *going).await.is_ok() {
        gateway.hangs_up(&call);
    }
}
