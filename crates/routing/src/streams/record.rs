//! The record as a stream: every decision behind a cursor, none left out. What the exchange has forgotten is read from
//! the journal.

use std::collections::VecDeque;
use std::sync::Arc;

use api::v1;
use exchange::{Cursor, ExchangeHandle, Feed, FeedItem};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde_json::Value;
use session::{Journal, JournalFault, rows_holding};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::Seq;
use tokio::sync::watch;
use tonic::Status;

use super::{Told, closing, wire_cursor};
use crate::stores::unreadable;

/// Decisions of one message: it stays far below what a client takes by default.
const MESSAGE_DECISIONS_MAX: usize = 64;

/// Text of one message. A decision that adopts a plan can be longer; it then comes alone.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Decisions that are read from the journal at once.
const PAGE_DECISIONS: u64 = 256;

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
        let end = Seq(self.forgotten.0.min(self.place.0.saturating_add(PAGE_DECISIONS)));
        let page = (self.place.next(), end);
        let rows = rows_holding(&*self.journal, self.exchange.site(), page, |_| true).await;
        let mut last = self.place;
        for stored in rows.map_err(unreadable)? {
            for decision in session::decode(&stored.row).map_err(unreadable)? {
                if decision.seq == last.next() && decision.seq <= end {
                    last = decision.seq;
                    self.ahead.push_back(Arc::new(decision));
                }
            }
        }
        if self.ahead.is_empty() {
            let fault = format!("behind decision {} it has none", self.place.0);
            return Err(unreadable(JournalFault::Damaged(fault)));
        }
        Ok(())
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

/// A decision as it is told.
pub(crate) fn recorded(decision: &Decision) -> v1::RecordedDecision {
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

#[cfg(test)]
mod tests {
    use exchange::{Clock, Exchange, ExchangeConfig};
    use futures_util::StreamExt;
    use session::{MemoryJournal, Row, Writer};
    use switchboard::Switchboard;
    use switchboard::command::{Actor, Command, Input};
    use switchboard::time::SiteTime;

    use super::*;

    #[tokio::test]
    async fn a_row_of_any_length_is_read_from_its_middle() {
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
        let site = "main".parse().expect("a name");
        let decisions: Vec<Decision> = gateways_attached(1_000);
        let (first, last) = (&decisions[0], &decisions[999]);
        let row = Row {
            seq: first.seq,
            last_seq: last.seq,
            at: last.at,
            wall_us: 0,
            writer: Writer::new("another"),
            format: session::FORMAT,
            body: session::encode(&decisions),
        };
        journal.append(site, &row).await.expect("stored");
        let config = ExchangeConfig::alone(site, Writer::new("a"));
        let exchange = Exchange::spawn(config, journal.clone(), Clock::STEPPED).await.expect("it starts");
        let (_teller, told) = watch::channel(Told { seq: last.seq, ended: false });
        for after in [1, 64, 65, 500, 999] {
            let after = Cursor { seq: Seq(after), ..exchange.cursor() };
            let stream = record(exchange.clone(), journal.clone(), Some(after), told.clone());
            let message = Box::pin(stream).next().await.expect("a message").expect("decisions");
            assert_eq!(message.decisions[0].seq, after.seq.0 + 1);
        }
    }

    fn gateways_attached(count: u64) -> Vec<Decision> {
        let mut switchboard = Switchboard::new();
        let gateway = "main-1".parse().expect("a name");
        let attach = |incarnation| Input {
            actor: Actor::Gateway(gateway),
            request: None,
            command: Command::AttachGateway { incarnation, reaches: None, calls: [].into() },
        };
        let mut decide = |incarnation| switchboard.handle(SiteTime(0), attach(incarnation));
        (1..=count).map(|incarnation| decide(incarnation).expect("a new life")).collect()
    }
}
