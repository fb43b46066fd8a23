//! What the caller should be experiencing at this moment: a target set, pulled from state, level-triggered. A gateway
//! makes it so, whatever it did before; it ignores a smaller revision from any router.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::call::{Call, CallState, Offer, Outcome, Phase, Refusal, Stage, Tombstone};
use crate::id::{Attempt, CallId, DestinationId, GatewayId, OperatorId, PromptId, Seq};
use crate::operator::Device;
use crate::switchboard::Switchboard;

/// The target set of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treatment {
    /// Whose.
    pub call: CallId,
    /// Which gateway makes it so.
    pub gateway: GatewayId,
    /// The decision that last changed it.
    pub revision: Seq,
    /// Its named shape.
    pub shape: Shape,
    /// What the caller hears when not mixed with anybody.
    pub hears: Hears,
    /// What the caller's own leg is in.
    pub caller: Role,
    /// Every other leg that should be there; legs not named are to be gone.
    pub legs: Vec<Leg>,
}

/// The named shapes of a treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Waits.
    Queue,
    /// Waits while phones ring.
    Ring,
    /// Is, or is about to be, mixed with an operator.
    Connect,
    /// Holds; the operators may talk.
    Hold,
    /// Rings or talks with an outside number.
    Divert,
    /// Is let go, after a last recording if there is one.
    Release,
}

/// What a caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hears {
    /// Music.
    Music,
    /// A recording once, then music; in `Release` once, then the end.
    Prompt(PromptId),
    /// A recording that asks for a key, then music.
    Menu(PromptId),
    /// Nothing.
    Silence,
}

/// What a leg takes part in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Mixed with every other leg in this role that is up.
    Talk,
    /// Apart: hears what the treatment says.
    Held,
    /// Hears the others, unheard.
    Listen,
    /// Hears the others, heard by the operator alone.
    Whisper,
}

/// A wished leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Its name within the call.
    pub attempt: Attempt,
    /// Where it leads.
    pub to: LegTo,
    /// What it takes part in once up.
    pub role: Role,
    /// Whether it should ring or be up.
    pub wish: Wish,
    /// Whoever answers takes the call only by key 1.
    pub press_one: bool,
}

/// Where a leg leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegTo {
    /// An operator's device.
    Operator(OperatorId),
    /// One of the hospital's own numbers.
    Outside(DestinationId),
}

/// How far a leg should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Ringing; up as soon as it is answered.
    Ring,
    /// Up: dialled with automatic answer, or picked up already.
    Up,
}

impl Switchboard {
    /// The target set of an open call, or of one closed a short while ago: let go, after a last recording.
    pub fn treatment(&self, id: CallId) -> Option<Treatment> {
        match (self.state.calls.get(&id), self.state.closed.get(&id)) {
            (Some(call), _) => Some(self.open_treatment(id, call)),
            (None, Some(tomb)) => Some(self.release(id, tomb)),
            (None, None) => None,
        }
    }

    /// The target sets of all open calls of a gateway.
    pub fn treatments(&self, gateway: GatewayId) -> Vec<Treatment> {
        self.calls_of(gateway).filter_map(|id| self.treatment(id)).collect()
    }

    fn open_treatment(&self, id: CallId, call: &Call) -> Treatment {
        let (shape, caller) = match call.state() {
            CallState::Waiting => (Shape::Queue, Role::Held),
            CallState::Offered => (Shape::Ring, Role::Held),
            CallState::Connecting | CallState::Connected => (Shape::Connect, Role::Talk),
            CallState::Held => (Shape::Hold, Role::Held),
            CallState::Diverting if self.talks_outside(call) => (Shape::Divert, Role::Talk),
            CallState::Diverting => (Shape::Divert, Role::Held),
        };
        Treatment {
            call: id,
            gateway: call.gateway,
            revision: call.treatment_revision,
            shape,
            hears: self.hears(call),
            caller,
            legs: self.legs(call),
        }
    }

