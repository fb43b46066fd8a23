//! Facts that gateways report.

use std::collections::BTreeSet;

use api::v1;
use session::CallerNumber;
use switchboard::call::CallerKind;
use switchboard::command::{Arrival, Command};
use switchboard::id::{Attempt, CallId, CallerRef, DestinationId, GatewayId, LineId, OperatorId, SkillId};
use switchboard::time::Span;

use super::field::{Invalid, name, optional_name, present, span_ms, uuid};
use super::operator::names;
use super::words;

/// Most facts of one report.
const FACTS_MAX: usize = 256;

/// One checked fact. An arrival waits for its caller's reference.
#[derive(Debug)]
pub(crate) enum Reported {
    /// A caller rang in.
    Arrival(Ringing),
    /// Anything else.
    Fact(Command),
}

/// A caller who is not a reference yet.
#[derive(Debug)]
pub(crate) struct Ringing {
    pub(crate) call: CallId,
    pub(crate) number: CallerNumber,
    pub(crate) line: LineId,
    skills: BTreeSet<SkillId>,
    waited: Span,
    diverted: Option<DestinationId>,
}

impl Ringing {
    /// The arrival, when it is known who calls.
    pub(crate) fn of(self, caller: CallerRef, kind: CallerKind) -> Command {
        Command::Arrive(Arrival {
            call: self.call,
            line: self.line,
            caller,
            kind,
            skills: self.skills,
            waited: self.waited,
            diverted: self.diverted,
        })
    }
}

/// Most caller legs of one inventory.
const INVENTORY_MAX: usize = switchboard::state::CALLS_MAX;

/// The caller legs a gateway holds.
pub(crate) fn calls(path: &str, ids: &[String]) -> Result<BTreeSet<CallId>, Invalid> {
    if ids.len() > INVENTORY_MAX {
        return Err(Invalid::new(path, format!("at most {INVENTORY_MAX} calls")));
    }
    ids.iter().enumerate().map(|(n, id)| uuid(&format!("{path}[{n}]"), id).map(CallId)).collect()
}

/// Whose devices a gateway can ring; none means everybody's.
pub(crate) fn reach(reach: Option<v1::Reach>) -> Result<Option<BTreeSet<OperatorId>>, Invalid> {
    let Some(reach) = reach else { return Ok(None) };
    let ids = reach.operator_ids.iter().enumerate();
    ids.map(|(n, id)| name(&format!("reaches.operator_ids[{n}]"), id)).collect::<Result<_, _>>().map(Some)
}

/// All facts of a report, or the first field that is wrong.
pub(crate) fn reported(gateway: GatewayId, facts: Vec<v1::Fact>) -> Result<Vec<Reported>, Invalid> {
    if facts.len() > FACTS_MAX {
        return Err(Invalid::new(
            "facts",
            format!("at most {FACTS_MAX} in one report; send the rest in another"),
        ));
    }
    facts.into_iter().enumerate().map(|(n, fact)| one(gateway, &format!("facts[{n}]"), fact)).collect()
}

fn one(gateway: GatewayId, path: &str, fact: v1::Fact) -> Result<Reported, Invalid> {
    use v1::fact::Fact;
    let at = |field: &str| format!("{path}.{field}");
    let call = |field: &str, id: &str| uuid(&at(field), id).map(CallId);
    Ok(Reported::Fact(match present(path, fact.fact)? {
        Fact::Arrival(arrival) => return arrived(&at("arrival"), arrival).map(Reported::Arrival),
        Fact::CallerHungUp(fact) => {
            Command::CallerHungUp { call: call("caller_hung_up.call_id", &fact.call_id)? }
        }
        Fact::Leg(leg) => Command::Leg {
            call: call("leg.call_id", &leg.call_id)?,
            attempt: Attempt(leg.attempt),
            fact: words::leg_fact(&at("leg"), &leg)?,
        },
        Fact::Digit(digit) => Command::Digit {
            call: call("digit.call_id", &digit.call_id)?,
            attempt: digit.attempt.map(Attempt),
            digit: key(&at("digit.key"), &digit.key)?,
        },
        Fact::PromptFinished(fact) => {
            Command::PromptFinished { call: call("prompt_finished.call_id", &fact.call_id)? }
        }
        Fact::Phone(phone) => Command::NotePhone {
            operator: name(&at("phone.operator_id"), &phone.operator_id)?,
            busy: phone.busy,
        },
        Fact::LegsGone(gone) => Command::LoseGateway { gateway, incarnation: gone.incarnation },
    }))
}

fn arrived(path: &str, arrival: v1::Arrival) -> Result<Ringing, Invalid> {
    let at = |field: &str| format!("{path}.{field}");
    Ok(Ringing {
        call: CallId(uuid(&at("call_id"), &arrival.call_id)?),
        line: name(&at("line_id"), &arrival.line_id)?,
        number: CallerNumber::received(&String::from_utf8_lossy(&arrival.number)),
        skills: names(&at("skill_ids"), &arrival.skill_ids)?,
        waited: span_ms(&at("waited_ms"), arrival.waited_ms)?,
        diverted: optional_name(&at("diverted_destination_id"), &arrival.diverted_destination_id)?,
    })
}

fn key(path: &str, text: &str) -> Result<char, Invalid> {
    let mut keys = text.chars();
    match (keys.next(), keys.next()) {
        (Some(key @ ('0'..='9' | '*' | '#')), None) => Ok(key),
        _ => Err(Invalid::new(path, "one key of a telephone: 0-9, * or #")),
    }
}
