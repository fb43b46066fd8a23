//! The ladder: when a further tier opens for a waiting call, and what then happens if no people stand behind it.

use alloc::vec::Vec;

use crate::call::{Call, DivertedBy, Place, TierSet};
use crate::event::{Alarm, Event};
use crate::id::{CallId, LineId};
use crate::index::Pool;
use crate::plan::{Line, Tier, Trigger, Who};
use crate::planted::Bug;
use crate::skills::SkillSet;
use crate::switchboard::Switchboard;
use crate::time::Span;

/// A closing message without a recording is silence of this length.
const CLOSING_DEFAULT: Span = Span::secs(10);

impl Switchboard {
    /// Opens the next tier that must open for a waiting call nobody is eligible for; false when none must.
    pub(super) fn climb(&mut self, id: CallId) -> bool {
        let Some(call) = self.state.calls.get(&id).filter(|c| c.target.is_none()) else { return false };
        match self.next_tier(call) {
            Some((tier, trigger, who)) => self.open_tier(id, tier, trigger, who),
            None if self.owes_closing(call) => self.start_closing(id),
            None => return false,
        }
        true
    }

    /// Ends a blind transfer's wait for one person whose time is over, also when that person is ready at this moment.
    pub(super) fn expire_target(&mut self, id: CallId) {
        let target = self.state.calls.get(&id).filter(|c| c.is_waiting()).and_then(|c| c.target);
        if target.is_some_and(|t| t.until <= self.at()) {
            self.emit(Event::TargetExpired { call: id });
        }
    }

    /// Whether the ladder has ended for a call, and the closing message does not play (an offer may have stopped it).
    fn owes_closing(&self, call: &Call) -> bool {
        let tiers = self.state.promise(call).map(|l| l.tiers.as_slice()).unwrap_or_default();
        let ended =
            call.tiers.iter().filter_map(|n| tiers.get(usize::from(n))).any(|t| t.who == Who::Closing);
        ended && call.closing_until.is_none()
    }

    fn start_closing(&mut self, id: CallId) {
        let until = self.at() + self.closing_length(id);
        self.emit(Event::ClosingStarted { call: id, until });
    }

    /// The lowest closed tier one of whose triggers holds; with nobody on duty, the lowest closed tier.
    fn next_tier(&self, call: &Call) -> Option<(u8, Trigger, Who)> {
        let line = self.state.promise(call)?;
        let unstaffed = || !self.is_staffed(call.line, line, call.tiers, call.required);
        let holds = |trigger: &Trigger| match trigger {
            Trigger::Busy => true,
            Trigger::Empty => unstaffed(),
            Trigger::Wait(span) => self.at() >= call.ladder_from + *span,
            Trigger::Missed(times) => call.missed >= *times,
            Trigger::Depth(_) => false,
        };
        let lowest = closed(line, call.tiers).next()?.0;
        let due = |(n, tier): (u8, &Tier)| {
            let listed = tier.when.iter().copied().find(holds);
            let empty = (n == lowest && listed.is_none() && unstaffed()).then_some(Trigger::Empty);
            Some((n, listed.or(empty)?, tier.who))
        };
        let mut tiers = closed(line, call.tiers).filter_map(due);
        if self.state.suffers(Bug::TierSkipped) { tiers.last() } else { tiers.next() }
    }

    fn open_tier(&mut self, id: CallId, tier: u8, trigger: Trigger, who: Who) {
        if trigger == Trigger::Empty && !who.is_people() {
            self.alarm_unstaffed(id);
        }
        self.emit(Event::TierOpened { call: id, tier, trigger });
        match who {
            Who::Own | Who::Team(_) | Who::Line(_) | Who::OtherLines => {}
            Who::Outside { destination, ring } => {
                self.divert(id, destination, DivertedBy::Tier(tier), Some(ring))
            }
            Who::Closing => self.start_closing(id),
        }
    }

    /// Once per call: a caller who found nobody at the duty phone is not alarmed about again at the closing message.
    fn alarm_unstaffed(&mut self, id: CallId) {
        let Some(call) = self.state.calls.get(&id) else { return };
        let Some(promised) = self.state.promise(call) else { return };
        let first =
            !call.tiers.iter().filter_map(|n| promised.tiers.get(usize::from(n))).any(|t| !t.who.is_people());
        let line = call.line;
        if first {
            self.emit(Event::AlarmRaised { alarm: Alarm::NobodyOnDuty { line } });
        }
    }

