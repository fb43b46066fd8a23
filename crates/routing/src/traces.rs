//! Traces: a span for each request, made only where a subscriber asks for it, and what a router shares with whoever
//! sends spans away.

use std::fmt;

use exchange::TRACES;
use http::HeaderMap;
use prometheus_client::metrics::counter::Counter;
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use crate::figures::name_of;
use crate::tokens::Admitted;

/// The header in which a caller names its own trace and span, as the W3C writes them.
const TRACEPARENT: &str = "traceparent";

/// What is done about traces.
#[derive(Clone, Default)]
pub struct Traces {
    /// Makes a span go on with a caller's trace: the span, and what the caller's `traceparent` says. Without it, every
    /// request begins a trace of its own.
    pub go_on: Option<fn(&Span, &str)>,
    /// What became of spans, for `/metrics`.
    pub spans: SpanFigures,
}

/// How many spans were sent, and how many were not. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct SpanFigures {
    pub(crate) sent: Counter,
    pub(crate) dropped: Counter,
}

impl SpanFigures {
    /// A collector has taken so many.
    pub fn sent(&self, spans: usize) {
        self.sent.inc_by(spans as u64);
    }

    /// So many are gone: too many were waiting, or the collector did not take them.
    pub fn dropped(&self, spans: usize) {
        self.dropped.inc_by(spans as u64);
    }

    /// How many were sent, and how many dropped.
    pub fn counts(&self) -> (u64, u64) {
        (self.sent.get(), self.dropped.get())
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("goes_on", &self.go_on.is_some()).field("spans", &self.spans).finish()
    }
}

impl Traces {
    /// A request's span. Only of whoever was admitted the trace is gone on with: nobody else chooses what is sent.
    pub(crate) fn request(&self, method: &str, admitted: Option<&Admitted>, headers: &HeaderMap) -> Span {
        let method = method.trim_start_matches('/');
        let span = tracing::info_span!(
            target: TRACES,
            parent: None,
            "request",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            hotline.role = Empty,
            hotline.principal = Empty,
        );
        let (Some(admitted), false) = (admitted, span.is_disabled()) else { return span };
        let who = &admitted.principal.who;
        span.record("hotline.role", who.role().name());
        span.record("hotline.principal", who.id());
        let named = headers.get(TRACEPARENT).and_then(|traceparent| traceparent.to_str().ok());
        if let (Some(go_on), Some(traceparent)) = (self.go_on, named) {
            go_on(&span, traceparent);
        }
        span
    }
}

/// A request has its answer's head.
pub(crate) fn answered(span: &Span, code: Code) {
    span.record("rpc.response.status_code", name_of(code));
    if is_the_servers_fault(code) {
        span.record("otel.status_code", "error");
    }
}

fn is_the_servers_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
