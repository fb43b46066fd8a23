//! Rosters: kept, followed, and told who is due.

use api::v1::{self, Attendance, DutyState};
use exchange::STEPPED_WALL_START_US;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use session::KeptRoster;
use tonic::Code;

use crate::hospital::{Hospital, hung_up, reason, site, visitor};
use crate::passage::talking;

/// When these tests begin, on the hospital's own clock.
fn start() -> Zoned {
    let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
    Timestamp::from_microsecond(STEPPED_WALL_START_US).expect("in the calendar").to_zoned(zone)
}

/// Ana works from one hour after the start for two hours, each day; the others as said.
fn text(more: &str) -> String {
    let (from, to) = (start() + 1.hour(), start() + 3.hours());
    let clock = |at: &Zoned| at.strftime("%H:%M").to_string();
    format!(
        "# 排班\n[shifts]\nfirst = {{ title = {{ zh = \"早班\", en = \"First\" }}, from = \"{}\", to = \"{}\" }}\n\n\
         [weekly]\nana = \"Mon-Sun first\"\n{more}",
        clock(&from),
        clock(&to)
    )
}

fn step_us(hours: u64) -> u64 {
    hours * 3_600_000_000
}

async fn apply(
    hospital: &Hospital,
    text: String,
    expected_revision: u32,
) -> Result<v1::ApplyRosterResponse, tonic::Status> {
    hospital.admin.send(v1::ApplyRosterRequest { text, expected_revision }).await
}

async fn due(hospital: &Hospital, ahead_ms: u64) -> v1::ListDueResponse {
    hospital.supervisor.send(v1::ListDueRequest { ahead_ms }).await.expect("who is due")
}

fn attendance(due: &v1::ListDueResponse) -> Vec<(String, Attendance)> {
    due.due.iter().map(|one| (one.operator_id.clone(), one.attendance())).collect()
}

#[tokio::test]
async fn a_roster_puts_people_on_shift_and_tells_who_is_late() {
    let hospital = Hospital::open().await;
    let ana = hospital.add("ana", v1::DeviceKind::AutoAnswer, &["duty"]).await;
    hospital.add("tel", v1::DeviceKind::Telephone, &["duty"]).await;
    let none = due(&hospital, 0).await;
    assert_eq!((none.revision, none.due.len()), (0, 0));

    let applied = apply(&hospital, text("tel = \"Mon-Sun first\"\n"), 0).await.expect("in force");
    assert_eq!(applied.revision, 1);
    assert!(!applied.gaps.is_empty(), "two people for two hours a day leave gaps");
    let gap = &applied.gaps[0];
    assert!(!gap.zh.is_empty() && gap.en.contains("nobody on") && !gap.line_ids.is_empty(), "{gap:?}");
    let kept = hospital.admin.send(v1::GetRosterRequest {}).await.expect("a roster");
    assert_eq!((kept.revision, kept.text), (1, text("tel = \"Mon-Sun first\"\n")));

    assert_eq!(attendance(&due(&hospital, 0).await), []);
    let two_hours = 2 * 3_600_000;
    let coming = attendance(&due(&hospital, two_hours).await);
    assert_eq!(coming, [("ana".into(), Attendance::Coming), ("tel".into(), Attendance::Coming)]);
    hospital.step_to(step_us(1) + 60_000_000).await;
    let here = due(&hospital, 0).await;
    let late = [("ana".into(), Attendance::Late), ("tel".into(), Attendance::Present)];
    assert_eq!(attendance(&here), late, "a telephone is on duty by its shift");
    let duty = here.due[1].duty.clone().expect("known");
    assert_eq!(duty.state(), DutyState::On);
    hospital.step_to(step_us(1) + 15 * 60_000_000).await;
    assert_eq!(attendance(&due(&hospital, 0).await)[0].1, Attendance::Absent);
    let _desk = ana.attach().await;
    ana.client.send(v1::GoOnDutyRequest::default()).await.expect("on duty");
    assert_eq!(attendance(&due(&hospital, 0).await)[0].1, Attendance::Present);
    hospital.step_to(step_us(3) + 60_000_000).await;
    let after = due(&hospital, 0).await;
    assert_eq!(attendance(&after), []);
    let off =
        hospital.supervisor.send(v1::ExplainOperatorRequest { operator_id: "tel".into(), at_least: None });
    let off = off.await.expect("explained").against;
    assert!(off.iter().any(|why| why.code == "off_duty"), "the shift is over: {off:?}");
}

