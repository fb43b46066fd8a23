//! One caller's passage, from first ring to close.

use api::v1::fact::Fact;
use api::v1::{self, TreatmentShape as Shape};

use crate::hospital::{Hospital, arrival, hung_up, leg, new_call};

#[tokio::test]
async fn a_caller_is_offered_accepted_bridged_and_let_go() {
    let hospital = Hospital::open().await;
    let (mut gateway, first) = hospital.attach_gateway().await;
    assert!(first.treatments.is_empty() && first.unknown_call_ids.is_empty());
    let (ana, mut desk) = hospital.on_duty("ana", &["outpatient-1"]).await;

    let call = new_call();
    let noted = hospital.report(arrival(&call, "outpatient-1", "13812345678")).await;
    assert_eq!(noted.line_id, "outpatient-1");
    desk.until("an offer", |desk| desk.offer.is_some()).await;
    let offer = desk.offer();
    assert_eq!(offer.offer.as_ref().expect("which").call_id, call);
    assert_eq!(offer.line_id, "outpatient-1");
    assert_eq!(desk.work(), v1::WorkState::Offered);
    gateway.until(&call, Shape::Ring).await;

    let confirm = v1::ConfirmDeliveryRequest {
        offer: offer.offer.clone(),
        session: desk.desk().session,
        ..v1::ConfirmDeliveryRequest::default()
    };
    ana.client.send(confirm).await.expect("confirmed");
    assert_eq!(ana.accept(&desk).await.expect("an answer"), v1::AcceptResult::Accepted);
    assert_eq!(ana.accept(&desk).await.expect("the same again"), v1::AcceptResult::Accepted);

    let treatment = gateway.until(&call, Shape::Connect).await;
    let [wished] = treatment.legs.as_slice() else { panic!("one leg: {treatment:?}") };
    assert_eq!(wished.to, Some(v1::treatment_leg::To::OperatorId("ana".into())));
    assert_eq!(wished.wish(), v1::LegWish::Up);
    let attempt = wished.attempt;
    for event in [v1::LegEvent::Ringing, v1::LegEvent::Answered] {
        let facts = vec![v1::Fact { fact: Some(leg(&call, attempt, event)) }];
        hospital.gateway.send(v1::ReportRequest { facts }).await.expect("a report");
    }
    hospital.report(leg(&call, attempt, v1::LegEvent::Bridged)).await;
    desk.until("the call", |desk| desk.call.is_some()).await;
    assert_eq!(hospital.call(&call).await.state(), v1::CallState::Connected);

    hospital.report(hung_up(&call)).await;
    desk.until("wrap-up", |desk| {
        desk.call.is_none() && desk.work.as_ref().is_some_and(|w| w.state() == v1::WorkState::WrapUp)
    })
    .await;
    gateway.until(&call, Shape::Release).await;
    let closed = hospital.call(&call).await;
    assert_eq!(closed.outcome(), v1::Outcome::AnsweredEndedByCaller);
    assert_eq!(closed.caller_ref, "", "a closed call does not say who called");

    let done = v1::EndWrapUpRequest { topic: "visiting-hours".into(), ..v1::EndWrapUpRequest::default() };
    ana.client.send(done).await.expect("done");
    desk.until("idle", |desk| desk.work.as_ref().is_some_and(|w| w.state() == v1::WorkState::Idle)).await;
}

#[tokio::test]
async fn hold_consult_transfer_and_hang_up() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (ana, mut ana_desk) = hospital.on_duty("ana", &["outpatient-1"]).await;
    let call = talking(&hospital, &ana, &mut ana_desk).await;
    let (ben, mut ben_desk) = hospital.on_duty("ben", &["comfort"]).await;

    let hold = v1::HoldRequest { call_id: call.clone(), ..v1::HoldRequest::default() };
    ana.client.send(hold).await.expect("held");
    assert_eq!(hospital.call(&call).await.state(), v1::CallState::Held);
    let retrieve = v1::RetrieveRequest { call_id: call.clone(), ..v1::RetrieveRequest::default() };
    ana.client.send(retrieve).await.expect("retrieved");

    let consult = v1::ConsultRequest {
        call_id: call.clone(),
        colleague_id: "ben".into(),
        ..v1::ConsultRequest::default()
    };
    let offered = ana.client.send(consult).await.expect("asked").offer.expect("an offer");
    ben_desk.until("the consult", |desk| desk.offer.is_some()).await;
    assert_eq!(ben_desk.offer().purpose(), v1::OfferPurpose::Consult);
    ana_desk.until("the colleague", |desk| desk.call.as_ref().is_some_and(|c| c.colleague_id == "ben")).await;
    assert_eq!(ben.accept(&ben_desk).await.expect("an answer"), v1::AcceptResult::Accepted);
    hospital.report(leg(&call, offered.attempt, v1::LegEvent::Bridged)).await;
    ana_desk.until("the talk", |desk| desk.call.as_ref().is_some_and(|c| c.colleague_talks)).await;

    let complete =
        v1::CompleteTransferRequest { call_id: call.clone(), ..v1::CompleteTransferRequest::default() };
    ana.client.send(complete).await.expect("handed over");
    ben_desk.until("the caller", |desk| desk.call.as_ref().is_some_and(|c| !c.consulted)).await;
    assert_eq!(hospital.call(&call).await.operator_id, "ben");

    let hang_up = v1::HangUpRequest { call_id: call.clone(), ..v1::HangUpRequest::default() };
    ben.client.send(hang_up).await.expect("ended");
    assert_eq!(hospital.call(&call).await.outcome(), v1::Outcome::AnsweredEndedByOperator);
}

