//! What supervisors and administrators do: the board, explanations, lines, people, the plan.

use api::v1;
use api::{BoardFeed, Update};
use tonic::Code;

use crate::hospital::{Hospital, arrival, field, hung_up, in_time, new_call, reason};

const MINUTE_MS: u64 = 60_000;

#[tokio::test]
async fn the_board_shows_lines_people_and_what_came_of_calls() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let mut boards = hospital.supervisor.attach(BoardFeed { interval_ms: 1_000 });
    let first = board(&mut boards).await;
    assert_eq!(first.lines.len(), 7);
    assert!(first.lines.iter().all(|line| line.cover() == v1::Cover::NobodyOnDuty));

    let (_ana, _desk) = hospital.on_duty("ana", &["comfort"]).await;
    let call = new_call();
    hospital.report(arrival(&call, "comfort", "1")).await;
    hospital.report(hung_up(&call)).await;
    hospital.step_to(5_000_000).await;
    hospital.report(arrival(&new_call(), "comfort", "2")).await;
    let shown = loop {
        let board = board(&mut boards).await;
        if board.at_us == 5_000_000 {
            break board;
        }
    };
    let comfort = shown.lines.iter().find(|line| line.line_id == "comfort").expect("a line");
    assert_eq!(comfort.title.as_ref().expect("a title").zh, "解忧热线");
    assert_eq!((comfort.ringing, comfort.state()), (1, v1::LineState::Open));
    let account = comfort.account.as_ref().expect("an account");
    assert_eq!(account.arrived, 2);
    assert_eq!(account.outcomes[0].outcome(), v1::Outcome::AbandonedRinging);
    assert_eq!(shown.operators.expect("a crew").offered, 1);
    assert_eq!(shown.threshold_ms, 20_000);
}

async fn board(boards: &mut api::Attached<BoardFeed>) -> v1::Board {
    let update = in_time(boards.next()).await.expect("a board");
    assert!(matches!(update, Update::Snapshot(_)), "a board is whole");
    update.into_message().board.expect("a board")
}

#[tokio::test]
async fn lines_are_closed_diverted_and_opened_by_hand() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let close = |line: &str| v1::CloseLineRequest {
        line_id: line.into(),
        reason: "flood".into(),
        lasting_ms: 10 * MINUTE_MS,
        ..v1::CloseLineRequest::default()
    };
    hospital.supervisor.send(close("duty")).await.expect("closed");
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    assert_eq!(hospital.call(&call).await.outcome(), v1::Outcome::RefusedClosed);
    let open = v1::OpenLineRequest { line_id: "duty".into(), ..v1::OpenLineRequest::default() };
    hospital.supervisor.send(open).await.expect("open");

    let status = hospital.supervisor.send(close("emergency")).await.expect_err("needs a divert");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::FailedPrecondition, "EMERGENCY_NEEDS_DIVERT")
    );
    let divert = v1::DivertLineRequest {
        line_id: "emergency".into(),
        destination_id: "reception".into(),
        lasting_ms: 10 * MINUTE_MS,
        ..v1::DivertLineRequest::default()
    };
    hospital.supervisor.send(divert.clone()).await.expect("diverted");
    let call = new_call();
    hospital.report(arrival(&call, "emergency", "1")).await;
    assert_eq!(hospital.call(&call).await.state(), v1::CallState::Diverting);
    let end = v1::DivertLineRequest { destination_id: String::new(), request_id: String::new(), ..divert };
    hospital.supervisor.send(end).await.expect("ended");
}

