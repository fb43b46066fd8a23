//! The registry in SQLite, in the journal's file: every change by a statement and a sync of its own.

use async_trait::async_trait;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Error, Row as _, Sqlite, query::Query};
use switchboard::canonical::Hash;
use switchboard::id::{Revision, SiteId};

use super::fault::{self, Kind};
use super::{SqliteStore, Writing};
use crate::registry::{KeptInvite, KeptRoster, KeptToken, Registry, RegistryFault, hash_of};
use crate::sql;

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

#[async_trait]
impl Registry for SqliteStore {
    async fn keep_token(&self, site: SiteId, token: &KeptToken) -> Result<(), RegistryFault> {
        let query = sqlx::query(sql::KEEP_TOKEN)
            .bind(site.as_str().to_owned())
            .bind(token.role.clone())
            .bind(token.principal.clone())
            .bind(token.token_id.clone())
            .bind(token.secret_hash.clone())
            .bind(token.expires_us);
        self.write(query).await
    }

    async fn forget_token(&self, site: SiteId, token_id: &str) -> Result<(), RegistryFault> {
        let query = sqlx::query(sql::FORGET_TOKEN).bind(site.as_str().to_owned()).bind(token_id.to_owned());
        self.write(query).await
    }

    async fn tokens(&self, site: SiteId) -> Result<Vec<KeptToken>, RegistryFault> {
        let mut reader = self.reader.lock().await;
        let query = sqlx::query(sql::TOKENS).bind(site.as_str().to_owned());
        let rows = query.fetch_all(&mut *reader).await.map_err(|error| judged(&error))?;
        let tokens: Result<_, Error> = rows.iter().map(token).collect();
        tokens.map_err(|error| judged(&error))
    }

    async fn keep_invite(&self, site: SiteId, invite: &KeptInvite) -> Result<(), RegistryFault> {
        let query = sqlx::query(sql::KEEP_INVITE)
            .bind(site.as_str().to_owned())
            .bind(invite.role.clone())
            .bind(invite.principal.clone())
            .bind(invite.invite_id.clone())
            .bind(invite.secret_hash.clone())
            .bind(invite.expires_us);
        self.write(query).await
    }

    async fn invite(&self, site: SiteId, invite_id: &str) -> Result<Option<KeptInvite>, RegistryFault> {
        let mut reader = self.reader.lock().await;
        let query = sqlx::query(sql::INVITE).bind(site.as_str().to_owned()).bind(invite_id.to_owned());
        let row = query.fetch_optional(&mut *reader).await.map_err(|error| judged(&error))?;
        row.as_ref().map(invite).transpose().map_err(|error| judged(&error))
    }

    async fn spend_invite(&self, site: SiteId, invite_id: &str) -> Result<bool, RegistryFault> {
        let query = sqlx::query(sql::SPEND_INVITE).bind(site.as_str().to_owned()).bind(invite_id.to_owned());
        let rows = self.try_write(query).await?.map_err(|error| judged(&error))?;
        Ok(rows > 0)
    }

    async fn forget_invite(&self, site: SiteId, role: &str, principal: &str) -> Result<(), RegistryFault> {
        let query = sqlx::query(sql::FORGET_INVITE)
            .bind(site.as_str().to_owned())
            .bind(role.to_owned())
            .bind(principal.to_owned());
        self.write(query).await
    }

