//! The switchboard itself: the state of one site, its indexes, and the two ways in: `handle` decides, `evolve` repeats.
//!
//! Decide by doing: a handler looks at everything first, then emits events; to emit is to apply and to remember. So
//! `handle` and `evolve` change the state through the same code, and a replay cannot come out differently.

use alloc::vec::Vec;

use crate::call::{Call, Tombstone};
use crate::canonical::{self, Hash};
use crate::command::{Actor, Command, Input};
use crate::decision::{Decision, Reply};
use crate::event::Event;
use crate::fingerprint::fingerprint;
use crate::id::{CallId, LineId, OperatorId, Seq};
use crate::index::{CallMark, Groups, Index, OperatorMark, Subject};
use crate::operator::Operator;
use crate::planted::Bug;
use crate::rejection::Rejection;
use crate::requests::RequestMemory;
use crate::state::{REMEMBERED_FOR, REMEMBERED_MAX, State};
use crate::time::SiteTime;
use crate::treatment::Treatment;

/// The pure switchboard of one site.
#[derive(Debug, Clone, Default)]
pub struct Switchboard {
    pub(crate) state: State,
    pub(crate) index: Index,
    turn: Turn,
}

/// What the decision under way has touched so far. Empty between decisions.
#[derive(Debug, Clone, Default)]
struct Turn {
    at: SiteTime,
    seq: Seq,
    events: Vec<Event>,
    /// Marks from before the last reindexing.
    calls: Vec<(CallId, CallMark)>,
    operators: Vec<(OperatorId, OperatorMark)>,
    /// Treatments from before the decision.
    treatments: Vec<(CallId, Option<Treatment>)>,
}

impl Switchboard {
    /// A switchboard to which nothing has happened.
    pub fn new() -> Switchboard {
        Switchboard::default()
    }

    /// A switchboard in a stored state.
    pub fn from_state(state: State) -> Switchboard {
        let index = Index::of(&state);
        Switchboard { state, index, turn: Turn::default() }
    }

    /// The canonical state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The hash of the canonical state.
    pub fn state_hash(&self) -> Hash {
        Hash::of(&canonical::encode(&self.state))
    }

    /// When something is due next.
    pub fn next_deadline(&self) -> Option<SiteTime> {
        self.index.deadlines.first().map(|(at, _)| *at)
    }

    /// Decides one input. Whatever is due by `at` must have been handed in before, as [`Command::Tick`].
    ///
    /// # Errors
    /// A rejection, after which nothing has changed.
    pub fn handle(&mut self, at: SiteTime, input: Input) -> Result<Decision, Rejection> {
        if at < self.state.now {
            return Err(Rejection::TimeWentBack { now: self.state.now });
        }
        match self.next_deadline() {
            Some(due) if due <= at && input.command != Command::Tick => {
                return Err(Rejection::TickFirst { due });
            }
            _ => {}
        }
        self.recall(&input)?;
        self.begin(self.state.seq.next(), at);
        let decided = self.decide(at, &input);
        let reply = match decided {
            Ok(reply) => reply,
            Err(rejection) => {
                debug_assert!(self.turn.events.is_empty(), "a handler refuses before its first event");
                self.turn = Turn::default();
                return Err(rejection);
            }
        };
        self.settle();
        let events = core::mem::take(&mut self.turn.events);
        let decision = Decision { seq: self.state.seq.next(), at, input, events, reply };
        self.finish(&decision);
        Ok(decision)
    }

    /// Repeats a stored decision: applies its events, consults nothing, cannot fail.
    pub fn evolve(&mut self, decision: &Decision) {
        self.begin(decision.seq, decision.at);
        for event in &decision.events {
            self.apply(event);
        }
        self.finish(decision);
    }

    /// An open call.
    pub fn call(&self, id: CallId) -> Option<&Call> {
        self.state.calls.get(&id)
    }

    /// A call closed a short while ago.
    pub fn closed(&self, id: CallId) -> Option<&Tombstone> {
        self.state.closed.get(&id)
    }

    /// An operator.
    pub fn operator(&self, id: OperatorId) -> Option<&Operator> {
        self.state.operators.get(&id)
    }

    /// Whether the indexes are what they would be if built afresh: a check for tests and `doctor`.
    pub fn is_indexed_well(&self) -> bool {
        self.index == Index::of(&self.state)
    }

    fn recall(&self, input: &Input) -> Result<(), Rejection> {
        let Some(request) = input.request else { return Ok(()) };
        let Some(memory) = self.state.requests.find(request) else { return Ok(()) };
        if memory.fingerprint == fingerprint(&(input.actor, &input.command)) {
            Err(Rejection::AlreadyDone(memory.reply))
        } else {
            Err(Rejection::RequestReused)
        }
    }

