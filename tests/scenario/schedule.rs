//! The schedule as the wall clock has it, made into edges of site time whenever it is extended.

use switchboard::command::{Edge, EdgeKind};
use switchboard::id::{LineId, OperatorId};
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};

use crate::slot::START;

/// What the wall clock shows at 00:00 of a scenario, in microseconds since 1970.
const WALL_START_US: i64 = 1_767_225_600_000_000;

/// The schedule, in wall time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    /// How far the wall clock is ahead of what it was set to at first.
    ahead: Span,
    edges: Vec<Planned>,
}

#[derive(Debug, Clone)]
struct Planned {
    wall_us: i64,
    what: What,
    sent: bool,
}

#[derive(Debug, Clone)]
enum What {
    Line(LineId, bool),
    Shift(OperatorId, i64),
}

impl Schedule {
    /// The wall clock jumps; site time does not.
    pub(crate) fn jump_ahead(&mut self, by: Span) {
        self.ahead = Span(self.ahead.0 + by.0);
    }

    pub(crate) fn line(&mut self, line: LineId, at: SiteTime, opens: bool) {
        self.edges.push(Planned { wall_us: wall(at), what: What::Line(line, opens), sent: false });
    }

    pub(crate) fn shift(&mut self, operator: OperatorId, from: SiteTime, to: SiteTime) {
        let what = What::Shift(operator, wall(to));
        self.edges.push(Planned { wall_us: wall(from), what, sent: false });
    }

    /// Edges not yet fired, in site time as the wall clock is at this moment. What it jumped over is due at once.
    pub(crate) fn edges(&mut self, now: SiteTime, state: &State) -> Vec<Edge> {
        let unfired = |edge: &Planned| state.edges.iter().any(|e| e.wall_us == edge.wall_us);
        self.edges.retain(|edge| !edge.sent || unfired(edge));
        self.edges.sort_by_key(|edge| edge.wall_us);
        for edge in &mut self.edges {
            edge.sent = true;
        }
        let edge = |planned: &Planned| Edge {
            at: self.site(planned.wall_us).max(now),
            wall_us: planned.wall_us,
            what: match planned.what {
                What::Line(line, true) => EdgeKind::LineOpens(line),
                What::Line(line, false) => EdgeKind::LineCloses(line),
                What::Shift(operator, ends) => EdgeKind::ShiftStarts { operator, ends_at: self.site(ends) },
            },
        };
        self.edges.iter().map(edge).collect()
    }

    fn site(&self, wall_us: i64) -> SiteTime {
        let since = u64::try_from(wall_us - WALL_START_US).unwrap_or(0);
        START + Span(since.saturating_sub(self.ahead.0))
    }
}

fn wall(at: SiteTime) -> i64 {
    WALL_START_US + i64::try_from(at.since(START).0).expect("a scenario is shorter than an age")
}
