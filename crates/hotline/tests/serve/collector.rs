//! A collector of traces, made of HTTP/2 and the field numbers that the standard gives: nothing of what sends to it.

use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use http::HeaderMap;
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(30);

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Before a message: whether it is compressed, and four bytes of length.
const MESSAGE_HEAD: usize = 5;

#[derive(Clone, PartialEq, Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) trace_state: String,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(crate) name: String,
    #[prost(int32, tag = "6")]
    pub(crate) kind: i32,
    #[prost(fixed64, tag = "7")]
    pub(crate) began_ns: u64,
    #[prost(fixed64, tag = "8")]
    pub(crate) ended_ns: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<SpanStatus>,
}

#[derive(Clone, PartialEq, Message)]
struct SpanStatus {
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(bool, optional, tag = "2")]
    truth: Option<bool>,
    #[prost(int64, optional, tag = "3")]
    number: Option<i64>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an attribute says, as text.
fn said(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?;
    let truth = value.truth.map(|truth| truth.to_string());
    let number = value.number.map(|number| number.to_string());
    value.text.or(truth).or(number)
}

impl Span {
    pub(crate) fn trace(&self) -> String {
        hex(&self.trace_id)
    }

    pub(crate) fn id(&self) -> String {
        hex(&self.span_id)
    }

    /// Empty for the first of a trace.
    pub(crate) fn parent(&self) -> String {
        hex(&self.parent_span_id)
    }

    /// What an attribute says; nothing if there is none.
    pub(crate) fn says(&self, key: &str) -> String {
        said(&self.attributes, key).unwrap_or_default()
    }

    pub(crate) fn number(&self, key: &str) -> u64 {
        self.says(key).parse().unwrap_or_else(|_| panic!("{key} is a number in {self:?}"))
    }

    pub(crate) fn is_error(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.code == 2)
    }
}

/// What came in so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken {
    pub(crate) spans: Vec<Span>,
    /// Every byte of every message.
    pub(crate) raw: Vec<u8>,
    resources: Vec<Resource>,
}

impl Taken {
    pub(crate) fn named(&self, name: &str) -> Vec<&Span> {
        self.spans.iter().filter(|span| span.name == name).collect()
    }

    /// The spans of a trace, in the order in which they ended.
    pub(crate) fn of_trace(&self, trace: &str) -> Vec<&Span> {
        self.spans.iter().filter(|span| span.trace() == trace).collect()
    }

    /// What the sender says of itself.
    pub(crate) fn sender_says(&self, key: &str) -> String {
        said(&self.resources[0].attributes, key).unwrap_or_default()
    }
}

pub(crate) struct Collector {
    pub(crate) address: String,
    taken: watch::Receiver<Taken>,
}

impl Collector {
    pub(crate) async fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let (taker, taken) = watch::channel(Taken::default());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(connected(stream, taker.clone()));
            }
        });
        Collector { address, taken }
    }

    /// Waits until enough has come in.
    pub(crate) async fn taken(&mut self, enough: impl FnMut(&Taken) -> bool) -> Taken {
        if let Ok(taken) = tokio::time::timeout(PATIENCE, self.taken.wait_for(enough)).await {
            return taken.expect("the collector goes on").clone();
        }
        panic!("this is all that came: {:?}", self.taken.borrow().spans);
    }
}

async fn connected(stream: TcpStream, taker: watch::Sender<Taken>) {
    let mut connection = h2::server::handshake(stream).await.expect("HTTP/2");
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let taker = taker.clone();
        tokio::spawn(async move {
            assert_eq!(request.uri().path(), EXPORT);
            let bytes = body(request.into_body()).await;
            let export = Export::decode(&bytes[MESSAGE_HEAD..]).expect("what the standard says");
            taker.send_modify(|taken| {
                taken.raw.extend(&bytes);
                for of_resource in export.resource_spans {
                    taken.resources.extend(of_resource.resource);
                    taken.spans.extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
                }
            });
            let head = http::Response::builder().header("content-type", "application/grpc").body(());
            let mut answer = respond.send_response(head.expect("a head"), false).expect("open");
            answer.send_data(Bytes::from_static(&[0; MESSAGE_HEAD]), false).expect("open");
            let status = [("grpc-status".parse().expect("a name"), "0".parse().expect("a value"))];
            answer.send_trailers(HeaderMap::from_iter(status)).expect("open");
        });
    }
}

async fn body(mut body: RecvStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.expect("a whole message");
        body.flow_control().release_capacity(chunk.len()).expect("what was lent");
        bytes.extend(chunk);
    }
    bytes
}
