use std::collections::BTreeSet;

use anyhow::Result;
use switchboard::call::CallerKind;
use switchboard::command::{Arrival, Command};
use switchboard::id::GatewayId;
use switchboard::time::Span;

use super::Act;
use crate::plan::id;
use crate::play::{Play, call_id, caller_ref, main_gateway};
use crate::slot;
use crate::text::Found;

pub(super) const PHRASES: &[(&str, Act)] = &[
    ("nobody answers", |_, _| Ok(())),
    ("time passes", |_, _| Ok(())),
    (
        "call <call> arrives on <line>[ through <gateway>][ wanting <skill>][ having waited <span>]\
         [ talking with <destination>]",
        |play, f| arrives(play, f, CallerKind::Public, f.the("call")),
    ),
    ("staff call <call> arrives on <line>[ through <gateway>]", |play, f| {
        arrives(play, f, CallerKind::Staff, f.the("call"))
    }),
    ("<call> calls again as <call> on <line>", |play, f| again(play, f, CallerKind::Public)),
    ("staff <call> calls again as <call> on <line>", |play, f| again(play, f, CallerKind::Staff)),
    ("<call> hangs up", |play, f| {
        let call = call_id(f.the("call"));
        play.gateway(play.gateway_of(call), Command::CallerHungUp { call })
    }),
    ("<call> presses <key>", |play, f| {
        let (call, digit) = (call_id(f.the("call")), f.the("key").chars().next().unwrap_or('0'));
        play.gateway(play.gateway_of(call), Command::Digit { call, attempt: None, digit })
    }),
    ("<call> has heard the message", |play, f| {
        let call = call_id(f.the("call"));
        play.gateway(play.gateway_of(call), Command::PromptFinished { call })
    }),
];

fn arrives(play: &mut Play, f: &Found, kind: CallerKind, caller: &str) -> Result<()> {
    let gateway: GatewayId = f.any("gateway").map_or_else(main_gateway, id);
    let waited = f.any("span").map(slot::span).transpose()?.unwrap_or(Span::ZERO);
    let arrival = Arrival {
        call: call_id(f.the("call")),
        line: id(f.the("line")),
        caller: caller_ref(caller),
        kind,
        skills: f.any("skill").map(id).into_iter().collect(),
        waited,
        diverted: f.any("destination").map(id),
    };
    play.gateway(gateway, Command::Arrive(arrival))
}

fn again(play: &mut Play, f: &Found, kind: CallerKind) -> Result<()> {
    let (before, call) = (f.the("call"), f.nth("call", 1).unwrap_or_default());
    let caller = play.caller_of(before);
    play.same_caller(call, &caller);
    let arrival = Arrival {
        call: call_id(call),
        line: id(f.the("line")),
        caller: caller_ref(&caller),
        kind,
        skills: BTreeSet::new(),
        waited: Span::ZERO,
        diverted: None,
    };
    play.gateway(main_gateway(), Command::Arrive(arrival))
}
