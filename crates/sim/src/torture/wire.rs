//! The way between the hospital and the switchboard: it delays, repeats and reorders what it carries, in both
//! directions.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::command::Input;
use switchboard::id::{CallId, OperatorId};
use switchboard::time::{SiteTime, Span};

use crate::chance::Draw;

/// Something under way.
#[derive(Debug, Clone)]
pub(super) enum Parcel {
    /// To the switchboard.
    Input(Box<Input>),
    /// To whoever is to be told of these: as they are when it arrives.
    News(BTreeSet<CallId>, BTreeSet<OperatorId>),
}

/// What is under way, by when it arrives.
#[derive(Debug, Clone, Default)]
pub(super) struct Wire {
    under_way: BTreeMap<(SiteTime, u64), Parcel>,
    carried: u64,
}

impl Wire {
    /// Carries something, at once if it is lucky; inputs may arrive twice.
    pub(super) fn carry(&mut self, at: SiteTime, parcel: Parcel, draw: &mut Draw) {
        let copies = if matches!(parcel, Parcel::Input(_)) && draw.per_mille(40) { 2 } else { 1 };
        for copy in 0..copies {
            let delay = match draw.below(100) {
                0..85 if copy == 0 => Span::ZERO,
                85..97 => draw.between(Span::millis(1), Span::millis(800)),
                _ => draw.between(Span::millis(1), Span::secs(20)),
            };
            self.add(at + delay, parcel.clone());
        }
    }

    /// Carries something without any trouble.
    pub(super) fn add(&mut self, at: SiteTime, parcel: Parcel) {
        self.carried += 1;
        self.under_way.insert((at, self.carried), parcel);
    }

    pub(super) fn next_at(&self) -> Option<SiteTime> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    /// The next that has arrived by `at`.
    pub(super) fn take(&mut self, at: SiteTime) -> Option<Parcel> {
        if self.next_at()? > at {
            return None;
        }
        self.under_way.pop_first().map(|(_, parcel)| parcel)
    }
}
