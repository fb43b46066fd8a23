use std::time::Duration;

/// How long to wait before trying again: doubling, with a random half so that many clients do not return at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    min: Duration,
    max: Duration,
}

impl Backoff {
    /// From `min`, doubling up to `max`.
    pub fn new(min: Duration, max: Duration) -> Backoff {
        Backoff { next: min, min, max }
    }

    /// Something worked: begins again with the shortest wait.
    pub fn reset(&mut self) {
        self.next = self.min;
    }

    /// The next wait: between half of the step and all of it.
    pub fn step(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.max);
        let random = getrandom::u32().unwrap_or(u32::MAX);
        step / 2 + (step / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff::new(Duration::from_millis(20), Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_the_limit_and_begin_again() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(10), ms(35));
        for step in [10, 20, 35, 35] {
            let wait = backoff.step();
            assert!(wait >= ms(step) / 2 && wait <= ms(step), "{wait:?} for {step} ms");
        }
        backoff.reset();
        assert!(backoff.step() <= ms(10));
    }
}
