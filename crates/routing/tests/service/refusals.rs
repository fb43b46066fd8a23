//! Every rejection has a status, a code of its own, words and a mend; and some of them as a client meets them.

use std::collections::BTreeSet;

use api::v1;
use routing::{reason_of, rejected};
use switchboard::decision::Reply;
use switchboard::id::{CallId, Revision};
use switchboard::rejection::{Limit, Rejection};
use switchboard::time::SiteTime;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::hospital::{Hospital, arrival, hung_up, leg, new_call, reason};
use crate::passage::talking;

fn every() -> Vec<(Rejection, Code)> {
    let now = SiteTime(1);
    vec![
        (Rejection::AlreadyDone(Reply::Done), Code::Ok),
        (Rejection::RequestReused, Code::AlreadyExists),
        (Rejection::TimeWentBack { now }, Code::Internal),
        (Rejection::TickFirst { due: now }, Code::Aborted),
        (Rejection::NotYours, Code::PermissionDenied),
        (Rejection::UnknownCall, Code::NotFound),
        (Rejection::CallClosed, Code::FailedPrecondition),
        (Rejection::CallIdTaken, Code::AlreadyExists),
        (Rejection::UnknownAttempt, Code::NotFound),
        (Rejection::WrongCallState, Code::FailedPrecondition),
        (Rejection::BadArrival, Code::InvalidArgument),
        (Rejection::MeaninglessDigit, Code::FailedPrecondition),
        (Rejection::CallerGone, Code::FailedPrecondition),
        (Rejection::AnsweredElsewhere, Code::FailedPrecondition),
        (Rejection::Expired, Code::FailedPrecondition),
        (Rejection::StaleSession, Code::FailedPrecondition),
        (Rejection::Withdrawn, Code::FailedPrecondition),
        (Rejection::StaleOffer, Code::FailedPrecondition),
        (Rejection::UnknownOperator, Code::NotFound),
        (Rejection::OperatorExists, Code::AlreadyExists),
        (Rejection::WrongOperatorState, Code::FailedPrecondition),
        (Rejection::ProfileConflict, Code::Aborted),
        (Rejection::OperatorBusy, Code::FailedPrecondition),
        (Rejection::OperatorNotReady, Code::FailedPrecondition),
        (Rejection::WrongDevice, Code::FailedPrecondition),
        (Rejection::ConsultInProgress, Code::FailedPrecondition),
        (Rejection::UnknownLine, Code::NotFound),
        (Rejection::LineNotOpen, Code::FailedPrecondition),
        (Rejection::WrongLineState, Code::FailedPrecondition),
        (Rejection::EmergencyNeedsDivert, Code::FailedPrecondition),
        (Rejection::BadDuration, Code::InvalidArgument),
        (Rejection::UnknownTeam, Code::NotFound),
        (Rejection::UnknownSkill, Code::NotFound),
        (Rejection::UnknownDestination, Code::NotFound),
        (Rejection::LineIdRetired, Code::FailedPrecondition),
        (Rejection::PlanConflict { in_force: Revision(3) }, Code::Aborted),
        (Rejection::SkillsExhausted, Code::ResourceExhausted),
        (Rejection::BadMove, Code::InvalidArgument),
        (Rejection::BadSchedule, Code::InvalidArgument),
        (Rejection::UnknownGateway, Code::FailedPrecondition),
        (Rejection::NotBlocked, Code::NotFound),
        (Rejection::NeverBlocked, Code::FailedPrecondition),
        (Rejection::LimitReached { what: Limit::Calls }, Code::ResourceExhausted),
        (Rejection::SiteHasCalls { open: 2 }, Code::FailedPrecondition),
        (Rejection::SiteRetired, Code::FailedPrecondition),
        (Rejection::ForeignCall { call: CallId(Uuid::nil()) }, Code::InvalidArgument),
    ]
}

#[test]
fn every_rejection_has_a_status_a_code_and_a_mend() {
    let mut codes = BTreeSet::new();
    for (rejection, expected) in every() {
        let told = reason_of(&rejection);
        assert_eq!(told.status, expected, "{rejection:?}");
        assert!(codes.insert(told.code), "{} is the code of two rejections", told.code);
        assert!(told.code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{}", told.code);
        let status = rejected(&rejection);
        assert_eq!(status.message(), rejection.to_string());
        if expected != Code::Ok {
            let info = status.get_details_error_info().expect("an error info");
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (told.code, "hotline"));
            assert_eq!(info.metadata["mend"], told.mend);
        }
    }
    let text = include_str!("../../../switchboard/src/rejection.rs");
    let (_, from) = text.split_once("pub enum Rejection {").expect("the list");
    let (list, _) = from.split_once("\n}").expect("its end");
    let is_variant = |line: &&str| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase();
    assert_eq!(codes.len(), list.lines().filter(is_variant).count(), "every rejection is in this test");
}

