//! A call: where one caller is between first ring and close.

use alloc::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::{
    Attempt, CallId, CallerRef, Code, DeskSession, DestinationId, GatewayId, LineId, OperatorId, Revision,
    Seq,
};
use crate::operator::Device;
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

/// Ended offers remembered per call: enough for every late answer, bounded for a caller nobody picks up.
pub const ENDED_MAX: usize = 16;

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

/// A call reserved for one operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// For whom.
    pub operator: OperatorId,
    /// The desk session it was made to.
    pub session: DeskSession,
    /// How this operator answers.
    pub device: Device,
    /// Why.
    pub purpose: Purpose,
    /// Ringing or accepted.
    pub stage: Stage,
    /// The desk dropped while it rang: withdrawn then.
    pub reload_by: Option<SiteTime>,
    /// When it was made.
    pub made_at: SiteTime,
}

/// What an offer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The line's next call, through this tier.
    Line(u8),
    /// A blind transfer to this person.
    Transfer,
    /// Another operator asks for a word while the caller holds.
    Consult,
}

/// How far an offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The phone rings, or is about to.
    Ringing {
        /// Undeliverable if not confirmed by then; none once confirmed.
        deliver_by: Option<SiteTime>,
        /// Rings out then.
        ring_until: SiteTime,
    },
    /// Accepted; the leg comes up.
    Accepted {
        /// The bridge has failed if not up by then.
        connect_by: SiteTime,
    },
    /// A consult that talks.
    Talking,
}

/// An offer that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// For whom it was.
    pub operator: OperatorId,
    /// How it ended.
    pub how: OfferEnd,
    /// The strike it left can still be taken back.
    pub strike: bool,
}

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// Bridged.
    Connected,
    /// The leg never came up.
    BridgeFailed,
    /// The operator said no.
    Declined,
    /// Nobody answered.
    RangOut,
    /// The desk never confirmed it.
    Undeliverable,
    /// Ended for another reason.
    Withdrawn(Withdrawal),
}

/// Why an offer was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// The caller left.
    CallerGone,
    /// Another operator has the caller.
    AnsweredElsewhere,
    /// The operator paused, left or was suspended.
    Paused,
    /// The desk did not come back in time.
    LinkLost,
    /// A supervisor took the call or the operator away.
    Supervisor,
    /// A later decision replaced it.
    Superseded,
}

/// How a call ended. Written exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Was bridged with an operator at some time.
    Answered {
        /// Who ended it.
        ended_by: EndedBy,
    },
    /// The caller left the queue.
    AbandonedWaiting,
    /// The caller left while somebody's phone rang.
    AbandonedRinging,
    /// The caller left between accept and bridge.
    AbandonedConnecting,
    /// An outside number took it.
    DivertedOut,
    /// Not let in.
    Refused(Refusal),
    /// The ladder ended; the closing message was heard.
    NobodyOnDuty,
    /// A fault: always an alarm.
    Failed {
        /// Which.
        cause: Failure,
    },
}

/// Who ended an answered call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The caller hung up.
    Caller,
    /// The operator hung up.
    Operator,
}

/// Why a call was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The caller is blocked.
    Blocked,
    /// Too many wait.
    Full,
    /// The line is closed.
    Closed,
    /// The line is being removed.
    Draining,
}

/// A fault that ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Its gateway died or lost it.
    Gateway,
    /// Bridge and caller's leg were lost together.
    Bridge,
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

/// A closed call, remembered for late facts and answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When it closed.
    pub closed_at: SiteTime,
    /// How.
    pub outcome: Outcome,
    /// The line it closed on.
    pub line: LineId,
    /// Who called.
    pub caller: CallerRef,
    /// Its priority.
    pub class: Class,
    /// The gateway that holds its legs, if any are left.
    pub gateway: GatewayId,
    /// The plan it was promised: its last prompt is that one's.
    pub revision: Revision,
    /// The decision that closed it: its treatment's revision.
    pub seq: Seq,
    /// Its last offers.
    pub ended: BTreeMap<Attempt, Ended>,
}

/// A caller who left and may take the place up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandon {
    /// The place left.
    pub arrived_at: SiteTime,
    /// How much of the ladder was served.
    pub served: Span,
    /// When it was left.
    pub left_at: SiteTime,
    /// Until when it can be taken up.
    pub until: SiteTime,
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

/// A coded reason an operator gave for declining.
pub type DeclineReason = Option<Code>;

/// Names used by a set of skills in events: sorted, each once.
pub type SkillNames = BTreeSet<crate::id::SkillId>;
