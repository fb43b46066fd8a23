use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::watch;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

use crate::watching::keep_to_one_that_serves;

/// The routers that serve the same sites: one is asked for as long as it answers and does not say that another should be,
/// then the next. Clones share which one that is, so that a stream and the requests beside it go to the same.
#[derive(Clone)]
pub struct Routers {
    channels: Arc<[Channel]>,
    at: Arc<At>,
    /// Whoever asks waits for the answer of the router that was asked, whatever that says of itself.
    is_staying: bool,
}

/// Which router is asked.
#[derive(Debug)]
pub(crate) struct At {
    /// Counts up; the rest of a division by how many there are says which.
    turn: AtomicUsize,
    /// Whoever asks in an earlier turn than this is not answered any more.
    left: watch::Sender<usize>,
    /// Somebody listens to what the routers say of themselves.
    is_watched: AtomicBool,
}

/// The router that was asked, and who is to be told when it did not answer to the end.
#[derive(Clone)]
struct Asked {
    turn: usize,
    at: Arc<At>,
}

impl Routers {
    /// These, in this order; at least one.
    pub(crate) fn new(channels: Vec<Channel>) -> Routers {
        let (turn, left, is_watched) = (AtomicUsize::new(0), watch::Sender::new(0), AtomicBool::new(false));
        let at = Arc::new(At { turn, left, is_watched });
        Routers { channels: channels.into(), at, is_staying: false }
    }

    /// The same for what must not be asked twice: its answer is waited for.
    pub(crate) fn staying(&self) -> Routers {
        Routers { is_staying: true, ..self.clone() }
    }

    /// When whoever asks in this turn is sent away, where there is a choice.
    fn leaving(&self, turn: usize) -> Option<Leaving> {
        let has_choice = self.channels.len() > 1 && !self.is_staying;
        let mut left = has_choice.then(|| self.at.left.subscribe())?;
        Some(Box::pin(async move {
            // The request keeps `At`, and so the sender, alive.
            let _left = left.wait_for(|left| *left > turn).await;
        }))
    }

    /// From the first request on somebody listens to whether the routers serve, where there is a choice.
    fn begin_to_listen(&self) {
        if self.channels.len() > 1 && !self.at.is_watched.swap(true, Ordering::Relaxed) {
            tokio::spawn(keep_to_one_that_serves(Arc::clone(&self.channels), Arc::downgrade(&self.at)));
        }
    }
}

impl At {
    pub(crate) fn turn(&self) -> usize {
        self.turn.load(Ordering::Relaxed)
    }

    /// Hears when everybody who asked in a turn was sent away, and when nobody asks any more.
    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.left.subscribe()
    }

    /// Of all who failed in this turn one moves everybody on.
    fn failed(&self, turn: usize) {
        self.leave(turn, turn.wrapping_add(1));
    }

    /// Everybody goes from the router of this turn to that of a later one, whoever waits for an answer there as well.
    pub(crate) fn leave(&self, turn: usize, later: usize) -> bool {
        let moved = self.turn.compare_exchange(turn, later, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if moved {
            // Two that follow each other may come here in the other order.
            self.left.send_modify(|left| *left = later.max(*left));
        }
        moved
    }
}

type Leaving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The router did not answer somebody, or says that it cannot: whoever asked goes to another.
fn sent_away() -> Status {
    Status::unavailable("this router was left for another")
}

impl Service<Request<Body>> for Routers {
    type Response = Response<Body>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Self::Error>> + Send>>;

    /// Each request waits for its own channel.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.begin_to_listen();
        let asked = Asked { turn: self.at.turn(), at: Arc::clone(&self.at) };
        let channel = self.channels[asked.turn % self.channels.len()].clone();
        let mut leaving = self.leaving(asked.turn);
        Box::pin(async move {
            let answered = async {
                match &mut leaving {
                    Some(leaving) => tokio::select! {
                        biased;
                        answered = channel.oneshot(request) => Some(answered),
                        () = leaving => None,
                    },
                    None => Some(channel.oneshot(request).await),
                }
            };
            match answered.await {
                Some(Ok(answer)) => Ok(answer.map(|body| Body::new(Answer { body, asked, leaving }))),
                Some(Err(error)) => {
                    asked.at.failed(asked.turn);
                    Err(error.into())
                }
                None => Err(sent_away().into()),
            }
        })
    }
}

/// An answer on its way. One that breaks off says as much of its router as one that never came; a refusal is whole.
struct Answer {
    body: Body,
    asked: Asked,
    leaving: Option<Leaving>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match &frame {
            Poll::Ready(Some(Err(_))) => self.asked.at.failed(self.asked.turn),
            Poll::Pending => {
                let leaving = self.leaving.as_mut();
                if leaving.is_some_and(|leaving| leaving.as_mut().poll(context).is_ready()) {
                    self.leaving = None;
                    return Poll::Ready(Some(Err(sent_away())));
                }
            }
            Poll::Ready(_) => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for Routers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routers").field("channels", &self.channels.len()).finish_non_exhaustive()
    }
}