#[test]
fn figures_a_program_needs_are_told_apart_from_words() {
    let status = rejected(&Rejection::PlanConflict { in_force: Revision(3) });
    assert_eq!(status.get_details_error_info().expect("an error info").metadata["in_force"], "3");
}

#[tokio::test]
async fn facts_about_nothing_are_refused_one_by_one() {
    let hospital = Hospital::open().await;
    let refused = hospital.refused(arrival(&new_call(), "duty", "1")).await;
    assert_eq!(refused.reason, "UNKNOWN_GATEWAY", "it has not attached");
    let (_gateway, _) = hospital.attach_gateway().await;
    let call = new_call();
    assert_eq!(hospital.refused(hung_up(&call)).await.reason, "UNKNOWN_CALL");
    assert_eq!(hospital.refused(arrival(&call, "nowhere", "1")).await.reason, "UNKNOWN_LINE");
    let facts = [arrival(&call, "duty", "1"), leg(&call, 99, v1::LegEvent::Ringing), hung_up(&call)];
    let facts = facts.map(|fact| v1::Fact { fact: Some(fact) }).to_vec();
    let reply = hospital.gateway.send(v1::ReportRequest { facts }).await.expect("a report");
    let noted = |n: usize| matches!(reply.results[n].result, Some(v1::fact_result::Result::Noted(_)));
    assert!(noted(0) && !noted(1) && noted(2), "{:?}", reply.results);
    assert_eq!(hospital.refused(hung_up(&call)).await.reason, "CALL_CLOSED");
}

#[tokio::test]
async fn an_operator_acts_on_the_own_call_only() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["outpatient-1"]).await;
    let call = talking(&hospital, &ana, &mut desk).await;
    let (ben, _ben_desk) = hospital.on_duty("ben", &["comfort"]).await;
    let hang_up = v1::HangUpRequest { call_id: call.clone(), ..v1::HangUpRequest::default() };
    let status = ben.client.send(hang_up).await.expect_err("not his");
    assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
    assert_eq!(reason(&status), "NOT_YOURS");
    let block = v1::OperatorServiceBlockCallerRequest {
        call_id: call.clone(),
        reason: "abuse".into(),
        ..v1::OperatorServiceBlockCallerRequest::default()
    };
    assert_eq!(reason(&ben.client.send(block.clone()).await.expect_err("not his")), "NOT_YOURS");
    ana.client.send(block).await.expect("hers");
    assert_eq!(hospital.call(&call).await.state(), v1::CallState::Connected);
}

#[tokio::test]
async fn the_race_for_a_caller_ends_in_answers() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (ana, mut ana_desk) = hospital.on_duty("ana", &["emergency"]).await;
    let (ben, mut ben_desk) = hospital.on_duty("ben", &["emergency"]).await;
    let call = new_call();
    hospital.report(arrival(&call, "emergency", "1")).await;
    ana_desk.until("an offer", |desk| desk.offer.is_some()).await;
    ben_desk.until("an offer", |desk| desk.offer.is_some()).await;
    assert_eq!(ana.accept(&ana_desk).await.expect("an answer"), v1::AcceptResult::Accepted);
    assert_eq!(ben.accept(&ben_desk).await.expect("an answer"), v1::AcceptResult::AnsweredElsewhere);
    hospital.report(hung_up(&call)).await;
    assert_eq!(ana.accept(&ana_desk).await.expect("an answer"), v1::AcceptResult::CallerGone);

    let again = new_call();
    hospital.report(arrival(&again, "emergency", "2")).await;
    ana_desk.until("the next offer", |desk| offered(desk) == Some(again.as_str())).await;
    let confirm = v1::ConfirmDeliveryRequest {
        offer: ana_desk.offer().offer,
        session: ana_desk.desk().session,
        ..v1::ConfirmDeliveryRequest::default()
    };
    ana.client.send(confirm).await.expect("confirmed");
    ana_desk.shows.desk.as_mut().expect("a desk").session += 1;
    assert_eq!(ana.accept(&ana_desk).await.expect("an answer"), v1::AcceptResult::StaleSession);
    ana_desk.shows.desk.as_mut().expect("a desk").session -= 1;
    hospital.step_to(60_000_000).await;
    for answer in ["the strike is taken back", "the same again"] {
        assert_eq!(ana.accept(&ana_desk).await.expect(answer), v1::AcceptResult::Expired);
    }
}

fn offered(desk: &v1::Desk) -> Option<&str> {
    Some(desk.offer.as_ref()?.offer.as_ref()?.call_id.as_str())
}
