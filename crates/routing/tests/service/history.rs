//! What was: calls as they went, and why.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::v1;
use api::v1::moment::When;
use exchange::Clock;
use session::{Appended, Head, Journal, JournalFault, MemoryJournal, Row, StoredRow};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Seq, SiteId};
use tonic::Code;

use crate::hospital::{Hospital, arrival, hung_up, new_call, reason};

#[tokio::test]
async fn a_calls_path_is_every_decision_about_it_and_no_other() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (_ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    let (first, second) = (new_call(), new_call());
    hospital.report(arrival(&first, "duty", "1")).await;
    hospital.report(arrival(&second, "duty", "2")).await;
    hospital.report(hung_up(&first)).await;
    for (call, open) in [(&first, false), (&second, true)] {
        let steps = path(&hospital, call).await;
        let events: Vec<Event> = steps.into_iter().flat_map(|step| step.events).collect();
        let of_it = |event: &&Event| event.call().is_some_and(|id| id.to_string() == *call);
        assert!(matches!(events.iter().find(of_it), Some(Event::CallArrived { .. })));
        let mut of_it = events.iter().filter(of_it);
        let closed = of_it.any(|event| matches!(event, Event::CallClosed { .. }));
        assert_eq!(closed, !open);
    }
    // The whole record says the same.
    let last = hospital.exchange.cursor();
    let mut record = hospital.admin.attach(api::EventFeed { after: None });
    let mut whole = Vec::new();
    while whole.len() < usize::try_from(last.seq.0).expect("a few") {
        let update = crate::hospital::in_time(record.next()).await.expect("decisions").into_message();
        whole.extend(update.decisions.iter().map(decoded));
    }
    whole.retain(|decision| decision.to_canonical().contains(&first));
    let about: Vec<u64> = path(&hospital, &first).await.iter().map(|decision| decision.seq.0).collect();
    assert!(whole.iter().filter(|d| !d.events.is_empty()).all(|d| about.contains(&d.seq.0)), "{about:?}");
    let named: Vec<u64> = whole.iter().map(|decision| decision.seq.0).collect();
    assert!(about.iter().all(|seq| named.contains(seq)), "of no other: {about:?} {named:?}");
}

#[tokio::test]
async fn a_path_shows_no_plan() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (_ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    hospital.report(arrival(&new_call(), "duty", "1")).await;
    // Ana is being asked for the first; the second waits.
    let call = new_call();
    hospital.report(arrival(&call, "duty", "2")).await;
    let plan = hospital.admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    let migrate = v1::ApplyPlanRequest {
        text: plan.text,
        expected_revision: plan.revision,
        migrate: true,
        ..Default::default()
    };
    hospital.admin.send(migrate).await.expect("in force");
    let request = v1::GetPathRequest { call_id: call.clone(), at_least: None };
    let steps = hospital.supervisor.send(request).await.expect("a path").steps;
    let shown: Vec<v1::RecordedDecision> = steps.into_iter().filter_map(|step| step.decision).collect();
    let adopts = |shown: &&v1::RecordedDecision| shown.canonical.contains("adopt_plan");
    let adopted = shown.iter().find(adopts).expect("the call was promised the new plan by that decision");
    assert!(adopted.event_names.contains(&"call_migrated".to_owned()), "{:?}", adopted.event_names);
    assert!(adopted.canonical.contains(&call) && adopted.canonical.contains("\"plan_adopted\""));
    for step in &shown {
        assert!(
            !step.canonical.contains("destinations") && !step.canonical.contains("\"number\""),
            "{step:?}"
        );
    }
}

#[tokio::test]
async fn a_call_whose_record_was_let_go_is_found_in_the_journal() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    hospital.report(hung_up(&call)).await;
    while listed(&hospital, |_| {}).await.first().is_none_or(|call| call.closed_at_us.is_none()) {
        tokio::task::yield_now().await;
    }
    let before = path(&hospital, &call).await;
    hospital.let_records_go().await;
    assert!(listed(&hospital, |_| {}).await.is_empty());
    assert_eq!(path(&hospital, &call).await, before);
}

