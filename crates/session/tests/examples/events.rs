//! One decision per kind of event.

use std::collections::BTreeMap;

use switchboard::call::{
    CallerKind, Class, DivertedBy, EndedBy, MoveCause, Outcome, Purpose, TierSet, Withdrawal,
};
use switchboard::command::{Actor, Command, TransferTarget};
use switchboard::decision::{Decision, Reply};
use switchboard::event::{Alarm, Event};
use switchboard::id::{Attempt, DeskSession, OperatorId, Revision};
use switchboard::operator::Device;
use switchboard::plan::Trigger;
use switchboard::time::Span;

use super::{
    at, call, caller, decision, desk, edges, gateway, kinds, line, name as text, names, operator, plan,
    profile,
};

kinds!(Event:
    CallArrived, CallMoved, SkillChosen, PreferenceRelaxed, TierOpened, CallMigrated, TargetExpired, ClosingStarted,
    CallRequeued, CallDiverted, DivertConnected, DivertFailed, CallClosed, OfferMade, OfferDelivered, OfferAccepted,
    OfferDeclined, OfferRangOut, OfferUndeliverable, OfferWithdrawn, BridgeFailed, LateAcceptNoted, CallConnected,
    ConsultConnected, ConsultEnded, CallHeld, CallRetrieved, CallTransferred, TransferCompleted, OperatorAdded,
    OperatorChanged, OperatorRemoving, OperatorRemoved, DeskAttached, DeskDropped, DeskLost, WentOnDuty,
    OperatorPaused, PauseNoted, OperatorResumed, OperatorLeaving, WentOffDuty, CooledDown, WrapUpStarted, WrapUpEnded,
    OutsideCallStarted, OutsideCallEnded, OperatorForcedIdle, ShiftStarted, ShiftEnding, ShiftEnded, LineOpened,
    LineClosedBySchedule, LineClosedByHand, LineScheduleNoted, LineDraining, LineRetired, LineDiverted,
    LineDivertEnded, PlanAdopted, ScheduleExtended, EdgePassed, CallerBlocked, CallerUnblocked, GatewayAttached,
    GatewayLost, SiteRetired, AlarmRaised,
);

/// The examples, by name.
pub(crate) fn examples() -> Vec<(&'static str, Decision)> {
    let decided = |event| (name(&event), decision(Actor::Clock, Command::Tick, vec![event], Reply::Done));
    [passage(), handing_on(), offers(), people(), work(), lines(), site()]
        .into_iter()
        .flatten()
        .map(decided)
        .collect()
}

fn passage() -> Vec<Event> {
    let (call, operator, attempt) = (call(), operator(), Attempt(2));
    vec![
        Event::CallArrived {
            call,
            gateway: gateway(),
            caller: caller(),
            kind: CallerKind::Staff,
            line: line("emergency"),
            class: Class::Emergency,
            revision: Revision(3),
            arrived_at: at(50),
            ladder_from: at(60),
            resumed: true,
            required: names(&["licence"]),
            held: names(&["cantonese"]),
        },
        Event::SkillChosen { call, skill: text("cantonese") },
        Event::PreferenceRelaxed { call, skill: text("cantonese") },
        Event::TierOpened { call, tier: 2, trigger: Trigger::Wait(Span::secs(10)) },
        Event::CallMigrated { call, revision: Revision(4), tiers: tiers(), required: names(&["licence"]) },
        Event::TargetExpired { call },
        Event::ClosingStarted { call, until: at(100) },
        Event::CallRequeued { call, operator, tiers: tiers() },
        Event::CallDiverted {
            call,
            destination: text("duty-phone"),
            attempt,
            ringing_until: Some(at(120)),
            by: DivertedBy::Tier(4),
        },
        Event::DivertConnected { call },
        Event::DivertFailed { call },
        Event::CallClosed {
            call,
            outcome: Outcome::Answered { ended_by: EndedBy::Caller },
            resumable_until: Some(at(700)),
        },
    ]
}

fn handing_on() -> Vec<Event> {
    let (call, operator, attempt) = (call(), operator(), Attempt(2));
    vec![
        Event::CallMoved {
            call,
            from: line("emergency"),
            to: line("switchboard"),
            cause: MoveCause::StaffCaller,
            class: Class::Normal,
            revision: Revision(3),
            required: names(&["licence"]),
            held: names(&["cantonese"]),
        },
        Event::ConsultConnected { call, attempt },
        Event::ConsultEnded { call, attempt },
        Event::CallHeld { call },
        Event::CallRetrieved { call },
        Event::CallTransferred {
            call,
            from: operator,
            to: TransferTarget::Line(line("switchboard")),
            line: line("switchboard"),
            class: Class::Normal,
            revision: Revision(3),
            target_until: Some(at(110)),
            required: names(&["licence"]),
            held: names(&["cantonese"]),
        },
        Event::TransferCompleted { call, from: operator, attempt },
    ]
}

