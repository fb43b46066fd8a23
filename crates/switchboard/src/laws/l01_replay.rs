//! L01: replay of the journal equals the live state, byte for byte, and re-deciding the stored inputs gives the
//! stored events.

use alloc::format;
use alloc::string::String;

use super::{Violation, demand};
use crate::canonical;
use crate::decision::Decision;
use crate::switchboard::Switchboard;

const LAW: &str = "L01";

/// One decision, applied to what was before it, gives what is after it; decided again, it is the same decision; and
/// both survive the canonical encoding.
///
/// # Errors
/// The first difference.
pub fn check(before: &Switchboard, decision: &Decision, after: &Switchboard) -> Result<(), Violation> {
    let text = decision.to_canonical();
    let stored: Decision = canonical::decode(&text).map_err(|error| Violation {
        law: LAW,
        seq: decision.seq,
        what: format!("the decision does not decode from its own encoding: {error}"),
    })?;
    same(decision, "the decoded decision", &text, &stored.to_canonical())?;

    let mut applied = before.clone();
    applied.evolve(&stored);
    same_state(decision, "replayed", &applied, after)?;

    let mut decided = before.clone();
    match decided.handle(stored.at, stored.input.clone()) {
        Ok(again) => same(decision, "the decision taken again", &text, &again.to_canonical())?,
        Err(rejection) => {
            return Err(Violation {
                law: LAW,
                seq: decision.seq,
                what: format!("decided again, the stored input is refused: {rejection:?}"),
            });
        }
    }
    same_state(decision, "decided again", &decided, after)
}

/// A switchboard rebuilt from its own stored state is the same switchboard, deadlines included.
///
/// # Errors
/// The first difference.
pub fn check_restore(live: &Switchboard) -> Result<(), Violation> {
    let text = canonical::encode(live.state());
    let seq = live.state().seq;
    let state = canonical::decode(&text).map_err(|error| Violation {
        law: LAW,
        seq,
        what: format!("the state does not decode from its own encoding: {error}"),
    })?;
    let restored = Switchboard::from_state(state);
    let again = canonical::encode(restored.state());
    demand(LAW, seq, again == text, || first_difference("the restored state", &text, &again))?;
    demand(LAW, seq, restored.next_deadline() == live.next_deadline(), || {
        format!(
            "restored, the next deadline is {:?}, not {:?}",
            restored.next_deadline(),
            live.next_deadline()
        )
    })
}

/// A whole history from its beginning gives the live state.
///
/// # Errors
/// The first difference.
pub fn check_history<'a>(
    history: impl IntoIterator<Item = &'a Decision>,
    live: &Switchboard,
) -> Result<(), Violation> {
    let mut replayed = Switchboard::new();
    for decision in history {
        replayed.evolve(decision);
    }
    let (expected, got) = (canonical::encode(live.state()), canonical::encode(replayed.state()));
    demand(LAW, live.state().seq, expected == got, || first_difference("the replayed state", &expected, &got))
}

fn same_state(
    decision: &Decision,
    how: &str,
    got: &Switchboard,
    expected: &Switchboard,
) -> Result<(), Violation> {
    if got.state() == expected.state() {
        return Ok(());
    }
    same(decision, how, &canonical::encode(expected.state()), &canonical::encode(got.state()))
}

fn same(decision: &Decision, how: &str, expected: &str, got: &str) -> Result<(), Violation> {
    demand(LAW, decision.seq, expected == got, || first_difference(how, expected, got))
}

/// Where two texts part, with a little of both.
fn first_difference(how: &str, expected: &str, got: &str) -> String {
    let same = expected.bytes().zip(got.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| -> String {
        String::from_utf8_lossy(
            &text.as_bytes()[same.saturating_sub(60).min(text.len())..(same + 60).min(text.len())],
        )
        .into_owned()
    };
    format!("{how} differs at byte {same}: expected …{}… got …{}…", around(expected), around(got))
}
