//! What is recorded of the office: every act before it is done, how it ended, and nothing that should not be there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use api::v1;
use api::v1::principal_ref::Principal as Named;
use async_trait::async_trait;
use exchange::Clock;
use session::{Audit, AuditEntry, AuditFault, AuditFilter, AuditRow, MemoryAudit, MemoryJournal};
use switchboard::id::SiteId;
use tonic::Code;
use uuid::Uuid;

use crate::hospital::{Hospital, arrival, field, new_call, reason, visitor};

async fn rows(hospital: &Hospital) -> Vec<v1::AuditRecord> {
    let listed = hospital.admin.send(v1::ListAuditRequest::default()).await.expect("the audit");
    let mut records = listed.records;
    records.reverse();
    records.into_iter().filter(|row| row.role != "server").collect()
}

/// The two rows of the last act.
async fn last_act(hospital: &Hospital) -> (v1::AuditRecord, v1::AuditRecord) {
    let mut rows = rows(hospital).await;
    let ended = rows.pop().expect("how it ended");
    let asked = rows.pop().expect("what was asked");
    assert_eq!((asked.outcome.as_str(), asked.refers_to), ("asked", 0));
    assert_eq!((&asked.what, &asked.object, &asked.who), (&ended.what, &ended.object, &ended.who));
    assert_eq!((ended.refers_to, &ended.request_id), (asked.number, &asked.request_id));
    (asked, ended)
}

