//! A call: where one caller is between first ring and close.

mod closed;
mod offer;

use alloc::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::closed::{Abandon, EndedBy, Failure, Outcome, Refusal, Tombstone};
pub use self::offer::{DeclineReason, ENDED_MAX, Ended, Offer, OfferEnd, Purpose, Stage, Withdrawal};
use crate::id::{Attempt, CallId, CallerRef, DestinationId, GatewayId, LineId, OperatorId, Revision, Seq};
use crate::skills::SkillSet;
use crate::time::{SiteTime, Span};

/// A call's priority. Never mixed with seconds: an emergency comes before any age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Before everybody.
    Emergency,
    /// The usual.
    #[default]
    Normal,
    /// After everybody.
    Background,
}

/// Who calls, by number or prefix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// Anybody.
    #[default]
    Public,
    /// The hospital's own people.
    Staff,
}

/// Which tiers of its line are open for a call: a set of tier numbers, first tier 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TierSet(u16);

impl TierSet {
    /// Only the first.
    pub const FIRST: TierSet = TierSet(1);

    /// Whether a tier is in.
    pub fn contains(self, tier: u8) -> bool {
        tier < 16 && self.0 & (1 << tier) != 0
    }

    /// Puts a tier in.
    pub fn insert(&mut self, tier: u8) {
        self.0 |= 1_u16.checked_shl(tier.into()).unwrap_or(0);
    }

    /// The tiers in it, in order.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..16).filter(move |t| self.contains(*t))
    }
}

impl FromIterator<u8> for TierSet {
    fn from_iter<I: IntoIterator<Item = u8>>(tiers: I) -> TierSet {
        let mut set = TierSet::default();
        tiers.into_iter().for_each(|tier| set.insert(tier));
        set
    }
}

/// One open call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The gateway that holds the caller's leg.
    pub gateway: GatewayId,
    /// Who calls, as a random reference.
    pub caller: CallerRef,
    /// Public or staff.
    pub kind: CallerKind,
    /// The line it is on.
    pub line: LineId,
    /// The line it was made to.
    pub called: LineId,
    /// Its priority.
    pub class: Class,
    /// The plan it was promised.
    pub revision: Revision,
    /// The sequence number of its arrival: the last word in the order.
    pub seq: Seq,
    /// Its place in the order. A redial, a transfer, a move, a lost bridge keep it.
    pub arrived_at: SiteTime,
    /// When this call itself rang in: what reports measure from.
    pub rang_at: SiteTime,
    /// From when `Wait` triggers and held preferences count.
    pub ladder_from: SiteTime,
    /// Skills without which nobody is eligible.
    pub required: SkillSet,
    /// Preferred skills still held to; each relaxes at its time.
    pub held: SkillSet,
    /// The tiers open for it.
    pub tiers: TierSet,
    /// How often somebody was asked so far, in any way.
    pub attempts: u32,
    /// How many of its offers rang out.
    pub missed: u32,
    /// Who missed or declined it.
    pub tried: BTreeMap<OperatorId, Tried>,
    /// A blind transfer waits for exactly this person, for a while.
    pub target: Option<Target>,
    /// A staff caller said "this is about a patient": not moved again.
    pub escaped: bool,
    /// Ever bridged with an operator.
    pub answered: bool,
    /// The closing message plays, until then at most.
    pub closing_until: Option<SiteTime>,
    /// Live offers, consults included.
    pub offers: BTreeMap<Attempt, Offer>,
    /// The last offers that ended, for late answers; at most [`ENDED_MAX`].
    pub ended: BTreeMap<Attempt, Ended>,
    /// Queued, bridged or diverting.
    pub phase: Phase,
    /// The last decision that changed what the caller should experience.
    pub treatment_revision: Seq,
}

/// Why an operator comes last, or not at all, for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    /// Let it ring out: asked again only when nobody untried is idle.
    Missed,
    /// Said no: not asked again for this call.
    Declined,
}

/// The one person a blind transfer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Who.
    pub operator: OperatorId,
    /// Until when; then the class order again.
    pub until: SiteTime,
}

