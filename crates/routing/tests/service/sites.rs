//! Several sites on one router: begun and ended from the home site, and nothing shared but the machine.

use api::v1;
use tonic::Code;
use tonic_types::StatusExt;

use crate::hospital::{Hospital, in_time, visitor};

fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn create(site: &str, request_id: &str) -> v1::CreateSiteRequest {
    v1::CreateSiteRequest { site_id: site.into(), request_id: request_id.into(), ..Default::default() }
}

const REQUEST: &str = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
const THIRD: &str = "7d444840-9dc0-11d1-b245-5ffdce74fad4";
const OTHER: &str = "7d444840-9dc0-11d1-b245-5ffdce74fad3";

async fn sites(hospital: &Hospital) -> Vec<v1::SiteEntry> {
    hospital.admin.send(v1::ListSitesRequest::default()).await.expect("a list").sites
}

#[tokio::test]
async fn a_site_begins_with_lines_people_and_tokens_of_its_own() {
    let hospital = Hospital::of_many_sites().await;
    let token = hospital.admin.send(create("north", REQUEST)).await.expect("begun").token;
    let north = hospital.client(&token);
    north.send(visitor("ana")).await.expect("added at north");
    let theirs = north.send(v1::ListOperatorsRequest::default()).await.expect("a list").operators;
    assert_eq!(theirs.iter().map(|o| o.operator_id.as_str()).collect::<Vec<_>>(), ["ana"]);
    let ours = hospital.admin.send(v1::ListOperatorsRequest::default()).await.expect("a list").operators;
    assert!(ours.is_empty(), "nobody of north is here: {ours:?}");
    let listed = sites(&hospital).await;
    let told: Vec<_> = listed.iter().map(|s| (s.site_id.as_str(), s.home, s.revision, s.operators)).collect();
    assert_eq!(told, [("main", true, 1, 0), ("north", false, 1, 1)]);
    let rows = north.send(v1::ListAuditRequest::default()).await.expect("the audit").records;
    assert!(rows.iter().any(|row| row.what == "plan.begin"), "its audit tells who began it: {rows:?}");
    let status = north.send(create("south", OTHER)).await.expect_err("not from there");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "NOT_HOME"));
    let status = north.send(v1::ListSitesRequest::default()).await.expect_err("not from there");
    assert_eq!(reason(&status), "NOT_HOME");
}

#[tokio::test]
async fn a_site_asked_for_twice_is_begun_once() {
    let hospital = Hospital::of_many_sites().await;
    let first = hospital.admin.send(create("north", REQUEST)).await.expect("begun").token;
    let again = hospital.admin.send(create("north", REQUEST)).await.expect("the same").token;
    assert_ne!(first, again, "a token is shown once, and then there is another");
    let status = hospital.client(&first).send(v1::GetPlanRequest::default()).await.expect_err("replaced");
    assert_eq!(status.code(), Code::Unauthenticated);
    let plan = hospital.client(&again).send(v1::GetPlanRequest::default()).await.expect("a plan");
    assert_eq!(plan.revision, 1);
    let status = hospital.admin.send(create("north", OTHER)).await.expect_err("it is there");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "SITE_EXISTS"));
    let status = hospital.admin.send(create("main", OTHER)).await.expect_err("it is here");
    assert_eq!(reason(&status), "SITE_EXISTS");
    assert_eq!(sites(&hospital).await.len(), 2);
    let texts = hospital.client(&again).send(v1::ListPlansRequest::default()).await.expect("plans").revisions;
    assert_eq!(texts.len(), 1, "who came too late left no text behind");
}

#[tokio::test]
async fn a_site_with_a_bad_plan_or_name_does_not_begin() {
    let hospital = Hospital::of_many_sites().await;
    let bad = v1::CreateSiteRequest { plan_text: "lines = 3".into(), ..create("north", REQUEST) };
    assert_eq!(hospital.admin.send(bad).await.expect_err("no plan").code(), Code::InvalidArgument);
    let status = hospital.admin.send(create("North 1", REQUEST)).await.expect_err("no name");
    assert_eq!(status.code(), Code::InvalidArgument);
    let bad = v1::CreateSiteRequest { admin_id: "Li Na".into(), ..create("north", REQUEST) };
    assert_eq!(hospital.admin.send(bad).await.expect_err("no id").code(), Code::InvalidArgument);
    assert_eq!(sites(&hospital).await.len(), 1, "nothing half-done");
}

