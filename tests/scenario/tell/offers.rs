use switchboard::call::{Purpose, Withdrawal};
use switchboard::event::Event;
use switchboard::id::{Attempt, CallId, Code};

use super::{Happening, Memory, call_name, say, some};
use crate::slot::clock;

/// What happens to an offer.
pub(super) fn told(event: &Event, memory: &Memory) -> Vec<Happening> {
    let of = |call: &CallId| ("call", some(call_name(*call)));
    let whom = |call: &CallId, attempt: &Attempt| ("operator", some(memory.asked(*call, *attempt)));
    vec![match event {
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
            let after = match suspended {
                Some(misses) => {
                    let misses = ("number", some(misses));
                    say("<operator> suspended[ after <number> misses]", &[operator, misses])
                }
                None => {
                    let until = ("time", cool_until.map(clock));
                    say("<operator> cools down[ until <time>]", &[operator, until])
                }
            };
            return vec![rang_out, after];
        }
        Event::OfferUndeliverable { call, attempt, grace_until, cool_until } => {
            let operator = whom(call, attempt);
            let mut told = vec![say("[<call> ]never reached <operator>", &[of(call), operator.clone()])];
            if grace_until.is_some() {
                let until = ("time", grace_until.map(clock));
                told.push(say("<operator>'s desk in grace[ until <time>]", &[operator.clone(), until]));
            }
            told.extend(cools(operator.1, *cool_until));
            return told;
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
            return told;
        }
        Event::LateAcceptNoted { operator, .. } => {
            say("<operator>'s strike taken back", &[("operator", some(operator))])
        }
        _ => unreachable!("not of an offer: {event:?}"),
    }]
}

fn cools(operator: Option<String>, until: Option<switchboard::time::SiteTime>) -> Option<Happening> {
    until.map(|until| {
        say("<operator> cools down[ until <time>]", &[("operator", operator), ("time", some(clock(until)))])
    })
}
