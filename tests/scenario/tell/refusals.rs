use switchboard::decision::Reply;
use switchboard::id::OperatorId;
use switchboard::rejection::Rejection;

use super::{Happening, say, some};

/// Answers and refusals.
pub(super) const SENTENCES: &[(&str, bool)] = &[
    ("<operator> told: too late", false),
    ("<operator> told: answered elsewhere", false),
    ("already done", false),
    ("refused: request id used for something else", false),
    ("refused: time would go back", false),
    ("refused: something is due first", false),
    ("refused: not yours", false),
    ("refused: no such call", false),
    ("refused: the call is closed", false),
    ("refused: the call id is taken", false),
    ("refused: no such attempt", false),
    ("refused: not in this state of the call", false),
    ("refused: waited too long to be true", false),
    ("refused: the key means nothing", false),
    ("refused: the caller is gone", false),
    ("refused: answered elsewhere", false),
    ("refused: too late", false),
    ("refused: an old desk session", false),
    ("refused: the offer was withdrawn", false),
    ("refused: the offer is over", false),
    ("refused: no such operator", false),
    ("refused: the operator exists", false),
    ("refused: not in this state of the operator", false),
    ("refused: something else is known of the operator", false),
    ("refused: the operator is busy", false),
    ("refused: the colleague cannot be asked", false),
    ("refused: not with this device", false),
    ("refused: a consult is under way", false),
    ("refused: no such line", false),
    ("refused: the line takes no calls", false),
    ("refused: not in this state of the line", false),
    ("refused: emergency closes only while diverted", false),
    ("refused: not such a length of time", false),
    ("refused: no such team", false),
    ("refused: no such skill", false),
    ("refused: no such number", false),
    ("refused: the line id was used before", false),
    ("refused: another plan is in force", false),
    ("refused: too many skills", false),
    ("refused: no such move", false),
    ("refused: no such schedule", false),
    ("refused: no such gateway in this life", false),
    ("refused: the caller is not blocked", false),
    ("refused: emergency callers are never blocked", false),
    ("refused: a limit of the site", false),
    ("refused: the site has open calls", false),
    ("refused: the site is retired", false),
    ("refused: a call of another gateway", false),
];

/// A refusal, or that nothing was left to do.
pub(crate) fn refused(rejection: &Rejection) -> Happening {
    say(sentence(rejection), &[])
}

fn sentence(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::AlreadyDone(_) => "already done",
        Rejection::RequestReused => "refused: request id used for something else",
        Rejection::TimeWentBack { .. } => "refused: time would go back",
        Rejection::TickFirst { .. } => "refused: something is due first",
        Rejection::NotYours => "refused: not yours",
        Rejection::UnknownCall => "refused: no such call",
        Rejection::CallClosed => "refused: the call is closed",
        Rejection::CallIdTaken => "refused: the call id is taken",
        Rejection::UnknownAttempt => "refused: no such attempt",
        Rejection::WrongCallState => "refused: not in this state of the call",
        Rejection::BadArrival => "refused: waited too long to be true",
        Rejection::MeaninglessDigit => "refused: the key means nothing",
        Rejection::CallerGone => "refused: the caller is gone",
        Rejection::AnsweredElsewhere => "refused: answered elsewhere",
        Rejection::Expired => "refused: too late",
        Rejection::StaleSession => "refused: an old desk session",
        Rejection::Withdrawn => "refused: the offer was withdrawn",
        Rejection::StaleOffer => "refused: the offer is over",
        Rejection::UnknownOperator => "refused: no such operator",
        Rejection::OperatorExists => "refused: the operator exists",
        Rejection::WrongOperatorState => "refused: not in this state of the operator",
        Rejection::ProfileConflict => "refused: something else is known of the operator",
        Rejection::OperatorBusy => "refused: the operator is busy",
        Rejection::OperatorNotReady => "refused: the colleague cannot be asked",
        Rejection::WrongDevice => "refused: not with this device",
        Rejection::ConsultInProgress => "refused: a consult is under way",
        Rejection::UnknownLine => "refused: no such line",
        Rejection::LineNotOpen => "refused: the line takes no calls",
        Rejection::WrongLineState => "refused: not in this state of the line",
        Rejection::EmergencyNeedsDivert => "refused: emergency closes only while diverted",
        Rejection::BadDuration => "refused: not such a length of time",
        Rejection::UnknownTeam => "refused: no such team",
        Rejection::UnknownSkill => "refused: no such skill",
        Rejection::UnknownDestination => "refused: no such number",
        Rejection::LineIdRetired => "refused: the line id was used before",
        Rejection::PlanConflict { .. } => "refused: another plan is in force",
        Rejection::SkillsExhausted => "refused: too many skills",
        Rejection::BadMove => "refused: no such move",
        Rejection::BadSchedule => "refused: no such schedule",
        Rejection::UnknownGateway => "refused: no such gateway in this life",
        Rejection::NotBlocked => "refused: the caller is not blocked",
        Rejection::NeverBlocked => "refused: emergency callers are never blocked",
        Rejection::LimitReached { .. } => "refused: a limit of the site",
        Rejection::SiteHasCalls { .. } => "refused: the site has open calls",
        Rejection::SiteRetired => "refused: the site is retired",
        Rejection::ForeignCall { .. } => "refused: a call of another gateway",
    }
}

/// What an asker is told of an accepted command, where it is more than that it was done.
pub(crate) fn replied(reply: Reply, asker: Option<OperatorId>) -> Option<Happening> {
    let asker = ("operator", some(asker?));
    match reply {
        Reply::Expired => Some(say("<operator> told: too late", &[asker])),
        Reply::AnsweredElsewhere => Some(say("<operator> told: answered elsewhere", &[asker])),
        Reply::Done
        | Reply::Arrived { .. }
        | Reply::Session { .. }
        | Reply::Accepted { .. }
        | Reply::Consulting { .. }
        | Reply::Adopted { .. } => None,
    }
}
