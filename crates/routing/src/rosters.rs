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

/// What errors call a roster that came in a request.
const ROSTER_NAME: &str = "roster";

/// How far ahead gaps are looked for: as far as shifts are laid.
pub const GAP_DAYS: u16 = 14;

/// A roster and what it is kept under.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) kept: KeptRoster,
    pub(crate) roster: Arc<Roster>,
}

/// The roster in force, if there is any.
#[derive(Debug, Default)]
pub(crate) struct Rosters {
    in_force: RwLock<Option<Arc<InForce>>>,
    /// One application at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

impl Rosters {
    pub(crate) fn in_force(&self) -> Option<Arc<InForce>> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The revision in force; 0 while there is none.
    pub(crate) fn revision(&self) -> u32 {
        self.in_force().map_or(0, |in_force| in_force.kept.revision)
    }

    /// From here on this one is.
    pub(crate) fn put(&self, kept: KeptRoster, roster: Arc<Roster>) {
        let in_force = Some(Arc::new(InForce { kept, roster }));
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
    }

    /// The last one that was kept, at a start. One that this release cannot read is told, and shifts laid before stay.
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
        match plan::roster::parse(ROSTER_NAME, &kept.text, zone) {
            Ok(parsed) => {
                let roster = Arc::new(parsed.roster);
                self.put(kept, Arc::clone(&roster));
                Ok(Some(roster))
            }
            Err(fault) => {
                tracing::error!(%site, revision = kept.revision, %fault, "the roster in force cannot be read");
                Ok(None)
            }
        }
    }
}

/// A roster that fits the people there are.
///
/// # Errors
/// Everything wrong with the text, or with whom it names.
pub fn parsed(text: &str, state: &State) -> Result<ParsedRoster, Findings> {
    let zone = state.plan().map_or("UTC", |plan| plan.time_zone.as_str());
    let parsed = plan::roster::parse(ROSTER_NAME, text, zone)?;
    let people: BTreeSet<OperatorId> = staying(state).map(|(id, _)| *id).collect();
    parsed.check_people(&people)?;
    Ok(parsed)
}

/// Open hours in which nobody who may answer is on shift. A roster that cannot be laid that far has none to tell.
pub fn gaps(plan: &Plan, state: &State, roster: &Roster, from_us: i64) -> GapWarnings {
    let people = profiles(state);
    let staff = Staff::of(people.iter().map(|(id, profile)| (*id, profile)));
    let told = roster.gap_warnings(plan, &staff, from_us, GAP_DAYS);
    told.unwrap_or_else(|fault| {
        tracing::warn!(%fault, "gaps in the roster cannot be told");
        GapWarnings::default()
    })
}

/// Everybody who stays, as the plan knows people.
pub(crate) fn profiles(state: &State) -> Vec<(OperatorId, Profile)> {
    let profile = |operator: &Operator| Profile {
        teams: operator.teams.clone(),
        home: operator.home.clone(),
        skills: state.skills.names(operator.skills),
        device: operator.device,
    };
    staying(state).map(|(id, operator)| (*id, profile(operator))).collect()
}

fn staying(state: &State) -> impl Iterator<Item = (&OperatorId, &Operator)> {
    state.operators.iter().filter(|(_, operator)| !operator.removing)
}
