//! The same port over HTTP/1.1, byte by byte: gRPC-Web for browsers, figures for Prometheus, and a word for the rest.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use api::v1;
use exchange::Clock;
use prost::Message;
use session::MemoryJournal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::hospital::{Hospital, in_time, who};

/// Sends one request and reads what comes until the server closes or `enough` is there.
async fn ask(hospital: &Hospital, head: &str, body: &[u8], enough: Option<&str>) -> String {
    ask_at(hospital.router.address(), head, body, enough).await
}

async fn ask_at(address: SocketAddr, head: &str, body: &[u8], enough: Option<&str>) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = format!("{head}\r\nhost: hotline\r\ncontent-length: {}\r\n", body.len());
    let close = if enough.is_none() { "connection: close\r\n\r\n" } else { "\r\n" };
    stream.write_all(&[head.as_bytes(), close.as_bytes(), body].concat()).await.expect("sent");
    let mut answer = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        let read = in_time(stream.read(&mut chunk)).await.expect("an answer");
        answer.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        if read == 0 || enough.is_some_and(|enough| text.contains(enough)) {
            return text;
        }
    }
}

/// One message as gRPC frames it.
fn framed(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    [&[0][..], &length, &message].concat()
}

fn post(method: &str, kind: &str, token: &str) -> String {
    format!(
        "POST /hotline.v1.{method} HTTP/1.1\r\ncontent-type: application/{kind}\r\nauthorization: Bearer {token}"
    )
}

async fn token(hospital: &Hospital, role: &str) -> String {
    hospital.token(role, "web").await
}

#[tokio::test]
async fn a_browser_asks_over_http_1() {
    let hospital = Hospital::open().await;
    let admin = token(&hospital, "admin").await;
    let plan = framed(&v1::GetPlanRequest::default());
    let head = post("AdminService/GetPlan", "grpc-web+proto", &admin);
    let answer = ask(&hospital, &head, &plan, None).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("content-type: application/grpc-web+proto"), "{answer}");
    assert!(answer.contains("[lines.emergency]") && answer.contains("grpc-status:0"), "{answer}");

    let head = post("AdminService/GetPlan", "grpc-web+proto", &token(&hospital, "gateway").await);
    let refused = ask(&hospital, &head, &plan, None).await;
    assert!(refused.contains("grpc-status: 7") || refused.contains("grpc-status:7"), "{refused}");
    let head = post("AdminService/GetPlan", "grpc-web+proto", "hl_x_y");
    let refused = ask(&hospital, &head, &plan, None).await;
    assert!(refused.contains("grpc-status: 16") || refused.contains("grpc-status:16"), "{refused}");
}

#[tokio::test]
async fn a_browsers_stream_is_cut_like_any_other() {
    let hospital = Hospital::open().await;
    let supervisor = token(&hospital, "supervisor").await;
    let head = post("SupervisorService/WatchBoard", "grpc-web+proto", &supervisor);
    let request = framed(&v1::WatchBoardRequest::default());
    let watching = ask(&hospital, &head, &request, Some("grpc-status:16"));
    let revoking = async {
        // Revoked as soon as the board is open.
        while !figures(&hospital)
            .await
            .contains("streams_open{method=\"/hotline.v1.SupervisorService/WatchBoard\"} 1")
        {
            tokio::task::yield_now().await;
        }
        let revoked = hospital.principals.revoke(&who("supervisor", "web")).await;
        assert!(revoked.expect("forgotten"));
    };
    let (answer, ()) = in_time(async { tokio::join!(watching, revoking) }).await;
    assert!(answer.contains("grpc-status:16"), "{answer}");
}

pub(crate) async fn figures(hospital: &Hospital) -> String {
    figures_at(hospital.router.address()).await
}

pub(crate) async fn figures_at(address: SocketAddr) -> String {
    ask_at(address, "GET /metrics HTTP/1.1", b"", None).await
}

#[tokio::test]
async fn a_request_that_was_given_up_is_counted_too() {
    let hospital = Hospital::open().await;
    let here = hospital.exchange.cursor();
    let ahead = Some(v1::Cursor { epoch: here.epoch.0, seq: here.seq.0 + 9 });
    let ask = v1::GetCallRequest { call_id: crate::hospital::new_call(), at_least: ahead };
    let mut request = tonic::Request::new(ask);
    request.set_timeout(std::time::Duration::from_millis(50));
    hospital.supervisor.supervisor().get_call(request).await.expect_err("it was not waited for");
    let counted =
        "hotline_requests_total{method=\"/hotline.v1.SupervisorService/GetCall\",code=\"CANCELLED\"} 1";
    crate::hospital::in_time(async { while !figures(&hospital).await.contains(counted) {} }).await;
}

