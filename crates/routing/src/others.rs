//! What other routers of the same sites did, as the store they share tells it: decisions, sites begun, tokens made and
//! taken away, rosters put in force. Nobody tells a router but the store; a hint only makes it look sooner.
//!
//! Decisions are looked for often, by one question for all sites. What stands beside the journal is looked at where the
//! audit of a site has grown, for whoever changes it says so there first; and now and then everywhere, for whoever died in
//! between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use session::{AuditFault, JournalFault, RegistryFault};
use switchboard::id::SiteId;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::site::Site;
use crate::sites::{Sites, follow_roster};
use crate::tokens::TokenFault;

/// Between two looks at the journal. Hints only make it sooner: one may be lost without a sign, and an offer that a desk
/// does not hear of within 2 s is taken away from it again.
const HEADS_EVERY: Duration = Duration::from_millis(200);

/// A journal that could not be looked at for so long may hold decisions of others that nobody here hears of.
const BLIND_AFTER: Duration = Duration::from_secs(1);

/// A look that takes so long may never be answered: whoever knows another router is told to ask there. With the time between
/// two looks it leaves some of the half second for which a router that is cut off may hold anybody up.
const LATE_AFTER: Duration = Duration::from_millis(150);

/// Between two looks at what stands beside the journal.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Between two that somebody asked for.
const LOOK_GAP: Duration = Duration::from_secs(1);

/// Whatever the audit says, a site is looked at once in this time.
const WHOLE_EVERY: Duration = Duration::from_secs(60);

/// So long somebody who asks waits for a look.
const LOOK_WAIT: Duration = Duration::from_secs(3);

/// A site that could not be opened is tried again after this.
const OPEN_AGAIN: Duration = Duration::from_secs(30);

/// Sites that are looked at side by side.
const SITES_AT_ONCE: usize = 8;

/// What is known of other routers.
#[derive(Default)]
pub(crate) struct Others {
    looked: tokio::sync::Mutex<Looked>,
    /// Sites that cannot be opened, and when that is tried again.
    closed: Mutex<BTreeMap<SiteId, Instant>>,
}

impl Others {
    fn closed(&self) -> MutexGuard<'_, BTreeMap<SiteId, Instant>> {
        // Each change is one insert: whoever panicked left the map whole.
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self, site: SiteId) -> bool {
        self.closed().get(&site).is_some_and(|until| Instant::now() < *until)
    }
}

/// When everything was looked at last, and what was seen of each site.
#[derive(Default)]
struct Looked {
    began: Option<Instant>,
    seen: BTreeMap<SiteId, Seen>,
    is_failing: bool,
}

/// What was seen of a site.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The last row of its audit.
    audit: u64,
    at: Instant,
}

