//! What a site keeps beside its decisions: who may ask, and its plans as they were written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use switchboard::canonical::Hash;
use switchboard::id::{Revision, SiteId};

/// A token as it is kept: never its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// What its principal is, in the service's words.
    pub role: String,
    /// Which one.
    pub principal: String,
    /// The part of the token that names it.
    pub token_id: String,
    /// A hash of the part that proves it, in hexadecimal digits.
    pub secret_hash: String,
    /// From when on it is worth nothing, in microseconds since 1970 UTC.
    pub expires_us: Option<i64>,
}

/// An invitation as it is kept: never its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptInvite {
    /// What its principal is, in the service's words.
    pub role: String,
    /// Which one.
    pub principal: String,
    /// The part of the invitation that names it.
    pub invite_id: String,
    /// A hash of the part that proves it, in hexadecimal digits.
    pub secret_hash: String,
    /// From when on it is worth nothing, in microseconds since 1970 UTC.
    pub expires_us: i64,
}

/// Why the registry could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryFault {
    /// It may answer later. Whether what was asked is kept is not known: ask again.
    #[error("the registry does not answer: {0}")]
    Unavailable(String),
    /// It has to be restored.
    #[error("the registry is damaged: {0}; restore it from a backup")]
    Damaged(String),
}

/// A roster as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRoster {
    /// Which: 1, 2, 3…
    pub revision: u32,
    /// When it was kept, in microseconds since 1970 UTC.
    pub kept_us: i64,
    /// Its text, with comments.
    pub text: String,
}

/// The registry of sites. What it acknowledged is durable, but for plans: those are with the decision that adopts them.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Keeps a token in place of any earlier one of its principal.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn keep_token(&self, site: SiteId, token: &KeptToken) -> Result<(), RegistryFault>;

    /// Keeps a token of a principal who has none, and says whether that was so: of all who do this at once, one is told
    /// so.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn keep_first_token(&self, site: SiteId, token: &KeptToken) -> Result<bool, RegistryFault>;

    /// Lets go of a token, if there is one of this id.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn forget_token(&self, site: SiteId, token_id: &str) -> Result<(), RegistryFault>;

    /// Every token of a site, by role and principal.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn tokens(&self, site: SiteId) -> Result<Vec<KeptToken>, RegistryFault>;

    /// Keeps an invitation in place of any earlier one of its principal.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn keep_invite(&self, site: SiteId, invite: &KeptInvite) -> Result<(), RegistryFault>;

    /// An invitation by its id.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn invite(&self, site: SiteId, invite_id: &str) -> Result<Option<KeptInvite>, RegistryFault>;

    /// Takes an invitation away, and says whether it was there: of all who spend one at once, one is told so.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn spend_invite(&self, site: SiteId, invite_id: &str) -> Result<bool, RegistryFault>;

    /// Lets go of a principal's invitation, if there is one.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn forget_invite(&self, site: SiteId, role: &str, principal: &str) -> Result<(), RegistryFault>;

    /// Keeps the text of a plan that may become this revision. To be kept before it is adopted: durable as soon as a
    /// later decision is.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn keep_plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
        text: &str,
    ) -> Result<(), RegistryFault>;

    /// The text of the plan with this canonical hash that became this revision.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
    ) -> Result<Option<String>, RegistryFault>;

    /// Lets go of texts of a revision that are of other plans than the one that became it.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn settle_plan(&self, site: SiteId, revision: Revision, plan: Hash) -> Result<(), RegistryFault>;

    /// Which texts there are, the latest revision first: those of revisions that were settled became what they say.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn plans(&self, site: SiteId) -> Result<Vec<(Revision, Hash)>, RegistryFault>;

    /// Keeps a roster under its revision. Says no if there is one of that revision: somebody else was faster.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn keep_roster(&self, site: SiteId, roster: &KeptRoster) -> Result<bool, RegistryFault>;

    /// The roster of the last revision, if there is any.
    ///
    /// # Errors
    /// [`RegistryFault`].
    async fn roster(&self, site: SiteId) -> Result<Option<KeptRoster>, RegistryFault>;
}

/// A hash as it is kept.
pub(crate) fn hash_of(text: &str) -> Result<Hash, RegistryFault> {
    let bytes = crate::seal::unhex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Hash).ok_or_else(|| RegistryFault::Damaged(format!("{text} is not a hash")))
}

/// The registry in memory: as durable as the process.
#[derive(Debug, Default)]
pub struct MemoryRegistry(Mutex<BTreeMap<SiteId, Entries>>);

#[derive(Debug, Default)]
struct Entries {
    tokens: BTreeMap<(String, String), KeptToken>,
    invites: BTreeMap<(String, String), KeptInvite>,
    plans: BTreeMap<(Revision, String), String>,
    rosters: BTreeMap<u32, KeptRoster>,
}

