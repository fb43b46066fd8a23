use switchboard::call::{DivertedBy, EndedBy, Failure, MoveCause, Outcome, Refusal};
use switchboard::command::TransferTarget;
use switchboard::event::Event;
use switchboard::id::{Attempt, CallId};
use switchboard::plan::Trigger;

use super::{Happening, Memory, call_name, say, some};
use crate::slot::{OUTCOMES, clock, length};

/// What happens to a call between arrival and close, apart from offers and talks.
pub(super) fn passage(event: &Event, memory: &Memory) -> Vec<Happening> {
    let of = |call: &CallId| ("call", some(call_name(*call)));
    vec![match event {
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
            return told;
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
        _ => unreachable!("not of a call's passage: {event:?}"),
    }]
}

/// What happens to a call that talks.
pub(super) fn talk(event: &Event, memory: &Memory) -> Vec<Happening> {
    let of = |call: &CallId| ("call", some(call_name(*call)));
    let whom = |call: &CallId, attempt: &Attempt| ("operator", some(memory.asked(*call, *attempt)));
    vec![match event {
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
        _ => unreachable!("not of a call's passage: {event:?}"),
    }]
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
