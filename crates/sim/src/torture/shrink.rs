//! Makes a failing script small: leaves out what the failure does not need.

/// Inputs played in search of a smaller script, at most.
const PLAYED_MAX: usize = 400_000;

/// Leaves out of `script`, in ever smaller pieces, whatever it goes on failing without. `fails` plays a script and says
/// what was wrong, if it is wrong in the way that matters.
pub(super) fn shrink<T: Clone, W>(
    script: Vec<T>,
    wrong: W,
    mut fails: impl FnMut(&[T]) -> Option<W>,
) -> (Vec<T>, W) {
    let mut best = (script, wrong);
    let mut played = 0;
    let mut chunk = best.0.len().div_ceil(2);
    while chunk > 0 && played < PLAYED_MAX {
        let mut from = 0;
        while from < best.0.len() && played < PLAYED_MAX {
            let to = best.0.len().min(from + chunk);
            let candidate: Vec<T> = [&best.0[..from], &best.0[to..]].concat();
            played += candidate.len();
            match fails(&candidate) {
                Some(wrong) => best = (candidate, wrong),
                None => from = to,
            }
        }
        chunk /= 2;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_failure_needs_is_left() {
        let needs = |script: &[u32]| {
            let first = script.iter().position(|n| *n == 17)?;
            script[first..].contains(&58).then_some("both")
        };
        let (script, wrong) = shrink((0..100).collect(), "both", needs);
        assert_eq!((script, wrong), (vec![17, 58], "both"));
    }

    #[test]
    fn what_never_fails_again_stays_whole() {
        let (script, ()) = shrink(vec![1, 2, 3], (), |_| None);
        assert_eq!(script, [1, 2, 3]);
    }
}