#[tokio::test]
async fn calls_are_listed_moved_explained_and_callers_blocked() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (_ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    let calls = [new_call(), new_call(), new_call()];
    for call in &calls {
        hospital.report(arrival(call, "comfort", call)).await;
    }

    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListCallsRequest { page_size: 2, page_token, ..v1::ListCallsRequest::default() };
        let page = hospital.supervisor.send(request).await.expect("a page");
        listed.extend(page.calls.into_iter().map(|call| call.call_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, calls, "in the order of their arrival");
    let request = v1::ListCallsRequest { line_id: "duty".into(), ..v1::ListCallsRequest::default() };
    assert!(hospital.supervisor.send(request).await.expect("a page").calls.is_empty());

    let request = v1::ExplainCallRequest { call_id: calls[1].clone(), at_least: None };
    let explained = hospital.supervisor.send(request).await.expect("explained");
    assert_eq!((explained.calls_ahead, explained.line_id.as_str()), (1, "comfort"));
    assert!(explained.tiers[0].open);
    let request = v1::ExplainOperatorRequest { operator_id: "ana".into(), at_least: None };
    let explained = hospital.supervisor.send(request).await.expect("explained");
    assert!(explained.against.is_empty(), "ready: {:?}", explained.against);
    let against = &explained.calls[0].against[0];
    assert_eq!((against.code.as_str(), against.arguments["line"].as_str()), ("guard", "duty"));

    let to = v1::MoveCallRequest {
        call_id: calls[2].clone(),
        to_line_id: "duty".into(),
        ..v1::MoveCallRequest::default()
    };
    hospital.supervisor.send(to).await.expect("moved");
    desk.until("the moved call", |desk| desk.offer.as_ref().is_some_and(|o| o.line_id == "duty")).await;

    let block = v1::BlockCallerRequest {
        call_id: calls[0].clone(),
        reason: "abuse".into(),
        ..v1::BlockCallerRequest::default()
    };
    hospital.supervisor.send(block).await.expect("blocked");
    let caller_ref = hospital.call(&calls[0]).await.caller_ref;
    let again = new_call();
    hospital.report(arrival(&again, "comfort", &calls[0])).await;
    assert_eq!(hospital.call(&again).await.outcome(), v1::Outcome::RefusedBlocked);
    let unblock = v1::UnblockCallerRequest { caller_ref, ..v1::UnblockCallerRequest::default() };
    hospital.supervisor.send(unblock).await.expect("unblocked");
}

#[tokio::test]
async fn operators_are_paused_and_forced() {
    let hospital = Hospital::open().await;
    let (_ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    let pause = v1::PauseOperatorRequest {
        operator_id: "ana".into(),
        reason: "training".into(),
        lasting_ms: Some(10 * MINUTE_MS),
        ..v1::PauseOperatorRequest::default()
    };
    hospital.supervisor.send(pause).await.expect("paused");
    desk.until("a pause", |desk| desk.duty.as_ref().is_some_and(|d| d.reason == "training")).await;
    let force = v1::ForceOperatorRequest {
        operator_id: "ana".into(),
        to: v1::Force::On.into(),
        ..v1::ForceOperatorRequest::default()
    };
    hospital.supervisor.send(force).await.expect("forced");
    desk.until("duty", |desk| desk.duty.as_ref().is_some_and(|d| d.state() == v1::DutyState::On)).await;
}

#[tokio::test]
async fn a_plan_is_read_checked_compared_and_applied() {
    let hospital = Hospital::open().await;
    let (mut gateway, first) = hospital.attach_gateway().await;
    let known = first.plan.expect("a plan");
    assert_eq!(known.revision, 1);
    assert!(known.destinations.iter().any(|d| d.destination_id == "duty-phone" && d.press_one));
    assert!(known.emergency_routes.iter().any(|r| r.line_id == "duty" && r.destination_id == "duty-phone"));

    let plan = hospital.admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    assert_eq!((plan.revision, plan.text.as_str()), (1, plan::HOSPITAL));
    let text = plan.text.replace("wrap_up = \"30s\"", "wrap_up = \"25s\"");
    let diff = hospital.admin.send(v1::DiffPlanRequest { text: text.clone() }).await.expect("compared");
    let changed: Vec<&str> = diff.changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(changed, ["lines.comfort.wrap_up"]);

    let apply = |text: &str, expected_revision| v1::ApplyPlanRequest {
        text: text.into(),
        expected_revision,
        ..v1::ApplyPlanRequest::default()
    };
    let applied = hospital.admin.send(apply(&text, 1)).await.expect("applied");
    assert_eq!(applied.revision, 2);
    while gateway.next().await.into_message().plan.is_none_or(|plan| plan.revision != 2) {}
    let status = hospital.admin.send(apply(&text, 1)).await.expect_err("another is in force");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "PLAN_CONFLICT"));
    assert_eq!(hospital.admin.send(v1::GetPlanRequest::default()).await.expect("a plan").text, text);
}

#[tokio::test]
async fn a_bad_plan_is_shown_where_it_is_bad_and_nothing_changes() {
    let hospital = Hospital::open().await;
    let before = hospital.exchange.cursor();
    let text = plan::HOSPITAL.replace("ring         = \"10s\"", "ring         = 10");
    let checked = hospital.admin.send(v1::ValidatePlanRequest { text: text.clone() }).await.expect("checked");
    let complaint = &checked.complaints[0];
    assert_eq!(complaint.path, "lines.emergency.ring");
    assert!(complaint.line > 1 && complaint.column > 1 && !complaint.mend.is_empty());
    assert!(complaint.drawing.contains('^'), "{}", complaint.drawing);
    let apply = v1::ApplyPlanRequest { text, expected_revision: 1, ..v1::ApplyPlanRequest::default() };
    let status = hospital.admin.send(apply).await.expect_err("refused");
    assert!(field(&status).ends_with("lines.emergency.ring"), "{status:?}");
    assert_eq!(hospital.exchange.cursor(), before);
}

