//! Connections that die without a word: the other end is there for TCP, and nobody answers.

use std::net::SocketAddr;
use std::time::Duration;

use api::{Client, GatewayFeed, v1};
use bytes::Bytes;
use exchange::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::hospital::{Hospital, arrival, bearer, in_time, new_call};
use crate::web::figures;

/// Passes bytes on until it falls silent; then it keeps every connection open and passes nothing.
async fn passage(to: SocketAddr) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (silence, silent) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((inside, _)) = listener.accept().await {
            let outside = TcpStream::connect(to).await.expect("the router listens");
            let ((inside_reads, inside_writes), (outside_reads, outside_writes)) =
                (inside.into_split(), outside.into_split());
            tokio::spawn(pass(inside_reads, outside_writes, silent.clone()));
            tokio::spawn(pass(outside_reads, inside_writes, silent.clone()));
        }
    });
    (address, silence)
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silent: watch::Receiver<bool>) {
    let mut bytes = vec![0; 16 * 1_024];
    loop {
        let read = tokio::select! {
            biased;
            _ = silent.wait_for(|silent| *silent) => break,
            read = from.read(&mut bytes) => read.unwrap_or(0),
        };
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
    // Held open, until the router lets go of it.
    let _held = (from, to);
    std::future::pending::<()>().await;
}

async fn streams(hospital: &Hospital) -> bool {
    let open = "hotline_streams_open{method=\"/hotline.v1.GatewayService/Attach\"} 1";
    figures(hospital).await.contains(open)
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_let_go() {
    let hospital = Hospital::with_clock(Clock::System).await;
    let (address, silence) = passage(hospital.router.address()).await;
    let token = hospital.token("gateway", "gw-2").await;
    let gateway = Client::new(&format!("http://{address}"), bearer(&token)).expect("an address");
    let mut stream = gateway.attach(GatewayFeed { incarnation: 1, reaches: None, inventory: Vec::new });
    in_time(stream.next()).await.expect("attached");
    assert!(streams(&hospital).await);
    silence.send_replace(true);
    in_time(async { while streams(&hospital).await {} }).await;
    drop(stream);
}

#[tokio::test]
async fn who_never_says_a_word_loses_the_place() {
    let hospital = Hospital::open().await;
    let mut silent = TcpStream::connect(hospital.router.address()).await.expect("the router listens");
    let mut bytes = Vec::new();
    // Whatever the router has to say meanwhile, this ends when it lets go.
    drop(in_time(silent.read_to_end(&mut bytes)).await);
    hospital.admin.send(api::v1::GetPlanRequest::default()).await.expect("who has spoken stays");
}

/// The record, asked for by somebody who answers pings and takes one byte of it at most. The task ends with the
/// connection; what is held keeps the stream from being given up.
async fn stuck(hospital: &Hospital, token: &str) -> (JoinHandle<()>, impl Send + use<>) {
    let stream = TcpStream::connect(hospital.router.address()).await.expect("the router listens");
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1);
    let (client, connection) = builder.handshake::<_, Bytes>(stream).await.expect("HTTP/2");
    let connected = tokio::spawn(async move { drop(connection.await) });
    let mut client = client.ready().await.expect("connected");
    let request = http::Request::post(format!("{}/hotline.v1.AdminService/TailEvents", hospital.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .expect("a request");
    let (answer, mut body) = client.send_request(request, false).expect("sent");
    body.send_data(Bytes::from_static(&[0; 5]), true).expect("an empty message");
    let answer = in_time(answer).await.expect("answered");
    assert_eq!(answer.status(), 200);
    (connected, (client, answer, body))
}

/// Calls ring in, of which the record tells: more messages than one.
async fn calls(hospital: &Hospital) {
    for _ in 0..20 {
        hospital.report(arrival(&new_call(), "duty", "1")).await;
    }
}

async fn records(hospital: &Hospital) -> bool {
    let open = "hotline_streams_open{method=\"/hotline.v1.AdminService/TailEvents\"} 1";
    figures(hospital).await.contains(open)
}

#[tokio::test]
async fn who_answers_pings_and_takes_nothing_is_let_go_and_who_waits_for_news_is_not() {
    let hospital = Hospital::with(|config| config.limits.stuck_reader = Duration::from_secs(1)).await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let token = hospital.token("admin", "slow").await;
    let (connected, _held) = stuck(&hospital, &token).await;
    calls(&hospital).await;
    in_time(connected).await.expect("let go");
    in_time(async { while records(&hospital).await {} }).await;
    assert!(streams(&hospital).await, "whoever took everything stays");
}

#[tokio::test]
async fn a_token_that_is_taken_away_ends_a_stream_that_nobody_reads() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let token = hospital.token("integrator", "his").await;
    let (connected, _held) = stuck(&hospital, &token).await;
    calls(&hospital).await;
    let whose = v1::principal_ref::Principal::IntegratorId("his".into());
    let principal = Some(v1::PrincipalRef { principal: Some(whose) });
    hospital.admin.send(v1::RevokeTokenRequest { principal }).await.expect("revoked");
    in_time(connected).await.expect("let go");
    in_time(async { while records(&hospital).await {} }).await;
}
