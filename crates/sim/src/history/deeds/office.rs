//! What people do about themselves, and the office about lines, people and plans.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::command::{Actor, Adoption, Command, Edge, EdgeKind, Expected};
use switchboard::id::{CallId, LineId, OperatorId, Revision};
use switchboard::line::LineState;
use switchboard::operator::Duty;
use switchboard::plan::{Plan, Who};
use switchboard::state::State;
use switchboard::time::Span;

use super::{desk_id, gateway_id, session_of, supervisor};
use crate::history::Numbers;
use crate::history::site::{PEOPLE, line_id, name, operator_id, plan, profile};

/// Mostly what brings somebody back.
pub(super) fn duty(state: &State, n: &mut Numbers<'_>) -> (Actor, Command) {
    let operator = operator_id(n.next());
    let lasting = n.one_of(&[Some(Span::secs(60)), None, Some(Span::secs(1)), Some(Span::secs(300))]);
    let back = match state.operators.get(&operator).map(|o| o.duty) {
        Some(Duty::Off) | None => Command::GoOnDuty { operator },
        Some(_) => Command::Resume { operator },
    };
    let command = match n.next() % 8 {
        0..4 => back,
        4 | 5 => Command::Pause { operator, reason: name("tea"), lasting },
        6 => Command::Leave { operator },
        _ => Command::GoOnDuty { operator },
    };
    (if n.one_in(4) { supervisor() } else { Actor::Operator(operator) }, command)
}

pub(super) fn desk(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    let gone = state.operators.iter().filter(|(_, o)| o.device.has_desk() && !o.is_reachable());
    let gone: Vec<OperatorId> = gone.map(|(id, _)| *id).collect();
    let known: Vec<OperatorId> = state.operators.keys().copied().collect();
    let some = if gone.is_empty() || n.one_in(3) { &known } else { &gone };
    let operator = n.pick(some)?;
    let number = (0..PEOPLE).find(|p| operator_id(*p) == operator).unwrap_or(0);
    let session = session_of(state, operator);
    Some(match n.next() % 6 {
        0..3 => (Actor::Operator(operator), Command::AttachDesk { operator, desk: desk_id(number, 0) }),
        3 => (Actor::Operator(operator), Command::AttachDesk { operator, desk: desk_id(number, 1) }),
        4 => (Actor::Operator(operator), Command::RenewDesk { operator, session }),
        _ => (Actor::Presence, Command::DropDesk { operator, session }),
    })
}

pub(super) fn line(n: &mut Numbers<'_>) -> Command {
    let line = line_id(n.next());
    let lasting = n.one_of(&[Span::secs(60), Span::secs(300), Span::secs(5)]);
    let destination = Some(name(n.one_of(&["duty-phone", "reception", "duty-phone", "nowhere"])));
    match n.next() % 6 {
        0 | 1 => Command::CloseLine { line, reason: name("repairs"), lasting },
        2 => Command::OpenLine { line },
        3 | 4 => Command::DivertLine { line, destination, lasting },
        _ => Command::DivertLine { line, destination: None, lasting },
    }
}

pub(super) fn gateway(state: &State, n: &mut Numbers<'_>) -> (Actor, Command) {
    let gateway = gateway_id(n.next());
    let life = state.gateways.get(&gateway).map_or(1, |g| g.incarnation);
    let keep = n.next();
    let all = keep % 8 == 7;
    let calls = state.calls.iter().filter(|(_, call)| all || call.gateway == gateway).map(|(id, _)| *id);
    let calls = calls.enumerate().filter(|(i, _)| keep & (1 << (i % 16)) == 0).map(|(_, id)| id).collect();
    let reaches = n.one_in(3).then(|| (0..PEOPLE - 2).map(operator_id).collect());
    match n.next() % 6 {
        0..4 => (Actor::Gateway(gateway), Command::AttachGateway { incarnation: life, reaches, calls }),
        4 => (Actor::Gateway(gateway), Command::AttachGateway { incarnation: life + 1, reaches, calls }),
        _ => (Actor::Gateway(gateway), Command::LoseGateway { gateway, incarnation: life }),
    }
}

