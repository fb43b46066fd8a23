//! The board's stream: at once, then whenever something changed, at most once per interval of site time.

use std::sync::Arc;
use std::time::Duration;

use api::v1;
use futures_util::Stream;
use futures_util::stream::unfold;
use presence::RedisHealth;
use switchboard::time::{SiteTime, Span};
use tokio::sync::watch;
use tonic::Status;

use super::{Streams, Told, closing, wire_cursor};
use crate::convert;

struct Watching {
    streams: Arc<Streams>,
    told: watch::Receiver<Told>,
    interval: Span,
    stepped: bool,
    shown_in: Option<watch::Receiver<RedisHealth>>,
    last: Option<SiteTime>,
    /// Whether Redis was there on the last one.
    was_well: Option<bool>,
}

/// Boards, until the router or the exchange ends.
pub(crate) fn boards(
    streams: Arc<Streams>,
    interval: Span,
    stepped: bool,
    shown_in: Option<watch::Receiver<RedisHealth>>,
) -> impl Stream<Item = Result<v1::WatchBoardResponse, Status>> {
    let told = streams.told();
    let watching = Watching { streams, told, interval, stepped, shown_in, last: None, was_well: None };
    unfold(Some(watching), |watching| async move {
        let mut watching = watching?;
        match watching.next().await {
            Some(board) => Some((Ok(board), Some(watching))),
            None => Some((Err(closing()), None)),
        }
    })
}

impl Watching {
    async fn next(&mut self) -> Option<v1::WatchBoardResponse> {
        if self.told.borrow().ended {
            return None;
        }
        while self.last.is_some() {
            let turned = redis_turned(&mut self.shown_in, self.was_well);
            let told = tokio::select! {
                told = self.told.changed() => Some(told),
                () = turned => None,
            };
            if matches!(told, Some(Err(_))) || self.told.borrow_and_update().ended {
                return None;
            }
            if told.is_none() {
                break;
            }
            match self.too_early() {
                None => break,
                Some(_) if self.stepped => {}
                // Time goes on by itself: what changed is shown when the interval is over.
                Some(wait) => {
                    tokio::time::sleep(wait).await;
                    break;
                }
            }
        }
        let mut board = self.streams.board();
        self.last = board.board.as_ref().map(|board| SiteTime(board.at_us));
        self.was_well = self.shown_in.as_ref().map(|shown_in| shown_in.borrow().is_well());
        if let Some(board) = &mut board.board {
            board.set_redis_state(convert::redis_state(self.was_well));
        }
        Some(board)
    }

    /// How long the interval still lasts.
    fn too_early(&self) -> Option<Duration> {
        let next = self.last? + self.interval;
        let wait = next.since(self.streams.exchange.now());
        (wait > Span::ZERO).then(|| Duration::from_micros(wait.0))
    }
}

/// Resolves when it stands otherwise with Redis than on the last board.
async fn redis_turned(shown_in: &mut Option<watch::Receiver<RedisHealth>>, was_well: Option<bool>) {
    let turned = match shown_in {
        Some(shown_in) => shown_in.wait_for(|health| Some(health.is_well()) != was_well).await.is_ok(),
        None => false,
    };
    if !turned {
        std::future::pending::<()>().await;
    }
}

impl Streams {
    /// The board at this moment.
    pub(crate) fn board(&self) -> v1::WatchBoardResponse {
        let listeners = self.listeners();
        let board = self.read(|switchboard, cursor| {
            let plan = switchboard.state().plan();
            let board = convert::board(&switchboard.view(), plan, &listeners.ledger, listeners.counted_from);
            v1::WatchBoardResponse { cursor: Some(wire_cursor(cursor)), board: Some(board) }
        });
        drop(listeners);
        v1::WatchBoardResponse {
            board: board.board.map(|board| v1::Board { at_us: self.exchange.now().0, ..board }),
            ..board
        }
    }
}
