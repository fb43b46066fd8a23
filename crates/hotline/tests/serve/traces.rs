//! Traces of requests, as a collector gets them.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use api::{Client, v1};
use uuid::Uuid;

use crate::collector::Collector;
use crate::logs;
use crate::server::Server;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_TRACE: &str = "1bf7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn admin(server: &mut Server) -> (Client, String) {
    let address = server.ready()["address"].as_str().expect("an address").to_owned();
    (Client::new(&address, server.token("admin")).expect("an address"), address)
}

fn traced(client: &Client, trace: &str, flags: &str) -> Client {
    client.traced(format!("00-{trace}-{CALLER}-{flags}").parse().expect("a traceparent"))
}

fn add(operator: &str, request_id: &str) -> v1::AddOperatorRequest {
    let profile =
        Some(v1::OperatorProfile { device: v1::DeviceKind::Softphone.into(), ..Default::default() });
    v1::AddOperatorRequest { operator_id: operator.into(), profile, request_id: request_id.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_trace_goes_on_to_what_its_answer_stands_on() {
    let mut collector = Collector::start().await;
    let mut server = Server::start("traced", &["--otlp", &collector.address]);
    let (admin, _) = admin(&mut server);
    let request_id = Uuid::new_v4().to_string();
    let added = traced(&admin, TRACE, "01").send(add("ana", &request_id)).await.expect("added");
    let seq = added.receipt.and_then(|receipt| receipt.cursor).expect("a cursor").seq;

    let taken = collector.taken(|taken| taken.of_trace(TRACE).len() == 2).await;
    let [ask, request] = taken.of_trace(TRACE)[..] else { panic!("{taken:?}") };
    assert_eq!((request.name.as_str(), ask.name.as_str()), ("hotline.v1.AdminService/AddOperator", "ask"));
    assert_eq!((request.trace().as_str(), request.parent().as_str()), (TRACE, CALLER));
    assert_eq!((request.kind, request.is_error()), (2, false), "a server's span");
    assert!(request.began_ns > 0 && request.began_ns <= request.ended_ns);
    for (key, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", "hotline.v1.AdminService/AddOperator"),
        ("rpc.response.status_code", "OK"),
        ("hotline.role", "admin"),
        ("hotline.principal", "admin"),
    ] {
        assert_eq!(request.says(key), value, "{key}");
    }
    assert_eq!(ask.parent(), request.id());
    assert!(request.began_ns <= ask.began_ns && ask.ended_ns <= request.ended_ns);
    for (key, value) in [
        ("hotline.command", "AddOperator"),
        ("hotline.lane", "Oversight"),
        ("hotline.request_id", &request_id),
        ("hotline.seq", &seq.to_string()),
        ("hotline.again", "false"),
        ("hotline.row.decisions", "1"),
    ] {
        assert_eq!(ask.says(key), value, "{key}");
    }
    let parts = ["waited_us", "append_us", "publish_us"].map(|part| ask.number(&format!("hotline.{part}")));
    assert!(parts.iter().sum::<u64>() <= (ask.ended_ns - ask.began_ns) / 1_000, "parts of the whole");
    assert!(ask.number("hotline.decide_us") <= parts[0], "it was decided before it was appended");
    assert_eq!(
        (taken.sender_says("service.name"), taken.sender_says("hotline.site")),
        ("hotline".into(), "main".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_whoever_is_known_chooses_the_trace_and_the_file_says_how_many_begin_here() {
    let mut collector = Collector::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("server.toml");
    let text = format!("[traces]\notlp = \"{}\"\npart = 0.0\n", collector.address);
    fs::write(&file, text).expect("written");
    let mut server = Server::start("part", &["--config", file.to_str().expect("a path")]);
    let (admin, _) = admin(&mut server);
    // No part of the traces that begin here; none the caller does not send; none a stranger asks for.
    admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    traced(&admin, OTHER_TRACE, "00").send(v1::GetPlanRequest::default()).await.expect("a plan");
    let thief = admin.with_token(api::Bearer::new("hl_x_y").expect("letters"));
    traced(&thief, OTHER_TRACE, "01").send(v1::GetPlanRequest::default()).await.expect_err("no token");
    let unknown = v1::GetCallRequest { call_id: Uuid::new_v4().to_string(), at_least: None };
    traced(&admin, TRACE, "01").send(unknown).await.expect_err("no such call");
    server.log();
    let taken = collector.taken(|taken| !taken.spans.is_empty()).await;
    let [span] = &taken.spans[..] else { panic!("one of four: {taken:?}") };
    assert_eq!((span.name.as_str(), span.trace().as_str()), ("hotline.v1.SupervisorService/GetCall", TRACE));
    assert_eq!((span.says("rpc.response.status_code").as_str(), span.is_error()), ("NOT_FOUND", false));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_number_and_nobodys_token_is_in_a_span() {
    let mut collector = Collector::start().await;
    let mut server = Server::start("spans", &["--clock", "stepped", "--otlp", &collector.address]);
    let secrets = logs::busy(&mut server).await;
    let log = server.log();
    let taken = collector.taken(|taken| !taken.named("hotline.v1.AdminService/RevokeToken").is_empty()).await;
    let reports = taken.named("hotline.v1.GatewayService/Report");
    assert_eq!(reports.len(), 6, "what was waiting at the end was sent:\n{log}");
    let strangers = taken.named("hotline.v1.AdminService/GetPlan");
    let roles: Vec<String> = strangers.iter().map(|span| span.says("hotline.role")).collect();
    assert!(strangers.iter().all(|span| span.says("rpc.response.status_code") == "UNAUTHENTICATED"));
    assert_eq!(roles, [""], "a wrong token is nobody's");
    for secret in secrets {
        let found = taken.raw.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "{secret} is in a span");
    }
    assert!(taken.spans.iter().all(|span| span.trace_state.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_fails_nobody() {
    let away = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let mut server = Server::start("away", &["--otlp", &format!("http://{away}")]);
    let (admin, address) = admin(&mut server);
    while dropped(&address) == 0 {
        admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    }
    let log = server.log();
    assert_eq!(log.matches("the collector does not take spans").count(), 1, "said once:\n{log}");
    assert!(log.contains("ended"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_holds_up_nobodys_end() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let collector = format!("http://{}", silent.local_addr().expect("bound"));
    let mut server = Server::start("silent", &["--otlp", &collector]);
    let (admin, _) = admin(&mut server);
    for n in 0..20 {
        admin.send(add(&format!("op-{n}"), "")).await.expect("added");
    }
    let log = server.log();
    assert!(log.contains("did not take the last spans in time") && log.contains("ended"), "{log}");
}

/// How many spans the server says were not sent.
fn dropped(address: &str) -> u64 {
    let address = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it serves");
    write!(stream, "GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("asked");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    let figure = page.lines().find_map(|line| line.strip_prefix("hotline_spans_dropped_total "));
    figure.expect("a figure").parse().expect("a number")
}

#[test]
fn what_is_no_collectors_address_is_refused_where_it_stands() {
    let serve = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        command.args(["serve", "--tokens-file", "unused"]).args(arguments).stdin(Stdio::null());
        let output = command.output().expect("ended");
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("server.toml");
    fs::write(&file, "[traces]\npart = 0.5\notlp = \"localhost\"\n").expect("written");
    let said = serve(&["--config", file.to_str().expect("a path")]);
    for part in ["server.toml:3:8", "3 | otlp = \"localhost\"", "^^^^", "http://127.0.0.1:4317", "help:"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let said = serve(&["--otlp", "https://127.0.0.1:4317"]);
    assert!(said.contains("--otlp") && said.contains("TLS"), "{said}");
}
