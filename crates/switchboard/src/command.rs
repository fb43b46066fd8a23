//! What can be asked of the switchboard. Imperatives; facts from gateways and desks are asked to be noted.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::call::{CallerKind, DeclineReason};
use crate::id::{
    Attempt, CallId, CallerRef, Code, DeskId, DeskSession, DestinationId, GatewayId, LineId, OfferId,
    OperatorId, PrincipalId, RequestId, Revision, SkillId, TeamId,
};
use crate::operator::Device;
use crate::plan::Plan;
use crate::time::{SiteTime, Span};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The site's own clock: only [`Command::Tick`].
    Clock,
    /// The tracker of links, and the router about its own streams.
    Presence,
    /// A gateway, about its own legs.
    Gateway(GatewayId),
    /// An operator, about the own desk and calls.
    Operator(OperatorId),
    /// A supervisor.
    Supervisor(PrincipalId),
    /// An administrator.
    Admin(PrincipalId),
}

/// One accepted input: who asked what, and under which request id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Input {
    /// Who.
    pub actor: Actor,
    /// So that asking twice is doing once; none for facts that carry their own identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// What.
    pub command: Command,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Do what is due.
    Tick,

    // From gateways: facts about legs.
    /// A caller rang in, or an unknown live leg is adopted after an outage.
    Arrive(Arrival),
    /// The caller's leg is gone.
    CallerHungUp {
        /// Which.
        call: CallId,
    },
    /// Another leg of the call did something.
    Leg {
        /// Which call.
        call: CallId,
        /// Which leg, by its attempt.
        attempt: Attempt,
        /// What.
        fact: LegFact,
    },
    /// A key was pressed.
    Digit {
        /// Which call.
        call: CallId,
        /// On whose leg: the caller's, or an attempt's.
        attempt: Option<Attempt>,
        /// Which key: `0`–`9`, `*`, `#`.
        digit: char,
    },
    /// A prompt that ends a call was heard.
    PromptFinished {
        /// Which call.
        call: CallId,
    },
    /// A gateway (re)attached with its inventory.
    AttachGateway {
        /// A new one after each restart of the gateway.
        incarnation: u64,
        /// Which operators' devices it can ring; none means all.
        reaches: Option<BTreeSet<OperatorId>>,
        /// The caller legs it holds.
        calls: BTreeSet<CallId>,
    },
    /// A gateway's lease ended, or it says its legs are gone.
    LoseGateway {
        /// Which.
        gateway: GatewayId,
        /// Refused unless current.
        incarnation: u64,
    },
    /// An operator's phone is busy with a call that is not ours, or no longer is.
    NotePhone {
        /// Whose.
        operator: OperatorId,
        /// Busy or free.
        busy: bool,
    },

    // From desks.
    /// A desk's stream opened.
    AttachDesk {
        /// Whose.
        operator: OperatorId,
        /// Which installation.
        desk: DeskId,
    },
    /// A desk that was dropped says that it is there: back as if it had attached again, unless another took over.
    RenewDesk {
        /// Whose.
        operator: OperatorId,
        /// Refused unless current.
        session: DeskSession,
    },
    /// A desk's stream ended, or it fell silent. From presence.
    DropDesk {
        /// Whose.
        operator: OperatorId,
        /// Refused unless current.
        session: DeskSession,
    },
    /// The desk has the offer on its screen.
    ConfirmDelivery {
        /// Which.
        offer: OfferId,
        /// To which session.
        session: DeskSession,
    },
    /// Take the call.
    Accept {
        /// Which offer.
        offer: OfferId,
        /// On which session.
        session: DeskSession,
    },
    /// Say no.
    Decline {
        /// Which offer.
        offer: OfferId,
        /// On which session.
        session: DeskSession,
        /// Why, as a code.
        reason: DeclineReason,
    },
    /// A softphone's own media is up: caller and operator hear each other.
    ConfirmMedia {
        /// Which offer.
        offer: OfferId,
        /// On which session.
        session: DeskSession,
    },
    /// Put the caller on hold.
    Hold {
        /// Which call.
        call: CallId,
    },
    /// Take the caller off hold; ends a consult.
    Retrieve {
        /// Which call.
        call: CallId,
    },
    /// End the call.
    HangUp {
        /// Which call.
        call: CallId,
    },
    /// Hand the call on without a word.
    Transfer {
        /// Which call.
        call: CallId,
        /// To whom.
        to: TransferTarget,
    },
    /// Ask a colleague while the caller holds.
    Consult {
        /// Which call.
        call: CallId,
        /// Whom.
        operator: OperatorId,
    },
    /// Hand the call to the colleague who is being consulted.
    CompleteTransfer {
        /// Which call.
        call: CallId,
    },
    /// End wrap-up early.
    EndWrapUp {
        /// What the call was about.
        topic: Option<Code>,
    },
    /// Come on duty.
    GoOnDuty {
        /// Who.
        operator: OperatorId,
    },
    /// Answer nothing for a while.
    Pause {
        /// Who.
        operator: OperatorId,
        /// Why.
        reason: Code,
        /// Ends by itself after this long, if set.
        lasting: Option<Span>,
    },
    /// Answer again: ends a pause, a suspension, a leave not yet taken.
    Resume {
        /// Who.
        operator: OperatorId,
    },
    /// Go off duty as soon as the work is done.
    Leave {
        /// Who.
        operator: OperatorId,
    },
    /// Take no calls from this caller for a while. Never applies to emergency.
    BlockCaller {
        /// The caller of this call, open or just closed.
        call: CallId,
        /// Why.
        reason: Code,
        /// For how long; the plan's default if not said.
        lasting: Option<Span>,
    },
    /// Take this caller's calls again.
    UnblockCaller {
        /// Who.
        caller: CallerRef,
    },

    // From supervisors.
    /// Send a line's new calls to an outside number.
    DivertLine {
        /// Which.
        line: LineId,
        /// Where to; none ends the divert.
        destination: Option<DestinationId>,
        /// For how long.
        lasting: Span,
    },
    /// Open a line closed by hand.
    OpenLine {
        /// Which.
        line: LineId,
    },
    /// Close a line by hand.
    CloseLine {
        /// Which.
        line: LineId,
        /// Why.
        reason: Code,
        /// For how long.
        lasting: Span,
    },
    /// Put a waiting or talking call on another line.
    MoveCall {
        /// Which.
        call: CallId,
        /// Where to.
        to: LineId,
    },
    /// Set an operator's facts right by hand.
    ForceOperator {
        /// Who.
        operator: OperatorId,
        /// To what.
        to: Force,
    },

    // From administrators.
    /// A new plan.
    AdoptPlan(Box<Adoption>),
    /// The next weeks' edges; replaces those not yet fired.
    ExtendSchedule {
        /// Which lines are open and who is on shift when the new edges begin.
        edges: Vec<Edge>,
    },
    /// A person who answers.
    AddOperator {
        /// Under which id.
        operator: OperatorId,
        /// What is known.
        profile: Profile,
    },
    /// The same person, otherwise.
    ChangeOperator {
        /// Who.
        operator: OperatorId,
        /// What is known.
        profile: Profile,
        /// Refused unless this is what was known.
        #[serde(default, skip_serializing_if = "Expected::is_nothing")]
        expect: Expected,
    },
    /// The person leaves; a call under way is finished first.
    RemoveOperator {
        /// Who.
        operator: OperatorId,
    },
    /// The site takes no calls any more, for ever. No call may be open.
    RetireSite,
}

