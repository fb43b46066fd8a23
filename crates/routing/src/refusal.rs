//! What a client is told when the answer is no: a gRPC status, a reason code that programs can rely on, and what to do
//! about it.

use std::time::Duration;

use exchange::{Refused, StepFault};
use presence::Fenced;
use switchboard::rejection::{Limit, Rejection};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Whose reason codes these are.
pub(crate) const DOMAIN: &str = "hotline";

/// A reason with its status, and how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The gRPC status.
    pub status: Code,
    /// For programs; never changes.
    pub code: &'static str,
    /// For people.
    pub mend: &'static str,
}

const fn reason(status: Code, code: &'static str, mend: &'static str) -> Reason {
    Reason { status, code, mend }
}

/// The reason of a rejection.
pub fn reason_of(rejection: &Rejection) -> Reason {
    use Code::{
        Aborted, AlreadyExists, FailedPrecondition, Internal, InvalidArgument, NotFound, Ok,
        PermissionDenied, ResourceExhausted,
    };
    match rejection {
        Rejection::AlreadyDone(_) => reason(Ok, "ALREADY_DONE", "nothing is left to do"),
        Rejection::RequestReused => {
            reason(AlreadyExists, "REQUEST_REUSED", "mint a new request id for a new command")
        }
        Rejection::TimeWentBack { .. } => {
            reason(Internal, "TIME_WENT_BACK", "tell whoever runs this server; nothing was changed")
        }
        Rejection::TickFirst { .. } => reason(Aborted, "TICK_FIRST", "send the same again"),
        Rejection::NotYours => {
            reason(PermissionDenied, "NOT_YOURS", "ask only about your own calls, offers and desk")
        }
        Rejection::UnknownCall => reason(NotFound, "UNKNOWN_CALL", "attach again and look what is there"),
        Rejection::CallClosed => reason(FailedPrecondition, "CALL_CLOSED", "forget this call; it is over"),
        Rejection::CallIdTaken => reason(AlreadyExists, "CALL_ID_TAKEN", "mint a new call id"),
        Rejection::UnknownAttempt => {
            reason(NotFound, "UNKNOWN_ATTEMPT", "name a leg of the call's latest treatment")
        }
        Rejection::WrongCallState => {
            reason(FailedPrecondition, "WRONG_CALL_STATE", "wait for the next update and look again")
        }
        Rejection::BadArrival => reason(InvalidArgument, "BAD_ARRIVAL", "claim at most two hours of waiting"),
        Rejection::MeaninglessDigit => {
            reason(FailedPrecondition, "MEANINGLESS_DIGIT", "ignore this key; nothing listens for it now")
        }
        Rejection::CallerGone => reason(FailedPrecondition, "CALLER_GONE", "wait for the next offer"),
        Rejection::AnsweredElsewhere => {
            reason(FailedPrecondition, "ANSWERED_ELSEWHERE", "wait for the next offer")
        }
        Rejection::Expired => reason(FailedPrecondition, "EXPIRED", "wait for the next offer"),
        Rejection::StaleSession => {
            reason(FailedPrecondition, "STALE_SESSION", "attach again: another desk took over")
        }
        Rejection::Withdrawn => reason(FailedPrecondition, "WITHDRAWN", "wait for the next offer"),
        Rejection::StaleOffer => reason(FailedPrecondition, "STALE_OFFER", "wait for the next offer"),
        Rejection::UnknownOperator => {
            reason(NotFound, "UNKNOWN_OPERATOR", "look at the list of operators, or add this one first")
        }
        Rejection::OperatorExists => {
            reason(AlreadyExists, "OPERATOR_EXISTS", "choose another id, or change the operator there is")
        }
        Rejection::WrongOperatorState => {
            reason(FailedPrecondition, "WRONG_OPERATOR_STATE", "look at the desk's duty and work first")
        }
        Rejection::ProfileConflict => {
            reason(Aborted, "PROFILE_CONFLICT", "read what is known now, make the change in it, send that")
        }
        Rejection::OperatorBusy => {
            reason(FailedPrecondition, "OPERATOR_BUSY", "wait until the work under way is done")
        }
        Rejection::OperatorNotReady => {
            reason(FailedPrecondition, "OPERATOR_NOT_READY", "choose a colleague who is ready")
        }
        Rejection::WrongDevice => {
            reason(FailedPrecondition, "WRONG_DEVICE", "change how this operator answers, or use that device")
        }
        Rejection::ConsultInProgress => {
            reason(FailedPrecondition, "CONSULT_IN_PROGRESS", "complete the transfer or retrieve the caller")
        }
        Rejection::UnknownLine => reason(NotFound, "UNKNOWN_LINE", "name a line of the plan in force"),
        Rejection::LineNotOpen => {
            reason(FailedPrecondition, "LINE_NOT_OPEN", "choose a line that takes calls")
        }
        Rejection::WrongLineState => reason(
            FailedPrecondition,
            "WRONG_LINE_STATE",
            "look at the board; a line closed by its hours opens by them, a removed one never",
        ),
        Rejection::EmergencyNeedsDivert => reason(
            FailedPrecondition,
            "EMERGENCY_NEEDS_DIVERT",
            "divert the emergency line first, then close it",
        ),
        Rejection::BadDuration => {
            reason(InvalidArgument, "BAD_DURATION", "give a duration from 1 minute to 30 days")
        }
        Rejection::UnknownTeam => reason(NotFound, "UNKNOWN_TEAM", "name a team of the plan in force"),
        Rejection::UnknownSkill => reason(NotFound, "UNKNOWN_SKILL", "name a skill of the plan in force"),
        Rejection::UnknownDestination => reason(
            NotFound,
            "UNKNOWN_DESTINATION",
            "name a destination of the plan in force that asks for key 1",
        ),
        Rejection::LineIdRetired => reason(FailedPrecondition, "LINE_ID_RETIRED", "give the line another id"),
        Rejection::PlanConflict { .. } => {
            reason(Aborted, "PLAN_CONFLICT", "get the plan in force, make the change in it, apply that")
        }
        Rejection::SkillsExhausted => {
            reason(ResourceExhausted, "SKILLS_EXHAUSTED", "use the names of skills there are")
        }
        Rejection::BadMove => {
            reason(InvalidArgument, "BAD_MOVE", "move waiting callers from a removed line to one that stays")
        }
        Rejection::BadSchedule => reason(
            InvalidArgument,
            "BAD_SCHEDULE",
            "put edges in order, not in the past, about lines and operators that exist",
        ),
        Rejection::UnknownGateway => {
            reason(FailedPrecondition, "UNKNOWN_GATEWAY", "attach this gateway first, in its present life")
        }
        Rejection::NotBlocked => reason(NotFound, "NOT_BLOCKED", "nothing is left to do"),
        Rejection::NeverBlocked => {
            reason(FailedPrecondition, "NEVER_BLOCKED", "let emergency callers through")
        }
        Rejection::LimitReached { what } => reason(
            ResourceExhausted,
            "LIMIT_REACHED",
            match what {
                Limit::Calls => "no more calls can be inside; wait until some have ended",
                Limit::Operators => "no more operators can be added; remove some",
                Limit::Gateways => "no more gateways can attach",
                Limit::Blocks => "no more callers can be blocked; unblock some",
                Limit::Edges => "the schedule has too many edges; lay fewer days ahead",
            },
        ),
        Rejection::SiteHasCalls { .. } => reason(
            FailedPrecondition,
            "SITE_HAS_CALLS",
            "close its lines, and retire it when its last call has ended",
        ),
        Rejection::SiteRetired => reason(
            FailedPrecondition,
            "SITE_RETIRED",
            "let the emergency plan take its calls; a new site begins under another id",
        ),
        Rejection::ForeignCall { .. } => {
            reason(InvalidArgument, "FOREIGN_CALL", "leave calls of other gateways out of the inventory")
        }
    }
}

