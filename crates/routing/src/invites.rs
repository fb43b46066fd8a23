//! Invitations: what a person without a token redeems for one, once. Only an invitation's hash is kept.

use std::fmt;
use std::time::{Duration, SystemTime};

use session::{KeptInvite, Registry};
use subtle::ConstantTimeEq;
use switchboard::id::{OperatorId, SiteId};

use crate::principal::{Principal, Role, Who};
use crate::tokens::{TokenFault, hash, random_hex, wall_us};

/// How long an invitation lasts that nobody said anything else about.
pub(crate) const LASTS_USUAL: Duration = Duration::from_secs(24 * 60 * 60);
/// No invitation lies about for longer.
pub(crate) const LASTS_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Digits of its id, and of its secret: 128 random bits, and few guesses a minute.
const DIGITS: (usize, usize) = (12, 32);

/// An invitation: `hi_<id>_<secret>`. Shown once, to whoever hands it over.
pub(crate) struct Invite(String);

impl Invite {
    /// The text to hand over.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invite(…)")
    }
}

/// Invites a person, in place of any earlier invitation.
///
/// # Errors
/// [`TokenFault`]; any earlier one goes on then.
pub(crate) async fn invite(
    registry: &dyn Registry,
    site: SiteId,
    operator: OperatorId,
    expires: SystemTime,
) -> Result<Invite, TokenFault> {
    let (id, secret) = (random_hex::<{ DIGITS.0 / 2 }>()?, random_hex::<{ DIGITS.1 / 2 }>()?);
    let kept = KeptInvite {
        role: Role::Operator.name().to_owned(),
        principal: operator.as_str().to_owned(),
        invite_id: id.clone(),
        secret_hash: hash(&secret),
        expires_us: wall_us(expires),
    };
    registry.keep_invite(site, &kept).await?;
    Ok(Invite(format!("hi_{id}_{secret}")))
}

/// An invitation that is right, and not spent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invited {
    /// Who is invited.
    pub(crate) principal: Principal,
    /// Which invitation it is.
    pub(crate) id: String,
    /// It was right once.
    pub(crate) is_over: bool,
}

/// Whose invitation this is at a time of the wall clock; none if it is nobody's.
///
/// # Errors
/// [`TokenFault`].
pub(crate) async fn invited(
    registry: &dyn Registry,
    site: SiteId,
    text: &str,
    now: SystemTime,
) -> Result<Option<Invited>, TokenFault> {
    let Some((id, secret)) = parts(text) else { return Ok(None) };
    let Some(kept) = registry.invite(site, id).await? else { return Ok(None) };
    let same = bool::from(hash(secret).as_bytes().ct_eq(kept.secret_hash.as_bytes()));
    let KeptInvite { role, principal: whose, expires_us, .. } = kept;
    let Some(who) = Who::named(&role, &whose) else {
        return Err(TokenFault::UnknownRole { role, id: whose });
    };
    let principal = Principal { site, who };
    let invited = Invited { principal, id: id.to_owned(), is_over: expires_us <= wall_us(now) };
    Ok(same.then_some(invited))
}

/// What is none is not looked up.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.trim().strip_prefix("hi_")?.split_once('_')?;
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    ((id.len(), secret.len()) == DIGITS && is_hex(id) && is_hex(secret)).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use session::MemoryRegistry;

    use super::*;

    #[tokio::test]
    async fn an_invitation_names_its_person_until_its_end() {
        let registry = MemoryRegistry::new();
        let site: SiteId = "main".parse().expect("a name");
        let ana: OperatorId = "ana".parse().expect("a name");
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let invite = invite(&registry, site, ana, end).await.expect("kept");
        let text = invite.reveal().to_owned();
        assert!(!format!("{invite:?}").contains(&text[20..]));
        let whose =
            async |text: &str, at: SystemTime| invited(&registry, site, text, at).await.expect("readable");
        let before = end - Duration::from_secs(1);
        let found = whose(&text, before).await.expect("it is right");
        assert!(found.principal.who == Who::Operator(ana) && !found.is_over);
        assert!(whose(&format!(" {text}\n"), end).await.expect("it was right").is_over);
        let other = if text.ends_with('0') { '1' } else { '0' };
        let wrong = format!("{}{other}", &text[..text.len() - 1]);
        for wrong in ["", "hi_", &text[3..], &text[..20], &wrong, &text.to_uppercase(), &format!("{text}0")] {
            assert_eq!(whose(wrong, before).await, None, "{wrong}");
        }
    }
}
