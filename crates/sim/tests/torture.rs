//! Small hospitals under everything that can go wrong at once, seed by seed.
//!
//! `HOTLINE_SEEDS=100000` runs more seeds, `HOTLINE_SEED=17` with the test `one_seed` a single one; `HOTLINE_DEPTH=quick`
//! runs few.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use sim::torture::{Endured, Failure, endure, transcript};

/// Seeds of an ordinary run.
const SEEDS: u64 = 2_000;
/// Seeds of a quick one.
const SEEDS_QUICK: u64 = 100;
/// Failures that a worker collects before it stops.
const FAILURES_MAX: usize = 4;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("HOTLINE_SEED and HOTLINE_SEEDS are whole numbers"))
}

#[test]
fn many_seeds() {
    let quick = std::env::var("HOTLINE_DEPTH").is_ok_and(|depth| depth == "quick");
    let seeds = number_from("HOTLINE_SEEDS").unwrap_or(if quick { SEEDS_QUICK } else { SEEDS });
    let next = AtomicU64::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let results: Vec<(Endured, Vec<Failure>)> = thread::scope(|scope| {
        let run = || {
            let (mut sum, mut failures) = (Endured::default(), Vec::new());
            while let seed @ 0.. = next.fetch_add(1, Ordering::Relaxed)
                && seed < seeds
                && failures.len() < FAILURES_MAX
            {
                match endure(seed, None) {
                    Ok(endured) => sum = sum + endured,
                    Err(failure) => failures.push(failure),
                }
            }
            (sum, failures)
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|t| t.join().expect("a worker does not panic")).collect()
    });
    let failures: Vec<String> = results.iter().flat_map(|(_, f)| f).map(Failure::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let sum = results.iter().fold(Endured::default(), |sum, (endured, _)| sum + *endured);
    println!("{seeds} seeds: {sum:?}");
    // Not a torture in which nothing happens.
    assert!(sum.crashes > seeds * 10 && sum.answered > seeds * 3 && sum.gateway_faults > seeds, "{sum:?}");
    assert!(sum.got_through > seeds / 2, "hardly anybody was left to get through: {sum:?}");
}

#[test]
fn one_seed() {
    let seed = number_from("HOTLINE_SEED").unwrap_or(1);
    match endure(seed, None) {
        Ok(endured) => {
            println!("{endured:?}");
            assert!(endured.decisions > 50, "a run without decisions: {endured:?}");
        }
        Err(failure) => {
            let small = failure.shrunk();
            panic!("{}\n{small}", transcript(&small.script));
        }
    }
}
