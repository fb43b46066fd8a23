//! A supervisor at one router sees what came to another, and says what becomes of it.

use api::{Attached, BoardFeed, Client, v1};

use super::{Store, apart};
use crate::hospital::{arrival, hung_up, in_time, new_call, who};

const MINUTE_MS: u64 = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_at_one_router_moves_pauses_and_closes_what_is_at_another() {
    let (a, b) = Store::new().both(None).await;
    let (gateway, mut stream, mut desk) = apart(&a, &b).await;
    let token = a.principals.mint(who("supervisor", "sue")).await.expect("kept");
    let [here, there] = [&a, &b].map(|router| router.client(token.reveal()));
    let mut boards = there.attach(BoardFeed { interval_ms: 1_000 });

    let call = new_call();
    report(&gateway, arrival(&call, "duty", "13812345678")).await;
    until_duty(&mut boards, |duty| duty.waiting == 1).await;
    let to = v1::MoveCallRequest {
        call_id: call.clone(),
        to_line_id: "comfort".into(),
        ..v1::MoveCallRequest::default()
    };
    there.send(to).await.expect("moved");
    desk.until("the moved call", |desk| desk.offer.as_ref().is_some_and(|o| o.line_id == "comfort")).await;
    stream.until(&call, v1::TreatmentShape::Ring).await;
    report(&gateway, hung_up(&call)).await;
    desk.until("nothing", |desk| desk.offer.is_none()).await;

    let pause = v1::PauseOperatorRequest {
        operator_id: "ana".into(),
        reason: "training".into(),
        lasting_ms: Some(10 * MINUTE_MS),
        ..v1::PauseOperatorRequest::default()
    };
    here.send(pause).await.expect("paused, whose desk is at the other");
    desk.until("a pause", |desk| desk.duty.as_ref().is_some_and(|duty| duty.reason == "training")).await;

    let close = v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 10 * MINUTE_MS,
        ..v1::CloseLineRequest::default()
    };
    there.send(close).await.expect("closed");
    let late = new_call();
    report(&gateway, arrival(&late, "duty", "13812345679")).await;
    let asked = v1::GetCallRequest { call_id: late, at_least: None };
    let known = here.send(asked).await.expect("a call").call.expect("a summary");
    assert_eq!(known.outcome(), v1::Outcome::RefusedClosed, "whoever comes to the other meets it closed");
    until_duty(&mut boards, |duty| duty.state() == v1::LineState::ClosedByHand).await;
}

async fn report(gateway: &Client, fact: v1::fact::Fact) {
    let facts = vec![v1::Fact { fact: Some(fact) }];
    let reply = gateway.send(v1::ReportRequest { facts }).await.expect("a report");
    let result = reply.results.into_iter().next().and_then(|result| result.result);
    assert!(matches!(result, Some(v1::fact_result::Result::Noted(_))), "{result:?}");
}

/// Looks at the board until the line `duty` is so.
async fn until_duty(boards: &mut Attached<BoardFeed>, is_so: impl Fn(&v1::BoardLine) -> bool) {
    in_time(async {
        loop {
            let board = boards.next().await.expect("a board").into_message().board.expect("a board");
            if board.lines.iter().any(|line| line.line_id == "duty" && is_so(line)) {
                return;
            }
        }
    })
    .await;
}
