use anyhow::Result;
use switchboard::command::{Command, LegFact, TransferTarget};
use switchboard::decision::Reply;
use switchboard::id::{Attempt, CallId, DeskSession, OfferId, OperatorId};
use switchboard::operator::Device;

use super::Act;
use crate::plan::id;
use crate::play::{Play, call_id, code};
use crate::slot;
use crate::text::Found;

pub(super) const PHRASES: &[(&str, Act)] = &[
    ("<operator> accepts", |play, f| accepts(play, id(f.the("operator")))),
    ("<operator> presses accept[ for <call>]", |play, f| {
        let operator = id(f.the("operator"));
        let offer = offer(play, operator, f)?;
        accept(play, operator, offer).map(|_| ())
    }),
    ("<operator> presses accept for attempt <number> of <call>", |play, f| {
        let attempt = Attempt(f.the("number").parse()?);
        accept(play, id(f.the("operator")), OfferId { call: call_id(f.the("call")), attempt }).map(|_| ())
    }),
    ("<operator> presses accept at the old desk", |play, f| {
        let operator: OperatorId = id(f.the("operator"));
        let (offer, session) = (play.offer(operator, None)?, play.session(operator));
        play.operator(operator, Command::Accept { offer, session: DeskSession(session.0.saturating_sub(1)) })
    }),
    ("<operator> declines[ <call>][ because <code>]", |play, f| {
        let operator = id(f.the("operator"));
        let (offer, session) = (offer(play, operator, f)?, play.session(operator));
        let reason = f.any("code").map(id);
        play.operator(operator, Command::Decline { offer, session, reason })
    }),
    ("<operator>'s desk shows the call", |play, f| {
        let operator = id(f.the("operator"));
        let (offer, session) = (play.offer(operator, None)?, play.session(operator));
        play.operator(operator, Command::ConfirmDelivery { offer, session })
    }),
    ("<operator>'s media is up", |play, f| {
        let operator = id(f.the("operator"));
        let (offer, session) = (play.offer(operator, None)?, play.session(operator));
        play.operator(operator, Command::ConfirmMedia { offer, session })
    }),
    ("<operator>'s desk stays dark", |play, f| {
        play.dark.insert(id(f.the("operator")));
        Ok(())
    }),
    ("<operator>'s desk works again", |play, f| {
        play.dark.remove(&id::<OperatorId>(f.the("operator")));
        Ok(())
    }),
    ("<operator>'s desk drops", |play, f| {
        let operator = id(f.the("operator"));
        play.presence(Command::DropDesk { operator, session: play.session(operator) })
    }),
    ("<operator>'s old desk drops", |play, f| {
        let operator = id(f.the("operator"));
        let session = DeskSession(play.session(operator).0.saturating_sub(1));
        play.presence(Command::DropDesk { operator, session })
    }),
    ("<operator>'s desk comes back", |play, f| {
        let operator = id(f.the("operator"));
        let desk = play.desk(operator);
        play.operator(operator, Command::AttachDesk { operator, desk })
    }),
    ("<operator> opens another desk", |play, f| {
        let operator = id(f.the("operator"));
        let desk = play.next_desk(operator);
        play.operator(operator, Command::AttachDesk { operator, desk })
    }),
    ("<operator> goes on duty", |play, f| {
        let operator = id(f.the("operator"));
        play.operator(operator, Command::GoOnDuty { operator })
    }),
    ("<operator> pauses[ for <span>][ because <code>]", |play, f| {
        let operator = id(f.the("operator"));
        let lasting = f.any("span").map(slot::span).transpose()?;
        play.operator(operator, Command::Pause { operator, reason: code(f, "break"), lasting })
    }),
    ("<operator> resumes", |play, f| {
        let operator = id(f.the("operator"));
        play.operator(operator, Command::Resume { operator })
    }),
    ("<operator> leaves", |play, f| {
        let operator = id(f.the("operator"));
        play.operator(operator, Command::Leave { operator })
    }),
    ("<operator> ends the wrap-up[ about <code>]", |play, f| {
        play.operator(id(f.the("operator")), Command::EndWrapUp { topic: f.any("code").map(id) })
    }),
    ("<operator> holds <call>", |play, f| for_call(play, f, |call| Command::Hold { call })),
    ("<operator> retrieves <call>", |play, f| for_call(play, f, |call| Command::Retrieve { call })),
    ("<operator> hangs up on <call>", |play, f| for_call(play, f, |call| Command::HangUp { call })),
    ("<operator> hands <call> over", |play, f| for_call(play, f, |call| Command::CompleteTransfer { call })),
    ("<operator> transfers <call> to line <line>", |play, f| {
        let to = TransferTarget::Line(id(f.the("line")));
        for_call(play, f, |call| Command::Transfer { call, to })
    }),
    ("<operator> transfers <call> to <operator>", |play, f| {
        let to = TransferTarget::Operator(id(f.nth("operator", 1).unwrap_or_default()));
        for_call(play, f, |call| Command::Transfer { call, to })
    }),
    ("<operator> asks <operator> about <call>", |play, f| {
        let operator = id(f.nth("operator", 1).unwrap_or_default());
        for_call(play, f, |call| Command::Consult { call, operator })
    }),
    ("<operator> blocks <call>'s caller[ for <span>][ because <code>]", |play, f| {
        let lasting = f.any("span").map(slot::span).transpose()?;
        for_call(play, f, |call| Command::BlockCaller { call, reason: code(f, "abusive"), lasting })
    }),
];

fn for_call(play: &mut Play, f: &Found, command: impl Fn(CallId) -> Command) -> Result<()> {
    play.operator(id(f.the("operator")), command(call_id(f.the("call"))))
}

/// The offer meant: of the call named, or the operator's live or last one.
fn offer(play: &Play, operator: OperatorId, f: &Found) -> Result<OfferId> {
    play.offer(operator, f.any("call").map(call_id))
}

fn accept(play: &mut Play, operator: OperatorId, offer: OfferId) -> Result<Option<Reply>> {
    let session = play.session(operator);
    play.asks(operator, Command::Accept { offer, session })
}

/// Accepts the way this operator's device does, and is put through.
fn accepts(play: &mut Play, operator: OperatorId) -> Result<()> {
    let offer = play.offer(operator, None)?;
    let taken = match play.device(operator) {
        Device::AutoAnswer | Device::Softphone => accept(play, operator, offer)?,
        Device::Ring => play.leg_says(offer, LegFact::Answered)?,
        Device::Telephone => play.key_one(offer)?,
    };
    if !matches!(taken, Some(Reply::Accepted { .. })) {
        return Ok(());
    }
    if play.device(operator) == Device::Softphone {
        play.doing(format!("{operator}'s media is up"));
        let session = play.session(operator);
        return play.operator(operator, Command::ConfirmMedia { offer, session });
    }
    play.doing(format!("the bridge to {operator} is up"));
    play.leg_says(offer, LegFact::Bridged).map(|_| ())
}
