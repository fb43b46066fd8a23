//! What systemd is told, if it started this server and asks: that it serves, that it lives, that it ends.
//!
//! Whoever does not say that it lives is killed and started again, so only what a new start may mend keeps it silent: a
//! process in which nothing goes on, a journal of its own that cannot be read. A database that is away, a site that takes no
//! decisions until somebody has looked, and a disk that is full or slow are told in words; a new start would mend none of
//! them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use exchange::{ExchangeHandle, Pulse, Readiness};
use routing::Router;
use sd_notify::{NotifyState, notify, watchdog_enabled};
use session::{Journal, JournalFault};
use switchboard::id::SiteId;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// A systemd that takes nothing holds nobody up for longer.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// What is looked at before systemd hears that the server lives.
pub(super) struct Watched {
    pub(super) journal: Arc<dyn Journal>,
    /// Whose journal is read.
    pub(super) site: SiteId,
    /// It is in a database: its silence says nothing about this process.
    pub(super) is_elsewhere: bool,
}

/// How the server is.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Everything answers.
    Well,
    /// It lives, and something else is the matter.
    Waiting(String),
    /// Only a new start can mend it.
    Stuck(String),
}

/// The server serves: whoever waited for its start may go on.
pub(super) async fn serves(site: SiteId, addresses: &[SocketAddr]) {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    tell(&[NotifyState::Ready], Some(format!("serving {site} at {}", addresses.join(" ")))).await;
}

/// The server ends as it was told to.
pub(super) async fn ends() {
    tell(&[NotifyState::Stopping], Some("ending: what is under way is finished".to_owned())).await;
}

/// Says that the server lives, twice in the time that systemd allows for it, as long as it does.
pub(super) async fn lives(router: &Router, watched: &Watched) -> Infallible {
    let Some(allowed) = watchdog_enabled() else { return pending().await };
    let mut ticks = interval(allowed / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut before, mut last) = (BTreeMap::new(), None);
    loop {
        ticks.tick().await;
        let exchanges = router.exchanges();
        let pulses: BTreeMap<SiteId, Pulse> =
            exchanges.iter().map(|exchange| (exchange.site(), exchange.pulse())).collect();
        let found = match turning(&pulses, &before) {
            Found::Stuck(why) => Found::Stuck(why),
            turns => worse(turns, watched.look(allowed / 4).await),
        };
        before = pulses;
        let (words, status): (&[_], _) = match &found {
            Found::Well => (&[NotifyState::Watchdog], ready(&exchanges)),
            Found::Waiting(why) => (&[NotifyState::Watchdog], format!("serving, but {why}")),
            Found::Stuck(why) => (&[], format!("not well: {why}")),
        };
        if let Found::Stuck(why) = &found
            && last.as_ref() != Some(&found)
        {
            tracing::error!(why, "systemd is not told that this server lives");
        }
        tell(words, Some(status)).await;
        last = Some(found);
    }
}

impl Watched {
    /// Reads the journal's head.
    async fn look(&self, patience: Duration) -> Found {
        match timeout(patience, self.journal.head(self.site)).await {
            Ok(answer) => judged(answer.map(drop), self.is_elsewhere),
            Err(_) if self.is_elsewhere => Found::Waiting("the database does not answer".to_owned()),
            Err(_) => Found::Stuck("the journal does not answer".to_owned()),
        }
    }
}

fn judged(answer: Result<(), JournalFault>, is_elsewhere: bool) -> Found {
    match answer {
        Ok(()) => Found::Well,
        Err(fault @ JournalFault::RestartNeeded(_)) => Found::Stuck(fault.to_string()),
        // A server that starts would refuse it; one that runs still shows what it knows.
        Err(fault @ JournalFault::Damaged(_)) => Found::Waiting(fault.to_string()),
        Err(fault) if is_elsewhere => Found::Waiting(fault.to_string()),
        Err(fault) => Found::Stuck(fault.to_string()),
    }
}

/// One site that stands still is told; as long as another goes on, its hospital is not cut off.
fn turning(pulses: &BTreeMap<SiteId, Pulse>, before: &BTreeMap<SiteId, Pulse>) -> Found {
    let stands =
        |(site, pulse): &(&SiteId, &Pulse)| before.get(*site).is_some_and(|it| pulse.stands_still_since(*it));
    let still: Vec<String> = pulses.iter().filter(stands).map(|(site, _)| site.to_string()).collect();
    let why = format!("in the middle of one decision since the last look: {}", still.join(", "));
    match still.len() {
        0 => Found::Well,
        all if all == pulses.len() => Found::Stuck(why),
        _ => Found::Waiting(why),
    }
}

fn worse(one: Found, other: Found) -> Found {
    match (one, other) {
        (stuck @ Found::Stuck(_), _) | (_, stuck @ Found::Stuck(_)) => stuck,
        (Found::Well, other) => other,
        (waiting, _) => waiting,
    }
}

fn ready(exchanges: &[ExchangeHandle]) -> String {
    let is_ready = |exchange: &&ExchangeHandle| *exchange.readiness().borrow() == Readiness::Ready;
    format!("serving; {} of {} sites ready", exchanges.iter().filter(is_ready).count(), exchanges.len())
}

/// Tells systemd, if it asked to be told: one word after the other.
async fn tell(words: &[NotifyState<'static>], status: Option<String>) {
    static TURN: Semaphore = Semaphore::const_new(1);
    // An earlier word that is not taken is not followed by more.
    let Ok(Ok(turn)) = timeout(TOLD_WITHIN, TURN.acquire()).await else { return };
    let words = words.to_vec();
    let telling = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let status = status.map(|status| status.replace(char::is_control, " "));
        let mut all: Vec<NotifyState<'_>> = words;
        all.extend(status.as_deref().map(NotifyState::Status));
        notify(&all)
    });
    if let Ok(Ok(Err(fault))) = timeout(TOLD_WITHIN, telling).await {
        tracing::warn!(%fault, "systemd cannot be told how this server is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_new_start_may_mend_is_a_reason_for_one() {
        let why = || "why".to_owned();
        let is_stuck = |fault, is_elsewhere| matches!(judged(Err(fault), is_elsewhere), Found::Stuck(_));
        for is_elsewhere in [true, false] {
            assert_eq!(judged(Ok(()), is_elsewhere), Found::Well);
            assert!(is_stuck(JournalFault::RestartNeeded(why()), is_elsewhere));
            assert!(!is_stuck(JournalFault::Damaged(why()), is_elsewhere));
        }
        assert!(is_stuck(JournalFault::Unavailable(why()), false), "its own file");
        assert!(!is_stuck(JournalFault::Unavailable(why()), true), "a database that is away");
    }

    #[test]
    fn the_worse_is_told() {
        let (waiting, stuck) = (|| Found::Waiting("w".to_owned()), || Found::Stuck("s".to_owned()));
        assert_eq!(worse(Found::Well, Found::Well), Found::Well);
        assert_eq!(worse(Found::Well, waiting()), waiting());
        assert_eq!(worse(waiting(), Found::Well), waiting());
        assert_eq!(worse(waiting(), stuck()), stuck());
    }
}
