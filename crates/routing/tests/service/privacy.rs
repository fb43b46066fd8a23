//! Callers as persons: who may see a number, what is kept, and how it is forgotten.

use api::v1;
use api::v1::reveal_caller_request::Subject as Shown;
use api::v1::subject_ref::Subject;
use tonic::Code;
use uuid::Uuid;

use crate::hospital::{Hospital, arrival, bearer, field, hung_up, new_call, reason};

const NUMBER: &str = "13800138000";

fn by_number(number: &str) -> Option<v1::SubjectRef> {
    Some(v1::SubjectRef { subject: Some(Subject::Number(number.into())) })
}

fn by_ref(caller: &str) -> Option<v1::SubjectRef> {
    Some(v1::SubjectRef { subject: Some(Subject::CallerRef(caller.into())) })
}

fn reveal(subject: Shown, why: &str) -> v1::RevealCallerRequest {
    v1::RevealCallerRequest { subject: Some(subject), reason: why.into() }
}

async fn rang(hospital: &Hospital) -> (String, String) {
    let call = new_call();
    hospital.report(arrival(&call, "duty", NUMBER)).await;
    let caller = hospital.call(&call).await.caller_ref;
    (call, caller)
}

async fn recorded(hospital: &Hospital, what: &str) -> Vec<(String, String, String)> {
    let request = v1::ListAuditRequest { what: what.into(), ..Default::default() };
    let records = hospital.admin.send(request).await.expect("the audit").records;
    let mut told: Vec<_> = records.into_iter().map(|row| (row.object, row.outcome, row.why)).collect();
    told.reverse();
    told
}

#[tokio::test]
async fn a_number_is_shown_for_a_reason_and_every_look_is_recorded() {
    let hospital = Hospital::open().await;
    let _gateway = hospital.attach_gateway().await;
    let (call, caller) = rang(&hospital).await;
    let by_call = hospital.supervisor.send(reveal(Shown::CallId(call.clone()), "must be called back")).await;
    let by_call = by_call.expect("shown");
    assert_eq!((by_call.number.as_str(), by_call.masked.as_str()), (NUMBER, "138****8000"));
    assert_eq!(by_call.caller_ref, caller);
    hospital.report(hung_up(&call)).await;
    let closed = hospital.admin.send(reveal(Shown::CallId(call), "must be called back")).await;
    assert_eq!(closed.expect("shown after the call").number, NUMBER);
    let by_ref = hospital.admin.send(reveal(Shown::CallerRef(caller.clone()), "again")).await;
    assert_eq!(by_ref.expect("shown").number, NUMBER);
    let object = format!("caller:{caller}");
    let looks = recorded(&hospital, "caller.reveal").await;
    let asked: Vec<&(String, String, String)> =
        looks.iter().filter(|(_, outcome, _)| outcome == "asked").collect();
    assert_eq!(asked.len(), 3);
    assert!(looks.iter().all(|(of, _, _)| *of == object), "{looks:?}");
    assert_eq!(asked[0].2, "must be called back");

    for none in ["", "   ", "a\nb"] {
        let refused = hospital.supervisor.send(reveal(Shown::CallerRef(caller.clone()), none)).await;
        assert_eq!(field(&refused.expect_err("no reason")), "reason");
    }
    let nobody = Uuid::from_u128(9).to_string();
    let refused =
        hospital.admin.send(reveal(Shown::CallerRef(nobody.clone()), "who?")).await.expect_err("nobody");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "NO_NUMBER"));
    assert_eq!(recorded(&hospital, "caller.reveal").await.last().expect("a row").1, "NO_NUMBER");
    let refused = hospital.admin.send(reveal(Shown::CallId(nobody.clone()), "who?")).await;
    assert_eq!(reason(&refused.expect_err("no call")), "UNKNOWN_CALL");
    let last = recorded(&hospital, "caller.reveal").await.pop().expect("a row");
    assert_eq!((last.0, last.1.as_str()), (format!("call:{nobody}"), "UNKNOWN_CALL"));

    let withheld = new_call();
    hospital.report(arrival(&withheld, "duty", "")).await;
    let refused = hospital.admin.send(reveal(Shown::CallId(withheld), "who?")).await.expect_err("withheld");
    assert_eq!(reason(&refused), "NO_NUMBER");
}