#[tokio::test]
async fn a_call_that_never_was_is_denied_without_a_look_at_the_whole_journal() {
    let journal = Arc::new(Watched::default());
    let hospital = Hospital::on(journal.clone(), Clock::STEPPED, |_| {}).await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let calls: Vec<String> = (0..FAR).map(|_| new_call()).collect();
    for (n, call) in calls.iter().enumerate() {
        hospital.report(arrival(call, "duty", &n.to_string())).await;
    }
    let last = &calls[FAR - 1];
    while listed(&hospital, |_| {}).await.first().is_none_or(|call| call.call_id != *last) {
        tokio::task::yield_now().await;
    }
    let denied = async || {
        let before = journal.whole_reads.load(Ordering::Relaxed);
        let unknown = v1::GetPathRequest { call_id: new_call(), at_least: None };
        let status = hospital.supervisor.send(unknown).await.expect_err("no such call");
        assert_eq!(reason(&status), "UNKNOWN_CALL");
        journal.whole_reads.load(Ordering::Relaxed) - before
    };
    assert_eq!(denied().await, 0, "every call has a record");
    hospital.let_records_go().await;
    assert_eq!(denied().await, 1, "its record may have been let go");
}

/// So many decisions that a look at the last ones does not begin with the first.
const FAR: usize = 100;

/// A journal that counts how often it is read from its beginning.
#[derive(Default)]
struct Watched {
    journal: MemoryJournal,
    whole_reads: AtomicUsize,
}

#[async_trait::async_trait]
impl Journal for Watched {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.journal.append(site, row).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        // One row alone is looked at to find a place.
        if after == Seq(0) && rows_max > 1 {
            self.whole_reads.fetch_add(1, Ordering::Relaxed);
        }
        self.journal.tail(site, after, rows_max).await
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        self.journal.head(site).await
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        self.journal.heads().await
    }
}

#[tokio::test]
async fn why_is_told_as_of_any_decision() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    let (_ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    let now =
        hospital.supervisor.send(v1::ExplainCallRequest { call_id: call.clone(), at_least: None }).await;
    let now = now.expect("explained");
    let here = hospital.exchange.cursor().seq.0;
    let then = explain(&hospital, &call, When::Seq(here)).await.expect("explained");
    let found = then.found.expect("a place");
    assert_eq!((found.seq, then.explanation), (here, Some(now)), "the present is the past of this decision");

    let arrived = path(&hospital, &call).await[0].seq.0;
    let at_first = explain(&hospital, &call, When::Seq(arrived)).await.expect("explained");
    let candidates = at_first.explanation.expect("a reason").candidates;
    assert!(candidates.is_empty(), "nobody was here: {candidates:?}");
    let before = explain(&hospital, &call, When::Seq(arrived - 1)).await.expect_err("not here yet");
    assert_eq!((before.code(), reason(&before)), (Code::NotFound, "CALL_NOT_OPEN_THEN".to_owned()));
    let later = explain(&hospital, &call, When::Seq(here + 1)).await.expect_err("not made yet");
    assert_eq!(later.code(), Code::InvalidArgument);
    let far_ahead = explain(&hospital, &call, When::WallUs(i64::MAX)).await.expect("the last decision");
    assert_eq!(far_ahead.found.map(|found| found.seq), Some(here));
    let never = v1::ExplainPastCallRequest { call_id: call, moment: None };
    let status = hospital.supervisor.send(never).await.expect_err("which moment");
    assert_eq!(status.code(), Code::InvalidArgument);

    let about = |seq| v1::ExplainPastOperatorRequest {
        operator_id: "ana".into(),
        moment: Some(v1::Moment { when: Some(When::Seq(seq)) }),
    };
    let present = v1::ExplainOperatorRequest { operator_id: "ana".into(), at_least: None };
    let present = hospital.supervisor.send(present).await.expect("explained");
    let past = hospital.supervisor.send(about(here)).await.expect("explained");
    assert_eq!(past.explanation, Some(present));
    let status = hospital.supervisor.send(about(arrived)).await.expect_err("not added yet");
    assert_eq!(reason(&status), "OPERATOR_NOT_HERE_THEN");
}

