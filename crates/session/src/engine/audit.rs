//! The audit on either engine: every row by a statement of its own.

use async_trait::async_trait;
use switchboard::id::SiteId;

use super::{Engine, Part, Places, Statement, Stopped, most, number};
use crate::audit::{Audit, AuditEntry, AuditFault, AuditFilter, AuditRow, parse_hash};
use crate::sql;

#[async_trait]
impl<S: Engine> Audit for S {
    async fn record(&self, site: SiteId, entry: AuditEntry) -> Result<AuditRow, AuditFault> {
        let turn = self.audit_turn().lock().await;
        loop {
            // Read each time: nobody but the engine knows where it ends, and others may write to it.
            let last = self.row(Part::Journal, Statement::of(sql::LAST_AUDIT).with(site)).await?;
            let last = last.as_ref().map(stored).transpose()?;
            let row = AuditRow::behind(site, last.as_ref(), entry.clone());
            match self.change(Part::Journal, inserted(site, &row)).await {
                // Somebody else was faster: one row is written in each turn of this loop.
                Err(stopped) if stopped.is_key_taken() => {}
                answer => {
                    drop(turn);
                    answer?;
                    return Ok(row);
                }
            }
        }
    }

    async fn rows(
        &self,
        site: SiteId,
        filter: &AuditFilter,
        before: u64,
        rows_max: usize,
    ) -> Result<Vec<AuditRow>, AuditFault> {
        let asked = Statement::of(sql::AUDIT_ROWS)
            .with(site)
            .with(number(before))
            .with(filter.from_us.unwrap_or(i64::MIN))
            .with(filter.until_us.unwrap_or(i64::MAX))
            .with(filter.who.as_str())
            .with(filter.role.as_str())
            .with(filter.what.as_str())
            .with(filter.object.as_str())
            .with(most(rows_max));
        let rows = Engine::rows(self, Part::Journal, asked).await?;
        Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
    }

    async fn chain(&self, site: SiteId, after: u64, rows_max: usize) -> Result<Vec<AuditRow>, AuditFault> {
        let asked = Statement::of(sql::AUDIT_CHAIN).with(site).with(number(after)).with(most(rows_max));
        let rows = Engine::rows(self, Part::Journal, asked).await?;
        Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
    }

    async fn ends(&self) -> Result<Vec<(SiteId, u64)>, AuditFault> {
        let rows = Engine::rows(self, Part::Journal, Statement::of(sql::AUDIT_ENDS)).await?;
        let end = |row: &S::Row| Ok((row.named("site")?, row.count("number")?));
        Ok(rows.iter().map(end).collect::<Result<_, Stopped>>()?)
    }

    async fn drop_through(&self, site: SiteId, through: u64) -> Result<(), AuditFault> {
        let asked = Statement::of(sql::DROP_AUDIT).with(site).with(number(through));
        self.change(Part::Journal, asked).await?;
        Ok(())
    }
}

fn inserted(site: SiteId, row: &AuditRow) -> Statement {
    let AuditRow { number: nth, entry, hash } = row;
    Statement::of(sql::APPEND_AUDIT)
        .with(site)
        .with(number(*nth))
        .with(entry.wall_us)
        .with(entry.role.as_str())
        .with(entry.who.as_str())
        .with(entry.what.as_str())
        .with(entry.object.as_str())
        .with(entry.was.as_str())
        .with(entry.becomes.as_str())
        .with(entry.why.as_str())
        .with(entry.request.as_str())
        .with(entry.outcome.as_str())
        .with(number(entry.refers_to))
        .with(*hash)
}

/// A hash that is none is nobody's: the walk finds it.
fn stored(row: &impl Places) -> Result<AuditRow, Stopped> {
    Ok(AuditRow {
        number: row.count("number")?,
        entry: AuditEntry {
            wall_us: row.number("wall_us")?,
            role: row.text("role")?,
            who: row.text("who")?,
            what: row.text("what")?,
            object: row.text("object")?,
            was: row.text("was")?,
            becomes: row.text("becomes")?,
            why: row.text("why")?,
            request: row.text("request_id")?,
            outcome: row.text("outcome")?,
            refers_to: row.count("refers_to")?,
        },
        hash: parse_hash(&row.text("hash")?).unwrap_or_default(),
    })
}

impl From<Stopped> for AuditFault {
    fn from(stopped: Stopped) -> AuditFault {
        let (is_damage, why) = stopped.told();
        if is_damage { AuditFault::Damaged(why) } else { AuditFault::Unavailable(why) }
    }
}
