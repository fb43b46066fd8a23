//! Why the switchboard says no. A rejection changes nothing (law L02).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::Reply;
use crate::id::{CallId, Revision};
use crate::time::SiteTime;

/// Why a command was refused, or had nothing left to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Already so: nothing was left to do, and this is the first answer again. Not an error to the client.
    AlreadyDone(Reply),
    /// The request id was used for something else.
    RequestReused,
    /// Site time would go back.
    TimeWentBack {
        /// The site's time.
        now: SiteTime,
    },
    /// Something is due: hand in a tick first.
    TickFirst {
        /// Since when.
        due: SiteTime,
    },
    /// This actor may not ask this.
    NotYours,

    /// No such call, and none remembered.
    UnknownCall,
    /// The call is closed.
    CallClosed,
    /// The call id is open for something else: other line, other caller, other gateway.
    CallIdTaken,
    /// No such attempt of this call.
    UnknownAttempt,
    /// The call is not in a state in which this can be done.
    WrongCallState,
    /// The caller waited longer than a gateway may claim, or the call is from the future.
    BadArrival,
    /// Not a key of a telephone, or one that means nothing now.
    MeaninglessDigit,

    /// The caller left.
    CallerGone,
    /// Another operator has the caller.
    AnsweredElsewhere,
    /// The ring had ended.
    Expired,
    /// Another session of this desk took over.
    StaleSession,
    /// The offer was withdrawn.
    Withdrawn,
    /// The offer ended in another way.
    StaleOffer,

    /// No such operator.
    UnknownOperator,
    /// The id is in use.
    OperatorExists,
    /// The operator is not in a state in which this can be done.
    WrongOperatorState,
    /// Something else is known of the operator than expected.
    ProfileConflict,
    /// The operator is busy with something else.
    OperatorBusy,
    /// The colleague cannot be asked now.
    OperatorNotReady,
    /// The device has no desk, or the desk no such part.
    WrongDevice,
    /// A consult is under way: complete or cancel it first.
    ConsultInProgress,

    /// No such line.
    UnknownLine,
    /// The line takes no calls.
    LineNotOpen,
    /// The line is in this state already, or in one that this does not change.
    WrongLineState,
    /// The emergency line closes only under a live divert.
    EmergencyNeedsDivert,
    /// A closing, a divert or a pause needs an end within these limits.
    BadDuration,
    /// No such team in the plan.
    UnknownTeam,
    /// No such skill in the plan.
    UnknownSkill,
    /// No such number in the plan, or one that does not ask for key 1.
    UnknownDestination,
    /// A retired line's id is never used again.
    LineIdRetired,
    /// Another plan is in force than expected.
    PlanConflict {
        /// The one in force.
        in_force: Revision,
    },
    /// Sixty-four skills were named in this site's life.
    SkillsExhausted,
    /// A move for waiting callers names a line that stays, or one that does not.
    BadMove,
    /// Edges must be in order, in the future, about lines and operators that exist.
    BadSchedule,
    /// No such gateway, or not in this life.
    UnknownGateway,
    /// The caller is not blocked.
    NotBlocked,
    /// Emergency callers are never blocked.
    NeverBlocked,
    /// A limit of the site was reached.
    LimitReached {
        /// Of what.
        what: Limit,
    },
    /// Calls are open: a site is not retired over its callers' heads.
    SiteHasCalls {
        /// How many.
        open: usize,
    },
    /// The site was retired.
    SiteRetired,
    /// The same call twice in an inventory, or a call of another gateway's.
    ForeignCall {
        /// Which.
        call: CallId,
    },
}

/// What there can be too many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Open calls.
    Calls,
    /// Operators.
    Operators,
    /// Gateways.
    Gateways,
    /// Blocked callers.
    Blocks,
    /// Edges of the schedule.
    Edges,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rejection::AlreadyDone(_) => "already done",
            Rejection::RequestReused => "this request id was used for a different command; mint a new one",
            Rejection::TimeWentBack { .. } => "site time never goes back",
            Rejection::TickFirst { .. } => "something is due first; hand in a tick",
            Rejection::NotYours => "this actor may not ask this",
            Rejection::UnknownCall => "there is no such call",
            Rejection::CallClosed => "the call is closed",
            Rejection::CallIdTaken => "this call id belongs to another call; mint a new one",
            Rejection::UnknownAttempt => "the call has no such attempt",
            Rejection::WrongCallState => "the call is not in a state in which this can be done",
            Rejection::BadArrival => "the arrival claims more waiting than a gateway may",
            Rejection::MeaninglessDigit => "this key means nothing at this moment",
            Rejection::CallerGone => "the caller left",
            Rejection::AnsweredElsewhere => "another operator has the caller",
            Rejection::Expired => "the ring had ended",
            Rejection::StaleSession => "another desk took over this session; attach again",
            Rejection::Withdrawn => "the offer was withdrawn",
            Rejection::StaleOffer => "this offer is over",
            Rejection::UnknownOperator => "there is no such operator",
            Rejection::OperatorExists => "an operator with this id exists",
            Rejection::WrongOperatorState => "the operator is not in a state in which this can be done",
            Rejection::ProfileConflict => {
                "somebody else changed this operator meanwhile; look again and try again"
            }
            Rejection::OperatorBusy => "the operator is busy",
            Rejection::OperatorNotReady => "the operator cannot be asked now",
            Rejection::WrongDevice => "the operator's device cannot do this",
            Rejection::ConsultInProgress => "a consult is under way; complete or cancel it first",
            Rejection::UnknownLine => "there is no such line",
            Rejection::LineNotOpen => "the line takes no calls",
            Rejection::WrongLineState => "the line is not in a state in which this can be done",
            Rejection::EmergencyNeedsDivert => {
                "an emergency line closes only while it is diverted; divert it first"
            }
            Rejection::BadDuration => "the duration must be from 1 minute to 30 days",
            Rejection::UnknownTeam => "the plan has no such team",
            Rejection::UnknownSkill => "the plan has no such skill",
            Rejection::UnknownDestination => {
                "the plan has no such number, or one that does not ask for key 1"
            }
            Rejection::LineIdRetired => "a retired line's id is never used again; choose another",
            Rejection::PlanConflict { .. } => {
                "another plan is in force than expected; look at it and try again"
            }
            Rejection::SkillsExhausted => "this site has named 64 skills in its life; no more can be added",
            Rejection::BadMove => "waiting callers can only move from a removed line to one that stays",
            Rejection::BadSchedule => {
                "edges must be in order, not in the past, and name lines and operators that exist"
            }
            Rejection::UnknownGateway => "there is no such gateway in this life; attach again",
            Rejection::NotBlocked => "the caller is not blocked",
            Rejection::NeverBlocked => "callers of an emergency line are never blocked",
            Rejection::LimitReached { .. } => "a limit of the site was reached",
            Rejection::SiteHasCalls { .. } => "calls are open at this site; let them end first",
            Rejection::SiteRetired => "this site was retired; it takes no calls any more",
            Rejection::ForeignCall { .. } => "the inventory names a call of another gateway",
        })
    }
}

impl core::error::Error for Rejection {}
