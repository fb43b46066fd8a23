//! Makes a failing script small: leaves out what the failure does not need.

use super::checked::{Wrong, play};
use crate::drive::Scripted;

/// Inputs played in search of a smaller script, at most.
const PLAYED_MAX: usize = 400_000;

/// The smallest script found that still fails in the same way, and how it fails.
pub fn shrink(seed: u64, script: Vec<Scripted>, wrong: Wrong) -> (Vec<Scripted>, Wrong) {
    let mut best = (script, wrong);
    let mut played = 0;
    let mut chunk = best.0.len().div_ceil(2);
    while chunk > 0 && played < PLAYED_MAX {
        let mut from = 0;
        while from < best.0.len() && played < PLAYED_MAX {
            let to = best.0.len().min(from + chunk);
            let candidate: Vec<Scripted> = [&best.0[..from], &best.0[to..]].concat();
            played += candidate.len();
            match play(seed, &candidate) {
                Err(wrong) if kind(&wrong) == kind(&best.1) => best = (candidate, wrong),
                _ => from = to,
            }
        }
        chunk /= 2;
    }
    best
}

/// What was violated, without where.
fn kind(wrong: &str) -> &str {
    wrong.split([' ', ':']).next().unwrap_or(wrong)
}
