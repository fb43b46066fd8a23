//! Shows presence who is free, a moment behind the journal, for whoever reads that and not the switchboard.

use std::sync::Arc;
use std::time::Duration;

use presence::{FreeOperators, Reach};
use switchboard::Switchboard;

use crate::handle::Shared;

/// So many changes as there are in this time are shown at once: what it costs does not grow with the calls.
const SHOW_EVERY: Duration = Duration::from_millis(200);

/// Until the exchange ends.
pub(crate) async fn show(shared: Arc<Shared>) {
    let mut head = shared.published.watch();
    loop {
        let ended = head.borrow_and_update().ended;
        let free = free(&shared.published.read().durable);
        shared.presence.show_free(free);
        if ended || head.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(SHOW_EVERY).await;
    }
}

fn free(switchboard: &Switchboard) -> FreeOperators {
    let state = switchboard.state();
    let ready = state.operators.iter().filter(|(_, operator)| operator.is_ready());
    let operators = ready.map(|(id, operator)| {
        (*id, Reach { home_lines: operator.home.clone(), teams: operator.teams.clone() })
    });
    FreeOperators { seq: state.seq, operators: operators.collect() }
}