pub(super) fn block(state: &State, n: &mut Numbers<'_>) -> Option<(Actor, Command)> {
    if n.one_in(3) {
        let caller = *state.blocks.keys().next()?;
        return Some((supervisor(), Command::UnblockCaller { caller }));
    }
    let calls: Vec<CallId> = state.calls.keys().chain(state.closed.keys()).copied().collect();
    let call = n.pick(&calls)?;
    let lasting = n.one_of(&[Some(Span::secs(120)), None, Some(Span::secs(1))]);
    Some((supervisor(), Command::BlockCaller { call, reason: name("abuse"), lasting }))
}

pub(super) fn people(state: &State, n: &mut Numbers<'_>) -> Command {
    let operator = operator_id(n.next());
    let lines: Vec<LineId> = state.lines.keys().copied().collect();
    match n.next() % 4 {
        0 | 1 => Command::AddOperator { operator, profile: profile(n, &lines) },
        2 => Command::ChangeOperator { operator, profile: profile(n, &lines), expect: Expected::default() },
        _ => Command::RemoveOperator { operator },
    }
}

pub(super) fn schedule(state: &State, n: &mut Numbers<'_>) -> Command {
    let lines: Vec<LineId> = state.lines.keys().copied().collect();
    let people: Vec<OperatorId> = state.operators.keys().copied().collect();
    let mut at = state.now;
    let mut edges = Vec::new();
    for _ in 0..1 + n.next() % 3 {
        at = at + n.one_of(&[Span::secs(30), Span::ZERO, Span::secs(5), Span::secs(90)]);
        let what = match (n.next() % 4, n.pick(&lines), n.pick(&people)) {
            (0, Some(line), _) => EdgeKind::LineOpens(line),
            (1, Some(line), _) => EdgeKind::LineCloses(line),
            (_, _, Some(operator)) => {
                EdgeKind::ShiftStarts { operator, ends_at: at + n.one_of(&[Span::secs(150), Span::secs(20)]) }
            }
            _ => continue,
        };
        edges.push(Edge { at, wall_us: 0, what });
    }
    Command::ExtendSchedule { edges }
}

pub(super) fn adopt(state: &State, n: &mut Numbers<'_>) -> Command {
    let start = n.next();
    let drawn: Vec<u16> = (0..96_usize).map(|i| (start * 31 + i * i * 7_919 + i) as u16).collect();
    let plan = plan(&mut Numbers::of(&drawn));
    let odd = n.next();
    let expect = if odd % 8 == 7 { Revision(state.revision.0 + 1) } else { state.revision };
    let mut move_waiting = BTreeMap::new();
    for line in state.lines.keys().filter(|line| odd.is_multiple_of(2) && !plan.lines.contains_key(line)) {
        if !is_going(state, line) {
            move_waiting.insert(*line, line_id(0));
        }
    }
    let plan = if odd % 4 == 1 { plan } else { without_old_lines(state, plan) };
    let migrate = (odd / 2).is_multiple_of(2);
    Command::AdoptPlan(Box::new(Adoption { plan, expect, migrate, move_waiting }))
}

fn is_going(state: &State, line: &LineId) -> bool {
    state.lines.get(line).is_some_and(|s| matches!(s.state, LineState::Draining | LineState::Retired))
}

/// A plan that brings no removed line back.
fn without_old_lines(state: &State, plan: Plan) -> Plan {
    let mut draft = plan.into_draft();
    draft.lines.retain(|line, _| !is_going(state, line));
    let left: BTreeSet<LineId> = draft.lines.keys().copied().collect();
    for line in draft.lines.values_mut() {
        line.tiers.retain(|tier| !matches!(tier.who, Who::Line(other) if !left.contains(&other)));
    }
    Plan::check(draft).expect("a sound plan without a line that nobody needs is sound")
}
