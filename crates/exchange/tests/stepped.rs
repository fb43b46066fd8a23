//! On a stepped clock a day is a function of what is asked and when.

mod site;

use std::sync::Arc;

use exchange::{Clock, ExchangeHandle, Refused, StepFault, StepTo};
use session::{MemoryJournal, Row};
use site::*;
use switchboard::command::Command;
use switchboard::event::Event;
use switchboard::operator::Link;

#[tokio::test]
async fn everything_due_on_the_way_happens_at_its_own_time() {
    let (exchange, journal, _gateway) = hospital().await;
    let _desk = on_duty(&exchange, 1).await;
    let asked = ask(&exchange, arrive(1)).await;
    let stepped = step(&exchange, 60).await;
    assert_eq!(stepped.at, at(60));
    let ticks: Vec<_> = decisions(&*journal)
        .await
        .into_iter()
        .filter(|d| d.seq > asked.cursor.seq)
        .map(|d| (d.at, d.input.command))
        .collect();
    assert!(ticks.len() > 2, "{ticks:?}");
    assert!(ticks.iter().all(|(_, command)| *command == Command::Tick), "{ticks:?}");
    assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0), "each at its own time: {ticks:?}");
    assert_eq!(exchange.cursor(), stepped.cursor);
    assert!(stepped.next > Some(at(60)));
}

#[tokio::test]
async fn a_step_to_what_is_due_stops_where_people_can_react() {
    let (exchange, _journal, _gateway) = hospital().await;
    let _desk = on_duty(&exchange, 1).await;
    ask(&exchange, arrive(1)).await;
    let due = exchange.read(|sb| sb.next_deadline()).unwrap();
    let first = exchange.step(StepTo::Due { at_most: at(3_600) }).await.unwrap();
    assert_eq!(first.at, due);
    let next = first.next.unwrap();
    let short = exchange.step(StepTo::Due { at_most: first.at }).await.unwrap();
    assert_eq!(short.at, first.at, "nothing more is due by then");
    assert_eq!(exchange.step(StepTo::Due { at_most: at(3_600) }).await.unwrap().at, next);
}

#[tokio::test]
async fn time_does_not_go_back_and_a_running_clock_is_not_stepped() {
    let (exchange, journal, _gateway) = hospital().await;
    step(&exchange, 10).await;
    let back = exchange.step(StepTo::At(at(9))).await;
    assert_eq!(back, Err(StepFault::Backwards { now: at(10) }));
    assert_eq!(exchange.now(), at(10));
    exchange.close().await;
    let late = exchange.step(StepTo::At(at(11))).await;
    assert_eq!(late, Err(StepFault::Refused(Refused::Closed)));
    let running = start(&journal, "b", Clock::System).await;
    assert_eq!(running.step(StepTo::At(at(99))).await, Err(StepFault::NotStepped));
}

#[tokio::test]
async fn what_was_asked_before_a_step_is_decided_before_it() {
    let (exchange, journal, _gateway) = hospital().await;
    let (arrived, stepped) = tokio::join!(exchange.ask(arrive(1)), exchange.step(StepTo::At(at(50))));
    assert_eq!(arrived.unwrap().at, at(0));
    assert_eq!(stepped.unwrap().at, at(50));
    assert_eq!(exchange.now(), at(50));
    assert!(decisions(&*journal).await.is_sorted_by_key(|d| d.at));
}

#[tokio::test]
async fn the_same_asks_between_the_same_steps_give_the_same_journal() {
    let (one, two) = (busy_hour().await, busy_hour().await);
    assert!(one.len() > 200, "{} rows", one.len());
    assert_eq!(one, two);
}

