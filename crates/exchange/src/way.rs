//! Giving way. An append under way makes everybody else's lose, and whoever lost has further to go than whoever won: to
//! read what came, and to decide again. So a router that always has something to append keeps all others out for as long
//! as it is busy. Whoever lost again says so, and whoever appends sees that and lets it go first.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::planted::Mistake;
use crate::readiness::COMMIT_OVERDUE_AFTER;
use crate::run::Runner;

/// So many appends lost in a row are chance.
const LOST_BY_CHANCE: u32 = 1;

/// Between two looks whether somebody has gone first.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Whoever says that it waits and has not gone by then may stand still. Of three, one may go again and again while another
/// stands: so it is the time that counts for which somebody waited.
const GIVEN_FOR: Duration = Duration::from_millis(100);

/// Then way is not given for so long: whoever stands still costs others a sixth of their time.
const NOT_AGAIN_FOR: Duration = Duration::from_millis(500);

/// What an exchange knows of its turns.
#[derive(Debug, Default)]
pub(crate) struct Way {
    /// Appends lost since the last that was stored.
    lost: u32,
    /// The others are told that this one waits.
    is_waiting: bool,
    /// For how long way was given since nobody waited last.
    given: Duration,
    /// Nobody is waited for until then.
    not_before: Option<Instant>,
}

impl Way {
    /// An append was stored; somebody else waits, or nobody does.
    pub(crate) fn went(&mut self, is_awaited: bool) {
        self.lost = 0;
        if !is_awaited {
            self.given = Duration::ZERO;
        }
    }

    fn gave(&mut self, given: Duration) {
        self.given += given;
        if self.given >= GIVEN_FOR {
            self.given = Duration::ZERO;
            self.not_before = Some(Instant::now() + NOT_AGAIN_FOR);
        }
    }

    fn is_given(&self) -> bool {
        self.not_before.is_none_or(|until| Instant::now() >= until)
    }
}

impl Runner {
    /// An append was lost: the others are told, unless it is the first.
    pub(crate) async fn came_second(&mut self) {
        self.way.lost += 1;
        if self.way.lost > LOST_BY_CHANCE {
            self.way.is_waiting = true;
            // Each time: it may have been said over a connection that is gone.
            self.say_waiting(true).await;
        }
    }

    /// Tells the others when this one does not wait any more: it went, or has nothing left to append. Only with nothing
    /// under way.
    pub(crate) async fn wait_no_longer(&mut self) {
        if self.building.is_empty() {
            self.way.lost = 0;
        }
        if self.way.is_waiting && self.way.lost == 0 {
            self.way.is_waiting = !self.say_waiting(false).await;
        }
    }

    /// Whether it was said in time.
    async fn say_waiting(&mut self, waits: bool) -> bool {
        let said = self.journal.wait_for_turn(self.shared.site, &self.writer, waits);
        timeout(COMMIT_OVERDUE_AFTER, said).await.is_ok()
    }

    /// Somebody else waits: lets it go first, for a moment. What was decided meanwhile is decided again behind it. Only
    /// with nothing under way.
    pub(crate) async fn give_way(&mut self) {
        self.wait_no_longer().await;
        if !self.way.is_given() || self.planted.is(Mistake::GoesFirst) {
            return;
        }
        let (began, end) = (Instant::now(), self.shared.published.cursor().seq);
        let batch = std::mem::take(&mut self.building);
        let is_drafted = !batch.is_empty();
        let has_hours = self.ask_again(batch.into_asks());
        if is_drafted {
            self.draft_afresh();
        }
        loop {
            sleep(LOOK_EVERY).await;
            let look = self.journal.is_awaited(self.shared.site, &self.writer);
            let is_awaited = timeout(COMMIT_OVERDUE_AFTER, look).await.unwrap_or(false);
            self.catch_up().await;
            if !is_awaited {
                break;
            }
            let went = self.shared.published.cursor().seq != end;
            if went || self.degraded || began.elapsed() >= GIVEN_FOR {
                self.way.gave(began.elapsed());
                break;
            }
        }
        self.come_behind(has_hours);
    }
}
