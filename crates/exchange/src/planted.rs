//! Deliberate mistakes, for the tests of the tests. Outside of this crate's own tests there are none.

/// A mistake that one of the tests must catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Answers before the append.
    AnswerBeforeAppend,
    /// Lets everybody read a decision before the append.
    PublishBeforeAppend,
    /// Answers a refusal before the append it stands on.
    RefuseBeforeAppend,
    /// Takes a lost append for a stored one.
    LostIsStored,
    /// Never decides again what was in a lost append.
    ForgetTheLost,
    /// Panics on one kind of command.
    Panic,
}

/// The mistake that is planted, if one is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Planted {
    #[cfg(test)]
    pub(crate) mistake: Option<Mistake>,
}

impl Planted {
    /// Whether this one is.
    #[cfg(test)]
    pub(crate) fn is(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Never.
    #[cfg(not(test))]
    pub(crate) fn is(self, _mistake: Mistake) -> bool {
        false
    }
}
