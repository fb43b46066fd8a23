//! What the gateway itself knows of the day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use switchboard::id::{CallId, LineId};

/// The witness against which the service's account is held.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Callers whose arrival was taken note of, by the line they called.
    pub(super) arrived: BTreeMap<LineId, u64>,
    /// Callers who neither hung up nor were released.
    pub(super) inside: BTreeSet<CallId>,
    /// Callers the service had taken note of and did not know after a restart.
    pub(super) forgotten: BTreeSet<CallId>,
    /// Who was let go before the answer to the arrival came.
    gone_early: BTreeSet<CallId>,
    /// Every caller's leg: also of those whose arrival is on its way.
    held: Arc<Mutex<BTreeSet<CallId>>>,
}

impl Seen {
    /// Callers who were taken note of so far.
    pub(super) fn callers(&self) -> u64 {
        self.arrived.values().sum()
    }

    /// Says, whenever it is asked, whose legs there are.
    pub(super) fn inventory(&self) -> impl FnMut() -> Vec<String> + Send + use<> {
        let held = Arc::clone(&self.held);
        move || held.lock().unwrap_or_else(PoisonError::into_inner).iter().map(ToString::to_string).collect()
    }

    /// The leg is there; nobody has taken note of it yet.
    pub(super) fn rings(&mut self, call: CallId) {
        self.held().insert(call);
    }

    /// The arrival was taken note of.
    pub(super) fn arrives(&mut self, call: CallId, line: LineId) {
        *self.arrived.entry(line).or_default() += 1;
        if !self.gone_early.remove(&call) {
            self.inside.insert(call);
        }
    }

    /// The arrival was refused.
    pub(super) fn turned_away(&mut self, call: CallId) {
        self.held().remove(&call);
    }

    /// The caller hung up or was released.
    pub(super) fn leaves(&mut self, call: CallId) {
        let held = self.held().remove(&call);
        if !self.inside.remove(&call) && held {
            self.gone_early.insert(call);
        }
    }

    /// The service does not know this call.
    pub(super) fn unknown(&mut self, call: CallId) {
        // Whose arrival is on its way is reported in a moment.
        if self.inside.contains(&call) {
            self.forgotten.insert(call);
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<CallId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn who_is_let_go_before_the_answer_is_not_inside_after_it() {
        let (mut seen, call, line) = (Seen::default(), CallId(Uuid::from_u128(1)), "duty".parse().unwrap());
        let mut inventory = seen.inventory();
        seen.rings(call);
        assert_eq!(inventory(), [call.to_string()], "the leg is there before anybody was told");
        seen.unknown(call);
        seen.leaves(call);
        seen.arrives(call, line);
        assert_eq!((seen.callers(), seen.inside.len(), seen.forgotten.len()), (1, 0, 0));
        assert_eq!(inventory(), [""; 0]);
    }

    #[test]
    fn who_was_taken_note_of_must_be_known() {
        let (mut seen, call) = (Seen::default(), CallId(Uuid::from_u128(1)));
        seen.rings(call);
        seen.arrives(call, "duty".parse().unwrap());
        seen.unknown(call);
        assert_eq!(seen.forgotten.len(), 1);
    }
}
