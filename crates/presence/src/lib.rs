//! Who can be reached right now: one soft lease per desk and per gateway of a site. A lease that ends is reported,
//! and the exchange hands the report to the switchboard, which alone decides what it means.
//!
//! Not here: duty and work of operators, offers, anything durable (all the switchboard's); streams themselves
//! (crate `routing`); a clock (every call brings the site's time). A [`Presence`] answers at once, from what it was
//! told: [`RedisPresence`] shows leases and who is free to other programs and learns nothing from them.

mod free;
mod leases;
mod redis;
mod tracker;

use switchboard::command::Command;
use switchboard::id::{DeskId, DeskSession, GatewayId, OperatorId, Seq};
use switchboard::time::{SiteTime, Span};
use tokio::sync::watch;

pub use self::redis::{
    Contact, Redis, RedisAddress, RedisFault, RedisFound, RedisHealth, RedisPresence, look_at_redis,
};
pub use free::{FreeOperators, Reach};
pub use tracker::{Renewal, Tracker};

/// How often a desk should say that it is there.
pub const HEARTBEAT: Span = Span::secs(5);

/// A desk that was silent for this long is reported: three heartbeats, so that one lost packet is nothing.
pub const DESK_LEASE: Span = Span::secs(15);

/// A gateway without a stream for this long is reported, and its calls are given up: long enough for it to restart
/// its connection several times, short enough that operators do not sit in front of dead calls.
pub const GATEWAY_LEASE: Span = Span::secs(30);

/// A router that heard nothing of the others for longer than two heartbeats was cut off, or stopped.
pub const ROLL_FRESH: Span = Span::secs(10);

/// A desk whose last stream at one of several routers ended is reported after this: time enough for the router at
/// which it opened another to say so.
pub const HAND_OVER: Span = Span::secs(1);

/// Who holds a lease, and in which life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// An operator's desk, in the session the switchboard gave it.
    Desk {
        /// Whose.
        operator: OperatorId,
        /// Which installation.
        desk: DeskId,
        /// Fences out those before.
        session: DeskSession,
    },
    /// A gateway.
    Gateway {
        /// Which.
        gateway: GatewayId,
        /// Fences out those before.
        incarnation: u64,
    },
}

impl Holder {
    /// What the switchboard is told when this holder's lease has ended.
    pub fn report(&self) -> Command {
        match *self {
            Holder::Desk { operator, session, .. } => Command::DropDesk { operator, session },
            Holder::Gateway { gateway, incarnation } => Command::LoseGateway { gateway, incarnation },
        }
    }
}

/// One open stream of a holder. A desk in two windows has two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// What another router holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldElsewhere {
    /// Whose stream ends there.
    pub holder: Holder,
    /// When that router was last heard of.
    pub heard_at: SiteTime,
}

/// The holder has no lease: it ended, or another session or incarnation took over. It has to attach again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this desk or gateway is not attached any more; attach again")]
pub struct Fenced;

/// The tracker of one site's links.
pub trait Presence: Send + Sync {
    /// The journal says who was linked when this exchange began. A router that is alone ends the leases of desks at
    /// once, because their streams ended with its former life, and gateways have a whole lease to come back; among
    /// others everybody has one.
    fn resume(&self, at: SiteTime, linked: &[Holder]);

    /// The journal says that a holder is attached. Its lease begins before there is a stream, and whoever had the
    /// lease has it no more, whatever its session or incarnation: which life is the present one is not for a tracker
    /// to say.
    fn attached(&self, at: SiteTime, holder: Holder);

    /// The journal says that another router attached a holder. A tracker that is alone hears it of nobody.
    fn attached_elsewhere(&self, at: SiteTime, holder: Holder);

    /// A stream opened.
    ///
    /// # Errors
    /// [`Fenced`].
    fn open(&self, at: SiteTime, holder: Holder) -> Result<StreamId, Fenced>;

    /// A heartbeat.
    ///
    /// # Errors
    /// [`Fenced`].
    fn renew(&self, at: SiteTime, holder: Holder) -> Result<(), Fenced>;

    /// A stream ended. A desk's last one ends the lease, after [`HAND_OVER`] among several routers; a gateway's last
    /// one starts its end.
    fn close(&self, at: SiteTime, holder: Holder, stream: StreamId);

    /// Who was heard of at this router and has not fallen silent: what it tells the others.
    fn held(&self, at: SiteTime) -> Vec<Holder>;

    /// When the roll has to be called next, so that a lease may end. Never for a tracker that is alone.
    fn next_roll(&self) -> Option<SiteTime>;

    /// The routers of the site called their roll, at this time or a little later: what each of the others holds. A
    /// holder of theirs has a lease from when that router was last heard of. Whoever is one of several ends a lease only
    /// if a roll was called at its end or later; and after [`ROLL_FRESH`] without one everybody has a whole lease again,
    /// because whoever was cut off knows nothing about others. Means nothing to a tracker that is alone.
    fn roll_called(&self, at: SiteTime, elsewhere: &[HeldElsewhere]);

    /// When the next lease ends that this tracker may end.
    fn next_end(&self) -> Option<SiteTime>;

    /// Takes out the leases that have ended by `at`, in the order of their ends.
    fn take_ended(&self, at: SiteTime) -> Vec<Holder>;

    /// Whether the holder of this report has a lease again: it was attached after it was taken out.
    fn is_linked_again(&self, report: &Command) -> bool;

    /// Shows who is free. What is older than what is shown already changes nothing.
    fn show_free(&self, free: FreeOperators);

    /// Who was shown to be free last.
    fn free(&self) -> FreeOperators;

    /// Tells other routers that this site's journal is at this decision, where there is a way to. Called after an append.
    fn announce(&self, _seq: Seq) {}

    /// How far another router last said that this site's journal is: a reason to read its tail, and nothing else. Hints
    /// may be missing, late or wrong. None where none ever come.
    fn hints(&self) -> Option<watch::Receiver<Seq>> {
        None
    }
}
