//! A new person who answers.

use std::path::Path;

use api::v1;

use crate::office::asking::{self, Office};
use crate::office::fault::{Exit, Fault, Told};
use crate::office::find;
use crate::office::said::said;
use crate::office::token::{self, KeptToken, Place};

/// Adds a person, and gives the token to whoever asked for it.
pub(super) async fn add(
    office: &Office,
    id: &str,
    profile: v1::OperatorProfile,
    token_out: Option<&Path>,
) -> Told<()> {
    find::new_id(find::OPERATOR, id)?;
    token::can_be_shown(office, token_out)?;
    let request = v1::ExplainOperatorRequest { operator_id: id.to_owned(), at_least: None };
    match office.send(request).await {
        // The server would take the same person again, and replace the token that is in use.
        Ok(_) => return Err(exists(id)),
        Err(fault) if fault.code() == "UNKNOWN_OPERATOR" => {}
        Err(fault) => return Err(fault),
    }
    let request = v1::AddOperatorRequest {
        operator_id: id.to_owned(),
        profile: Some(profile.clone()),
        ..v1::AddOperatorRequest::default()
    };
    let place = Place::of(office, token_out)?;
    let reply = match office.send(request).await {
        Ok(reply) => reply,
        Err(fault) => return Err(nearest(office, fault, &profile).await),
    };
    let words = said(format!("{id} 已添加"), format!("{id} is added"));
    token::give(office, "operator_added", KeptToken::new(id, "operator", reply.token), place, &words)
}

fn exists(id: &str) -> Fault {
    let what = said(format!("已有接线员 {id}"), format!("there is an operator {id} already"));
    Fault::new(Exit::Refused, "OPERATOR_EXISTS", what).mend(said(
        format!("换一个标识；只要新令牌：hotline token create operator {id}"),
        format!("choose another id; for a new token of this one: hotline token create operator {id}"),
    ))
}

/// Which team or line was probably meant.
pub(super) async fn nearest(office: &Office, fault: Fault, profile: &v1::OperatorProfile) -> Fault {
    let Ok((board, _)) = office.board().await else { return fault };
    let unknown = |kind, typed: &[String], known: &[find::Known]| {
        let missing = typed.iter().find(|typed| known.iter().all(|known| known.id != **typed))?;
        Some(find::unknown(kind, missing, known))
    };
    let found = match fault.code() {
        "UNKNOWN_TEAM" => {
            let Ok(teams) = office.teams(&board).await else { return fault };
            let known = asking::known_teams(teams);
            unknown(find::TEAM, &profile.team_ids, &known)
        }
        "UNKNOWN_LINE" => unknown(find::LINE, &profile.home_line_ids, &asking::lines(&board)),
        _ => None,
    };
    found.unwrap_or(fault)
}
