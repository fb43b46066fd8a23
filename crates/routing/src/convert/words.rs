//! Words of one side for words of the other, exhaustively: a new one breaks the build here.

use api::v1;
use switchboard::call::{CallState, CallerKind, Class, EndedBy, Failure, Outcome, Purpose, Refusal};
use switchboard::command::{Force, LegFact};
use switchboard::ledger::OutcomeKind;
use switchboard::operator::{Device, Duty, Link, Work};

use super::field::{Invalid, code};

pub(crate) fn class(class: Class) -> v1::CallClass {
    match class {
        Class::Emergency => v1::CallClass::Emergency,
        Class::Normal => v1::CallClass::Normal,
        Class::Background => v1::CallClass::Background,
    }
}

pub(crate) fn caller_kind(kind: CallerKind) -> v1::CallerKind {
    match kind {
        CallerKind::Public => v1::CallerKind::Public,
        CallerKind::Staff => v1::CallerKind::Staff,
    }
}

pub(crate) fn call_state(state: CallState) -> v1::CallState {
    match state {
        CallState::Waiting => v1::CallState::Waiting,
        CallState::Offered => v1::CallState::Offered,
        CallState::Connecting => v1::CallState::Connecting,
        CallState::Connected => v1::CallState::Connected,
        CallState::Held => v1::CallState::Held,
        CallState::Diverting => v1::CallState::Diverting,
    }
}

pub(crate) fn outcome(outcome: Outcome) -> v1::Outcome {
    match outcome {
        Outcome::Answered { ended_by: EndedBy::Caller } => v1::Outcome::AnsweredEndedByCaller,
        Outcome::Answered { ended_by: EndedBy::Operator } => v1::Outcome::AnsweredEndedByOperator,
        Outcome::AbandonedWaiting => v1::Outcome::AbandonedWaiting,
        Outcome::AbandonedRinging => v1::Outcome::AbandonedRinging,
        Outcome::AbandonedConnecting => v1::Outcome::AbandonedConnecting,
        Outcome::DivertedOut => v1::Outcome::DivertedOut,
        Outcome::Refused(Refusal::Blocked) => v1::Outcome::RefusedBlocked,
        Outcome::Refused(Refusal::Full) => v1::Outcome::RefusedFull,
        Outcome::Refused(Refusal::Closed) => v1::Outcome::RefusedClosed,
        Outcome::Refused(Refusal::Draining) => v1::Outcome::RefusedDraining,
        Outcome::NobodyOnDuty => v1::Outcome::NobodyOnDuty,
        Outcome::Failed { cause: Failure::Gateway } => v1::Outcome::FailedGateway,
        Outcome::Failed { cause: Failure::Bridge } => v1::Outcome::FailedBridge,
    }
}

/// None for an open call's.
pub(crate) fn asked_outcome(outcome: v1::Outcome) -> Option<Outcome> {
    let answered = |ended_by| Outcome::Answered { ended_by };
    Some(match outcome {
        v1::Outcome::Unspecified => return None,
        v1::Outcome::AnsweredEndedByCaller => answered(EndedBy::Caller),
        v1::Outcome::AnsweredEndedByOperator => answered(EndedBy::Operator),
        v1::Outcome::AbandonedWaiting => Outcome::AbandonedWaiting,
        v1::Outcome::AbandonedRinging => Outcome::AbandonedRinging,
        v1::Outcome::AbandonedConnecting => Outcome::AbandonedConnecting,
        v1::Outcome::DivertedOut => Outcome::DivertedOut,
        v1::Outcome::RefusedBlocked => Outcome::Refused(Refusal::Blocked),
        v1::Outcome::RefusedFull => Outcome::Refused(Refusal::Full),
        v1::Outcome::RefusedClosed => Outcome::Refused(Refusal::Closed),
        v1::Outcome::RefusedDraining => Outcome::Refused(Refusal::Draining),
        v1::Outcome::NobodyOnDuty => Outcome::NobodyOnDuty,
        v1::Outcome::FailedGateway => Outcome::Failed { cause: Failure::Gateway },
        v1::Outcome::FailedBridge => Outcome::Failed { cause: Failure::Bridge },
    })
}

pub(crate) fn outcome_kind(kind: OutcomeKind) -> v1::Outcome {
    match kind {
        OutcomeKind::AnsweredEndedByCaller => v1::Outcome::AnsweredEndedByCaller,
        OutcomeKind::AnsweredEndedByOperator => v1::Outcome::AnsweredEndedByOperator,
        OutcomeKind::AbandonedWaiting => v1::Outcome::AbandonedWaiting,
        OutcomeKind::AbandonedRinging => v1::Outcome::AbandonedRinging,
        OutcomeKind::AbandonedConnecting => v1::Outcome::AbandonedConnecting,
        OutcomeKind::DivertedOut => v1::Outcome::DivertedOut,
        OutcomeKind::RefusedBlocked => v1::Outcome::RefusedBlocked,
        OutcomeKind::RefusedFull => v1::Outcome::RefusedFull,
        OutcomeKind::RefusedClosed => v1::Outcome::RefusedClosed,
        OutcomeKind::RefusedDraining => v1::Outcome::RefusedDraining,
        OutcomeKind::NobodyOnDuty => v1::Outcome::NobodyOnDuty,
        OutcomeKind::Failed => v1::Outcome::FailedGateway,
    }
}

