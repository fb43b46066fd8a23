//! What the room of several servers measures.

use std::time::Duration;

use super::super::times::{Times, Turns};
use super::Span;
use super::calls::{Calls, Counts};
use super::router::Appends;

/// What it came to.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Measured {
    pub(super) rate: u32,
    pub(super) alone: Turns,
    pub(super) two: Two,
    /// Of both servers while two were measured.
    pub(super) appends: Appends,
    pub(super) killed: Takeovers,
    pub(super) stood: Takeovers,
    pub(super) redis_lost: Option<RedisLost>,
    pub(super) counts: Counts,
    /// What did not work at first, and how often.
    pub(super) faults: Vec<(String, u64)>,
}

/// From ringing in to the offer, at two servers.
#[derive(Debug, Clone, Default)]
pub(in crate::bench) struct Two {
    pub(super) all: Turns,
    /// Call and desk at the same server.
    pub(super) same: Times,
    /// At different ones.
    pub(super) across: Times,
}

impl Two {
    /// The calls that rang in during this time, too.
    pub(super) fn add(&mut self, calls: &Calls, (from, until): Span) {
        self.all.add(calls.waits(from, until, |_| true));
        self.same.add(&calls.waits(from, until, |offer| offer.from == offer.to));
        self.across.add(&calls.waits(from, until, |offer| offer.from != offer.to));
    }
}

/// One of two servers went away under load, and came again.
#[derive(Debug, Clone, Default)]
pub(in crate::bench) struct Takeovers {
    pub(super) number: u32,
    /// Until the next offer at each of its desks.
    pub(super) next: Times,
    /// The longest time without an offer at the other's desks, before and after.
    pub(super) gap_before: Duration,
    pub(super) gap: Duration,
    /// From ringing in to the offer, of all calls before and after.
    pub(super) waits_before: Times,
    pub(super) waits: Times,
    /// From ringing in until a desk had the call, of the same.
    pub(super) answers_before: Times,
    pub(super) answers: Times,
}

impl Takeovers {
    /// How much longer a call waited than calls usually do: for an operator who heard of it, or who had it.
    pub(super) fn held_up(&self) -> Duration {
        let over = |waits: &Times, usual: &Times| waits.percentile_us(100.0).saturating_sub(usual.p50_us());
        let heard = over(&self.waits, &self.waits_before);
        Duration::from_micros(heard.max(over(&self.answers, &self.answers_before)))
    }
}

/// What it is like without Redis, and when it comes again.
#[derive(Debug, Clone, Default)]
pub(in crate::bench) struct RedisLost {
    /// One server without it.
    pub(super) alone: Turns,
    /// Two servers without it.
    pub(super) two: Two,
    /// From its start until it shows who is free.
    pub(super) shown: Times,
}

impl Measured {
    /// All but one in a hundred, at two servers ÷ at one, each in the median of its turns.
    pub(super) fn ratio(&self) -> f64 {
        self.two.all.p99_us() / self.alone.p99_us().max(1.0)
    }

    /// All but one in a hundred, at one server without Redis ÷ with it, each in the median of its turns.
    pub(super) fn redis_ratio(&self) -> Option<f64> {
        let lost = self.redis_lost.as_ref()?;
        Some(lost.alone.p99_us() / self.alone.p99_us().max(1.0))
    }

    /// All but one in a hundred from one server to the other without Redis, in milliseconds.
    pub(super) fn across_ms(&self) -> f64 {
        let across = self.redis_lost.as_ref().map_or(&self.two.across, |lost| &lost.two.across);
        across.percentile_us(99.0) as f64 / 1_000.0
    }
}
