//! The record: every decision, none twice, none left out.

use api::v1;
use api::{EventFeed, Update};
use switchboard::decision::Decision;

use crate::hospital::{Hospital, arrival, hung_up, in_time, new_call};

async fn read_to(
    hospital: &Hospital,
    after: Option<v1::Cursor>,
    last: u64,
) -> (Vec<v1::RecordedDecision>, bool) {
    let mut record = hospital.admin.attach(EventFeed { after });
    let (mut decisions, mut reset) = (Vec::new(), false);
    while decisions.last().is_none_or(|d: &v1::RecordedDecision| d.seq < last) {
        let update = in_time(record.next()).await.expect("decisions");
        reset |= matches!(update, Update::Reset(_));
        decisions.extend(update.into_message().decisions);
    }
    (decisions, reset)
}

fn assert_whole(decisions: &[v1::RecordedDecision], first: u64, last: u64) {
    assert!(decisions.iter().map(|d| d.seq).eq(first..=last), "all of {first} to {last}, in order");
}

#[tokio::test]
async fn the_record_replays_to_the_same_state() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let (_ana, _desk) = hospital.on_duty("ana", &["duty"]).await;
    let call = new_call();
    hospital.report(arrival(&call, "duty", "1")).await;
    hospital.report(hung_up(&call)).await;
    hospital.step_to(3_600_000_000).await;
    let last = hospital.exchange.cursor().seq.0;
    let (decisions, reset) = read_to(&hospital, None, last).await;
    assert!(!reset);
    assert_whole(&decisions, 1, last);
    assert!(decisions.iter().any(|d| d.event_names.iter().any(|name| name == "offer_made")));
    let mut replayed = switchboard::Switchboard::new();
    for decision in &decisions {
        let decoded: Decision = switchboard::canonical::decode(&decision.canonical).expect("decoded");
        replayed.evolve(&decoded);
    }
    let hash = hospital.exchange.read(switchboard::Switchboard::state_hash);
    assert_eq!(replayed.state_hash(), hash);
}

#[tokio::test]
async fn what_the_exchange_has_forgotten_comes_from_the_journal() {
    let hospital = Hospital::open().await;
    let (_gateway, _) = hospital.attach_gateway().await;
    let wanted = exchange::FEED_DECISIONS_MAX as u64 + 500;
    while hospital.exchange.cursor().seq.0 < wanted {
        let facts = (0..100).flat_map(|_| {
            let call = new_call();
            [arrival(&call, "duty", "1"), hung_up(&call)]
        });
        let facts = facts.map(|fact| v1::Fact { fact: Some(fact) }).collect();
        hospital.gateway.send(v1::ReportRequest { facts }).await.expect("a report");
    }
    let here = hospital.exchange.cursor();
    let (decisions, reset) = read_to(&hospital, None, here.seq.0).await;
    assert!(!reset);
    assert_whole(&decisions, 1, here.seq.0);
    for after in [1, 63, 64, 65, 200, here.seq.0 - 1] {
        let cursor = v1::Cursor { epoch: here.epoch.0, seq: after };
        let (decisions, reset) = read_to(&hospital, Some(cursor), here.seq.0).await;
        assert!(!reset);
        assert_whole(&decisions, after + 1, here.seq.0);
    }
}

#[tokio::test]
async fn a_cursor_of_another_history_begins_again() {
    let hospital = Hospital::open().await;
    let here = hospital.exchange.cursor();
    for (epoch, seq) in [(here.epoch.0 + 1, 1), (here.epoch.0, here.seq.0 + 1_000)] {
        let (decisions, reset) = read_to(&hospital, Some(v1::Cursor { epoch, seq }), here.seq.0).await;
        assert!(reset);
        assert_whole(&decisions, 1, here.seq.0);
    }
}
