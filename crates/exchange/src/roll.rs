//! Calls the roll of the routers of a site: says whom this one holds and which formats it reads, hears it of the others,
//! and tells presence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use presence::{HEARTBEAT, HeldElsewhere, Holder};
use session::{FORMAT_OLDEST, Roll, RollEntry, Writer};
use switchboard::id::{DeskId, DeskSession};
use switchboard::time::{SiteTime, Span};
use tokio::time::{Instant, sleep_until, timeout};

use crate::handle::{ExchangeHandle, Shared};

const EVERY: Duration = Duration::from_micros(HEARTBEAT.0);

/// A call that did not work is made again after this.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Whoever has not called for so long has ended, or stands still: three calls.
const GONE_AFTER: Span = Span(3 * HEARTBEAT.0);

/// So long somebody who asks for the roll waits.
const ASKED_WAIT: Duration = Duration::from_secs(5);

/// A router of a site, as it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRouter {
    /// What people call it; as it signs its rows, if it does not say.
    pub name: String,
    /// The newest format it reads.
    pub reads_to: u32,
}

/// The other routers that may live, and whose question that answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct OthersHeard {
    /// So many had asked when the roll was called for it.
    asked: u64,
    routers: Vec<SiteRouter>,
}

/// The roll cannot be called: what other routers there are is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the roll of the routers cannot be called at present")]
pub struct RollUnknown;

impl ExchangeHandle {
    /// The routers of the site that may live, this one first: whoever called within the last calls, and whoever was heard of
    /// for the first time a moment ago. The roll is called for it.
    ///
    /// # Errors
    /// [`RollUnknown`].
    pub async fn routers(&self) -> Result<Vec<SiteRouter>, RollUnknown> {
        let shared = self.shared();
        let mut routers = vec![SiteRouter { name: shared.name.clone(), reads_to: session::newest_format() }];
        let Some(others) = &shared.others else { return Ok(routers) };
        let mut heard = others.subscribe();
        let asked = shared.roll_asked.fetch_add(1, Ordering::AcqRel) + 1;
        shared.links_changed.notify_one();
        let heard = heard.wait_for(|heard| heard.asked >= asked);
        match timeout(ASKED_WAIT, heard).await {
            Ok(Ok(heard)) => routers.extend(heard.routers.iter().cloned()),
            _ => return Err(RollUnknown),
        }
        Ok(routers)
    }
}

pub(crate) struct RollCall {
    shared: Arc<Shared>,
    roll: Arc<dyn Roll>,
    own: RollEntry,
    /// What it says of itself.
    says: String,
    heard: BTreeMap<String, Heard>,
    is_cut_off: bool,
}

/// Another router.
struct Heard {
    beat: u64,
    /// When its beat was last seen to grow: a beat seen for the first time may be that of one long dead.
    grew_at: Option<SiteTime>,
    /// When it grew, or was first seen.
    seen_at: SiteTime,
}

impl RollCall {
    pub(crate) fn new(shared: Arc<Shared>, roll: Arc<dyn Roll>, router: Writer) -> RollCall {
        let says = of_itself(&shared.name);
        let own = RollEntry { router, beat: 0, held: String::new() };
        RollCall { shared, roll, own, says, heard: BTreeMap::new(), is_cut_off: false }
    }