    fn closing_length(&self, id: CallId) -> Span {
        let promised = self.state.calls.get(&id).and_then(|c| Some((c, self.state.promise(c)?)));
        let prompt = promised.and_then(|(call, line)| {
            let plan = self.state.plans.get(&call.revision)?;
            plan.prompts.get(&line.prompts.closing?)
        });
        prompt.map_or(CLOSING_DEFAULT, |p| p.length_max)
    }

    /// Whether anybody with these skills is on duty behind the open tiers.
    fn is_staffed(&self, id: LineId, line: &Line, tiers: TierSet, required: SkillSet) -> bool {
        let open = tiers.iter().filter_map(|n| line.tiers.get(usize::from(n)));
        let mut pools = open.filter_map(|tier| Pool::behind(&tier.who, id));
        pools.any(|pool| self.index.ready.has_staff(pool, id, required))
    }

    /// Preferred skills whose hold is over are no longer held to.
    pub(super) fn relax(&mut self, id: CallId) {
        let holds = |c: &&Call| !c.held.is_empty() && c.target.is_none();
        let Some(call) = self.state.calls.get(&id).filter(holds) else { return };
        let Some(line) = self.state.promise(call) else { return };
        let over: Vec<_> = line
            .prefers
            .iter()
            .filter(|p| {
                call.held.covers(self.state.skills.bit(p.skill)) && call.ladder_from + p.hold <= self.at()
            })
            .map(|p| p.skill)
            .collect();
        for skill in over {
            self.emit(Event::PreferenceRelaxed { call: id, skill });
        }
    }

    /// When some group lost its last staff: calls that have nobody on duty left are looked at.
    pub(super) fn stir_unstaffed(&mut self) {
        if !core::mem::take(&mut self.index.ready.staff_dropped) {
            return;
        }
        let unstaffed = self.index.waiting.buckets.iter().filter(|((line, revision, tiers, required), _)| {
            let promised = self.state.plans.get(revision).and_then(|p| p.lines.get(line));
            promised.is_some_and(|l| {
                closed(l, *tiers).next().is_some() && !self.is_staffed(*line, l, *tiers, *required)
            })
        });
        let places: Vec<Place> = unstaffed.flat_map(|(_, places)| places.iter().copied()).collect();
        self.index.waiting.stirred.extend(places);
    }

    /// Opens tiers by the number of calls that wait, on lines where more wait than did.
    pub(super) fn open_by_depth(&mut self) -> bool {
        let lines = core::mem::take(&mut self.index.waiting.deepened);
        let mut places: Vec<Place> = Vec::new();
        for line in lines {
            let depth = self.index.waiting.depth_of(line);
            for ((_, revision, tiers, _), bucket) in self.index.waiting.buckets_of(line) {
                let promised = self.state.plans.get(revision).and_then(|p| p.lines.get(&line));
                if promised.is_some_and(|l| by_depth(l, *tiers, depth).is_some()) {
                    places.extend(bucket.iter().copied());
                }
            }
        }
        places.sort_unstable();
        let mut opened = false;
        for place in places {
            opened |= self.open_one_by_depth(place.call);
        }
        opened
    }

    fn open_one_by_depth(&mut self, id: CallId) -> bool {
        self.reindex();
        let Some(call) = self.state.calls.get(&id).filter(|c| c.is_waiting()) else { return false };
        let Some(line) = self.state.promise(call) else { return false };
        let depth = self.index.waiting.depth_of(call.line);
        let Some((tier, trigger, who)) = by_depth(line, call.tiers, depth) else { return false };
        self.open_tier(id, tier, trigger, who);
        true
    }
}

fn closed(line: &Line, open: TierSet) -> impl Iterator<Item = (u8, &Tier)> {
    (0_u8..).zip(&line.tiers).filter(move |(n, _)| !open.contains(*n))
}

/// The lowest closed tier that opens at this depth.
fn by_depth(line: &Line, open: TierSet, depth: u32) -> Option<(u8, Trigger, Who)> {
    closed(line, open).find_map(|(n, tier)| {
        let trigger =
            tier.when.iter().copied().find(|t| matches!(t, Trigger::Depth(limit) if depth > *limit))?;
        Some((n, trigger, tier.who))
    })
}
