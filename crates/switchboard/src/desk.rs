//! What an operator's desk shows: derived from state, whole every time.

use serde::{Deserialize, Serialize};

use crate::call::{CallState, Class, Purpose, Stage};
use crate::id::{CallId, DeskSession, LineId, OfferId, OperatorId};
use crate::operator::{Duty, Link, PauseWish, Work};
use crate::switchboard::Switchboard;
use crate::time::SiteTime;

/// What one operator's desk shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskView {
    /// Whose.
    pub operator: OperatorId,
    /// Meant to answer?
    pub duty: Duty,
    /// Pauses after this call.
    pub pause_next: Option<PauseWish>,
    /// Reachable?
    pub link: Link,
    /// The session that counts.
    pub session: DeskSession,
    /// Occupied?
    pub work: Work,
    /// Not asked until then.
    pub cool_until: Option<SiteTime>,
    /// The live offer, ringing or accepted.
    pub offer: Option<OfferView>,
    /// The call the operator talks in.
    pub call: Option<DeskCall>,
}

/// A live offer as its operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// Which.
    pub id: OfferId,
    /// The line the call is on.
    pub line: LineId,
    /// The line it was made to.
    pub called: LineId,
    /// Its priority.
    pub class: Class,
    /// Why this operator.
    pub purpose: Purpose,
    /// Confirmed by the desk.
    pub delivered: bool,
    /// Accepted: the bridge is coming up.
    pub accepted: bool,
    /// Rings out then; once accepted, must be bridged by then.
    pub until: SiteTime,
    /// Since when the caller waits.
    pub waiting_since: SiteTime,
}

/// The call an operator talks in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskCall {
    /// Which.
    pub id: CallId,
    /// Its line.
    pub line: LineId,
    /// Connected or held.
    pub state: CallState,
    /// Whether this operator is only consulted about it.
    pub consulted: bool,
    /// The colleague asked, and whether that one talks already.
    pub colleague: Option<(OperatorId, bool)>,
}

impl Switchboard {
    /// What an operator's desk shows.
    pub fn desk(&self, id: OperatorId) -> Option<DeskView> {
        let operator = self.state.operators.get(&id)?;
        Some(DeskView {
            operator: id,
            duty: operator.duty,
            pause_next: operator.pause_next,
            link: operator.link,
            session: operator.session,
            work: operator.work,
            cool_until: operator.cool_until,
            offer: self.offer_view(&operator.work),
            call: self.desk_call(&operator.work),
        })
    }

    fn offer_view(&self, work: &Work) -> Option<OfferView> {
        let (Work::Offered { call: id, attempt } | Work::Connecting { call: id, attempt }) = *work else {
            return None;
        };
        let call = self.state.calls.get(&id)?;
        let offer = call.offers.get(&attempt)?;
        let (delivered, accepted, until) = match offer.stage {
            Stage::Ringing { deliver_by, ring_until } => (deliver_by.is_none(), false, ring_until),
            Stage::Accepted { connect_by } => (true, true, connect_by),
            Stage::Talking => return None,
        };
        Some(OfferView {
            id: OfferId { call: id, attempt },
            line: call.line,
            called: call.called,
            class: call.class,
            purpose: offer.purpose,
            delivered,
            accepted,
            until,
            waiting_since: call.rang_at,
        })
    }

    fn desk_call(&self, work: &Work) -> Option<DeskCall> {
        let Work::Talking { call: id, attempt } = *work else { return None };
        let call = self.state.calls.get(&id)?;
        let consult = call.consult();
        let consulted = consult.is_some_and(|(a, _)| a == attempt);
        let colleague = if consulted {
            call.bridge().map(|(operator, _)| (operator, true))
        } else {
            consult.map(|(_, offer)| (offer.operator, offer.stage == Stage::Talking))
        };
        Some(DeskCall { id, line: call.line, state: call.state(), consulted, colleague })
    }
}
