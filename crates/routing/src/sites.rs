//! The sites of one router. Each has services of its own over its own exchange, so that no request can reach another
//! site than its principal's: the door sends it to that site's services, and there is no way from them to the others.
//! Only the home site's administrators begin and end sites.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use exchange::{Committed, ExchangeHandle, Readiness, Refused};
use plan::ParsedPlan;
use presence::Redis;
use session::{Audit, AuditEntry, Journal, JournalFault, RegistryFault};
use switchboard::command::{Actor, Adoption, Command, Input};
use switchboard::id::{PrincipalId, RequestId, Revision, SiteId};
use tokio::sync::{Notify, watch};
use tonic::Status;
use tonic::service::Routes;

use crate::audited::{About, Recorder, tell_ends};
use crate::guesses::Guesses;
use crate::limits::Limits;
use crate::others::Others;
use crate::server::RouterParts;
use crate::service;
use crate::site::{Site, SiteParts, plan_hash};
use crate::staff::StaffNumbers;
use crate::streams::{Leaving, Streams, closing};
use crate::tokens::TokenFault;

/// Starts the runtime of a site's switchboard; the router asks for it when a site begins, and for every site there is
/// when it starts itself.
pub trait OpenSite: Send + Sync {
    /// Replays the site's journal and serves from its end, or says why the journal cannot be read.
    fn open(&self, site: SiteId) -> Opening<'_>;
}

/// A site's switchboard on its way.
pub type Opening<'a> =
    Pin<Box<dyn Future<Output = Result<ExchangeHandle, exchange::StartFault>> + Send + 'a>>;

/// What every site of a router is served with.
pub(crate) struct Common {
    pub(crate) parts: RouterParts,
    pub(crate) staff: StaffNumbers,
    pub(crate) stepped: bool,
    pub(crate) limits: Limits,
}

/// The sites this router serves.
pub(crate) struct Sites {
    common: Common,
    served: RwLock<BTreeMap<SiteId, Served>>,
    /// One site is opened at a time.
    opening: tokio::sync::Mutex<()>,
    /// Rings when the readiness of a site changed, or the router's own.
    pub(crate) stirred: Notify,
    /// Whether what others decided is not known: the journal could not be looked at for a while.
    blind: AtomicBool,
    /// Whether a look at the journal takes long at this moment.
    late: AtomicBool,
    restart: watch::Sender<bool>,
    /// Wrong tokens and invitations of late.
    pub(crate) guesses: Guesses,
    pub(crate) others: Others,
}

/// A site and its services.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) site: Arc<Site>,
    pub(crate) routes: Routes,
}

