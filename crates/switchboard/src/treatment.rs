//! What the caller should be experiencing at this moment: a target set, pulled from state, level-triggered. A gateway
//! makes it so, whatever it did before; it ignores a smaller revision from any router.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{Attempt, CallId, DestinationId, GatewayId, OperatorId, PromptId, Seq};

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
