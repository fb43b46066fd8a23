//! Why: for a call, who was a candidate and what stood against each; for an operator, what stands against every call.
//! Codes with arguments; words are the reader's business.

use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::call::{Call, CallState, Class, Place, Tried};
use crate::eligible::{Term, is_in_tier, personal_terms, terms};
use crate::id::{CallId, LineId, OperatorId, Revision};
use crate::plan::{Trigger, Who};
use crate::switchboard::Switchboard;
use crate::time::{SiteTime, Span};

/// Why a call is where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallExplanation {
    /// Which.
    pub call: CallId,
    /// As of this time.
    pub at: SiteTime,
    /// Where it is.
    pub state: CallState,
    /// On this line.
    pub line: LineId,
    /// By this plan.
    pub revision: Revision,
    /// With this priority.
    pub class: Class,
    /// For how long it has its place.
    pub age: Span,
    /// Waiting calls before it, over all lines.
    pub ahead: u32,
    /// Of those, on its own line.
    pub ahead_on_line: u32,
    /// Its ladder.
    pub tiers: Vec<TierExplanation>,
    /// Everyone in the people tiers that are open, or who was asked before, best first.
    pub candidates: Vec<Candidate>,
}

/// One step of a call's ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierExplanation {
    /// Which, first 0.
    pub tier: u8,
    /// Who.
    pub who: Who,
    /// Open for this call.
    pub open: bool,
    /// What opens it.
    pub when: Vec<Trigger>,
    /// When it opens by waiting alone, if it is closed and something of it waits.
    pub opens_at: Option<SiteTime>,
}

/// One person who could be asked about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who.
    pub operator: OperatorId,
    /// The lowest open tier that includes this person.
    pub tier: Option<u8>,
    /// What stands against it; empty means eligible.
    pub against: Vec<Term>,
    /// Missed or declined this call before.
    pub tried: Option<Tried>,
    /// Idle since.
    pub idle_since: SiteTime,
}

/// Why an operator has no call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorExplanation {
    /// Who.
    pub operator: OperatorId,
    /// As of this time.
    pub at: SiteTime,
    /// What stands against any call.
    pub against: Vec<Term>,
    /// Waiting calls in order, and what stands against each.
    pub calls: Vec<(CallId, Vec<Term>)>,
}

impl Switchboard {
    /// Why an open call is where it is. Looks at everybody: for people who ask, not for the match.
    pub fn explain_call(&self, id: CallId) -> Option<CallExplanation> {
        let call = self.state.calls.get(&id)?;
        let place = self.state.place(id, call);
        let before: Vec<&Call> = self
            .in_order()
            .into_iter()
            .take_while(|p| *p < place)
            .map(|p| &self.state.calls[&p.call])
            .collect();
        Some(CallExplanation {
            call: id,
            at: self.state.now,
            state: call.state(),
            line: call.line,
            revision: call.revision,
            class: call.class,
            age: self.state.now.since(call.arrived_at),
            ahead: before.len().try_into().unwrap_or(u32::MAX),
            ahead_on_line: before
                .iter()
                .filter(|c| c.line == call.line)
                .count()
                .try_into()
                .unwrap_or(u32::MAX),
            tiers: self.explain_tiers(call),
            candidates: self.candidates(id, call),
        })
    }

    /// Why an operator has no call.
    pub fn explain_operator(&self, id: OperatorId) -> Option<OperatorExplanation> {
        let operator = self.state.operators.get(&id)?;
        let calls = self.in_order().into_iter().map(|p| (p.call, terms(&self.state, id, p.call))).collect();
        Some(OperatorExplanation {
            operator: id,
            at: self.state.now,
            against: personal_terms(operator),
            calls,
        })
    }

    /// Waiting calls in order.
    pub fn in_order(&self) -> Vec<Place> {
        let waiting = self.state.calls.iter().filter(|(_, c)| c.is_waiting());
        let mut places: Vec<Place> = waiting.map(|(id, c)| self.state.place(*id, c)).collect();
        places.sort_unstable();
        places
    }

    fn explain_tiers(&self, call: &Call) -> Vec<TierExplanation> {
        let tiers = self.state.promise(call).map(|l| l.tiers.as_slice()).unwrap_or_default();
        let explain = |(tier, n): (&crate::plan::Tier, u8)| {
            let open = call.tiers.contains(n);
            let waits = tier.when.iter().filter_map(|t| match t {
                Trigger::Wait(span) => Some(call.ladder_from + *span),
                Trigger::Busy | Trigger::Empty | Trigger::Depth(_) | Trigger::Missed(_) => None,
            });
            let opens_at = if open { None } else { waits.min() };
            TierExplanation { tier: n, who: tier.who, open, when: tier.when.clone(), opens_at }
        };
        tiers.iter().zip(0_u8..).map(explain).collect()
    }

    fn candidates(&self, id: CallId, call: &Call) -> Vec<Candidate> {
        let tiers = self.state.promise(call).map(|l| l.tiers.as_slice()).unwrap_or_default();
        let mut candidates: Vec<Candidate> = Vec::new();
        for (operator, person) in &self.state.operators {
            let through = |fits: &dyn Fn(&Who) -> bool| {
                call.tiers.iter().find(|n| tiers.get(usize::from(*n)).is_some_and(|t| fits(&t.who)))
            };
            let tier = through(&|who| self.in_tier(call, who, *operator))
                .or_else(|| through(&|who| is_in_tier(person, call.line, who)));
            let tried = call.tried.get(operator).copied();
            if tier.is_none() && tried.is_none() && call.target.is_none_or(|t| t.operator != *operator) {
                continue;
            }
            let against = terms(&self.state, *operator, id);
            candidates.push(Candidate {
                operator: *operator,
                tier,
                against,
                tried,
                idle_since: person.idle_since,
            });
        }
        let preferred = self.state.promise(call).map(|line| self.preferred(line)).unwrap_or_default();
        let fit = |c: &Candidate| Reverse(self.state.operators[&c.operator].skills.count_of(preferred));
        candidates.sort_by_key(|c| {
            (!c.against.is_empty(), c.tried, c.tier.is_none(), c.tier, fit(c), c.idle_since, c.operator)
        });
        candidates
    }
}
