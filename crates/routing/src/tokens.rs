//! The tokens by which principals are known. Only a token's hash is kept.

mod elsewhere;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant, SystemTime};

use session::{KeptToken, MemoryRegistry, Registry, RegistryFault};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use switchboard::id::{OperatorId, SiteId};
use tokio::sync::watch;

use crate::principal::{Principal, Who};

/// A token: `hl_<id>_<secret>`. Shown once, to its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text to hand over.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text looks like one: what does not is looked for nowhere.
    pub(crate) fn has_the_form(text: &str) -> bool {
        let parts = text.strip_prefix("hl_").and_then(|rest| rest.split_once('_'));
        parts.is_some_and(|parts| (parts.0.len(), parts.1.len()) == DIGITS)
    }
}

/// Digits of a token's id, and of its secret.
const DIGITS: (usize, usize) = (12, 64);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why there is no token, or one may still be there.
#[derive(Debug, thiserror::Error)]
pub enum TokenFault {
    /// No token can be made.
    #[error("the machine gave no random bytes: {0}")]
    NoChance(String),
    /// It is not known whether it was kept, or forgotten.
    #[error(transparent)]
    Registry(#[from] RegistryFault),
    /// A kept token is of a kind of principal that this release does not know.
    #[error("a token is kept of {id}, who is {role}, and this release knows no such role")]
    UnknownRole {
        /// The role.
        role: String,
        /// Whose.
        id: String,
    },
}

/// Everybody with a token. Tokens are in the registry; what is asked at each request is in memory.
pub struct Principals {
    known: RwLock<Known>,
    registry: Arc<dyn Registry>,
    /// How long a token lasts that nobody said anything else about.
    lasting: Option<Duration>,
    /// One change of the registry at a time, in the order of what is known here.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    credentials: BTreeMap<String, Credential>,
    /// One token each: a new one replaces it.
    by_principal: BTreeMap<Principal, String>,
    /// Worth nothing any more, and perhaps still in the registry.
    to_forget: BTreeSet<(SiteId, String)>,
    /// Whose was taken away a moment ago, and when: whoever asks for it again did not hear the answer.
    revoked: BTreeMap<Principal, Instant>,
}

#[derive(Debug)]
struct Credential {
    principal: Principal,
    /// Of the secret, in hexadecimal digits.
    secret_hash: String,
    expires: Option<SystemTime>,
    /// Dropped with the credential: so everybody who was admitted by it hears of its end.
    valid: watch::Sender<()>,
}

/// Somebody who was admitted, for as long as the token is worth something.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who.
    pub principal: Principal,
    expires: Option<SystemTime>,
    valid: watch::Receiver<()>,
}

/// Why a token is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// It is nobody's: wrong, cut short, revoked, or of another server.
    #[error("nobody has this token")]
    Unknown,
    /// It was right once.
    #[error("this token has expired")]
    Expired,
}

impl Admitted {
    /// Whether the token is worth nothing any more.
    pub(crate) fn has_ended(&self) -> bool {
        // Nothing is ever sent: an error is the end of the sender.
        self.valid.has_changed().is_err() || self.expires.is_some_and(|expires| expires <= SystemTime::now())
    }

    /// Resolves when the token is worth nothing any more, and says why.
    pub(crate) async fn ended(self) -> NotAdmitted {
        let Admitted { expires, mut valid, .. } = self;
        let expired = async {
            let Some(expires) = expires else { return std::future::pending().await };
            // The wall clock may be set meanwhile: it is asked again from time to time.
            while let Ok(left) = expires.duration_since(SystemTime::now())
                && !left.is_zero()
            {
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
            }
        };
        tokio::select! {
            () = expired => NotAdmitted::Expired,
            // Nothing is ever sent: what resolves is the end of the sender.
            _ = valid.changed() => NotAdmitted::Unknown,
        }
    }
}