impl MemoryRegistry {
    /// An empty one.
    pub fn new() -> MemoryRegistry {
        MemoryRegistry::default()
    }

    fn sites(&self) -> MutexGuard<'_, BTreeMap<SiteId, Entries>> {
        // Each change is one insert or removal: whoever panicked left the maps whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn keep_token(&self, site: SiteId, token: &KeptToken) -> Result<(), RegistryFault> {
        let holder = (token.role.clone(), token.principal.clone());
        self.sites().entry(site).or_default().tokens.insert(holder, token.clone());
        Ok(())
    }

    async fn keep_first_token(&self, site: SiteId, token: &KeptToken) -> Result<bool, RegistryFault> {
        let holder = (token.role.clone(), token.principal.clone());
        let mut sites = self.sites();
        match sites.entry(site).or_default().tokens.entry(holder) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(none) => {
                none.insert(token.clone());
                Ok(true)
            }
        }
    }

    async fn forget_token(&self, site: SiteId, token_id: &str) -> Result<(), RegistryFault> {
        self.sites().entry(site).or_default().tokens.retain(|_, token| token.token_id != token_id);
        Ok(())
    }

    async fn tokens(&self, site: SiteId) -> Result<Vec<KeptToken>, RegistryFault> {
        let sites = self.sites();
        Ok(sites.get(&site).map(|entries| entries.tokens.values().cloned().collect()).unwrap_or_default())
    }

    async fn keep_invite(&self, site: SiteId, invite: &KeptInvite) -> Result<(), RegistryFault> {
        let holder = (invite.role.clone(), invite.principal.clone());
        self.sites().entry(site).or_default().invites.insert(holder, invite.clone());
        Ok(())
    }

    async fn invite(&self, site: SiteId, invite_id: &str) -> Result<Option<KeptInvite>, RegistryFault> {
        let sites = self.sites();
        let invites = sites.get(&site).map(|entries| &entries.invites).into_iter().flatten();
        Ok(invites.map(|(_, invite)| invite).find(|invite| invite.invite_id == invite_id).cloned())
    }

    async fn spend_invite(&self, site: SiteId, invite_id: &str) -> Result<bool, RegistryFault> {
        let mut sites = self.sites();
        let invites = &mut sites.entry(site).or_default().invites;
        let before = invites.len();
        invites.retain(|_, invite| invite.invite_id != invite_id);
        Ok(invites.len() < before)
    }

    async fn forget_invite(&self, site: SiteId, role: &str, principal: &str) -> Result<(), RegistryFault> {
        let holder = (role.to_owned(), principal.to_owned());
        self.sites().entry(site).or_default().invites.remove(&holder);
        Ok(())
    }

    async fn keep_plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
        text: &str,
    ) -> Result<(), RegistryFault> {
        let key = (revision, plan.to_string());
        self.sites().entry(site).or_default().plans.insert(key, text.to_owned());
        Ok(())
    }

    async fn plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
    ) -> Result<Option<String>, RegistryFault> {
        let sites = self.sites();
        Ok(sites.get(&site).and_then(|entries| entries.plans.get(&(revision, plan.to_string())).cloned()))
    }

    async fn settle_plan(&self, site: SiteId, revision: Revision, plan: Hash) -> Result<(), RegistryFault> {
        let plan = plan.to_string();
        let stays = |(of, hash): &(Revision, String)| *of != revision || *hash == plan;
        self.sites().entry(site).or_default().plans.retain(|key, _| stays(key));
        Ok(())
    }

    async fn plans(&self, site: SiteId) -> Result<Vec<(Revision, Hash)>, RegistryFault> {
        let sites = self.sites();
        let keys = sites.get(&site).into_iter().flat_map(|entries| entries.plans.keys().rev());
        let read = |(revision, hash): &(Revision, String)| hash_of(hash).map(|hash| (*revision, hash));
        keys.map(read).collect()
    }

    async fn keep_roster(&self, site: SiteId, roster: &KeptRoster) -> Result<bool, RegistryFault> {
        let mut sites = self.sites();
        let rosters = &mut sites.entry(site).or_default().rosters;
        let is_new = !rosters.contains_key(&roster.revision);
        if is_new {
            rosters.insert(roster.revision, roster.clone());
        }
        Ok(is_new)
    }

    async fn roster(&self, site: SiteId) -> Result<Option<KeptRoster>, RegistryFault> {
        let sites = self.sites();
        let last = sites.get(&site).and_then(|entries| entries.rosters.last_key_value());
        Ok(last.map(|(_, roster)| roster.clone()))
    }
}
