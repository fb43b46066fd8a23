//! Streams: snapshot, changes, reset; taking over, coming back, being told to go.

use api::v1::operator_service_client::OperatorServiceClient;
use api::v1::{self, TreatmentShape as Shape};
use api::{BoardFeed, DeskFeed, EventFeed, Feed, Update};
use tonic::Code;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::hospital::{GatewayStream, Hospital, arrival, bearer, hung_up, in_time, new_call, reason};

#[tokio::test]
async fn a_gateway_that_comes_back_is_told_what_it_missed_and_what_to_adopt() {
    let hospital = Hospital::open().await;
    let (gateway, _) = hospital.attach_gateway().await;
    let (kept, closed) = (new_call(), new_call());
    hospital.report(arrival(&kept, "duty", "1")).await;
    hospital.report(arrival(&closed, "duty", "2")).await;
    drop(gateway);
    hospital.report(hung_up(&closed)).await;

    let unknown = new_call();
    let inventory = vec![kept.clone(), closed.clone(), unknown.clone()];
    let mut gateway = GatewayStream::new(&hospital.gateway, 1, inventory);
    let Update::Snapshot(first) = gateway.next().await else { panic!("nothing was known") };
    let shape = |call: &str| first.treatments.iter().find(|t| t.call_id == call).map(v1::Treatment::shape);
    assert_eq!(shape(&kept), Some(Shape::Divert));
    assert_eq!(shape(&closed), Some(Shape::Release));
    assert_eq!(first.unknown_call_ids, [unknown]);
    assert!(first.plan.is_some());
}

#[tokio::test]
async fn a_resumed_stream_gets_only_changes_and_a_lost_history_a_reset() {
    let hospital = Hospital::open().await;
    let (mut gateway, _) = hospital.attach_gateway().await;
    let (old, new) = (new_call(), new_call());
    hospital.report(arrival(&old, "duty", "1")).await;
    let known = loop {
        let message = gateway.next().await.into_message();
        if message.treatments.iter().any(|t| t.call_id == old) {
            break message.cursor.expect("a cursor");
        }
    };
    hospital.report(arrival(&new, "duty", "2")).await;
    let attach = async |resume| {
        let request = v1::GatewayServiceAttachRequest {
            incarnation: 1,
            call_ids: vec![old.clone(), new.clone()],
            reaches: None,
            resume: Some(resume),
        };
        let mut stream = hospital.gateway.gateway().attach(request).await.expect("open").into_inner();
        in_time(stream.message()).await.expect("a message").expect("the first")
    };
    let first = attach(known).await;
    assert_eq!(first.kind(), v1::UpdateKind::Change);
    let calls: Vec<&str> = first.treatments.iter().map(|t| t.call_id.as_str()).collect();
    assert_eq!(calls, [new.as_str()], "only what is news");
    for resume in
        [v1::Cursor { epoch: known.epoch + 1, ..known }, v1::Cursor { seq: known.seq + 10_000, ..known }]
    {
        let first = attach(resume).await;
        assert_eq!(first.kind(), v1::UpdateKind::Reset);
        assert_eq!(first.treatments.len(), 2, "the whole");
    }
}

#[tokio::test]
async fn a_second_stream_of_a_gateway_ends_the_first() {
    let hospital = Hospital::open().await;
    let (mut first, _) = hospital.attach_gateway().await;
    let (mut second, _) = hospital.attach_gateway().await;
    let status = first.try_next().await.expect_err("taken over");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "TAKEN_OVER"));
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    second.until(&call, Shape::Divert).await;
}

#[tokio::test]
async fn a_gateway_whose_legs_are_gone_has_to_attach_again() {
    let hospital = Hospital::open().await;
    let (mut gateway, _) = hospital.attach_gateway().await;
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    hospital.report(v1::fact::Fact::LegsGone(v1::LegsGone { incarnation: 1 })).await;
    assert_eq!(hospital.call(&call).await.outcome(), v1::Outcome::FailedGateway);
    let ended = loop {
        match gateway.try_next().await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&ended), "UNKNOWN_GATEWAY");
}

#[tokio::test]
async fn another_desk_takes_over_and_the_same_desk_shares() {
    let hospital = Hospital::open().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    let window = ana.attach().await;
    assert_eq!(window.desk().session, desk.desk().session, "the same desk shares its session");
    let mut other = ana.client.attach(DeskFeed { desk_id: Uuid::new_v4().to_string() });
    let shown = in_time(other.next()).await.expect("a snapshot").into_message();
    assert_eq!(shown.desk.expect("a desk").session, desk.desk().session + 1);
    let ended = loop {
        match in_time(desk.stream.next()).await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(reason(&ended), "STALE_SESSION");
}

#[tokio::test]
async fn a_desk_has_a_bounded_number_of_windows() {
    let hospital = Hospital::open().await;
    let (ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    let mut windows = Vec::new();
    for _ in 0..3 {
        windows.push(ana.attach().await);
    }
    let mut one_more = ana.client.attach(DeskFeed { desk_id: ana.desk_id.clone() });
    let status = in_time(one_more.next()).await.expect_err("too many");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "TOO_MANY_STREAMS"));
}