/// Between two looks at the wall clock while a stream waits for its token's end.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Principals {
    /// Nobody, in a registry as durable as the process.
    pub fn in_memory() -> Principals {
        Principals::new(Arc::new(MemoryRegistry::new()), None)
    }

    /// Nobody yet; with tokens that last so long, or until they are taken away.
    pub fn new(registry: Arc<dyn Registry>, lasting: Option<Duration>) -> Principals {
        Principals { known: RwLock::default(), registry, lasting, changing: tokio::sync::Mutex::default() }
    }

    /// Everybody who was given a token at a site before.
    ///
    /// # Errors
    /// [`TokenFault`].
    pub async fn load(&self, site: SiteId) -> Result<(), TokenFault> {
        let changing = self.changing.lock().await;
        for token in self.registry.tokens(site).await? {
            let KeptToken { role, principal: id, token_id, secret_hash, expires_us } = token;
            let Some(who) = Who::named(&role, &id) else { return Err(TokenFault::UnknownRole { role, id }) };
            let expires = expires_us.map(wall_time);
            self.write().admit(token_id, Principal { site, who }, secret_hash, expires);
        }
        drop(changing);
        Ok(())
    }

    /// A token for a principal, in place of any earlier one. It lasts as long as all do, or until it is revoked.
    ///
    /// # Errors
    /// [`TokenFault`]; any earlier token goes on then.
    pub async fn mint(&self, principal: Principal) -> Result<Token, TokenFault> {
        self.mint_until(principal, self.lasting.map(|lasting| SystemTime::now() + lasting)).await
    }

    /// A token for a principal, in place of any earlier one, that is worth nothing from a time on.
    ///
    /// # Errors
    /// [`TokenFault`]; any earlier token goes on then.
    pub async fn mint_until(
        &self,
        principal: Principal,
        expires: Option<SystemTime>,
    ) -> Result<Token, TokenFault> {
        let (token, kept) = fresh(&principal, expires)?;
        let changing = self.changing.lock().await;
        self.registry.keep_token(principal.site, &kept).await?;
        self.write().admit(kept.token_id, principal, kept.secret_hash, expires);
        drop(changing);
        Ok(token)
    }

    /// A token for a principal who has none. None if another server gave one meanwhile.
    ///
    /// # Errors
    /// [`TokenFault`].
    pub async fn mint_first(&self, principal: Principal) -> Result<Option<Token>, TokenFault> {
        let expires = self.lasting.map(|lasting| SystemTime::now() + lasting);
        let (token, kept) = fresh(&principal, expires)?;
        let changing = self.changing.lock().await;
        if !self.registry.keep_first_token(principal.site, &kept).await? {
            drop(changing);
            self.load(principal.site).await?;
            return Ok(None);
        }
        self.write().admit(kept.token_id, principal, kept.secret_hash, expires);
        drop(changing);
        Ok(Some(token))
    }

    /// Whether a principal has a token that is worth something at a time of the wall clock.
    pub fn has_token(&self, principal: &Principal, now: SystemTime) -> bool {
        let known = self.read();
        let credential = known.by_principal.get(principal).and_then(|id| known.credentials.get(id));
        credential.is_some_and(|credential| credential.expires.is_none_or(|expires| expires > now))
    }

    /// Takes a principal's token away, and with it every stream that was opened by it. Says whether there was one, at this
    /// moment or when it was asked for a moment ago.
    ///
    /// # Errors
    /// [`TokenFault::Registry`]: it is worth nothing here, and may be worth something again after a restart; ask
    /// again.
    pub async fn revoke(&self, principal: &Principal) -> Result<bool, TokenFault> {
        let had_one = self.cut(principal);
        let revoked = self.write().was_revoked(*principal, had_one);
        self.settle().await?;
        Ok(revoked)
    }

    /// Takes a principal's token away at once; [`Principals::settle`] has to follow.
    pub(crate) fn cut(&self, principal: &Principal) -> bool {
        let mut known = self.write();
        let id = known.by_principal.remove(principal);
        if let Some(id) = &id {
            known.credentials.remove(id);
            known.to_forget.insert((principal.site, id.clone()));
        }
        id.is_some()
    }

    /// Takes out of the registry what is worth nothing any more.
    pub(crate) async fn settle(&self) -> Result<(), TokenFault> {
        let changing = self.changing.lock().await;
        let to_forget = self.read().to_forget.clone();
        for (site, id) in to_forget {
            self.registry.forget_token(site, &id).await?;
            self.write().to_forget.remove(&(site, id));
        }
        drop(changing);
        Ok(())
    }

    /// The operators of a site who have a token.
    pub(crate) fn operators(&self, site: SiteId) -> Vec<OperatorId> {
        let known = self.read();
        let here = known.by_principal.keys().filter(|principal| principal.site == site);
        here.filter_map(|principal| if let Who::Operator(id) = principal.who { Some(id) } else { None })
            .collect()
    }

    /// Whose token this is at a time of the wall clock.
    ///
    /// # Errors
    /// [`NotAdmitted`].
    pub fn authenticate(&self, token: &str, now: SystemTime) -> Result<Admitted, NotAdmitted> {
        let parts = token.strip_prefix("hl_").and_then(|rest| rest.split_once('_'));
        let (id, secret) = parts.ok_or(NotAdmitted::Unknown)?;
        let given = hash(secret);
        let known = self.read();
        let credential = known.credentials.get(id);
        // An unknown id costs a comparison, too.
        let expected = credential.map_or(NOBODYS_HASH, |c| &c.secret_hash);
        let same = bool::from(given.as_bytes().ct_eq(expected.as_bytes()));
        let credential = credential.filter(|_| same).ok_or(NotAdmitted::Unknown)?;
        if credential.expires.is_some_and(|expires| expires <= now) {
            return Err(NotAdmitted::Expired);
        }
        let (principal, expires) = (credential.principal, credential.expires);
        Ok(Admitted { principal, expires, valid: credential.valid.subscribe() })
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Principals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principals").field("known", &self.read().by_principal).finish_non_exhaustive()
    }
}

