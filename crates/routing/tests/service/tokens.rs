//! Tokens that are wrong, end, or are taken away: what a request and an open stream are told.

use std::time::{Duration, SystemTime};

use api::v1::{self, principal_ref::Principal as Named};
use api::{BoardFeed, Client, DeskFeed, Feed};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use crate::hospital::{Hospital, bearer, field, in_time, reason, visitor, who};

fn board_request() -> v1::WatchBoardRequest {
    v1::WatchBoardRequest::default()
}

/// Reads a stream to its end.
async fn end_of<T>(stream: &mut Streaming<T>) -> Status {
    loop {
        match in_time(stream.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended without a word"),
            Err(status) => return status,
        }
    }
}

fn told(status: &Status) -> (Code, String) {
    (status.code(), reason(status))
}

fn supervisor(id: &str) -> Option<v1::PrincipalRef> {
    Some(v1::PrincipalRef { principal: Some(Named::SupervisorId(id.into())) })
}

#[tokio::test]
async fn a_revoked_token_ends_every_stream_it_opened_and_no_other() {
    let hospital = Hospital::open().await;
    let issue = v1::IssueTokenRequest { principal: supervisor("dora"), lasting_ms: None };
    let token = hospital.admin.send(issue).await.expect("issued").token;
    let dora = hospital.admin.with_token(bearer(&token));
    let mut hers = dora.supervisor().watch_board(board_request()).await.expect("open").into_inner();
    let mut other = hospital.supervisor.supervisor().watch_board(board_request()).await;
    let other = other.as_mut().expect("open").get_mut();
    in_time(hers.message()).await.expect("a board");
    in_time(other.message()).await.expect("a board");

    let revoke = v1::RevokeTokenRequest { principal: supervisor("dora") };
    assert!(hospital.admin.send(revoke.clone()).await.expect("revoked").revoked);
    assert!(hospital.admin.send(revoke).await.expect("nothing left").revoked, "sent again");
    let never = v1::RevokeTokenRequest { principal: supervisor("nobody") };
    assert!(!hospital.admin.send(never).await.expect("nothing to do").revoked);
    let (code, reason) = told(&end_of(&mut hers).await);
    assert_eq!((code, reason.as_str()), (Code::Unauthenticated, "TOKEN_REVOKED"));
    let again = dora.supervisor().watch_board(board_request()).await.expect_err("no token any more");
    assert_eq!(told(&again), (Code::Unauthenticated, "NO_VALID_TOKEN".into()));
    hospital.step_to(5_000_000).await;
    hospital.add("ana", v1::DeviceKind::Ring, &["duty"]).await;
    in_time(other.message()).await.expect("the other stream goes on").expect("a board");
}

