//! Tokens that other routers made or took away.

use std::collections::BTreeSet;

use session::KeptToken;
use switchboard::id::SiteId;

use super::{Known, Principals, TokenFault, wall_time};
use crate::principal::{Principal, Who};

impl Principals {
    /// Takes in which tokens a site has: those made elsewhere are good here, those taken away elsewhere are worth nothing
    /// from here on. `caught_up` has everything heard that the journal knew when it began, and says whether it did: who was
    /// removed and added again has to be gone here before the new token comes. Says whether nothing is left out.
    ///
    /// # Errors
    /// [`TokenFault::Registry`]: what is known here stays.
    pub(crate) async fn take_in(
        &self,
        site: SiteId,
        caught_up: impl Future<Output = bool>,
    ) -> Result<bool, TokenFault> {
        let found = ids(&self.registry.tokens(site).await?);
        if self.read().ids(site) == found {
            return Ok(true);
        }
        let is_caught_up = caught_up.await;
        let comes = if is_caught_up { found } else { BTreeSet::new() };
        let changing = self.changing.lock().await;
        let kept = self.registry.tokens(site).await?;
        let strange = self.write().take_in(site, kept, &comes);
        drop(changing);
        if let Some(role) = strange {
            tracing::warn!(%site, role, "a token is kept of a role that this release does not know");
        }
        Ok(is_caught_up)
    }
}

impl Known {
    /// The tokens of a site that are known, those that are about to be forgotten among them.
    fn ids(&self, site: SiteId) -> BTreeSet<String> {
        let known = self.by_principal.iter().filter(|(principal, _)| principal.site == site);
        let leaving = self.to_forget.iter().filter(|(of, _)| *of == site);
        known.map(|(_, id)| id).chain(leaving.map(|(_, id)| id)).cloned().collect()
    }

    /// Answers with a role that is not known, if there is one.
    fn take_in(&mut self, site: SiteId, kept: Vec<KeptToken>, comes: &BTreeSet<String>) -> Option<String> {
        let there = ids(&kept);
        self.by_principal.retain(|principal, id| {
            let stays = principal.site != site || there.contains(id);
            if !stays {
                self.credentials.remove(id);
            }
            stays
        });
        let mut strange = None;
        for token in kept {
            let KeptToken { role, principal, token_id, secret_hash, expires_us } = token;
            let is_leaving = self.to_forget.contains(&(site, token_id.clone()));
            if self.credentials.contains_key(&token_id) || is_leaving || !comes.contains(&token_id) {
                continue;
            }
            match Who::named(&role, &principal) {
                Some(who) => {
                    self.admit(token_id, Principal { site, who }, secret_hash, expires_us.map(wall_time));
                }
                None => strange = Some(role),
            }
        }
        strange
    }
}

fn ids(tokens: &[KeptToken]) -> BTreeSet<String> {
    tokens.iter().map(|token| token.token_id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Arc;
    use std::time::SystemTime;

    use session::{MemoryRegistry, Registry};

    use super::*;

    fn site() -> SiteId {
        "main".parse().expect("a name")
    }

    fn ana() -> Principal {
        Principal { site: site(), who: Who::Operator("ana".parse().expect("a name")) }
    }

    /// Two routers on one registry.
    fn both() -> (Principals, Principals) {
        let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
        (Principals::new(registry.clone(), None), Principals::new(registry, None))
    }

    #[tokio::test]
    async fn a_token_is_taken_in_with_the_others_and_cut_with_them() {
        let (a, b) = both();
        let token = a.mint(ana()).await.expect("kept");
        let now = SystemTime::now();
        b.take_in(site(), ready(true)).await.expect("readable");
        let admitted = b.authenticate(token.reveal(), now).expect("it is known there");
        b.take_in(site(), ready(true)).await.expect("readable");
        assert!(!admitted.has_ended(), "what has not changed goes on");
        a.revoke(&ana()).await.expect("forgotten");
        b.take_in(site(), ready(false)).await.expect("readable");
        assert!(admitted.has_ended(), "also while the journal cannot be read");
        let next = a.mint(ana()).await.expect("kept");
        b.take_in(site(), ready(false)).await.expect("readable");
        assert!(b.authenticate(next.reveal(), now).is_err(), "nobody new before the journal was read");
        b.take_in(site(), ready(true)).await.expect("readable");
        assert!(b.authenticate(next.reveal(), now).is_ok());
    }

    #[tokio::test]
    async fn who_was_cut_here_does_not_come_back_from_the_registry() {
        let (a, b) = both();
        let token = a.mint(ana()).await.expect("kept");
        b.take_in(site(), ready(true)).await.expect("readable");
        assert!(b.cut(&ana()), "and the registry does not know yet");
        b.take_in(site(), ready(true)).await.expect("readable");
        assert!(b.authenticate(token.reveal(), SystemTime::now()).is_err());
    }
}