    /// Until the exchange ends.
    pub(crate) async fn run(mut self) {
        let mut head = self.shared.published.watch();
        loop {
            let next = self.call().await;
            // An error means that the sender is gone, and with it the exchange.
            let ended = async { head.wait_for(|head| head.ended).await.map(drop).ok() };
            tokio::select! {
                _ended = ended => return,
                () = self.shared.links_changed.notified() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// Answers when to call next.
    async fn call(&mut self) -> Instant {
        let (shared, began) = (Arc::clone(&self.shared), Instant::now());
        let at = shared.clock.now();
        let asked = shared.roll_asked.load(Ordering::Acquire);
        self.own.beat += 1;
        self.own.held = text(&shared.presence.held(at)) + &self.says;
        let called = timeout(EVERY, self.roll.call(shared.site, &self.own)).await;
        let is_cut_off = match called {
            Ok(Ok(others)) => {
                shared.presence.roll_called(at, &self.hear(at, &others));
                if let Some(heard) = &shared.others {
                    heard.send_replace(OthersHeard { asked, routers: self.living(at, &others) });
                }
                // A lease may have ended with it.
                shared.inbox.ring();
                None
            }
            Ok(Err(fault)) => Some(fault.to_string()),
            Err(_) => Some("it does not answer".to_owned()),
        };
        if let Some(because) = is_cut_off.as_ref().filter(|_| !self.is_cut_off) {
            tracing::warn!(site = %shared.site, because, "other routers are not heard of; nobody is reported lost");
        }
        self.is_cut_off = is_cut_off.is_some();
        if self.is_cut_off { Instant::now() + AGAIN_AFTER } else { self.next(began) }
    }

    /// With the next heartbeat, or when a lease would end before it.
    fn next(&self, began: Instant) -> Instant {
        let beat = began + EVERY;
        let end = self.shared.presence.next_roll().and_then(|end| self.shared.clock.instant(end));
        end.map_or(beat, |end| end.min(beat))
    }

    fn hear(&mut self, at: SiteTime, others: &[RollEntry]) -> Vec<HeldElsewhere> {
        let mut elsewhere = Vec::new();
        for entry in others {
            let first = || Heard { beat: entry.beat, grew_at: None, seen_at: at };
            let heard = self.heard.entry(entry.router.as_str().to_owned()).or_insert_with(first);
            if entry.beat > heard.beat {
                *heard = Heard { beat: entry.beat, grew_at: Some(at), seen_at: at };
            }
            let Some(heard_at) = heard.grew_at else { continue };
            elsewhere.extend(holders(&entry.held).map(|holder| HeldElsewhere { holder, heard_at }));
        }
        self.heard.retain(|router, _| others.iter().any(|entry| entry.router.as_str() == router));
        elsewhere
    }

    /// Those who may live. One that was never heard of before may be one that begins.
    fn living(&self, at: SiteTime, others: &[RollEntry]) -> Vec<SiteRouter> {
        let lives = |entry: &&RollEntry| {
            self.heard.get(entry.router.as_str()).is_none_or(|heard| at <= heard.seen_at + GONE_AFTER)
        };
        others.iter().filter(lives).map(SiteRouter::of).collect()
    }
}

impl SiteRouter {
    /// A release that says nothing of itself reads the oldest format alone.
    fn of(entry: &RollEntry) -> SiteRouter {
        let said = |word: &str| {
            let mut lines = entry.held.lines().map(|line| line.split(' '));
            lines.find_map(|mut words| (words.next() == Some(word)).then(|| words.next_back()).flatten())
        };
        let name = said("router").filter(|name| !name.is_empty()).unwrap_or(entry.router.as_str());
        let reads_to = said("reads").and_then(|newest| newest.parse().ok()).unwrap_or(FORMAT_OLDEST);
        SiteRouter { name: name.to_owned(), reads_to }
    }
}

/// What a router says of itself beside whom it holds: releases that do not know these words pass them over.
fn of_itself(name: &str) -> String {
    format!("router {name}\nreads {FORMAT_OLDEST} {}\n", session::newest_format())
}

fn text(held: &[Holder]) -> String {
    let line = |holder: &Holder| match holder {
        Holder::Desk { operator, desk, session } => format!("desk {operator} {desk} {}\n", session.0),
        Holder::Gateway { gateway, incarnation } => format!("gateway {gateway} {incarnation}\n"),
    };
    held.iter().map(line).collect()
}

/// What another release says besides is not for this one.
fn holders(text: &str) -> impl Iterator<Item = Holder> + '_ {
    text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["desk", operator, desk, session] => Some(Holder::Desk {
                operator: operator.parse().ok()?,
                desk: DeskId(desk.parse().ok()?),
                session: DeskSession(session.parse().ok()?),
            }),
            ["gateway", gateway, incarnation] => Some(Holder::Gateway {
                gateway: gateway.parse().ok()?,
                incarnation: incarnation.parse().ok()?,
            }),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_read_as_it_was_said_and_the_rest_passed_over() {
        let desk = DeskId("018f0000-0000-7000-8000-000000000001".parse().unwrap());
        let held = [
            Holder::Desk { operator: "ana".parse().unwrap(), desk, session: DeskSession(3) },
            Holder::Gateway { gateway: "main-1".parse().unwrap(), incarnation: u64::MAX },
        ];
        let said = format!("{}kiosk 7\ndesk ana no-desk 3\ndesk\n", text(&held));
        assert_eq!(holders(&said).collect::<Vec<_>>(), held);
    }

    #[test]
    fn a_router_says_its_name_and_what_it_reads_and_an_earlier_release_does_not() {
        let entry = |held: String| RollEntry { router: Writer::new("w-1"), beat: 1, held };
        let said = SiteRouter::of(&entry(format!("desk ana\n{}", of_itself("east-2"))));
        assert_eq!(said, SiteRouter { name: "east-2".to_owned(), reads_to: session::FORMAT });
        let silent = SiteRouter { name: "w-1".to_owned(), reads_to: 1 };
        assert_eq!(SiteRouter::of(&entry("gateway main-1 1\n".to_owned())), silent);
        assert_eq!(SiteRouter::of(&entry("router \nreads 1 x\n".to_owned())), silent);
    }
}
