//! What every way to distribute calls has in common: the steps of a life, and who hears of them.

use std::sync::Arc;

use anyhow::Result;

/// The one line there is.
pub(crate) const LINE: &str = "duty";

/// The steps of a life, each on the disk before it is answered. Answers no if the call is not where the step begins.
#[tonic::async_trait]
pub(crate) trait Distributor: Send + Sync {
    /// A call rings in.
    async fn arrive(&self, call: &str, number: &str) -> Result<bool>;

    /// An operator accepts the call that was offered.
    async fn accept(&self, call: &str, operator: &str) -> Result<bool>;

    /// Both hear each other.
    async fn connect(&self, call: &str) -> Result<bool>;

    /// The caller hangs up.
    async fn end(&self, call: &str) -> Result<bool>;

    /// An operator is free.
    async fn free(&self, operator: &str) -> Result<bool>;
}

/// What has become of a call or an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The call rings in; there is no operator.
    Ringing,
    /// The call is offered to the operator.
    Offered,
    /// The operator has accepted.
    Connecting,
    /// Both hear each other.
    Talking,
    /// The call is over, and the operator has something to write down.
    WrapUp,
    /// The operator is free; there is no call.
    Idle,
}

/// Hears of every step, wherever it was made.
pub(crate) trait Listener: Send + Sync {
    /// One more.
    fn hear(&self, step: Step, call: &str, operator: &str);
}

/// Shared by whoever makes steps.
pub(crate) type Listening = Arc<dyn Listener>;
