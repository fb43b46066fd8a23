//! An act of the office whose server dies between the act's row in the audit and the act.

use std::time::Duration;

use api::v1;
use session::crash::CrashPoint;

use crate::hospital::until;
use crate::server::{Server, died_at_a_point, verify};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_start_tells_of_an_act_that_was_recorded_and_not_done() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::new(dir.path());
    assert!(server.start(None), "the first start, which records its own plan");
    server.kill();
    assert!(server.start(Some((CrashPoint::AfterAsked, 1))), "nothing is asked at this start");
    let admin = server.client("admin").give_up_after(Duration::from_millis(100));
    let close = v1::CloseLineRequest {
        line_id: "duty".to_owned(),
        reason: "flood".to_owned(),
        lasting_ms: 600_000,
        ..Default::default()
    };
    admin.send(close).await.expect_err("nobody is left to answer");
    let mut status = None;
    until("the death", PATIENCE, || {
        status = status.or_else(|| server.died());
        status.is_some()
    })
    .await;
    assert!(died_at_a_point(status.expect("dead")));

    assert!(server.start(None), "it starts again");
    let admin = server.client("admin");
    let list = v1::ListAuditRequest { object: "line:duty".to_owned(), ..Default::default() };
    let rows = admin.send(list).await.expect("the audit").records;
    let told: Vec<(&str, &str, bool)> =
        rows.iter().map(|row| (&*row.what, &*row.outcome, row.refers_to > 0)).collect();
    assert_eq!(told, [("line.close", "unknown", true), ("line.close", "asked", false)]);
    assert_eq!(rows[0].refers_to, rows[1].number);
    let whole = admin.send(v1::VerifyAuditRequest::default()).await.expect("a walk");
    assert!(whole.broken.is_none(), "{whole:?}");
    let mut boards = admin.supervisor().watch_board(v1::WatchBoardRequest::default()).await;
    let board =
        boards.as_mut().expect("open").get_mut().message().await.expect("a message").expect("the first");
    let lines = board.board.expect("a board").lines;
    let duty = lines.iter().find(|line| line.line_id == "duty").expect("the line");
    assert_eq!(duty.state(), v1::LineState::Open, "nothing was done");
    verify(&server);
}
