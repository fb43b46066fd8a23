use std::collections::BTreeSet;
use std::sync::Arc;

use api::v1;
use api::v1::roster_service_server::RosterService;
use plan::Findings;
use plan::roster::{ParsedRoster, Roster as Roll, Shift};
use session::KeptRoster;
use switchboard::canonical::Hash;
use switchboard::id::OperatorId;
use switchboard::operator::Duty;
use switchboard::state::State;
use tonic::{Code, Request, Response, Status};

use crate::audited::{About, Act};
use crate::convert::{self, Invalid};
use crate::refusal::{self, Reason};
use crate::rosters::{GAP_DAYS, gaps, parsed};
use crate::site::{Site, principal, registry_fault};

/// Off duty for so long after the beginning of the shift, in microseconds, and somebody is absent, not late.
const ABSENT_AFTER_US: i64 = 15 * 60 * 1_000_000;

/// For whoever makes the roster.
pub(crate) struct Roster(pub(crate) Arc<Site>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl RosterService for Roster {
    async fn get_roster(&self, request: Request<v1::GetRosterRequest>) -> Answer<v1::GetRosterResponse> {
        principal(&request)?;
        let in_force = self.0.rosters.in_force();
        Ok(Response::new(in_force.map_or_else(v1::GetRosterResponse::default, |in_force| {
            let KeptRoster { revision, kept_us, text } = in_force.kept.clone();
            v1::GetRosterResponse { revision, kept_us, text }
        })))
    }

    async fn validate_roster(
        &self,
        request: Request<v1::ValidateRosterRequest>,
    ) -> Answer<v1::ValidateRosterResponse> {
        principal(&request)?;
        let text = request.into_inner().text;
        let now_us = self.0.exchange.wall_us();
        Ok(Response::new(self.0.exchange.read(|switchboard| {
            let state = switchboard.state();
            match parsed(&text, state) {
                Ok(roster) => {
                    let (gaps, gaps_left_out) = told_gaps(state, &roster.roster, now_us);
                    let warnings = warnings(&roster, now_us);
                    v1::ValidateRosterResponse { warnings, gaps, gaps_left_out, ..Default::default() }
                }
                Err(faults) => v1::ValidateRosterResponse {
                    complaints: convert::complaints(&faults),
                    left_out: u32::try_from(faults.left_out).unwrap_or(u32::MAX),
                    ..Default::default()
                },
            }
        })))
    }

    async fn apply_roster(
        &self,
        request: Request<v1::ApplyRosterRequest>,
    ) -> Answer<v1::ApplyRosterResponse> {
        let act = Act::of(&request)?;
        let v1::ApplyRosterRequest { text, expected_revision } = request.into_inner();
        let _changing = self.0.rosters.changing.lock().await;
        let in_force = self.0.rosters.revision();
        if expected_revision != in_force {
            return Err(other_revision(in_force));
        }
        let roster = self.0.exchange.read(|switchboard| parsed(&text, switchboard.state()));
        let roster = roster.map_err(|faults| bad_roster(&faults))?;
        let revision = in_force.saturating_add(1);
        let named = |revision, hash| format!("{{\"revision\":{revision},\"hash\":\"{hash}\"}}");
        let was = self.0.rosters.in_force().map(|was| named(was.kept.revision, Hash::of(&was.kept.text)));
        let becomes = named(revision, Hash::of(&roster.text));
        let about = About {
            object: "roster".to_owned(),
            was: was.unwrap_or_default(),
            becomes,
            ..Default::default()
        };
        act.asks(about).await?;
        let kept_us = self.0.exchange.wall_us();
        let kept = KeptRoster { revision, kept_us, text: roster.text };
        let is_first = self.0.registry.keep_roster(self.0.id(), &kept).await;
        if !is_first.map_err(|fault| registry_fault(&fault))? {
            return Err(other_revision(revision));
        }
        let roll = Arc::new(roster.roster);
        self.0.rosters.put(kept, Arc::clone(&roll));
        self.0.exchange.follow_roster(Arc::clone(&roll));
        let (gaps, gaps_left_out) =
            self.0.exchange.read(|switchboard| told_gaps(switchboard.state(), &roll, kept_us));
        Ok(Response::new(v1::ApplyRosterResponse { revision, gaps, gaps_left_out }))
    }

    async fn list_due(&self, request: Request<v1::ListDueRequest>) -> Answer<v1::ListDueResponse> {
        principal(&request)?;
        let ahead = convert::span_ms("ahead_ms", request.into_inner().ahead_ms)?;
        let wall_us = self.0.exchange.wall_us();
        let Some(in_force) = self.0.rosters.in_force() else {
            return Ok(Response::new(v1::ListDueResponse { wall_us, ..Default::default() }));
        };
        let until_us = wall_us.saturating_add(i64::try_from(ahead.0).unwrap_or(i64::MAX)).saturating_add(1);
        let shifts = in_force.roster.shifts_between(wall_us, until_us);
        let shifts = shifts.map_err(|fault| Invalid::new("ahead_ms", fault.to_string()))?;
        let on_shift: BTreeSet<OperatorId> =
            shifts.iter().filter(|shift| shift.from_us <= wall_us).map(|shift| shift.operator).collect();
        let (due, extra_operator_ids) = self.0.exchange.read(|switchboard| {
            let state = switchboard.state();
            let due = shifts.iter().map(|shift| due(state, shift, wall_us)).collect();
            let on_duty = state.operators.iter().filter(|(_, operator)| operator.duty == Duty::On);
            let extra = on_duty.filter(|(id, _)| !on_shift.contains(id)).map(|(id, _)| id.to_string());
            (due, extra.collect())
        });
        let revision = in_force.kept.revision;
        Ok(Response::new(v1::ListDueResponse { revision, wall_us, due, extra_operator_ids }))
    }
}

fn due(state: &State, shift: &Shift, wall_us: i64) -> v1::DueOperator {
    let known = state.operators.get(&shift.operator);
    let attendance = match known.map(|operator| operator.duty) {
        None => v1::Attendance::Unknown,
        Some(_) if shift.from_us > wall_us => v1::Attendance::Coming,
        Some(Duty::Off) if wall_us - shift.from_us >= ABSENT_AFTER_US => v1::Attendance::Absent,
        Some(Duty::Off) => v1::Attendance::Late,
        Some(_) => v1::Attendance::Present,
    };
    v1::DueOperator {
        operator_id: shift.operator.to_string(),
        shift_id: shift.name.clone(),
        from_wall_us: shift.from_us,
        to_wall_us: shift.to_us,
        attendance: attendance.into(),
        duty: known.map(|operator| convert::duty(operator.duty)),
    }
}

fn told_gaps(state: &State, roster: &Roll, from_us: i64) -> (Vec<v1::CoverGap>, u32) {
    state.plan().map_or_else(Default::default, |plan| convert::gaps(&gaps(plan, state, roster, from_us)))
}

fn warnings(roster: &ParsedRoster, from_us: i64) -> Vec<v1::PlanComplaint> {
    let skipped = roster.skipped_times(from_us, GAP_DAYS).unwrap_or_default();
    roster.warnings.iter().chain(&skipped).map(convert::complaint).collect()
}

fn bad_roster(faults: &Findings) -> Status {
    convert::invalid_status(faults.findings.iter().map(|finding| {
        let place = format!("text:{}:{} {}", finding.line, finding.column, finding.field);
        Invalid::new(place.trim_end(), format!("{}; {}", finding.reason, finding.mend))
    }))
}

fn other_revision(in_force: u32) -> Status {
    let mend = "get the roster in force, make your changes in it, and apply it with its revision";
    let reason = Reason { status: Code::FailedPrecondition, code: "OTHER_ROSTER", mend };
    refusal::status(reason, &format!("roster {in_force} is in force, and this was made from another"))
}
