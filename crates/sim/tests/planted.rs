//! The test of the tests: ten mistakes, planted one at a time. Each must be found by the law that is about it, or by
//! the reference where no law is, within a bounded number of random histories; with nothing planted, nothing may be found.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sim::history::{History, Watch, play};
use switchboard::planted::{Bug, plant};

/// Histories per mistake, at most.
const SEEDS_MAX: u64 = 600;
/// Steps per history.
const STEPS: usize = 160;
const LAWS: Watch = Watch { laws: true, reference: false };
const REFERENCE: Watch = Watch { laws: false, reference: true };

/// Each mistake with the law it breaks first; none where no law is about it, and only the reference can tell.
const EXPECTED: [(Bug, Option<&str>); 10] = [
    (Bug::ForgottenPlace, Some("L08")),
    (Bug::AnySession, Some("L09")),
    (Bug::SecondAcceptWins, Some("L04")),
    (Bug::NoCoolDown, None),
    (Bug::GuardOffByOne, Some("L07")),
    (Bug::TierSkipped, None),
    (Bug::SilentTreatment, Some("L05")),
    (Bug::LateAcceptWins, Some("L09")),
    (Bug::DeadlineLost, Some("L03")),
    (Bug::EmergencyInLine, Some("L08")),
];

/// The first history in which something is found: its seed, and the law, or what else was found.
fn found(watch: Watch, seeds: u64) -> Option<(u64, String)> {
    (0..seeds).find_map(|seed| {
        let history = History::from_seed(seed, STEPS);
        match catch_unwind(AssertUnwindSafe(|| play(&history, watch))) {
            Ok(Ok(_)) => None,
            Ok(Err(failure)) => Some((seed, failure.law.unwrap_or("a difference").to_owned())),
            Err(_) => Some((seed, "a panic".to_owned())),
        }
    })
}

/// One test for all, because what is planted is planted in the whole process.
#[test]
fn each_planted_mistake_is_caught_and_nothing_else_is() {
    assert_eq!(EXPECTED.map(|(bug, _)| bug), Bug::ALL);
    for (bug, law) in EXPECTED {
        plant(Some(bug));
        let by_reference = found(REFERENCE, SEEDS_MAX);
        let by_law = law.and_then(|_| found(LAWS, SEEDS_MAX));
        println!("{bug:?}: the laws {by_law:?}, the reference {by_reference:?}");
        assert!(by_reference.is_some() || by_law.is_some(), "{bug:?} is not caught");
        assert_eq!(by_law.map(|(_, law)| law).as_deref(), law, "{bug:?}");
    }
    plant(None);
    assert_eq!(found(Watch::ALL, 100), None, "something is found although nothing is planted");
}
