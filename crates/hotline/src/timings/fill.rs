//! The site that commands are timed on: a long history, several plans, and an audit of some thousand rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use session::{
    Audit, AuditEntry, Derived, FORMAT, Journal, MemoryCallers, Registry, Retention, Row, RowMark,
    SNAPSHOT_STEP, Snapshot, SqliteStore, SweptStores, Writer, sweep,
};
use sim::drive::Drive;
use sim::world::{World, WorldConfig};
use switchboard::canonical;
use switchboard::canonical::Hash;
use switchboard::command::{Actor, Adoption, Command, Input};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Revision, Seq};
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};
use tokio::sync::mpsc;

use super::site;

const CALLS_A_DAY: u32 = 4_000;
/// A day of so many calls has more decisions than this.
const DECISIONS_A_DAY: u64 = 25_000;
const DAY_US: i64 = 86_400_000_000;
/// So many plans were in force, one after the other.
const REVISIONS: u32 = 20;
/// So much was asked of the office, each act in two rows.
const ACTS: u32 = 2_000;

/// The history of as many of a simulated hospital's days as it takes, one decision in a row, which is the slowest to read.
///
/// # Errors
/// When it cannot be made or stored.
pub(super) async fn fill(data: &Path, decisions: u64) -> Result<()> {
    let days = decisions / DECISIONS_A_DAY + 1;
    let begin_us = wall_us()? - (i64::try_from(days)? + 1) * DAY_US;
    let store = SqliteStore::open(data).await?;
    let (rows, mut made) = mpsc::channel::<Made>(4_096);
    let making = thread::spawn(move || make(decisions, days, begin_us, &rows));
    let mut adopted = Vec::new();
    while let Some(made) = made.recv().await {
        match made {
            Made::Row(row) => {
                // The first decisions adopt the plans.
                if row.seq.0 <= u64::from(REVISIONS) {
                    let decision = session::decode(&row)?.remove(0);
                    adopted.extend(keep_plan(&store, &decision).await?);
                }
                store.append(site(), &row).await?;
            }
            // As a site that lived through all of it would have them.
            Made::State(state) => {
                let rows = store.tail(site(), Seq(state.seq.0 - 1), 1).await?;
                let row = rows.first().context("its row was appended before")?;
                store.keep_snapshot(site(), &Snapshot::of(&state, RowMark::of(row))).await?;
            }
        }
    }
    if making.join().is_err() {
        bail!("the history could not be made");
    }
    record_acts(&store, &adopted, begin_us).await?;
    store.close().await;
    Ok(())
}

fn wall_us() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?)
}

/// The text of the plan that a decision adopted: whoever asks for the plan is given it.
async fn keep_plan(store: &SqliteStore, decision: &Decision) -> Result<Option<(Revision, Hash)>> {
    for event in &decision.events {
        if let Event::PlanAdopted { revision, plan, .. } = event {
            let hash = Hash::of(&canonical::encode(&**plan));
            store.keep_plan(site(), *revision, hash, &plan_text(revision.0)).await?;
            return Ok(Some((*revision, hash)));
        }
    }
    Ok(None)
}

/// A plan that differs from the hospital's in one number, and from each other's.
pub(super) fn plan_text(revision: u32) -> String {
    plan::HOSPITAL.replacen("max_waiting = 80", &format!("max_waiting = {}", 79 + revision), 1)
}

