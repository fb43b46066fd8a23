//! A fault of the program, met by the real server: a journal in which an operator does not know of an offer.

use std::path::Path;
use std::time::{Duration, Instant};

use api::{Bearer, Client, v1};
use session::{Journal, Row, SqliteStore, Writer};
use switchboard::command::{Actor, Command, Input};
use switchboard::decision::{Decision, Reply};
use switchboard::event::Event;
use uuid::Uuid;
use v1::fact::Fact as Is;

use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn what_broke_a_law_is_kept_beside_the_journal_and_health_says_that_the_site_stopped() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    let flags =
        ["--clock", "stepped", "--gateway", "gw-1", "--data", data.to_str().expect("a path that is text")];
    let call = Uuid::new_v4().to_string();
    let mut server = Server::start("sound", &flags);
    offer(&mut server, &call).await;
    drop(server);
    forge(&data).await;

    let mut server = Server::start("forged", &flags);
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address");
    let gateway = Client::new(address, server.token("gateway")).expect("an address");
    assert!(gateway.is_serving().await.expect("an answer"));
    assert!(!data.join("evidence").exists(), "there is nothing to keep");
    for nth in 1..=3 {
        let ringing = v1::LegReport {
            call_id: call.clone(),
            attempt: 1,
            event: v1::LegEvent::Ringing.into(),
            ..Default::default()
        };
        let report = v1::ReportRequest { facts: vec![v1::Fact { fact: Some(Is::Leg(ringing)) }] };
        let refused = gateway.send(report).await.expect_err("against a law");
        assert!(refused.message().contains("fault of the program"), "{refused:?}");
        let kept = std::fs::read_dir(data.join("evidence")).expect("a directory").count();
        assert_eq!(kept, nth);
    }
    for kept in std::fs::read_dir(data.join("evidence")).expect("a directory") {
        let text = std::fs::read_to_string(kept.expect("an entry").path()).expect("text");
        assert!(text.starts_with("{\"what\":\"L04") && text.contains(&call), "{text}");
    }
    let give_up_at = Instant::now() + PATIENCE;
    while gateway.is_serving().await.expect("an answer") {
        assert!(Instant::now() < give_up_at, "it still says that it serves");
    }
    let admin = gateway.with_token(server.token("admin"));
    let page = admin.send(v1::ListOperatorsRequest { page_size: 10, ..Default::default() }).await;
    assert_eq!(page.expect("reads go on").operators.len(), 1);
}

/// A call that is offered to somebody.
async fn offer(server: &mut Server, call: &str) {
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address");
    let admin = Client::new(address, server.token("admin")).expect("an address");
    let gateway = admin.with_token(server.token("gateway"));
    let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    let _attached = gateway.gateway().attach(attach).await.expect("attached");
    let profile = v1::OperatorProfile {
        home_line_ids: vec!["comfort".to_owned()],
        device: v1::DeviceKind::Ring.into(),
        ..Default::default()
    };
    let ana = v1::AddOperatorRequest {
        operator_id: "ana".to_owned(),
        profile: Some(profile),
        ..Default::default()
    };
    let added = admin.send(ana).await.expect("added");
    let ana = admin.with_token(Bearer::new(&added.token).expect("a token"));
    let desk = v1::OperatorServiceAttachRequest { desk_id: Uuid::new_v4().to_string(), resume: None };
    let mut desk = ana.operator().attach(desk).await.expect("attached").into_inner();
    ana.send(v1::GoOnDutyRequest::default()).await.expect("on duty");
    let arrival = v1::Arrival {
        call_id: call.to_owned(),
        line_id: "comfort".to_owned(),
        number: b"13812345678".to_vec(),
        ..Default::default()
    };
    let report = v1::ReportRequest { facts: vec![v1::Fact { fact: Some(Is::Arrival(arrival)) }] };
    gateway.send(report).await.expect("noted");
    loop {
        let shown = desk.message().await.expect("open").expect("a screen").desk.expect("a desk");
        if shown.offer.is_some() {
            return;
        }
    }
}

/// Writes behind the last decision that the operator is idle, whatever she was doing.
async fn forge(data: &Path) {
    let store = SqliteStore::open(data).await.expect("nobody serves it");
    let site = "main".parse().expect("a name");
    let head = store.head(site).await.expect("readable");
    let operator = "ana".parse().expect("a name");
    let actor = Actor::Gateway("gw-1".parse().expect("a name"));
    let command = Command::NotePhone { operator, busy: false };
    let decision = Decision {
        seq: head.last_seq.next(),
        at: head.at,
        input: Input { actor, request: None, command },
        events: vec![Event::OutsideCallEnded { operator }],
        reply: Reply::Done,
    };
    let row = Row {
        seq: decision.seq,
        last_seq: decision.seq,
        at: decision.at,
        wall_us: head.wall_us,
        writer: Writer::new("forger"),
        format: session::FORMAT,
        body: session::encode([&decision]),
    };
    store.append(site, &row).await.expect("stored");
    store.close().await;
}