async fn busy_hour() -> Vec<Row> {
    let (exchange, journal, _gateway) = hospital().await;
    let mut streams = Vec::new();
    for n in 1..=6 {
        streams.push(on_duty(&exchange, n).await);
    }
    for n in 0..120 {
        step(&exchange, n * 30).await;
        ask(&exchange, arrive(n)).await;
        answer_what_rings(&exchange, n).await;
        if n >= 4 {
            // Refused if the caller was never answered or is gone already.
            let _gone = exchange.ask(hang_up(n - 4)).await;
        }
        if n == 60 {
            streams.pop();
        }
    }
    step(&exchange, 7_200).await;
    let stored = rows(&*journal).await;
    stored.into_iter().map(|stored| stored.row).collect()
}

/// Two thirds of what rings is taken.
async fn answer_what_rings(exchange: &ExchangeHandle, n: u64) {
    for person in (1..=6).filter(|person| !(*person + n).is_multiple_of(3)) {
        let Some(view) = exchange.read(|sb| sb.desk(operator(person))) else { continue };
        let (Some(offer), session) = (view.offer, view.session) else { continue };
        ask(exchange, by_operator(person, Command::Accept { offer: offer.id, session })).await;
        let bridged = switchboard::command::LegFact::Bridged;
        for fact in [switchboard::command::LegFact::Answered, bridged] {
            let (call, attempt) = (offer.id.call, offer.id.attempt);
            ask(exchange, by_gateway(Command::Leg { call, attempt, fact })).await;
        }
    }
}

#[tokio::test]
async fn a_closed_stream_is_a_dropped_desk_without_any_heartbeat() {
    let (exchange, journal, _gateway) = hospital().await;
    let stream = on_duty(&exchange, 1).await;
    step(&exchange, 7_200).await;
    assert_eq!(link(&exchange), Link::Online);
    let mut feed = exchange.subscribe(None);
    drop(stream);
    feed.next().await.expect("the exchange says so by itself");
    assert!(matches!(link(&exchange), Link::Grace { .. }));
    let last = decisions(&*journal).await.pop().unwrap();
    assert!(matches!(last.input.command, Command::DropDesk { .. }));
    assert_eq!(last.at, at(7_200));
    step(&exchange, 7_300).await;
    assert_eq!(link(&exchange), Link::Lost);
}

#[tokio::test]
async fn a_gateway_without_a_stream_is_lost_in_its_turn() {
    let (exchange, journal, gateway) = hospital().await;
    ask(&exchange, arrive(1)).await;
    step(&exchange, 20).await;
    drop(gateway);
    step(&exchange, 3_600).await;
    let lost = decisions(&*journal)
        .await
        .into_iter()
        .find(|d| d.events.iter().any(|event| matches!(event, Event::GatewayLost { .. })))
        .expect("its lease ended");
    assert_eq!(lost.at, at(20) + presence::GATEWAY_LEASE);
    assert!(exchange.read(|sb| sb.call(call(1)).is_none()));
}

fn link(exchange: &ExchangeHandle) -> Link {
    exchange.read(|sb| sb.operator(operator(1)).expect("added").link)
}

#[tokio::test]
async fn a_restart_comes_to_the_same_state_and_time() {
    let (exchange, journal, _gateway) = hospital().await;
    let _desk = on_duty(&exchange, 1).await;
    step(&exchange, 100).await;
    ask(&exchange, arrive(1)).await;
    let before = exchange.read(|sb| sb.state_hash());
    let (last, epoch) = (exchange.read(|sb| sb.state().now), exchange.cursor().epoch);
    exchange.close().await;
    let other = Arc::new(MemoryJournal::new());
    for stored in rows(&*journal).await {
        session::Journal::append(&*other, main_site(), &stored.row).await.unwrap();
    }
    let again = start(&other, "b", Clock::STEPPED).await;
    assert_eq!(again.read(|sb| sb.state_hash()), before);
    assert_eq!(again.now(), last, "a stepped clock stood still meanwhile");
    assert_ne!(again.cursor().epoch, epoch, "another store is another life of the record");
    again.subscribe(None).next().await.unwrap();
    assert!(matches!(link(&again), Link::Grace { .. }), "its stream ended with the process");
}
