//! Ten mistakes to plant, one at a time: the test of the tests. Each is one that somebody really makes. Without the
//! feature `planted-bugs`, which no shipped build has, `State::suffers` is constantly false and the compiler leaves no
//! trace.

use crate::state::State;
#[cfg(feature = "planted-bugs")]
use crate::switchboard::Switchboard;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A caller whose bridge broke is queued as if only just arrived.
    ForgottenPlace,
    /// An accept is taken from any session, also one that another desk took over.
    AnySession,
    /// Of two who accept the same call, the second is let through, too.
    SecondAcceptWins,
    /// A ring-no-answer is not followed by a cool-down.
    NoCoolDown,
    /// A lending line keeps one idle operator fewer than its guard says.
    GuardOffByOne,
    /// The ladder is climbed from its top.
    TierSkipped,
    /// What a caller should experience changes, and its revision does not.
    SilentTreatment,
    /// An accept that came after the ring had ended gets the call.
    LateAcceptWins,
    /// A call that changes its line loses its deadline.
    DeadlineLost,
    /// Emergencies stand in the order by age alone.
    EmergencyInLine,
}

#[cfg(feature = "planted-bugs")]
impl Switchboard {
    /// Plants a mistake in this switchboard, in place of the one before; or none.
    pub fn plant(&mut self, bug: Option<Bug>) {
        self.state.planted = bug;
    }
}

impl State {
    /// Whether this mistake is planted.
    #[cfg(feature = "planted-bugs")]
    pub(crate) fn suffers(&self, bug: Bug) -> bool {
        self.planted == Some(bug)
    }

    /// Whether this mistake is planted: never in this build.
    #[cfg(not(feature = "planted-bugs"))]
    pub(crate) const fn suffers(&self, _: Bug) -> bool {
        false
    }
}