/// One call of each recorded method that does what it is for.
#[tokio::test]
async fn every_act_is_recorded_with_what_it_is_about() {
    let hospital = Hospital::open().await;
    let _gateway = hospital.attach_gateway().await;
    let call = new_call();
    let expect = async |what: &str, object: &str, who: &str| {
        let (asked, ended) = last_act(&hospital).await;
        assert_eq!((asked.what.as_str(), asked.object.as_str(), asked.who.as_str()), (what, object, who));
        assert_eq!(ended.outcome, "done", "{what}");
        asked
    };
    let (admin, supervisor) = (&hospital.admin, &hospital.supervisor);
    admin.send(visitor("ana")).await.expect("added");
    let added = expect("operator.add", "operator:ana", "admin").await;
    assert!(added.before.is_empty() && added.after.contains("\"device\":\"auto_answer\""), "{added:?}");
    let request = v1::ChangeOperatorRequest {
        operator_id: "ana".into(),
        profile: Some(v1::OperatorProfile {
            home_line_ids: vec!["duty".into()],
            ..visitor("x").profile.expect("one")
        }),
        ..Default::default()
    };
    admin.send(request).await.expect("changed");
    let changed = expect("operator.change", "operator:ana", "admin").await;
    assert_eq!(changed.before, added.after);
    assert!(changed.after.contains("[\"duty\"]"), "{changed:?}");

    let pause =
        v1::PauseOperatorRequest { operator_id: "ana".into(), reason: "rest".into(), ..Default::default() };
    // Off duty nobody pauses: refused, and recorded all the same.
    supervisor.send(pause).await.expect_err("off duty");
    let (asked, ended) = last_act(&hospital).await;
    assert_eq!((asked.what.as_str(), ended.outcome.as_str()), ("operator.pause", "WRONG_OPERATOR_STATE"));
    let force = v1::ForceOperatorRequest {
        operator_id: "ana".into(),
        to: v1::Force::Off.into(),
        ..Default::default()
    };
    drop(supervisor.send(force).await);
    let (asked, _) = last_act(&hospital).await;
    assert_eq!((asked.what.as_str(), asked.object.as_str()), ("operator.force", "operator:ana"));

    hospital.report(arrival(&call, "duty", "13800138000")).await;
    let caller = hospital.call(&call).await.caller_ref;
    let moved = v1::MoveCallRequest {
        call_id: call.clone(),
        to_line_id: "outpatient-1".into(),
        ..Default::default()
    };
    // Nobody is on duty there: refused or not, it is recorded.
    drop(supervisor.send(moved).await);
    let (moved, _) = last_act(&hospital).await;
    assert_eq!((moved.what.as_str(), moved.object), ("call.move", format!("call:{call}")));
    assert_eq!((moved.before.as_str(), moved.role.as_str()), ("\"duty\"", "supervisor"));
    let block =
        v1::BlockCallerRequest { call_id: call.clone(), reason: "abuse".into(), ..Default::default() };
    supervisor.send(block).await.expect("blocked");
    expect("caller.block", &format!("call:{call}"), "supervisor").await;
    let unblock = v1::UnblockCallerRequest { caller_ref: caller.clone(), ..Default::default() };
    supervisor.send(unblock).await.expect("unblocked");
    let unblocked = expect("caller.unblock", &format!("caller:{caller}"), "supervisor").await;
    assert!(unblocked.before.contains("abuse"), "{unblocked:?}");

    let close = v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 600_000,
        ..Default::default()
    };
    supervisor.send(close).await.expect("closed");
    let closed = expect("line.close", "line:duty", "supervisor").await;
    assert!(closed.before.contains("open") && closed.after.contains("flood"), "{closed:?}");
    supervisor
        .send(v1::OpenLineRequest { line_id: "duty".into(), ..Default::default() })
        .await
        .expect("opened");
    expect("line.open", "line:duty", "supervisor").await;
    let divert = v1::DivertLineRequest { line_id: "duty".into(), ..Default::default() };
    drop(supervisor.send(divert).await);
    let (asked, _) = last_act(&hospital).await;
    assert_eq!((asked.what.as_str(), asked.object.as_str()), ("line.divert", "line:duty"));

    let plan = admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    let apply =
        v1::ApplyPlanRequest { text: plan.text, expected_revision: plan.revision, ..Default::default() };
    admin.send(apply).await.expect("applied");
    let applied = expect("plan.apply", "plan", "admin").await;
    assert!(applied.before.starts_with("{\"revision\":1,\"hash\":\""), "{applied:?}");
    assert!(applied.after.starts_with("{\"revision\":2,\"hash\":\""), "{applied:?}");

    let dora = || Some(v1::PrincipalRef { principal: Some(Named::SupervisorId("dora".into())) });
    let token = admin.send(v1::IssueTokenRequest { principal: dora(), lasting_ms: Some(60_000) }).await;
    let token = token.expect("issued").token;
    expect("token.issue", "supervisor:dora", "admin").await;
    admin.send(v1::RevokeTokenRequest { principal: dora() }).await.expect("revoked");
    expect("token.revoke", "supervisor:dora", "admin").await;
    let invite = v1::InviteOperatorRequest { operator_id: "ana".into(), lasting_ms: None };
    admin.send(invite).await.expect("invited");
    let invited = expect("operator.invite", "operator:ana", "admin").await;
    assert_eq!(invited.after, "{\"lasting_ms\":86400000}");
    let remove = v1::RemoveOperatorRequest { operator_id: "ana".into(), ..Default::default() };
    admin.send(remove).await.expect("removed");
    expect("operator.remove", "operator:ana", "admin").await;

    let everything = format!("{:?}", rows(&hospital).await);
    assert!(
        !everything.contains("1380013")
            && !everything.contains("hl_")
            && !everything.contains("hi_")
            && !everything.contains(&token)
    );
    let first = hospital.audit.chain(crate::hospital::site(), 0, 2).await.expect("readable");
    let first: Vec<(&str, &str)> =
        first.iter().map(|row| (row.entry.what.as_str(), row.entry.outcome.as_str())).collect();
    assert_eq!(first, [("plan.begin", "asked"), ("plan.begin", "done")], "the first plan, too");
}

#[tokio::test]
async fn reading_leaves_no_row_and_a_malformed_request_is_no_act() {
    let hospital = Hospital::open().await;
    let before = rows(&hospital).await.len();
    hospital.supervisor.send(v1::ListCallsRequest::default()).await.expect("calls");
    hospital.admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    hospital.admin.send(v1::ListOperatorsRequest::default()).await.expect("people");
    hospital.admin.send(v1::VerifyAuditRequest::default()).await.expect("a walk");
    let odd = v1::OpenLineRequest { line_id: "No Name".into(), ..Default::default() };
    assert_eq!(field(&hospital.supervisor.send(odd).await.expect_err("no name")), "line_id");
    assert_eq!(rows(&hospital).await.len(), before);
}

#[tokio::test]
async fn why_is_said_beside_the_request() {
    let hospital = Hospital::open().await;
    let close = || v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 600_000,
        ..Default::default()
    };
    hospital.supervisor.saying_why(" 夜班少两人 ").send(close()).await.expect("closed");
    let (asked, ended) = last_act(&hospital).await;
    assert_eq!((asked.why.as_str(), ended.why.as_str()), ("夜班少两人", ""));
    for bad in ["a\u{1b}[31mb", "two\nlines", &"线".repeat(501)] {
        let refused = hospital.supervisor.saying_why(bad).send(close()).await.expect_err("no reason");
        assert_eq!(field(&refused), "hotline-why-bin");
    }
    // Nobody asks why somebody only looks.
    hospital.supervisor.saying_why("a\nb").send(v1::ListCallsRequest::default()).await.expect("calls");
}

