//! How long a hospital's day takes: with the hospital, and the switchboard alone on the recorded inputs.
//!
//! `cargo bench -p sim --bench day`. Times depend on the machine, so nothing is asserted here; the aim is 100 ms for the
//! switchboard's part of a day of 4,000 calls.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use sim::day;
use sim::drive::Drive;
use sim::world::{World, WorldConfig};
use switchboard::time::SiteTime;

const CALLS: u32 = 4_000;
const ROUNDS: usize = 15;

fn main() {
    let plan = plan::parse("hospital.toml", plan::HOSPITAL)
        .expect("the plan that comes with the product is one")
        .plan;
    let config = WorldConfig::hospital(&plan, 1, CALLS, 1);
    let script = day::play(config.clone(), &plan).script;
    let alone = quickest(|| {
        black_box(day::replay(&script));
    });
    let together = quickest(|| {
        let mut drive = Drive::new(World::new(config.clone(), &plan), &plan, SiteTime(0));
        let end = drive.world.end();
        drive.run(end, |_, _| {});
        black_box(drive);
    });
    let with_ledger = quickest(|| {
        black_box(day::play(config.clone(), &plan));
    });
    println!("{CALLS} first attempts, {} inputs, the quickest of {ROUNDS} rounds:", script.len());
    println!("  switchboard alone     {:>8.1} ms", millis(alone));
    println!("  with the hospital     {:>8.1} ms", millis(together));
    println!("  and the hashed ledger {:>8.1} ms", millis(with_ledger));
}

fn quickest(mut round: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        round();
        began.elapsed()
    });
    rounds.min().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