/// Why a site is not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenFault {
    #[error("this router was set up for one site")]
    OneSite,
    #[error(transparent)]
    Start(#[from] exchange::StartFault),
    #[error(transparent)]
    Tokens(#[from] TokenFault),
    #[error(transparent)]
    Registry(#[from] RegistryFault),
}

/// Why a site has no first plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginFault {
    #[error(transparent)]
    Registry(#[from] RegistryFault),
    #[error("{}", .0.message())]
    Unrecorded(Status),
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Sites {
    /// None yet.
    pub(crate) fn new(common: Common) -> Arc<Sites> {
        let (served, opening) = (RwLock::default(), tokio::sync::Mutex::default());
        let (stirred, restart) = (Notify::new(), watch::Sender::new(false));
        let guesses = Guesses::new(common.limits.wrong_tokens_per_minute);
        let others = Others::default();
        let (blind, late) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Sites { common, served, opening, stirred, blind, late, restart, guesses, others })
    }

    /// Whether other routers may serve these sites, too.
    pub(crate) fn is_shared(&self) -> bool {
        self.common.parts.is_shared
    }

    /// Whether it serves other sites than its home.
    pub(crate) fn serves_many(&self) -> bool {
        self.common.parts.opener.is_some()
    }

    pub(crate) fn journal(&self) -> &dyn Journal {
        &*self.common.parts.journal
    }

    pub(crate) fn audit(&self) -> &dyn Audit {
        &*self.common.parts.audit
    }

    /// Where it is shown who is free, if anywhere.
    pub(crate) fn shown_in(&self) -> Option<&Redis> {
        self.common.parts.shown_in.as_deref()
    }

    /// The site that the service was set up with.
    pub(crate) fn home(&self) -> SiteId {
        self.common.parts.exchange.site()
    }

    /// A site and its services, if it is served here.
    pub(crate) fn served(&self, site: SiteId) -> Option<Served> {
        self.map(|served| served.get(&site).cloned())
    }

    /// Every site, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Site>> {
        self.map(|served| served.values().map(|served| Arc::clone(&served.site)).collect())
    }

    fn map<T>(&self, read: impl FnOnce(&BTreeMap<SiteId, Served>) -> T) -> T {
        read(&self.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves a site from here on: its streams follow, its people may ask.
    pub(crate) async fn serve(self: &Arc<Self>, exchange: ExchangeHandle) -> Arc<Site> {
        let Common { parts, staff, stepped, limits } = &self.common;
        // One hospital's telephones are strangers to another.
        let staff = if exchange.site() == self.home() { staff.clone() } else { StaffNumbers::default() };
        let (streams, feed) = Streams::new(exchange.clone(), *stepped, limits.operator_streams);
        let site = Arc::new(Site::new(SiteParts {
            exchange: exchange.clone(),
            journal: Arc::clone(&parts.journal),
            derived: Arc::clone(&parts.derived),
            callers: Arc::clone(&parts.callers),
            registry: Arc::clone(&parts.registry),
            principals: Arc::clone(&parts.principals),
            recorder: Recorder::new(Arc::clone(&parts.audit), exchange.clone()),
            subjects: Arc::clone(&parts.subjects),
            records: Arc::clone(&parts.records),
            streams,
            staff,
            stepped: *stepped,
            is_shared: parts.is_shared,
            shown_in: parts.shown_in.clone(),
            limits: *limits,
        }));
        if let Err(fault) = tell_ends(&site.recorder, &site.exchange, parts.is_shared).await {
            tracing::warn!(site = %site.id(), %fault, "how acts ended before this start could not be recorded");
        }
        // Whoever was removed while nobody heard of it.
        site.forget(Leaving::Unknown);
        let follower = Arc::clone(&site);
        tokio::spawn(async move {
            follower.streams.follow(feed, |leaving| follower.forget(leaving)).await;
        });
        tokio::spawn(Arc::clone(self).watch(exchange));
        let routes = service::routes(&site, self);
        let served = Served { site: Arc::clone(&site), routes };
        self.served.write().unwrap_or_else(PoisonError::into_inner).insert(site.id(), served);
        self.stirred.notify_one();
        site
    }

    /// Serves a site with its people and the roster that was in force, unless it is served already.
    ///
    /// # Errors
    /// [`OpenFault`].
    pub(crate) async fn open(self: &Arc<Self>, id: SiteId) -> Result<Arc<Site>, OpenFault> {
        let _one_at_a_time = self.opening.lock().await;
        if let Some(served) = self.served(id) {
            return Ok(served.site);
        }
        let Common { parts, .. } = &self.common;
        let opener = parts.opener.as_ref().ok_or(OpenFault::OneSite)?;
        parts.principals.load(id).await?;
        let site = self.serve(opener.open(id).await?).await;
        if let Err(fault) = follow_roster(&site).await {
            // Whoever asks again finds it not open yet, and not open without its roster.
            self.served.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
            site.exchange.close().await;
            return Err(fault.into());
        }
        Ok(site)
    }

    /// Serves every other site there is. One that cannot be opened is said in the log, and the rest goes on without it.
    ///
    /// # Errors
    /// It cannot be found out which sites there are.
    pub(crate) async fn open_all(self: &Arc<Self>) -> Result<(), JournalFault> {
        if !self.serves_many() {
            return Ok(());
        }
        for (site, _) in self.common.parts.journal.heads().await? {
            if let Err(fault) = self.open(site).await {
                tracing::error!(%site, %fault, "this site is not served");
            }
        }
        Ok(())
    }

    /// Says whether the journal could not be looked at for a while, so that clients are sent elsewhere meanwhile.
    pub(crate) fn say_blind(&self, blind: bool) {
        if self.blind.swap(blind, Ordering::Relaxed) != blind {
            self.stirred.notify_one();
        }
    }

    /// Says whether the journal does not answer at this moment, so that whoever has a choice is told at once.
    pub(crate) fn say_late(&self, late: bool) {
        if self.late.swap(late, Ordering::Relaxed) != late {
            self.stirred.notify_one();
        }
    }

    /// Whether the journal does not answer at this moment.
    pub(crate) fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    /// Whether there is a site that takes decisions and stores them in time, and what others decided is known.
    pub(crate) fn is_any_ready(&self) -> bool {
        if self.blind.load(Ordering::Relaxed) {
            return false;
        }
        let ready = |served: &Served| *served.site.exchange.readiness().borrow() == Readiness::Ready;
        self.map(|served| served.values().any(ready))
    }

    /// Resolves when only another process can tell what was stored for some site.
    pub(crate) async fn restart_needed(&self) {
        let mut restart = self.restart.subscribe();
        // The sender is here: this cannot fail.
        let _needed = restart.wait_for(|needed| *needed).await;
    }

    /// Ends every stream of every site.
    pub(crate) fn end_streams(&self) {
        for site in self.all() {
            site.streams.end_all(&closing());
        }
    }

    /// Rings whenever the site's readiness changes, until its exchange is gone.
    async fn watch(self: Arc<Self>, exchange: ExchangeHandle) {
        let mut readiness = exchange.readiness();
        let turns = async {
            while readiness.changed().await.is_ok() {
                self.stirred.notify_one();
                if *readiness.borrow() == Readiness::Closed {
                    return;
                }
            }
        };
        tokio::select! {
            () = turns => {}
            () = exchange.restart_needed() => { self.restart.send_replace(true); }
        }
    }
}

/// The roster that was in force before.
pub(crate) async fn follow_roster(site: &Site) -> Result<(), RegistryFault> {
    let zone =
        site.exchange.read(|switchboard| switchboard.state().plan().map(|plan| plan.time_zone.clone()));
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    if let Some(roster) = site.rosters.load(&*site.registry, site.id(), &zone).await? {
        site.exchange.follow_roster(roster);
    }
    Ok(())
}

/// The first plan of a site, adopted by somebody who is not of the site.
pub(crate) async fn begin(
    site: &Site,
    parsed: ParsedPlan,
    by: PrincipalId,
    request: RequestId,
) -> Result<Committed, BeginFault> {
    // A site that has begun keeps the texts it has.
    if site.exchange.read(|switchboard| switchboard.state().revision) == Revision(0) {
        let hash = plan_hash(&parsed.plan);
        site.registry.keep_plan(site.id(), Revision(1), hash, &parsed.text).await?;
    }
    let adoption =
        Adoption { plan: parsed.plan, expect: Revision(0), migrate: false, move_waiting: BTreeMap::new() };
    let command = Command::AdoptPlan(Box::new(adoption));
    by_the_server(site, by, "plan.begin", request, command).await
}

/// Asks a site on behalf of somebody who is not of the site, once it is recorded there.
pub(crate) async fn by_the_server(
    site: &Site,
    by: PrincipalId,
    what: &'static str,
    request: RequestId,
    command: Command,
) -> Result<Committed, BeginFault> {
    let act = site.recorder.by_itself(by.as_str(), what);
    let about = site.about(&command);
    let asked = act.asks(About { request: request.0.to_string(), ..about }).await;
    asked.map_err(BeginFault::Unrecorded)?;
    let input = Input { actor: Actor::Admin(by), request: Some(request), command };
    let asked = site.exchange.ask(input).await;
    let outcome = if asked.is_ok() { AuditEntry::DONE } else { AuditEntry::REFUSED };
    act.end(outcome.to_owned()).await;
    Ok(asked?)
}
