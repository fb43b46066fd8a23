//! On a stepped clock a day is a function of what is asked and when.

mod site;

use std::sync::Arc;

use exchange::{Clock, Refused, StepFault, StepTo};
use session::MemoryJournal;
use site::*;
use switchboard::command::Command;
use switchboard::event::Event;
use switchboard::id::Seq;
use switchboard::operator::{Duty, Link};
use switchboard::rejection::Rejection;

#[tokio::test]
async fn everything_due_on_the_way_happens_at_its_own_time() {
    let (exchange, journal, _gateway) = hospital().await;
    let _desk = on_duty(&exchange, 1).await;
    let asked = ask(&exchange, arrive(1)).await;
    let stepped = step(&exchange, 30).await;
    assert_eq!(stepped.at, at(30));
    let ticks: Vec<_> = decisions(&*journal)
        .await
        .into_iter()
        .filter(|d| d.seq > asked.cursor.seq)
        .map(|d| (d.at, d.input.command))
        .collect();
    assert!(ticks.len() > 1, "{ticks:?}");
    assert!(ticks.iter().all(|(_, command)| *command == Command::Tick), "{ticks:?}");
    assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0), "each at its own time: {ticks:?}");
    assert_eq!(exchange.read(|sb| sb.next_deadline()), stepped.next);
}