    fn begin(&mut self, seq: Seq, at: SiteTime) {
        self.turn.at = at;
        self.turn.seq = seq;
    }

    /// The time of the decision under way.
    pub(crate) fn at(&self) -> SiteTime {
        self.turn.at
    }

    /// The sequence number of the decision under way.
    pub(crate) fn seq(&self) -> Seq {
        self.turn.seq
    }

    /// Applies an event and remembers it.
    pub(crate) fn emit(&mut self, event: Event) {
        self.apply(&event);
        self.turn.events.push(event);
    }

    /// A call about to change.
    pub(crate) fn touch_call(&mut self, id: CallId) {
        if !self.turn.calls.iter().any(|(c, _)| *c == id) {
            self.turn.calls.push((id, CallMark::of(&self.state, id)));
        }
        if !self.turn.treatments.iter().any(|(c, _)| *c == id) {
            let before = self.treatment(id);
            self.turn.treatments.push((id, before));
        }
    }

    /// An operator about to change.
    pub(crate) fn touch_operator(&mut self, id: OperatorId) {
        if !self.turn.operators.iter().any(|(o, _)| *o == id) {
            self.turn.operators.push((id, OperatorMark::of(&self.state, id)));
        }
    }

    /// An operator about to change teams, home lines or skills, or to go.
    pub(crate) fn touch_groups(&mut self, id: OperatorId) {
        self.touch_operator(id);
        let groups = Groups::of(&self.state, id);
        let mark = self.turn.operators.iter_mut().find(|(o, _)| *o == id);
        if let Some((_, mark)) = mark.filter(|(_, mark)| mark.left.is_none()) {
            mark.left = groups;
        }
    }

    /// Changes a line's status, and its deadline with it.
    pub(crate) fn change_line(&mut self, id: LineId, change: impl FnOnce(&mut crate::line::LineStatus)) {
        let before = Index::line_deadline(&self.state, id);
        change(self.state.lines.entry(id).or_default());
        self.index.change_line(id, before, &self.state);
    }

    /// Replaces the schedule's edges through `change`, and its deadline with them.
    pub(crate) fn change_edges(&mut self, change: impl FnOnce(&mut State)) {
        let before = self.state.edges.front().map(|e| e.at);
        change(&mut self.state);
        self.index.set_deadline(Subject::Schedule, before, self.state.edges.front().map(|e| e.at));
    }

    /// Builds the indexes afresh: a plan changed what they depend on. Everybody is looked at when settling.
    pub(crate) fn reindex_all(&mut self) {
        self.turn.calls.clear();
        self.turn.operators.clear();
        self.index = Index::of(&self.state);
        for (id, call) in self.state.calls.iter().filter(|(_, c)| c.is_waiting()) {
            self.index.waiting.stirred.insert(self.state.place(*id, call));
            self.index.waiting.deepened.insert(call.line);
        }
    }

    /// Brings the indexes up to date with what was touched.
    pub(crate) fn reindex(&mut self) {
        for (id, before) in &self.turn.operators {
            let after = OperatorMark::of(&self.state, *id);
            self.index.change_operator(*id, before, &after, &self.state);
        }
        for (id, before) in &self.turn.calls {
            let after = CallMark::of(&self.state, *id);
            self.index.change_call(*id, before, &after, &self.state);
        }
        // Emptied, not dropped: the next event needs the room again.
        self.turn.operators.clear();
        self.turn.calls.clear();
    }

    fn finish(&mut self, decision: &Decision) {
        self.reindex();
        self.state.now = decision.at;
        self.state.seq = decision.seq;
        let mut treatments = core::mem::take(&mut self.turn.treatments);
        for (id, before) in treatments.drain(..) {
            if !self.state.suffers(Bug::SilentTreatment)
                && self.treatment(id) != before
                && let Some(call) = self.state.calls.get_mut(&id)
            {
                call.treatment_revision = decision.seq;
            }
        }
        self.turn.treatments = treatments;
        if let Some(request) = decision.input.request {
            let fingerprint = fingerprint(&(decision.input.actor, &decision.input.command));
            let memory = RequestMemory { request, fingerprint, at: decision.at, reply: decision.reply };
            self.state.requests.remember(decision.seq, memory);
        }
        self.forget(decision.at);
        self.index.settle_marks();
        self.turn.events.clear();
    }

