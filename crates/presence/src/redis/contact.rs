//! Whether Redis is there, for those who look after it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::fault::RedisFault;

/// Whether one of the two connections is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// It was not tried yet.
    NotYet,
    /// It is.
    Up {
        /// Since when.
        since: Instant,
    },
    /// It is not, and is tried again and again.
    Down {
        /// Since when.
        since: Instant,
        /// What it met last.
        fault: RedisFault,
    },
}

impl Contact {
    /// Whether it is there.
    pub fn is_up(&self) -> bool {
        matches!(self, Contact::Up { .. })
    }
}

/// How it stands with Redis. Nothing about a call or a connected desk depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisHealth {
    /// The connection over which leases, who is free, and hints are written.
    pub writing: Contact,
    /// The connection over which hints of other routers come.
    pub hearing: Contact,
    /// Faults met since the start.
    pub faults: u64,
    /// When something was written last.
    pub written_at: Option<Instant>,
    /// How long it took to answer, when that was measured last: with every heartbeat of this router.
    pub round_trip: Option<Duration>,
}

/// Which of the two connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Writing,
    Hearing,
}

/// What is told of both.
pub(crate) struct HealthSign(watch::Sender<RedisHealth>);

impl HealthSign {
    pub(crate) fn new() -> HealthSign {
        HealthSign(watch::Sender::new(RedisHealth {
            writing: Contact::NotYet,
            hearing: Contact::NotYet,
            faults: 0,
            written_at: None,
            round_trip: None,
        }))
    }

    pub(crate) fn watch(&self) -> watch::Receiver<RedisHealth> {
        self.0.subscribe()
    }

    /// It works. Says whether that is news.
    pub(crate) fn works(&self, way: Way) -> bool {
        let now = Instant::now();
        self.0.send_if_modified(|health| {
            if way == Way::Writing {
                health.written_at = Some(now);
            }
            let contact = health.contact(way);
            let is_news = !contact.is_up();
            if is_news {
                *contact = Contact::Up { since: now };
            }
            is_news
        })
    }

    /// It took so long to answer. That is no news.
    pub(crate) fn answered(&self, round_trip: Duration) {
        self.0.send_if_modified(|health| {
            health.round_trip = Some(round_trip);
            false
        });
    }

    /// It failed. Says whether that is news.
    pub(crate) fn fails(&self, way: Way, fault: RedisFault) -> bool {
        let mut is_news = false;
        self.0.send_modify(|health| {
            health.faults += 1;
            let contact = health.contact(way);
            is_news = !matches!(contact, Contact::Down { fault: before, .. } if *before == fault);
            let since = match contact {
                Contact::Down { since, .. } => *since,
                Contact::NotYet | Contact::Up { .. } => Instant::now(),
            };
            *contact = Contact::Down { since, fault };
        });
        is_news
    }
}

impl RedisHealth {
    /// Whether what is shown is seen, and hints come.
    pub fn is_well(&self) -> bool {
        self.writing.is_up() && self.hearing.is_up()
    }

    fn contact(&mut self, way: Way) -> &mut Contact {
        match way {
            Way::Writing => &mut self.writing,
            Way::Hearing => &mut self.hearing,
        }
    }
}
