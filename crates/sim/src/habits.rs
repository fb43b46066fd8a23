//! How people and equipment behave, as chances out of a thousand and mean times.

use switchboard::time::Span;

/// The habits of one hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// How long a conversation takes, on average.
    pub talk: Span,
    /// How long a caller waits before hanging up, on average.
    pub patience: Span,
    /// Callers who hang up unheard and ring in again.
    pub redials: u32,
    /// How long after, on average.
    pub redials_after: Span,
    /// Callers of an emergency line who belong to the hospital.
    pub staff_on_emergency: u32,
    /// Callers of any other line who belong to the hospital.
    pub staff: u32,
    /// Staff callers who say that it is about a patient.
    pub escapes: u32,
    /// Callers whom an operator has to block.
    pub abusive: u32,
    /// Callers who choose a dialect by key.
    pub dialect: u32,
    /// Offers that ring out.
    pub misses: u32,
    /// Offers declined.
    pub declines: u32,
    /// Offers missed that the operator still accepts, too late.
    pub late_accepts: u32,
    /// Offers that a desk never shows.
    pub frozen: u32,
    /// How long an operator takes to answer beyond the first second, on average.
    pub answers_after: Span,
    /// Legs that fail before they are up.
    pub broken_legs: u32,
    /// Bridges that break.
    pub broken_bridges: u32,
    /// Conversations in which the caller holds for a while.
    pub holds: u32,
    /// Conversations in which a colleague is asked.
    pub consults: u32,
    /// Conversations handed on without a word.
    pub transfers: u32,
    /// Conversations that the operator ends.
    pub operator_ends: u32,
    /// Wrap-ups ended early.
    pub early_wrap_ups: u32,
    /// Outside numbers that are taken with key 1.
    pub outside_takes: u32,
    /// Of those who pick up where a key is asked for, machines: they never press one.
    pub machines: u32,
    /// Between two lost links of one desk, on average.
    pub vanishes_every: Span,
    /// Between two pauses of one operator, on average.
    pub pauses_every: Span,
    /// How long a pause is, at most.
    pub pause_max: Span,
    /// Between two calls of an operator's phone that are not the hotline's, on average.
    pub outside_calls_every: Span,
}

impl Habits {
    /// A usual day.
    pub const USUAL: Habits = Habits {
        talk: Span::secs(100),
        patience: Span::secs(180),
        redials: 550,
        redials_after: Span::secs(150),
        staff_on_emergency: 150,
        staff: 20,
        escapes: 250,
        abusive: 5,
        dialect: 80,
        misses: 35,
        declines: 15,
        late_accepts: 200,
        frozen: 3,
        answers_after: Span::secs(2),
        broken_legs: 3,
        broken_bridges: 2,
        holds: 50,
        consults: 20,
        transfers: 25,
        operator_ends: 300,
        early_wrap_ups: 650,
        outside_takes: 700,
        machines: 30,
        vanishes_every: Span::secs(4 * 3_600),
        pauses_every: Span::secs(2 * 3_600),
        pause_max: Span::secs(900),
        outside_calls_every: Span::secs(3 * 3_600),
    };

    /// A day on which much goes wrong, and fast.
    pub const ROUGH: Habits = Habits {
        talk: Span::secs(40),
        patience: Span::secs(60),
        redials_after: Span::secs(30),
        staff_on_emergency: 300,
        staff: 150,
        escapes: 500,
        abusive: 60,
        dialect: 250,
        misses: 150,
        declines: 100,
        late_accepts: 500,
        frozen: 60,
        broken_legs: 80,
        broken_bridges: 60,
        holds: 150,
        consults: 150,
        transfers: 150,
        outside_takes: 500,
        vanishes_every: Span::secs(200),
        pauses_every: Span::secs(200),
        pause_max: Span::secs(80),
        outside_calls_every: Span::secs(500),
        ..Habits::USUAL
    };

    /// Nothing goes wrong any more, and everybody answers: what liveness is promised under.
    #[must_use]
    pub fn calmed(self) -> Habits {
        Habits {
            redials: 0,
            misses: 0,
            declines: 0,
            frozen: 0,
            broken_legs: 0,
            broken_bridges: 0,
            machines: 0,
            holds: 0,
            consults: 0,
            transfers: 0,
            abusive: 0,
            operator_ends: 500,
            patience: Span(u64::MAX),
            vanishes_every: Span(u64::MAX),
            pauses_every: Span(u64::MAX),
            outside_calls_every: Span(u64::MAX),
            ..self
        }
    }
}