fn offers() -> Vec<Event> {
    let (call, operator, attempt) = (call(), operator(), Attempt(2));
    vec![
        Event::OfferMade {
            call,
            attempt,
            operator,
            session: DeskSession(2),
            device: Device::Softphone,
            purpose: Purpose::Line(1),
            deliver_by: Some(at(92)),
            ring_until: at(105),
        },
        Event::OfferDelivered { call, attempt },
        Event::OfferAccepted { call, attempt, connect_by: at(95) },
        Event::OfferDeclined { call, attempt, reason: Some(text("break")) },
        Event::OfferRangOut { call, attempt, cool_until: Some(at(110)), suspended: Some(2) },
        Event::OfferUndeliverable { call, attempt, grace_until: Some(at(105)), cool_until: Some(at(110)) },
        Event::OfferWithdrawn { call, attempt, why: Withdrawal::AnsweredElsewhere },
        Event::BridgeFailed { call, attempt, cause: Some(text("congestion")), cool_until: Some(at(110)) },
        Event::LateAcceptNoted { call, attempt, operator },
        Event::CallConnected { call, attempt },
    ]
}

fn people() -> Vec<Event> {
    let operator = operator();
    vec![
        Event::OperatorAdded { operator, profile: profile() },
        Event::OperatorChanged { operator, profile: profile() },
        Event::OperatorRemoving { operator },
        Event::OperatorRemoved { operator },
        Event::DeskAttached { operator, desk: desk(), session: DeskSession(2) },
        Event::DeskDropped { operator, grace_until: at(105), reload_by: at(93) },
        Event::DeskLost { operator },
        Event::WentOnDuty { operator },
        Event::OperatorPaused {
            operator,
            reason: text("meal"),
            until: Some(at(1_800)),
            idle_for: Span::secs(7),
        },
        Event::PauseNoted { operator, reason: text("meal"), until: Some(at(1_800)) },
        Event::OperatorResumed { operator, idle_since: at(80) },
        Event::OperatorLeaving { operator },
        Event::WentOffDuty { operator },
        Event::ShiftStarted { operator, ends_at: at(40_000) },
        Event::ShiftEnding { operator, last_on: names(&["emergency"]) },
        Event::ShiftEnded { operator },
    ]
}

fn work() -> Vec<Event> {
    let operator: OperatorId = operator();
    vec![
        Event::CooledDown { operator },
        Event::WrapUpStarted { operator, call: call(), until: at(120) },
        Event::WrapUpEnded { operator, topic: Some(text("outpatient")) },
        Event::OutsideCallStarted { operator },
        Event::OutsideCallEnded { operator },
        Event::OperatorForcedIdle { operator },
    ]
}

fn lines() -> Vec<Event> {
    let line = line("emergency");
    vec![
        Event::LineOpened { line },
        Event::LineClosedBySchedule { line },
        Event::LineClosedByHand { line, reason: text("fire"), until: at(600) },
        Event::LineScheduleNoted { line, open: true },
        Event::LineDraining { line },
        Event::LineRetired { line },
        Event::LineDiverted { line, destination: text("duty-phone"), until: at(600) },
        Event::LineDivertEnded { line },
        Event::PlanAdopted {
            revision: Revision(3),
            plan: Box::new(plan()),
            moves: BTreeMap::from([(line, text("switchboard"))]),
        },
        Event::ScheduleExtended { edges: edges() },
        Event::EdgePassed,
    ]
}

fn site() -> Vec<Event> {
    vec![
        Event::CallerBlocked { caller: caller(), reason: text("abuse"), until: at(86_400) },
        Event::CallerUnblocked { caller: caller() },
        Event::GatewayAttached { gateway: gateway(), incarnation: 4, reaches: Some(names(&["op-01"])) },
        Event::GatewayLost { gateway: gateway() },
        Event::SiteRetired,
        Event::AlarmRaised { alarm: Alarm::NobodyOnDuty { line: line("emergency") } },
    ]
}

fn tiers() -> TierSet {
    let mut tiers = TierSet::FIRST;
    tiers.insert(2);
    tiers
}
