use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http::{Request, Response};
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

impl Routers {
    /// These, in this order; at least one.
    pub(crate) fn new(channels: Vec<Channel>) -> Routers {
        Routers { channels: channels.into(), at: Arc::default() }
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
        let asked = at.load(Ordering::Relaxed);
        let channel = self.channels[asked % self.channels.len()].clone();
        Box::pin(async move {
            let answer = channel.oneshot(request).await;
            if answer.is_err() {
                // Of all who failed at this router one moves everybody on.
                let _moved =
                    at.compare_exchange(asked, asked.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed);
            }
            answer
        })
    }
}

impl fmt::Debug for Routers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routers").field("channels", &self.channels.len()).finish_non_exhaustive()
    }
}