#[tokio::test]
async fn a_plan_that_removes_a_line_must_say_so() {
    let hospital = Hospital::open().await;
    let start = plan::HOSPITAL.find("[lines.comfort]").expect("the line");
    let end = plan::HOSPITAL.find("[lines.duty]").expect("the next line");
    let text = format!("{}{}", &plan::HOSPITAL[..start], &plan::HOSPITAL[end..]);
    let apply = v1::ApplyPlanRequest { text, expected_revision: 1, ..v1::ApplyPlanRequest::default() };
    let status = hospital.admin.send(apply.clone()).await.expect_err("refused");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "WOULD_REMOVE"));
    assert!(status.message().contains("comfort"));
    let apply = v1::ApplyPlanRequest { allow_remove: true, request_id: String::new(), ..apply };
    hospital.admin.send(apply).await.expect("applied");
}

#[tokio::test]
async fn people_are_added_changed_listed_and_removed() {
    let hospital = Hospital::open().await;
    for id in ["op-02", "op-01", "op-03"] {
        hospital.add(id, v1::DeviceKind::Ring, &["duty"]).await;
    }
    let request = v1::ListOperatorsRequest { page_size: 2, ..v1::ListOperatorsRequest::default() };
    let page = hospital.admin.send(request).await.expect("a page");
    assert_eq!(page.next_page_token, "op-02");
    let request = v1::ListOperatorsRequest { page_size: 2, page_token: page.next_page_token };
    let rest = hospital.admin.send(request).await.expect("a page");
    assert_eq!((rest.operators[0].operator_id.as_str(), rest.next_page_token.as_str()), ("op-03", ""));

    let profile = v1::OperatorProfile {
        team_ids: vec!["youth".into()],
        skill_ids: vec!["cantonese".into()],
        device: v1::DeviceKind::Softphone.into(),
        ..v1::OperatorProfile::default()
    };
    let change = v1::ChangeOperatorRequest {
        operator_id: "op-01".into(),
        profile: Some(profile.clone()),
        ..v1::ChangeOperatorRequest::default()
    };
    hospital.admin.send(change).await.expect("changed");
    let listed = hospital.supervisor.send(v1::ListOperatorsRequest::default()).await.expect("a page");
    assert_eq!(listed.operators[0].profile, Some(profile));
    let remove =
        v1::RemoveOperatorRequest { operator_id: "op-02".into(), ..v1::RemoveOperatorRequest::default() };
    hospital.admin.send(remove).await.expect("removed");
    let listed = hospital.admin.send(v1::ListOperatorsRequest::default()).await.expect("a page");
    assert_eq!(listed.operators.len(), 2);
}

#[tokio::test]
async fn of_two_who_change_a_person_at_once_the_second_is_told() {
    let hospital = Hospital::open().await;
    hospital.add("ana", v1::DeviceKind::Softphone, &["duty"]).await;
    let read = hospital.admin.send(v1::ListOperatorsRequest::default()).await.expect("a page");
    let seen = read.operators[0].profile.clone().expect("what is known");
    let change = |profile: &v1::OperatorProfile, expected: &v1::OperatorProfile| v1::ChangeOperatorRequest {
        operator_id: "ana".into(),
        profile: Some(profile.clone()),
        expected: Some(expected.clone()),
        ..v1::ChangeOperatorRequest::default()
    };
    let in_a_team = v1::OperatorProfile { team_ids: vec!["youth".into()], ..seen.clone() };
    let with_a_skill = v1::OperatorProfile { skill_ids: vec!["cantonese".into()], ..seen.clone() };
    let (one, other) = tokio::join!(
        hospital.admin.send(change(&in_a_team, &seen)),
        hospital.admin.send(change(&with_a_skill, &seen))
    );
    let (done, late, refused) = match (one, other) {
        (Ok(_), Err(status)) => (in_a_team, with_a_skill, status),
        (Err(status), Ok(_)) => (with_a_skill, in_a_team, status),
        both => panic!("one of them is first: {both:?}"),
    };
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "PROFILE_CONFLICT"));
    assert!(refused.message().contains("somebody else changed this operator"), "{refused:?}");
    let known = async || {
        let listed = hospital.admin.send(v1::ListOperatorsRequest::default()).await.expect("a page");
        listed.operators[0].profile.clone().expect("what is known")
    };
    assert_eq!(known().await, done, "the first change is there");

    hospital.admin.send(change(&done, &seen)).await.expect("what is so already is no conflict");
    let both = v1::OperatorProfile {
        team_ids: vec!["youth".into()],
        skill_ids: vec!["cantonese".into()],
        ..seen.clone()
    };
    hospital.admin.send(change(&both, &done)).await.expect("made in what is known now");
    assert_eq!(known().await, both);
    let blind = v1::ChangeOperatorRequest { expected: None, ..change(&late, &seen) };
    hospital.admin.send(blind).await.expect("who expects nothing is not held against it");
    assert_eq!(known().await, late);
    let unsaid = v1::OperatorProfile { device: v1::DeviceKind::Unspecified.into(), ..seen };
    let status = hospital.admin.send(change(&both, &unsaid)).await.expect_err("no such profile");
    assert_eq!(field(&status), "expected.device");
}
