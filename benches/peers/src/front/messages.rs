//! What desks and gateway are told.

use std::time::{SystemTime, UNIX_EPOCH};

use api::v1;

/// The desk of an operator, whole.
pub(super) fn desk_shows(
    operator: &str,
    call_id: &str,
    work: v1::WorkState,
) -> v1::OperatorServiceAttachResponse {
    let offer = (work == v1::WorkState::Offered).then(|| v1::DeskOffer {
        offer: Some(v1::OfferRef { call_id: call_id.to_owned(), attempt: 1 }),
        ..Default::default()
    });
    let work = v1::Work { state: work.into(), call_id: call_id.to_owned(), attempt: 1, until_us: None };
    let desk = v1::Desk {
        operator_id: operator.to_owned(),
        session: 1,
        offer,
        work: Some(work),
        ..Default::default()
    };
    let kind = v1::UpdateKind::Change.into();
    v1::OperatorServiceAttachResponse { number: 0, cursor: None, kind, desk: Some(desk) }
}

/// What a caller should experience.
pub(super) fn treatment(
    call_id: &str,
    shape: v1::TreatmentShape,
    operator: &str,
) -> v1::GatewayServiceAttachResponse {
    let leg = |operator: &str| v1::TreatmentLeg {
        attempt: 1,
        role: v1::LegRole::Talk.into(),
        wish: v1::LegWish::Up.into(),
        press_one: false,
        to: Some(v1::treatment_leg::To::OperatorId(operator.to_owned())),
    };
    let legs = if operator.is_empty() { Vec::new() } else { vec![leg(operator)] };
    let treatment =
        v1::Treatment { call_id: call_id.to_owned(), shape: shape.into(), legs, ..Default::default() };
    let kind = v1::UpdateKind::Change.into();
    v1::GatewayServiceAttachResponse { kind, treatments: vec![treatment], ..Default::default() }
}

/// When it was done.
pub(super) fn receipt() -> v1::Receipt {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at_us = u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX);
    v1::Receipt { cursor: Some(v1::Cursor { epoch: 1, seq: 1 }), at_us, stepped: None }
}
