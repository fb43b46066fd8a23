//! What streams deliver, in the words of the simulated hospital.

use std::str::FromStr;

use api::v1;
use switchboard::call::{CallState, Class, Purpose};
use switchboard::desk::{DeskCall, DeskView, OfferView};
use switchboard::id::{Attempt, CallId, DeskSession, GatewayId, OfferId, Seq};
use switchboard::operator::{Duty, Link, PauseWish, Work};
use switchboard::time::{SiteTime, Span};
use switchboard::treatment::{Hears, Leg, LegTo, Role, Shape, Treatment, Wish};
use uuid::Uuid;

use super::fault::DemoFault;

type Read<T> = Result<T, DemoFault>;

/// A treatment of a gateway's call.
pub(super) fn treatment(gateway: GatewayId, sent: &v1::Treatment) -> Read<Treatment> {
    let shape = match sent.shape() {
        v1::TreatmentShape::Queue => Shape::Queue,
        v1::TreatmentShape::Ring => Shape::Ring,
        v1::TreatmentShape::Connect => Shape::Connect,
        v1::TreatmentShape::Hold => Shape::Hold,
        v1::TreatmentShape::Divert => Shape::Divert,
        v1::TreatmentShape::Release => Shape::Release,
        v1::TreatmentShape::Unspecified => return Err(missing("a treatment's shape")),
    };
    Ok(Treatment {
        call: call_id(&sent.call_id)?,
        gateway,
        revision: Seq(sent.revision),
        shape,
        hears: hears(sent.hears.as_ref().ok_or_else(|| missing("what a caller hears"))?)?,
        caller: role(sent.caller_role())?,
        legs: sent.legs.iter().map(leg).collect::<Read<_>>()?,
    })
}

fn hears(sent: &v1::Hearing) -> Read<Hears> {
    match sent.kind() {
        v1::HearingKind::Music => Ok(Hears::Music),
        v1::HearingKind::Prompt => Ok(Hears::Prompt(name("a recording", &sent.prompt_id)?)),
        v1::HearingKind::Menu => Ok(Hears::Menu(name("a recording", &sent.prompt_id)?)),
        v1::HearingKind::Silence => Ok(Hears::Silence),
        v1::HearingKind::Unspecified => Err(missing("what a caller hears")),
    }
}

fn role(sent: v1::LegRole) -> Read<Role> {
    match sent {
        v1::LegRole::Talk => Ok(Role::Talk),
        v1::LegRole::Held => Ok(Role::Held),
        v1::LegRole::Listen => Ok(Role::Listen),
        v1::LegRole::Whisper => Ok(Role::Whisper),
        v1::LegRole::Unspecified => Err(missing("a leg's role")),
    }
}

fn leg(sent: &v1::TreatmentLeg) -> Read<Leg> {
    use v1::treatment_leg::To;
    let to = match sent.to.as_ref().ok_or_else(|| missing("where a leg leads"))? {
        To::OperatorId(id) => LegTo::Operator(name("an operator", id)?),
        To::DestinationId(id) => LegTo::Outside(name("a destination", id)?),
    };
    let wish = match sent.wish() {
        v1::LegWish::Ring => Wish::Ring,
        v1::LegWish::Up => Wish::Up,
        v1::LegWish::Unspecified => return Err(missing("a leg's wish")),
    };
    Ok(Leg { attempt: Attempt(sent.attempt), to, role: role(sent.role())?, wish, press_one: sent.press_one })
}

/// What a desk shows.
pub(super) fn desk(sent: &v1::Desk) -> Read<DeskView> {
    let part = |what| move || missing(what);
    Ok(DeskView {
        operator: name("an operator", &sent.operator_id)?,
        duty: duty(sent.duty.as_ref().ok_or_else(part("a duty"))?)?,
        pause_next: sent.pause_next.as_ref().map(pause_wish).transpose()?,
        link: link(sent.link.as_ref().ok_or_else(part("a link"))?)?,
        session: DeskSession(sent.session),
        work: work(sent.work.as_ref().ok_or_else(part("a work"))?)?,
        cool_until: sent.cool_until_us.map(SiteTime),
        offer: sent.offer.as_ref().map(offer).transpose()?,
        call: sent.call.as_ref().map(desk_call).transpose()?,
    })
}

fn duty(sent: &v1::Duty) -> Read<Duty> {
    Ok(match sent.state() {
        v1::DutyState::Off => Duty::Off,
        v1::DutyState::On => Duty::On,
        v1::DutyState::Paused => Duty::Paused {
            reason: name("a reason", &sent.reason)?,
            until: sent.until_us.map(SiteTime),
            // Fairness is the switchboard's own affair; no desk is told.
            idle_for: Span::ZERO,
        },
        v1::DutyState::Suspended => Duty::Suspended { missed: u8::try_from(sent.missed).unwrap_or(u8::MAX) },
        v1::DutyState::Leaving => Duty::Leaving,
        v1::DutyState::Unspecified => return Err(missing("a duty")),
    })
}