#[tokio::test]
async fn a_blind_transfer_waits_in_the_other_line() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["outpatient-1"]).await;
    let call = talking(&hospital, &ana, &mut desk).await;
    let to = v1::transfer_target::Target::LineId("comfort".into());
    let transfer = v1::TransferRequest {
        call_id: call.clone(),
        to: Some(v1::TransferTarget { target: Some(to) }),
        ..v1::TransferRequest::default()
    };
    ana.client.send(transfer).await.expect("handed on");
    let summary = hospital.call(&call).await;
    assert_eq!((summary.line_id.as_str(), summary.called_line_id.as_str()), ("comfort", "outpatient-1"));
}

#[tokio::test]
async fn staff_callers_leave_the_emergency_line_and_may_return() {
    let hospital = Hospital::open().await;
    let (mut gateway, _) = hospital.attach_gateway().await;
    let (_ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    let call = new_call();
    assert_eq!(hospital.report(arrival(&call, "emergency", "8001")).await.line_id, "staff");
    let treatment = gateway.next().await.into_message().treatments.remove(0);
    assert_eq!(treatment.hears.expect("something").prompt_id, "staff-menu");
    assert_eq!(hospital.call(&call).await.caller_kind(), v1::CallerKind::Staff);
    let key = v1::Digit { call_id: call.clone(), attempt: None, key: "1".into() };
    hospital.report(Fact::Digit(key)).await;
    assert_eq!(hospital.call(&call).await.line_id, "emergency");
    let public = new_call();
    assert_eq!(hospital.report(arrival(&public, "emergency", "80012")).await.line_id, "emergency");
}

#[tokio::test]
async fn a_withheld_number_is_somebody_new_each_time_and_the_same_report_is_one_call() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (_ana, _desk) = hospital.on_duty("ana", &["comfort"]).await;
    let (first, second) = (new_call(), new_call());
    for call in [&first, &first, &second] {
        hospital.report(arrival(call, "outpatient-1", "")).await;
    }
    let (first, second) = (hospital.call(&first).await, hospital.call(&second).await);
    assert_ne!(first.caller_ref, second.caller_ref);
    let (third, fourth) = (new_call(), new_call());
    hospital.report(arrival(&third, "outpatient-1", "138 1234 5678")).await;
    hospital.report(arrival(&fourth, "outpatient-1", "138-1234-5678")).await;
    assert_eq!(hospital.call(&third).await.caller_ref, hospital.call(&fourth).await.caller_ref);
}

#[tokio::test]
async fn a_telephone_and_a_softphone_answer_in_their_own_way() {
    let hospital = Hospital::open().await;
    let (mut gateway, _) = hospital.attach_gateway().await;
    let tom = hospital.add("tom", v1::DeviceKind::Telephone, &["duty"]).await;
    tom.client.send(v1::GoOnDutyRequest::default()).await.expect("needs no desk");
    let call = new_call();
    hospital.report(arrival(&call, "duty", "13800000001")).await;
    let attempt = gateway.until(&call, Shape::Ring).await.legs[0].attempt;
    hospital.report(leg(&call, attempt, v1::LegEvent::Answered)).await;
    let key = v1::Digit { call_id: call.clone(), attempt: Some(attempt), key: "1".into() };
    hospital.report(Fact::Digit(key)).await;
    hospital.report(leg(&call, attempt, v1::LegEvent::Bridged)).await;
    assert_eq!(hospital.call(&call).await.operator_id, "tom");

    let sue = hospital.add("sue", v1::DeviceKind::Softphone, &["comfort"]).await;
    let mut desk = sue.attach().await;
    sue.client.send(v1::GoOnDutyRequest::default()).await.expect("on duty");
    let call = new_call();
    hospital.report(arrival(&call, "comfort", "13800000002")).await;
    desk.until("an offer", |desk| desk.offer.is_some()).await;
    assert_eq!(sue.accept(&desk).await.expect("an answer"), v1::AcceptResult::Accepted);
    let confirm = v1::ConfirmMediaRequest {
        offer: desk.offer().offer,
        session: desk.desk().session,
        ..v1::ConfirmMediaRequest::default()
    };
    sue.client.send(confirm).await.expect("confirmed");
    assert_eq!(hospital.call(&call).await.state(), v1::CallState::Connected);
}

/// A caller bridged with this person.
pub(crate) async fn talking(
    hospital: &Hospital,
    person: &crate::hospital::Person,
    desk: &mut crate::hospital::Desk,
) -> String {
    let call = new_call();
    hospital.report(arrival(&call, "outpatient-1", "13812345678")).await;
    desk.until("an offer", |desk| desk.offer.is_some()).await;
    let attempt = desk.offer().offer.expect("which").attempt;
    assert_eq!(person.accept(desk).await.expect("an answer"), v1::AcceptResult::Accepted);
    hospital.report(leg(&call, attempt, v1::LegEvent::Bridged)).await;
    desk.until("the call", |desk| desk.call.is_some()).await;
    call
}
