//! Spans that wait to be sent: as many as there is room for, and a task that sends them in batches. Whoever ends a
//! span never waits.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use routing::SpanFigures;
use tokio::sync::{mpsc, oneshot};

use super::SEND_AT_LATEST;

/// So many spans may wait; of more, the latest are dropped.
const WAITING_MAX: usize = 4_096;

/// So many are sent at once.
const BATCH_MAX: usize = 512;

/// Between the first span that waits and its batch, so that a busy server does not send each by itself.
const GATHER: Duration = Duration::from_millis(100);

/// Where spans go that have ended.
pub(super) struct Queue {
    waiting: mpsc::Sender<SpanData>,
    figures: SpanFigures,
}

/// Says that what waits is the last.
pub(super) struct Ending(oneshot::Sender<()>);

impl Ending {
    pub(super) fn begin(self) {
        // The task is gone only with the runtime.
        let _told = self.0.send(());
    }
}

impl Queue {
    /// A queue, and the task that empties it until it is told of the end.
    pub(super) fn new(
        exporter: impl SpanExporter,
        figures: SpanFigures,
    ) -> (Queue, Ending, impl Future<Output = ()>) {
        let (waiting, queued) = mpsc::channel(WAITING_MAX);
        let (ending, ended) = oneshot::channel();
        let sender = Sender { exporter, queued, taken: Vec::new(), figures: figures.clone(), failing: false };
        (Queue { waiting, figures }, Ending(ending), sender.run(ended))
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.try_send(span).is_err() {
            self.figures.dropped(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    /// The task is ended by [`Ending`].
    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

struct Sender<E> {
    exporter: E,
    queued: mpsc::Receiver<SpanData>,
    /// Taken out of the queue, and to be sent next.
    taken: Vec<SpanData>,
    figures: SpanFigures,
    failing: bool,
}

impl<E: SpanExporter> Sender<E> {
    async fn run(mut self, mut ended: oneshot::Receiver<()>) {
        let mut ending = false;
        while !ending {
            ending = self.gather(&mut ended).await;
            if ending {
                self.queued.close();
            }
            while let Some(batch) = self.batch() {
                // At the end, a collector that fails once is not asked again.
                if !self.send(batch).await && ending {
                    break;
                }
            }
        }
        self.figures.dropped(std::iter::from_fn(|| self.queued.try_recv().ok()).count());
    }

    /// Waits for something to send, and then for what comes with it. Says whether it is the last.
    async fn gather(&mut self, ended: &mut oneshot::Receiver<()>) -> bool {
        tokio::select! {
            biased;
            _ = &mut *ended => return true,
            span = self.queued.recv() => match span {
                Some(span) => self.taken.push(span),
                None => return true,
            },
        }
        tokio::select! {
            biased;
            _ = ended => true,
            () = tokio::time::sleep(GATHER) => false,
        }
    }

    fn batch(&mut self) -> Option<Vec<SpanData>> {
        let room = BATCH_MAX - self.taken.len();
        self.taken.extend(std::iter::from_fn(|| self.queued.try_recv().ok()).take(room));
        (!self.taken.is_empty()).then(|| std::mem::take(&mut self.taken))
    }

    /// Says whether the collector took it.
    async fn send(&mut self, batch: Vec<SpanData>) -> bool {
        let spans = batch.len();
        let fault = match tokio::time::timeout(SEND_AT_LATEST, self.exporter.export(batch)).await {
            Ok(Ok(())) => None,
            Ok(Err(fault)) => Some(fault.to_string()),
            Err(_) => Some("it does not answer".to_owned()),
        };
        match &fault {
            None => self.figures.sent(spans),
            Some(_) => self.figures.dropped(spans),
        }
        match (&fault, self.failing) {
            (Some(fault), false) => {
                tracing::warn!(fault, "the collector does not take spans; they are dropped until it does");
            }
            (None, true) => tracing::info!("the collector takes spans again"),
            _ => {}
        }
        self.failing = fault.is_some();
        !self.failing
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tokio::sync::Notify;

    use super::*;

    /// Takes batches, one for each permit; what it is told to refuse, it refuses.
    #[derive(Debug, Clone, Default)]
    struct Collector {
        batches: Arc<Mutex<Vec<usize>>>,
        slow: Option<Arc<Notify>>,
        refuses: bool,
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            if let Some(slow) = &self.slow {
                slow.notified().await;
            }
            if self.refuses {
                return Err(OTelSdkError::InternalFailure("refused".into()));
            }
            self.batches.lock().unwrap().push(batch.len());
            Ok(())
        }
    }

    fn began(
        collector: &Collector,
    ) -> (SdkTracerProvider, SpanFigures, Ending, impl Future<Output = ()> + use<>) {
        let figures = SpanFigures::default();
        let (queue, ending, sending) = Queue::new(collector.clone(), figures.clone());
        (SdkTracerProvider::builder().with_span_processor(queue).build(), figures, ending, sending)
    }

    fn end_spans(provider: &SdkTracerProvider, spans: usize) {
        let tracer = provider.tracer("test");
        (0..spans).for_each(|_| drop(tracer.start("request")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_at_the_end_is_sent_in_batches() {
        let collector = Collector::default();
        let (provider, figures, ending, sending) = began(&collector);
        end_spans(&provider, BATCH_MAX + 1);
        ending.begin();
        sending.await;
        assert_eq!(*collector.batches.lock().unwrap(), [BATCH_MAX, 1]);
        assert_eq!(figures.counts(), (BATCH_MAX as u64 + 1, 0));
        end_spans(&provider, 1);
        assert_eq!(figures.counts().1, 1, "after the end nothing is sent");
    }

    #[tokio::test(start_paused = true)]
    async fn what_finds_no_room_is_dropped_and_counted() {
        let slow = Some(Arc::new(Notify::new()));
        let collector = Collector { slow: slow.clone(), ..Collector::default() };
        let (provider, figures, ending, sending) = began(&collector);
        end_spans(&provider, WAITING_MAX + 3);
        assert_eq!(figures.counts(), (0, 3));
        let sending = tokio::spawn(sending);
        // Time stands still until everybody waits: the collector never answers, and the first batch is given up.
        while figures.counts().1 < 3 + BATCH_MAX as u64 {
            tokio::time::sleep(SEND_AT_LATEST).await;
        }
        ending.begin();
        while !sending.is_finished() {
            slow.as_ref().expect("slow").notify_one();
            tokio::task::yield_now().await;
        }
        let (sent, dropped) = figures.counts();
        assert_eq!(sent + dropped, WAITING_MAX as u64 + 3, "each is one or the other");
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_refuses_is_asked_once_more_at_the_end() {
        let collector = Collector { refuses: true, ..Collector::default() };
        let (provider, figures, ending, sending) = began(&collector);
        end_spans(&provider, WAITING_MAX);
        ending.begin();
        sending.await;
        assert_eq!(figures.counts(), (0, WAITING_MAX as u64));
    }
}
