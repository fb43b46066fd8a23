use switchboard::call::{DivertedBy, EndedBy, Failure, MoveCause, Outcome, Purpose, Refusal, Withdrawal};
use switchboard::command::TransferTarget;
use switchboard::event::Event;
use switchboard::id::{Attempt, CallId, Code};
use switchboard::plan::Trigger;

use super::{Happening, Memory, call_name, say, some};
use crate::slot::{OUTCOMES, clock, length};

/// What an event of a call's passage says; nothing for any other.
pub(super) fn told(event: &Event, memory: &Memory) -> Option<Vec<Happening>> {
    passage(event, memory).or_else(|| offer(event, memory)).or_else(|| talk(event, memory))
}

fn passage(event: &Event, memory: &Memory) -> Option<Vec<Happening>> {
    let of = |call: &CallId| ("call", some(call_name(*call)));
    Some(vec![match event {
        Event::CallArrived { call, line, required, arrived_at, resumed, .. } => {
            let skills = (!required.is_empty()).then(|| joined(required));
            let mut told = vec![say(
                "[<call> ]arrives on <line>[ (<skills>)]",
                &[of(call), ("line", some(line)), ("skills", skills)],
            )];
            if *resumed {
                let place = ("time", some(clock(*arrived_at)));
                told.push(say("[<call> ]takes up the place of <time>", &[of(call), place]));
            }
            return Some(told);
        }
        Event::CallMoved { call, to, cause, .. } => {
            let cause = match cause {
                MoveCause::StaffCaller => "staff caller",
                MoveCause::Escape => "about a patient",
                MoveCause::Supervisor => "by the supervisor",
                MoveCause::LineClosed => "line closed",
                MoveCause::LineRemoved => "line removed",
            };
            say(
                "[<call> ]moved to <line>[ (<cause>)]",
                &[of(call), ("line", some(to)), ("cause", some(cause))],
            )
        }
        Event::SkillChosen { call, skill } => {
            say("[<call> ]needs <skill>", &[of(call), ("skill", some(skill))])
        }
        Event::PreferenceRelaxed { call, skill } => {
            say("[<call> ]no longer held for <skill>", &[of(call), ("skill", some(skill))])
        }
        Event::TierOpened { call, tier, trigger: why } => {
            let tier = ("tier", some(memory.tier(*call, *tier)));
            say("<tier> open[ for <call>][ (<trigger>)]", &[tier, of(call), ("trigger", some(trigger(*why)))])
        }
        Event::CallMigrated { call, revision, .. } => {
            say("[<call> ]promised plan <number>", &[of(call), ("number", some(revision.0))])
        }
        Event::TargetExpired { call } => say("[<call> ]no longer waits for one person", &[of(call)]),
        Event::ClosingStarted { call, until } => {
            let until = ("time", some(clock(*until)));
            say("[<call> ]hears the closing message[ until <time>]", &[of(call), until])
        }
        Event::CallRequeued { call, operator, .. } => {
            say("[<call> ]back in the queue[ from <operator>]", &[of(call), ("operator", some(operator))])
        }
        Event::CallDiverted { call, destination, ringing_until, by, .. } => {
            let by = match by {
                DivertedBy::Tier(_) => "by its ladder",
                DivertedBy::Line => "whole line",
                DivertedBy::Closed => "line closed",
                DivertedBy::EmergencyPlan => "emergency plan",
            };
            let until = ("time", ringing_until.map(clock));
            let to = ("destination", some(destination));
            let sentence = "[<call> ]diverted to <destination>[ until <time>][ (<sent-by>)]";
            say(sentence, &[of(call), to, until, ("sent-by", some(by))])
        }
        Event::DivertConnected { call } => say("[<call> ]taken outside", &[of(call)]),
        Event::DivertFailed { call } => say("[<call> ]not taken outside", &[of(call)]),
        Event::CallClosed { call, outcome, resumable_until } => {
            let outcome = ("outcome", some(ended(*outcome)));
            let until = ("time", resumable_until.map(clock));
            say("[<call> ]closed: <outcome>[ (place kept until <time>)]", &[of(call), outcome, until])
        }
        _ => return None,
    }])
}

