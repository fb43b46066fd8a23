//! The plan's hours as edges of site time, two weeks ahead, renewed daily.

use std::sync::PoisonError;

use jiff::Timestamp;
use plan::roster::Roster;
use plan::schedule::{Anchor, ScheduleError, edges, edges_with_shifts};
use switchboard::command::{Actor, Command, Edge, EdgeKind, Input};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::OperatorId;
use switchboard::plan::Plan;
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};

use crate::run::Runner;

/// How far ahead edges are laid.
const SCHEDULE_DAYS: u16 = 14;

/// How often they are laid anew.
const EXTEND_EVERY: Span = Span::secs(86_400);

/// Wall and site time may drift apart by this much before edges are laid anew.
const DRIFT_US_MAX: u64 = 1_000_000;

/// When edges are laid next, and on which reading of the wall clock the last ones stand.
#[derive(Default)]
pub(crate) struct Schedule {
    pub(crate) due: Option<SiteTime>,
    wall_less_site_us: Option<i64>,
    /// Shifts come from a roster: somebody who is new may have some.
    follows_roster: bool,
}

impl Schedule {
    /// A schedule that is due at once if there is a plan to follow.
    pub(crate) fn at_start(now: SiteTime, has_plan: bool) -> Schedule {
        Schedule { due: has_plan.then_some(now), ..Schedule::default() }
    }

    /// Somebody laid edges, or a plan came whose hours nobody has laid yet.
    pub(crate) fn note(&mut self, decision: &Decision) {
        for event in &decision.events {
            match event {
                Event::PlanAdopted { .. } => self.due = Some(decision.at),
                Event::OperatorAdded { .. } if self.follows_roster => self.due = Some(decision.at),
                Event::ScheduleExtended { .. } => self.due = Some(decision.at + EXTEND_EVERY),
                _ => {}
            }
        }
    }

    /// The wall clock was read: a jump makes the edges due.
    pub(crate) fn compare(&mut self, now: SiteTime, wall_us: i64) {
        let read = difference(wall_us, now);
        if self.wall_less_site_us.is_some_and(|laid| laid.abs_diff(read) > DRIFT_US_MAX) {
            self.wall_less_site_us = None;
            self.due = Some(now);
        }
    }
}

impl Runner {
    /// A roster that is new makes the edges due.
    pub(crate) fn hear_of_roster(&mut self, at: SiteTime) {
        let mut followed = self.shared.roster.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut followed.is_new) && self.draft.state().plan().is_some() {
            self.schedule.due = Some(at);
        }
    }

    /// Lays the edges of the plan in force, and of the roster. While nobody has said which roster there is, the shifts laid
    /// before stay, as long as whose they are does. A site that was retired has no hours any more.
    pub(crate) fn extend_schedule(&mut self, at: SiteTime) {
        let wall_us = self.shared.clock.wall_us();
        self.schedule.due = Some(at + EXTEND_EVERY);
        self.schedule.wall_less_site_us = Some(difference(wall_us, at));
        let roster = self.shared.roster.lock().unwrap_or_else(PoisonError::into_inner).roster.clone();
        self.schedule.follows_roster = roster.is_some();
        let state = self.draft.state();
        let Some(plan) = state.plan().filter(|_| !state.retired) else {
            self.schedule.due = None;
            return;
        };
        let edges = match &roster {
            Some(roster) => with_shifts(plan, roster, state, at, wall_us),
            None => hours(plan, at, wall_us).map(|edges| with_earlier_shifts(edges, state)),
        };
        match edges {
            Ok(edges) => {
                let command = Command::ExtendSchedule { edges };
                self.decide_own(at, Input { actor: Actor::Clock, request: None, command });
            }
            Err(fault) => {
                tracing::error!(site = %self.shared.site, %fault, "hours and shifts cannot be laid; those laid before stay");
            }
        }
    }
}

fn with_earlier_shifts(mut edges: Vec<Edge>, state: &State) -> Vec<Edge> {
    let stays = |who: &OperatorId| state.operators.get(who).is_some_and(|known| !known.removing);
    let is_shift =
        |edge: &&Edge| matches!(&edge.what, EdgeKind::ShiftStarts { operator, .. } if stays(operator));
    edges.extend(state.edges.iter().filter(is_shift));
    edges.sort();
    edges
}

fn with_shifts(
    plan: &Plan,
    roster: &Roster,
    state: &State,
    site: SiteTime,
    wall_us: i64,
) -> Result<Vec<Edge>, HoursFault> {
    let wall = Timestamp::from_microsecond(wall_us)?;
    let staying = state.operators.iter().filter(|(_, operator)| !operator.removing);
    let people = staying.map(|(id, operator)| (*id, operator.shift.map(|shift| shift.ends_at))).collect();
    Ok(edges_with_shifts(plan, roster, &people, wall, Anchor { site, wall }, SCHEDULE_DAYS)?)
}

/// Why hours have no edges.
#[derive(Debug, thiserror::Error)]
enum HoursFault {
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error("the wall clock shows a time beyond the calendar: {0}")]
    Wall(#[from] jiff::Error),
}

fn hours(plan: &Plan, site: SiteTime, wall_us: i64) -> Result<Vec<Edge>, HoursFault> {
    let wall = Timestamp::from_microsecond(wall_us)?;
    Ok(edges(plan, wall, Anchor { site, wall }, SCHEDULE_DAYS)?)
}

fn difference(wall_us: i64, site: SiteTime) -> i64 {
    wall_us.saturating_sub(i64::try_from(site.0).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_jump_of_the_wall_clock_makes_the_edges_due() {
        let at = |seconds| SiteTime(0) + Span::secs(seconds);
        let tomorrow = Some(at(86_400));
        let mut schedule =
            Schedule { due: tomorrow, wall_less_site_us: Some(5_000_000), ..Schedule::default() };
        schedule.compare(at(100), 105_900_000);
        schedule.compare(at(101), 105_100_000);
        assert_eq!(schedule.due, tomorrow, "less than a second either way");
        schedule.compare(at(102), 3_600_000_000);
        assert_eq!(schedule.due, Some(at(102)));
        schedule.compare(at(103), 0);
        assert_eq!(schedule.due, Some(at(102)), "it is due already");
    }
}
