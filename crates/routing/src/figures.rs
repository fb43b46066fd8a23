//! Figures about the service, for Prometheus: counts and times by method, never a person's id or number.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use exchange::Figures as Did;
use presence::RedisHealth;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use switchboard::id::SiteId;
use switchboard::view::SiteView;
use tonic::Code;

use crate::traces::SpanFigures;

/// How a page of figures calls itself.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByMethod {
    method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LineCalls {
    site: String,
    line: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByLine {
    site: String,
    line: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BySite {
    site: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    site: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByWay {
    way: &'static str,
}

type Seconds = Family<ByMethod, Histogram, fn() -> Histogram>;

/// Everything counted.
pub(crate) struct Figures {
    registry: Registry,
    answered: Family<Answered, Counter>,
    seconds: Seconds,
    streams: Family<ByMethod, Gauge>,
    pub(crate) connections: Gauge,
    pub(crate) handshakes_failed: Counter,
    pub(crate) wrong_tokens: Counter,
    calls: Family<LineCalls, Gauge>,
    longest_wait: Family<ByLine, Gauge<f64, AtomicU64>>,
    operators: Family<ByState, Gauge>,
    decisions: Family<BySite, Gauge>,
    appends: Family<BySite, Counter>,
    appends_lost: Family<BySite, Counter>,
    redis_up: Family<ByWay, Gauge>,
    redis_faults: Counter,
    redis_answer: Gauge<f64, AtomicU64>,
    /// The families of sites are written anew for each page: one at a time.
    page: Mutex<()>,
}

impl Figures {
    /// Nothing counted yet. Figures of Redis are there where there is one.
    pub(crate) fn new(spans: &SpanFigures, has_redis: bool) -> Figures {
        let mut registry = Registry::with_prefix("hotline");
        let seconds: Seconds =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.000_5, 2.0, 15)));
        let mut figures = Figures {
            registry: Registry::default(),
            answered: Family::default(),
            seconds,
            streams: Family::default(),
            connections: Gauge::default(),
            handshakes_failed: Counter::default(),
            wrong_tokens: Counter::default(),
            calls: Family::default(),
            longest_wait: Family::default(),
            operators: Family::default(),
            decisions: Family::default(),
            appends: Family::default(),
            appends_lost: Family::default(),
            redis_up: Family::default(),
            redis_faults: Counter::default(),
            redis_answer: Gauge::default(),
            page: Mutex::default(),
        };
        let f = &figures;
        registry.register("requests", "Requests answered, by gRPC status", f.answered.clone());
        let time = "Time to the head of the answer";
        registry.register_with_unit("request", time, Unit::Seconds, f.seconds.clone());
        registry.register("streams_open", "Streams open at this moment", f.streams.clone());
        registry.register("connections_open", "Connections open at this moment", f.connections.clone());
        let failed = "Connections that never finished their handshake";
        registry.register("handshakes_failed", failed, f.handshakes_failed.clone());
        registry.register("wrong_tokens", "Requests with a token that is none", f.wrong_tokens.clone());
        registry.register("spans_sent", "Spans of requests a collector has taken", spans.sent.clone());
        registry.register("spans_dropped", "Spans of requests that were not sent", spans.dropped.clone());
        registry.register("calls_open", "Open calls by line and state", f.calls.clone());
        let longest = "How long the call has waited that waits longest";
        registry.register_with_unit("longest_wait", longest, Unit::Seconds, f.longest_wait.clone());
        registry.register("operators", "Operators by what they do", f.operators.clone());
        registry.register("decisions", "The site's last decision", f.decisions.clone());
        registry.register("appends", "Rows this router stored in the journal", f.appends.clone());
        let lost = "Appends of this router at which another was first: decided again at once";
        registry.register("appends_lost", lost, f.appends_lost.clone());
        if has_redis {
            let up = "Whether the connection to Redis stands on which this router writes, and that on which it hears";
            registry.register("redis_up", up, f.redis_up.clone());
            let faults =
                "Questions to Redis without the answer that was hoped for, and connections that failed";
            registry.register("redis_faults", faults, f.redis_faults.clone());
            let answer = "How long Redis took to answer last";
            registry.register_with_unit("redis_answer", answer, Unit::Seconds, f.redis_answer.clone());
        }
        figures.registry = registry;
        figures
    }

    /// One request has its answer's head.
    pub(crate) fn answered(&self, method: &'static str, code: Code, took: Duration) {
        self.answered.get_or_create(&Answered { method, code: name_of(code) }).inc();
        self.seconds.get_or_create(&ByMethod { method }).observe(took.as_secs_f64());
    }

    /// One more stream, until what this returns is dropped.
    pub(crate) fn stream(&self, method: &'static str) -> Counted {
        Counted::up(&self.streams.get_or_create(&ByMethod { method }))
    }

    /// The page, with these sites as they are, and with Redis as it is.
    pub(crate) fn page(&self, sites: &[(SiteId, SiteView, Did)], health: Option<&RedisHealth>) -> String {
        let _one_at_a_time = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(health) = health {
            self.show_redis(health);
        }
        // A site that is not asked for, and a line that was retired, are not shown.
        self.decisions.clear();
        self.appends.clear();
        self.appends_lost.clear();
        self.calls.clear();
        self.longest_wait.clear();
        self.operators.clear();
        for (site, view, did) in sites {
            let by_site = BySite { site: site.to_string() };
            for (family, count) in [(&self.appends, did.appends), (&self.appends_lost, did.lost)] {
                family.get_or_create(&by_site).inner().store(count, Ordering::Relaxed);
            }
            self.show(&by_site.site, view);
        }
        let mut page = String::new();
        encode(&mut page, &self.registry).expect("a string takes every text");
        page
    }

    fn show_redis(&self, health: &RedisHealth) {
        for (way, contact) in [("writing", &health.writing), ("hearing", &health.hearing)] {
            self.redis_up.get_or_create(&ByWay { way }).set(contact.is_up().into());
        }
        self.redis_faults.inner().store(health.faults, Ordering::Relaxed);
        self.redis_answer.set(health.round_trip.unwrap_or_default().as_secs_f64());
    }

    fn show(&self, site: &str, view: &SiteView) {
        let by_site = BySite { site: site.to_owned() };
        self.decisions.get_or_create(&by_site).set(i64::try_from(view.seq.0).unwrap_or(i64::MAX));
        for (line, view) in &view.lines {
            let states = [
                ("waiting", view.waiting),
                ("ringing", view.ringing),
                ("talking", view.talking),
                ("diverting", view.diverting),
            ];
            for (state, calls) in states {
                let labels = LineCalls { site: site.to_owned(), line: line.to_string(), state };
                self.calls.get_or_create(&labels).set(calls.into());
            }
            let wait = Duration::from_micros(view.longest_wait.0).as_secs_f64();
            let labels = ByLine { site: site.to_owned(), line: line.to_string() };
            self.longest_wait.get_or_create(&labels).set(wait);
        }
        let crew = &view.operators;
        let states = [
            ("ready", crew.ready),
            ("offered", crew.offered),
            ("talking", crew.talking),
            ("wrap_up", crew.wrap_up),
            ("held_back", crew.held_back),
            ("paused", crew.paused),
            ("suspended", crew.suspended),
            ("unreachable", crew.unreachable),
            ("leaving", crew.leaving),
            ("off", crew.off),
        ];
        for (state, operators) in states {
            self.operators.get_or_create(&ByState { site: site.to_owned(), state }).set(operators.into());
        }
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figures")
    }
}

/// Counted in a gauge until dropped.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn up(gauge: &Gauge) -> Counted {
        gauge.inc();
        Counted(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A status as the gRPC documents write it.
pub(crate) fn name_of(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
