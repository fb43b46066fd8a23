//! Laws L01 to L13 and the reference switchboard, over random histories. `HOTLINE_DEPTH` says how many; `HOTLINE_SEED`
//! starts elsewhere. A failure says both, the smallest history that still fails, and what was handed in.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use sim::history::{History, Watch, play};

/// Longest random history, in steps.
const STEPS_MAX: usize = 160;

fn depth() -> String {
    std::env::var("HOTLINE_DEPTH").unwrap_or_else(|_| "default".into())
}

fn seed() -> u64 {
    std::env::var("HOTLINE_SEED").map_or(1, |text| text.parse().expect("HOTLINE_SEED is a whole number"))
}

fn histories() -> impl Strategy<Value = History> {
    let numbers = |count: usize| vec(any::<u16>(), 0..=count);
    let steps = vec(any::<[u16; 6]>(), 1..=STEPS_MAX);
    (numbers(96), numbers(48), steps).prop_map(|(plan, people, steps)| History { plan, people, steps })
}

#[test]
fn random_histories_hold_every_law_and_agree_with_the_reference() {
    let cases = match depth().as_str() {
        "quick" => 100,
        "deep" => 10_000,
        _ => 1_000,
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&histories(), |history| {
        play(&history, Watch::ALL).map(drop).map_err(|failure| TestCaseError::fail(failure.to_string()))
    });
    if let Err(failure) = outcome {
        let (depth, seed) = (depth(), seed());
        panic!("HOTLINE_DEPTH={depth} HOTLINE_SEED={seed} cargo test -p sim --test laws\n{failure}");
    }
}

/// An operator whose new device a gateway reaches was not asked about the call that waited there.
#[test]
fn histories_that_failed_once() {
    let history = History {
        plan: vec![],
        people: vec![
            0, 3455, 0, 0, 0, 0, 10769, 0, 0, 0, 10668, 5503, 0, 0, 25, 0, 7379, 0, 0, 0, 0, 4697, 36323,
        ],
        steps: vec![
            [11029, 0, 24, 0, 3263, 1074],
            [0, 0, 0, 0, 0, 0],
            [90, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
            [23530, 0, 0, 14406, 0, 38400],
            [38464, 0, 10855, 15322, 54702, 16696],
        ],
    };
    if let Err(failure) = play(&history, Watch::ALL) {
        panic!("{failure}");
    }
}

/// Everything must be reached within so many histories.
const HISTORIES_MAX: u64 = 4_000;

/// What no history of this generator reaches, and why.
const OUT_OF_REACH: [(&str, &str); 7] = [
    ("TimeWentBack", "the driver's clock only goes forward"),
    ("SkillsExhausted", "every plan drawn names the same two skills"),
    ("LimitReached", "the limits of a site are far beyond a history"),
    ("UnknownTeam", "every plan drawn has the same two teams"),
    ("UnknownSkill", "every plan drawn has the same two skills"),
    ("ProfileConflict", "no history says what it expects of a person: torture does"),
    ("BadMove", "a removed line's callers are always sent to one that stays"),
];

#[test]
fn random_histories_reach_every_event_and_every_rejection() {
    let excused: BTreeSet<String> = OUT_OF_REACH.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut missing: BTreeSet<String> =
        variants(include_str!("../../switchboard/src/event.rs"), "pub enum Event {");
    missing.extend(variants(include_str!("../../switchboard/src/rejection.rs"), "pub enum Rejection {"));
    assert!(excused.is_subset(&missing), "excused, but nobody's name: {excused:?}");
    for seed in 0..HISTORIES_MAX {
        let played = play(&History::from_seed(seed, STEPS_MAX), Watch::NOBODY);
        let seen = played.unwrap_or_else(|failure| panic!("seed {seed}: {failure}")).seen;
        assert!(seen.is_disjoint(&excused), "excused, but reached by seed {seed}: {seen:?}");
        missing.retain(|name| !seen.contains(name));
        if missing == excused {
            return;
        }
    }
    panic!("never reached: {missing:?}");
}

/// The variants of an enum, read off its source.
fn variants(source: &str, opening: &str) -> BTreeSet<String> {
    let body = source.split_once(opening).expect("the enum is in this file").1;
    let body = body.split_once("\n}").expect("the enum ends").0;
    let lines = body.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    lines
        .map(|line| line.trim().chars().take_while(char::is_ascii_alphanumeric).collect::<String>())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect()
}

#[test]
fn a_seed_is_the_same_history_everywhere() {
    let history = History::from_seed(7, 3);
    assert_eq!(history, History::from_seed(7, 3));
    assert_ne!(history, History::from_seed(8, 3));
    let (one, other) = (play(&history, Watch::NOBODY), play(&history, Watch::NOBODY));
    assert_eq!(one.expect("it holds").inputs, other.expect("it holds").inputs);
}
