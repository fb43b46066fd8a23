//! Giving way. An append under way makes everybody else's lose, and whoever lost has further to go than whoever won: to
//! read what came, and to decide again. So a router that always has something to append keeps all others out for as long
//! as it is busy. Whoever lost again says so, and whoever appends sees that and lets it go first.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::planted::Mistake;
use crate::run::Runner;

/// So many appends lost in a row are chance.
const LOST_BY_CHANCE: u32 = 1;

/// Between two looks whether somebody has gone first.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Whoever says that it waits and has not gone by then may stand still.
const GIVEN_FOR: Duration = Duration::from_millis(100);

/// Way is not given again for so long after nobody took it: whoever stands still costs others a tenth of their time.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(1);

/// What an exchange knows of its turns.
#[derive(Debug, Default)]
pub(crate) struct Way {
    /// Appends lost since the last that was stored.
    lost: u32,
    /// The others are told that this one waits.
    is_waiting: bool,
    /// Nobody is waited for until then.
    not_before: Option<Instant>,
}

impl Way {
    /// An append was stored.
    pub(crate) fn went(&mut self) {
        self.lost = 0;
    }
}

impl Runner {
    /// An append was lost: the others are told, unless it is the first.
    pub(crate) async fn came_second(&mut self) {
        self.way.lost += 1;
        if self.way.lost > LOST_BY_CHANCE {
            // Each time: it may have been said over a connection that is gone.
            self.way.is_waiting = true;
            self.journal.wait_for_turn(self.shared.site, &self.writer, true).await;
        }
    }

    /// Tells the others when this one does not wait any more: it went, or has nothing left to append. Only with nothing
    /// under way.
    pub(crate) async fn wait_no_longer(&mut self) {
        if self.way.is_waiting && (self.way.lost == 0 || self.building.is_empty()) {
            self.way = Way { not_before: self.way.not_before, ..Way::default() };
            self.journal.wait_for_turn(self.shared.site, &self.writer, false).await;
        }
    }

    /// Somebody else waits: lets it go first, for a moment. What was decided meanwhile is decided again behind it. Only
    /// with nothing under way.
    pub(crate) async fn give_way(&mut self) {
        let now = Instant::now();
        if self.way.not_before.is_some_and(|until| now < until) || self.planted.is(Mistake::GoesFirst) {
            return;
        }
        let asks = std::mem::take(&mut self.building).into_asks();
        let has_hours = self.ask_again(asks);
        let end = self.shared.published.cursor().seq;
        let site = self.shared.site;
        while !self.degraded && self.shared.published.cursor().seq == end {
            if now.elapsed() >= GIVEN_FOR {
                self.way.not_before = Some(Instant::now() + NOT_AGAIN_FOR);
                break;
            }
            sleep(LOOK_EVERY).await;
            let is_awaited = self.journal.is_awaited(site, &self.writer).await;
            self.catch_up().await;
            if !is_awaited {
                break;
            }
        }
        self.lay_again(has_hours);
    }
}