#[tokio::test]
async fn figures_tell_what_was_asked_and_what_the_site_does() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (_ana, _desk) = hospital.on_duty("ana", &["comfort"]).await;
    let call = crate::hospital::new_call();
    hospital.report(crate::hospital::arrival(&call, "comfort", "13812345678")).await;
    hospital.gateway.admin().get_plan(v1::GetPlanRequest::default()).await.expect_err("not for gateways");
    let page = figures(&hospital).await;
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(page.contains("content-type: application/openmetrics-text; version=1.0.0"), "{page}");
    for line in [
        "hotline_requests_total{method=\"/hotline.v1.GatewayService/Report\",code=\"OK\"} 1",
        "hotline_requests_total{method=\"/hotline.v1.AdminService/GetPlan\",code=\"PERMISSION_DENIED\"} 1",
        "hotline_request_seconds_count{method=\"/hotline.v1.GatewayService/Report\"} 1",
        "hotline_streams_open{method=\"/hotline.v1.OperatorService/Attach\"} 1",
        "hotline_calls_open{site=\"main\",line=\"comfort\",state=\"ringing\"} 1",
        "hotline_operators{site=\"main\",state=\"offered\"} 1",
        "hotline_wrong_tokens_total 0",
        "# EOF",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    let decisions = format!("hotline_decisions{{site=\"main\"}} {}", hospital.exchange.cursor().seq.0);
    assert!(page.contains(&decisions), "{decisions} is not in\n{page}");
    let did = hospital.exchange.figures();
    let appends = format!("hotline_appends_total{{site=\"main\"}} {}\n", did.appends);
    assert!(did.appends > 0 && page.contains(&appends), "{appends} is not in\n{page}");
    assert!(page.contains("hotline_appends_lost_total{site=\"main\"} 0\n"), "{page}");
    assert!(!page.contains("13812345678") && !page.contains("ana") && !page.contains(&call), "{page}");
}

/// An address of this machine that is not loopback: whoever connects to it comes from there, too.
fn address_beyond_loopback() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    // Nothing is sent: the system only says from where it would be. The address is nobody's.
    socket.connect("198.51.100.1:9").expect("this test needs a network interface beside loopback");
    socket.local_addr().expect("an address").ip()
}

#[tokio::test]
async fn another_machine_needs_a_token_of_the_office_for_figures() {
    let address = SocketAddr::new(address_beyond_loopback(), 0);
    let hospital = Hospital::on(Arc::new(MemoryJournal::new()), Clock::System, |config| {
        config.listen = vec![address];
        config.insecure_plaintext = true;
    });
    let hospital = hospital.await;
    assert!(!hospital.router.address().ip().is_loopback());
    let asked = async |token: &str| {
        let head = match token {
            "" => "GET /metrics HTTP/1.1".to_owned(),
            token => format!("GET /metrics HTTP/1.1\r\nauthorization: Bearer {token}"),
        };
        ask(&hospital, &head, b"", None).await
    };
    for token in ["", "hl_x_y"] {
        let refused = asked(token).await;
        assert!(refused.starts_with("HTTP/1.1 401") && !refused.contains("hotline_decisions"), "{refused}");
    }
    for role in ["gateway", "wallboard"] {
        let refused = asked(&token(&hospital, role).await).await;
        assert!(
            refused.starts_with("HTTP/1.1 403") && !refused.contains("hotline_decisions"),
            "{role}: {refused}"
        );
    }
    for role in ["supervisor", "admin", "integrator"] {
        let page = asked(&token(&hospital, role).await).await;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("hotline_decisions"), "{role}: {page}");
    }
}

#[tokio::test]
async fn whatever_else_comes_gets_a_word() {
    let hospital = Hospital::open().await;
    let nothing = ask(&hospital, "GET / HTTP/1.1", b"", None).await;
    assert!(nothing.starts_with("HTTP/1.1 404") && nothing.contains("gRPC"), "{nothing}");
    let put = ask(&hospital, "POST /metrics HTTP/1.1", b"", None).await;
    assert!(put.starts_with("HTTP/1.1 405"), "{put}");
    let head = post("AdminService/GetPlan", "grpc", &token(&hospital, "admin").await);
    let old = ask(&hospital, &head, &framed(&v1::GetPlanRequest::default()), None).await;
    assert!(old.starts_with("HTTP/1.1 505") && old.contains("HTTP/2"), "{old}");
    let noise = ask(&hospital, "\u{0}\u{1}noise", b"", None).await;
    assert!(noise.is_empty() || noise.starts_with("HTTP/1.1 400"), "{noise}");
    hospital.admin.send(v1::GetPlanRequest::default()).await.expect("others are served");
}