#[tokio::test]
async fn calls_are_listed_page_by_page_the_latest_first() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let calls: Vec<String> = (0..5).map(|_| new_call()).collect();
    for (n, call) in calls.iter().enumerate() {
        let line = if n == 2 { "emergency" } else { "duty" };
        hospital.report(arrival(call, line, &n.to_string())).await;
    }
    hospital.report(hung_up(&calls[4])).await;
    // The records follow a little behind.
    while listed(&hospital, |_| {}).await.first().is_none_or(|call| call.closed_at_us.is_none()) {
        tokio::task::yield_now().await;
    }
    let ids = |listed: Vec<v1::RecordedCall>| listed.into_iter().map(|c| c.call_id).collect::<Vec<_>>();
    let latest_first: Vec<String> = calls.iter().rev().cloned().collect();
    assert_eq!(ids(listed(&hospital, |_| {}).await), latest_first);
    assert_eq!(ids(listed(&hospital, |asked| asked.page_size = 2).await), latest_first, "over three pages");
    assert_eq!(ids(listed(&hospital, |asked| asked.line_id = "emergency".into()).await), [calls[2].clone()]);
    let latest = listed(&hospital, |_| {}).await.swap_remove(0);
    let ended_so = |asked: &mut v1::ListRecordsRequest| asked.outcome = latest.outcome;
    assert_eq!(ids(listed(&hospital, ended_so).await), [calls[4].clone()]);
    let caller = latest.caller_ref.clone();
    assert_eq!(ids(listed(&hospital, |asked| asked.caller_ref = caller).await), [calls[4].clone()]);
    let none = |asked: &mut v1::ListRecordsRequest| asked.until_wall_us = Some(0);
    assert!(listed(&hospital, none).await.is_empty());
    let torn = v1::ListRecordsRequest { page_token: "5".into(), ..Default::default() };
    let status = hospital.supervisor.send(torn).await.expect_err("not a token");
    assert_eq!(status.code(), Code::InvalidArgument);
    let unknown = v1::GetPathRequest { call_id: new_call(), at_least: None };
    let status = hospital.supervisor.send(unknown).await.expect_err("no such call");
    assert_eq!(reason(&status), "UNKNOWN_CALL");
}

#[tokio::test]
async fn calls_are_found_by_the_beginning_of_their_ids_however_many_are_behind_them() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let calls = [
        "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11",
        "0190a5c2-9d3e-7cc1-9c5b-2f5f0c1f7a12",
        "0290a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a13",
    ];
    for (n, call) in calls.iter().enumerate() {
        hospital.report(arrival(call, "duty", &n.to_string())).await;
    }
    while listed(&hospital, |_| {}).await.len() < calls.len() {
        tokio::task::yield_now().await;
    }
    let begin = async |begins: &str, page_size: u32| {
        let asked =
            v1::ListRecordsRequest { call_begins: begins.to_owned(), page_size, ..Default::default() };
        hospital.supervisor.send(asked).await
    };
    let found = async |begins: &str, page_size: u32| {
        let calls = begin(begins, page_size).await.expect("a page").calls;
        calls.into_iter().map(|call| call.call_id).collect::<Vec<_>>()
    };
    assert_eq!(found("0190a5c2-6", 1).await, [calls[0]], "the page is of those that begin so");
    assert_eq!(found("0190a5c2", 9).await, [calls[1], calls[0]]);
    assert_eq!(found("", 9).await.len(), calls.len());
    assert!(found("0390", 9).await.is_empty());
    let status = begin("0190a5c26d3e", 9).await.expect_err("no hyphen");
    assert_eq!((status.code(), reason(&status)), (Code::InvalidArgument, "INVALID_FIELD".to_owned()));
}

async fn listed(
    hospital: &Hospital,
    narrow: impl FnOnce(&mut v1::ListRecordsRequest),
) -> Vec<v1::RecordedCall> {
    let mut asked = v1::ListRecordsRequest::default();
    narrow(&mut asked);
    let mut calls = Vec::new();
    loop {
        let page = hospital.supervisor.send(asked.clone()).await.expect("a page");
        calls.extend(page.calls);
        if page.next_page_token.is_empty() {
            return calls;
        }
        asked.page_token = page.next_page_token;
    }
}

async fn path(hospital: &Hospital, call: &str) -> Vec<Decision> {
    let request = v1::GetPathRequest { call_id: call.into(), at_least: None };
    let steps = hospital.supervisor.send(request).await.expect("a path").steps;
    steps.into_iter().map(|step| decoded(&step.decision.expect("a decision"))).collect()
}

async fn explain(
    hospital: &Hospital,
    call: &str,
    when: When,
) -> Result<v1::ExplainPastCallResponse, tonic::Status> {
    let moment = Some(v1::Moment { when: Some(when) });
    hospital.supervisor.send(v1::ExplainPastCallRequest { call_id: call.into(), moment }).await
}

fn decoded(recorded: &v1::RecordedDecision) -> Decision {
    switchboard::canonical::decode(&recorded.canonical).expect("decoded")
}
