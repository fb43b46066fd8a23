use std::fmt;

/// Why the day could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoFault {
    /// More callers than fit into memory.
    #[error(
        "{calls} callers in a day are more than the demo simulates (1,000,000): give a smaller --calls or --surge, \
         callers of a day are --calls times --surge"
    )]
    TooManyCalls {
        /// How many were asked for.
        calls: u64,
    },
    /// The server did not come up.
    #[error("the service did not start: {why}")]
    NotStarted {
        /// What happened.
        why: String,
    },
    /// The server went away in the middle of the day.
    #[error("the service ended in the middle of the day, which is a fault of the program: {how}")]
    ServerGone {
        /// How it ended.
        how: String,
    },
    /// The server ended again and again.
    #[error(
        "the service was started again {times} times and ended each time before it had answered anything: {how}"
    )]
    GivenUp {
        /// How often.
        times: u32,
        /// How it ended the last time.
        how: String,
    },
    /// The service refused something that it must not refuse, or could not be reached.
    #[error("the service failed at {doing}: {message}")]
    Call {
        /// What was asked.
        doing: &'static str,
        /// What it said.
        message: String,
    },
    /// The service sent something that has no meaning.
    #[error("the service sent {what} that cannot be read: {text:?}")]
    Unreadable {
        /// What.
        what: &'static str,
        /// As it was sent.
        text: String,
    },
    /// A stream did not deliver what it was said to have.
    #[error("{stream} did not deliver message {number} within {seconds} s")]
    Silent {
        /// Which stream.
        stream: String,
        /// Which message.
        number: u64,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Something of this machine failed.
    #[error("{doing}: {source}")]
    Machine {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl DemoFault {
    pub(super) fn call(doing: &'static str) -> impl Fn(&dyn fmt::Display) -> DemoFault {
        move |status| DemoFault::Call { doing, message: status.to_string() }
    }

    pub(super) fn machine(doing: &'static str) -> impl Fn(std::io::Error) -> DemoFault {
        move |source| DemoFault::Machine { doing, source }
    }

    pub(super) fn unreadable(what: &'static str, text: impl Into<String>) -> DemoFault {
        DemoFault::Unreadable { what, text: text.into() }
    }
}
