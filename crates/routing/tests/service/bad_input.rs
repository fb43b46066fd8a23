//! Requests that no well-behaved client sends: each gets a status with the field and how to mend it, and changes
//! nothing.

use api::v1::{self, fact::Fact};
use tonic::Code;

use crate::hospital::{Hospital, Person, arrival, field, leg, new_call, reason};

async fn fact_field(hospital: &Hospital, fact: Fact) -> String {
    let good = v1::Fact { fact: Some(arrival(&new_call(), "duty", "1")) };
    let facts = vec![good, v1::Fact { fact: Some(fact) }];
    field(&hospital.gateway.send(v1::ReportRequest { facts }).await.expect_err("refused"))
}

#[tokio::test]
async fn a_report_names_the_field_and_notes_nothing() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let before = hospital.exchange.cursor();
    let call = new_call();
    let digit = |key: &str| Fact::Digit(v1::Digit { call_id: call.clone(), attempt: None, key: key.into() });
    let with = |change: fn(&mut v1::Arrival)| {
        let Fact::Arrival(mut arrival) = arrival(&call, "duty", "1") else { unreachable!("an arrival") };
        change(&mut arrival);
        Fact::Arrival(arrival)
    };
    let cases = [
        (arrival("nonsense", "duty", "1"), "facts[1].arrival.call_id"),
        (arrival("", "duty", "1"), "facts[1].arrival.call_id"),
        (arrival("00000000-0000-0000-0000-000000000000", "duty", "1"), "facts[1].arrival.call_id"),
        (arrival(&call, "Duty Line", "1"), "facts[1].arrival.line_id"),
        (arrival(&call, "", "1"), "facts[1].arrival.line_id"),
        (arrival(&call, &"a".repeat(64), "1"), "facts[1].arrival.line_id"),
        (with(|a| a.skill_ids = vec!["mandarin".into(), "\u{202e}".into()]), "facts[1].arrival.skill_ids[1]"),
        (with(|a| a.waited_ms = u64::MAX), "facts[1].arrival.waited_ms"),
        (
            with(|a| a.diverted_destination_id = "+8613812345678".into()),
            "facts[1].arrival.diverted_destination_id",
        ),
        (leg(&call, 1, v1::LegEvent::Unspecified), "facts[1].leg.event"),
        (digit(""), "facts[1].digit.key"),
        (digit("12"), "facts[1].digit.key"),
        (digit("a"), "facts[1].digit.key"),
        (digit("１"), "facts[1].digit.key"),
    ];
    for (fact, expected) in cases {
        assert_eq!(fact_field(&hospital, fact).await, expected);
    }
    let failed = v1::LegReport {
        call_id: call.clone(),
        attempt: 1,
        event: v1::LegEvent::Failed.into(),
        cause: "Line is BUSY!".into(),
    };
    assert_eq!(fact_field(&hospital, Fact::Leg(failed)).await, "facts[1].leg.cause");
    let facts = vec![v1::Fact::default()];
    let status = hospital.gateway.send(v1::ReportRequest { facts }).await.expect_err("refused");
    assert_eq!(field(&status), "facts[0]");
    let facts = vec![v1::Fact { fact: Some(digit("1")) }; 257];
    let status = hospital.gateway.send(v1::ReportRequest { facts }).await.expect_err("refused");
    assert_eq!(field(&status), "facts");
    assert_eq!(hospital.exchange.cursor(), before, "nothing changed");
}

#[tokio::test]
async fn an_operators_request_names_the_field() {
    let hospital = Hospital::open().await;
    let Person { client, .. } = hospital.add("ana", v1::DeviceKind::AutoAnswer, &["duty"]).await;
    let before = hospital.exchange.cursor();
    let call = new_call();
    let offer = |call_id: &str| Some(v1::OfferRef { call_id: call_id.into(), attempt: 1 });

    let pause = v1::PauseRequest { reason: "I am hungry".into(), ..v1::PauseRequest::default() };
    assert_eq!(field(&client.send(pause).await.expect_err("refused")), "reason");
    let pause = v1::PauseRequest {
        reason: "lunch".into(),
        lasting_ms: Some(u64::MAX),
        ..v1::PauseRequest::default()
    };
    assert_eq!(field(&client.send(pause).await.expect_err("refused")), "lasting_ms");
    let accept = v1::AcceptRequest { offer: None, ..v1::AcceptRequest::default() };
    assert_eq!(field(&client.send(accept).await.expect_err("refused")), "offer");
    let accept = v1::AcceptRequest { offer: offer("x"), ..v1::AcceptRequest::default() };
    assert_eq!(field(&client.send(accept).await.expect_err("refused")), "offer.call_id");
    let decline =
        v1::DeclineRequest { offer: offer(&call), reason: "no!".into(), ..v1::DeclineRequest::default() };
    assert_eq!(field(&client.send(decline).await.expect_err("refused")), "reason");
    let hold = v1::HoldRequest { request_id: "again".into(), call_id: call.clone() };
    assert_eq!(field(&client.send(hold).await.expect_err("refused")), "request_id");
    let transfer = v1::TransferRequest { call_id: call.clone(), ..v1::TransferRequest::default() };
    assert_eq!(field(&client.send(transfer).await.expect_err("refused")), "to");
    let consult =
        v1::ConsultRequest { call_id: call, colleague_id: "Ben".into(), ..v1::ConsultRequest::default() };
    assert_eq!(field(&client.send(consult).await.expect_err("refused")), "colleague_id");
    let mut desk = client.attach(api::DeskFeed { desk_id: "my desk".into() });
    assert_eq!(field(&desk.next().await.expect_err("refused")), "desk_id");
    assert_eq!(hospital.exchange.cursor(), before, "nothing changed");
}

