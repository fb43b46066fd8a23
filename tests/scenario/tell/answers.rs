use switchboard::call::Tried;
use switchboard::eligible::Term;
use switchboard::explain::{CallExplanation, OperatorExplanation, TierExplanation};
use switchboard::id::{CallId, OperatorId};

use super::{Happening, call_name, say, some, tier_name};
use crate::slot::clock;

/// Why somebody waits, and why somebody is not asked.
pub(super) const SENTENCES: &[(&str, bool)] = &[
    ("<call> is <state> on <line>, <number> ahead[, <number> of them there]", false),
    ("<tier>: open", false),
    ("<tier>: closed[ until <time>][ (<trigger>)]", false),
    ("<operator>: can be asked", false),
    ("<operator>: missed this call", false),
    ("<operator>[ for <call>]: off duty", false),
    ("<operator>[ for <call>]: paused", false),
    ("<operator>[ for <call>]: suspended", false),
    ("<operator>[ for <call>]: leaving", false),
    ("<operator>[ for <call>]: being removed", false),
    ("<operator>[ for <call>]: desk in grace", false),
    ("<operator>[ for <call>]: desk lost", false),
    ("<operator>[ for <call>]: busy", false),
    ("<operator>[ for <call>]: cooling down[ until <time>]", false),
    ("<operator>[ for <call>]: shift about to end[ at <time>]", false),
    ("<operator>[ for <call>]: in no open tier", false),
    ("<operator>[ for <call>]: lacks <skill>", false),
    ("<operator>[ for <call>]: lacks <skill>, still held for", false),
    ("<operator>[ for <call>]: declined this call", false),
    ("<operator>[ for <call>]: the call waits for somebody else", false),
    ("<operator>[ for <call>]: not reached by the gateway", false),
    ("<operator>[ for <call>]: kept by the guard of <line>", false),
];

/// Why a call is where it is: the queue, the ladder, the people.
pub(crate) fn about_call(why: &CallExplanation) -> Vec<Happening> {
    let there = (why.ahead_on_line < why.ahead).then(|| why.ahead_on_line.to_string());
    let mut told = vec![say(
        "<call> is <state> on <line>, <number> ahead[, <number> of them there]",
        &[
            ("call", some(call_name(why.call))),
            ("state", some(crate::checks::call_state(why.state))),
            ("line", some(why.line)),
            ("number", some(why.ahead)),
            ("number", there),
        ],
    )];
    told.extend(why.tiers.iter().map(tier));
    for candidate in &why.candidates {
        let whom = ("operator", some(candidate.operator));
        if candidate.tried == Some(Tried::Missed) {
            told.push(say("<operator>: missed this call", std::slice::from_ref(&whom)));
        }
        if candidate.against.is_empty() {
            told.push(say("<operator>: can be asked", &[whom]));
        }
        told.extend(candidate.against.iter().map(|against| term(candidate.operator, None, *against)));
    }
    told
}

/// Why an operator has no call: what stands against every call, then what against each.
pub(crate) fn about_operator(why: &OperatorExplanation) -> Vec<Happening> {
    let personal = why.against.iter().map(|against| term(why.operator, None, *against));
    let calls = why.calls.iter().flat_map(|(call, against)| {
        let only = against.iter().filter(|term| !why.against.contains(term));
        only.map(|against| term(why.operator, Some(*call), *against))
    });
    let told: Vec<Happening> = personal.chain(calls).collect();
    if told.is_empty() {
        return vec![say("<operator>: can be asked", &[("operator", some(why.operator))])];
    }
    told
}

fn tier(tier: &TierExplanation) -> Happening {
    let who = ("tier", some(tier_name(&tier.who)));
    if tier.open {
        return say("<tier>: open", &[who]);
    }
    let when = tier.when.first().map(|trigger| super::calls::trigger(*trigger));
    let until = ("time", tier.opens_at.map(clock));
    say("<tier>: closed[ until <time>][ (<trigger>)]", &[who, until, ("trigger", when)])
}

fn term(operator: OperatorId, call: Option<CallId>, term: Term) -> Happening {
    let whom = ("operator", some(operator));
    let about = ("call", call.map(call_name));
    let plain = |sentence: &str| say(sentence, &[whom.clone(), about.clone()]);
    let with = |sentence: &str, slot: (&'static str, Option<String>)| {
        say(sentence, &[whom.clone(), about.clone(), slot])
    };
    match term {
        Term::OffDuty => plain("<operator>[ for <call>]: off duty"),
        Term::Paused => plain("<operator>[ for <call>]: paused"),
        Term::Suspended => plain("<operator>[ for <call>]: suspended"),
        Term::Leaving => plain("<operator>[ for <call>]: leaving"),
        Term::Removing => plain("<operator>[ for <call>]: being removed"),
        Term::LinkGrace => plain("<operator>[ for <call>]: desk in grace"),
        Term::LinkLost => plain("<operator>[ for <call>]: desk lost"),
        Term::Busy => plain("<operator>[ for <call>]: busy"),
        Term::CoolingDown { until } => {
            with("<operator>[ for <call>]: cooling down[ until <time>]", ("time", some(clock(until))))
        }
        Term::ShiftEnding { ends_at } => {
            with("<operator>[ for <call>]: shift about to end[ at <time>]", ("time", some(clock(ends_at))))
        }
        Term::NoOpenTier => plain("<operator>[ for <call>]: in no open tier"),
        Term::LacksSkill { skill } => with("<operator>[ for <call>]: lacks <skill>", ("skill", some(skill))),
        Term::LacksPreferred { skill } => {
            with("<operator>[ for <call>]: lacks <skill>, still held for", ("skill", some(skill)))
        }
        Term::Declined => plain("<operator>[ for <call>]: declined this call"),
        Term::NotTheTarget => plain("<operator>[ for <call>]: the call waits for somebody else"),
        Term::NotReachedByGateway => plain("<operator>[ for <call>]: not reached by the gateway"),
        Term::Guard { line } => {
            with("<operator>[ for <call>]: kept by the guard of <line>", ("line", some(line)))
        }
    }
}
