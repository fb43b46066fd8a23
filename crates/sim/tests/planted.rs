//! The test of the tests: ten mistakes, planted one at a time. The laws alone and the reference alone must each find
//! all that is about them, within a bounded number of random histories; with nothing planted, nothing may be found.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sim::history::{History, Watch, play_on};
use switchboard::Switchboard;
use switchboard::planted::Bug;

/// Histories per mistake, at most.
const SEEDS_MAX: u64 = 600;
/// Steps per history.
const STEPS: usize = 160;
const LAWS: Watch = Watch { laws: true, ..Watch::NOBODY };
const REFERENCE: Watch = Watch { reference: true, ..Watch::NOBODY };

/// The first history in which something is found: its seed, and the law, or what else was found.
fn found(bug: Option<Bug>, watch: Watch, seeds: u64) -> Option<(u64, String)> {
    (0..seeds).find_map(|seed| {
        let mut switchboard = Switchboard::new();
        switchboard.plant(bug);
        let history = History::from_seed(seed, STEPS);
        match catch_unwind(AssertUnwindSafe(|| play_on(switchboard, &history, watch))) {
            Ok(Ok(_)) => None,
            Ok(Err(failure)) => Some((seed, failure.law.unwrap_or("a difference").to_owned())),
            Err(_) => Some((seed, "a panic".to_owned())),
        }
    })
}

/// The mistake breaks this law before any other.
#[track_caller]
fn assert_breaks(law: &str, bug: Bug) {
    let by_law = found(Some(bug), LAWS, SEEDS_MAX);
    assert_eq!(by_law.map(|(_, law)| law).as_deref(), Some(law), "{bug:?}");
}

/// The reference sees the mistake.
#[track_caller]
fn assert_differs(bug: Bug) {
    let by_reference = found(Some(bug), REFERENCE, SEEDS_MAX);
    assert_eq!(by_reference.map(|(_, what)| what).as_deref(), Some("a difference"), "{bug:?}");
}

#[test]
fn a_forgotten_place() {
    assert_breaks("L08", Bug::ForgottenPlace);
    assert_differs(Bug::ForgottenPlace);
}

#[test]
fn an_accept_from_any_session() {
    assert_breaks("L09", Bug::AnySession);
    assert_differs(Bug::AnySession);
}

#[test]
fn a_second_accept_that_wins() {
    assert_breaks("L04", Bug::SecondAcceptWins);
    assert_differs(Bug::SecondAcceptWins);
}

/// No law is about cool-downs; the reference knows.
#[test]
fn no_cool_down() {
    assert_differs(Bug::NoCoolDown);
}

#[test]
fn a_guard_off_by_one() {
    assert_breaks("L07", Bug::GuardOffByOne);
    assert_differs(Bug::GuardOffByOne);
}

/// Every tier that should be open is open in the end, so no law is broken; the reference knows who should have been
/// asked first.
#[test]
fn a_skipped_tier() {
    assert_differs(Bug::TierSkipped);
}

/// The reference keeps no revisions of treatments; the law does.
#[test]
fn a_silent_treatment() {
    assert_breaks("L05", Bug::SilentTreatment);
}

#[test]
fn a_late_accept_that_wins() {
    assert_breaks("L09", Bug::LateAcceptWins);
    assert_differs(Bug::LateAcceptWins);
}

#[test]
fn a_lost_deadline() {
    assert_breaks("L03", Bug::DeadlineLost);
    assert_differs(Bug::DeadlineLost);
}

#[test]
fn an_emergency_in_line() {
    assert_breaks("L08", Bug::EmergencyInLine);
    assert_differs(Bug::EmergencyInLine);
}

#[test]
fn nothing_is_found_where_nothing_is_planted() {
    assert_eq!(found(None, Watch::ALL, 100), None);
}
