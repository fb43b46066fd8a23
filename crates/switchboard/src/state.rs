//! The canonical state of one site: what replay must reproduce byte for byte. Everything else the switchboard keeps
//! (its indexes) is a function of this.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Serialize};

use crate::call::{Abandon, Call, Class, Place, Tombstone};
use crate::command::Edge;
use crate::id::{CallId, CallerRef, Code, GatewayId, LineId, OperatorId, Revision, Seq};
use crate::line::LineStatus;
use crate::operator::Operator;
use crate::plan::{Line, Plan, Timers};
use crate::planted::Bug;
use crate::requests::Requests;
use crate::skills::SkillRegister;
use crate::time::{SiteTime, Span};

/// Most open calls: a documented surge of 41,789 a day never has more than a small part of them inside at once.
pub const CALLS_MAX: usize = 50_000;
/// Most operators of a site.
pub const OPERATORS_MAX: usize = 20_000;
/// Most gateways of a site.
pub const GATEWAYS_MAX: usize = 64;
/// Most blocked callers at once.
pub const BLOCKS_MAX: usize = 10_000;
/// Most edges the schedule may hold: 14 days of every line and shift with room to spare.
pub const EDGES_MAX: usize = 100_000;
/// Closed calls and request ids are remembered this long…
pub const REMEMBERED_FOR: Span = Span::secs(600);
/// …and at most so many of each.
pub const REMEMBERED_MAX: usize = 65_536;

/// What is remembered for a while, and may be much. A copy shares what neither has changed since.
pub type Remembered<K, V> = RedBlackTreeMapSync<K, V>;

/// The state of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The time of the last decision.
    pub now: SiteTime,
    /// The last decision.
    pub seq: Seq,
    /// The plan in force.
    pub revision: Revision,
    /// That plan, and earlier ones that open or remembered calls were promised.
    pub plans: BTreeMap<Revision, Plan>,
    /// Which bit is which skill.
    pub skills: SkillRegister,
    /// Every line there ever was.
    pub lines: BTreeMap<LineId, LineStatus>,
    /// Where callers of removed lines go.
    pub moves: BTreeMap<LineId, LineId>,
    /// Open calls.
    pub calls: BTreeMap<CallId, Call>,
    /// Calls closed a short while ago.
    pub closed: Remembered<CallId, Tombstone>,
    /// Operators.
    pub operators: BTreeMap<OperatorId, Operator>,
    /// Places a redial may take up, by the line called.
    pub abandons: BTreeMap<LineId, Remembered<CallerRef, Abandon>>,
    /// Blocked callers.
    pub blocks: BTreeMap<CallerRef, Block>,
    /// Gateways.
    pub gateways: BTreeMap<GatewayId, Gateway>,
    /// Coming edges of the schedule, in order.
    pub edges: VecDeque<Edge>,
    /// Requests done a short while ago, by their decision.
    pub requests: Requests,
    /// The site takes no calls any more.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub retired: bool,
    /// The mistake planted in this switchboard, for the test of the tests. Never stored.
    #[cfg(feature = "planted-bugs")]
    #[serde(skip)]
    pub planted: Option<Bug>,
}

/// A blocked caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Why.
    pub reason: Code,
    /// Until when.
    pub until: SiteTime,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its life.
    pub incarnation: u64,
    /// Whose devices it can ring; none means all.
    pub reaches: Option<BTreeSet<OperatorId>>,
    /// Attached, as far as we know.
    pub attached: bool,
}

impl State {
    /// The plan in force, if one was adopted.
    pub fn plan(&self) -> Option<&Plan> {
        self.plans.get(&self.revision)
    }

    /// The timers in force; the defaults before the first plan.
    pub fn timers(&self) -> Timers {
        self.plan().map(|p| p.timers).unwrap_or_default()
    }

    /// A line of the plan in force.
    pub fn line(&self, line: LineId) -> Option<&Line> {
        self.plan()?.lines.get(&line)
    }

    /// The line a call is on, as it was promised.
    pub fn promise(&self, call: &Call) -> Option<&Line> {
        self.plans.get(&call.revision)?.lines.get(&call.line)
    }

    /// A call's place in the order, by the boost it was promised.
    pub fn place(&self, id: CallId, call: &Call) -> Place {
        let mut place = Place::of(id, call, self.promise(call).map_or(Span::ZERO, |l| l.boost));
        if self.suffers(Bug::EmergencyInLine) {
            place.class = Class::Normal;
        }
        place
    }

    /// Idle own operators a line keeps.
    pub fn guard(&self, line: LineId) -> u32 {
        let guard = self.line(line).map_or(0, |l| l.guard);
        if self.suffers(Bug::GuardOffByOne) { guard.saturating_sub(1) } else { guard }
    }

    /// Whether a call's gateway can ring an operator's device.
    pub fn reaches(&self, gateway: GatewayId, operator: OperatorId) -> bool {
        let device_needs_leg = self.operators.get(&operator).is_none_or(|o| o.device.has_leg());
        let inventory = self.gateways.get(&gateway).and_then(|g| g.reaches.as_ref());
        !device_needs_leg || inventory.is_none_or(|ids| ids.contains(&operator))
    }
}