fn extra(due: &v1::ListDueResponse) -> Vec<(String, DutyState)> {
    let duty = |one: &v1::ExtraOperator| one.duty.as_ref().expect("known").state();
    due.extra.iter().map(|one| (one.operator_id.clone(), duty(one))).collect()
}

#[tokio::test]
async fn whoever_talks_when_the_shift_is_over_is_told_as_leaving() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["outpatient-1"]).await;
    let tom = hospital.add("tom", v1::DeviceKind::Telephone, &["duty"]).await;
    tom.client.send(v1::GoOnDutyRequest::default()).await.expect("needs no desk");
    let pause = v1::PauseRequest { reason: "lunch".into(), ..Default::default() };
    tom.client.send(pause).await.expect("paused");
    apply(&hospital, text(""), 0).await.expect("in force");
    let early = [("ana".into(), DutyState::On), ("tom".into(), DutyState::Paused)];
    assert_eq!(extra(&due(&hospital, 0).await), early, "who pauses is there, too");

    hospital.step_to(step_us(3) - 10 * 60_000_000).await;
    let call = talking(&hospital, &ana, &mut desk).await;
    assert_eq!(attendance(&due(&hospital, 0).await), [("ana".into(), Attendance::Present)]);
    hospital.step_to(step_us(3) + 60_000_000).await;
    let after = due(&hospital, 0).await;
    assert_eq!(attendance(&after), []);
    let there = [("ana".into(), DutyState::Leaving), ("tom".into(), DutyState::Paused)];
    assert_eq!(extra(&after), there);
    assert_eq!(after.extra_operator_ids, ["ana", "tom"]);
    hospital.report(hung_up(&call)).await;
    hospital.step_to(step_us(4)).await;
    assert_eq!(extra(&due(&hospital, 0).await), [("tom".into(), DutyState::Paused)], "she has gone");
}

#[tokio::test]
async fn somebody_who_comes_later_has_the_shifts_of_a_roster_that_is_followed() {
    let hospital = Hospital::open().await;
    hospital.add("ana", v1::DeviceKind::AutoAnswer, &["duty"]).await;
    hospital.add("tel", v1::DeviceKind::Telephone, &["duty"]).await;
    apply(&hospital, text("tel = \"Mon-Sun first\"\n"), 0).await.expect("in force");
    hospital.admin.send(remove("tel")).await.expect("removed");
    hospital.add("tel", v1::DeviceKind::Telephone, &["duty"]).await;
    let hospital = hospital.restart().await;
    hospital.step_to(step_us(2)).await;
    let due = due(&hospital, 0).await;
    assert_eq!((due.revision, attendance(&due)[1].1), (1, Attendance::Present), "also over a restart");
}

/// Kept behind the router's back: by another one, or by an application whose end nobody heard of.
async fn kept_elsewhere(hospital: &Hospital, revision: u32, text: String) {
    let kept = KeptRoster { revision, kept_us: 0, text };
    assert!(hospital.registry.keep_roster(site(), &kept).await.expect("kept"));
}

async fn in_force(hospital: &Hospital) -> (u32, String) {
    let kept = hospital.admin.send(v1::GetRosterRequest {}).await.expect("a roster");
    (kept.revision, kept.text)
}

#[tokio::test]
async fn a_roster_that_was_kept_elsewhere_is_taken_up_and_another_can_follow() {
    let hospital = Hospital::open().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    kept_elsewhere(&hospital, 1, text("# elsewhere\n")).await;
    let status = apply(&hospital, text(""), 0).await.expect_err("somebody was faster");
    assert_eq!(reason(&status), "OTHER_ROSTER");
    assert_eq!(in_force(&hospital).await, (1, text("# elsewhere\n")));
    assert_eq!(attendance(&due(&hospital, 2 * 3_600_000).await), [("ana".into(), Attendance::Coming)]);
    assert_eq!(apply(&hospital, text(""), 1).await.expect("in force").revision, 2);
}

#[tokio::test]
async fn a_roster_that_is_sent_again_is_in_force_once() {
    let hospital = Hospital::open().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    let first = apply(&hospital, text(""), 0).await.expect("in force");
    let again = apply(&hospital, text(""), 0).await.expect("in force already");
    assert_eq!(again, first);
    kept_elsewhere(&hospital, 2, text("# next\n")).await;
    assert_eq!(apply(&hospital, text("# next\n"), 1).await.expect("kept already").revision, 2);
    assert_eq!(in_force(&hospital).await, (2, text("# next\n")));
    let asked = v1::ListAuditRequest { what: "roster.apply".into(), ..Default::default() };
    let rows = hospital.admin.send(asked).await.expect("rows").records;
    let ended: Vec<_> =
        rows.iter().filter(|row| row.refers_to != 0).map(|row| row.outcome.as_str()).collect();
    assert_eq!(ended, ["done"; 3]);
}

