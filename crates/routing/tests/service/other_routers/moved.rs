//! Streams that move from one router to another with the cursor they had.

use api::{Client, EventFeed, Update, v1};

use super::{Started, Store};
use crate::hospital::{GatewayStream, arrival, bearer, in_time, new_call, visitor, who};
use crate::several::Door;

/// Decisions, of which every second is made at the other router.
const DECISIONS: usize = 45;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_moves_twice_goes_on_without_a_gap_or_a_repetition() {
    let (a, b) = Store::new().both(None).await;
    let mut doors = Vec::new();
    for router in [&a, &b, &a] {
        doors.push(Door::to(router.router.address()).await);
    }
    let addresses: Vec<String> = doors.iter().map(|door| format!("http://{}", door.address)).collect();
    let token = a.principals.mint(who("admin", "cleo")).await.expect("kept");
    let client = Client::new(&addresses.join(","), bearer(token.reveal())).expect("addresses");
    let mut record = client.attach(EventFeed::default());
    let mut seqs = Vec::new();
    for n in 0..DECISIONS {
        let at = if n % 2 == 0 { &a } else { &b };
        at.admin.send(visitor(&format!("visitor-{n}"))).await.expect("added");
        let here = at.exchange.cursor().seq.0;
        while seqs.last().is_none_or(|last| *last < here) {
            let update = in_time(record.next()).await.expect("decisions");
            assert!(!matches!(update, Update::Reset(_)), "what it knew is good at the other: {update:?}");
            seqs.extend(update.into_message().decisions.iter().map(|decision| decision.seq));
        }
        // Right behind the newest decision, of which the next router has not heard perhaps.
        match n {
            16 => doors[0].open.abort(),
            31 => doors[1].open.abort(),
            _ => {}
        }
    }
    assert_eq!(record.opened(), 3, "at the one, at the other, and back");
    let last = *seqs.last().expect("decisions");
    assert!(
        last >= DECISIONS as u64 && seqs.iter().copied().eq(1..=last),
        "none left out, none twice: {seqs:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_moves_is_told_what_is_news_and_the_whole_when_its_cursor_is_of_another_history() {
    let (a, b) = Store::new().both(None).await;
    let (token, mut stream) = gateway_at(&a).await;
    let gateway = a.client(&token);
    let report = async |call: &str| {
        let facts = vec![v1::Fact { fact: Some(arrival(call, "duty", "1")) }];
        gateway.send(v1::ReportRequest { facts }).await.expect("a report");
    };
    let (old, new) = (new_call(), new_call());
    report(&old).await;
    let known = loop {
        let message = stream.next().await.into_message();
        if message.treatments.iter().any(|treatment| treatment.call_id == old) {
            break message.cursor.expect("a cursor");
        }
    };
    report(&new).await;
    // It may not have heard of the last decision yet.
    let there = b.client(&token);
    let attach = async |resume| {
        let request = v1::GatewayServiceAttachRequest {
            incarnation: 1,
            call_ids: vec![old.clone(), new.clone()],
            reaches: None,
            resume: Some(resume),
        };
        let mut stream = there.gateway().attach(request).await.expect("open").into_inner();
        in_time(stream.message()).await.expect("a message").expect("the first")
    };
    let first = attach(known).await;
    assert_eq!(first.kind(), v1::UpdateKind::Change);
    let calls: Vec<&str> = first.treatments.iter().map(|treatment| &*treatment.call_id).collect();
    assert_eq!(calls, [&*new], "only what is news");
    let here = a.exchange.cursor();
    let newest = v1::Cursor { epoch: here.epoch.0, seq: here.seq.0 };
    let first = attach(newest).await;
    assert_eq!(first.kind(), v1::UpdateKind::Change);
    assert!(first.cursor.expect("a cursor").seq >= newest.seq, "it caught up first");
    for resume in [
        v1::Cursor { epoch: known.epoch + 1, ..known },
        v1::Cursor { epoch: known.epoch - 1, ..known },
        v1::Cursor { seq: known.seq + 10_000, ..known },
    ] {
        let first = attach(resume).await;
        assert_eq!(first.kind(), v1::UpdateKind::Reset, "{resume:?}");
        assert_eq!(first.treatments.len(), 2, "the whole");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_and_a_record_that_move_go_on_and_begin_anew_where_their_cursor_is_of_another_history() {
    let (a, b) = Store::new().both(None).await;
    let token = a.add("ana").await;
    let ana = a.person(&token);
    let desk = ana.attach().await;
    let known = desk.shows.cursor.expect("a cursor");
    let there = b.client(&token);
    let attach = async |resume| {
        let request = v1::OperatorServiceAttachRequest { desk_id: ana.desk_id.clone(), resume: Some(resume) };
        let mut stream = there.operator().attach(request).await.expect("open").into_inner();
        in_time(stream.message()).await.expect("a message").expect("the first")
    };
    let first = attach(known).await;
    assert_eq!(first.kind(), v1::UpdateKind::Change);
    assert_eq!(first.desk.expect("a desk").session, desk.desk().session, "the same desk, the same session");
    for epoch in [known.epoch + 1, known.epoch - 1] {
        assert_eq!(attach(v1::Cursor { epoch, ..known }).await.kind(), v1::UpdateKind::Reset);
    }

    let tail = async |after| {
        let request = v1::TailEventsRequest { after: Some(after) };
        let mut stream = b.admin.admin().tail_events(request).await.expect("open").into_inner();
        in_time(stream.message()).await.expect("a message").expect("the first")
    };
    a.admin.send(visitor("ben")).await.expect("added");
    let first = tail(known).await;
    assert!(!first.reset);
    assert_eq!(first.decisions[0].seq, known.seq + 1);
    for n in 0..3 {
        a.admin.send(visitor(&format!("early-{n}"))).await.expect("added");
        let here = a.exchange.cursor();
        let after = v1::Cursor { epoch: here.epoch.0, seq: here.seq.0 };
        let request = v1::TailEventsRequest { after: Some(after) };
        let mut stream = b.admin.admin().tail_events(request).await.expect("open").into_inner();
        a.admin.send(visitor(&format!("late-{n}"))).await.expect("added");
        let first = in_time(stream.message()).await.expect("a message").expect("the first");
        assert!(!first.reset, "a router that is behind reads on first");
        assert_eq!(first.decisions[0].seq, after.seq + 1);
    }
    for epoch in [known.epoch + 1, known.epoch - 1] {
        let first = tail(v1::Cursor { epoch, ..known }).await;
        assert!(first.reset && first.decisions[0].seq == 1, "{first:?}");
    }
}

/// A gateway at this router, and its token.
async fn gateway_at(router: &Started) -> (String, GatewayStream) {
    let token = router.principals.mint(who("gateway", "gw-1")).await.expect("kept");
    let mut stream = GatewayStream::new(&router.client(token.reveal()), 1, Vec::new());
    stream.next().await;
    (token.reveal().to_owned(), stream)
}