#[tokio::test]
async fn an_act_whose_client_sent_no_request_id_is_found_in_the_journal_all_the_same() {
    let hospital = Hospital::open().await;
    let close = v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 600_000,
        ..Default::default()
    };
    hospital.supervisor.supervisor().close_line(close).await.expect("closed");
    let (asked, ended) = last_act(&hospital).await;
    let request: Uuid = asked.request_id.parse().expect("a UUID");
    assert!(ended.after.starts_with("{\"seq\":"), "{ended:?}");
    let mut record = hospital.admin.admin().tail_events(v1::TailEventsRequest { after: None }).await;
    let record = record.as_mut().expect("a record").get_mut();
    let mut found = false;
    while !found {
        let stretch = crate::hospital::in_time(record.message()).await.expect("goes on").expect("a stretch");
        found = stretch.decisions.iter().any(|decision| decision.canonical.contains(&request.to_string()));
    }
}

#[tokio::test]
async fn a_start_tells_how_acts_ended_that_a_death_left_open() {
    let hospital = Hospital::open().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    let (added, _) = last_act(&hospital).await;
    let asked = |what: &str, request: &str| AuditEntry {
        role: "admin".to_owned(),
        who: "admin".to_owned(),
        what: what.to_owned(),
        object: "operator:ana".to_owned(),
        request: request.to_owned(),
        outcome: AuditEntry::ASKED.to_owned(),
        ..AuditEntry::default()
    };
    let site = crate::hospital::site();
    let died = async |entry| hospital.audit.record(site, entry).await.expect("recorded").number;
    // Dead after the decision and before the end; dead before the decision; of what no journal tells.
    let decided = died(asked("operator.add", &added.request_id)).await;
    let undecided = died(asked("operator.change", &Uuid::from_u128(9).to_string())).await;
    let token = died(asked("token.issue", "")).await;
    let hospital = hospital.restart().await;
    let ends: Vec<(u64, String)> = rows(&hospital)
        .await
        .into_iter()
        .filter(|row| row.refers_to >= decided)
        .map(|row| (row.refers_to, row.outcome))
        .collect();
    let unknown = || "unknown".to_owned();
    assert_eq!(ends, [(decided, "done".to_owned()), (undecided, unknown()), (token, unknown())]);
    let before = rows(&hospital).await.len();
    let hospital = hospital.restart().await;
    assert_eq!(rows(&hospital).await.len(), before, "told once");
}

#[tokio::test]
async fn two_lives_at_the_same_decision_mint_ids_of_their_own() {
    let mut minted = Vec::new();
    for _ in 0..2 {
        let hospital = Hospital::with_clock(Clock::System).await;
        let close = v1::CloseLineRequest {
            line_id: "duty".into(),
            reason: "flood".into(),
            lasting_ms: 600_000,
            ..Default::default()
        };
        hospital.supervisor.supervisor().close_line(close).await.expect("closed");
        minted.push(last_act(&hospital).await.0.request_id);
    }
    assert_ne!(minted[0], minted[1]);
}

/// An audit that can be made to fail, and that tells where it stood when an act was asked.
struct Brittle {
    inside: MemoryAudit,
    fails: AtomicBool,
}

