//! The registry on either engine: every change by a statement of its own.

use async_trait::async_trait;
use switchboard::canonical::Hash;
use switchboard::id::{Revision, SiteId};

use super::{Engine, Part, Places, Statement, Stopped, unreadable};
use crate::registry::{KeptInvite, KeptRoster, KeptToken, Registry, RegistryFault};
use crate::sql;

#[async_trait]
impl<S: Engine> Registry for S {
    async fn keep_token(&self, site: SiteId, token: &KeptToken) -> Result<(), RegistryFault> {
        changed(self.change(Part::Journal, of_token(sql::KEEP_TOKEN, site, token)).await)
    }

    async fn keep_first_token(&self, site: SiteId, token: &KeptToken) -> Result<bool, RegistryFault> {
        first(self.change(Part::Journal, of_token(sql::KEEP_FIRST_TOKEN, site, token)).await)
    }

    async fn forget_token(&self, site: SiteId, token_id: &str) -> Result<(), RegistryFault> {
        let asked = Statement::of(sql::FORGET_TOKEN).with(site).with(token_id);
        changed(self.change(Part::Journal, asked).await)
    }

    async fn tokens(&self, site: SiteId) -> Result<Vec<KeptToken>, RegistryFault> {
        let rows = self.rows(Part::Journal, Statement::of(sql::TOKENS).with(site)).await?;
        Ok(rows.iter().map(token).collect::<Result<_, _>>()?)
    }

    async fn keep_invite(&self, site: SiteId, invite: &KeptInvite) -> Result<(), RegistryFault> {
        let asked = Statement::of(sql::KEEP_INVITE)
            .with(site)
            .with(invite.role.as_str())
            .with(invite.principal.as_str())
            .with(invite.invite_id.as_str())
            .with(invite.secret_hash.as_str())
            .with(invite.expires_us);
        changed(self.change(Part::Journal, asked).await)
    }

    async fn invite(&self, site: SiteId, invite_id: &str) -> Result<Option<KeptInvite>, RegistryFault> {
        let row = self.row(Part::Journal, Statement::of(sql::INVITE).with(site).with(invite_id)).await?;
        Ok(row.as_ref().map(invite).transpose()?)
    }

    async fn spend_invite(&self, site: SiteId, invite_id: &str) -> Result<bool, RegistryFault> {
        let asked = Statement::of(sql::SPEND_INVITE).with(site).with(invite_id);
        Ok(self.change(Part::Journal, asked).await? > 0)
    }

    async fn forget_invite(&self, site: SiteId, role: &str, principal: &str) -> Result<(), RegistryFault> {
        let asked = Statement::of(sql::FORGET_INVITE).with(site).with(role).with(principal);
        changed(self.change(Part::Journal, asked).await)
    }

    async fn keep_plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
        text: &str,
    ) -> Result<(), RegistryFault> {
        let asked = of_plan(sql::KEEP_PLAN_TEXT, site, revision, plan).with(text);
        changed(self.change(Part::Journal, asked).await)
    }

    async fn plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
    ) -> Result<Option<String>, RegistryFault> {
        let row = self.row(Part::Journal, of_plan(sql::PLAN_TEXT, site, revision, plan)).await?;
        Ok(row.map(|row| row.text("text")).transpose()?)
    }

    async fn settle_plan(&self, site: SiteId, revision: Revision, plan: Hash) -> Result<(), RegistryFault> {
        changed(self.change(Part::Journal, of_plan(sql::SETTLE_PLAN_TEXT, site, revision, plan)).await)
    }

    async fn plans(&self, site: SiteId) -> Result<Vec<(Revision, Hash)>, RegistryFault> {
        let rows = self.rows(Part::Journal, Statement::of(sql::PLAN_TEXTS).with(site)).await?;
        let plan = |row: &S::Row| Ok((Revision(revision(row)?), row.hash("plan_hash")?));
        Ok(rows.iter().map(plan).collect::<Result<_, Stopped>>()?)
    }

    async fn keep_roster(&self, site: SiteId, roster: &KeptRoster) -> Result<bool, RegistryFault> {
        let asked = Statement::of(sql::KEEP_ROSTER)
            .with(site)
            .with(i64::from(roster.revision))
            .with(roster.kept_us)
            .with(roster.text.as_str());
        first(self.change(Part::Journal, asked).await)
    }

    async fn roster(&self, site: SiteId) -> Result<Option<KeptRoster>, RegistryFault> {
        let row = self.row(Part::Journal, Statement::of(sql::ROSTER).with(site)).await?;
        Ok(row.as_ref().map(roster).transpose()?)
    }
}

fn of_token(text: &'static str, site: SiteId, token: &KeptToken) -> Statement {
    Statement::of(text)
        .with(site)
        .with(token.role.as_str())
        .with(token.principal.as_str())
        .with(token.token_id.as_str())
        .with(token.secret_hash.as_str())
        .with(token.expires_us)
}

/// Whether it was the first at its key.
fn first(rows: Result<u64, Stopped>) -> Result<bool, RegistryFault> {
    match rows {
        Ok(_) => Ok(true),
        Err(stopped) if stopped.is_key_taken() => Ok(false),
        Err(stopped) => Err(stopped.into()),
    }
}

fn of_plan(text: &'static str, site: SiteId, revision: Revision, plan: Hash) -> Statement {
    Statement::of(text).with(site).with(i64::from(revision.0)).with(plan)
}

fn changed(rows: Result<u64, Stopped>) -> Result<(), RegistryFault> {
    rows.map(drop).map_err(RegistryFault::from)
}

fn token(row: &impl Places) -> Result<KeptToken, Stopped> {
    Ok(KeptToken {
        role: row.text("role")?,
        principal: row.text("principal")?,
        token_id: row.text("token_id")?,
        secret_hash: row.text("secret_hash")?,
        expires_us: row.number_or_none("expires_us")?,
    })
}

fn invite(row: &impl Places) -> Result<KeptInvite, Stopped> {
    Ok(KeptInvite {
        role: row.text("role")?,
        principal: row.text("principal")?,
        invite_id: row.text("invite_id")?,
        secret_hash: row.text("secret_hash")?,
        expires_us: row.number("expires_us")?,
    })
}

fn roster(row: &impl Places) -> Result<KeptRoster, Stopped> {
    Ok(KeptRoster { revision: revision(row)?, kept_us: row.number("kept_us")?, text: row.text("text")? })
}

fn revision(row: &impl Places) -> Result<u32, Stopped> {
    let revision = row.number("revision")?;
    u32::try_from(revision).map_err(|fault| unreadable("revision", revision, fault))
}

impl From<Stopped> for RegistryFault {
    fn from(stopped: Stopped) -> RegistryFault {
        let (is_damage, why) = stopped.told();
        if is_damage { RegistryFault::Damaged(why) } else { RegistryFault::Unavailable(why) }
    }
}
