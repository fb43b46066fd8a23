//! Every law sees its own violation: a step of a random history, forged.

use sim::history::{History, Watch, play};
use switchboard::Switchboard;
use switchboard::canonical::decode;
use switchboard::command::Command;
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Attempt, Code, LineId, Seq, TeamId};
use switchboard::laws::{
    self, Step, Violation, l01_replay, l02_refusal, l09_attempts, l11_liveness, l12_privacy,
};
use switchboard::operator::{Device, Duty, Link, Work};
use switchboard::skills::SkillSet;
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};

struct Taken {
    before: Switchboard,
    decision: Decision,
    after: Switchboard,
}

impl Taken {
    fn check(&self, decision: &Decision, after: &Switchboard) -> Result<(), Violation> {
        laws::check_step(Step { before: self.before.state(), decision, after })
    }
}

/// The first step of the first random history that is like this.
fn step(like: impl Fn(&Taken) -> bool) -> Taken {
    for seed in 0..400 {
        let played = play(&History::from_seed(seed, 120), Watch::NOBODY).expect("nothing is watched");
        let mut switchboard = Switchboard::new();
        for (at, input) in played.inputs {
            let before = switchboard.clone();
            let Ok(decision) = switchboard.handle(at, input) else { continue };
            let taken = Taken { before, decision, after: switchboard.clone() };
            if like(&taken) {
                assert_eq!(taken.check(&taken.decision, &taken.after), Ok(()), "before it is forged");
                return taken;
            }
        }
    }
    panic!("no history has such a step");
}

fn says(taken: &Taken, what: impl Fn(&Event) -> bool) -> bool {
    taken.decision.events.iter().any(what)
}

/// The switchboard after, with its state forged.
fn forged(taken: &Taken, forge: impl FnOnce(&mut State)) -> Switchboard {
    let mut state = taken.after.state().clone();
    forge(&mut state);
    Switchboard::from_state(state)
}

#[track_caller]
fn assert_found(law: &str, found: Result<(), Violation>) {
    assert_eq!(found.map_err(|violation| violation.law), Err(law));
}

#[test]
fn l01_a_decision_that_lost_an_event() {
    let taken = step(|t| says(t, |e| matches!(e, Event::OfferMade { .. })));
    assert_eq!(l01_replay::check(&taken.before, &taken.decision, &taken.after), Ok(()));
    let mut decision = taken.decision.clone();
    decision.events.pop();
    assert_found("L01", l01_replay::check(&taken.before, &decision, &taken.after));
}

#[test]
fn l01_a_history_that_lost_a_decision() {
    let played = play(&History::from_seed(1, 60), Watch::NOBODY).expect("nothing is watched");
    let mut switchboard = Switchboard::new();
    let mut history: Vec<Decision> =
        played.inputs.into_iter().filter_map(|(at, input)| switchboard.handle(at, input).ok()).collect();
    assert_eq!(l01_replay::check_history(&history, &switchboard), Ok(()));
    history.remove(history.len() / 2);
    assert_found("L01", l01_replay::check_history(&history, &switchboard));
}

#[test]
fn l02_a_refusal_that_left_a_trace() {
    let taken = step(|_| true);
    assert_eq!(l02_refusal::check(taken.after.state(), &taken.after), Ok(()));
    assert_found("L02", l02_refusal::check(taken.before.state(), &taken.after));
}

#[test]
fn l03_a_tick_that_left_something_due() {
    let taken = step(|t| t.decision.input.command == Command::Tick && !t.after.state().operators.is_empty());
    let after = forged(&taken, |state| {
        let now = state.now;
        state.operators.values_mut().next().expect("there is one").cool_until = Some(now);
    });
    assert_found("L03", taken.check(&taken.decision, &after));
}

#[test]
fn l04_an_operator_who_knows_nothing_of_an_offer() {
    let taken = step(|t| says(t, |e| matches!(e, Event::OfferMade { .. })));
    let after = forged(&taken, |state| {
        let offered = |work: &Work| matches!(work, Work::Offered { .. });
        let operator = state.operators.values_mut().find(|o| offered(&o.work)).expect("one was made");
        operator.work = Work::Idle;
    });
    assert_found("L04", laws::check_state(&after));
}

#[test]
fn what_a_decision_names_is_looked_at_without_the_rest() {
    let offers = |e: &Event| matches!(e, Event::OfferMade { .. });
    let taken = step(|t| says(t, offers));
    assert_eq!(laws::check_decided(&taken.decision, &taken.after), Ok(()));
    let idle = forged(&taken, |state| {
        let offered = |work: &Work| matches!(work, Work::Offered { .. });
        let operator = state.operators.values_mut().find(|o| offered(&o.work)).expect("one was made");
        operator.work = Work::Idle;
    });
    assert_found("L04", laws::check_decided(&taken.decision, &idle));
    let unmade = forged(&taken, |state| {
        let call = taken.decision.events.iter().find(|e| offers(e)).and_then(Event::call);
        let call = state.calls.get_mut(&call.expect("an offer is of a call")).expect("it is open");
        call.attempts = 0;
    });
    assert_found("L09", laws::check_decided(&taken.decision, &unmade));
    let other = Decision { seq: taken.decision.seq.next(), ..taken.decision.clone() };
    assert_found("L10", laws::check_decided(&other, &taken.after));

    let taken = step(|t| says(t, |e| matches!(e, Event::CallClosed { .. })));
    let closed = taken.decision.events.iter().find(|e| matches!(e, Event::CallClosed { .. })).cloned();
    let mut decision = taken.decision.clone();
    decision.events.extend(closed);
    assert_found("L06", laws::check_decided(&decision, &taken.after));
    let forgotten = forged(&taken, |state| state.closed = Default::default());
    assert_found("L06", laws::check_decided(&taken.decision, &forgotten));
}