#[tokio::test]
async fn a_revoked_desk_is_gone_like_one_whose_stream_ended() {
    let hospital = Hospital::open().await;
    let (ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    let mut bare = DeskFeed { desk_id: ana.desk_id.clone() };
    let mut stream = bare.open(&ana.client, None).await.expect("open").into_inner();
    let principal = Some(v1::PrincipalRef { principal: Some(Named::OperatorId("ana".into())) });
    hospital.admin.send(v1::RevokeTokenRequest { principal }).await.expect("revoked");
    assert_eq!(reason(&end_of(&mut stream).await), "TOKEN_REVOKED");
    let link = async || {
        hospital.step_to(hospital.exchange.now().0).await;
        hospital.exchange.read(|board| board.operator("ana".parse().expect("a name")).map(|ana| ana.link))
    };
    in_time(async {
        while link().await == Some(switchboard::operator::Link::Online) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_issued_again_replaces_the_one_before_and_its_streams() {
    let hospital = Hospital::open().await;
    let issue = v1::IssueTokenRequest { principal: supervisor("dora"), lasting_ms: None };
    let first = hospital.admin.send(issue.clone()).await.expect("issued").token;
    let dora = hospital.admin.with_token(bearer(&first));
    let mut board = dora.supervisor().watch_board(board_request()).await.expect("open").into_inner();
    let second = hospital.admin.send(issue).await.expect("issued").token;
    assert_eq!(reason(&end_of(&mut board).await), "TOKEN_REVOKED");
    let mut board = hospital.admin.with_token(bearer(&second)).attach(BoardFeed { interval_ms: 0 });
    in_time(board.next()).await.expect("a board");
}

#[tokio::test]
async fn an_expired_token_opens_nothing_and_keeps_nothing_open() {
    let hospital = Hospital::open().await;
    let end = SystemTime::now() + Duration::from_millis(300);
    let token = hospital.principals.mint_until(who("supervisor", "dora"), Some(end)).await;
    let token = token.expect("kept");
    let dora = hospital.admin.with_token(bearer(token.reveal()));
    let mut board = dora.supervisor().watch_board(board_request()).await.expect("open").into_inner();
    let (code, reason) = told(&end_of(&mut board).await);
    assert_eq!((code, reason.as_str()), (Code::Unauthenticated, "TOKEN_EXPIRED"));
    assert!(SystemTime::now() >= end, "not before its time");
    for _ in 0..12 {
        let refused = dora.supervisor().watch_board(board_request()).await.expect_err("expired");
        assert_eq!(
            told(&refused),
            (Code::Unauthenticated, "TOKEN_EXPIRED".into()),
            "a right token is no guess"
        );
    }
    let issue = v1::IssueTokenRequest { principal: supervisor("dora"), lasting_ms: Some(u64::MAX) };
    assert_eq!(field(&hospital.admin.send(issue).await.expect_err("for ever")), "lasting_ms");
}

#[tokio::test]
async fn ten_wrong_tokens_a_minute_and_then_none() {
    let hospital = Hospital::open().await;
    let good = hospital.token("admin", "eve").await;
    let other = if good.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{other}", &good[..good.len() - 1]);
    let truncated = &good[..good.len() / 2];
    let ask = async |token: &str| {
        let client = hospital.admin.with_token(bearer(token));
        client.admin().get_plan(v1::GetPlanRequest::default()).await.map(drop)
    };
    for token in [truncated, wrong.as_str()].repeat(5) {
        let refused = ask(token).await.expect_err("no token");
        assert_eq!(told(&refused), (Code::Unauthenticated, "NO_VALID_TOKEN".into()));
    }
    let refused = ask(&wrong).await.expect_err("the eleventh");
    assert_eq!(told(&refused), (Code::ResourceExhausted, "TOO_MANY_WRONG_TOKENS".into()));
    let wait = refused.get_details_retry_info().and_then(|info| info.retry_delay).expect("when to come back");
    assert!(wait <= Duration::from_secs(60), "{wait:?}");
    ask(&good).await.expect("a right token is right whoever else guesses");
    let none = Client::new(&hospital.address, bearer("hl_")).expect("an address");
    assert_eq!(
        none.admin().get_plan(v1::GetPlanRequest::default()).await.expect_err("none").code(),
        Code::ResourceExhausted
    );
}

fn invite(operator: &str) -> v1::InviteOperatorRequest {
    v1::InviteOperatorRequest { operator_id: operator.into(), lasting_ms: None }
}

async fn redeem(hospital: &Hospital, invite: &str) -> Result<v1::RedeemInviteResponse, Status> {
    let nobody = Client::without_token(&hospital.address).expect("an address");
    let request = v1::RedeemInviteRequest { invite: invite.into() };
    nobody.session().redeem_invite(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn an_invitation_is_worth_a_token_once() {
    let hospital = Hospital::open().await;
    hospital.add("ana", v1::DeviceKind::Ring, &["duty"]).await;
    let first = hospital.admin.send(invite("ana")).await.expect("invited").invite;
    let second = hospital.admin.send(invite("ana")).await.expect("invited").invite;
    let refused = redeem(&hospital, &first).await.expect_err("replaced");
    assert_eq!(told(&refused), (Code::Unauthenticated, "NO_VALID_INVITE".into()));
    let redeemed = redeem(&hospital, &second).await.expect("redeemed");
    let principal = redeemed.principal.and_then(|named| named.principal);
    assert_eq!(principal, Some(Named::OperatorId("ana".into())));
    let ana = hospital.admin.with_token(bearer(&redeemed.token));
    let left = ana.send(v1::LeaveRequest::default()).await;
    assert_ne!(left.err().map(|status| status.code()), Some(Code::Unauthenticated), "it is a token");
    let refused = redeem(&hospital, &second).await.expect_err("once");
    assert_eq!(told(&refused), (Code::Unauthenticated, "NO_VALID_INVITE".into()));
    let list = v1::ListAuditRequest { what: "invite.redeem".into(), ..Default::default() };
    let rows = hospital.admin.send(list).await.expect("the audit").records;
    let told: Vec<_> = rows.iter().map(|row| (&*row.role, &*row.who, &*row.object, &*row.outcome)).collect();
    let row = |outcome| ("operator", "ana", "operator:ana", outcome);
    assert_eq!(told, [row("done"), row("asked")]);
    assert!(rows.iter().all(|row| !format!("{row:?}").contains(&second[4..])));
}

#[tokio::test]
async fn of_many_who_redeem_at_once_one_has_the_token() {
    let hospital = Hospital::open().await;
    hospital.add("ana", v1::DeviceKind::Ring, &["duty"]).await;
    let text = hospital.admin.send(invite("ana")).await.expect("invited").invite;
    let all = futures_util::future::join_all((0..8).map(|_| redeem(&hospital, &text))).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
}

#[tokio::test]
async fn an_invitation_ends_with_its_time_its_person_and_the_token_that_is_taken_away() {
    let hospital = Hospital::open().await;
    hospital.add("ana", v1::DeviceKind::Ring, &["duty"]).await;
    let short = v1::InviteOperatorRequest { lasting_ms: Some(1), ..invite("ana") };
    let sent = hospital.admin.send(short).await.expect("invited");
    in_time(async {
        while wall_us() <= sent.expires_us {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let refused = redeem(&hospital, &sent.invite).await.expect_err("over");
    assert_eq!(told(&refused), (Code::Unauthenticated, "INVITE_EXPIRED".into()));
    let text = hospital.admin.send(invite("ana")).await.expect("invited").invite;
    let principal = Some(v1::PrincipalRef { principal: Some(Named::OperatorId("ana".into())) });
    hospital.admin.send(v1::RevokeTokenRequest { principal }).await.expect("revoked");
    assert_eq!(reason(&redeem(&hospital, &text).await.expect_err("taken away")), "NO_VALID_INVITE");
    let text = hospital.admin.send(invite("ana")).await.expect("invited").invite;
    let remove = v1::RemoveOperatorRequest { operator_id: "ana".into(), ..Default::default() };
    hospital.admin.send(remove).await.expect("removed");
    assert_eq!(reason(&redeem(&hospital, &text).await.expect_err("gone")), "NO_VALID_INVITE");
    hospital.add("ana", v1::DeviceKind::Ring, &["duty"]).await;
    assert_eq!(reason(&redeem(&hospital, &text).await.expect_err("another ana")), "NO_VALID_INVITE");
    for lasting_ms in [0, u64::MAX, 31 * 24 * 3_600_000] {
        let odd = v1::InviteOperatorRequest { lasting_ms: Some(lasting_ms), ..invite("ana") };
        assert_eq!(field(&hospital.admin.send(odd).await.expect_err("no such length")), "lasting_ms");
    }
    let nobody = hospital.admin.send(invite("nobody")).await.expect_err("never added");
    assert_eq!(told(&nobody), (Code::NotFound, "UNKNOWN_OPERATOR".into()));
}

#[tokio::test]
async fn invitations_are_not_guessed_fast() {
    let hospital = Hospital::open().await;
    let wrong = format!("hi_{}_{}", "0".repeat(12), "0".repeat(32));
    for _ in 0..10 {
        let refused = redeem(&hospital, &wrong).await.expect_err("nobody's");
        assert_eq!(told(&refused), (Code::Unauthenticated, "NO_VALID_INVITE".into()));
    }
    let refused = redeem(&hospital, &wrong).await.expect_err("the eleventh");
    assert_eq!(told(&refused), (Code::ResourceExhausted, "TOO_MANY_WRONG_TOKENS".into()));
    hospital.add("ana", v1::DeviceKind::Ring, &["duty"]).await;
    let text = hospital.admin.send(invite("ana")).await.expect("invited").invite;
    redeem(&hospital, &text).await.expect("a right one is right whoever else guesses");
}

fn wall_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_micros()).expect("a time")
}

#[tokio::test]
async fn somebody_added_once_more_keeps_the_token() {
    let hospital = Hospital::open().await;
    let add =
        |id: &str, request_id: &str| v1::AddOperatorRequest { request_id: request_id.into(), ..visitor(id) };
    let id = uuid::Uuid::from_u128(7).to_string();
    let token = hospital.admin.send(add("ana", &id)).await.expect("added").token;
    let again = hospital.admin.send(visitor("ana")).await.expect_err("there already");
    assert_eq!(reason(&again), "OPERATOR_EXISTS");
    let ana = hospital.admin.with_token(bearer(&token));
    let left = ana.send(v1::LeaveRequest::default()).await;
    assert_ne!(
        left.err().map(|status| status.code()),
        Some(Code::Unauthenticated),
        "the token is as good as before"
    );
    let repeated = hospital.admin.send(add("ana", &id)).await.expect("the answer was lost").token;
    assert_ne!(repeated, token, "the same request carries a new token");
}

#[tokio::test]
async fn tokens_are_issued_for_somebody() {
    let hospital = Hospital::open().await;
    let issue = |principal| v1::IssueTokenRequest { principal, lasting_ms: None };
    let nobody = Some(v1::PrincipalRef { principal: None });
    for missing in [None, nobody] {
        assert_eq!(field(&hospital.admin.send(issue(missing)).await.expect_err("whose")), "principal");
    }
    let odd = Some(v1::PrincipalRef { principal: Some(Named::GatewayId("Gate 1".into())) });
    let refused = hospital.admin.send(issue(odd)).await.expect_err("no name");
    assert_eq!(field(&refused), "principal.gateway_id");
    let unknown = Some(v1::PrincipalRef { principal: Some(Named::OperatorId("nobody".into())) });
    let refused = hospital.admin.send(issue(unknown)).await.expect_err("never added");
    assert_eq!(told(&refused), (Code::NotFound, "UNKNOWN_OPERATOR".into()));
}