/// Figures that a program may want to know.
fn figures(rejection: &Rejection) -> Option<(&'static str, String)> {
    match rejection {
        Rejection::PlanConflict { in_force } => Some(("in_force", in_force.0.to_string())),
        Rejection::ForeignCall { call } => Some(("call_id", call.to_string())),
        Rejection::SiteHasCalls { open } => Some(("open", open.to_string())),
        Rejection::TimeWentBack { now } => Some(("now_us", now.0.to_string())),
        Rejection::TickFirst { due } => Some(("due_us", due.0.to_string())),
        _ => None,
    }
}

/// A status with a reason code and a mend.
pub(crate) fn status(reason: Reason, message: &str) -> Status {
    with_figures(reason, message, None)
}

fn with_figures(reason: Reason, message: &str, figures: Option<(&'static str, String)>) -> Status {
    let mut details = ErrorDetails::new();
    let mut told = std::collections::HashMap::from([("mend".to_owned(), reason.mend.to_owned())]);
    told.extend(figures.map(|(name, figure)| (name.to_owned(), figure)));
    details.set_error_info(reason.code, DOMAIN, told);
    Status::with_error_details(reason.status, message, details)
}

/// The status of a rejection.
pub fn rejected(rejection: &Rejection) -> Status {
    with_figures(reason_of(rejection), &rejection.to_string(), figures(rejection))
}

/// The status of a desk or gateway whose lease ended.
pub(crate) fn fenced(fenced: Fenced) -> Status {
    status(reason(Code::Aborted, "FENCED", "attach again"), &fenced.to_string())
}

/// The status of an ask that was not accepted.
pub(crate) fn refused(refused: Refused) -> Status {
    match refused {
        Refused::Rejection(rejection) => rejected(&rejection),
        Refused::Busy { retry_after } => {
            let mut details = ErrorDetails::new();
            details.set_retry_info(Some(Duration::from_micros(retry_after.0)));
            details.set_error_info("BUSY", DOMAIN, []);
            Status::with_error_details(Code::ResourceExhausted, refused.to_string(), details)
        }
        Refused::Faulty => {
            let mend = "tell whoever runs this server; sending it again will not help";
            status(reason(Code::Internal, "FAULTY", mend), &refused.to_string())
        }
        Refused::Degraded => {
            let mend = "tell whoever runs this server; calls under way go on";
            status(reason(Code::Unavailable, "DEGRADED", mend), &refused.to_string())
        }
        Refused::Closed => {
            let mend = "connect to another router, or again in a moment";
            status(reason(Code::Unavailable, "CLOSING", mend), &refused.to_string())
        }
    }
}

/// The status of a clock that was not stepped.
pub(crate) fn not_stepped(fault: StepFault) -> Status {
    let message = fault.to_string();
    match fault {
        StepFault::NotStepped => {
            let mend = "start the server with a stepped clock";
            status(reason(Code::FailedPrecondition, "NOT_STEPPED", mend), &message)
        }
        StepFault::Backwards { now } => {
            let backwards = reason(Code::FailedPrecondition, "TIME_WENT_BACK", "step to a later time");
            with_figures(backwards, &message, Some(("now_us", now.0.to_string())))
        }
        StepFault::Refused(fault) => refused(fault),
    }
}