pub(crate) fn purpose(purpose: Purpose) -> v1::OfferPurpose {
    match purpose {
        Purpose::Line(_) => v1::OfferPurpose::Line,
        Purpose::Transfer => v1::OfferPurpose::Transfer,
        Purpose::Consult => v1::OfferPurpose::Consult,
    }
}

pub(crate) fn shown_device(device: Device) -> v1::DeviceKind {
    match device {
        Device::AutoAnswer => v1::DeviceKind::AutoAnswer,
        Device::Ring => v1::DeviceKind::Ring,
        Device::Telephone => v1::DeviceKind::Telephone,
        Device::Softphone => v1::DeviceKind::Softphone,
    }
}

pub(crate) fn device(path: &str, device: v1::DeviceKind) -> Result<Device, Invalid> {
    match device {
        v1::DeviceKind::AutoAnswer => Ok(Device::AutoAnswer),
        v1::DeviceKind::Ring => Ok(Device::Ring),
        v1::DeviceKind::Telephone => Ok(Device::Telephone),
        v1::DeviceKind::Softphone => Ok(Device::Softphone),
        v1::DeviceKind::Unspecified => {
            Err(Invalid::new(path, "say how this person answers: AUTO_ANSWER, RING, TELEPHONE or SOFTPHONE"))
        }
    }
}

pub(crate) fn force(path: &str, force: v1::Force) -> Result<Force, Invalid> {
    match force {
        v1::Force::On => Ok(Force::On),
        v1::Force::Off => Ok(Force::Off),
        v1::Force::Idle => Ok(Force::Idle),
        v1::Force::Unspecified => Err(Invalid::new(path, "say to what: ON, OFF or IDLE")),
    }
}

pub(super) fn leg_fact(path: &str, leg: &v1::LegReport) -> Result<LegFact, Invalid> {
    match leg.event() {
        v1::LegEvent::Ringing => Ok(LegFact::Ringing),
        v1::LegEvent::Answered => Ok(LegFact::Answered),
        v1::LegEvent::Bridged => Ok(LegFact::Bridged),
        v1::LegEvent::HungUp => Ok(LegFact::HungUp),
        v1::LegEvent::Failed => code(&format!("{path}.cause"), &leg.cause).map(LegFact::Failed),
        v1::LegEvent::BridgeLost => Ok(LegFact::BridgeLost),
        v1::LegEvent::Unspecified => Err(Invalid::new(
            format!("{path}.event"),
            "say what the leg did: RINGING, ANSWERED, BRIDGED, HUNG_UP, FAILED or BRIDGE_LOST",
        )),
    }
}

pub(crate) fn duty(duty: Duty) -> v1::Duty {
    let plain = |state| v1::Duty { state: v1::DutyState::into(state), ..v1::Duty::default() };
    match duty {
        Duty::Off => plain(v1::DutyState::Off),
        Duty::On => plain(v1::DutyState::On),
        Duty::Paused { reason, until, idle_for: _ } => v1::Duty {
            reason: reason.to_string(),
            until_us: until.map(|t| t.0),
            ..plain(v1::DutyState::Paused)
        },
        Duty::Suspended { missed } => v1::Duty { missed: missed.into(), ..plain(v1::DutyState::Suspended) },
        Duty::Leaving => plain(v1::DutyState::Leaving),
    }
}

pub(crate) fn link(link: Link) -> v1::Link {
    let (state, until_us) = match link {
        Link::Online => (v1::LinkState::Online, None),
        Link::Grace { until } => (v1::LinkState::Grace, Some(until.0)),
        Link::Lost => (v1::LinkState::Lost, None),
    };
    v1::Link { state: state.into(), until_us }
}

pub(crate) fn work(work: Work) -> v1::Work {
    let plain = |state| v1::Work { state: v1::WorkState::into(state), ..v1::Work::default() };
    let about = |state, call: switchboard::id::CallId, attempt: switchboard::id::Attempt| v1::Work {
        call_id: call.to_string(),
        attempt: attempt.0,
        ..plain(state)
    };
    match work {
        Work::Idle => plain(v1::WorkState::Idle),
        Work::Offered { call, attempt } => about(v1::WorkState::Offered, call, attempt),
        Work::Connecting { call, attempt } => about(v1::WorkState::Connecting, call, attempt),
        Work::Talking { call, attempt } => about(v1::WorkState::Talking, call, attempt),
        Work::WrapUp { call, until } => {
            v1::Work { call_id: call.to_string(), until_us: Some(until.0), ..plain(v1::WorkState::WrapUp) }
        }
        Work::OutsideCall => plain(v1::WorkState::OutsideCall),
    }
}
