//! The stepped clock: nothing happens until it is stepped, and receipts say what to wait for.

use std::collections::BTreeMap;

use api::v1::{self, stream_progress::Holder};

use crate::hospital::{Hospital, arrival, new_call, reason};

const SECOND: u64 = 1_000_000;

fn progress(receipt: &v1::Receipt) -> BTreeMap<String, (u64, bool)> {
    let stepped = receipt.stepped.as_ref().expect("a stepped clock");
    let told = stepped.progress.iter().map(|stream| {
        let holder = match stream.holder.as_ref().expect("a holder") {
            Holder::GatewayId(id) | Holder::OperatorId(id) => id.clone(),
        };
        (holder, (stream.number, stream.closed))
    });
    told.collect()
}

async fn step(hospital: &Hospital, to_us: u64, stop_at_deadline: bool) -> v1::Receipt {
    let request = v1::StepRequest { to_us, stop_at_deadline };
    hospital.admin.send(request).await.expect("stepped").receipt.expect("a receipt")
}

#[tokio::test]
async fn a_step_fires_every_deadline_at_its_own_time() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    hospital.report(arrival(&new_call(), "duty", "1")).await;
    desk.until("an offer", |desk| desk.offer.is_some()).await;
    let confirm = v1::ConfirmDeliveryRequest {
        offer: desk.offer().offer,
        session: desk.desk().session,
        ..v1::ConfirmDeliveryRequest::default()
    };
    ana.client.send(confirm).await.expect("confirmed");

    let receipt = step(&hospital, 600 * SECOND, true).await;
    assert_eq!(receipt.at_us, 15 * SECOND, "stopped where the ring ended");
    assert!(receipt.stepped.and_then(|s| s.next_deadline_us).is_some_and(|next| next > 15 * SECOND));
    desk.until("nothing", |desk| desk.offer.is_none()).await;
    assert_eq!(desk.desk().cool_until_us, Some(35 * SECOND));
    let receipt = step(&hospital, 60 * SECOND, false).await;
    assert_eq!(receipt.at_us, 60 * SECOND);
    desk.until("the end of the cool-down", |desk| desk.cool_until_us.is_none()).await;
    let status = hospital
        .admin
        .send(v1::StepRequest { to_us: SECOND, stop_at_deadline: false })
        .await
        .expect_err("time does not go back");
    assert_eq!(reason(&status), "TIME_WENT_BACK");
}

#[tokio::test]
async fn receipts_tell_which_streams_have_news() {
    let hospital = Hospital::open().await;
    let (mut gateway, first) = hospital.attach_gateway().await;
    let told = progress(&step(&hospital, 0, false).await);
    assert_eq!(told.get("gw-1"), Some(&(first.number, false)));
    let (_ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    step(&hospital, 0, false).await;
    assert!(progress(&step(&hospital, 0, false).await).is_empty(), "told once");

    let facts = vec![v1::Fact { fact: Some(arrival(&new_call(), "duty", "1")) }];
    let reply = hospital.gateway.send(v1::ReportRequest { facts }).await.expect("a report");
    let told = progress(&reply.receipt.expect("a receipt"));
    assert_eq!(told.keys().collect::<Vec<_>>(), ["ana", "gw-1"]);
    let mut number = first.number;
    while number < told["gw-1"].0 {
        number = gateway.next().await.into_message().number;
    }
    while desk.shows.number < told["ana"].0 {
        desk.next().await;
    }
    assert!(desk.desk().offer.is_some(), "what was waited for is there");
}

#[tokio::test]
async fn a_closed_stream_is_told_once_the_site_knows() {
    let hospital = Hospital::open().await;
    let (person, desk) = hospital.on_duty("ana", &["duty"]).await;
    step(&hospital, 0, false).await;
    let heartbeat = v1::HeartbeatRequest { session: desk.desk().session };
    drop(desk);
    let link = loop {
        if progress(&step(&hospital, 0, false).await).get("ana").is_some_and(|(_, closed)| *closed) {
            let ana = "ana".parse().expect("a name");
            break hospital.exchange.read(|switchboard| switchboard.operator(ana).map(|o| o.link));
        }
    };
    assert!(matches!(link, Some(switchboard::operator::Link::Grace { .. })), "{link:?}");
    let status = person.client.send(heartbeat).await.expect_err("its lease ended");
    assert_eq!(reason(&status), "FENCED", "nobody took over");
}

#[tokio::test]
async fn an_open_desk_needs_no_heartbeat_on_a_stepped_clock() {
    let hospital = Hospital::open().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    step(&hospital, 3_600 * SECOND, false).await;
    hospital.report_to_attached().await;
    desk.until("an offer after an hour", |desk| desk.offer.is_some()).await;
    let heartbeat = v1::HeartbeatRequest { session: desk.desk().session };
    assert_eq!(ana.client.send(heartbeat).await.expect("alive").next_within_ms, 5_000);
    let stale = v1::HeartbeatRequest { session: desk.desk().session + 1 };
    let status = ana.client.send(stale).await.expect_err("another session");
    assert_eq!(reason(&status), "STALE_SESSION");
}

#[tokio::test]
async fn a_desk_that_missed_an_offer_but_beats_is_back() {
    let hospital = Hospital::open().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    hospital.report_to_attached().await;
    desk.until("an offer", |desk| desk.offer.is_some()).await;
    step(&hospital, 3 * SECOND, false).await;
    desk.until("grace after an offer nobody confirmed", |desk| is_linked(desk, v1::LinkState::Grace)).await;
    let heartbeat = v1::HeartbeatRequest { session: desk.desk().session };
    ana.client.send(heartbeat).await.expect("alive");
    desk.until("online", |desk| is_linked(desk, v1::LinkState::Online)).await;
}

fn is_linked(desk: &v1::Desk, state: v1::LinkState) -> bool {
    desk.link.is_some_and(|link| link.state() == state)
}

impl Hospital {
    async fn report_to_attached(&self) {
        let (_gateway, _) = self.attach_gateway().await;
        self.report(arrival(&new_call(), "duty", "1")).await;
    }
}