    fn talks_outside(&self, call: &Call) -> bool {
        matches!(call.phase, Phase::Diverting { ringing_until: None, .. })
    }

    fn hears(&self, call: &Call) -> Hears {
        if call.phase != Phase::Queued {
            return Hears::Music;
        }
        let prompts = self.state.promise(call).map(|l| l.prompts).unwrap_or_default();
        let menu = || self.called_line(call)?.prompts.staff_menu;
        if call.closing_until.is_some() {
            prompts.closing.map_or(Hears::Silence, Hears::Prompt)
        } else if self.escapes(call) {
            menu().map_or(Hears::Music, Hears::Menu)
        } else {
            prompts.greeting.map_or(Hears::Music, Hears::Prompt)
        }
    }

    fn legs(&self, call: &Call) -> Vec<Leg> {
        let mut legs = Vec::new();
        match call.phase {
            Phase::Queued => {}
            Phase::Bridged { operator, attempt, held, .. } => {
                let has_leg = self.state.operators.get(&operator).is_none_or(|o| o.device.has_leg());
                let talks =
                    !held || call.consult().is_some_and(|(_, o)| !matches!(o.stage, Stage::Ringing { .. }));
                if has_leg {
                    let role = if talks { Role::Talk } else { Role::Held };
                    let to = LegTo::Operator(operator);
                    legs.push(Leg { attempt, to, role, wish: Wish::Up, press_one: false });
                }
            }
            Phase::Diverting { destination, attempt, ringing_until, .. } => {
                let (role, wish) = match ringing_until {
                    Some(_) => (Role::Held, Wish::Ring),
                    None => (Role::Talk, Wish::Up),
                };
                let to = LegTo::Outside(destination);
                legs.push(Leg { attempt, to, role, wish, press_one: ringing_until.is_some() });
            }
        }
        legs.extend(call.offers.iter().filter_map(|(attempt, offer)| offered_leg(*attempt, offer)));
        legs
    }

    fn release(&self, id: CallId, tomb: &Tombstone) -> Treatment {
        let prompts =
            self.state.plans.get(&tomb.revision).and_then(|p| p.lines.get(&tomb.line)).map(|l| l.prompts);
        let prompts = prompts.unwrap_or_default();
        let last = match tomb.outcome {
            Outcome::Refused(Refusal::Blocked) => prompts.blocked,
            Outcome::Refused(Refusal::Full | Refusal::Draining) => prompts.full,
            Outcome::Refused(Refusal::Closed) => prompts.closed,
            Outcome::Answered { .. }
            | Outcome::AbandonedWaiting
            | Outcome::AbandonedRinging
            | Outcome::AbandonedConnecting
            | Outcome::DivertedOut
            | Outcome::NobodyOnDuty
            | Outcome::Failed { .. } => None,
        };
        Treatment {
            call: id,
            gateway: tomb.gateway,
            revision: tomb.seq,
            shape: Shape::Release,
            hears: last.map_or(Hears::Silence, Hears::Prompt),
            caller: Role::Held,
            legs: Vec::new(),
        }
    }
}

/// The leg an offer wishes: a phone that rings during the offer, or one that is brought up once accepted.
fn offered_leg(attempt: Attempt, offer: &Offer) -> Option<Leg> {
    let accepted = !matches!(offer.stage, Stage::Ringing { .. });
    let wished = offer.device.rings() || (offer.device == Device::AutoAnswer && accepted);
    let talking = offer.stage == Stage::Talking;
    let up = talking || (accepted && offer.device == Device::AutoAnswer);
    wished.then_some(Leg {
        attempt,
        to: LegTo::Operator(offer.operator),
        role: if accepted { Role::Talk } else { Role::Held },
        wish: if up { Wish::Up } else { Wish::Ring },
        press_one: offer.device == Device::Telephone && !accepted,
    })
}
