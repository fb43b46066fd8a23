//! Traces on their way out: every request's span to a collector, by OTLP over gRPC. Only what the rooms write into
//! their spans is sent, never what a caller wrote beside a trace's id.

mod queue;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use exchange::TRACES;
use http::Uri;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanExporter as _};
use routing::SpanFigures;
use serde::Deserialize;
use serde::de::{self, Deserializer};
use switchboard::id::SiteId;
use tokio::task::JoinHandle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};

use self::queue::{Ending, Queue};
use crate::log::Listener;

/// A collector that has not taken a batch by then takes none of it.
const SEND_AT_LATEST: Duration = Duration::from_secs(5);

/// After this long the last spans are left behind.
const FLUSH_AT_LATEST: Duration = Duration::from_secs(1);

/// The address of a collector: a host and a port that speak gRPC in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collector(String);

/// What is no collector's address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; a collector's address is like http://127.0.0.1:4317, where it takes OTLP over gRPC")]
pub(crate) struct NoCollector(&'static str);

impl FromStr for Collector {
    type Err = NoCollector;

    fn from_str(text: &str) -> Result<Collector, NoCollector> {
        let uri: Uri = text.parse().map_err(|_| NoCollector("this is no address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                let mend =
                    "TLS is not spoken to a collector, so that one beside the server has to pass spans on";
                return Err(NoCollector(mend));
            }
            _ => return Err(NoCollector("this does not begin with http://")),
        }
        let authority = uri.authority().ok_or(NoCollector("this names no host"))?;
        if authority.as_str().contains('@') {
            return Err(NoCollector("an address holds no secrets"));
        }
        if authority.port_u16().is_none_or(|port| port == 0) {
            return Err(NoCollector("this names no port"));
        }
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(NoCollector("there is something behind the port"));
        }
        Ok(Collector(text.to_owned()))
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Collector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Which part of the traces that begin here is sent, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part(f64);

impl Part {
    pub(crate) const WHOLE: Part = Part(1.0);
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let part = f64::deserialize(deserializer)?;
        let wrong = || de::Error::custom(format_args!("{part} is no part; from 0.0 to 1.0 is"));
        (0.0..=1.0).contains(&part).then_some(Part(part)).ok_or_else(wrong)
    }
}

/// Traces that are sent, until they are ended.
pub(super) struct Sending {
    task: JoinHandle<()>,
    ending: Ending,
}

/// Begins to send, and gives who listens to spans for it. Within the runtime.
///
/// # Errors
/// When the environment asks the exporter for something it cannot do.
pub(super) fn begin(
    collector: &Collector,
    part: Part,
    site: SiteId,
    figures: SpanFigures,
) -> Result<(Listener, Sending)> {
    let mut exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(collector.to_string())
        .with_timeout(SEND_AT_LATEST)
        // A collector that is away is told of by figures; what waits behind a retry would be lost instead.
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .context("traces cannot be sent")?;
    let resource = Resource::builder_empty()
        .with_service_name("hotline")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("hotline.site", site.to_string()))
        .build();
    exporter.set_resource(&resource);
    let (queue, ending, sending) = Queue::new(exporter, figures);
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(part.0))))
        .with_resource(resource)
        .with_span_processor(queue)
        .build();
    let listener = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("hotline"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(Targets::new().with_target(TRACES, LevelFilter::INFO))
        .boxed();
    Ok((listener, Sending { task: tokio::spawn(sending), ending }))
}

impl Sending {
    /// Sends what waits, within a bound.
    pub(super) async fn end(self) {
        self.ending.begin();
        if tokio::time::timeout(FLUSH_AT_LATEST, self.task).await.is_err() {
            tracing::warn!("the collector did not take the last spans in time; they are dropped");
        }
    }
}

/// Makes a span go on with the trace that a caller's `traceparent` names; with one that is none, it begins its own.
pub(super) fn go_on(span: &Span, traceparent: &str) {
    let named = TraceContextPropagator::new().extract_with_context(&Context::new(), &OneHeader(traceparent));
    if named.span().span_context().is_valid() {
        // It fails where nobody listens to this span: then there is nothing to go on with.
        let _gone_on = span.set_parent(named);
    }
}

/// The one header that is looked at: whatever else a caller would have passed on stays outside.
struct OneHeader<'a>(&'a str);

impl Extractor for OneHeader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_and_nothing_more() {
        for address in ["http://127.0.0.1:4317", "http://[::1]:4317/", "http://collector.internal:4317"] {
            assert_eq!(address.parse::<Collector>().expect(address).to_string(), address);
        }
        let cases = [
            ("", "no address"),
            ("127.0.0.1:4317", "http://"),
            ("grpc://127.0.0.1:4317", "http://"),
            ("https://127.0.0.1:4317", "TLS"),
            ("http://127.0.0.1", "no port"),
            ("http://127.0.0.1:0", "no port"),
            ("http://user:word@127.0.0.1:4317", "secrets"),
            ("http://127.0.0.1:4317/v1/traces", "behind the port"),
        ];
        for (address, words) in cases {
            let said = address.parse::<Collector>().expect_err(address).to_string();
            assert!(said.contains(words) && said.contains("http://127.0.0.1:4317,"), "{address}: {said}");
        }
    }
}
