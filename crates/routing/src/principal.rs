//! Who may ask: principals and their tokens, in memory. Only a token's hash is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use switchboard::command::Actor;
use switchboard::id::{GatewayId, OperatorId, PrincipalId, SiteId};

/// What a principal may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A telephony gateway: its own legs.
    Gateway,
    /// A person who answers: the own desk and calls.
    Operator,
    /// Boards, explanations, lines, calls of others.
    Supervisor,
    /// Plan, people, the record.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Gateway, Role::Operator, Role::Supervisor, Role::Admin];

    /// Its name in the token file.
    pub fn name(self) -> &'static str {
        match self {
            Role::Gateway => "gateway",
            Role::Operator => "operator",
            Role::Supervisor => "supervisor",
            Role::Admin => "admin",
        }
    }
}

/// Somebody with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Principal {
    /// At which site.
    pub site: SiteId,
    /// Who, and in which role.
    pub who: Who,
}

/// Who a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A gateway.
    Gateway(GatewayId),
    /// An operator.
    Operator(OperatorId),
    /// A supervisor.
    Supervisor(PrincipalId),
    /// An administrator.
    Admin(PrincipalId),
}

impl Who {
    /// In which role.
    pub fn role(&self) -> Role {
        match self {
            Who::Gateway(_) => Role::Gateway,
            Who::Operator(_) => Role::Operator,
            Who::Supervisor(_) => Role::Supervisor,
            Who::Admin(_) => Role::Admin,
        }
    }

    /// As whom the switchboard is asked.
    pub fn actor(&self) -> Actor {
        match *self {
            Who::Gateway(id) => Actor::Gateway(id),
            Who::Operator(id) => Actor::Operator(id),
            Who::Supervisor(id) => Actor::Supervisor(id),
            Who::Admin(id) => Actor::Admin(id),
        }
    }

    /// The id alone.
    pub fn id(&self) -> &str {
        match self {
            Who::Gateway(id) => id.as_str(),
            Who::Operator(id) => id.as_str(),
            Who::Supervisor(id) | Who::Admin(id) => id.as_str(),
        }
    }
}

/// A token: `hl_<id>_<secret>`. Shown once, to its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text to hand over.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The machine gave no random bytes, so that no token can be made.
#[derive(Debug, thiserror::Error)]
#[error("the machine gave no random bytes: {0}")]
pub struct NoChance(String);

/// Everybody with a token.
#[derive(Debug, Default)]
pub struct Principals {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    credentials: BTreeMap<String, Credential>,
    /// One token each: a new one replaces it.
    by_principal: BTreeMap<Principal, String>,
}

#[derive(Debug)]
struct Credential {
    principal: Principal,
    secret: [u8; 32],
}

impl Principals {
    /// Nobody.
    pub fn new() -> Principals {
        Principals::default()
    }

    /// A token for a principal, in place of any earlier one.
    ///
    /// # Errors
    /// [`NoChance`].
    pub fn mint(&self, principal: Principal) -> Result<Token, NoChance> {
        let id = random_hex::<6>()?;
        let secret = random_hex::<32>()?;
        let mut known = self.write();
        if let Some(earlier) = known.by_principal.insert(principal, id.clone()) {
            known.credentials.remove(&earlier);
        }
        let token = Token(format!("hl_{id}_{secret}"));
        known.credentials.insert(id, Credential { principal, secret: hash(&secret) });
        Ok(token)
    }

    /// Takes a principal's token away.
    pub fn revoke(&self, principal: &Principal) {
        let mut known = self.write();
        if let Some(id) = known.by_principal.remove(principal) {
            known.credentials.remove(&id);
        }
    }

    /// Whose token this is.
    pub fn authenticate(&self, token: &str) -> Option<Principal> {
        let (id, secret) = token.strip_prefix("hl_")?.split_once('_')?;
        let given = hash(secret);
        let known = self.read();
        let credential = known.credentials.get(id);
        // An unknown id costs a comparison, too.
        let expected = credential.map_or(&[0; 32], |c| &c.secret);
        let same = bool::from(given.ct_eq(expected));
        credential.filter(|_| same).map(|c| c.principal)
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The secret is 256 random bits: no slow hash makes it harder to guess.
fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn random_hex<const BYTES: usize>() -> Result<String, NoChance> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|fault| NoChance(fault.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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

    #[test]
    fn a_token_names_its_principal_and_nothing_like_it_does() {
        let principals = Principals::new();
        let token = principals.mint(operator()).expect("random bytes").reveal().to_owned();
        assert_eq!(principals.authenticate(&token), Some(operator()));
        let mut other = token.clone();
        let last = other.pop().expect("not empty");
        other.push(if last == '0' { '1' } else { '0' });
        for wrong in ["", "hl_", "hl__", other.as_str(), &token[3..], &format!("{token}0"), "hl_op-01_"] {
            assert_eq!(principals.authenticate(wrong), None, "{wrong}");
        }
        assert_eq!(token.len(), "hl_".len() + 12 + 1 + 64, "256 bits of secret");
    }

    #[test]
    fn a_new_token_replaces_the_old_one_and_can_be_revoked() {
        let principals = Principals::new();
        let first = principals.mint(operator()).expect("random bytes");
        let second = principals.mint(operator()).expect("random bytes");
        assert_eq!(principals.authenticate(first.reveal()), None);
        assert_eq!(principals.authenticate(second.reveal()), Some(operator()));
        principals.revoke(&operator());
        assert_eq!(principals.authenticate(second.reveal()), None);
    }

    #[test]
    fn an_operator_named_like_an_administrator_is_another_principal() {
        let principals = Principals::new();
        let admin = principal(Who::Admin("op-01".parse().expect("a name")));
        let token = principals.mint(admin).expect("random bytes");
        principals.mint(operator()).expect("random bytes");
        assert_eq!(principals.authenticate(token.reveal()), Some(admin));
    }

    #[test]
    fn nothing_shows_a_secret() {
        let principals = Principals::new();
        let token = principals.mint(operator()).expect("random bytes");
        let secret = token.reveal().rsplit('_').next().expect("a secret").to_owned();
        assert!(!format!("{token:?} {principals:?}").contains(&secret));
    }
}
