//! How much of anything one router lets in. Each limit stands next to its reason.

use std::time::Duration;

/// The limits of a router; [`Limits::default`] is what a hospital needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open connections. Beyond it new ones wait for their turn, so that those inside keep their memory.
    pub connections: usize,
    /// Open requests and streams of one connection: a driver of a whole hospital shares one.
    pub streams_per_connection: u32,
    /// Open streams of one operator: windows of one desk.
    pub operator_streams: usize,
    /// Open streams of one supervisor, administrator or integrator.
    pub office_streams: usize,
    /// Open streams of one wallboard.
    pub wallboard_streams: usize,
    /// Wrong tokens of one peer in a minute, before it is told to wait.
    pub wrong_tokens_per_minute: usize,
    /// Who takes nothing from an open stream for so long, and answers pings, loses the connection.
    pub stuck_reader: Duration,
    /// How long a router that was told to stop waits for what is under way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 10_000,
            streams_per_connection: 1_024,
            operator_streams: 4,
            office_streams: 8,
            wallboard_streams: 2,
            wrong_tokens_per_minute: 10,
            stuck_reader: Duration::from_secs(30),
            drain: Duration::from_secs(5),
        }
    }
}
