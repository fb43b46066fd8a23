//! What an append makes true, and what a lost one makes undone.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use presence::Holder;
use session::crash::{CrashPoint, reached};
use session::{Appended, BodyFault, Journal, JournalFault, Row, StoredRow};
use switchboard::command::{Actor, Command, Input};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Seq, SiteId};
use switchboard::operator::Link;
use switchboard::state::State;
use switchboard::time::SiteTime;
use tokio::time::Instant;

use crate::ask::{Ask, Refused};
use crate::batch::Batch;
use crate::handle::Shared;
use crate::planted::Mistake;
use crate::readiness::COMMIT_OVERDUE_AFTER;
use crate::run::Runner;

/// Rows read at once when catching up.
pub(crate) const TAIL_ROWS_MAX: usize = 256;

/// The first wait before a store that did not answer is asked again; doubled up to [`RETRY_MS_MAX`].
const RETRY_MS_MIN: u64 = 20;
const RETRY_MS_MAX: u64 = 1_000;

/// An append under way.
pub(crate) struct Flight {
    pub(crate) batch: Batch,
    /// That it takes long has been told.
    pub(crate) told_overdue: bool,
    format: u32,
    since: Instant,
    done: Pin<Box<dyn Future<Output = Result<Appended, JournalFault>> + Send>>,
}

impl Flight {
    /// When it will have taken long, unless that has been told.
    pub(crate) fn overdue_at(&self) -> Option<Instant> {
        (!self.told_overdue).then(|| self.since + COMMIT_OVERDUE_AFTER)
    }

    pub(crate) async fn landed(&mut self) -> Result<Appended, JournalFault> {
        self.done.as_mut().await
    }
}

