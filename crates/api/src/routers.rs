use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower::{Service, ServiceExt};

/// The routers that serve the same sites: one is asked for as long as it answers, then the next. Clones share which one
/// that is, so that a stream and the requests beside it go to the same.
#[derive(Clone)]
pub struct Routers {
    channels: Arc<[Channel]>,
    /// Counts up; the rest of a division by how many there are says which.
    at: Arc<AtomicUsize>,
}

/// The router that was asked, and who is to be told when it did not answer to the end.
#[derive(Clone)]
struct Asked {
    router: usize,
    at: Arc<AtomicUsize>,
}

impl Routers {
    /// These, in this order; at least one.
    pub(crate) fn new(channels: Vec<Channel>) -> Routers {
        Routers { channels: channels.into(), at: Arc::default() }
    }
}

impl Asked {
    /// Of all who failed at this router one moves everybody on.
    fn failed(&self) {
        let next = self.router.wrapping_add(1);
        let _moved = self.at.compare_exchange(self.router, next, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl Service<Request<Body>> for Routers {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    /// Each request waits for its own channel.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let at = Arc::clone(&self.at);
        let asked = Asked { router: at.load(Ordering::Relaxed), at };
        let channel = self.channels[asked.router % self.channels.len()].clone();
        Box::pin(async move {
            match channel.oneshot(request).await {
                Ok(answer) => Ok(answer.map(|body| Body::new(Answer { body, asked }))),
                Err(error) => {
                    asked.failed();
                    Err(error)
                }
            }
        })
    }
}

/// An answer on its way. One that breaks off says as much of its router as one that never came; a refusal is whole.
struct Answer {
    body: Body,
    asked: Asked,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if matches!(frame, Poll::Ready(Some(Err(_)))) {
            self.asked.failed();
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
