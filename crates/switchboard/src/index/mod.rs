//! Indexes: who waits where, who is ready where, what is due next. Each is a function of the state and of nothing
//! else: [`Index::of`] builds it whole, and the marks below keep it so in steps of O(log n). Nothing here is stored.

mod marks;
mod ready;
mod waiting;

use alloc::collections::{BTreeMap, BTreeSet};

use rpds::RedBlackTreeSetSync;

use crate::id::{CallId, CallerRef, GatewayId, LineId, OperatorId, Revision, Seq, TeamId};
use crate::plan::Who;
use crate::planted::Bug;
use crate::state::State;
use crate::time::SiteTime;

pub(crate) use self::marks::{CallMark, Groups, OperatorMark, WaitMark};
pub(crate) use self::ready::Ready;
pub(crate) use self::waiting::Waiting;

/// A group of operators that a tier can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pool {
    /// A line's own operators.
    Own(LineId),
    /// A team.
    Team(TeamId),
    /// One line's own operators, under its guard.
    Guarded(LineId),
    /// Every line's own operators, under each guard.
    Others,
}

impl Pool {
    /// The pool behind a tier of people.
    pub(crate) fn behind(who: &Who, line: LineId) -> Option<Pool> {
        match who {
            Who::Own => Some(Pool::Own(line)),
            Who::Team(team) => Some(Pool::Team(*team)),
            Who::Line(other) => Some(Pool::Guarded(*other)),
            Who::OtherLines => Some(Pool::Others),
            Who::Outside { .. } | Who::Closing => None,
        }
    }
}

/// Whose deadline it is. Deadlines of the same time fire in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The next edge.
    Schedule,
    /// A closing by hand or a divert.
    Line(LineId),
    /// A block.
    Caller(CallerRef),
    /// Grace, wrap-up, pause, cool-down, shift.
    Operator(OperatorId),
    /// Offers, ladder, closing message, divert.
    Call(CallId),
}

/// All indexes of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Index {
    /// One entry per subject that has a deadline: its earliest.
    pub(crate) deadlines: BTreeSet<(SiteTime, Subject)>,
    /// Waiting calls.
    pub(crate) waiting: Waiting,
    /// Operators who are ready, or on duty.
    pub(crate) ready: Ready,
    /// Open calls by gateway.
    pub(crate) by_gateway: BTreeMap<GatewayId, BTreeSet<CallId>>,
    /// Open and remembered calls by the plan they were promised.
    pub(crate) promised: BTreeMap<Revision, u32>,
    /// Remembered calls, oldest first.
    pub(crate) tombs: RedBlackTreeSetSync<(Seq, CallId)>,
    /// Places left, the first to expire first.
    pub(crate) abandons: RedBlackTreeSetSync<(SiteTime, LineId, CallerRef)>,
}

impl Index {
    /// The indexes of a state.
    pub(crate) fn of(state: &State) -> Index {
        let mut index = Index::default();
        for id in state.operators.keys() {
            index.enter_operator(*id, &OperatorMark::of(state, *id), state);
        }
        for id in state.calls.keys() {
            index.enter_call(*id, &CallMark::of(state, *id), state);
        }
        for (id, tomb) in &state.closed {
            index.tombs.insert_mut((tomb.seq, *id));
            count(&mut index.promised, tomb.revision, 1);
        }
        for (line, callers) in &state.abandons {
            for (caller, abandon) in callers {
                index.abandons.insert_mut((abandon.until, *line, *caller));
            }
        }
        for line in state.lines.keys() {
            index.set_deadline(Subject::Line(*line), None, marks::line_deadline(state, *line));
        }
        for (caller, block) in &state.blocks {
            index.set_deadline(Subject::Caller(*caller), None, Some(block.until));
        }
        index.set_deadline(Subject::Schedule, None, state.edges.front().map(|e| e.at));
        index.settle_marks();
        index
    }

    /// Brings a line's deadline up to date.
    pub(crate) fn change_line(&mut self, line: LineId, before: Option<SiteTime>, state: &State) {
        self.set_deadline(Subject::Line(line), before, marks::line_deadline(state, line));
    }

    /// The deadline a line has.
    pub(crate) fn line_deadline(state: &State, line: LineId) -> Option<SiteTime> {
        marks::line_deadline(state, line)
    }

    /// Replaces a subject's entry.
    pub(crate) fn set_deadline(
        &mut self,
        subject: Subject,
        before: Option<SiteTime>,
        after: Option<SiteTime>,
    ) {
        if before == after {
            return;
        }
        if let Some(at) = before {
            self.deadlines.remove(&(at, subject));
        }
        if let Some(at) = after {
            self.deadlines.insert((at, subject));
        }
    }

    /// Brings a call's entries from one mark to the next.
    pub(crate) fn change_call(&mut self, id: CallId, before: &CallMark, after: &CallMark, state: &State) {
        if before == after {
            return;
        }
        let moved = before.open.zip(after.open).is_some_and(|(from, to)| from.1 != to.1);
        let forgets = moved && state.suffers(Bug::DeadlineLost);
        self.set_deadline(Subject::Call(id), before.deadline, after.deadline.filter(|_| !forgets));
        if before.waiting != after.waiting {
            if let Some(wait) = &before.waiting {
                self.waiting.remove(wait, state);
            }
            if let Some(wait) = &after.waiting {
                self.waiting.insert(wait, state);
            }
        }
        if before.open != after.open {
            if let Some((gateway, revision)) = before.open {
                if let Some(calls) = self.by_gateway.get_mut(&gateway) {
                    calls.remove(&id);
                    if calls.is_empty() {
                        self.by_gateway.remove(&gateway);
                    }
                }
                count(&mut self.promised, revision, -1);
            }
            if let Some((gateway, revision)) = after.open {
                self.by_gateway.entry(gateway).or_default().insert(id);
                count(&mut self.promised, revision, 1);
            }
        }
    }

    /// Brings an operator's entries from one mark to the next.
    pub(crate) fn change_operator(
        &mut self,
        id: OperatorId,
        before: &OperatorMark,
        after: &OperatorMark,
        state: &State,
    ) {
        if before == after {
            return;
        }
        self.set_deadline(Subject::Operator(id), before.deadline, after.deadline);
        self.ready.change(id, before, after, state);
    }

    fn enter_call(&mut self, id: CallId, mark: &CallMark, state: &State) {
        self.change_call(id, &CallMark::default(), mark, state);
    }

    fn enter_operator(&mut self, id: OperatorId, mark: &OperatorMark, state: &State) {
        self.change_operator(id, &OperatorMark::default(), mark, state);
    }

    /// Forgets what was stirred: the state is settled, or is being rebuilt.
    pub(crate) fn settle_marks(&mut self) {
        self.waiting.stirred = BTreeSet::new();
        self.waiting.deepened = BTreeSet::new();
        self.ready.stirred = BTreeSet::new();
        self.ready.staff_dropped = false;
    }
}

/// Adds to a counter that has no zeros.
pub(crate) fn count<K: Ord + Copy>(counters: &mut BTreeMap<K, u32>, key: K, by: i32) -> u32 {
    let n = counters.entry(key).or_insert(0);
    *n = n.saturating_add_signed(by);
    let left = *n;
    if left == 0 {
        counters.remove(&key);
    }
    left
}