#[tokio::test]
async fn an_offices_request_names_the_field() {
    let hospital = Hospital::open().await;
    let before = hospital.exchange.cursor();
    let supervisor = &hospital.supervisor;
    let force = v1::ForceOperatorRequest { operator_id: "ana".into(), ..v1::ForceOperatorRequest::default() };
    assert_eq!(field(&supervisor.send(force).await.expect_err("refused")), "to");
    let unblock =
        v1::UnblockCallerRequest { caller_ref: "13812345678".into(), ..v1::UnblockCallerRequest::default() };
    let status = supervisor.send(unblock).await.expect_err("refused");
    assert_eq!(field(&status), "caller_ref");
    assert!(!format!("{status:?}").contains("138"), "what was sent is not repeated");
    let list = v1::ListCallsRequest { page_size: 1_001, ..v1::ListCallsRequest::default() };
    assert_eq!(field(&supervisor.send(list).await.expect_err("refused")), "page_size");
    let list = v1::ListCallsRequest { page_token: "second".into(), ..v1::ListCallsRequest::default() };
    assert_eq!(field(&supervisor.send(list).await.expect_err("refused")), "page_token");

    let admin = &hospital.admin;
    let add = v1::AddOperatorRequest { operator_id: "ana".into(), ..v1::AddOperatorRequest::default() };
    assert_eq!(field(&admin.send(add).await.expect_err("refused")), "profile");
    let profile = Some(v1::OperatorProfile::default());
    let add =
        v1::AddOperatorRequest { operator_id: "ana".into(), profile, ..v1::AddOperatorRequest::default() };
    assert_eq!(field(&admin.send(add).await.expect_err("refused")), "profile.device");
    let profile = Some(v1::OperatorProfile {
        device: v1::DeviceKind::Ring.into(),
        team_ids: vec!["youth".into(); 257],
        ..v1::OperatorProfile::default()
    });
    let add =
        v1::AddOperatorRequest { operator_id: "ana".into(), profile, ..v1::AddOperatorRequest::default() };
    assert_eq!(field(&admin.send(add).await.expect_err("refused")), "profile.team_ids");
    assert_eq!(hospital.exchange.cursor(), before, "nothing changed");
}

#[tokio::test]
async fn too_long_a_message_is_refused_and_the_connection_lives() {
    let hospital = Hospital::open().await;
    let request_id = "x".repeat(routing::MESSAGE_BYTES_MAX + 1);
    let list = v1::OpenLineRequest { request_id, line_id: "duty".into() };
    let status = hospital.supervisor.send(list).await.expect_err("refused");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let text = "#".repeat(plan::TEXT_BYTES_MAX + 1);
    let checked = hospital.admin.send(v1::ValidatePlanRequest { text }).await.expect("looked at");
    assert!(!checked.complaints.is_empty());
    let text = "#".repeat(routing::ADMIN_MESSAGE_BYTES_MAX + 1);
    let status = hospital.admin.send(v1::ValidatePlanRequest { text }).await.expect_err("refused");
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    hospital.admin.send(v1::GetPlanRequest::default()).await.expect("goes on");
}

#[tokio::test]
async fn a_number_may_look_like_anything() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let long = "9".repeat(200);
    for number in ["+86 138-1234-5678", "anonymous", "\u{202e}831", "'; --", "\u{1b}[2J", long.as_str()] {
        hospital.report(arrival(&new_call(), "duty", number)).await;
    }
    let bytes = Fact::Arrival(v1::Arrival {
        call_id: new_call(),
        line_id: "duty".into(),
        number: vec![0xff, 0xfe, 0x00],
        ..v1::Arrival::default()
    });
    hospital.report(bytes).await;
}

#[tokio::test]
async fn a_number_leaves_no_trace() {
    const NUMBER: &str = "13955512345";
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let call = new_call();
    hospital.report(arrival(&call, "duty", NUMBER)).await;
    let refused = hospital.refused(arrival(&call, "comfort", NUMBER)).await;
    assert_eq!(refused.reason, "CALL_ID_TAKEN");
    let state = hospital.exchange.read(|switchboard| switchboard::canonical::encode(switchboard.state()));
    let summary = hospital.call(&call).await;
    for place in [state, format!("{summary:?}{refused:?}")] {
        assert!(!place.contains(NUMBER) && !place.contains("5551234"), "a number was told");
    }
}

#[tokio::test]
async fn a_command_with_the_same_request_id_is_done_once() {
    let hospital = Hospital::open().await;
    let request_id = new_call();
    let close = |line: &str, ms| v1::CloseLineRequest {
        request_id: request_id.clone(),
        line_id: line.into(),
        reason: "flood".into(),
        lasting_ms: ms,
    };
    let first = hospital.supervisor.send(close("duty", 600_000)).await.expect("closed");
    let cursor = hospital.exchange.cursor();
    let again = hospital.supervisor.send(close("duty", 600_000)).await.expect("the first answer");
    assert_eq!(hospital.exchange.cursor(), cursor, "nothing was done twice");
    let seq = |receipt: Option<v1::Receipt>| receipt.and_then(|r| r.cursor).expect("a cursor").seq;
    assert!(seq(again.receipt) >= seq(first.receipt));
    let status = hospital.supervisor.send(close("comfort", 600_000)).await.expect_err("refused");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "REQUEST_REUSED"));
}