fn offer(event: &Event, memory: &Memory) -> Option<Vec<Happening>> {
    let of = |call: &CallId| ("call", some(call_name(*call)));
    let whom = |call: &CallId, attempt: &Attempt| ("operator", some(memory.asked(*call, *attempt)));
    Some(vec![match event {
        Event::OfferMade { call, operator, purpose, ring_until, .. } => {
            let sentence = match purpose {
                Purpose::Line(_) => "[<call> ]offered to <operator>[ until <time>]",
                Purpose::Transfer => "[<call> ]handed on to <operator>[ until <time>]",
                Purpose::Consult => "<operator> asked about <call>[ until <time>]",
            };
            say(sentence, &[of(call), ("operator", some(operator)), ("time", some(clock(*ring_until)))])
        }
        Event::OfferDelivered { call, attempt } => {
            say("[<call> ]reaches <operator>", &[of(call), whom(call, attempt)])
        }
        Event::OfferAccepted { call, attempt, connect_by } => {
            let by = ("time", some(clock(*connect_by)));
            say("<operator> accepted[ <call>][, connects by <time>]", &[of(call), whom(call, attempt), by])
        }
        Event::OfferDeclined { call, attempt, reason } => {
            let reason = ("code", reason.map(|code| code.to_string()));
            say("<operator> declined[ <call>][ (<code>)]", &[of(call), whom(call, attempt), reason])
        }
        Event::OfferRangOut { call, attempt, cool_until: None, suspended: None } => {
            say("<operator> did not answer[ about <call>]", &[of(call), whom(call, attempt)])
        }
        Event::OfferRangOut { call, attempt, cool_until, suspended } => {
            let rang_out = say("[<call> ]rang out at <operator>", &[of(call), whom(call, attempt)]);
            let operator = whom(call, attempt);
            return Some(vec![
                rang_out,
                match suspended {
                    Some(misses) => {
                        let misses = ("number", some(misses));
                        say("<operator> suspended[ after <number> misses]", &[operator, misses])
                    }
                    None => say(
                        "<operator> cools down[ until <time>]",
                        &[operator, ("time", cool_until.map(clock))],
                    ),
                },
            ]);
        }
        Event::OfferUndeliverable { call, attempt, grace_until, cool_until } => {
            let operator = whom(call, attempt);
            let mut told = vec![say("[<call> ]never reached <operator>", &[of(call), operator.clone()])];
            if grace_until.is_some() {
                let until = ("time", grace_until.map(clock));
                told.push(say("<operator>'s desk in grace[ until <time>]", &[operator.clone(), until]));
            }
            told.extend(cools(operator.1, *cool_until));
            return Some(told);
        }
        Event::OfferWithdrawn { call, attempt, why } => {
            let why = match why {
                Withdrawal::CallerGone => "caller gone",
                Withdrawal::AnsweredElsewhere => "answered elsewhere",
                Withdrawal::Paused => "paused",
                Withdrawal::LinkLost => "desk lost",
                Withdrawal::Supervisor => "by the supervisor",
                Withdrawal::Superseded => "superseded",
            };
            let sentence = "[<call> ]withdrawn from <operator>[ (<withdrawal>)]";
            say(sentence, &[of(call), whom(call, attempt), ("withdrawal", some(why))])
        }
        Event::BridgeFailed { call, attempt, cause, cool_until } => {
            let cause = ("code", cause.map(|code: Code| code.to_string()));
            let sentence = "bridge to <operator> failed[ for <call>][ (<code>)]";
            let mut told = vec![say(sentence, &[of(call), whom(call, attempt), cause])];
            told.extend(cools(whom(call, attempt).1, *cool_until));
            return Some(told);
        }
        Event::LateAcceptNoted { operator, .. } => {
            say("<operator>'s strike taken back", &[("operator", some(operator))])
        }
        _ => return None,
    }])
}

fn talk(event: &Event, memory: &Memory) -> Option<Vec<Happening>> {
    let of = |call: &CallId| ("call", some(call_name(*call)));
    let whom = |call: &CallId, attempt: &Attempt| ("operator", some(memory.asked(*call, *attempt)));
    Some(vec![match event {
        Event::CallConnected { call, attempt } => {
            say("[<call> ]connected to <operator>", &[of(call), whom(call, attempt)])
        }
        Event::ConsultConnected { call, attempt } => {
            say("<operator> talks about <call>", &[of(call), whom(call, attempt)])
        }
        Event::ConsultEnded { call, attempt } => {
            say("<operator> no longer talks about <call>", &[of(call), whom(call, attempt)])
        }
        Event::CallHeld { call } => say("[<call> ]on hold", &[of(call)]),
        Event::CallRetrieved { call } => say("[<call> ]off hold", &[of(call)]),
        Event::CallTransferred { call, to: TransferTarget::Line(line), .. } => {
            say("[<call> ]transferred to line <line>", &[of(call), ("line", some(line))])
        }
        Event::CallTransferred { call, to: TransferTarget::Operator(operator), target_until, .. } => {
            let until = ("time", target_until.map(clock));
            let sentence = "[<call> ]transferred to <operator>[ until <time>]";
            say(sentence, &[of(call), ("operator", some(operator)), until])
        }
        Event::TransferCompleted { call, attempt, .. } => {
            say("[<call> ]handed over to <operator>", &[of(call), whom(call, attempt)])
        }
        _ => return None,
    }])
}

fn cools(operator: Option<String>, until: Option<switchboard::time::SiteTime>) -> Option<Happening> {
    until.map(|until| {
        say("<operator> cools down[ until <time>]", &[("operator", operator), ("time", some(clock(until)))])
    })
}

/// A trigger in the words of plans; its figure may be left out.
pub(super) fn trigger(trigger: Trigger) -> String {
    match trigger {
        Trigger::Busy => "busy".to_owned(),
        Trigger::Empty => "empty".to_owned(),
        Trigger::Wait(span) => format!("wait[ {}]", length(span)),
        Trigger::Depth(depth) => format!("depth[ {depth}]"),
        Trigger::Missed(misses) => format!("missed[ {misses}]"),
    }
}

fn ended(outcome: Outcome) -> &'static str {
    OUTCOMES[match outcome {
        Outcome::Answered { ended_by: EndedBy::Caller } => 0,
        Outcome::Answered { ended_by: EndedBy::Operator } => 1,
        Outcome::AbandonedWaiting => 2,
        Outcome::AbandonedRinging => 3,
        Outcome::AbandonedConnecting => 4,
        Outcome::DivertedOut => 5,
        Outcome::Refused(Refusal::Blocked) => 6,
        Outcome::Refused(Refusal::Full) => 7,
        Outcome::Refused(Refusal::Closed) => 8,
        Outcome::Refused(Refusal::Draining) => 9,
        Outcome::NobodyOnDuty => 10,
        Outcome::Failed { cause: Failure::Gateway } => 11,
        Outcome::Failed { cause: Failure::Bridge } => 12,
    }]
}

fn joined<T: ToString>(names: &std::collections::BTreeSet<T>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