#[tokio::test]
async fn a_reader_who_is_away_gets_the_latest_state() {
    const CHANGES: usize = 400;
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    // So little room on the way that messages wait in the router.
    let endpoint = Channel::from_shared(hospital.address.clone()).expect("an address");
    let channel = endpoint.initial_stream_window_size(1_024).connect().await.expect("connected");
    let token = hospital.token("operator", "ana").await;
    let mut client = OperatorServiceClient::with_interceptor(channel, bearer(&token));
    let request = v1::OperatorServiceAttachRequest { desk_id: ana.desk_id.clone(), resume: None };
    let mut window = client.attach(request).await.expect("open").into_inner();

    for _ in 0..CHANGES / 200 {
        let facts = (0..100).flat_map(|_| {
            let call = new_call();
            [arrival(&call, "duty", "1"), hung_up(&call)]
        });
        let facts = facts.map(|fact| v1::Fact { fact: Some(fact) }).collect();
        hospital.gateway.send(v1::ReportRequest { facts }).await.expect("a report");
    }
    let here = hospital.exchange.cursor().seq.0;
    let mut numbers = Vec::new();
    let last = loop {
        let message = in_time(window.message()).await.expect("open").expect("a message");
        numbers.push(message.number);
        if message.cursor.expect("a cursor").seq >= here {
            break message;
        }
    };
    assert!(last.desk.expect("a desk").offer.is_none(), "the latest state");
    assert!(numbers.len() < CHANGES, "{} messages for {CHANGES} changes: none were merged", numbers.len());
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn a_router_that_stops_ends_its_streams_and_clients_look_for_another() {
    let hospital = Hospital::open().await;
    let (ana, desk) = hospital.on_duty("ana", &["duty"]).await;
    let mut bare = DeskFeed { desk_id: Uuid::new_v4().to_string() };
    let mut stream = bare.open(&ana.client, None).await.expect("open").into_inner();
    in_time(stream.message()).await.expect("a message");
    let mut record = hospital.admin.admin().tail_events(v1::TailEventsRequest::default()).await;
    let record = record.as_mut().expect("open").get_mut();
    let mut board = hospital.supervisor.supervisor().watch_board(v1::WatchBoardRequest::default()).await;
    let board = board.as_mut().expect("open").get_mut();
    in_time(record.message()).await.expect("decisions");
    in_time(board.message()).await.expect("a board");
    in_time(hospital.router.stop()).await;
    assert_eq!(reason(&in_time(record.message()).await.expect_err("closing")), "CLOSING");
    assert_eq!(reason(&in_time(board.message()).await.expect_err("closing")), "CLOSING");
    let status = loop {
        match in_time(stream.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended without a word"),
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "CLOSING"));
    drop(desk);
    let request = v1::GetPlanRequest::default();
    let patience = std::time::Duration::from_millis(200);
    let status = hospital.admin.give_up_after(patience).send(request).await.expect_err("nobody there");
    assert_eq!(status.code(), Code::Unavailable);
}

#[tokio::test]
async fn clients_find_a_restarted_router_and_miss_nothing() {
    let hospital = Hospital::open().await;
    let (mut gateway, _) = hospital.attach_gateway().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    let mut record = hospital.admin.attach(EventFeed::default());
    let mut seqs = Vec::new();
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    gateway.until(&call, Shape::Ring).await;
    desk.until("an offer", |desk| desk.offer.is_some()).await;
    let session = desk.desk().session;

    let hospital = hospital.restart().await;
    let again = in_time(gateway.next()).await;
    assert!(matches!(again, Update::Change(_)), "it goes on where it was: {again:?}");
    assert_eq!(desk.next().await, v1::UpdateKind::Change);
    assert_eq!(desk.desk().session, session, "the same desk, the same session");
    let pause = v1::PauseRequest { reason: "lunch".into(), ..v1::PauseRequest::default() };
    ana.client.send(pause).await.expect("the token and the desk are known");
    let last = hospital.exchange.cursor().seq.0;
    while seqs.last().is_none_or(|seq| *seq < last) {
        let decisions = in_time(record.next()).await.expect("decisions").into_message().decisions;
        seqs.extend(decisions.iter().map(|decision| decision.seq));
    }
    assert!(seqs.iter().copied().eq(1..=last), "none left out, none twice: {seqs:?}");
}

#[tokio::test]
async fn somebody_in_the_office_has_a_bounded_number_of_streams() {
    let hospital = Hospital::open().await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        let request = v1::TailEventsRequest::default();
        streams.push(hospital.admin.admin().tail_events(request).await.expect("open"));
    }
    let board = hospital.admin.supervisor().watch_board(v1::WatchBoardRequest::default()).await;
    let status = board.expect_err("too many");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "TOO_MANY_STREAMS"));
    hospital.supervisor.supervisor().watch_board(v1::WatchBoardRequest::default()).await.expect("another");
    streams.clear();
    let mut board = hospital.admin.attach(BoardFeed { interval_ms: 0 });
    in_time(async {
        while board.next().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_read_waits_for_the_history_it_asks_for() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    let here = hospital.exchange.cursor();
    let read =
        |epoch, seq| v1::GetCallRequest { call_id: call.clone(), at_least: Some(v1::Cursor { epoch, seq }) };
    hospital.supervisor.send(read(here.epoch.0, here.seq.0)).await.expect("it is there");
    let mut supervisor = hospital.supervisor.supervisor();
    let status = supervisor.get_call(read(here.epoch.0, here.seq.0 + 9)).await.expect_err("not there");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "NOT_THERE_YET"));
    let status = supervisor.get_call(read(here.epoch.0 + 1, 1)).await.expect_err("another history");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "OTHER_EPOCH"));
}