    /// Housekeeping: what is only remembered for a while is forgotten, by the decision's own time.
    fn forget(&mut self, at: SiteTime) {
        let old = |then: SiteTime| at.since(then) > REMEMBERED_FOR;
        while let Some(memory) = self.state.requests.first() {
            if !old(memory.at) && self.state.requests.len() <= REMEMBERED_MAX {
                break;
            }
            self.state.requests.forget_first();
        }
        while let Some((seq, id)) = self.index.tombs.first().copied() {
            let keep = |t: &Tombstone| !old(t.closed_at) && self.index.tombs.size() <= REMEMBERED_MAX;
            if self.state.closed.get(&id).is_some_and(keep) {
                break;
            }
            self.index.tombs.remove_mut(&(seq, id));
            if let Some(tomb) = self.state.closed.get(&id) {
                crate::index::count(&mut self.index.promised, tomb.revision, -1);
                self.state.closed.remove_mut(&id);
            }
        }
        while let Some((until, line, caller)) =
            self.index.abandons.first().copied().filter(|(until, ..)| *until < at)
        {
            self.index.abandons.remove_mut(&(until, line, caller));
            self.take_abandon(line, caller);
        }
        if self.state.plans.len() > 1 {
            let (in_force, promised) = (self.state.revision, &self.index.promised);
            self.state.plans.retain(|revision, _| *revision == in_force || promised.contains_key(revision));
        }
    }

    /// Removes a place left, from the state and its index.
    pub(crate) fn take_abandon(&mut self, line: LineId, caller: crate::id::CallerRef) {
        let Some(callers) = self.state.abandons.get_mut(&line) else { return };
        if let Some(abandon) = callers.get(&caller) {
            self.index.abandons.remove_mut(&(abandon.until, line, caller));
            callers.remove_mut(&caller);
        }
        if callers.is_empty() {
            self.state.abandons.remove(&line);
        }
    }
}

/// Who asks, for handlers that depend on it.
impl Input {
    /// Whether a supervisor or administrator asks.
    pub(crate) fn is_staffed_by_office(&self) -> bool {
        matches!(self.actor, Actor::Supervisor(_) | Actor::Admin(_))
    }
}

/// A handler's answer.
pub(crate) type Decided = Result<Reply, Rejection>;

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use core::ptr;

    use super::*;
    use crate::call::{Abandon, Class, Outcome};
    use crate::id::{CallerRef, Revision};
    use crate::time::Span;

    fn caller(n: u64) -> CallerRef {
        CallerRef(uuid::Uuid::from_u128(n.into()))
    }

    fn closed(n: u64) -> (CallId, Tombstone) {
        let tomb = Tombstone {
            closed_at: SiteTime(n),
            outcome: Outcome::AbandonedWaiting,
            line: "main".parse().expect("a name"),
            caller: caller(n),
            class: Class::Normal,
            gateway: "gateway".parse().expect("a name"),
            revision: Revision(1),
            seq: Seq(n),
            ended: BTreeMap::new(),
        };
        (CallId(uuid::Uuid::from_u128(n.into())), tomb)
    }

    fn left(n: u64) -> (CallerRef, Abandon) {
        let at = SiteTime(n);
        let until = SiteTime(2 * REMEMBERED_FOR.0 + n);
        (caller(n), Abandon { arrived_at: at, served: Span::ZERO, left_at: at, until })
    }

    /// A switchboard is copied whenever an append was lost, and remembers tens of thousands of these.
    #[test]
    fn a_copy_shares_the_calls_that_are_over() {
        let line: LineId = "main".parse().expect("a name");
        let state = State {
            closed: (1..=1_000).map(closed).collect(),
            abandons: [(line, (1..=1_000).map(left).collect())].into(),
            ..State::default()
        };
        let one = Switchboard::from_state(state);
        let mut other = one.clone();
        other.forget(SiteTime(REMEMBERED_FOR.0 + 2));
        other.take_abandon(line, caller(1));
        assert!(other.is_indexed_well() && one.is_indexed_well(), "each is its own");
        let sizes = |of: &Switchboard| [of.state.closed.size(), of.state.abandons[&line].size()];
        assert_eq!([sizes(&one), sizes(&other)], [[1_000; 2], [999; 2]]);
        for n in 2..=1_000 {
            let [(a, b), (c, d)] = [&one, &other].map(|of| {
                let tomb = of.closed(closed(n).0).expect("remembered");
                (tomb, of.state.abandons[&line].get(&caller(n)).expect("remembered"))
            });
            assert!(ptr::eq(a, c) && ptr::eq(b, d), "{n}");
        }
        let mut indexed = one.index.tombs.iter().skip(1).zip(&other.index.tombs);
        assert!(indexed.all(|(one, other)| ptr::eq(one, other)));
        let mut indexed = one.index.abandons.iter().skip(1).zip(&other.index.abandons);
        assert!(indexed.all(|(one, other)| ptr::eq(one, other)));
    }
}
