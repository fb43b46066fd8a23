//! What the switchboard and the reference must agree on, and how a difference reads.

use switchboard::canonical::{self, Hash};
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::Seq;
use switchboard::rejection::Rejection;
use switchboard::requests::Requests;
use switchboard::state::State;

/// What differs between two answers to the same input: verdict, refusal, reply, or the events, whose order within a
/// decision is nobody's promise.
pub(super) fn answers(
    real: &Result<Decision, Rejection>,
    reference: &Result<Decision, Rejection>,
) -> Option<String> {
    match (real, reference) {
        (Ok(real), Ok(reference)) => decisions(real, reference),
        (Err(real), Err(reference)) if real == reference => None,
        (Err(real), Err(reference)) => {
            Some(format!("refused with {real:?}; the reference refuses with {reference:?}"))
        }
        (Ok(real), Err(reference)) => {
            Some(format!("decided {:#?}; the reference refuses with {reference:?}", texts(&real.events)))
        }
        (Err(real), Ok(reference)) => {
            Some(format!("refused with {real:?}; the reference decides {:#?}", texts(&reference.events)))
        }
    }
}

fn decisions(real: &Decision, reference: &Decision) -> Option<String> {
    let (mut said, mut meant) = (texts(&real.events), texts(&reference.events));
    said.sort_unstable();
    meant.sort_unstable();
    if said == meant && real.reply == reference.reply {
        return None;
    }
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|text| !those.contains(text)).cloned().collect()
    };
    Some(format!(
        "replied {:?} and decided {:#?}\nthe switchboard alone says {:#?}\nthe reference replies {:?}, and alone says {:#?}",
        real.reply,
        texts(&real.events),
        only(&said, &meant),
        reference.reply,
        only(&meant, &said),
    ))
}

/// What differs between the two states.
pub(super) fn states(real: &State, reference: &State) -> Option<String> {
    let (real, reference) = (plain(real), plain(reference));
    if real == reference {
        return None;
    }
    let (real, reference) = (canonical::encode(&real), canonical::encode(&reference));
    let at = real.bytes().zip(reference.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.get(at.saturating_sub(160)..(at + 120).min(text.len())).map(str::to_owned);
    Some(format!("the state is …{:?}…\nthat of the reference …{:?}…", around(&real), around(&reference)))
}

/// A state apart from what the reference does not keep: memories of requests, the revisions of treatments, which law
/// L05 looks at, and a planted mistake.
fn plain(state: &State) -> State {
    let mut plain = state.clone();
    plain.requests = Requests::default();
    #[cfg(feature = "planted-bugs")]
    {
        plain.planted = None;
    }
    for call in plain.calls.values_mut() {
        call.treatment_revision = Seq(0);
    }
    plain
}

/// Events as text, a plan by its hash.
fn texts(events: &[Event]) -> Vec<String> {
    let text = |event: &Event| match event {
        Event::PlanAdopted { revision, plan, moves } => {
            let plan = Hash::of(&canonical::encode(plan));
            format!("PlanAdopted {{ revision: {revision:?}, plan: {plan}, moves: {moves:?} }}")
        }
        event => format!("{event:?}"),
    };
    events.iter().map(text).collect()
}