#[tokio::test]
async fn everything_kept_of_a_caller_comes_in_pages() {
    let hospital = Hospital::open().await;
    let _gateway = hospital.attach_gateway().await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        let (call, _) = rang(&hospital).await;
        hospital.report(hung_up(&call)).await;
        calls.push(call);
    }
    let (call, caller) = rang(&hospital).await;
    let block =
        v1::BlockCallerRequest { call_id: call.clone(), reason: "abuse".into(), ..Default::default() };
    hospital.supervisor.send(block).await.expect("blocked");
    calls.push(call);
    let export = |subject, page_token: String| v1::ExportSubjectRequest {
        subject,
        reason: "asked for by letter".into(),
        page_size: 3,
        page_token,
    };
    let first = hospital.admin.send(export(by_number("138-0013-8000"), String::new())).await.expect("a page");
    assert_eq!((first.number.as_str(), first.blocked_for.as_str()), (NUMBER, "abuse"));
    assert_eq!((&first.caller_ref, first.calls.len()), (&caller, 3));
    let second = hospital.admin.send(export(by_ref(&caller), first.next_page_token)).await.expect("a page");
    let told = first.calls.iter().chain(&second.calls).map(|call| call.call_id.clone());
    assert!(told.eq(calls), "all of them in order");
    assert!(second.next_page_token.is_empty());
    let outcomes: Vec<&str> = first.calls.iter().map(|call| call.outcome.as_str()).collect();
    assert!(outcomes.iter().all(|outcome| outcome.contains("abandoned")), "{outcomes:?}");
    let looks = recorded(&hospital, "subject.export").await;
    assert_eq!((looks.len(), &looks[0].0), (4, &format!("caller:{caller}")));
    let unknown = hospital.admin.send(export(by_number("1"), String::new())).await.expect_err("nobody");
    assert_eq!(reason(&unknown), "NO_NUMBER");
    let tried: Vec<_> = recorded(&hospital, "subject.export").await.split_off(4);
    let told: Vec<_> = tried.iter().map(|(of, outcome, _)| (of.as_str(), outcome.as_str())).collect();
    assert_eq!(
        told,
        [("caller:unknown", "asked"), ("caller:unknown", "NO_NUMBER")],
        "who tries numbers is seen"
    );
    let nobody = hospital.admin.send(export(None, String::new())).await.expect_err("nobody");
    assert_eq!(field(&nobody), "subject");
}

