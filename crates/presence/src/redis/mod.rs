//! Presence shown in Redis: leases and who is free, for other programs and other languages, and hints between routers
//! about how far a journal is. docs/redis.md says what stands there.
//!
//! Redis is nobody's truth. Everything a [`RedisPresence`] answers, it answers from its own [`Tracker`]; nothing is
//! read back from Redis but hints, and a hint only makes somebody read the journal. Connections are made when they can
//! be made, by tasks of their own: nobody waits for Redis, at the start or later.

mod address;
mod board;
mod contact;
mod fault;
mod hearing;
mod line;
mod writing;

use std::sync::Arc;

use switchboard::command::Command;
use switchboard::id::{Seq, SiteId};
use switchboard::time::SiteTime;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub use self::address::RedisAddress;
pub use self::contact::{Contact, RedisHealth};
pub use self::fault::RedisFault;
pub use self::line::{RedisFound, look_at_redis};

use self::board::Board;
use self::contact::HealthSign;
use crate::{Fenced, FreeOperators, HeldElsewhere, Holder, Presence, StreamId, Tracker};

/// What the tasks and the sites' presences share.
pub(crate) struct Shared {
    address: RedisAddress,
    router: String,
    /// In the order in which they came.
    sites: watch::Sender<Vec<Arc<Board>>>,
    wake: Notify,
    health: HealthSign,
}

impl Shared {
    fn boards(&self) -> Vec<Arc<Board>> {
        self.sites.borrow().clone()
    }
}

/// A process's connections to Redis: one that writes for all its sites, and one that hears hints. Dropping it ends both;
/// what it showed ends by itself.
pub struct Redis {
    shared: Arc<Shared>,
    tasks: [JoinHandle<()>; 2],
}

impl Redis {
    /// Begins to connect, on tasks of the present tokio runtime, and returns at once. The router's name tells other
    /// programs who shows what; another one at each start.
    pub fn start(address: RedisAddress, router: &str) -> Redis {
        let shared = Arc::new(Shared {
            address,
            router: router.to_owned(),
            sites: watch::Sender::default(),
            wake: Notify::new(),
            health: HealthSign::new(),
        });
        let writing = tokio::spawn(writing::write(Arc::clone(&shared)));
        let hearing = tokio::spawn(hearing::hear(Arc::clone(&shared)));
        Redis { shared, tasks: [writing, hearing] }
    }

    /// A site's presence, shown from here on. A site that is begun again takes the former one's place.
    pub fn presence(&self, site: SiteId, tracker: Tracker) -> RedisPresence {
        let board = Arc::new(Board::new(site, tracker));
        self.shared.sites.send_modify(|sites| match sites.iter_mut().find(|known| known.site == site) {
            Some(known) => *known = Arc::clone(&board),
            None => sites.push(Arc::clone(&board)),
        });
        self.shared.wake.notify_one();
        RedisPresence { shared: Arc::clone(&self.shared), board }
    }

    /// How it stands with Redis, at present and whenever a connection comes or goes.
    pub fn health(&self) -> watch::Receiver<RedisHealth> {
        self.shared.health.watch()
    }

    /// Where it is, without user and password.
    pub fn address(&self) -> &RedisAddress {
        &self.shared.address
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// One site's presence, shown in Redis.
pub struct RedisPresence {
    shared: Arc<Shared>,
    board: Arc<Board>,
}

impl RedisPresence {
    fn changed(&self) {
        self.board.change();
        self.shared.wake.notify_one();
    }
}

impl Drop for RedisPresence {
    fn drop(&mut self) {
        self.board.end();
        self.shared.wake.notify_one();
    }
}

impl Presence for RedisPresence {
    fn resume(&self, at: SiteTime, linked: &[Holder]) {
        self.board.pass(at);
        self.board.tracker.resume(at, linked);
    }

    fn attached(&self, at: SiteTime, holder: Holder) {
        self.board.pass(at);
        self.board.tracker.attached(at, holder);
        self.changed();
    }

    fn attached_elsewhere(&self, at: SiteTime, holder: Holder) {
        self.board.pass(at);
        self.board.tracker.attached_elsewhere(at, holder);
        self.changed();
    }

    fn open(&self, at: SiteTime, holder: Holder) -> Result<StreamId, Fenced> {
        self.board.pass(at);
        let opened = self.board.tracker.open(at, holder);
        self.changed();
        opened
    }

    /// Shown with the next heartbeat of this router.
    fn renew(&self, at: SiteTime, holder: Holder) -> Result<(), Fenced> {
        self.board.pass(at);
        self.board.tracker.renew(at, holder)
    }

    fn close(&self, at: SiteTime, holder: Holder, stream: StreamId) {
        self.board.pass(at);
        self.board.tracker.close(at, holder, stream);
        self.changed();
    }

    fn held(&self, at: SiteTime) -> Vec<Holder> {
        self.board.tracker.held(at)
    }

    fn next_roll(&self) -> Option<SiteTime> {
        self.board.tracker.next_roll()
    }

    fn roll_called(&self, at: SiteTime, elsewhere: &[HeldElsewhere]) {
        self.board.pass(at);
        self.board.tracker.roll_called(at, elsewhere);
    }

    fn next_end(&self) -> Option<SiteTime> {
        self.board.tracker.next_end()
    }

    fn take_ended(&self, at: SiteTime) -> Vec<Holder> {
        self.board.pass(at);
        let ended = self.board.tracker.take_ended(at);
        if !ended.is_empty() {
            self.changed();
        }
        ended
    }

    fn is_linked_again(&self, report: &Command) -> bool {
        self.board.tracker.is_linked_again(report)
    }

    fn show_free(&self, free: FreeOperators) {
        self.board.tracker.show_free(free);
        self.changed();
    }

    fn free(&self) -> FreeOperators {
        self.board.tracker.free()
    }

    fn announce(&self, seq: Seq) {
        self.board.announce(seq);
        self.shared.wake.notify_one();
    }

    /// After a connection came back nobody knows which hints were missed.
    fn hints(&self) -> Option<watch::Receiver<Seq>> {
        Some(self.board.hint.subscribe())
    }
}