#[test]
fn l05_a_treatment_that_changed_in_silence() {
    let taken = step(|t| {
        says(
            t,
            |e| matches!(e, Event::CallConnected { call, .. } if t.before.state().calls.contains_key(call)),
        )
    });
    let after = forged(&taken, |state| {
        for (id, call) in &mut state.calls {
            if let Some(before) = taken.before.state().calls.get(id) {
                call.treatment_revision = before.treatment_revision;
            }
        }
    });
    assert_found("L05", taken.check(&taken.decision, &after));
}

#[test]
fn l06_a_call_that_closes_twice() {
    let closes = |e: &Event| matches!(e, Event::CallClosed { .. });
    let taken = step(|t| says(t, closes));
    let mut decision = taken.decision.clone();
    let again = decision.events.iter().find(|e| closes(e)).expect("it closes").clone();
    decision.events.push(again);
    assert_found("L06", taken.check(&decision, &taken.after));
}

#[test]
fn l07_a_caller_who_waits_beside_a_free_operator() {
    let waits = |state: &State| state.calls.values().any(|c| c.is_waiting() && c.target.is_none());
    let idle = |state: &State| state.operators.values().any(|o| o.work == Work::Idle);
    let taken = step(|t| waits(t.after.state()) && idle(t.after.state()));
    let after = forged(&taken, |state| {
        let lines: Vec<LineId> = state.lines.keys().copied().collect();
        let teams: Vec<TeamId> = state.plans.values().flat_map(|p| p.teams.keys().copied()).collect();
        state.calls.values_mut().for_each(|call| call.tried.clear());
        for operator in state.operators.values_mut().filter(|o| o.work == Work::Idle) {
            operator.home.extend(&lines);
            operator.teams.extend(&teams);
            operator.skills = SkillSet::ALL;
            operator.device = Device::Softphone;
            operator.duty = Duty::On;
            operator.link = Link::Online;
            operator.cool_until = None;
            operator.shift = None;
            operator.removing = false;
        }
    });
    assert_found("L07", laws::check_state(&after));
}

#[test]
fn l08_a_caller_who_lost_the_place() {
    let taken = step(|t| t.before.state().calls.keys().any(|id| t.after.state().calls.contains_key(id)));
    let after = forged(&taken, |state| {
        for call in state.calls.values_mut() {
            call.arrived_at = call.arrived_at + Span(1);
        }
    });
    assert_found("L08", taken.check(&taken.decision, &after));
}

#[test]
fn l09_an_offer_under_an_old_number() {
    let taken = step(|t| says(t, |e| matches!(e, Event::OfferMade { attempt: Attempt(2..), .. })));
    let mut decision = taken.decision.clone();
    for event in &mut decision.events {
        if let Event::OfferMade { attempt, .. } = event {
            *attempt = Attempt(1);
        }
    }
    assert_found("L09", taken.check(&decision, &taken.after));
}

#[test]
fn l09_an_answer_that_counts_twice() {
    let taken = step(|t| matches!(t.decision.input.command, Command::Accept { .. }));
    assert_eq!(l09_attempts::check_repeat(&taken.after, &taken.decision), Ok(()));
    assert_found("L09", l09_attempts::check_repeat(&taken.before, &taken.decision));
}

#[test]
fn l10_a_gap_and_a_step_back_in_time() {
    let taken = step(|t| t.before.state().now > SiteTime(0));
    let gap = Decision { seq: taken.decision.seq.next(), ..taken.decision.clone() };
    assert_found("L10", taken.check(&gap, &taken.after));
    let back = Decision { at: SiteTime(0), ..taken.decision.clone() };
    assert_found("L10", taken.check(&back, &taken.after));
}

#[test]
fn l11_a_caller_left_behind() {
    let taken = step(|t| !t.after.state().calls.is_empty());
    assert_found("L11", l11_liveness::check(taken.after.state()));
}

#[test]
fn l12_a_number_in_the_journal() {
    let taken = step(|t| matches!(t.decision.input.command, Command::Pause { .. }));
    let number: Code = "13812345678".parse().expect("digits are a name");
    let mut decision = taken.decision.clone();
    if let Command::Pause { reason, .. } = &mut decision.input.command {
        *reason = number;
    }
    assert_found("L12", taken.check(&decision, &taken.after));
    let stored: Decision = decode(&decision.to_canonical()).expect("a number is a name as far as names go");
    assert_found("L12", l12_privacy::check_decision(&stored));
    assert_found("L12", l12_privacy::check_canonical(Seq(1), &decision.to_canonical()));
}

#[test]
fn l13_a_caller_who_came_on_another_line() {
    let arrives = |e: &Event| matches!(e, Event::CallArrived { .. });
    let stays = |t: &Taken| t.after.state().calls.len() > t.before.state().calls.len();
    let moves = |e: &Event| matches!(e, Event::CallMoved { .. });
    let taken = step(|t| says(t, arrives) && stays(t) && !says(t, moves));
    let mut decision = taken.decision.clone();
    let lines: Vec<LineId> = taken.after.state().lines.keys().copied().collect();
    for event in &mut decision.events {
        if let Event::CallArrived { line, .. } = event {
            *line = *lines.iter().find(|other| **other != *line).expect("there are several");
        }
    }
    assert_found("L13", taken.check(&decision, &taken.after));
}