#[tokio::test]
async fn a_caller_is_forgotten_when_two_people_want_it() {
    let hospital = Hospital::open().await;
    let _gateway = hospital.attach_gateway().await;
    let (call, caller) = rang(&hospital).await;
    hospital.report(hung_up(&call)).await;
    let erase =
        || v1::EraseSubjectRequest { subject: by_number(NUMBER), reason: "asked for by letter".into() };
    let erasure = hospital.admin.send(erase()).await.expect("asked").erasure.expect("what waits");
    assert_eq!((erasure.caller_ref.as_str(), erasure.masked.as_str()), (caller.as_str(), "138****8000"));
    assert_eq!(erasure.expires_at_unix_us - erasure.asked_at_unix_us, session::ERASURE_LASTS_US);
    let again = hospital.admin.send(erase()).await.expect("asked again").erasure.expect("what waits");
    assert_eq!(again, erasure, "one request, however often it is sent");
    let second = hospital.admin.with_token(bearer(&hospital.token("admin", "bo").await));
    let waiting = second.send(v1::ListErasuresRequest {}).await.expect("a list").erasures;
    assert_eq!(waiting, std::slice::from_ref(&erasure));

    let approve = || v1::ApproveErasureRequest { erasure_id: erasure.erasure_id.clone() };
    let refused = hospital.admin.send(approve()).await.expect_err("alone");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "NOT_BY_ONESELF"));
    let shown = hospital.admin.send(reveal(Shown::CallerRef(caller.clone()), "still there?")).await;
    shown.expect("nothing is forgotten yet");
    second.send(approve()).await.expect("approved");
    assert_eq!(second.send(approve()).await.expect("the answer was lost").caller_ref, caller);
    let refused = hospital.admin.send(approve()).await.expect_err("done");
    assert_eq!(reason(&refused), "UNKNOWN_ERASURE");
    assert_eq!(second.send(v1::ListErasuresRequest {}).await.expect("a list").erasures, []);

    let refused =
        hospital.admin.send(reveal(Shown::CallerRef(caller.clone()), "who?")).await.expect_err("nobody");
    assert_eq!(reason(&refused), "NO_NUMBER");
    let kept = v1::ExportSubjectRequest {
        subject: by_ref(&caller),
        reason: "what is left?".into(),
        ..Default::default()
    };
    let kept = hospital.admin.send(kept).await.expect("a page");
    assert_eq!((kept.number.as_str(), kept.calls.len()), ("", 1), "calls stay without a person");
    let (_, later) = rang(&hospital).await;
    assert_ne!(later, caller, "somebody else");

    let object = format!("caller:{caller}");
    let asked = recorded(&hospital, "subject.erase").await;
    assert_eq!(
        asked[..2],
        [
            (object.clone(), "asked".to_owned(), "asked for by letter".to_owned()),
            (object.clone(), "done".to_owned(), String::new()),
        ]
    );
    let approved: Vec<String> =
        recorded(&hospital, "subject.approve").await.into_iter().map(|(_, outcome, _)| outcome).collect();
    assert_eq!(approved[..4], ["asked", "NOT_BY_ONESELF", "asked", "done"]);
    let request = v1::ListAuditRequest { page_size: 1_000, ..Default::default() };
    let everything = format!("{:?}", hospital.admin.send(request).await.expect("the audit"));
    assert!(!everything.contains("1380013") && !everything.contains("138****"), "no number, not even masked");
}

#[tokio::test]
async fn a_request_that_nobody_approves_in_time_is_over() {
    let hospital = Hospital::open().await;
    let _gateway = hospital.attach_gateway().await;
    let (_, caller) = rang(&hospital).await;
    let erase = || v1::EraseSubjectRequest { subject: by_ref(&caller), reason: "asked for by letter".into() };
    let first = hospital.admin.send(erase()).await.expect("asked").erasure.expect("what waits");
    let second = hospital.admin.with_token(bearer(&hospital.token("admin", "bo").await));
    hospital.step_to(session::ERASURE_LASTS_US.unsigned_abs() + 1_000_000).await;
    let approve = |id: &str| v1::ApproveErasureRequest { erasure_id: id.into() };
    let refused = second.send(approve(&first.erasure_id)).await.expect_err("too late");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ERASURE_EXPIRED"));
    assert_eq!(second.send(v1::ListErasuresRequest {}).await.expect("a list").erasures, []);
    let anew = hospital.admin.send(erase()).await.expect("asked").erasure.expect("what waits");
    assert_ne!(anew.erasure_id, first.erasure_id);
    second.send(approve(&anew.erasure_id)).await.expect("in time");
    let refused = second.send(approve(&Uuid::from_u128(4).to_string())).await.expect_err("nobody asked");
    assert_eq!(reason(&refused), "UNKNOWN_ERASURE");
    let refused = hospital.admin.send(erase()).await.expect_err("forgotten");
    assert_eq!(reason(&refused), "NO_NUMBER");
}
