//! What is going to happen in the hospital, in order of time. What happens at the same moment is ordered by what it
//! is, never by when it was thought of.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use switchboard::id::{Attempt, CallId, OfferId, Seq};
use switchboard::time::SiteTime;

/// One thing that is going to happen. Each checks, when its time comes, whether it still can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// A gateway attaches.
    GatewayAttaches(usize),
    /// An administrator enters a person.
    PersonEntered(usize),
    /// Something a person or the person's desk does.
    Person(usize, PersonAct),
    /// A first attempt rings in: its number among the day's.
    RingsFirst(usize),
    /// A caller rings in again.
    RingsAgain(usize),
    /// Something a caller does, by the number of the passage.
    Caller(usize, CallerAct),
    /// Something another leg of a passage does.
    Leg(usize, Attempt, LegAct),
    /// Something in a conversation.
    Talk(usize, Attempt, TalkAct),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PersonAct {
    Comes,
    Starts,
    Goes,
    ClosesDesk,
    Vanishes,
    /// The desk is back: the same, or another one that takes over.
    Returns {
        takeover: bool,
    },
    Pauses,
    Resumes,
    PhoneTurnsBusy,
    PhoneTurnsFree,
    ConfirmsDelivery(OfferId),
    Reacts(OfferId),
    AcceptsLate(OfferId),
    MediaUp(OfferId),
    EndsWrapUp(CallId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CallerAct {
    /// Gives up, if still in this spell of waiting.
    LosesPatience(u32),
    PressesKey(char),
    HearsOut(Seq),
    /// Gives up, if nothing happened since being put on hold.
    TiresOfHold(Seq),
    Leaves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LegAct {
    Rings,
    Answers,
    PressesOne,
    Bridges,
    PutDown,
    Busy,
    Unreachable,
    BridgeBreaks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TalkAct {
    Blocks,
    Holds,
    Retrieves,
    Consults,
    /// The consult is over, one way or the other.
    EndsConsult {
        completes: bool,
    },
    TransfersToLine,
    TransfersToOperator,
    OperatorEnds,
    CallerEnds,
}

/// The heap of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Agenda(BinaryHeap<Reverse<(SiteTime, Item)>>);

impl Agenda {
    pub(super) fn add(&mut self, at: SiteTime, item: Item) {
        if at < SiteTime(u64::MAX) {
            self.0.push(Reverse((at, item)));
        }
    }

    /// Nobody rings in any more.
    pub(super) fn forget_arrivals(&mut self) {
        self.0.retain(|Reverse((_, item))| !matches!(item, Item::RingsFirst(_) | Item::RingsAgain(_)));
    }

    pub(super) fn next_at(&self) -> Option<SiteTime> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn take_due(&mut self, at: SiteTime) -> Option<(SiteTime, Item)> {
        if self.next_at()? > at {
            return None;
        }
        self.0.pop().map(|Reverse(due)| due)
    }
}
