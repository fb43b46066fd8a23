use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use api::v1;
use api::v1::admin_service_server::AdminService;
use plan::roster::GapWarnings;
use plan::{Finding, ParsedPlan, PlanErrors};
use session::KeptToken;
use switchboard::canonical::Hash;
use switchboard::command::{Adoption, Command};
use switchboard::decision::Reply;
use switchboard::id::{LineId, OperatorId, Revision};
use switchboard::rejection::Rejection;
use switchboard::state::State;
use tonic::{Code, Request, Response, Status};

use super::{Outgoing, holding};
use crate::audited::{About, Act};
use crate::convert::{self, Invalid};
use crate::invites;
use crate::principal::{Principal, Role, Who};
use crate::refusal::{self, Reason};
use crate::rosters::{Staffing, worked_out};
use crate::site::{Site, principal};
use crate::stores::registry_fault;
use crate::streams::{cursor, record, wire_cursor};
use crate::tokens::{Token, TokenFault, wall_us};

/// What errors call a plan that came in a request.
const PLAN_NAME: &str = "plan";

/// For administrators.
pub(crate) struct Admin(pub(crate) Arc<Site>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AdminService for Admin {
    type TailEventsStream = Outgoing<v1::TailEventsResponse>;

    async fn get_plan(&self, request: Request<v1::GetPlanRequest>) -> Answer<v1::GetPlanResponse> {
        let (_, request) = asked(request)?;
        let (cursor, in_force) = self.revision();
        let revision = if request.revision == 0 { in_force } else { Revision(request.revision) };
        if revision > in_force {
            return Err(Invalid::new("revision", format!("the last one is {}", in_force.0)).into());
        }
        let text = self.0.plan_text(revision).await?.ok_or_else(|| no_text(revision))?;
        Ok(Response::new(v1::GetPlanResponse { cursor, revision: revision.0, text }))
    }

    async fn list_plans(&self, request: Request<v1::ListPlansRequest>) -> Answer<v1::ListPlansResponse> {
        asked(request)?;
        let (cursor, in_force) = self.revision();
        let shown = |(revision, hash): (Revision, Hash)| v1::PlanRevision {
            revision: revision.0,
            in_force: revision == in_force,
            hash: hash.to_string(),
        };
        let revisions = self.0.plans().await?.into_iter().map(shown).collect();
        Ok(Response::new(v1::ListPlansResponse { cursor, revisions }))
    }

    async fn validate_plan(
        &self,
        request: Request<v1::ValidatePlanRequest>,
    ) -> Answer<v1::ValidatePlanResponse> {
        let (_, request) = asked(request)?;
        Ok(Response::new(match plan::parse(PLAN_NAME, &request.text) {
            Ok(parsed) => {
                let (unstaffed, gaps) = self.held_against_people(&parsed).await?;
                let warnings = parsed.warnings.iter().chain(&unstaffed).map(convert::complaint).collect();
                let (gaps, gaps_left_out) = convert::gaps(&gaps);
                v1::ValidatePlanResponse { warnings, gaps, gaps_left_out, ..Default::default() }
            }
            Err(errors) => v1::ValidatePlanResponse {
                complaints: convert::complaints(&errors),
                left_out: u32::try_from(errors.left_out).unwrap_or(u32::MAX),
                ..Default::default()
            },
        }))
    }

    async fn diff_plan(&self, request: Request<v1::DiffPlanRequest>) -> Answer<v1::DiffPlanResponse> {
        let (_, request) = asked(request)?;
        let parsed = plan::parse(PLAN_NAME, &request.text).map_err(|errors| bad_plan(&errors))?;
        let (cursor, revision) = self.revision();
        let changes = self
            .0
            .exchange
            .read(|switchboard| convert::changes(switchboard.state().plans.get(&revision), &parsed.plan));
        Ok(Response::new(v1::DiffPlanResponse { cursor, revision: revision.0, changes }))
    }

    async fn apply_plan(&self, request: Request<v1::ApplyPlanRequest>) -> Answer<v1::ApplyPlanResponse> {
        let (act, who, request) = acting(request)?;
        let parsed = plan::parse(PLAN_NAME, &request.text).map_err(|errors| bad_plan(&errors))?;
        if !request.allow_remove {
            self.0.exchange.read(|switchboard| removes_nothing(switchboard.state(), &parsed))?;
        }
        let expect = Revision(request.expected_revision);
        // What is about another revision is refused: then there is no text to keep.
        if expect == self.revision().1 {
            self.0.keep_plan(Revision(expect.0.saturating_add(1)), &parsed).await?;
        }
        let adoption = Adoption {
            plan: parsed.plan,
            expect,
            migrate: request.migrate,
            move_waiting: moves(&request.move_waiting)?,
        };
        let command = Command::AdoptPlan(Box::new(adoption));
        let committed = self.0.act(&act, who, &request.request_id, command).await?;
        let Reply::Adopted { revision } = committed.reply else {
            return Err(Status::internal("an adopted plan has a revision"));
        };
        let receipt = Some(self.0.receipt(committed.cursor, committed.at).await);
        Ok(Response::new(v1::ApplyPlanResponse { receipt, revision: revision.0 }))
    }

    async fn add_operator(
        &self,
        request: Request<v1::AddOperatorRequest>,
    ) -> Answer<v1::AddOperatorResponse> {
        let (act, who, request) = acting(request)?;
        let operator: OperatorId = convert::name("operator_id", &request.operator_id)?;
        let profile = convert::profile(request.profile)?;
        let command = Command::AddOperator { operator, profile };
        let is_repeated = self.was_asked(&request.request_id)?;
        let committed = self.0.act(&act, who, &request.request_id, command).await?;
        // The same person added once more is somebody's mistake: the token that is in use would be replaced.
        if committed.again && !is_repeated {
            return Err(refusal::rejected(&Rejection::OperatorExists));
        }
        self.uninvite(operator).await?;
        // Somebody of the same name was perhaps just removed: that one's token goes before there is a new one.
        self.0.streams.have_told(committed.cursor.seq).await;
        let receipt = Some(self.0.receipt(committed.cursor, committed.at).await);
        let person = Principal { site: self.0.id(), who: Who::Operator(operator) };
        let token = self.minted(person, None).await?;
        Ok(Response::new(v1::AddOperatorResponse { receipt, token: token.reveal().to_owned() }))
    }

    async fn change_operator(
        &self,
        request: Request<v1::ChangeOperatorRequest>,
    ) -> Answer<v1::ChangeOperatorResponse> {
        let (act, who, request) = acting(request)?;
        let operator = convert::name("operator_id", &request.operator_id)?;
        let profile = convert::profile(request.profile)?;
        let expect = convert::expected_profile(request.expected)?;
        let command = Command::ChangeOperator { operator, profile, expect };
        let committed = self.0.act(&act, who, &request.request_id, command).await?;
        let receipt = Some(self.0.receipt(committed.cursor, committed.at).await);
        Ok(Response::new(v1::ChangeOperatorResponse { receipt }))
    }

    async fn remove_operator(
        &self,
        request: Request<v1::RemoveOperatorRequest>,
    ) -> Answer<v1::RemoveOperatorResponse> {
        let (act, who, request) = acting(request)?;
        let operator = convert::name("operator_id", &request.operator_id)?;
        let command = Command::RemoveOperator { operator };
        let committed = self.0.act(&act, who, &request.request_id, command).await?;
        let receipt = Some(self.0.receipt(committed.cursor, committed.at).await);
        Ok(Response::new(v1::RemoveOperatorResponse { receipt }))
    }

    async fn list_operators(
        &self,
        request: Request<v1::ListOperatorsRequest>,
    ) -> Answer<v1::ListOperatorsResponse> {
        // Whoever pauses people has to know who they are: the table lets supervisors ask this, too.
        principal(&request)?;
        let request = request.into_inner();
        let size = convert::page_size(request.page_size)?;
        let after: Option<OperatorId> = convert::optional_name("page_token", &request.page_token)?;
        let cursor = Some(wire_cursor(self.0.exchange.cursor()));
        let mut operators = self.0.exchange.read(|switchboard| entries(switchboard.state(), after, size + 1));
        let more = operators.len() > size;
        operators.truncate(size);
        let next_page_token = match operators.last() {
            Some(last) if more => last.operator_id.clone(),
            _ => String::new(),
        };
        Ok(Response::new(v1::ListOperatorsResponse { cursor, operators, next_page_token }))
    }

    async fn tail_events(&self, request: Request<v1::TailEventsRequest>) -> Answer<Self::TailEventsStream> {
        let listening = self.0.listen(principal(&request)?)?;
        let request = request.into_inner();
        let after = request.after.map(cursor);
        if self.0.is_shared && after.is_some_and(|after| after.seq > self.0.exchange.cursor().seq) {
            // Another router is further, or nobody is: the journal tells.
            let _caught_up = self.0.catch_up().await;
        }
        let (exchange, journal) = (self.0.exchange.clone(), Arc::clone(&self.0.journal));
        let decisions = record(exchange, journal, after, self.0.streams.told());
        Ok(Response::new(holding(listening, decisions)))
    }

    async fn invite_operator(
        &self,
        request: Request<v1::InviteOperatorRequest>,
    ) -> Answer<v1::InviteOperatorResponse> {
        let (act, by, request) = acting(request)?;
        let operator: OperatorId = convert::name("operator_id", &request.operator_id)?;
        let lasting = match request.lasting_ms {
            None => invites::LASTS_USUAL,
            Some(lasting_ms) => Duration::from_micros(convert::span_ms("lasting_ms", lasting_ms)?.0),
        };
        if lasting.is_zero() || lasting > invites::LASTS_MAX {
            return Err(Invalid::new("lasting_ms", "longer than nothing, and at most 30 days").into());
        }
        if !self.0.exchange.read(|switchboard| switchboard.operator(operator).is_some()) {
            return Err(refusal::rejected(&Rejection::UnknownOperator));
        }
        let expires = SystemTime::now() + lasting;
        let becomes = format!("{{\"lasting_ms\":{}}}", lasting.as_millis());
        act.asks(About { object: format!("operator:{operator}"), becomes, ..About::default() }).await?;
        let invite = invites::invite(&*self.0.registry, self.0.id(), operator, expires).await;
        let invite = invite.map_err(|fault| token_fault(&fault))?;
        tracing::info!(by = by.id(), %operator, "operator invited");
        let expires_us = wall_us(expires);
        Ok(Response::new(v1::InviteOperatorResponse { invite: invite.reveal().to_owned(), expires_us }))
    }

    async fn issue_token(&self, request: Request<v1::IssueTokenRequest>) -> Answer<v1::IssueTokenResponse> {
        let (act, by, request) = acting(request)?;
        let principal = self.principal(request.principal)?;
        if let Who::Operator(operator) = principal.who {
            let known = self.0.exchange.read(|switchboard| switchboard.operator(operator).is_some());
            if !known {
                return Err(refusal::rejected(&Rejection::UnknownOperator));
            }
        }
        let becomes = request.lasting_ms.map(|ms| format!("{{\"lasting_ms\":{ms}}}")).unwrap_or_default();
        act.asks(About { object: named(&principal), becomes, ..About::default() }).await?;
        let token = match request.lasting_ms {
            None => self.minted(principal, None).await?,
            Some(lasting_ms) => {
                let lasting = convert::span_ms("lasting_ms", lasting_ms)?;
                let expires = SystemTime::now().checked_add(Duration::from_micros(lasting.0));
                let expires = expires.ok_or_else(|| Invalid::new("lasting_ms", "no such length of time"))?;
                self.minted(principal, Some(expires)).await?
            }
        };
        tracing::info!(
            by = by.id(),
            role = principal.who.role().name(),
            id = principal.who.id(),
            "token issued"
        );
        Ok(Response::new(v1::IssueTokenResponse { token: token.reveal().to_owned() }))
    }

    async fn list_tokens(&self, request: Request<v1::ListTokensRequest>) -> Answer<v1::ListTokensResponse> {
        asked(request)?;
        let kept = self.0.registry.tokens(self.0.id()).await.map_err(|fault| registry_fault(&fault))?;
        let entry = |token: KeptToken| {
            let who = Who::named(&token.role, &token.principal)?;
            let principal = Some(convert::principal_ref(&who));
            Some(v1::TokenEntry { principal, expires_us: token.expires_us })
        };
        // A role that this release does not know has no word on the wire.
        Ok(Response::new(v1::ListTokensResponse { tokens: kept.into_iter().filter_map(entry).collect() }))
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Answer<v1::RevokeTokenResponse> {
        let (act, by, request) = acting(request)?;
        let principal = self.principal(request.principal)?;
        act.asks(About { object: named(&principal), ..About::default() }).await?;
        if let Who::Operator(operator) = principal.who {
            self.uninvite(operator).await?;
        }
        let revoked = self.0.principals.revoke(&principal).await.map_err(|fault| token_fault(&fault))?;
        act.came(format!("{{\"revoked\":{revoked}}}"));
        tracing::info!(
            by = by.id(),
            role = principal.who.role().name(),
            id = principal.who.id(),
            "token revoked"
        );
        Ok(Response::new(v1::RevokeTokenResponse { revoked }))
    }
}

impl Admin {
    fn principal(&self, principal: Option<v1::PrincipalRef>) -> Result<Principal, Invalid> {
        let principal = principal.and_then(|named| named.principal);
        Ok(Principal { site: self.0.id(), who: convert::who(convert::present("principal", principal)?)? })
    }

    /// Whether a request with this id was answered before.
    fn was_asked(&self, request_id: &str) -> Result<bool, Invalid> {
        let Some(request) = convert::request(request_id)? else { return Ok(false) };
        let known = |state: &State| state.requests.find(request).is_some();
        Ok(self.0.exchange.read(|switchboard| known(switchboard.state())))
    }

    /// An invitation of before is worth nothing any more.
    async fn uninvite(&self, operator: OperatorId) -> Result<(), Status> {
        let role = Role::Operator.name();
        let forgotten = self.0.registry.forget_invite(self.0.id(), role, operator.as_str()).await;
        forgotten.map_err(|fault| registry_fault(&fault))
    }

    /// A token in place of any earlier one. Goes to its end also when nobody waits for the answer any more: otherwise the
    /// earlier one would be replaced in the registry and go on here.
    async fn minted(&self, principal: Principal, until: Option<SystemTime>) -> Result<Token, Status> {
        let principals = Arc::clone(&self.0.principals);
        let minted = tokio::spawn(async move {
            match until {
                Some(_) => principals.mint_until(principal, until).await,
                None => principals.mint(principal).await,
            }
        });
        let minted = minted.await.map_err(|fault| Status::internal(fault.to_string()))?;
        minted.map_err(|fault| token_fault(&fault))
    }

    fn revision(&self) -> (Option<v1::Cursor>, Revision) {
        let cursor = Some(wire_cursor(self.0.exchange.cursor()));
        (cursor, self.0.exchange.read(|switchboard| switchboard.state().revision))
    }

    /// Tiers without anybody of the people there are; with no people at all yet, it is too early to ask. And open hours
    /// without anybody, by the roster in force.
    async fn held_against_people(&self, parsed: &ParsedPlan) -> Result<(Vec<Finding>, GapWarnings), Status> {
        let staffing = self.0.exchange.read(|switchboard| Staffing::of(switchboard.state()));
        let unstaffed = if staffing.is_empty() { Vec::new() } else { parsed.doubts_about(&staffing.staff()) };
        let roster = self.0.rosters.in_force().and_then(|in_force| in_force.roster.clone());
        let Some(roster) = roster else { return Ok((unstaffed, GapWarnings::default())) };
        let (plan, now_us) = (parsed.plan.clone(), self.0.exchange.wall_us());
        let gaps = worked_out(move || staffing.gaps_of(&plan, &roster, now_us)).await?;
        Ok((unstaffed, gaps))
    }
}

/// Who acts, on which slip, and what is asked.
pub(super) fn acting<T>(request: Request<T>) -> Result<(Act, Who, T), Status> {
    let act = Act::of(&request)?;
    asked(request).map(|(who, request)| (act, who, request))
}

/// A principal as the audit names it.
pub(super) fn named(principal: &Principal) -> String {
    format!("{}:{}", principal.who.role().name(), principal.who.id())
}

/// Who asks, and what.
pub(super) fn asked<T>(request: Request<T>) -> Result<(Who, T), Status> {
    match principal(&request)?.who {
        who @ Who::Admin(_) => Ok((who, request.into_inner())),
        _ => Err(refusal::rejected(&Rejection::NotYours)),
    }
}

fn entries(state: &State, after: Option<OperatorId>, count: usize) -> Vec<v1::OperatorEntry> {
    let people = state.operators.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
    people
        .take(count)
        .map(|(id, operator)| v1::OperatorEntry {
            operator_id: id.to_string(),
            profile: Some(convert::shown_profile(operator, &state.skills)),
            removing: operator.removing,
        })
        .collect()
}

fn moves(moves: &[v1::MoveWaiting]) -> Result<BTreeMap<LineId, LineId>, Invalid> {
    let parsed = moves.iter().enumerate().map(|(n, entry)| {
        let from = convert::name(&format!("move_waiting[{n}].from_line_id"), &entry.from_line_id)?;
        let to = convert::name(&format!("move_waiting[{n}].to_line_id"), &entry.to_line_id)?;
        Ok((from, to))
    });
    parsed.collect()
}

fn removes_nothing(state: &State, parsed: &ParsedPlan) -> Result<(), Status> {
    let lines = state.plan().into_iter().flat_map(|plan| plan.lines.keys());
    let removed: Vec<&str> =
        lines.filter(|line| !parsed.plan.lines.contains_key(line)).map(LineId::as_str).collect();
    if removed.is_empty() {
        return Ok(());
    }
    let mend = "keep these lines in the plan, or say allow_remove";
    let reason = Reason { status: Code::FailedPrecondition, code: "WOULD_REMOVE", mend };
    Err(refusal::status(reason, &format!("this plan would remove the lines {}", removed.join(", "))))
}

pub(super) fn bad_plan(errors: &PlanErrors) -> Status {
    convert::invalid_status(errors.findings.iter().map(|finding| {
        let place = format!("text:{}:{}", finding.line, finding.column);
        let field = if finding.field.is_empty() { place } else { format!("{place} {}", finding.field) };
        Invalid::new(field, format!("{}; {}", finding.reason, finding.mend))
    }))
}

fn no_text(revision: Revision) -> Status {
    let mend = "ask for another revision, or apply a plan";
    let reason = Reason { status: Code::NotFound, code: "NO_PLAN_TEXT", mend };
    refusal::status(reason, &format!("this router has no text of revision {}", revision.0))
}

/// The status of a token or an invitation that could not be made.
pub(super) fn token_fault(fault: &TokenFault) -> Status {
    match fault {
        TokenFault::Registry(fault) => registry_fault(fault),
        TokenFault::NoChance(_) | TokenFault::UnknownRole { .. } => Status::internal(fault.to_string()),
    }
}

#[cfg(test)]
mod tests;
