//! The body of a stream that can be cut: at once when its token ends, after its last words when the router does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tonic::Status;
use tonic::body::Body;

use crate::figures::Counted;
use crate::readers::Reader;

type End = Pin<Box<dyn Future<Output = Status> + Send>>;

/// A stream's body, until it or one of its two ends comes.
pub(crate) struct Cut {
    /// None once it was cut: what the stream held is let go.
    body: Option<Body>,
    at_once: End,
    after_the_rest: End,
    reader: Arc<Reader>,
    _counted: Counted,
}

impl Cut {
    /// Cuts `body` as soon as `at_once` resolves, and when `after_the_rest` has and nothing is left to send.
    pub(crate) fn new(
        body: Body,
        at_once: impl Future<Output = Status> + Send + 'static,
        after_the_rest: impl Future<Output = Status> + Send + 'static,
        reader: Arc<Reader>,
        counted: Counted,
    ) -> Cut {
        let (at_once, after_the_rest) = (Box::pin(at_once), Box::pin(after_the_rest));
        Cut { body: Some(body), at_once, after_the_rest, reader, _counted: counted }
    }

    fn cut(&mut self, status: &Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.body = None;
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }
}

impl http_body::Body for Cut {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        if frame.is_pending() {
            self.reader.waits();
        } else {
            self.reader.handed();
        }
        if let Poll::Ready(status) = self.at_once.as_mut().poll(context) {
            return self.cut(&status);
        }
        match frame {
            Poll::Pending => match self.after_the_rest.as_mut().poll(context) {
                Poll::Ready(status) => self.cut(&status),
                Poll::Pending => Poll::Pending,
            },
            frame => {
                // The end was polled to its end if there was one: it is not polled again.
                if matches!(frame, Poll::Ready(None)) {
                    self.body = None;
                }
                frame
            }
        }
    }
}
