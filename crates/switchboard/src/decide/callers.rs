//! Blocked callers: for a while, by somebody with a reason, never on an emergency line.

use crate::call::Class;
use crate::command::{Actor, Input};
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{CallId, CallerRef, Code};
use crate::operator::Work;
use crate::rejection::{Limit, Rejection};
use crate::state::BLOCKS_MAX;
use crate::switchboard::{Decided, Switchboard};
use crate::time::Span;

impl Switchboard {
    pub(super) fn block_caller(
        &mut self,
        input: &Input,
        id: CallId,
        reason: Code,
        span: Option<Span>,
    ) -> Decided {
        self.check_blocker(input, id)?;
        let span = super::lasting(span.unwrap_or(self.state.timers().block))?;
        let (caller, class) = match (self.state.calls.get(&id), self.state.closed.get(&id)) {
            (Some(call), _) => (call.caller, call.class),
            (None, Some(tomb)) => (tomb.caller, tomb.class),
            (None, None) => return Err(Rejection::UnknownCall),
        };
        if class == Class::Emergency {
            return Err(Rejection::NeverBlocked);
        }
        if self.state.blocks.len() >= BLOCKS_MAX {
            return Err(Rejection::LimitReached { what: Limit::Blocks });
        }
        let until = self.at() + span;
        self.emit(Event::CallerBlocked { caller, reason, until });
        Ok(Reply::Done)
    }

    /// An operator may block the caller of the own call: during it, or in its wrap-up.
    fn check_blocker(&self, input: &Input, id: CallId) -> Result<(), Rejection> {
        let Actor::Operator(operator) = input.actor else {
            return if input.is_staffed_by_office() { Ok(()) } else { Err(Rejection::NotYours) };
        };
        let work = self.state.operators.get(&operator).ok_or(Rejection::UnknownOperator)?.work;
        let own = match work {
            Work::Talking { call, .. } | Work::WrapUp { call, .. } => call == id,
            Work::Idle | Work::Offered { .. } | Work::Connecting { .. } | Work::OutsideCall => false,
        };
        if own { Ok(()) } else { Err(Rejection::NotYours) }
    }

    pub(super) fn unblock_caller(&mut self, caller: CallerRef) -> Decided {
        if !self.state.blocks.contains_key(&caller) {
            return Err(Rejection::NotBlocked);
        }
        self.emit(Event::CallerUnblocked { caller });
        Ok(Reply::Done)
    }
}