/// A caller rang in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Arrival {
    /// Minted by the gateway.
    pub call: CallId,
    /// On which line.
    pub line: LineId,
    /// Who, as a reference.
    pub caller: CallerRef,
    /// Public or staff.
    pub kind: CallerKind,
    /// Skills the caller already chose, by a menu of the gateway's.
    pub skills: BTreeSet<SkillId>,
    /// Adopted after an outage: how long the caller has waited already, at most [`ADOPTED_WAIT_MAX`].
    pub waited: Span,
    /// Adopted after an outage: already talking with this number, by the emergency plan.
    pub diverted: Option<DestinationId>,
}

/// The longest wait an adopted call may bring along: a gateway's word never reaches further back.
pub const ADOPTED_WAIT_MAX: Span = Span::secs(7_200);

/// What a leg that is not the caller's did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegFact {
    /// It rings.
    Ringing,
    /// It was picked up.
    Answered,
    /// It and its counterpart hear each other: the caller, or in a consult the operator.
    Bridged,
    /// It was put down.
    HungUp,
    /// It failed: busy, unreachable, congestion, no answer, a lost network.
    Failed(Code),
    /// The bridge broke and this leg with it, while the caller's lives.
    BridgeLost,
}

/// To whom a call is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferTarget {
    /// A line's queue, in class order.
    Line(LineId),
    /// One person, for the transfer time; then the class order.
    Operator(OperatorId),
}

/// What a supervisor sets an operator to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// On duty, without strikes, cool-down or pause.
    On,
    /// Off duty at once; a live offer is withdrawn, a call finishes first.
    Off,
    /// Out of wrap-up or an outside call nobody ended.
    Idle,
}

/// What the switchboard knows of a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Teams.
    pub teams: BTreeSet<TeamId>,
    /// Home lines.
    pub home: BTreeSet<LineId>,
    /// Skills.
    pub skills: BTreeSet<SkillId>,
    /// How this person answers.
    pub device: Device,
}

/// What has to be known of a person for a change to be made; without it any change is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expected(pub Option<Box<Profile>>);

impl Expected {
    /// Whether any change is made.
    pub fn is_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a change is made of somebody of whom this is known.
    pub fn is_met_by(&self, known: Option<&Profile>) -> bool {
        self.0.as_deref().is_none_or(|expected| known == Some(expected))
    }
}

impl core::hash::Hash for Expected {
    /// A request is the same one without it: states stay those of a release that does not know it.
    fn hash<H: core::hash::Hasher>(&self, _: &mut H) {}
}

/// A plan to adopt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// The plan.
    pub plan: Plan,
    /// Refused unless this is the one in force.
    pub expect: Revision,
    /// Waiting calls are promised the new plan, too.
    pub migrate: bool,
    /// Where waiting callers of removed lines go; the others finish where they are.
    pub move_waiting: BTreeMap<LineId, LineId>,
}

impl core::hash::Hash for Adoption {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        serde_json::to_string(self).unwrap_or_default().hash(state);
    }
}

/// An absolute edge of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// When.
    pub at: SiteTime,
    /// What the wall clock will show, in microseconds since 1970 UTC: a label, decides nothing.
    pub wall_us: i64,
    /// What happens.
    pub what: EdgeKind,
}

/// What an edge does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// The line opens by its hours.
    LineOpens(LineId),
    /// The line closes by its hours.
    LineCloses(LineId),
    /// The operator's shift starts.
    ShiftStarts {
        /// Whose.
        operator: OperatorId,
        /// When it will end.
        ends_at: SiteTime,
    },
}
