//! What an event does to the state. Total: it cannot fail, decides nothing, consults no plan and no clock. An event
//! about something that is not there changes nothing; law L01 would tell.

mod calls;
mod offers;
mod operators;
mod site;

use crate::call::Call;
use crate::event::Event;
use crate::id::{CallId, OperatorId};
use crate::operator::Operator;
use crate::switchboard::Switchboard;

impl Switchboard {
    /// Applies one event of the decision under way.
    pub(crate) fn apply(&mut self, event: &Event) {
        let _ = self.apply_to_call(event)
            || self.apply_to_offer(event)
            || self.apply_to_operator(event)
            || self.apply_to_site(event);
    }

    fn with_call(&mut self, id: CallId, change: impl FnOnce(&mut Call)) {
        self.touch_call(id);
        if let Some(call) = self.state.calls.get_mut(&id) {
            change(call);
        }
    }

    fn with_operator(&mut self, id: OperatorId, change: impl FnOnce(&mut Operator)) {
        self.touch_operator(id);
        if let Some(operator) = self.state.operators.get_mut(&id) {
            change(operator);
        }
    }
}
