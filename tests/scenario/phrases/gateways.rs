use std::collections::BTreeSet;

use anyhow::{Context, Result};
use switchboard::call::Phase;
use switchboard::command::{Command, LegFact};
use switchboard::id::{CallId, DestinationId, GatewayId, OfferId, OperatorId};

use super::Act;
use crate::plan::id;
use crate::play::{Play, call_id};
use crate::slot;
use crate::text::Found;

pub(super) const PHRASES: &[(&str, Act)] = &[
    ("<operator>'s phone rings", |play, f| leg(play, f, LegFact::Ringing)),
    ("<operator> picks up", |play, f| leg(play, f, LegFact::Answered)),
    ("<operator>'s bridge is up", |play, f| leg(play, f, LegFact::Bridged)),
    ("<operator> puts the phone down", |play, f| leg(play, f, LegFact::HungUp)),
    ("<operator>'s phone fails[ because <code>]", |play, f| {
        leg(play, f, LegFact::Failed(crate::play::code(f, "unreachable")))
    }),
    ("<operator>'s bridge is lost", |play, f| leg(play, f, LegFact::BridgeLost)),
    ("<operator>'s phone rings for attempt <number> of <call>", |play, f| {
        let attempt = switchboard::id::Attempt(f.the("number").parse()?);
        play.leg_says(OfferId { call: call_id(f.the("call")), attempt }, LegFact::Ringing).map(|_| ())
    }),
    ("<operator> presses key <key>", |play, f| {
        let offer = play.offer(id(f.the("operator")), None)?;
        play.key(offer, f.the("key").chars().next().unwrap_or('0')).map(|_| ())
    }),
    ("<operator>'s phone stays silent", |play, f| {
        play.silent.insert(id(f.the("operator")));
        Ok(())
    }),
    ("<operator>'s phone works again", |play, f| {
        play.silent.remove(&id::<OperatorId>(f.the("operator")));
        Ok(())
    }),
    ("<operator>'s phone is busy with another call", |play, f| {
        play.main(Command::NotePhone { operator: id(f.the("operator")), busy: true })
    }),
    ("<operator>'s phone is free again", |play, f| {
        play.main(Command::NotePhone { operator: id(f.the("operator")), busy: false })
    }),
    ("somebody picks up at <destination>", |play, f| outside(play, f, LegFact::Answered)),
    ("somebody presses <key> at <destination>", |play, f| {
        let offer = outside_leg(play, id(f.the("destination")))?;
        play.key(offer, f.the("key").chars().next().unwrap_or('0')).map(|_| ())
    }),
    ("somebody hangs up at <destination>", |play, f| outside(play, f, LegFact::HungUp)),
    ("<destination> is engaged", |play, f| outside(play, f, LegFact::Failed(id("busy")))),
    ("gateway <gateway> says <call> hung up", |play, f| {
        play.gateway(id(f.the("gateway")), Command::CallerHungUp { call: call_id(f.the("call")) })
    }),
    ("gateway <gateway> attaches holding <calls>", |play, f| attach(play, f, 0, calls(f), None)),
    ("gateway <gateway> attaches holding nothing", |play, f| attach(play, f, 0, BTreeSet::new(), None)),
    ("gateway <gateway> attaches again", |play, f| {
        let held = play.held_by(id(f.the("gateway")));
        attach(play, f, 0, held, None)
    }),
    ("gateway <gateway> restarts[ holding <calls>]", |play, f| attach(play, f, 1, calls(f), None)),
    ("gateway <gateway> reaches only <operators>", |play, f| {
        let gateway: GatewayId = id(f.the("gateway"));
        let held = play.held_by(gateway);
        let reached = slot::list(f.the("operators")).map(id::<OperatorId>).collect();
        attach(play, f, 0, held, Some(reached))
    }),
    ("gateway <gateway> is lost", |play, f| {
        let gateway: GatewayId = id(f.the("gateway"));
        play.presence(Command::LoseGateway { gateway, incarnation: play.life(gateway) })
    }),
    ("gateway <gateway> is lost in life <number>", |play, f| {
        let incarnation = f.the("number").parse()?;
        play.presence(Command::LoseGateway { gateway: id(f.the("gateway")), incarnation })
    }),
];

fn leg(play: &mut Play, f: &Found, fact: LegFact) -> Result<()> {
    let offer = play.offer(id(f.the("operator")), None)?;
    play.leg_says(offer, fact).map(|_| ())
}

fn outside(play: &mut Play, f: &Found, fact: LegFact) -> Result<()> {
    let offer = outside_leg(play, id(f.the("destination")))?;
    play.leg_says(offer, fact).map(|_| ())
}

/// The leg to an outside number, by the call that is diverted there.
fn outside_leg(play: &Play, to: DestinationId) -> Result<OfferId> {
    let there = play.board.state().calls.iter().find_map(|(call, known)| match known.phase {
        Phase::Diverting { destination, attempt, .. } if destination == to => {
            Some(OfferId { call: *call, attempt })
        }
        _ => None,
    });
    there.with_context(|| format!("no call is diverted to {to}"))
}

fn calls(f: &Found) -> BTreeSet<CallId> {
    f.any("calls").map(|text| slot::list(text).map(call_id).collect()).unwrap_or_default()
}

fn attach(
    play: &mut Play,
    f: &Found,
    lives: u64,
    calls: BTreeSet<CallId>,
    reaches: Option<BTreeSet<OperatorId>>,
) -> Result<()> {
    let gateway: GatewayId = id(f.the("gateway"));
    let incarnation = play.life(gateway) + lives;
    play.gateway(gateway, Command::AttachGateway { incarnation, reaches, calls })
}
