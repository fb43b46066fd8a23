//! Tokens that are wrong, end, or are taken away: what a request and an open stream are told.

use std::time::{Duration, SystemTime};

use api::v1::{self, principal_ref::Principal as Named};
use api::{BoardFeed, Client, DeskFeed, Feed};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use crate::hospital::{Hospital, bearer, field, in_time, reason, who};

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
