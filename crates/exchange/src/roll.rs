//! Calls the roll of the routers of a site: says whom this one holds, hears whom the others hold, and tells presence.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use presence::{HEARTBEAT, HeldElsewhere, Holder};
use session::{Roll, RollEntry, Writer};
use switchboard::id::{DeskId, DeskSession};
use switchboard::time::SiteTime;
use tokio::time::{Instant, sleep_until, timeout};

use crate::handle::Shared;

const EVERY: Duration = Duration::from_micros(HEARTBEAT.0);

/// A call that did not work is made again after this.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

pub(crate) struct RollCall {
    shared: Arc<Shared>,
    roll: Arc<dyn Roll>,
    own: RollEntry,
    heard: BTreeMap<String, Heard>,
    is_cut_off: bool,
}

/// Another router.
struct Heard {
    beat: u64,
    /// When its beat was last seen to grow: a beat seen for the first time may be that of one long dead.
    grew_at: Option<SiteTime>,
}

impl RollCall {
    pub(crate) fn new(shared: Arc<Shared>, roll: Arc<dyn Roll>, router: Writer) -> RollCall {
        let own = RollEntry { router, beat: 0, held: String::new() };
        RollCall { shared, roll, own, heard: BTreeMap::new(), is_cut_off: false }
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
        self.own.beat += 1;
        self.own.held = text(&shared.presence.held(at));
        let called = timeout(EVERY, self.roll.call(shared.site, &self.own)).await;
        let is_cut_off = match called {
            Ok(Ok(others)) => {
                shared.presence.roll_called(at, &self.hear(at, &others));
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
            let first = || Heard { beat: entry.beat, grew_at: None };
            let heard = self.heard.entry(entry.router.as_str().to_owned()).or_insert_with(first);
            if entry.beat > heard.beat {
                *heard = Heard { beat: entry.beat, grew_at: Some(at) };
            }
            let Some(heard_at) = heard.grew_at else { continue };
            elsewhere.extend(holders(&entry.held).map(|holder| HeldElsewhere { holder, heard_at }));
        }
        self.heard.retain(|router, _| others.iter().any(|entry| entry.router.as_str() == router));
        elsewhere
    }
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
}