/// Rows of the audit, as acts of an administrator leave them: the plans first, then pauses.
async fn record_acts(store: &SqliteStore, adopted: &[(Revision, Hash)], begin_us: i64) -> Result<()> {
    let mut adopted = adopted.iter();
    let step_us = (wall_us()? - begin_us) / i64::from(ACTS);
    for n in 0..ACTS {
        let (what, object, becomes) = match adopted.next() {
            Some((Revision(revision), hash)) => {
                ("plan.apply", "plan", format!("{{\"revision\":{revision},\"hash\":\"{hash}\"}}"))
            }
            None => ("operator.pause", "operator:timings", "{}".to_owned()),
        };
        let asked = AuditEntry {
            wall_us: begin_us.saturating_add(i64::from(n) * step_us),
            role: "admin".to_owned(),
            who: "admin".to_owned(),
            what: what.to_owned(),
            object: object.to_owned(),
            becomes,
            outcome: AuditEntry::ASKED.to_owned(),
            ..AuditEntry::default()
        };
        // Calls have records by the same word.
        let row = Audit::record(store, site(), asked.clone()).await?;
        let outcome = AuditEntry::DONE.to_owned();
        let ended = AuditEntry { outcome, refers_to: row.number, becomes: String::new(), ..asked };
        Audit::record(store, site(), ended).await?;
    }
    Ok(())
}

/// A copy of a site that nobody serves, in which the records of the first calls were let go.
///
/// # Errors
/// When it cannot be copied, or none were.
pub(super) async fn let_go(data: &Path, to: &Path, first_wall_us: i64) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    let (store, callers) = (SqliteStore::open(to).await?, MemoryCallers::random());
    let stores =
        SweptStores { journal: &store, derived: &store, records: &store, subjects: &callers, audit: &store };
    // As if it were a day and a moment after the first of them.
    let retention = Retention { records_days: Some(1), ..Retention::default() };
    let swept = sweep(site(), &retention, first_wall_us + DAY_US + 1, stores).await?;
    ensure!(swept.records > 0, "no record was let go");
    store.close().await;
    Ok(())
}

/// What a history is made of.
enum Made {
    Row(Row),
    State(Box<State>),
}

fn make(decisions: u64, days: u64, begin_us: i64, rows: &mpsc::Sender<Made>) {
    let calls = CALLS_A_DAY * u32::try_from(days).unwrap_or(u32::MAX / CALLS_A_DAY);
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).expect("the shipped plan is one").plan;
    let mut config = WorldConfig::hospital(&plan, 1, calls, 1);
    config.length = Span::secs(86_400 * days);
    let world = World::new(config, &plan);
    let end = world.end();
    let mut drive = Drive::new(world, &plan, SiteTime(0));
    let (at, adoption) = drive.script()[0].clone();
    let first = switchboard::Switchboard::new().handle(at, adoption).expect("a first plan is adopted");
    let send = |decision: &Decision| {
        let row = Row {
            seq: decision.seq,
            last_seq: decision.seq,
            at: decision.at,
            wall_us: begin_us.saturating_add(i64::try_from(decision.at.0).unwrap_or(i64::MAX)),
            writer: Writer::new("timings"),
            format: FORMAT,
            body: session::encode([decision]),
        };
        // Nobody takes them any more: whoever did has said why.
        decision.seq.0 > decisions || rows.blocking_send(Made::Row(row)).is_ok()
    };
    let mut taken = send(&first);
    for revision in 2..=REVISIONS {
        let adopted =
            drive.switchboard.handle(at, adopt(revision)).expect("nothing is due before anybody rang in");
        taken &= send(&adopted);
    }
    // By the hour, to stop when there are enough.
    let mut until = SiteTime(0);
    while taken && until < end && drive.switchboard.state().seq.0 < decisions {
        until = until + Span::secs(3_600);
        drive.run(until, |decision, switchboard| {
            taken &= send(decision);
            if decision.seq.0.is_multiple_of(SNAPSHOT_STEP) && decision.seq.0 <= decisions {
                taken &= rows.blocking_send(Made::State(Box::new(switchboard.state().clone()))).is_ok();
            }
        });
    }
}

/// The adoption of the plan that becomes this revision.
fn adopt(revision: u32) -> Input {
    let plan = plan::parse("plan.toml", &plan_text(revision)).expect("only a number is another").plan;
    let expect = Revision(revision - 1);
    let adoption = Adoption { plan, expect, migrate: false, move_waiting: BTreeMap::new() };
    Input {
        actor: Actor::Admin("admin".parse().expect("the letters of a name")),
        request: None,
        command: Command::AdoptPlan(Box::new(adoption)),
    }
}
