//! What a supervisor does to lines and to single calls.

use crate::call::{Class, MoveCause, Phase, Withdrawal};
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{CallId, Code, DestinationId, LineId};
use crate::line::{LineState, LineStatus};
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};
use crate::time::Span;

impl Switchboard {
    fn line_status(&self, line: LineId) -> Result<LineStatus, Rejection> {
        self.state.lines.get(&line).copied().ok_or(Rejection::UnknownLine)
    }

    pub(super) fn divert_line(
        &mut self,
        line: LineId,
        destination: Option<DestinationId>,
        span: Span,
    ) -> Decided {
        let status = self.line_status(line)?;
        if self.is_going(line) {
            return Err(Rejection::WrongLineState);
        }
        let Some(destination) = destination else {
            if status.divert.is_none() {
                return Err(Rejection::AlreadyDone(Reply::Done));
            }
            self.end_divert(line);
            return Ok(Reply::Done);
        };
        let span = super::lasting(span)?;
        if !self.has_destination(destination) {
            return Err(Rejection::UnknownDestination);
        }
        let until = self.at() + span;
        self.emit(Event::LineDiverted { line, destination, until });
        Ok(Reply::Done)
    }

    /// Ends a line's divert; an emergency line never stays closed without one.
    pub(super) fn end_divert(&mut self, line: LineId) {
        self.emit(Event::LineDivertEnded { line });
        let state = self.state.lines.get(&line).map(|l| l.state);
        if self.is_emergency(line) && matches!(state, Some(LineState::ClosedByHand { .. })) {
            self.reopen(line);
        }
    }

    /// Ends a closing by hand: open, or closed by the schedule meanwhile.
    pub(super) fn reopen(&mut self, line: LineId) {
        let Some(LineState::ClosedByHand { scheduled_open, .. }) =
            self.state.lines.get(&line).map(|l| l.state)
        else {
            return;
        };
        self.emit(if scheduled_open {
            Event::LineOpened { line }
        } else {
            Event::LineClosedBySchedule { line }
        });
    }

    fn is_emergency(&self, line: LineId) -> bool {
        self.state.line(line).is_some_and(|l| l.class == Class::Emergency)
    }

    pub(super) fn open_line(&mut self, line: LineId) -> Decided {
        match self.line_status(line)?.state {
            LineState::Open => Err(Rejection::AlreadyDone(Reply::Done)),
            LineState::ClosedByHand { .. } => {
                self.reopen(line);
                Ok(Reply::Done)
            }
            LineState::ClosedBySchedule | LineState::Draining | LineState::Retired => {
                Err(Rejection::WrongLineState)
            }
        }
    }

    pub(super) fn close_line(&mut self, line: LineId, reason: Code, span: Span) -> Decided {
        let status = self.line_status(line)?;
        let span = super::lasting(span)?;
        if self.is_going(line) {
            return Err(Rejection::WrongLineState);
        }
        let mut until = self.at() + span;
        if self.is_emergency(line) {
            let divert = status.divert.ok_or(Rejection::EmergencyNeedsDivert)?;
            until = until.min(divert.until);
        }
        self.emit(Event::LineClosedByHand { line, reason, until });
        Ok(Reply::Done)
    }

    pub(super) fn move_call(&mut self, id: CallId, to: LineId) -> Decided {
        let call = self.state.calls.get(&id).ok_or_else(|| self.no_open_call(id))?;
        let status = self.line_status(to)?;
        if call.line == to {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        if status.state != LineState::Open {
            return Err(Rejection::LineNotOpen);
        }
        match call.phase {
            Phase::Diverting { .. } => return Err(Rejection::WrongCallState),
            Phase::Queued => self.withdraw_all(id, Withdrawal::Supervisor, None),
            Phase::Bridged { operator, .. } => {
                let span = self.wrap_up_of(call);
                self.withdraw_all(id, Withdrawal::Supervisor, None);
                let tiers = self.people_tiers(id, None);
                self.emit(Event::CallRequeued { call: id, operator, tiers });
                self.wrap_up(operator, id, span);
            }
        }
        self.move_to(id, to, MoveCause::Supervisor);
        Ok(Reply::Done)
    }

    /// A draining line without open calls is gone for good.
    pub(crate) fn retire_if_empty(&mut self, line: LineId) {
        let draining = self.state.lines.get(&line).is_some_and(|l| l.state == LineState::Draining);
        if draining && !self.state.calls.values().any(|c| c.line == line) {
            self.emit(Event::LineRetired { line });
        }
    }
}
