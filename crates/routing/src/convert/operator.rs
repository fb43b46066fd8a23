use std::collections::BTreeSet;
use std::str::FromStr;

use api::v1;
use switchboard::command::{Expected, Profile, TransferTarget};
use switchboard::id::{Attempt, CallId, NameFault, OfferId};
use switchboard::operator::Operator;
use switchboard::skills::SkillRegister;

use super::field::{Invalid, name, present, uuid};
use super::words;

/// Most teams, lines or skills of one person: more than any plan has skills, and a bound for hostile requests.
const ENTRIES_MAX: usize = 256;

/// What is known of a person.
pub(crate) fn profile(profile: Option<v1::OperatorProfile>) -> Result<Profile, Invalid> {
    profile_at("profile", &present("profile", profile)?)
}

/// What has to be known of a person already, if that matters.
pub(crate) fn expected_profile(expected: Option<v1::OperatorProfile>) -> Result<Expected, Invalid> {
    let expected = expected.map(|expected| profile_at("expected", &expected)).transpose()?;
    Ok(Expected(expected.map(Box::new)))
}

fn profile_at(path: &str, profile: &v1::OperatorProfile) -> Result<Profile, Invalid> {
    let field = |name: &str| format!("{path}.{name}");
    Ok(Profile {
        teams: names(&field("team_ids"), &profile.team_ids)?,
        home: names(&field("home_line_ids"), &profile.home_line_ids)?,
        skills: names(&field("skill_ids"), &profile.skill_ids)?,
        device: words::device(&field("device"), profile.device())?,
    })
}

/// The same for the wire.
pub(crate) fn shown_profile(operator: &Operator, skills: &SkillRegister) -> v1::OperatorProfile {
    v1::OperatorProfile {
        team_ids: operator.teams.iter().map(ToString::to_string).collect(),
        home_line_ids: operator.home.iter().map(ToString::to_string).collect(),
        skill_ids: skills.names(operator.skills).iter().map(ToString::to_string).collect(),
        device: words::shown_device(operator.device).into(),
    }
}

/// A set of ids.
pub(super) fn names<T: FromStr<Err = NameFault> + Ord>(
    path: &str,
    texts: &[String],
) -> Result<BTreeSet<T>, Invalid> {
    if texts.len() > ENTRIES_MAX {
        return Err(Invalid::new(path, format!("at most {ENTRIES_MAX} entries")));
    }
    texts.iter().enumerate().map(|(n, text)| name(&format!("{path}[{n}]"), text)).collect()
}

/// Which offer.
pub(crate) fn offer(offer: Option<v1::OfferRef>) -> Result<OfferId, Invalid> {
    let offer = present("offer", offer)?;
    Ok(OfferId { call: CallId(uuid("offer.call_id", &offer.call_id)?), attempt: Attempt(offer.attempt) })
}

/// The same for the wire.
pub(crate) fn offer_ref(offer: OfferId) -> v1::OfferRef {
    v1::OfferRef { call_id: offer.call.to_string(), attempt: offer.attempt.0 }
}

/// To whom a call is handed on.
pub(crate) fn transfer_target(to: Option<v1::TransferTarget>) -> Result<TransferTarget, Invalid> {
    match present("to", to.and_then(|to| to.target))? {
        v1::transfer_target::Target::LineId(line) => name("to.line_id", &line).map(TransferTarget::Line),
        v1::transfer_target::Target::OperatorId(operator) => {
            name("to.operator_id", &operator).map(TransferTarget::Operator)
        }
    }
}
