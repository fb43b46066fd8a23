//! Ten mistakes to plant, one at a time: the test of the tests. Each is one that somebody really makes. Without the
//! feature `planted-bugs`, which no shipped build has, `is` is constantly false and the compiler leaves no trace.

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A caller whose bridge broke is queued as if only just arrived.
    ForgottenPlace = 1,
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
    /// A call that changes its line leaves its deadline behind.
    DeadlineLost,
    /// Emergencies stand in the order by age alone.
    EmergencyInLine,
}

impl Bug {
    /// All ten.
    pub const ALL: [Bug; 10] = [
        Bug::ForgottenPlace,
        Bug::AnySession,
        Bug::SecondAcceptWins,
        Bug::NoCoolDown,
        Bug::GuardOffByOne,
        Bug::TierSkipped,
        Bug::SilentTreatment,
        Bug::LateAcceptWins,
        Bug::DeadlineLost,
        Bug::EmergencyInLine,
    ];
}

#[cfg(feature = "planted-bugs")]
static PLANTED: core::sync::atomic::AtomicU8 = core::sync::atomic::AtomicU8::new(0);

/// Plants a mistake in every switchboard of this process, in place of the one before; or none.
#[cfg(feature = "planted-bugs")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(0, |bug| bug as u8), core::sync::atomic::Ordering::SeqCst);
}

/// Whether this mistake is planted.
#[cfg(feature = "planted-bugs")]
pub(crate) fn is(bug: Bug) -> bool {
    PLANTED.load(core::sync::atomic::Ordering::SeqCst) == bug as u8
}

/// Whether this mistake is planted: never in this build.
#[cfg(not(feature = "planted-bugs"))]
pub(crate) const fn is(_: Bug) -> bool {
    false
}