#[tokio::test]
async fn a_roster_that_cannot_be_read_keeps_its_revision_and_can_be_replaced() {
    let hospital = Hospital::open().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    kept_elsewhere(&hospital, 3, "[shifts\n".to_owned()).await;
    let hospital = hospital.restart().await;
    assert_eq!(in_force(&hospital).await, (3, "[shifts\n".to_owned()));
    let status = hospital.admin.send(v1::ListDueRequest { ahead_ms: 0 }).await.expect_err("nobody knows");
    assert_eq!((status.code(), reason(&status)), (Code::FailedPrecondition, "ROSTER_UNREADABLE".to_owned()));
    assert_eq!(apply(&hospital, text(""), 3).await.expect("in force").revision, 4);
}

#[tokio::test]
async fn a_roster_follows_the_zone_of_a_plan_that_comes_later() {
    let hospital = Hospital::open().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    apply(&hospital, text(""), 0).await.expect("in force");
    let hours = |hours: u64| hours * 3_600_000;
    assert_eq!(due(&hospital, hours(2)).await.due.len(), 1);
    let plan = hospital.admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    let text = plan.text.replace("Asia/Shanghai", "UTC");
    let moved = v1::ApplyPlanRequest { text, expected_revision: plan.revision, ..Default::default() };
    hospital.admin.send(moved).await.expect("in force");
    assert_eq!(due(&hospital, hours(2)).await.due.len(), 0, "eight hours later");
    assert_eq!(due(&hospital, hours(10)).await.due.len(), 1);
    hospital.step_to(step_us(1) + 60_000_000).await;
    let known =
        |at: &switchboard::Switchboard| at.operator("ana".parse().expect("a name")).and_then(|ana| ana.shift);
    assert_eq!(hospital.exchange.read(known), None, "laid anew");
    hospital.step_to(step_us(9) + 60_000_000).await;
    assert!(hospital.exchange.read(known).is_some());
}

fn remove(id: &str) -> v1::RemoveOperatorRequest {
    v1::RemoveOperatorRequest { operator_id: id.into(), ..Default::default() }
}

#[tokio::test]
async fn two_who_apply_at_once_and_a_roster_that_names_strangers_are_told_so() {
    let hospital = Hospital::open().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    apply(&hospital, text(""), 0).await.expect("in force");
    let status = apply(&hospital, text("# another\n"), 0).await.expect_err("somebody was faster");
    assert_eq!((status.code(), reason(&status)), (Code::FailedPrecondition, "OTHER_ROSTER".to_owned()));
    apply(&hospital, text("# another\n"), 1).await.expect("in force");
    let status = apply(&hospital, text("anna = \"Mon first\"\n"), 2).await.expect_err("nobody of that name");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("did you mean 'ana'"), "{}", status.message());
    let looked = v1::ValidateRosterRequest { text: text("ana2 = \"Mon frist\"\n") };
    let looked = hospital.supervisor.send(looked).await.expect("looked at");
    assert!(looked.complaints.iter().any(|complaint| complaint.drawing.contains("frist")), "{looked:?}");
    let kept = hospital.admin.send(v1::GetRosterRequest {}).await.expect("a roster");
    assert_eq!(kept.revision, 2, "nothing of that was kept");
    let plan = hospital.admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    let validated =
        hospital.admin.send(v1::ValidatePlanRequest { text: plan.text }).await.expect("looked at");
    assert!(
        validated.gaps.iter().any(|gap| gap.en.contains("nobody on")),
        "a plan is held against the roster"
    );
}

#[tokio::test]
async fn dates_that_are_over_are_told_before_a_roster_is_applied() {
    let hospital = Hospital::open().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    let roster = || text("[[holidays]]\ndate = \"2021-10-01 to 2021-10-07\"\non = {}\n");
    let looked = async || {
        let request = v1::ValidateRosterRequest { text: roster() };
        hospital.supervisor.send(request).await.expect("looked at")
    };
    let found = looked().await;
    assert!(found.complaints.is_empty(), "{found:?}");
    let [warning] = found.warnings.as_slice() else { panic!("one warning: {found:?}") };
    assert_eq!(warning.message, "7 dates are over, the latest is 2021-10-07");
    assert!(warning.mend.contains("look at the year"), "{warning:?}");
    apply(&hospital, roster(), 0).await.expect("nothing is refused for it");
    let again = looked().await;
    assert!(again.warnings.is_empty(), "what is in force was meant once: {again:?}");
}
