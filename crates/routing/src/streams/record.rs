//! The record as a stream: every decision behind a cursor, none left out. What the exchange has forgotten is read from
//! the journal.

use std::collections::VecDeque;
use std::sync::Arc;

use api::v1;
use exchange::{BATCH_DECISIONS_MAX, Cursor, ExchangeHandle, Feed, FeedItem};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::Value;
use session::Journal;
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::Seq;
use tokio::sync::watch;
use tonic::{Code, Status};

use super::{Told, closing, wire_cursor};
use crate::refusal::{Reason, status};

/// Decisions of one message: it stays far below what a client takes by default.
const MESSAGE_DECISIONS_MAX: usize = 64;

/// Text of one message. A decision that adopts a plan can be longer; it then comes alone.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Rows read from the journal at once: more than one append has decisions, so that every page brings news.
const ROWS_MAX: usize = 4 * BATCH_DECISIONS_MAX;

struct Reading {
    exchange: ExchangeHandle,
    journal: Arc<dyn Journal>,
    feed: Feed,
    /// The last decision sent.
    place: Seq,
    /// Up to here the feed cannot tell and the journal can.
    forgotten: Seq,
    reset: bool,
    ahead: VecDeque<Arc<Decision>>,
    told: watch::Receiver<Told>,
}

/// Decisions behind a cursor, or from the first, until the router or the exchange ends.
pub(crate) fn record(
    exchange: ExchangeHandle,
    journal: Arc<dyn Journal>,
    after: Option<Cursor>,
    told: watch::Receiver<Told>,
) -> impl Stream<Item = Result<v1::TailEventsResponse, Status>> {
    let here = exchange.cursor();
    let known = after.filter(|after| after.epoch == here.epoch && after.seq <= here.seq);
    let place = known.map_or(Seq(0), |known| known.seq);
    let reset = after.is_some() && known.is_none();
    let feed = exchange.subscribe(Some(Cursor { seq: place, ..here }));
    let ahead = VecDeque::new();
    let reading = Reading { exchange, journal, feed, place, forgotten: place, reset, ahead, told };
    unfold(Some(reading), |reading| async move {
        let mut reading = reading?;
        match reading.next().await {
            Ok(message) => Some((Ok(message), Some(reading))),
            Err(status) => Some((Err(status), None)),
        }
    })
}

impl Reading {
    async fn next(&mut self) -> Result<v1::TailEventsResponse, Status> {
        while self.ahead.is_empty() {
            if self.place < self.forgotten {
                self.read_journal().await?;
                continue;
            }
            let item = tokio::select! {
                item = self.feed.next() => item,
                // An error means that nobody follows the exchange any more.
                _ = self.told.wait_for(|told| told.ended) => None,
            };
            self.take_in(item.ok_or_else(closing)?);
        }
        while self.place >= self.forgotten && self.ahead.len() < MESSAGE_DECISIONS_MAX {
            let Some(item) = self.feed.ready() else { break };
            self.take_in(item);
        }
        Ok(self.message())
    }

    fn take_in(&mut self, item: FeedItem) {
        match item {
            FeedItem::Decision(decision) => self.ahead.push_back(decision),
            FeedItem::Reset(_) => self.forgotten = self.feed.cursor().seq,
        }
    }

    /// The next page of what the feed has forgotten.
    async fn read_journal(&mut self) -> Result<(), Status> {
        let rows = self.journal.tail(self.exchange.site(), row_start(self.place), ROWS_MAX).await;
        let mut last = self.place;
        for stored in rows.map_err(|fault| unreadable(&fault.to_string()))? {
            let decisions = session::decode(&stored.row).map_err(|fault| unreadable(&fault.to_string()))?;
            for decision in decisions {
                if decision.seq == last.next() && decision.seq <= self.forgotten {
                    last = decision.seq;
                    self.ahead.push_back(Arc::new(decision));
                }
            }
        }
        if self.ahead.is_empty() { Err(unreadable("decisions are missing from it")) } else { Ok(()) }
    }

    fn message(&mut self) -> v1::TailEventsResponse {
        let mut decisions = Vec::new();
        let mut bytes = 0;
        while let Some(decision) = self.ahead.front() {
            let recorded = recorded(decision);
            bytes += recorded.canonical.len();
            if !decisions.is_empty()
                && (bytes > MESSAGE_BYTES_MAX || decisions.len() == MESSAGE_DECISIONS_MAX)
            {
                break;
            }
            self.place = decision.seq;
            self.ahead.pop_front();
            decisions.push(recorded);
        }
        let cursor = Cursor { seq: self.place, ..self.exchange.cursor() };
        let reset = std::mem::take(&mut self.reset);
        v1::TailEventsResponse { cursor: Some(wire_cursor(cursor)), reset, decisions }
    }
}

/// A place from which reading whole rows cannot miss the decision behind `after`.
fn row_start(after: Seq) -> Seq {
    Seq(after.0.saturating_sub(BATCH_DECISIONS_MAX as u64))
}

fn recorded(decision: &Decision) -> v1::RecordedDecision {
    v1::RecordedDecision {
        seq: decision.seq.0,
        at_us: decision.at.0,
        event_names: decision.events.iter().map(name).collect(),
        canonical: decision.to_canonical(),
    }
}

/// The tag of the canonical encoding.
fn name(event: &Event) -> String {
    match serde_json::to_value(event).expect("events have text keys only") {
        Value::String(name) => name,
        Value::Object(tagged) => tagged.into_iter().next().map(|(name, _)| name).unwrap_or_default(),
        _ => String::new(),
    }
}

fn unreadable(why: &str) -> Status {
    let mend = "tell whoever runs this server; calls under way go on";
    let reason = Reason { status: Code::Unavailable, code: "JOURNAL_UNREADABLE", mend };
    status(reason, &format!("the journal cannot be read: {why}"))
}
