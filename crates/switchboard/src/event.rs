//! What happened. Past participles; each carries the figures that were decided, so that history survives every later
//! change of policy. `evolve` needs nothing else.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::call::{
    CallerKind, Class, DeclineReason, DivertedBy, MoveCause, Outcome, Purpose, SkillNames, TierSet,
    Withdrawal,
};
use crate::command::{Edge, Profile, TransferTarget};
use crate::id::{
    Attempt, CallId, CallerRef, Code, DeskId, DeskSession, DestinationId, GatewayId, LineId, OperatorId,
    Revision, SkillId,
};
use crate::operator::Device;
use crate::plan::{Plan, Trigger};
use crate::time::{SiteTime, Span};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    // A call's passage.
    /// A caller is inside.
    CallArrived {
        /// Which.
        call: CallId,
        /// Its gateway.
        gateway: GatewayId,
        /// Who.
        caller: CallerRef,
        /// Public or staff.
        kind: CallerKind,
        /// The line called.
        line: LineId,
        /// Its priority.
        class: Class,
        /// The plan it is promised.
        revision: Revision,
        /// Its place: earlier than now for a redial that resumes, or an adopted call.
        arrived_at: SiteTime,
        /// From when its ladder counts.
        ladder_from: SiteTime,
        /// Took up the place of an abandon.
        resumed: bool,
        /// Required skills.
        required: SkillNames,
        /// Preferred skills held for now.
        held: SkillNames,
    },
    /// The machine or a supervisor changed its line.
    CallMoved {
        /// Which.
        call: CallId,
        /// From.
        from: LineId,
        /// To.
        to: LineId,
        /// Why.
        cause: MoveCause,
        /// Its priority there.
        class: Class,
        /// The plan it is promised there.
        revision: Revision,
        /// Required skills there.
        required: SkillNames,
        /// Preferred skills held there.
        held: SkillNames,
    },
    /// The caller chose a skill by key.
    SkillChosen {
        /// Which call.
        call: CallId,
        /// Which skill: required from here on.
        skill: SkillId,
    },
    /// A preferred skill is no longer held to.
    PreferenceRelaxed {
        /// Which call.
        call: CallId,
        /// Which skill.
        skill: SkillId,
    },
    /// A further tier opened for this call.
    TierOpened {
        /// Which call.
        call: CallId,
        /// Which tier, first 0.
        tier: u8,
        /// By which of its triggers.
        trigger: Trigger,
    },
    /// The call is promised the new plan.
    CallMigrated {
        /// Which call.
        call: CallId,
        /// Which plan.
        revision: Revision,
        /// The tiers open for it by that plan.
        tiers: TierSet,
        /// Skills without which nobody is asked: the caller's choice and what the line requires by that plan.
        required: SkillNames,
    },
    /// Nobody answered a blind transfer in time: the class order again.
    TargetExpired {
        /// Which call.
        call: CallId,
    },
    /// The closing message began.
    ClosingStarted {
        /// Which call.
        call: CallId,
        /// Ends at the latest then.
        until: SiteTime,
    },
    /// Back in the queue with its place, after a bridge that broke.
    CallRequeued {
        /// Which call.
        call: CallId,
        /// Whose bridge it was.
        operator: OperatorId,
        /// The tiers open for it still: those of people.
        tiers: TierSet,
    },
    /// An outside number rings for it, or already talks.
    CallDiverted {
        /// Which call.
        call: CallId,
        /// Which number.
        destination: DestinationId,
        /// The attempt that names the leg.
        attempt: Attempt,
        /// Rings until then; none when it already talks.
        ringing_until: Option<SiteTime>,
        /// What sent it.
        by: DivertedBy,
    },
    /// Somebody took it there, with key 1.
    DivertConnected {
        /// Which call.
        call: CallId,
    },
    /// Nobody took it there: back in the queue.
    DivertFailed {
        /// Which call.
        call: CallId,
    },
    /// The call is over.
    CallClosed {
        /// Which.
        call: CallId,
        /// How.
        outcome: Outcome,
        /// A redial until then takes the place up again.
        resumable_until: Option<SiteTime>,
    },

    // Offers.
    /// A call was reserved for an operator.
    OfferMade {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// For whom.
        operator: OperatorId,
        /// On which desk session.
        session: DeskSession,
        /// How this operator answers.
        device: Device,
        /// Why.
        purpose: Purpose,
        /// Undeliverable if not confirmed by then; none where nothing confirms.
        deliver_by: Option<SiteTime>,
        /// Rings out then.
        ring_until: SiteTime,
    },
    /// The desk has it on its screen, or the phone rings.
    OfferDelivered {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// The operator took it.
    OfferAccepted {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// The bridge must be up by then.
        connect_by: SiteTime,
    },
    /// The operator said no.
    OfferDeclined {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// Why.
        reason: DeclineReason,
    },
    /// Nobody answered.
    OfferRangOut {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// Not asked until then; none when suspended instead, or in a consult.
        cool_until: Option<SiteTime>,
        /// The strikes that suspend, if this one did.
        suspended: Option<u8>,
    },
    /// The desk never confirmed it. No strike: counted against the network.
    OfferUndeliverable {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// A desk goes into grace until then.
        grace_until: Option<SiteTime>,
        /// A telephone is not asked until then.
        cool_until: Option<SiteTime>,
    },
    /// It ended for another reason. No strike.
    OfferWithdrawn {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// Why.
        why: Withdrawal,
    },
    /// Accepted, but the leg never came up. The call never left the line.
    BridgeFailed {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// The gateway's cause, or none when the time ran out.
        cause: Option<Code>,
        /// Not asked until then.
        cool_until: Option<SiteTime>,
    },
    /// An accept that came after the ring had ended takes the strike back.
    LateAcceptNoted {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
        /// Whose.
        operator: OperatorId,
    },
    /// Caller and operator hear each other.
    CallConnected {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// The two operators hear each other; the caller holds.
    ConsultConnected {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// A consult that talked ended without a transfer.
    ConsultEnded {
        /// Which call.
        call: CallId,
        /// Which attempt.
        attempt: Attempt,
    },
    /// The caller holds.
    CallHeld {
        /// Which call.
        call: CallId,
    },
    /// The caller no longer holds.
    CallRetrieved {
        /// Which call.
        call: CallId,
    },
    /// An operator handed it on to a line's queue, or to wait for one person.
    CallTransferred {
        /// Which call.
        call: CallId,
        /// Whose it was.
        from: OperatorId,
        /// To whom.
        to: TransferTarget,
        /// Its line from here on.
        line: LineId,
        /// Its priority there.
        class: Class,
        /// The plan it is promised there.
        revision: Revision,
        /// Waits for exactly that person until then.
        target_until: Option<SiteTime>,
        /// Required skills there.
        required: SkillNames,
        /// Preferred skills held there.
        held: SkillNames,
    },
    /// An operator handed it to the colleague consulted: bridged with that one.
    TransferCompleted {
        /// Which call.
        call: CallId,
        /// Whose it was.
        from: OperatorId,
        /// The consult's attempt, which is the bridge's from here on.
        attempt: Attempt,
    },

    // Operators.
    /// A person who answers.
    OperatorAdded {
        /// Who.
        operator: OperatorId,
        /// What is known.
        profile: Profile,
    },
    /// The same person, otherwise.
    OperatorChanged {
        /// Who.
        operator: OperatorId,
        /// What is known.
        profile: Profile,
    },
    /// Removed as soon as the work is done.
    OperatorRemoving {
        /// Who.
        operator: OperatorId,
    },
    /// Gone.
    OperatorRemoved {
        /// Who.
        operator: OperatorId,
    },
    /// A desk is online.
    DeskAttached {
        /// Whose.
        operator: OperatorId,
        /// Which.
        desk: DeskId,
        /// In which session.
        session: DeskSession,
    },
    /// A desk dropped; grace began.
    DeskDropped {
        /// Whose.
        operator: OperatorId,
        /// Lost then.
        grace_until: SiteTime,
        /// A live offer stays until then.
        reload_by: SiteTime,
    },
    /// Grace ended.
    DeskLost {
        /// Whose.
        operator: OperatorId,
    },
    /// On duty.
    WentOnDuty {
        /// Who.
        operator: OperatorId,
    },
    /// Not answering for a while.
    OperatorPaused {
        /// Who.
        operator: OperatorId,
        /// Why.
        reason: Code,
        /// Until when.
        until: Option<SiteTime>,
        /// How long idle, frozen.
        idle_for: Span,
    },
    /// Pauses after this call.
    PauseNoted {
        /// Who.
        operator: OperatorId,
        /// Why.
        reason: Code,
        /// Until when.
        until: Option<SiteTime>,
    },
    /// Answers again: after a pause, a suspension, or a leave not yet taken.
    OperatorResumed {
        /// Who.
        operator: OperatorId,
        /// Idle since then, for fairness.
        idle_since: SiteTime,
    },
    /// Off as soon as the work is done.
    OperatorLeaving {
        /// Who.
        operator: OperatorId,
    },
    /// Off duty.
    WentOffDuty {
        /// Who.
        operator: OperatorId,
    },
    /// The cool-down after a ring-no-answer is over.
    CooledDown {
        /// Who.
        operator: OperatorId,
    },
    /// After-call time began.
    WrapUpStarted {
        /// Who.
        operator: OperatorId,
        /// After which call.
        call: CallId,
        /// Ends by itself then.
        until: SiteTime,
    },
    /// After-call time ended.
    WrapUpEnded {
        /// Who.
        operator: OperatorId,
        /// What the call was about.
        topic: Option<Code>,
    },
    /// The phone is busy with a call that is not ours.
    OutsideCallStarted {
        /// Whose.
        operator: OperatorId,
    },
    /// It no longer is.
    OutsideCallEnded {
        /// Whose.
        operator: OperatorId,
    },
    /// A supervisor set the operator idle.
    OperatorForcedIdle {
        /// Who.
        operator: OperatorId,
    },
    /// A rostered shift began.
    ShiftStarted {
        /// Whose.
        operator: OperatorId,
        /// Ends then.
        ends_at: SiteTime,
    },
    /// A shift's end is near: no new calls; these lines would have nobody left.
    ShiftEnding {
        /// Whose.
        operator: OperatorId,
        /// Home lines whose last operator on duty this is.
        last_on: BTreeSet<LineId>,
    },
    /// A shift is over.
    ShiftEnded {
        /// Whose.
        operator: OperatorId,
    },

    // Lines and the plan.
    /// A line takes calls.
    LineOpened {
        /// Which.
        line: LineId,
    },
    /// A line takes none, by its hours.
    LineClosedBySchedule {
        /// Which.
        line: LineId,
    },
    /// A line takes none, by a supervisor.
    LineClosedByHand {
        /// Which.
        line: LineId,
        /// Why.
        reason: Code,
        /// Until when.
        until: SiteTime,
    },
    /// The schedule changed under a hand-closed line: what it will open into.
    LineScheduleNoted {
        /// Which.
        line: LineId,
        /// Open by its hours.
        open: bool,
    },
    /// A line lets its callers finish and takes no new ones.
    LineDraining {
        /// Which.
        line: LineId,
    },
    /// A line is gone; its id is never used again.
    LineRetired {
        /// Which.
        line: LineId,
    },
    /// A line's new calls go to an outside number.
    LineDiverted {
        /// Which.
        line: LineId,
        /// Where to.
        destination: DestinationId,
        /// Until when.
        until: SiteTime,
    },
    /// They no longer do.
    LineDivertEnded {
        /// Which.
        line: LineId,
    },
    /// A plan is in force.
    PlanAdopted {
        /// Under this number.
        revision: Revision,
        /// The plan.
        plan: Box<Plan>,
        /// Where callers of removed lines go.
        moves: BTreeMap<LineId, LineId>,
    },
    /// The schedule's coming edges.
    ScheduleExtended {
        /// In order; they replace those not yet fired.
        edges: Vec<Edge>,
    },
    /// The first edge of the schedule passed.
    EdgePassed,

    // Callers and gateways.
    /// A caller's calls are refused for a while.
    CallerBlocked {
        /// Who.
        caller: CallerRef,
        /// Why.
        reason: Code,
        /// Until when.
        until: SiteTime,
    },
    /// They no longer are.
    CallerUnblocked {
        /// Who.
        caller: CallerRef,
    },
    /// A gateway is here.
    GatewayAttached {
        /// Which.
        gateway: GatewayId,
        /// In which life.
        incarnation: u64,
        /// Whose devices it can ring; none means all.
        reaches: Option<BTreeSet<OperatorId>>,
    },
    /// A gateway is gone.
    GatewayLost {
        /// Which.
        gateway: GatewayId,
    },
    /// The site takes no calls any more; its id is never used again.
    SiteRetired,
    /// Somebody should look.
    AlarmRaised {
        /// At what.
        alarm: Alarm,
    },
}

/// What somebody should look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// A caller found nobody on duty.
    NobodyOnDuty {
        /// On this line.
        line: LineId,
    },
    /// A call failed.
    CallFailed {
        /// Which.
        call: CallId,
    },
    /// An operator declined three times within an hour.
    ManyDeclines {
        /// Who.
        operator: OperatorId,
    },
    /// The last operator of a line is about to leave.
    LastOperatorLeaving {
        /// Which line.
        line: LineId,
    },
}

impl Event {
    /// The call it is about, if it is about one.
    pub fn call(&self) -> Option<CallId> {
        match self {
            Event::CallArrived { call, .. }
            | Event::CallMoved { call, .. }
            | Event::SkillChosen { call, .. }
            | Event::PreferenceRelaxed { call, .. }
            | Event::TierOpened { call, .. }
            | Event::CallMigrated { call, .. }
            | Event::TargetExpired { call }
            | Event::ClosingStarted { call, .. }
            | Event::CallRequeued { call, .. }
            | Event::CallDiverted { call, .. }
            | Event::DivertConnected { call }
            | Event::DivertFailed { call }
            | Event::CallClosed { call, .. }
            | Event::OfferMade { call, .. }
            | Event::OfferDelivered { call, .. }
            | Event::OfferAccepted { call, .. }
            | Event::OfferDeclined { call, .. }
            | Event::OfferRangOut { call, .. }
            | Event::OfferUndeliverable { call, .. }
            | Event::OfferWithdrawn { call, .. }
            | Event::BridgeFailed { call, .. }
            | Event::LateAcceptNoted { call, .. }
            | Event::CallConnected { call, .. }
            | Event::ConsultConnected { call, .. }
            | Event::ConsultEnded { call, .. }
            | Event::CallHeld { call }
            | Event::CallRetrieved { call }
            | Event::CallTransferred { call, .. }
            | Event::TransferCompleted { call, .. }
            | Event::AlarmRaised { alarm: Alarm::CallFailed { call } } => Some(*call),
            _ => None,
        }
    }

    /// The operator it names, if it names one. Of an offer only its making does; see the call's offers for the rest.
    pub fn operator(&self) -> Option<OperatorId> {
        match self {
            Event::OfferMade { operator, .. }
            | Event::LateAcceptNoted { operator, .. }
            | Event::CallRequeued { operator, .. }
            | Event::CallTransferred { from: operator, .. }
            | Event::TransferCompleted { from: operator, .. }
            | Event::OperatorAdded { operator, .. }
            | Event::OperatorChanged { operator, .. }
            | Event::OperatorRemoving { operator }
            | Event::OperatorRemoved { operator }
            | Event::DeskAttached { operator, .. }
            | Event::DeskDropped { operator, .. }
            | Event::DeskLost { operator }
            | Event::WentOnDuty { operator }
            | Event::OperatorPaused { operator, .. }
            | Event::PauseNoted { operator, .. }
            | Event::OperatorResumed { operator, .. }
            | Event::OperatorLeaving { operator }
            | Event::WentOffDuty { operator }
            | Event::CooledDown { operator }
            | Event::WrapUpStarted { operator, .. }
            | Event::WrapUpEnded { operator, .. }
            | Event::OutsideCallStarted { operator }
            | Event::OutsideCallEnded { operator }
            | Event::OperatorForcedIdle { operator }
            | Event::ShiftStarted { operator, .. }
            | Event::ShiftEnding { operator, .. }
            | Event::ShiftEnded { operator }
            | Event::AlarmRaised { alarm: Alarm::ManyDeclines { operator } } => Some(*operator),
            _ => None,
        }
    }
}
