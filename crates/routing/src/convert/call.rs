use api::v1;
use session::CallRecord;
use switchboard::call::{Call, Phase, Tombstone};
use switchboard::id::CallId;

use super::words;

/// An open call.
pub(crate) fn open_summary(id: CallId, call: &Call) -> v1::CallSummary {
    let operator = match call.phase {
        Phase::Bridged { operator, .. } => Some(operator),
        Phase::Queued => call.accepted().map(|(_, offer)| offer.operator),
        Phase::Diverting { .. } => None,
    };
    v1::CallSummary {
        call_id: id.to_string(),
        gateway_id: call.gateway.to_string(),
        caller_ref: call.caller.to_string(),
        caller_kind: words::caller_kind(call.kind).into(),
        line_id: call.line.to_string(),
        called_line_id: call.called.to_string(),
        class: words::class(call.class).into(),
        state: words::call_state(call.state()).into(),
        arrived_at_us: call.arrived_at.0,
        rang_at_us: call.rang_at.0,
        operator_id: operator.map(|o| o.to_string()).unwrap_or_default(),
        open_tiers: call.tiers.iter().map(u32::from).collect(),
        outcome: v1::Outcome::Unspecified.into(),
        closed_at_us: None,
    }
}

/// What is remembered of a closed call.
pub(crate) fn closed_summary(id: CallId, tomb: &Tombstone) -> v1::CallSummary {
    v1::CallSummary {
        call_id: id.to_string(),
        gateway_id: tomb.gateway.to_string(),
        line_id: tomb.line.to_string(),
        state: v1::CallState::Closed.into(),
        outcome: words::outcome(tomb.outcome).into(),
        closed_at_us: Some(tomb.closed_at.0),
        ..v1::CallSummary::default()
    }
}

/// A call's record.
pub(crate) fn recorded_call(record: &CallRecord) -> v1::RecordedCall {
    let outcome = record.closed.map(|(_, outcome)| words::outcome(outcome));
    v1::RecordedCall {
        call_id: record.call.to_string(),
        first_seq: record.first_seq.0,
        last_seq: record.last_seq.0,
        gateway_id: record.gateway.to_string(),
        caller_ref: record.caller.to_string(),
        caller_kind: words::caller_kind(record.kind).into(),
        called_line_id: record.called.to_string(),
        line_id: record.line.to_string(),
        class: words::class(record.class).into(),
        wall_us: record.wall_us,
        rang_at_us: record.rang_at.0,
        answered_at_us: record.answered.map(|(at, _)| at.0),
        answered_by_id: record.answered.map(|(_, operator)| operator.to_string()).unwrap_or_default(),
        offers: record.offers,
        tiers_opened: record.tiers,
        closed_at_us: record.closed.map(|(at, _)| at.0),
        outcome: outcome.unwrap_or(v1::Outcome::Unspecified).into(),
    }
}
