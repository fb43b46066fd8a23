use api::v1;
use switchboard::desk::{DeskCall, DeskView, OfferView};

use super::operator::offer_ref;
use super::words;

/// What a desk shows, for the wire.
pub(crate) fn desk(view: &DeskView) -> v1::Desk {
    v1::Desk {
        operator_id: view.operator.to_string(),
        session: view.session.0,
        duty: Some(words::duty(view.duty)),
        link: Some(words::link(view.link)),
        work: Some(words::work(view.work)),
        offer: view.offer.as_ref().map(offer),
        call: view.call.as_ref().map(call),
        pause_next: view
            .pause_next
            .map(|wish| v1::PauseWish { reason: wish.reason.to_string(), until_us: wish.until.map(|t| t.0) }),
        cool_until_us: view.cool_until.map(|t| t.0),
    }
}

fn offer(offer: &OfferView) -> v1::DeskOffer {
    v1::DeskOffer {
        offer: Some(offer_ref(offer.id)),
        line_id: offer.line.to_string(),
        called_line_id: offer.called.to_string(),
        class: words::class(offer.class).into(),
        purpose: words::purpose(offer.purpose).into(),
        delivered: offer.delivered,
        accepted: offer.accepted,
        until_us: offer.until.0,
        waiting_since_us: offer.waiting_since.0,
    }
}

fn call(call: &DeskCall) -> v1::DeskCall {
    v1::DeskCall {
        call_id: call.id.to_string(),
        line_id: call.line.to_string(),
        state: words::call_state(call.state).into(),
        consulted: call.consulted,
        colleague_id: call.colleague.map(|(operator, _)| operator.to_string()).unwrap_or_default(),
        colleague_talks: call.colleague.is_some_and(|(_, talks)| talks),
    }
}
