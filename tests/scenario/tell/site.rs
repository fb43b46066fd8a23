use switchboard::event::{Alarm, Event};
use switchboard::id::LineId;

use super::{Happening, Memory, call_name, say, some};
use crate::slot::clock;

/// What an event about lines, plans, callers, gateways says; nothing for any other.
pub(super) fn told(event: &Event, memory: &Memory) -> Option<Vec<Happening>> {
    line(event).or_else(|| others(event, memory)).map(|told| vec![told])
}

fn line(event: &Event) -> Option<Happening> {
    let which = |line: &LineId| ("line", some(line));
    Some(match event {
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
        _ => return None,
    })
}

fn others(event: &Event, memory: &Memory) -> Option<Happening> {
    Some(match event {
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
        Event::AlarmRaised { alarm } => raised(alarm),
        _ => return None,
    })
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
