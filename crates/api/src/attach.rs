use std::future::Future;

use tonic::{Response, Status, Streaming};

use crate::backoff::Backoff;
use crate::client::{Client, is_worth_retrying};
use crate::v1::{
    Cursor, GatewayServiceAttachRequest, GatewayServiceAttachResponse, OperatorServiceAttachRequest,
    OperatorServiceAttachResponse, Reach, TailEventsRequest, TailEventsResponse, UpdateKind,
    WatchBoardRequest, WatchBoardResponse,
};

/// One message of a stream, and what it means to those before it.
#[derive(Debug, Clone, PartialEq)]
pub enum Update<M> {
    /// The whole; nothing was known.
    Snapshot(M),
    /// What changed.
    Change(M),
    /// The whole again: forget what was known.
    Reset(M),
}

impl<M> Update<M> {
    /// The message.
    pub fn message(&self) -> &M {
        match self {
            Update::Snapshot(message) | Update::Change(message) | Update::Reset(message) => message,
        }
    }

    /// The message.
    pub fn into_message(self) -> M {
        match self {
            Update::Snapshot(message) | Update::Change(message) | Update::Reset(message) => message,
        }
    }
}

/// A kind of stream: how it is opened, and how its messages are read.
pub trait Feed: Send {
    /// Its messages.
    type Message: Send + 'static;
    /// Opens it, from a cursor if something is known already.
    fn open(
        &mut self,
        client: &Client,
        resume: Option<Cursor>,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Message>>, Status>> + Send;
    /// The history a message includes.
    fn cursor(message: &Self::Message) -> Option<Cursor>;
    /// What a message means to those before it.
    fn kind(message: &Self::Message) -> UpdateKind;
}

/// A stream that reconnects and resumes by itself. Dropping it closes it.
#[derive(Debug)]
pub struct Attached<F: Feed> {
    client: Client,
    feed: F,
    stream: Option<Streaming<F::Message>>,
    known: Option<Cursor>,
    opened: u64,
    backoff: Backoff,
}

impl<F: Feed> Attached<F> {
    pub(crate) fn new(client: Client, feed: F) -> Attached<F> {
        Attached { client, feed, stream: None, known: None, opened: 0, backoff: Backoff::default() }
    }

    /// The next message. While no router answers it waits and tries again, for as long as it takes. Cancel-safe: a
    /// call dropped before its end loses no message.
    ///
    /// # Errors
    /// The router's refusal, for example of the token. The next call opens the stream again.
    pub async fn next(&mut self) -> Result<Update<F::Message>, Status> {
        loop {
            match self.read().await {
                Ok(Some(message)) => return Ok(self.received(message)),
                Ok(None) => {}
                Err(status) if is_worth_retrying(&status) => {}
                Err(status) => {
                    self.stream = None;
                    return Err(status);
                }
            }
            self.stream = None;
            tokio::time::sleep(self.backoff.step()).await;
        }
    }

    /// How often it was opened so far: one more than before says that the connection, or the router, is another one.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    async fn read(&mut self) -> Result<Option<F::Message>, Status> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let opened = self.feed.open(&self.client, self.known).await?;
                self.opened += 1;
                self.stream.insert(opened.into_inner())
            }
        };
        stream.message().await
    }

    fn received(&mut self, message: F::Message) -> Update<F::Message> {
        self.backoff.reset();
        if let Some(cursor) = F::cursor(&message) {
            self.known = Some(cursor);
        }
        match F::kind(&message) {
            UpdateKind::Change => Update::Change(message),
            UpdateKind::Snapshot => Update::Snapshot(message),
            UpdateKind::Reset | UpdateKind::Unspecified => Update::Reset(message),
        }
    }
}

/// A gateway's stream of treatments.
#[derive(Debug, Clone)]
pub struct GatewayFeed<I> {
    /// A new one after each restart of the gateway.
    pub incarnation: u64,
    /// Whose devices it can ring; none means everybody's.
    pub reaches: Option<Reach>,
    /// Asked for the caller legs held whenever the stream is opened.
    pub inventory: I,
}

impl<I: FnMut() -> Vec<String> + Send> Feed for GatewayFeed<I> {
    type Message = GatewayServiceAttachResponse;

    async fn open(
        &mut self,
        client: &Client,
        resume: Option<Cursor>,
    ) -> Result<Response<Streaming<Self::Message>>, Status> {
        let call_ids = (self.inventory)();
        let request = GatewayServiceAttachRequest {
            incarnation: self.incarnation,
            call_ids,
            reaches: self.reaches.clone(),
            resume,
        };
        client.gateway().attach(request).await
    }

    fn cursor(message: &Self::Message) -> Option<Cursor> {
        message.cursor
    }

    fn kind(message: &Self::Message) -> UpdateKind {
        message.kind()
    }
}

/// A desk's stream.
#[derive(Debug, Clone)]
pub struct DeskFeed {
    /// Minted once per installation, a UUID.
    pub desk_id: String,
}

impl Feed for DeskFeed {
    type Message = OperatorServiceAttachResponse;

    async fn open(
        &mut self,
        client: &Client,
        resume: Option<Cursor>,
    ) -> Result<Response<Streaming<Self::Message>>, Status> {
        let request = OperatorServiceAttachRequest { desk_id: self.desk_id.clone(), resume };
        client.operator().attach(request).await
    }

    fn cursor(message: &Self::Message) -> Option<Cursor> {
        message.cursor
    }

    fn kind(message: &Self::Message) -> UpdateKind {
        message.kind()
    }
}

/// The board's stream.
#[derive(Debug, Clone)]
pub struct BoardFeed {
    /// At least this much site time between two boards; 0 for the server's default.
    pub interval_ms: u64,
}

impl Feed for BoardFeed {
    type Message = WatchBoardResponse;

    async fn open(
        &mut self,
        client: &Client,
        _resume: Option<Cursor>,
    ) -> Result<Response<Streaming<Self::Message>>, Status> {
        client.supervisor().watch_board(WatchBoardRequest { interval_ms: self.interval_ms }).await
    }

    fn cursor(message: &Self::Message) -> Option<Cursor> {
        message.cursor
    }

    fn kind(_message: &Self::Message) -> UpdateKind {
        UpdateKind::Snapshot
    }
}

/// The stream of decisions: none left out, none twice, over any number of reconnections.
#[derive(Debug, Clone, Default)]
pub struct EventFeed {
    /// Begins after this; none: with the first decision.
    pub after: Option<Cursor>,
}

impl Feed for EventFeed {
    type Message = TailEventsResponse;

    async fn open(
        &mut self,
        client: &Client,
        resume: Option<Cursor>,
    ) -> Result<Response<Streaming<Self::Message>>, Status> {
        client.admin().tail_events(TailEventsRequest { after: resume.or(self.after) }).await
    }

    fn cursor(message: &Self::Message) -> Option<Cursor> {
        message.cursor
    }

    fn kind(message: &Self::Message) -> UpdateKind {
        if message.reset { UpdateKind::Reset } else { UpdateKind::Change }
    }
}
