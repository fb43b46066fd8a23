//! How things are when a line is done: the right side can ask for it beside what happened.

use switchboard::call::CallState;
use switchboard::id::{CallId, LineId, OperatorId};
use switchboard::line::LineState;
use switchboard::operator::{Duty, Link, Operator, Work};
use switchboard::treatment::{Hears, LegTo, Wish};

use crate::plan::id;
use crate::play::{Play, call_id};
use crate::slot::clock;
use crate::tell::{self, call_name};
use crate::text::Found;

/// Looks whether something is so; says how it is if not.
pub(crate) type Check = fn(&Play, &Found) -> Result<(), String>;

/// Every check, as the guide lists them.
pub(crate) const PHRASES: &[(&str, Check)] = &[
    ("<call> is <state>", |play, f| {
        let call = call_id(f.the("call"));
        let state = play.board.call(call).map(|c| call_state(c.state()));
        let closed = play.board.closed(call).map(|_| "closed");
        same(f.the("state"), state.or(closed).unwrap_or("unknown"))
    }),
    ("<call> is on line <line>", |play, f| {
        let line = play.board.call(call_id(f.the("call"))).map(|call| call.line);
        same(f.the("line"), line.map_or("none".to_owned(), |line| line.to_string()))
    }),
    ("<call> is ahead of <call>", |play, f| {
        let first = call_id(f.the("call"));
        let second = call_id(f.nth("call", 1).unwrap_or_default());
        let order: Vec<CallId> = play.board.in_order().into_iter().map(|place| place.call).collect();
        let at = |call| order.iter().position(|known| *known == call);
        match (at(first), at(second)) {
            (Some(first), Some(second)) if first < second => Ok(()),
            _ => Err(format!(
                "the queue is {}",
                order.into_iter().map(call_name).collect::<Vec<_>>().join(", ")
            )),
        }
    }),
    ("<call> has its place since <time>", |play, f| {
        let since = play.board.call(call_id(f.the("call"))).map(|call| clock(call.arrived_at));
        same(f.the("time"), since.unwrap_or_default())
    }),
    ("<call> hears music", |play, f| heard(play, f, |hears| hears == Hears::Music)),
    ("<call> hears nothing", |play, f| heard(play, f, |hears| hears == Hears::Silence)),
    ("<call> hears the recording <prompt>", |play, f| {
        heard(play, f, |hears| hears == Hears::Prompt(id(f.the("prompt"))))
    }),
    ("<call> hears the menu <prompt>", |play, f| {
        heard(play, f, |hears| hears == Hears::Menu(id(f.the("prompt"))))
    }),
    ("<operator> is <duty>", |play, f| {
        let known = operator(play, f)?;
        same(
            f.the("duty"),
            match known.duty {
                Duty::On => "on duty",
                Duty::Off => "off duty",
                Duty::Paused { .. } => "paused",
                Duty::Suspended { .. } => "suspended",
                Duty::Leaving => "leaving",
            },
        )
    }),
    ("<operator> is <work>", |play, f| {
        let known = operator(play, f)?;
        same(
            f.the("work"),
            match known.work {
                Work::Idle => "idle",
                Work::Offered { .. } => "ringing",
                Work::Connecting { .. } => "connecting",
                Work::Talking { .. } => "talking",
                Work::WrapUp { .. } => "wrapping up",
                Work::OutsideCall => "in an outside call",
            },
        )
    }),
    ("<operator> is idle since <time>", |play, f| same(f.the("time"), clock(operator(play, f)?.idle_since))),
    ("<operator> has <number> strikes", |play, f| {
        same(f.the("number"), operator(play, f)?.strikes.to_string())
    }),
    ("<operator>'s desk is <link>", |play, f| {
        same(
            f.the("link"),
            match operator(play, f)?.link {
                Link::Online => "online",
                Link::Grace { .. } => "in grace",
                Link::Lost => "lost",
            },
        )
    }),
    ("<operator>'s desk has <call> on it", |play, f| {
        let desk = play.board.desk(id(f.the("operator"))).ok_or("there is no such operator")?;
        let shown = desk.offer.map(|offer| offer.id.call).or(desk.call.map(|call| call.id));
        same(f.the("call"), shown.map_or("nothing".to_owned(), call_name))
    }),
    ("<operator>'s phone should ring", |play, f| phone(play, f, Some(Wish::Ring))),
    ("<operator>'s phone should be up", |play, f| phone(play, f, Some(Wish::Up))),
    ("<operator>'s phone should be quiet", |play, f| phone(play, f, None)),
    ("<line> is <line-state>", |play, f| {
        let status =
            play.board.state().lines.get(&id::<LineId>(f.the("line"))).ok_or("there is no such line")?;
        same(
            f.the("line-state"),
            match status.state {
                LineState::Open => "open",
                LineState::ClosedBySchedule => "closed by its hours",
                LineState::ClosedByHand { .. } => "closed by hand",
                LineState::Draining => "draining",
                LineState::Retired => "gone",
            },
        )
    }),
    ("<number> calls are inside", |play, f| {
        same(f.the("number"), play.board.state().calls.len().to_string())
    }),
];

/// The state of a call in words.
pub(crate) fn call_state(state: CallState) -> &'static str {
    match state {
        CallState::Waiting => "waiting",
        CallState::Offered => "ringing",
        CallState::Connecting => "connecting",
        CallState::Connected => "talking",
        CallState::Held => "on hold",
        CallState::Diverting => "with an outside number",
    }
}

fn same(wanted: &str, found: impl AsRef<str>) -> Result<(), String> {
    if wanted == found.as_ref() { Ok(()) } else { Err(format!("it is: {}", found.as_ref())) }
}

fn operator<'a>(play: &'a Play, f: &Found) -> Result<&'a Operator, String> {
    let known = play.board.operator(id::<OperatorId>(f.the("operator")));
    known.ok_or_else(|| "there is no such operator".to_owned())
}

fn heard(play: &Play, f: &Found, wanted: impl Fn(Hears) -> bool) -> Result<(), String> {
    let treatment = play.board.treatment(call_id(f.the("call"))).ok_or("there is no such call")?;
    if wanted(treatment.hears) { Ok(()) } else { Err(format!("it hears {}", tell::hears(treatment.hears))) }
}

fn phone(play: &Play, f: &Found, wanted: Option<Wish>) -> Result<(), String> {
    let whose = LegTo::Operator(id(f.the("operator")));
    let state = play.board.state();
    let legs = state.calls.keys().filter_map(|call| play.board.treatment(*call)).flat_map(|t| t.legs);
    let wish = legs.into_iter().find(|leg| leg.to == whose).map(|leg| leg.wish);
    let word = |wish| match wish {
        Some(Wish::Ring) => "ring",
        Some(Wish::Up) => "be up",
        None => "be quiet",
    };
    same(word(wanted), word(wish))
}