fn pause_wish(sent: &v1::PauseWish) -> Read<PauseWish> {
    Ok(PauseWish { reason: name("a reason", &sent.reason)?, until: sent.until_us.map(SiteTime) })
}

fn link(sent: &v1::Link) -> Read<Link> {
    match sent.state() {
        v1::LinkState::Online => Ok(Link::Online),
        v1::LinkState::Grace => Ok(Link::Grace { until: SiteTime(sent.until_us.unwrap_or(u64::MAX)) }),
        v1::LinkState::Lost => Ok(Link::Lost),
        v1::LinkState::Unspecified => Err(missing("a link")),
    }
}

fn work(sent: &v1::Work) -> Read<Work> {
    let call = || call_id(&sent.call_id);
    let attempt = Attempt(sent.attempt);
    Ok(match sent.state() {
        v1::WorkState::Idle => Work::Idle,
        v1::WorkState::Offered => Work::Offered { call: call()?, attempt },
        v1::WorkState::Connecting => Work::Connecting { call: call()?, attempt },
        v1::WorkState::Talking => Work::Talking { call: call()?, attempt },
        v1::WorkState::WrapUp => {
            Work::WrapUp { call: call()?, until: SiteTime(sent.until_us.unwrap_or(u64::MAX)) }
        }
        v1::WorkState::OutsideCall => Work::OutsideCall,
        v1::WorkState::Unspecified => return Err(missing("a work")),
    })
}

fn offer(sent: &v1::DeskOffer) -> Read<OfferView> {
    let id = sent.offer.as_ref().ok_or_else(|| missing("an offer's id"))?;
    let class = match sent.class() {
        v1::CallClass::Emergency => Class::Emergency,
        v1::CallClass::Normal => Class::Normal,
        v1::CallClass::Background => Class::Background,
        v1::CallClass::Unspecified => return Err(missing("a class")),
    };
    Ok(OfferView {
        id: OfferId { call: call_id(&id.call_id)?, attempt: Attempt(id.attempt) },
        line: name("a line", &sent.line_id)?,
        called: name("a line", &sent.called_line_id)?,
        class,
        purpose: purpose(sent)?,
        delivered: sent.delivered,
        accepted: sent.accepted,
        until: SiteTime(sent.until_us),
        waiting_since: SiteTime(sent.waiting_since_us),
    })
}

fn purpose(sent: &v1::DeskOffer) -> Read<Purpose> {
    match sent.purpose() {
        // By which tier the operator came in is not shown on a desk.
        v1::OfferPurpose::Line => Ok(Purpose::Line(0)),
        v1::OfferPurpose::Transfer => Ok(Purpose::Transfer),
        v1::OfferPurpose::Consult => Ok(Purpose::Consult),
        v1::OfferPurpose::Unspecified => Err(missing("an offer's purpose")),
    }
}

fn desk_call(sent: &v1::DeskCall) -> Read<DeskCall> {
    let colleague = match sent.colleague_id.as_str() {
        "" => None,
        id => Some((name("an operator", id)?, sent.colleague_talks)),
    };
    Ok(DeskCall {
        id: call_id(&sent.call_id)?,
        line: name("a line", &sent.line_id)?,
        state: call_state(sent.state())?,
        consulted: sent.consulted,
        colleague,
    })
}

fn call_state(sent: v1::CallState) -> Read<CallState> {
    match sent {
        v1::CallState::Waiting => Ok(CallState::Waiting),
        v1::CallState::Offered => Ok(CallState::Offered),
        v1::CallState::Connecting => Ok(CallState::Connecting),
        v1::CallState::Connected => Ok(CallState::Connected),
        v1::CallState::Held => Ok(CallState::Held),
        v1::CallState::Diverting => Ok(CallState::Diverting),
        v1::CallState::Closed | v1::CallState::Unspecified => Err(missing("an open call's state")),
    }
}

/// A call's id.
pub(super) fn call_id(text: &str) -> Read<CallId> {
    Uuid::parse_str(text).map(CallId).map_err(|_| DemoFault::unreadable("a call's id", text))
}

/// An id that people name.
pub(super) fn name<T: FromStr>(what: &'static str, text: &str) -> Read<T> {
    text.parse().map_err(|_| DemoFault::unreadable(what, text))
}

fn missing(what: &'static str) -> DemoFault {
    DemoFault::unreadable(what, "")
}
