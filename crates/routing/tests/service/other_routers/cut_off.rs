//! A router whose way to the journal is silent, and people who know another.

use std::sync::Arc;

use api::{Attached, Client, DeskFeed, PROMPT, v1};
use session::MemoryJournal;
use switchboard::command::Command;
use switchboard::id::Seq;
use tokio::sync::watch;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use uuid::Uuid;

use super::{Started, Store, until};
use crate::drain::{gated_over, health_at};
use crate::hospital::{bearer, in_time, site};
use crate::several::Door;

/// Two routers of one journal, each with a gate on its way there, and somebody who knows both.
struct House {
    routers: [Started; 2],
    gates: [watch::Sender<bool>; 2],
    doors: [Door; 2],
    ana: Client,
    desk: Attached<DeskFeed>,
}

async fn house() -> House {
    let shared = Arc::new(MemoryJournal::new());
    let (one, first_gate, _) = gated_over(Arc::clone(&shared));
    let (other, second_gate, _) = gated_over(shared);
    let store = Store { journal: one, ..Store::new() };
    let first = store.router("ada", None).await;
    let second = Store { journal: other, ..store }.router("bob", None).await;
    let doors = [Door::to(first.router.address()).await, Door::to(second.router.address()).await];
    let addresses = format!("http://{},http://{}", doors[0].address, doors[1].address);
    let ana = Client::new(&addresses, bearer(&first.add("ana").await)).expect("addresses");
    let mut desk = ana.attach(DeskFeed { desk_id: Uuid::new_v4().to_string() });
    in_time(desk.next()).await.expect("attached");
    House { routers: [first, second], gates: [first_gate, second_gate], doors, ana, desk }
}

/// How often it was decided that she comes on duty.
async fn times_on_duty(router: &Started) -> usize {
    let rows = router.store.journal.tail(site(), Seq::default(), 256).await.expect("rows");
    let decisions = rows.iter().flat_map(|stored| session::decode(&stored.row).expect("decodes"));
    decisions.filter(|decision| matches!(decision.input.command, Command::GoOnDuty { .. })).count()
}

async fn shows(desk: &mut Attached<DeskFeed>, state: v1::DutyState) {
    in_time(async {
        loop {
            let shown = desk.next().await.expect("shown").into_message().desk.unwrap_or_default();
            if shown.duty.is_some_and(|duty| duty.state() == state) {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_knows_another_leaves_a_router_that_is_cut_off_and_is_answered_there() {
    let House { routers: [first, second], gates: [gate, _open], ana, mut desk, .. } = house().await;
    gate.send_replace(false);
    in_time(ana.send(v1::GoOnDutyRequest::default())).await.expect("done by the other");
    shows(&mut desk, v1::DutyState::On).await;
    assert_eq!(desk.opened(), 2, "her screen is there as well");
    let there = second.exchange.cursor();
    gate.send_replace(true);
    until(async || first.exchange.cursor().seq >= there.seq).await;
    // What waits there is decided again before this.
    first.add("ben").await;
    assert_eq!(times_on_duty(&first).await, 1, "what waited at the first came to nothing");
    let pause = v1::PauseRequest { reason: "break".into(), ..Default::default() };
    in_time(ana.send(pause)).await.expect("paused");
    shows(&mut desk, v1::DutyState::Paused).await;
    assert_eq!(desk.opened(), 2, "nobody goes back");
}

#[tokio::test]
async fn while_no_router_reaches_the_journal_everybody_stays() {
    let House { routers: [first, second], gates, doors, ana, mut desk } = house().await;
    // The other first: until it says so itself it would be gone to.
    gates[1].send_replace(false);
    let mut health = health_at(&format!("http://{}", second.router.address())).await;
    until(async || {
        let asked = HealthCheckRequest { service: PROMPT.to_owned() };
        health.check(asked).await.expect("there").into_inner().status() == ServingStatus::NotServing
    })
    .await;
    gates[0].send_replace(false);
    let asking = tokio::spawn(async move { ana.send(v1::GoOnDutyRequest::default()).await });
    until(async || doors[1].connections() > 0).await;
    assert!(!asking.is_finished(), "nobody can answer");
    gates[0].send_replace(true);
    in_time(asking).await.expect("asked").expect("answered where it was asked");
    shows(&mut desk, v1::DutyState::On).await;
    assert_eq!(desk.opened(), 1, "the other was looked at, and nobody moved");
    assert_eq!(times_on_duty(&first).await, 1);
}
