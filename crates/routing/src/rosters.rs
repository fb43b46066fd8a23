//! The roster in force: kept in the registry, followed by the exchange, and read to say who is due.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use plan::Findings;
use plan::lint::Staff;
use plan::roster::{GapWarnings, ParsedRoster, Roster};
use session::{KeptRoster, Registry, RegistryFault};
use switchboard::command::Profile;
use switchboard::id::{OperatorId, SiteId};
use switchboard::operator::Operator;
use switchboard::plan::Plan;
use switchboard::state::State;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tonic::Status;

/// What errors call a roster that came in a request.
const ROSTER_NAME: &str = "roster";

/// How far ahead gaps are looked for: as far as shifts are laid.
pub const GAP_DAYS: u16 = 14;

/// A roster and what it is kept under.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) kept: KeptRoster,
    /// None if this release cannot read the text: the revision is taken all the same.
    pub(crate) roster: Option<Arc<Roster>>,
}

/// The roster in force, if there is any.
#[derive(Debug, Default)]
pub(crate) struct Rosters {
    in_force: RwLock<Option<Arc<InForce>>>,
    changing: Arc<Mutex<()>>,
}

impl Rosters {
    pub(crate) fn in_force(&self) -> Option<Arc<InForce>> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The revision in force; 0 while there is none.
    pub(crate) fn revision(&self) -> u32 {
        self.in_force().map_or(0, |in_force| in_force.kept.revision)
    }

    /// One application at a time, for as long as what this returns is held.
    pub(crate) async fn changing(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.changing).lock_owned().await
    }

    /// From here on this one is.
    pub(crate) fn put(&self, kept: KeptRoster, roster: Option<Arc<Roster>>) {
        let in_force = Some(Arc::new(InForce { kept, roster }));
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
    }

    /// The last one that was kept. One that this release cannot read is told, and shifts laid before stay.
    ///
    /// # Errors
    /// The registry does not answer.
    pub(crate) async fn load(
        &self,
        registry: &dyn Registry,
        site: SiteId,
        zone: &str,
    ) -> Result<Option<Arc<Roster>>, RegistryFault> {
        let Some(kept) = registry.roster(site).await? else { return Ok(None) };
        let roster = match plan::roster::parse(ROSTER_NAME, &kept.text, zone) {
            Ok(parsed) => Some(Arc::new(parsed.roster)),
            Err(fault) => {
                tracing::error!(%site, revision = kept.revision, %fault, "the roster in force cannot be read");
                None
            }
        };
        self.put(kept, roster.clone());
        Ok(roster)
    }
}

/// What rosters are held against: the plan in force and the people there are, of one moment.
pub struct Staffing {
    zone: String,
    plan: Option<Plan>,
    people: Vec<(OperatorId, Profile)>,
}

impl Staffing {
    /// As of this state. Copies, and works nothing out: it may be called where decisions wait.
    pub fn of(state: &State) -> Staffing {
        let plan = state.plan().cloned();
        let zone = plan.as_ref().map_or("UTC", |plan| plan.time_zone.as_str()).to_owned();
        Staffing { zone, plan, people: profiles(state) }
    }

    /// A roster that fits the people there are.
    ///
    /// # Errors
    /// Everything wrong with the text, or with whom it names.
    pub fn parsed(&self, text: &str) -> Result<ParsedRoster, Findings> {
        let parsed = plan::roster::parse(ROSTER_NAME, text, &self.zone)?;
        let people: BTreeSet<OperatorId> = self.people.iter().map(|(id, _)| *id).collect();
        parsed.check_people(&people)?;
        Ok(parsed)
    }

    /// Open hours in which nobody who may answer is on shift; none before there is a plan.
    pub fn gaps(&self, roster: &Roster, from_us: i64) -> GapWarnings {
        self.plan.as_ref().map(|plan| self.gaps_of(plan, roster, from_us)).unwrap_or_default()
    }

    /// The same by another plan. A roster that cannot be laid that far has none to tell.
    pub(crate) fn gaps_of(&self, plan: &Plan, roster: &Roster, from_us: i64) -> GapWarnings {
        let told = roster.gap_warnings(plan, &self.staff(), from_us, GAP_DAYS);
        told.unwrap_or_else(|fault| {
            tracing::warn!(%fault, "gaps in the roster cannot be told");
            GapWarnings::default()
        })
    }

    /// The people, as the plan knows them.
    pub(crate) fn staff(&self) -> Staff {
        Staff::of(self.people.iter().map(|(id, profile)| (*id, profile)))
    }

    /// Whether there is nobody.
    pub(crate) fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

/// Works something out where nobody else waits for it: a whole roster takes a while.
pub(crate) async fn worked_out<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| Status::internal(fault.to_string()))
}

/// Everybody who stays.
fn profiles(state: &State) -> Vec<(OperatorId, Profile)> {
    let staying = state.operators.iter().filter(|(_, operator)| !operator.removing);
    staying.map(|(id, operator)| (*id, profile(state, operator))).collect()
}

/// What is known of somebody, as it was said when they were added.
pub(crate) fn profile(state: &State, operator: &Operator) -> Profile {
    Profile {
        teams: operator.teams.clone(),
        home: operator.home.clone(),
        skills: state.skills.names(operator.skills),
        device: operator.device,
    }
}