impl Known {
    fn admit(&mut self, id: String, principal: Principal, secret_hash: String, expires: Option<SystemTime>) {
        if let Some(earlier) = self.by_principal.insert(principal, id.clone()) {
            self.credentials.remove(&earlier);
        }
        self.revoked.remove(&principal);
        let valid = watch::Sender::new(());
        self.credentials.insert(id, Credential { principal, secret_hash, expires, valid });
    }
}

impl Known {
    fn was_revoked(&mut self, principal: Principal, just_now: bool) -> bool {
        self.revoked.retain(|_, at| at.elapsed() < ASKED_AGAIN);
        if just_now {
            self.revoked.insert(principal, Instant::now());
        }
        self.revoked.contains_key(&principal)
    }
}

/// Longer than any client asks again without being asked to.
const ASKED_AGAIN: Duration = Duration::from_secs(60);

fn fresh(principal: &Principal, expires: Option<SystemTime>) -> Result<(Token, KeptToken), TokenFault> {
    let id = random_hex::<{ DIGITS.0 / 2 }>()?;
    let secret = random_hex::<{ DIGITS.1 / 2 }>()?;
    let token = Token(format!("hl_{id}_{secret}"));
    let kept = KeptToken {
        role: principal.who.role().name().to_owned(),
        principal: principal.who.id().to_owned(),
        token_id: id,
        secret_hash: hash(&secret),
        expires_us: expires.map(wall_us),
    };
    Ok((token, kept))
}

/// As long as any hash, and nobody's.
const NOBODYS_HASH: &str = "................................................................";