#[tokio::test]
async fn a_site_ends_when_nobody_is_inside_and_stays_readable() {
    let hospital = Hospital::of_many_sites().await;
    let token = hospital.admin.send(create("north", REQUEST)).await.expect("begun").token;
    let north = hospital.client(&token);
    let principal =
        v1::PrincipalRef { principal: Some(v1::principal_ref::Principal::GatewayId("gw".into())) };
    let issue = v1::IssueTokenRequest { principal: Some(principal), lasting_ms: None };
    let gateway = hospital.client(&north.send(issue).await.expect("a token").token);
    let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    let mut stream = in_time(gateway.gateway().attach(attach.clone())).await.expect("attached").into_inner();
    in_time(stream.message()).await.expect("a message").expect("the first");
    let call_id = "00000000-0000-4000-8000-000000000001".to_owned();
    let report = |fact| v1::ReportRequest { facts: vec![v1::Fact { fact: Some(fact) }] };
    let arrival = v1::Arrival {
        call_id: call_id.clone(),
        line_id: "duty".into(),
        number: b"8001".to_vec(),
        ..Default::default()
    };
    gateway.send(report(v1::fact::Fact::Arrival(arrival.clone()))).await.expect("inside");
    let retire =
        |request: &str| v1::RetireSiteRequest { site_id: "north".into(), request_id: request.into() };
    assert_eq!(sites(&hospital).await[1].open_calls, 1);
    let asked = v1::GetCallRequest { call_id: call_id.clone(), at_least: None };
    let call = north.send(asked).await.expect("a call").call.expect("a summary");
    assert_eq!(
        call.caller_kind(),
        v1::CallerKind::Public,
        "a telephone of the home site's is a stranger's here"
    );
    let status = hospital.admin.send(retire(OTHER)).await.expect_err("somebody is inside");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "SITE_HAS_CALLS"));
    let gone = v1::fact::Fact::CallerHungUp(v1::CallerHungUp { call_id });
    gateway.send(report(gone)).await.expect("gone");
    hospital.admin.send(retire(THIRD)).await.expect("nobody is inside");
    hospital.admin.send(retire(THIRD)).await.expect("once more is once");
    assert!(sites(&hospital).await[1].retired);
    let later = v1::Arrival { call_id: "00000000-0000-4000-8000-000000000002".into(), ..arrival };
    let outcome = gateway.send(report(v1::fact::Fact::Arrival(later))).await;
    let refused = match outcome {
        Err(status) => reason(&status),
        Ok(reply) => format!("{reply:?}"),
    };
    assert!(refused.contains("SITE_RETIRED"), "{refused}");
    assert_eq!(north.send(v1::GetPlanRequest::default()).await.expect("still readable").revision, 1);
    let status = north.send(visitor("ana")).await.expect_err("nothing begins");
    assert_eq!(reason(&status), "SITE_RETIRED");
    let status = hospital.admin.send(create("north", OTHER)).await.expect_err("never again");
    assert_eq!(reason(&status), "SITE_EXISTS");
    let home = v1::RetireSiteRequest { site_id: "main".into(), request_id: OTHER.into() };
    assert_eq!(reason(&hospital.admin.send(home).await.expect_err("home")), "HOME_SITE");
    let nowhere = v1::RetireSiteRequest { site_id: "south".into(), ..Default::default() };
    assert_eq!(hospital.admin.send(nowhere).await.expect_err("no such site").code(), Code::NotFound);
}

#[tokio::test]
async fn where_one_site_is_served_there_are_no_others() {
    let hospital = Hospital::open().await;
    let status = hospital.admin.send(create("north", REQUEST)).await.expect_err("one site");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "ONE_SITE"));
}

#[tokio::test]
async fn every_site_is_there_after_a_restart() {
    let hospital = Hospital::of_many_sites().await;
    let token = hospital.admin.send(create("north", REQUEST)).await.expect("begun").token;
    hospital.client(&token).send(visitor("ana")).await.expect("added at north");
    let hospital = hospital.restart().await;
    assert_eq!(sites(&hospital).await[1].operators, 1);
    let north = hospital.client(&token);
    let people = north.send(v1::ListOperatorsRequest::default()).await.expect("a list").operators;
    assert_eq!(people.len(), 1);
}
