use switchboard::event::{Alarm, Event};
use switchboard::id::LineId;

use super::{Happening, Memory, call_name, say, some};
use crate::slot::clock;

/// What happens to a line.
pub(super) fn line(event: &Event) -> Vec<Happening> {
    let which = |line: &LineId| ("line", some(line));
    vec![match event {
        Event::LineOpened { line } => say("<line> opened", &[which(line)]),
        Event::LineClosedBySchedule { line } => say("<line> closed by its hours", &[which(line)]),
        Event::LineClosedByHand { line, reason, until } => {
            let until = ("time", some(clock(*until)));
            let sentence = "<line> closed by hand[ until <time>][ (<code>)]";
            say(sentence, &[which(line), until, ("code", some(reason))])
        }
        Event::LineScheduleNoted { line, open: true } => {
            say("<line> open by its hours meanwhile", &[which(line)])
        }
        Event::LineScheduleNoted { line, open: false } => {
            say("<line> closed by its hours meanwhile", &[which(line)])
        }
        Event::LineDraining { line } => say("<line> draining", &[which(line)]),
        Event::LineRetired { line } => say("<line> gone", &[which(line)]),
        Event::LineDiverted { line, destination, until } => {
            let (to, until) = (("destination", some(destination)), ("time", some(clock(*until))));
            say("<line> diverted to <destination>[ until <time>]", &[which(line), to, until])
        }
        Event::LineDivertEnded { line } => say("<line>'s divert over", &[which(line)]),
        _ => unreachable!("not of the site: {event:?}"),
    }]
}

/// What happens to plans, callers and gateways, and what somebody should look at.
pub(super) fn others(event: &Event, memory: &Memory) -> Vec<Happening> {
    vec![match event {
        Event::PlanAdopted { revision, .. } => say("plan <number> in force", &[("number", some(revision.0))]),
        Event::ScheduleExtended { edges } => {
            say("schedule set[ (<number> edges)]", &[("number", some(edges.len()))])
        }
        Event::EdgePassed => say("an edge of the schedule passed", &[]),
        Event::CallerBlocked { caller, reason, until } => {
            let call = ("call", some(memory.caller(*caller)));
            let until = ("time", some(clock(*until)));
            let sentence = "<call>'s caller blocked[ until <time>][ (<code>)]";
            say(sentence, &[call, until, ("code", some(reason))])
        }
        Event::CallerUnblocked { caller } => {
            say("<call>'s caller no longer blocked", &[("call", some(memory.caller(*caller)))])
        }
        Event::GatewayAttached { gateway, incarnation, .. } => {
            let life = ("number", some(incarnation));
            say("gateway <gateway> attached[ (life <number>)]", &[("gateway", some(gateway)), life])
        }
        Event::GatewayLost { gateway } => say("gateway <gateway> lost", &[("gateway", some(gateway))]),
        Event::SiteRetired => say("the site is retired", &[]),
        Event::AlarmRaised { alarm } => raised(alarm),
        _ => unreachable!("not of the site: {event:?}"),
    }]
}

fn raised(alarm: &Alarm) -> Happening {
    match alarm {
        Alarm::NobodyOnDuty { line } => say("alarm: nobody on duty on <line>", &[("line", some(line))]),
        Alarm::CallFailed { call } => say("alarm: <call> failed", &[("call", some(call_name(*call)))]),
        Alarm::ManyDeclines { operator } => {
            say("alarm: <operator> declined three times within an hour", &[("operator", some(operator))])
        }
        Alarm::LastOperatorLeaving { line } => {
            say("alarm: last operator of <line> leaving", &[("line", some(line))])
        }
    }
}
