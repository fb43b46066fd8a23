use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use api::v1;
use api::v1::roster_service_server::RosterService;
use plan::Findings;
use plan::roster::{GapWarnings, ParsedRoster, Roster as Roll, Shift};
use session::KeptRoster;
use switchboard::canonical::Hash;
use switchboard::id::OperatorId;
use switchboard::operator::Duty;
use switchboard::state::State;
use tonic::{Code, Request, Response, Status};

use crate::audited::{About, Act};
use crate::convert::{self, Invalid};
use crate::others::look_at_roster;
use crate::refusal::{self, Reason};
use crate::rosters::{GAP_DAYS, InForce, Staffing, worked_out};
use crate::site::{Site, principal};
use crate::stores::registry_fault;

/// Off duty for so long after the beginning of the shift, in microseconds, and somebody is absent, not late.
const ABSENT_AFTER_US: i64 = 15 * 60 * 1_000_000;

/// For whoever makes the roster.
pub(crate) struct Roster(pub(crate) Arc<Site>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl RosterService for Roster {
    async fn get_roster(&self, request: Request<v1::GetRosterRequest>) -> Answer<v1::GetRosterResponse> {
        principal(&request)?;
        self.look_at_others().await?;
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
        let staffing = self.staffing();
        let in_force = self.0.rosters.in_force().and_then(|in_force| in_force.roster.clone());
        let found = worked_out(move || match staffing.parsed(&text) {
            Ok(roster) => {
                let (gaps, gaps_left_out) = convert::gaps(&staffing.gaps(&roster.roster, now_us));
                let warnings = warnings(&roster, now_us, in_force.as_deref());
                v1::ValidateRosterResponse { warnings, gaps, gaps_left_out, ..Default::default() }
            }
            Err(faults) => v1::ValidateRosterResponse {
                complaints: convert::complaints(&faults),
                left_out: u32::try_from(faults.left_out).unwrap_or(u32::MAX),
                ..Default::default()
            },
        });
        Ok(Response::new(found.await?))
    }

    async fn apply_roster(
        &self,
        request: Request<v1::ApplyRosterRequest>,
    ) -> Answer<v1::ApplyRosterResponse> {
        let act = Act::of(&request)?;
        let v1::ApplyRosterRequest { text, expected_revision } = request.into_inner();
        self.look_at_others().await?;
        let changing = self.0.rosters.changing().await;
        let in_force = self.0.rosters.in_force();
        if let Some(again) = in_force.as_ref().filter(|now| is_sent_again(now, expected_revision, &text)) {
            act.asks(about(Some(&again.kept), &again.kept)).await?;
            act.came("{\"again\":true}".to_owned());
            return self.applied(again.kept.revision, again.roster.clone()).await;
        }
        let in_force = in_force.map(|in_force| in_force.kept.clone());
        let revision = in_force.as_ref().map_or(0, |kept| kept.revision);
        if expected_revision != revision {
            return Err(other_revision(revision));
        }
        let staffing = self.staffing();
        let parsed = worked_out(move || staffing.parsed(&text)).await?;
        let ParsedRoster { roster, text, .. } = parsed.map_err(|faults| bad_roster(&faults))?;
        let revision = revision.saturating_add(1);
        let kept = KeptRoster { revision, kept_us: self.0.exchange.wall_us(), text };
        act.asks(about(in_force.as_ref(), &kept)).await?;
        // To its end, also when nobody waits for the answer any more: otherwise one would be kept and another in force.
        let (site, roll) = (Arc::clone(&self.0), Arc::new(roster));
        let keeping = tokio::spawn({
            let roll = Arc::clone(&roll);
            async move {
                let _changing = changing;
                put_in_force(&site, kept, roll).await
            }
        });
        keeping.await.map_err(|fault| Status::internal(fault.to_string()))??;
        self.applied(revision, Some(roll)).await
    }

    async fn list_due(&self, request: Request<v1::ListDueRequest>) -> Answer<v1::ListDueResponse> {
        principal(&request)?;
        let ahead = convert::span_ms("ahead_ms", request.into_inner().ahead_ms)?;
        let wall_us = self.0.exchange.wall_us();
        let Some(in_force) = self.0.rosters.in_force() else {
            return Ok(Response::new(v1::ListDueResponse { wall_us, ..Default::default() }));
        };
        let Some(roster) = in_force.roster.as_deref() else {
            return Err(unreadable(in_force.kept.revision));
        };
        let plan = self.0.exchange.read(|switchboard| switchboard.state().plan().cloned());
        let roster = match &plan {
            Some(plan) => roster.in_zone_of(plan).map_err(|fault| Status::internal(fault.to_string()))?,
            None => Cow::Borrowed(roster),
        };
        let until_us = wall_us.saturating_add(i64::try_from(ahead.0).unwrap_or(i64::MAX)).saturating_add(1);
        let shifts = roster.shifts_between(wall_us, until_us);
        let shifts = shifts.map_err(|fault| Invalid::new("ahead_ms", fault.to_string()))?;
        let on_shift: BTreeSet<OperatorId> =
            shifts.iter().filter(|shift| shift.from_us <= wall_us).map(|shift| shift.operator).collect();
        let (due, extra) = self.0.exchange.read(|switchboard| {
            let state = switchboard.state();
            let due = shifts.iter().map(|shift| due(state, shift, wall_us)).collect();
            let there = state.operators.iter().filter(|(_, operator)| operator.duty != Duty::Off);
            let extra = there.filter(|(id, _)| !on_shift.contains(id)).map(|(id, operator)| {
                let duty = Some(convert::duty(operator.duty));
                v1::ExtraOperator { operator_id: id.to_string(), duty }
            });
            (due, extra.collect::<Vec<_>>())
        });
        let extra_operator_ids = extra.iter().map(|one| one.operator_id.clone()).collect();
        let revision = in_force.kept.revision;
        Ok(Response::new(v1::ListDueResponse { revision, wall_us, due, extra_operator_ids, extra }))
    }
}

impl Roster {
    /// Follows the roster that another router may have put in force.
    async fn look_at_others(&self) -> Result<(), Status> {
        if !self.0.is_shared {
            return Ok(());
        }
        look_at_roster(&self.0).await.map_err(|fault| registry_fault(&fault))
    }

    fn staffing(&self) -> Staffing {
        self.0.exchange.read(|switchboard| Staffing::of(switchboard.state()))
    }

    /// What whoever applied a roster is told.
    async fn applied(&self, revision: u32, roll: Option<Arc<Roll>>) -> Answer<v1::ApplyRosterResponse> {
        let (staffing, now_us) = (self.staffing(), self.0.exchange.wall_us());
        let gaps = worked_out(move || match roll {
            Some(roll) => staffing.gaps(&roll, now_us),
            None => GapWarnings::default(),
        });
        let (gaps, gaps_left_out) = convert::gaps(&gaps.await?);
        Ok(Response::new(v1::ApplyRosterResponse { revision, gaps, gaps_left_out }))
    }
}

/// The answer may have been lost: what is asked is in force already.
fn is_sent_again(in_force: &InForce, expected_revision: u32, text: &str) -> bool {
    let KeptRoster { revision, text: kept, .. } = &in_force.kept;
    // A text is kept without its byte-order mark.
    expected_revision.checked_add(1) == Some(*revision) && text.trim_start_matches('\u{feff}') == kept
}

/// What the audit says of an application.
fn about(was: Option<&KeptRoster>, becomes: &KeptRoster) -> About {
    let named = |kept: &KeptRoster| {
        format!("{{\"revision\":{},\"hash\":\"{}\"}}", kept.revision, Hash::of(&kept.text))
    };
    About {
        object: "roster".to_owned(),
        was: was.map(named).unwrap_or_default(),
        becomes: named(becomes),
        ..About::default()
    }
}

/// Keeps a roster and follows it. Where one of that revision is kept already, that one is put in force: somebody else's,
/// or one whose end nobody heard of.
async fn put_in_force(site: &Site, kept: KeptRoster, roll: Arc<Roll>) -> Result<(), Status> {
    let is_first = site.registry.keep_roster(site.id(), &kept).await;
    if is_first.map_err(|fault| registry_fault(&fault))? {
        site.rosters.put(kept, Some(Arc::clone(&roll)));
        site.exchange.follow_roster(roll);
        return Ok(());
    }
    let zone =
        site.exchange.read(|switchboard| switchboard.state().plan().map(|plan| plan.time_zone.clone()));
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    let loaded = site.rosters.load(&*site.registry, site.id(), &zone).await;
    if let Some(roll) = loaded.map_err(|fault| registry_fault(&fault))? {
        site.exchange.follow_roster(roll);
    }
    let is_this = |now: &InForce| now.kept.revision == kept.revision && now.kept.text == kept.text;
    match site.rosters.in_force() {
        Some(in_force) if is_this(&in_force) => Ok(()),
        _ => Err(other_revision(site.rosters.revision())),
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

fn warnings(roster: &ParsedRoster, now_us: i64, in_force: Option<&Roll>) -> Vec<v1::PlanComplaint> {
    let skipped = roster.skipped_times(now_us, GAP_DAYS).unwrap_or_default();
    let over = roster.dates_over(now_us, in_force).unwrap_or_default();
    roster.warnings.iter().chain(&skipped).chain(&over).map(convert::complaint).collect()
}

fn bad_roster(faults: &Findings) -> Status {
    convert::invalid_status(faults.findings.iter().map(|finding| {
        let place = format!("text:{}:{} {}", finding.line, finding.column, finding.field);
        Invalid::new(place.trim_end(), format!("{}; {}", finding.reason, finding.mend))
    }))
}

fn unreadable(revision: u32) -> Status {
    let mend = "get the roster, mend what its validation tells, and apply it again";
    let reason = Reason { status: Code::FailedPrecondition, code: "ROSTER_UNREADABLE", mend };
    refusal::status(reason, &format!("this release cannot read roster {revision}, which is in force"))
}

fn other_revision(in_force: u32) -> Status {
    let mend = "get the roster in force, make your changes in it, and apply it with its revision";
    let reason = Reason { status: Code::FailedPrecondition, code: "OTHER_ROSTER", mend };
    refusal::status(reason, &format!("roster {in_force} is in force, and this was made from another"))
}