#[async_trait]
impl Audit for Brittle {
    async fn record(&self, site: SiteId, entry: AuditEntry) -> Result<AuditRow, AuditFault> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(AuditFault::Unavailable("no room on the disk".to_owned()));
        }
        self.inside.record(site, entry).await
    }

    async fn rows(
        &self,
        site: SiteId,
        filter: &AuditFilter,
        before: u64,
        rows_max: usize,
    ) -> Result<Vec<AuditRow>, AuditFault> {
        self.inside.rows(site, filter, before, rows_max).await
    }

    async fn chain(&self, site: SiteId, after: u64, rows_max: usize) -> Result<Vec<AuditRow>, AuditFault> {
        self.inside.chain(site, after, rows_max).await
    }

    async fn ends(&self) -> Result<Vec<(SiteId, u64)>, AuditFault> {
        self.inside.ends().await
    }

    async fn drop_through(&self, site: SiteId, number: u64) -> Result<(), AuditFault> {
        self.inside.drop_through(site, number).await
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let audit = Arc::new(Brittle { inside: MemoryAudit::new(), fails: AtomicBool::new(false) });
    let journal = Arc::new(MemoryJournal::new());
    let hospital = Hospital::recorded_in(audit.clone(), journal, Clock::STEPPED, |_| {}).await;
    let _gateway = hospital.attach_gateway().await;
    hospital.admin.send(visitor("ana")).await.expect("added");
    let seq = hospital.exchange.cursor().seq;
    let told = rows(&hospital).await.len();

    audit.fails.store(true, Ordering::SeqCst);
    let supervisor = hospital.supervisor.clone().give_up_after(std::time::Duration::ZERO);
    let admin = hospital.admin.clone().give_up_after(std::time::Duration::ZERO);
    let dora = || Some(v1::PrincipalRef { principal: Some(Named::SupervisorId("dora".into())) });
    let remove = v1::RemoveOperatorRequest { operator_id: "ana".into(), ..Default::default() };
    let reveal = v1::RevealCallerRequest {
        subject: Some(v1::reveal_caller_request::Subject::CallerRef(Uuid::from_u128(1).to_string())),
        reason: "an emergency".into(),
    };
    let refused = [
        supervisor.send(v1::OpenLineRequest { line_id: "duty".into(), ..Default::default() }).await.err(),
        admin.send(remove).await.err(),
        admin.send(visitor("bo")).await.err(),
        admin.send(v1::IssueTokenRequest { principal: dora(), lasting_ms: None }).await.err(),
        admin.send(v1::RevokeTokenRequest { principal: dora() }).await.err(),
        supervisor.send(reveal).await.err(),
    ];
    for status in refused {
        let status = status.expect("refused");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "AUDIT_UNAVAILABLE"));
    }
    assert_eq!(hospital.exchange.cursor().seq, seq, "nothing was decided");
    let calls = hospital.supervisor.send(v1::ListCallsRequest::default()).await;
    calls.expect("whoever only looks is answered");
    hospital.report(arrival(&new_call(), "duty", "1")).await;

    audit.fails.store(false, Ordering::SeqCst);
    assert_eq!(rows(&hospital).await.len(), told, "and nothing is recorded");
    hospital.admin.send(visitor("bo")).await.expect("added");
}

#[tokio::test]
async fn the_audit_is_read_in_pages_and_walked_along() {
    let hospital = Hospital::open().await;
    for n in 0..4 {
        hospital.admin.send(visitor(&format!("op-{n}"))).await.expect("added");
    }
    let request = |page_token: String| v1::ListAuditRequest {
        what: "operator.add".into(),
        page_size: 3,
        page_token,
        ..Default::default()
    };
    let mut numbers = Vec::new();
    let mut token = String::new();
    loop {
        let page = hospital.admin.send(request(token)).await.expect("a page");
        numbers.extend(page.records.iter().map(|row| row.number));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(numbers, [10, 9, 8, 7, 6, 5, 4, 3]);
    let refused = hospital.admin.send(request("yesterday".into())).await.expect_err("no page");
    assert_eq!(field(&refused), "page_token");

    let walk = hospital.admin.send(v1::VerifyAuditRequest::default()).await.expect("a walk");
    assert_eq!((walk.rows, walk.head_number, &walk.broken), (10, 10, &None));
    let known = |number, hash: &str| v1::VerifyAuditRequest { known_number: number, known_hash: hash.into() };
    let again = hospital.admin.send(known(10, &walk.head_hash)).await.expect("a walk");
    assert_eq!(again, walk);
    let later =
        hospital.admin.send(known(11, &walk.head_hash)).await.expect("a walk").broken.expect("broken");
    assert_eq!((later.kind(), later.number), (v1::AuditBreakKind::CutShort, 11));
    let other = hospital.admin.send(known(9, &walk.head_hash)).await.expect("a walk").broken.expect("broken");
    assert_eq!((other.kind(), other.number), (v1::AuditBreakKind::Rewritten, 9));
    for (number, hash, wrong) in [(0, walk.head_hash.as_str(), "known_number"), (10, "f00", "known_hash")] {
        assert_eq!(field(&hospital.admin.send(known(number, hash)).await.expect_err("no row")), wrong);
    }
}
