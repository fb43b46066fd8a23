use switchboard::event::Event;
use switchboard::id::{Code, OperatorId};
use switchboard::time::SiteTime;

use super::{Happening, say, some};
use crate::slot::clock;

fn who(operator: &OperatorId) -> (&'static str, Option<String>) {
    ("operator", some(operator))
}

fn until(at: Option<SiteTime>) -> (&'static str, Option<String>) {
    ("time", at.map(clock))
}

fn code(code: Option<&Code>) -> (&'static str, Option<String>) {
    ("code", code.map(ToString::to_string))
}

/// Whether somebody is meant to answer.
pub(super) fn duty(event: &Event) -> Vec<Happening> {
    vec![match event {
        Event::WentOnDuty { operator } => say("<operator> on duty", &[who(operator)]),
        Event::OperatorPaused { operator, reason, until: end, .. } => {
            let sentence = "<operator> paused[ until <time>][ (<code>)]";
            say(sentence, &[who(operator), until(*end), code(Some(reason))])
        }
        Event::PauseNoted { operator, reason, until: end } => {
            let sentence = "<operator> will pause[ until <time>][ (<code>)]";
            say(sentence, &[who(operator), until(*end), code(Some(reason))])
        }
        Event::OperatorResumed { operator, .. } => say("<operator> back", &[who(operator)]),
        Event::OperatorLeaving { operator } => say("<operator> leaving", &[who(operator)]),
        Event::WentOffDuty { operator } => say("<operator> off duty", &[who(operator)]),
        Event::CooledDown { operator } => say("<operator> cooled down", &[who(operator)]),
        Event::WrapUpStarted { operator, until: end, .. } => {
            say("<operator> wraps up[ until <time>]", &[who(operator), until(Some(*end))])
        }
        Event::WrapUpEnded { operator, topic } => {
            say("<operator> done with the wrap-up[ (<code>)]", &[who(operator), code(topic.as_ref())])
        }
        Event::OperatorForcedIdle { operator } => say("<operator> set idle", &[who(operator)]),
        _ => unreachable!("not of an operator: {event:?}"),
    }]
}

/// Whether somebody can be reached.
pub(super) fn desk(event: &Event) -> Vec<Happening> {
    vec![match event {
        Event::DeskAttached { operator, session, .. } => {
            let session = ("number", some(session.0));
            say("<operator>'s desk online[ (session <number>)]", &[who(operator), session])
        }
        Event::DeskDropped { operator, grace_until, .. } => {
            say("<operator>'s desk in grace[ until <time>]", &[who(operator), until(Some(*grace_until))])
        }
        Event::DeskLost { operator } => say("<operator>'s desk lost", &[who(operator)]),
        Event::OutsideCallStarted { operator } => say("<operator> in an outside call", &[who(operator)]),
        Event::OutsideCallEnded { operator } => say("<operator> off the outside call", &[who(operator)]),
        _ => unreachable!("not of an operator: {event:?}"),
    }]
}

/// Who there is, and when.
pub(super) fn roster(event: &Event) -> Vec<Happening> {
    vec![match event {
        Event::ShiftStarted { operator, ends_at } => {
            say("<operator>'s shift begun[, ends at <time>]", &[who(operator), until(Some(*ends_at))])
        }
        Event::ShiftEnding { operator, last_on } => {
            let lines = last_on.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            let lines = ("lines", (!lines.is_empty()).then_some(lines));
            say("<operator>'s shift about to end[ (last on <lines>)]", &[who(operator), lines])
        }
        Event::ShiftEnded { operator } => say("<operator>'s shift over", &[who(operator)]),
        Event::OperatorAdded { operator, .. } => say("<operator> added", &[who(operator)]),
        Event::OperatorChanged { operator, .. } => say("<operator> changed", &[who(operator)]),
        Event::OperatorRemoving { operator } => say("<operator> to be removed", &[who(operator)]),
        Event::OperatorRemoved { operator } => say("<operator> removed", &[who(operator)]),
        _ => unreachable!("not of an operator: {event:?}"),
    }]
}
