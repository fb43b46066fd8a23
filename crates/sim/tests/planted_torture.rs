//! The test of the torture: each planted mistake is found within a bounded number of seeds, is told in one line that
//! plays it again, and shrinks to a script that still shows it.

use sim::torture::endure_on;
use switchboard::Switchboard;
use switchboard::planted::Bug;

/// Seeds per mistake, at most.
const SEEDS_MAX: u64 = 400;

#[track_caller]
fn assert_found_and_shrunk(bug: Bug) {
    let mut fresh = Switchboard::new();
    fresh.plant(Some(bug));
    let found = (0..SEEDS_MAX).find_map(|seed| endure_on(fresh.clone(), seed, None).err());
    let failure = found.unwrap_or_else(|| panic!("{bug:?} endures {SEEDS_MAX} seeds"));
    let line = failure.to_string();
    let command = format!("HOTLINE_SEED={} cargo test -p sim --test torture one_seed", failure.seed);
    assert!(line.starts_with(&command) && !line.contains('\n'), "{line}");
    let (before, violated) = (failure.script.len(), first_word(&failure.wrong));
    let small = failure.shrunk_on(&fresh);
    assert!(small.script.len() < before, "{bug:?} does not shrink");
    assert_eq!(first_word(&small.wrong), violated, "{bug:?} shrinks to something else");
}

fn first_word(wrong: &str) -> String {
    wrong.split([' ', ':']).next().unwrap_or(wrong).to_owned()
}

macro_rules! each_is_found_and_shrinks {
    ($($name:ident: $bug:ident,)*) => {
        $(#[test]
        fn $name() {
            assert_found_and_shrunk(Bug::$bug);
        })*
    };
}

each_is_found_and_shrinks! {
    a_forgotten_place: ForgottenPlace,
    an_accept_from_any_session: AnySession,
    a_second_accept_that_wins: SecondAcceptWins,
    no_cool_down: NoCoolDown,
    a_guard_off_by_one: GuardOffByOne,
    a_skipped_tier: TierSkipped,
    a_silent_treatment: SilentTreatment,
    a_late_accept_that_wins: LateAcceptWins,
    a_lost_deadline: DeadlineLost,
    an_emergency_in_line: EmergencyInLine,
}