/// Where a call is, apart from its offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// In the queue: waiting, offered or connecting, as its offers say.
    Queued,
    /// Mixed with an operator, or held by one.
    Bridged {
        /// Who.
        operator: OperatorId,
        /// Which offer brought the bridge; its leg is the operator's.
        attempt: Attempt,
        /// When they first heard each other.
        since: SiteTime,
        /// On hold.
        held: bool,
    },
    /// With an outside number.
    Diverting {
        /// Which.
        destination: DestinationId,
        /// The attempt that names the outside leg.
        attempt: Attempt,
        /// Rings until then, or talks.
        ringing_until: Option<SiteTime>,
        /// Which tier sent it, if one did.
        by: DivertedBy,
    },
}

/// What sent a call to an outside number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DivertedBy {
    /// A tier of the ladder.
    Tier(u8),
    /// A supervisor's divert of the whole line.
    Line,
    /// The line was closed.
    Closed,
    /// The gateway says so: it followed the emergency plan while no router answered.
    EmergencyPlan,
}

/// What people call the place a call is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// In the queue, nobody asked.
    Waiting,
    /// Somebody's phone rings for it.
    Offered,
    /// Accepted; the bridge is not up yet.
    Connecting,
    /// Talking.
    Connected,
    /// On hold.
    Held,
    /// An outside number rings or talks.
    Diverting,
}

impl Call {
    /// The state people name, derived from phase and offers.
    pub fn state(&self) -> CallState {
        match self.phase {
            Phase::Diverting { .. } => CallState::Diverting,
            Phase::Bridged { held: true, .. } => CallState::Held,
            Phase::Bridged { held: false, .. } => CallState::Connected,
            Phase::Queued if self.accepted().is_some() => CallState::Connecting,
            Phase::Queued if self.offers.is_empty() => CallState::Waiting,
            Phase::Queued => CallState::Offered,
        }
    }

    /// In the queue and nobody is being asked: the calls a match is about.
    pub fn is_waiting(&self) -> bool {
        self.phase == Phase::Queued && self.offers.is_empty()
    }

    /// The accepted line or transfer offer, between accept and bridge.
    pub fn accepted(&self) -> Option<(Attempt, &Offer)> {
        self.offers
            .iter()
            .find(|(_, o)| o.purpose != Purpose::Consult && matches!(o.stage, Stage::Accepted { .. }))
            .map(|(attempt, offer)| (*attempt, offer))
    }

    /// The consult, if one is under way.
    pub fn consult(&self) -> Option<(Attempt, &Offer)> {
        self.offers
            .iter()
            .find(|(_, o)| o.purpose == Purpose::Consult)
            .map(|(attempt, offer)| (*attempt, offer))
    }

    /// The live offer an operator has of this call.
    pub fn offer_of(&self, operator: OperatorId) -> Option<(Attempt, &Offer)> {
        self.offers.iter().find(|(_, o)| o.operator == operator).map(|(attempt, offer)| (*attempt, offer))
    }

    /// Skills an operator must have at this moment.
    pub fn needs(&self) -> SkillSet {
        self.required.union(self.held)
    }

    /// Whether an operator said no to this call.
    pub fn declined_by(&self, operator: OperatorId) -> bool {
        self.tried.get(&operator) == Some(&Tried::Declined)
    }
}

/// A call's place: smaller comes first. The boost is folded in as a delay of everybody else, so that no time
/// before the site's beginning is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Emergency first.
    pub class: Class,
    /// Arrival less boost.
    pub arrived_less_boost: SiteTime,
    /// Decides between equals.
    pub seq: Seq,
    /// Whose place it is.
    pub call: CallId,
}

impl Place {
    /// The place of a call whose line has this boost.
    pub fn of(id: CallId, call: &Call, boost: Span) -> Place {
        let arrived_less_boost = call.arrived_at + Span(crate::plan::BOOST_MAX.0 - boost.0);
        Place { class: call.class, arrived_less_boost, seq: call.seq, call: id }
    }
}

/// Why the machine moved a call to another line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveCause {
    /// Staff on a line that keeps itself free of staff callers.
    StaffCaller,
    /// The staff caller's escape: "this is about a patient now".
    Escape,
    /// A supervisor did.
    Supervisor,
    /// The line is closed and sends its callers on.
    LineClosed,
    /// The line is being removed.
    LineRemoved,
}

/// Names used by a set of skills in events: sorted, each once.
pub type SkillNames = BTreeSet<crate::id::SkillId>;