/// Why it is not known what others did.
#[derive(Debug, thiserror::Error)]
enum LookFault {
    #[error(transparent)]
    Audit(#[from] AuditFault),
    #[error(transparent)]
    Tokens(#[from] TokenFault),
    #[error(transparent)]
    Registry(#[from] RegistryFault),
}

/// Follows other routers until told to stop.
pub(crate) struct Following([JoinHandle<()>; 2]);

impl Following {
    /// Begins to, on tasks of its own.
    pub(crate) fn begin(sites: &Arc<Sites>) -> Following {
        let hearing = tokio::spawn(hear_decisions(Arc::clone(sites)));
        let looking = tokio::spawn(look_around(Arc::clone(sites)));
        Following([hearing, looking])
    }

    /// No further.
    pub(crate) fn end(&self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn hear_decisions(sites: Arc<Sites>) {
    let mut opening: Option<JoinHandle<()>> = None;
    let mut is_failing = false;
    let mut heard = Instant::now();
    loop {
        let began = Instant::now();
        let mut look = Box::pin(timeout(BLIND_AFTER, hear(&sites)));
        let found = match timeout(LATE_AFTER, &mut look).await {
            Ok(found) => found,
            Err(_) => {
                sites.say_late(true);
                look.await
            }
        };
        let found = match found {
            Ok(found) => found.map_err(|fault| fault.to_string()),
            Err(_) => Err("no answer within a second".to_owned()),
        };
        if let Some(fault) = found.as_ref().err().filter(|_| !is_failing) {
            tracing::warn!(fault, "what other routers decided is not known at present");
        }
        is_failing = found.is_err();
        // One that was answered late is late until one is answered in time.
        sites.say_late(is_failing || began.elapsed() >= LATE_AFTER);
        if let Ok(strange) = found {
            heard = Instant::now();
            // A long record is read for a while: nobody waits for it here.
            if !strange.is_empty() && opening.as_ref().is_none_or(JoinHandle::is_finished) {
                let sites = Arc::clone(&sites);
                opening = Some(tokio::spawn(async move { open(&sites, strange).await }));
            }
        }
        sites.say_blind(heard.elapsed() >= BLIND_AFTER);
        sleep(HEADS_EVERY).await;
    }
}

/// Looks how far the journal of each site is, and has what is new read. Answers which sites are not served here.
async fn hear(sites: &Sites) -> Result<Vec<SiteId>, JournalFault> {
    let mut strange = Vec::new();
    for (site, seq) in sites.journal().heads().await? {
        match sites.served(site) {
            Some(served) => served.site.exchange.heard_of(seq),
            None if sites.serves_many() => strange.push(site),
            None => {}
        }
    }
    Ok(strange)
}

/// Serves sites that were begun elsewhere.
async fn open(sites: &Arc<Sites>, strange: Vec<SiteId>) {
    for site in strange {
        if sites.others.is_closed(site) {
            continue;
        }
        match sites.open(site).await {
            Ok(_) => tracing::info!(%site, "this site is served from here on"),
            Err(fault) => {
                tracing::error!(%site, %fault, "this site is not served; it is tried again");
                sites.others.closed().insert(site, Instant::now() + OPEN_AGAIN);
            }
        }
    }
}

async fn look_around(sites: Arc<Sites>) {
    loop {
        sleep(LOOK_EVERY).await;
        let mut looked = sites.others.looked.lock().await;
        look(&sites, &mut looked, false).await;
    }
}

impl Sites {
    /// Looks at once what other routers did, where there may be some; not longer than somebody would wait who asks.
    pub(crate) async fn look_at_others(self: &Arc<Self>) {
        if !self.is_shared() {
            return;
        }
        let asked = Instant::now();
        let sites = Arc::clone(self);
        // To its end, also when nobody waits for it any more: the next who asks would begin anew.
        let looking = tokio::spawn(async move {
            let mut looked = sites.others.looked.lock().await;
            // Somebody else looked since this was asked.
            if looked.began.is_some_and(|began| began >= asked) {
                return;
            }
            if let Some(began) = looked.began {
                sleep_until(began + LOOK_GAP).await;
            }
            find_sites(&sites).await;
            look(&sites, &mut looked, true).await;
        });
        // Whoever waits for longer is answered by what is known.
        let _looked = timeout(LOOK_WAIT, looking).await;
    }

    /// Serves the sites that other routers began meanwhile, where there may be some.
    pub(crate) async fn find_sites(self: &Arc<Self>) {
        if self.is_shared() {
            let sites = Arc::clone(self);
            let finding = tokio::spawn(async move { find_sites(&sites).await });
            // Whoever waits for longer is answered by what is known.
            let _found = timeout(LOOK_WAIT, finding).await;
        }
    }
}

async fn find_sites(sites: &Arc<Sites>) {
    match hear(sites).await {
        Ok(strange) => open(sites, strange).await,
        Err(fault) => tracing::debug!(%fault, "the journal cannot be looked at"),
    }
}

/// Looks at every site whose audit went on. Where somebody came with a token that nobody knows, the home site's tokens are
/// looked at whatever its audit says: those that a start hands out stand in none.
async fn look(sites: &Sites, looked: &mut Looked, for_a_token: bool) {
    looked.began = Some(Instant::now());
    let failed = look_at_all(sites, looked, for_a_token).await.err();
    if let Some((site, fault)) = failed.as_ref().filter(|_| !looked.is_failing) {
        tracing::warn!(%site, %fault, "what other routers did beside the journal is not known at present");
    }
    looked.is_failing = failed.is_some();
}

/// Answers the last site that could not be looked at, and why.
async fn look_at_all(
    sites: &Sites,
    looked: &mut Looked,
    for_a_token: bool,
) -> Result<(), (SiteId, LookFault)> {
    let home = sites.home();
    let ends = sites.audit().ends().await.map_err(|fault| (home, fault.into()))?;
    let ends: BTreeMap<SiteId, u64> = ends.into_iter().collect();
    let (seen, ends) = (&looked.seen, &ends);
    let looks = sites.all().into_iter().map(|site| async move {
        let thorough = for_a_token && site.id() == home;
        let end = ends.get(&site.id()).copied().unwrap_or_default();
        (site.id(), look_at(&site, seen.get(&site.id()).copied(), end, thorough).await)
    });
    let found: Vec<_> = stream::iter(looks).buffer_unordered(SITES_AT_ONCE).collect().await;
    let mut failed = Ok(());
    for (site, seen) in found {
        match seen {
            Ok(Some(seen)) => {
                looked.seen.insert(site, seen);
            }
            Ok(None) => {
                looked.seen.remove(&site);
            }
            Err(fault) => failed = Err((site, fault)),
        }
    }
    failed
}

/// Answers what was seen; nothing if it has to be looked at again whatever the audit says.
async fn look_at(
    site: &Site,
    seen: Option<Seen>,
    audit: u64,
    thorough: bool,
) -> Result<Option<Seen>, LookFault> {
    let known = seen.filter(|seen| seen.audit == audit && seen.at.elapsed() < WHOLE_EVERY);
    let mut is_whole = true;
    if known.is_none() || thorough {
        is_whole = site.principals.take_in(site.id(), site.catch_up()).await?;
    }
    if known.is_none() {
        look_at_roster(site).await?;
    }
    Ok(is_whole.then(|| known.unwrap_or(Seen { audit, at: Instant::now() })))
}

/// Follows the roster in force, if another router put one in force.
pub(crate) async fn look_at_roster(site: &Site) -> Result<(), RegistryFault> {
    let _changing = site.rosters.changing().await;
    let kept = site.registry.roster(site.id()).await?;
    if kept.map_or(0, |kept| kept.revision) == site.rosters.revision() {
        return Ok(());
    }
    follow_roster(site).await
}
