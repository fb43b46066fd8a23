//! The plan's hours as edges of site time, two weeks ahead, renewed daily.

use jiff::Timestamp;
use plan::schedule::{Anchor, ScheduleError, edges};
use switchboard::command::{Actor, Command, Edge, EdgeKind, Input};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::plan::Plan;
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
}

impl Schedule {
    /// A schedule that is due at once if there is a plan to follow.
    pub(crate) fn at_start(now: SiteTime, has_plan: bool) -> Schedule {
        Schedule { due: has_plan.then_some(now), wall_less_site_us: None }
    }

    /// Somebody laid edges, or a plan came whose hours nobody has laid yet.
    pub(crate) fn note(&mut self, decision: &Decision) {
        for event in &decision.events {
            match event {
                Event::PlanAdopted { .. } => self.due = Some(decision.at),
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
    /// Lays the edges of the plan in force. Shifts are nobody's hours: those laid before
    /// stay, as long as whose they are does.
    pub(crate) fn extend_schedule(&mut self, at: SiteTime) {
        let wall_us = self.shared.clock.wall_us();
        self.schedule.due = Some(at + EXTEND_EVERY);
        self.schedule.wall_less_site_us = Some(difference(wall_us, at));
        let state = self.draft.state();
        let Some(plan) = state.plan() else {
            self.schedule.due = None;
            return;
        };
        let stays = |who| state.operators.get(who).is_some_and(|known| !known.removing);
        let shifts = state
            .edges
            .iter()
            .filter(|edge| matches!(&edge.what, EdgeKind::ShiftStarts { operator, .. } if stays(operator)));
        match hours(plan, at, wall_us) {
            Ok(mut edges) => {
                edges.extend(shifts);
                edges.sort();
                let command = Command::ExtendSchedule { edges };
                self.decide_own(at, Input { actor: Actor::Clock, request: None, command });
            }
            Err(fault) => {
                tracing::error!(site = %self.shared.site, %fault, "the lines' hours cannot be laid; lines stay as they are");
            }
        }
    }
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
        let mut schedule = Schedule { due: tomorrow, wall_less_site_us: Some(5_000_000) };
        schedule.compare(at(100), 105_900_000);
        schedule.compare(at(101), 105_100_000);
        assert_eq!(schedule.due, tomorrow, "less than a second either way");
        schedule.compare(at(102), 3_600_000_000);
        assert_eq!(schedule.due, Some(at(102)));
        schedule.compare(at(103), 0);
        assert_eq!(schedule.due, Some(at(102)), "it is due already");
    }
}
