//! Snapshots and the cursor of the call records on either engine. Writing them never holds an append up.

use async_trait::async_trait;
use switchboard::id::{CallId, Seq, SiteId};

use super::records::{latest, record, replaced};
use super::{Engine, Part, Places, Statement, Stopped, Whole, most, number};
use crate::crash::{CrashPoint, reached};
use crate::derived::{
    Derived, DerivedFault, RecordCursor, RecordPlace, RecordQuery, RowMark, Snapshot, superfluous,
};
use crate::record::CallRecord;
use crate::sql;

#[async_trait]
impl<S: Engine> Derived for S {
    async fn keep_snapshot(&self, site: SiteId, snapshot: &Snapshot) -> Result<(), DerivedFault> {
        let rows = self.rows(Part::Derived, Statement::of(sql::SNAPSHOT_SEQS).with(site)).await?;
        let mut seqs = rows.iter().map(|row| row.count("seq").map(Seq)).collect::<Result<Vec<_>, _>>()?;
        seqs.retain(|seq| *seq != snapshot.seq);
        seqs.insert(seqs.partition_point(|seq| *seq > snapshot.seq), snapshot.seq);
        let mut statements = vec![drop_snapshot(site, snapshot.seq), insert_snapshot(site, snapshot)];
        statements.extend(superfluous(&seqs).into_iter().map(|seq| drop_snapshot(site, seq)));
        let whole = Whole { statements, before_commit: Some(CrashPoint::WithinSnapshot) };
        match self.change_all(Part::Derived, whole).await {
            // Somebody else keeps one of the same decision at this moment: one is enough.
            Err(stopped) if stopped.is_key_taken() => Ok(()),
            kept => kept.map(drop).map_err(DerivedFault::from),
        }
    }

    async fn snapshot(&self, site: SiteId, at_most: Seq) -> Result<Option<Snapshot>, DerivedFault> {
        let asked = Statement::of(sql::SNAPSHOT).with(site).with(at_most);
        let row = self.row(Part::Derived, asked).await?;
        Ok(row.as_ref().map(snapshot).transpose()?)
    }

    async fn record_cursor(&self, site: SiteId) -> Result<Option<RecordCursor>, DerivedFault> {
        let row = self.row(Part::Derived, Statement::of(sql::RECORD_CURSOR).with(site)).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(RecordCursor { seq: Seq(row.count("seq")?), row: mark(&row)? }))
    }

    async fn keep_records(
        &self,
        site: SiteId,
        records: &[CallRecord],
        from: Option<Seq>,
        to: RecordCursor,
    ) -> Result<(), DerivedFault> {
        if let Some(step) = from.and_then(|from| Self::step(site, from, to, records)) {
            let step = step.keepable()?;
            reached(CrashPoint::WithinRecords);
            // Asked again where the connection was broken: a step that was made is not made once more.
            return match self.row(Part::Derived, step).await? {
                Some(_) => Ok(()),
                None => Err(DerivedFault::Moved),
            };
        }
        // The cursor first: whoever else moves it waits here, and then sees that it was moved.
        let mut statements = vec![match from {
            Some(from) => cursor(Statement::of(sql::MOVE_RECORD_CURSOR).with(site).with(from), to),
            None => cursor(Statement::of(sql::BEGIN_RECORD_CURSOR).with(site), to),
        }];
        statements.extend(replaced(site, records));
        let whole = Whole { statements, before_commit: Some(CrashPoint::WithinRecords) };
        match self.change_all(Part::Derived, whole).await {
            Err(Stopped::KeyTaken(_) | Stopped::NotOne) => Err(DerivedFault::Moved),
            kept => kept.map(drop).map_err(DerivedFault::from),
        }
    }

    async fn open_records(&self, site: SiteId) -> Result<Vec<CallRecord>, DerivedFault> {
        let rows = self.rows(Part::Derived, Statement::of(sql::OPEN_RECORDS).with(site)).await?;
        Ok(rows.iter().map(record).collect::<Result<_, _>>()?)
    }

    async fn records(
        &self,
        site: SiteId,
        after: Seq,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let asked = Statement::of(sql::RECORDS).with(site).with(after).with(most(records_max));
        let rows = self.rows(Part::Derived, asked).await?;
        Ok(rows.iter().map(record).collect::<Result<_, _>>()?)
    }

    async fn record(&self, site: SiteId, call: CallId) -> Result<Option<CallRecord>, DerivedFault> {
        let row = self.row(Part::Derived, Statement::of(sql::RECORD).with(site).with(call)).await?;
        Ok(row.as_ref().map(record).transpose()?)
    }

    async fn latest_records(
        &self,
        site: SiteId,
        asked: &RecordQuery,
        behind: Option<RecordPlace>,
        records_max: usize,
    ) -> Result<Vec<CallRecord>, DerivedFault> {
        let rows = self.rows(Part::Derived, latest(site, asked, behind, records_max)).await?;
        Ok(rows.iter().map(record).collect::<Result<_, _>>()?)
    }

    async fn forget_records(&self, site: SiteId) -> Result<(), DerivedFault> {
        let statements = [sql::FORGET_RECORD_CURSOR, sql::FORGET_RECORDS];
        let statements = statements.map(|text| Statement::of(text).with(site)).into();
        self.change_all(Part::Derived, Whole::of(statements)).await?;
        Ok(())
    }
}

fn insert_snapshot(site: SiteId, snapshot: &Snapshot) -> Statement {
    Statement::of(sql::KEEP_SNAPSHOT)
        .with(site)
        .with(snapshot.seq)
        .with(i64::from(snapshot.state_version))
        .with(snapshot.row.seq)
        .with(snapshot.row.hash)
        .with(snapshot.hash)
        .with(snapshot.body.as_str())
}

fn drop_snapshot(site: SiteId, seq: Seq) -> Statement {
    Statement::of(sql::DROP_SNAPSHOT).with(site).with(seq)
}

fn snapshot(row: &impl Places) -> Result<Snapshot, Stopped> {
    Ok(Snapshot {
        seq: Seq(row.count("seq")?),
        state_version: u32::try_from(row.number("state_version")?).unwrap_or(u32::MAX),
        row: mark(row)?,
        hash: row.hash("hash")?,
        body: row.text("body")?,
    })
}

/// How far the records are, in the order of its columns.
pub(crate) fn cursor(statement: Statement, to: RecordCursor) -> Statement {
    statement.with(number(to.seq.0)).with(to.row.seq).with(to.row.hash).changing_one()
}

fn mark(row: &impl Places) -> Result<RowMark, Stopped> {
    Ok(RowMark { seq: Seq(row.count("row_seq")?), hash: row.hash("row_hash")? })
}

impl From<Stopped> for DerivedFault {
    fn from(stopped: Stopped) -> DerivedFault {
        let (is_damage, why) = stopped.told();
        if is_damage { DerivedFault::Damaged(why) } else { DerivedFault::Unavailable(why) }
    }
}