/// Why a journal cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TailFault {
    #[error(transparent)]
    Journal(#[from] JournalFault),
    #[error(transparent)]
    Body(#[from] BodyFault),
}

impl Runner {
    /// Sends what was decided on its way.
    pub(crate) fn append(&mut self) {
        let batch = std::mem::take(&mut self.building);
        if let Some(row) = self.row(&batch) {
            self.launch(batch, row);
        }
    }

    fn row(&mut self, batch: &Batch) -> Option<Row> {
        let (first, last) = (batch.decisions.first()?, batch.decisions.last()?);
        let wall_us = self.shared.clock.wall_us();
        self.schedule.compare(last.at, wall_us);
        let format = self.shared.format.next();
        Some(Row {
            seq: first.seq,
            last_seq: last.seq,
            at: last.at,
            wall_us,
            writer: self.writer.clone(),
            format,
            body: session::encode_in(format, batch.decisions.iter().map(Arc::as_ref)),
        })
    }

    fn launch(&mut self, batch: Batch, row: Row) {
        if self.planted.is(Mistake::PublishBeforeAppend) {
            self.shared.published.publish(&batch.decisions);
        }
        reached(CrashPoint::BeforeAppend);
        let format = row.format;
        let done = Box::pin(append(Arc::clone(&self.journal), self.shared.site, row));
        self.in_flight = Some(Flight { batch, told_overdue: false, format, since: Instant::now(), done });
    }

    /// An append ended.
    pub(crate) async fn land(&mut self, landed: Result<Appended, JournalFault>) {
        let Some(Flight { batch, format, since, .. }) = self.in_flight.take() else { return };
        self.shared.readiness.landed();
        match landed {
            Ok(stored @ (Appended::Stored | Appended::Awaited)) => {
                self.committed(batch, since);
                self.shared.format.reached(format);
                self.way.went(stored == Appended::Awaited);
                if stored == Appended::Awaited {
                    self.give_way().await;
                }
            }
            Ok(Appended::Lost) if self.planted.is(Mistake::LostIsStored) => {
                self.committed(batch, since);
            }
            Ok(Appended::Lost) if self.planted.is(Mistake::ForgetTheLost) => {
                drop(batch);
                self.catch_up().await;
            }
            Ok(Appended::Lost) => self.lost(batch).await,
            // Nobody can be told what became of it, so nobody is.
            Err(fault @ JournalFault::RestartNeeded(_)) => {
                drop(batch);
                self.degrade(&fault.to_string());
                self.shared.restart.send_replace(true);
            }
            Err(fault) => {
                self.again.extend(batch.into_asks());
                self.degrade(&fault.to_string());
            }
        }
    }

    fn committed(&mut self, batch: Batch, began: Instant) {
        let landed = Instant::now();
        self.turns.wrote(&self.writer);
        reached(CrashPoint::BeforePublish);
        let counters = &self.shared.counters;
        counters.appends.fetch_add(1, Ordering::Relaxed);
        counters.decisions.fetch_add(batch.decisions.len() as u64, Ordering::Relaxed);
        if !self.planted.is(Mistake::PublishBeforeAppend) {
            self.shared.published.publish(&batch.decisions);
        }
        self.shared.presence.announce(self.shared.published.cursor().seq);
        batch.mark_stored(began, landed);
        for decision in &batch.decisions {
            self.note_links(decision);
        }
        batch.done_before().for_each(|ask| self.note_link_again(ask));
        reached(CrashPoint::BeforeReply);
        batch.answer(self.shared.published.cursor());
        reached(CrashPoint::AfterReply);
    }

    async fn lost(&mut self, batch: Batch) {
        self.shared.counters.lost.fetch_add(1, Ordering::Relaxed);
        self.came_second().await;
        let mut asks = batch.into_asks();
        asks.extend(std::mem::take(&mut self.building).into_asks());
        let has_hours = self.ask_again(asks);
        self.catch_up().await;
        self.come_behind(has_hours);
    }

    /// These are decided again, before everything else. Says whether hours were among them: those are not.
    pub(crate) fn ask_again(&mut self, mut asks: VecDeque<Ask>) -> bool {
        asks.append(&mut self.again);
        let asked = asks.len();
        asks.retain(|ask| !ask.lays_hours());
        let has_hours = asks.len() < asked;
        self.again = asks;
        has_hours
    }

    /// What is asked again is decided behind what others appended.
    pub(crate) fn come_behind(&mut self, has_hours: bool) {
        // Whom another router attached meanwhile is not gone, whatever was known here before.
        let Shared { presence, .. } = &*self.shared;
        let is_moot =
            |input: &Input| input.actor == Actor::Presence && presence.is_linked_again(&input.command);
        self.again.retain(|ask| !is_moot(&ask.input));
        // Hours that were not laid are laid anew, from what is there now.
        if has_hours {
            self.schedule.due = Some(self.now());
        }
    }

    /// Follows the journal to its end and drafts from there. Only with nothing under way.
    pub(crate) async fn catch_up(&mut self) {
        // A draft with nothing of its own goes along. To copy what is published takes the longer the larger the hospital is.
        let goes_along = self.draft.state().seq == self.shared.published.cursor().seq;
        loop {
            let after = self.shared.published.cursor().seq;
            let rows = self.journal.tail(self.shared.site, after, TAIL_ROWS_MAX).await;
            match rows.map_err(TailFault::from).and_then(|rows| Ok((decided(after, &rows)?, rows))) {
                Ok((_, rows)) if rows.is_empty() => break,
                Ok((decisions, rows)) => {
                    rows.iter().for_each(|stored| self.turns.wrote(&stored.row.writer));
                    for decision in &decisions {
                        self.schedule.note(decision);
                        self.shared.clock.reach(decision.at);
                        self.links(decision, |at, holder| {
                            self.shared.presence.attached_elsewhere(at, holder);
                        });
                    }
                    self.shared.published.publish(&decisions);
                    if goes_along {
                        decisions.iter().for_each(|decision| self.draft.evolve(decision));
                    }
                    rows.iter().for_each(|stored| self.shared.format.reached(stored.row.format));
                    if rows.len() < TAIL_ROWS_MAX {
                        break;
                    }
                }
                Err(TailFault::Journal(JournalFault::Unavailable(_) | JournalFault::OutcomeUnknown(_))) => {
                    tokio::time::sleep(Duration::from_millis(RETRY_MS_MIN)).await;
                }
                Err(fault) => {
                    self.degrade(&fault.to_string());
                    // Others read it: the next start does not serve it here, and clients go to one of them.
                    let is_too_old = matches!(fault, TailFault::Body(BodyFault::UnknownFormat { .. }));
                    if is_too_old && self.doubts.has_company {
                        self.shared.restart.send_replace(true);
                    }
                    break;
                }
            }
        }
        if !goes_along {
            self.draft = self.shared.published.read().durable.clone();
        }
    }

    /// Commits everything that was decided and everything that has to be decided again.
    pub(crate) async fn commit_all(&mut self) {
        loop {
            self.decide_again();
            if self.in_flight.is_none() && self.building.is_empty() {
                break;
            }
            if self.in_flight.is_none() {
                self.append();
            }
            if let Some(flight) = &mut self.in_flight {
                let landed = flight.landed().await;
                self.land(landed).await;
            }
        }
    }

    /// A desk or gateway that was attached has a lease from here on.
    fn note_links(&self, decision: &Decision) {
        self.links(decision, |at, holder| self.shared.presence.attached(at, holder));
    }

    /// Whom a decision attaches.
    fn links(&self, decision: &Decision, note: impl Fn(SiteTime, Holder)) {
        let at = self.shared.clock.now();
        for event in &decision.events {
            let holder = match *event {
                Event::DeskAttached { operator, desk, session } => Holder::Desk { operator, desk, session },
                Event::GatewayAttached { gateway, incarnation, .. } => {
                    Holder::Gateway { gateway, incarnation }
                }
                _ => continue,
            };
            note(at, holder);
        }
    }

    /// It was attached already, and says so again: its lease may have ended without anybody having decided so.
    pub(crate) fn note_link_again(&self, ask: &Ask) {
        let holder = {
            let inside = self.shared.published.read();
            still_attached(inside.durable.state(), &ask.input)
        };
        if let Some(holder) = holder {
            self.shared.presence.attached(self.shared.clock.now(), holder);
        }
    }

    /// The site takes no decisions from here on; reads go on.
    pub(crate) fn degrade(&mut self, because: &str) {
        tracing::error!(site = %self.shared.site, because, "the site takes no decisions from here on");
        self.shared.inbox.refuse(Refused::Degraded);
        self.shared.readiness.degraded();
        self.degraded = true;
        self.again.extend(std::mem::take(&mut self.building).into_asks());
    }
}

/// Whom an input attaches, if that is who the journal leaves attached.
fn still_attached(state: &State, input: &Input) -> Option<Holder> {
    match (&input.command, input.actor) {
        (&Command::AttachDesk { operator, desk }, _) => {
            let known = state.operators.get(&operator)?;
            let holder = Holder::Desk { operator, desk, session: known.session };
            (known.link == Link::Online && known.desk == Some(desk)).then_some(holder)
        }
        (&Command::AttachGateway { incarnation, .. }, Actor::Gateway(gateway)) => {
            let known = state.gateways.get(&gateway)?;
            let holder = Holder::Gateway { gateway, incarnation };
            (known.attached && known.incarnation == incarnation).then_some(holder)
        }
        _ => None,
    }
}

/// One row, until the store has said what became of it.
async fn append(journal: Arc<dyn Journal>, site: SiteId, row: Row) -> Result<Appended, JournalFault> {
    let mut retry_ms = RETRY_MS_MIN;
    let mut may_be_there = false;
    loop {
        match journal.append(site, &row).await {
            Ok(Appended::Lost) if may_be_there => {}
            Err(JournalFault::OutcomeUnknown(fault)) => {
                tracing::warn!(%site, seq = row.seq.0, fault, "an append without an answer; looking for it");
                may_be_there = true;
            }
            Err(JournalFault::Unavailable(fault)) => {
                tracing::warn!(%site, seq = row.seq.0, fault, retry_ms, "an append was not taken; trying again");
            }
            answer => return answer,
        }
        // That nothing is there proves nothing: a database may do what it was asked after nobody waits for it any more.
        if may_be_there
            && let Ok(found) = journal.tail(site, before(row.seq), 1).await
            && let Some(stored) = found.first()
        {
            return Ok(if stored.row == row { Appended::Stored } else { Appended::Lost });
        }
        tokio::time::sleep(Duration::from_millis(retry_ms)).await;
        retry_ms = (retry_ms * 2).min(RETRY_MS_MAX);
    }
}

/// The decisions of the rows behind `after`.
pub(crate) fn decided(after: Seq, rows: &[StoredRow]) -> Result<Vec<Arc<Decision>>, TailFault> {
    let mut decisions = Vec::new();
    for stored in rows {
        decisions.extend(session::decode(&stored.row)?.into_iter().map(Arc::new));
    }
    let follow = (after.0 + 1..).zip(&decisions).all(|(seq, decision)| decision.seq.0 == seq);
    if follow {
        Ok(decisions)
    } else {
        let damage = format!("its rows behind decision {} do not follow each other", after.0);
        Err(JournalFault::Damaged(damage).into())
    }
}

fn before(seq: Seq) -> Seq {
    Seq(seq.0.saturating_sub(1))
}
