//! A router that was told to stop: health first, streams with a word, what is under way to its answer.

use std::sync::Arc;
use std::time::Duration;

use api::v1;
use async_trait::async_trait;
use exchange::Clock;
use session::{Appended, Head, Journal, JournalFault, MemoryJournal, Row, StoredRow};
use switchboard::id::{Seq, SiteId};
use tokio::sync::watch;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::hospital::{Hospital, in_time, reason};

pub(crate) async fn health_at(address: &str) -> HealthClient<Channel> {
    let channel = Channel::from_shared(address.to_owned()).expect("an address");
    HealthClient::new(channel.connect().await.expect("connected"))
}

#[tokio::test]
async fn health_says_it_before_the_streams_end() {
    let hospital = Hospital::open().await;
    let mut health = health_at(&hospital.address).await;
    for service in ["", "hotline.v1.GatewayService", "hotline.v1.AdminService"] {
        let request = HealthCheckRequest { service: service.into() };
        let status = health.check(request).await.expect("healthy").into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    let mut watched = health.watch(HealthCheckRequest::default()).await.expect("open").into_inner();
    let first = in_time(watched.message()).await.expect("open").expect("a status");
    assert_eq!(first.status(), ServingStatus::Serving);
    let stopping = tokio::spawn(hospital.router.stop());
    let last = in_time(watched.message()).await.expect("open").expect("a status");
    assert_eq!(last.status(), ServingStatus::NotServing);
    let end = in_time(watched.message()).await.expect_err("a word");
    assert_eq!((end.code(), reason(&end).as_str()), (Code::Unavailable, "CLOSING"));
    in_time(stopping).await.expect("an endless stream holds nobody up");
}

#[tokio::test]
async fn health_says_when_the_store_takes_long_and_when_it_has_come_to() {
    let (journal, gate, _waits) = gated();
    let hospital = Hospital::on(journal, Clock::System, |_| {}).await;
    let mut health = health_at(&hospital.address).await;
    let request = HealthCheckRequest { service: "hotline.v1.GatewayService".into() };
    let mut watched = health.watch(request).await.expect("open").into_inner();
    let first = in_time(watched.message()).await.expect("open").expect("a status");
    assert_eq!(first.status(), ServingStatus::Serving);
    gate.send_replace(false);
    let admin = hospital.admin.clone();
    let asking = tokio::spawn(async move { admin.send(crate::hospital::visitor("ana")).await });
    let slow = in_time(watched.message()).await.expect("open").expect("a status");
    assert_eq!(slow.status(), ServingStatus::NotServing);
    gate.send_replace(true);
    let again = in_time(watched.message()).await.expect("open").expect("a status");
    assert_eq!(again.status(), ServingStatus::Serving);
    in_time(asking).await.expect("an answer").expect("everything went on by itself");
}

/// Appends, and says how far the sites are, only while the gate is open.
pub(crate) struct Gated {
    store: Arc<MemoryJournal>,
    open: watch::Receiver<bool>,
    waiting: watch::Sender<bool>,
}

#[async_trait]
impl Journal for Gated {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        if !*self.open.borrow() {
            self.waiting.send_replace(true);
        }
        self.open.clone().wait_for(|open| *open).await.expect("the test holds the gate");
        self.store.append(site, row).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        self.store.tail(site, after, rows_max).await
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        self.store.head(site).await
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        self.open.clone().wait_for(|open| *open).await.expect("the test holds the gate");
        self.store.heads().await
    }
}

pub(crate) fn gated() -> (Arc<Gated>, watch::Sender<bool>, watch::Receiver<bool>) {
    gated_over(Arc::default())
}

/// A way of its own to a journal that others may have, too.
pub(crate) fn gated_over(
    store: Arc<MemoryJournal>,
) -> (Arc<Gated>, watch::Sender<bool>, watch::Receiver<bool>) {
    let (gate, open) = watch::channel(true);
    let (waiting, waits) = watch::channel(false);
    (Arc::new(Gated { store, open, waiting }), gate, waits)
}

fn close_duty() -> v1::CloseLineRequest {
    v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 600_000,
        ..v1::CloseLineRequest::default()
    }
}

#[tokio::test]
async fn a_command_under_way_is_answered() {
    let (journal, gate, mut waits) = gated();
    let hospital = Hospital::on(journal, Clock::STEPPED, |_| {}).await;
    let before = hospital.exchange.cursor().seq.0;
    gate.send_replace(false);
    let client = hospital.supervisor.clone();
    let command = tokio::spawn(async move { client.supervisor().close_line(close_duty()).await });
    in_time(waits.wait_for(|waits| *waits)).await.expect("it is being stored");
    let stopping = tokio::spawn(hospital.router.stop());
    // New connections are refused from here on: it is stopping.
    in_time(async {
        while tokio::net::TcpStream::connect(hospital.address.trim_start_matches("http://")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gate.send_replace(true);
    let receipt = in_time(command).await.expect("asked").expect("answered").into_inner().receipt;
    assert_eq!(receipt.and_then(|receipt| receipt.cursor).expect("a cursor").seq, before + 1);
    in_time(stopping).await.expect("stopped");
}

#[tokio::test]
async fn it_does_not_wait_for_ever() {
    let (journal, gate, mut waits) = gated();
    let brief = Duration::from_millis(50);
    let hospital = Hospital::on(journal, Clock::STEPPED, |config| config.limits.drain = brief).await;
    gate.send_replace(false);
    let client = hospital.supervisor.clone();
    let command = tokio::spawn(async move { client.supervisor().close_line(close_duty()).await });
    in_time(waits.wait_for(|waits| *waits)).await.expect("it is being stored");
    in_time(hospital.router.stop()).await;
    let cut = in_time(command).await.expect("asked").expect_err("whether it was stored is not known");
    // A server that only stops waiting would leave it to the limit of every request, 30 s.
    assert_ne!(cut.code(), Code::Cancelled, "{cut}");
}