    async fn keep_plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
        text: &str,
    ) -> Result<(), RegistryFault> {
        let query = sqlx::query(sql::KEEP_PLAN_TEXT)
            .bind(site.as_str().to_owned())
            .bind(i64::from(revision.0))
            .bind(plan.to_string())
            .bind(text.to_owned());
        self.write(query).await
    }

    async fn plan(
        &self,
        site: SiteId,
        revision: Revision,
        plan: Hash,
    ) -> Result<Option<String>, RegistryFault> {
        let mut reader = self.reader.lock().await;
        let query = sqlx::query(sql::PLAN_TEXT)
            .bind(site.as_str().to_owned())
            .bind(i64::from(revision.0))
            .bind(plan.to_string());
        let row = query.fetch_optional(&mut *reader).await.map_err(|error| judged(&error))?;
        row.map(|row| row.try_get("text")).transpose().map_err(|error| judged(&error))
    }

    async fn settle_plan(&self, site: SiteId, revision: Revision, plan: Hash) -> Result<(), RegistryFault> {
        let query = sqlx::query(sql::SETTLE_PLAN_TEXT)
            .bind(site.as_str().to_owned())
            .bind(i64::from(revision.0))
            .bind(plan.to_string());
        self.write(query).await
    }

    async fn plans(&self, site: SiteId) -> Result<Vec<(Revision, Hash)>, RegistryFault> {
        let mut reader = self.reader.lock().await;
        let query = sqlx::query(sql::PLAN_TEXTS).bind(site.as_str().to_owned());
        let rows = query.fetch_all(&mut *reader).await.map_err(|error| judged(&error))?;
        rows.iter().map(plan_text).collect()
    }

    async fn keep_roster(&self, site: SiteId, roster: &KeptRoster) -> Result<bool, RegistryFault> {
        let query = sqlx::query(sql::KEEP_ROSTER)
            .bind(site.as_str().to_owned())
            .bind(i64::from(roster.revision))
            .bind(roster.kept_us)
            .bind(roster.text.clone());
        match self.try_write(query).await? {
            Ok(_) => Ok(true),
            Err(error) if fault::kind(&error) == Kind::KeyTaken => Ok(false),
            Err(error) => Err(judged(&error)),
        }
    }

    async fn roster(&self, site: SiteId) -> Result<Option<KeptRoster>, RegistryFault> {
        let mut reader = self.reader.lock().await;
        let query = sqlx::query(sql::ROSTER).bind(site.as_str().to_owned());
        let row = query.fetch_optional(&mut *reader).await.map_err(|error| judged(&error))?;
        row.as_ref().map(roster).transpose().map_err(|error| judged(&error))
    }
}

fn plan_text(row: &SqliteRow) -> Result<(Revision, Hash), RegistryFault> {
    let revision: i64 = row.try_get("revision").map_err(|error| judged(&error))?;
    let revision = u32::try_from(revision).map_err(|fault| RegistryFault::Damaged(fault.to_string()))?;
    let hash: String = row.try_get("plan_hash").map_err(|error| judged(&error))?;
    Ok((Revision(revision), hash_of(&hash)?))
}

fn roster(row: &SqliteRow) -> Result<KeptRoster, Error> {
    let revision: i64 = row.try_get("revision")?;
    let revision = u32::try_from(revision).map_err(|fault| Error::Decode(fault.into()))?;
    Ok(KeptRoster { revision, kept_us: row.try_get("kept_us")?, text: row.try_get("text")? })
}

impl SqliteStore {
    async fn write(&self, query: Statement<'_>) -> Result<(), RegistryFault> {
        self.try_write(query).await?.map(drop).map_err(|error| judged(&error))
    }

    /// Says how many rows there were.
    async fn try_write(&self, query: Statement<'_>) -> Result<Result<u64, Error>, RegistryFault> {
        let Some(Writing { writer, sweep, .. }) = &self.writing else {
            return Err(RegistryFault::Unavailable("it was opened to be read only".to_owned()));
        };
        let mut writer = writer.lock().await;
        if sweep.is_broken() {
            return Err(RegistryFault::Unavailable("an earlier write failed; restart the server".to_owned()));
        }
        let written = query.execute(&mut writer.connection).await.map(|done| done.rows_affected());
        if written.as_ref().is_err_and(|error| fault::kind(error) == Kind::Broken) {
            sweep.broke();
        }
        Ok(written)
    }
}

fn judged(error: &Error) -> RegistryFault {
    match fault::kind(error) {
        Kind::Damaged | Kind::KeyTaken => RegistryFault::Damaged(error.to_string()),
        _ => RegistryFault::Unavailable(error.to_string()),
    }
}

fn invite(row: &SqliteRow) -> Result<KeptInvite, Error> {
    Ok(KeptInvite {
        role: row.try_get("role")?,
        principal: row.try_get("principal")?,
        invite_id: row.try_get("invite_id")?,
        secret_hash: row.try_get("secret_hash")?,
        expires_us: row.try_get("expires_us")?,
    })
}

fn token(row: &SqliteRow) -> Result<KeptToken, Error> {
    Ok(KeptToken {
        role: row.try_get("role")?,
        principal: row.try_get("principal")?,
        token_id: row.try_get("token_id")?,
        secret_hash: row.try_get("secret_hash")?,
        expires_us: row.try_get("expires_us")?,
    })
}