/// The secret is 256 random bits: no slow hash makes it harder to guess.
pub(crate) fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// So many random bytes, in hexadecimal digits.
pub(crate) fn random_hex<const BYTES: usize>() -> Result<String, TokenFault> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|fault| TokenFault::NoChance(fault.to_string()))?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Microseconds since 1970 UTC.
pub(crate) fn wall_us(time: SystemTime) -> i64 {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

fn wall_time(us: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(who: Who) -> Principal {
        Principal { site: "main".parse().expect("a name"), who }
    }

    fn operator() -> Principal {
        principal(Who::Operator("op-01".parse().expect("a name")))
    }

    fn whose(principals: &Principals, token: &str) -> Result<Principal, NotAdmitted> {
        principals.authenticate(token, SystemTime::UNIX_EPOCH).map(|admitted| admitted.principal)
    }

    #[tokio::test]
    async fn a_token_names_its_principal_and_nothing_like_it_does() {
        let principals = Principals::in_memory();
        let token = principals.mint(operator()).await.expect("random bytes").reveal().to_owned();
        assert_eq!(whose(&principals, &token), Ok(operator()));
        let mut other = token.clone();
        let last = other.pop().expect("not empty");
        let cut_short = other.clone();
        other.push(if last == '0' { '1' } else { '0' });
        let (other, cut_short) = (other.as_str(), cut_short.as_str());
        for wrong in ["", "hl_", "hl__", other, cut_short, &token[3..], &format!("{token}0"), "hl_op-01_"] {
            assert_eq!(whose(&principals, wrong), Err(NotAdmitted::Unknown), "{wrong}");
        }
        assert_eq!(token.len(), "hl_".len() + 12 + 1 + 64, "256 bits of secret");
    }

    #[tokio::test]
    async fn a_new_token_replaces_the_old_one_and_can_be_revoked() {
        let principals = Principals::in_memory();
        let first = principals.mint(operator()).await.expect("random bytes");
        let second = principals.mint(operator()).await.expect("random bytes");
        assert_eq!(whose(&principals, first.reveal()), Err(NotAdmitted::Unknown));
        assert_eq!(whose(&principals, second.reveal()), Ok(operator()));
        assert!(principals.revoke(&operator()).await.expect("forgotten"));
        assert_eq!(whose(&principals, second.reveal()), Err(NotAdmitted::Unknown));
        assert!(
            principals.revoke(&operator()).await.expect("nothing to forget"),
            "the answer may have been lost"
        );
        let somebody = principal(Who::Operator("op-02".parse().expect("a name")));
        assert!(!principals.revoke(&somebody).await.expect("nothing to forget"), "there never was one");
    }

    #[tokio::test]
    async fn a_token_expires_to_the_second() {
        let principals = Principals::in_memory();
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let token = principals.mint_until(operator(), Some(end)).await.expect("random bytes");
        let before = end - Duration::from_secs(1);
        assert!(principals.authenticate(token.reveal(), before).is_ok());
        assert!(principals.has_token(&operator(), before) && !principals.has_token(&operator(), end));
        let after = principals.authenticate(token.reveal(), end).expect_err("too late");
        assert_eq!(after, NotAdmitted::Expired);
    }

    #[tokio::test]
    async fn who_was_admitted_hears_of_the_end() {
        let principals = Principals::in_memory();
        let token = principals.mint(operator()).await.expect("random bytes");
        let now = SystemTime::now();
        let admitted = principals.authenticate(token.reveal(), now).expect("a token");
        principals.revoke(&operator()).await.expect("forgotten");
        assert_eq!(admitted.ended().await, NotAdmitted::Unknown);
        let end = now + Duration::from_millis(20);
        let token = principals.mint_until(operator(), Some(end)).await.expect("random bytes");
        let admitted = principals.authenticate(token.reveal(), now).expect("a token");
        assert_eq!(admitted.ended().await, NotAdmitted::Expired);
        assert!(SystemTime::now() >= end);
    }

    #[tokio::test]
    async fn an_operator_named_like_an_administrator_is_another_principal() {
        let principals = Principals::in_memory();
        let admin = principal(Who::Admin("op-01".parse().expect("a name")));
        let token = principals.mint(admin).await.expect("random bytes");
        principals.mint(operator()).await.expect("random bytes");
        assert_eq!(whose(&principals, token.reveal()), Ok(admin));
    }

    #[tokio::test]
    async fn nothing_shows_a_secret() {
        let principals = Principals::in_memory();
        let token = principals.mint(operator()).await.expect("random bytes");
        let secret = token.reveal().rsplit('_').next().expect("a secret").to_owned();
        assert!(!format!("{token:?} {principals:?}").contains(&secret));
    }

    #[tokio::test]
    async fn a_token_outlives_the_process_and_a_revoked_one_does_not() {
        let registry = Arc::new(MemoryRegistry::new());
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let admin = principal(Who::Admin("eve".parse().expect("a name")));
        let before = Principals::new(registry.clone(), None);
        let token = before.mint_until(operator(), Some(end)).await.expect("kept");
        let gone = before.mint(admin).await.expect("kept");
        before.revoke(&admin).await.expect("forgotten");
        let after = Principals::new(registry, None);
        assert_eq!(whose(&after, token.reveal()), Err(NotAdmitted::Unknown), "nobody is loaded yet");
        after.load(operator().site).await.expect("readable");
        assert_eq!(whose(&after, token.reveal()), Ok(operator()));
        assert_eq!(whose(&after, gone.reveal()), Err(NotAdmitted::Unknown));
        assert_eq!(after.authenticate(token.reveal(), end).expect_err("too late"), NotAdmitted::Expired);
    }

    #[tokio::test]
    async fn a_token_of_an_unknown_role_is_named() {
        let registry = Arc::new(MemoryRegistry::new());
        let kept = KeptToken {
            role: "emperor".to_owned(),
            principal: "nero".to_owned(),
            token_id: "1".to_owned(),
            secret_hash: String::new(),
            expires_us: None,
        };
        registry.keep_token(operator().site, &kept).await.expect("kept");
        let fault = Principals::new(registry, None).load(operator().site).await.expect_err("unknown");
        assert!(fault.to_string().contains("nero, who is emperor"), "{fault}");
    }
}
