use std::collections::BTreeMap;

use anyhow::{Context, Result};
use switchboard::command::{Adoption, Command, Expected, Force};
use switchboard::id::{LineId, OperatorId, Revision};
use switchboard::time::Span;

use super::Act;
use crate::plan::{id, person};
use crate::play::{Play, call_id, caller_ref, code};
use crate::slot;
use crate::source::Piece;
use crate::text::Found;

pub(super) const PHRASES: &[(&str, Act)] = &[
    ("<line> is diverted to <destination> for <span>", |play, f| {
        let (line, destination) = (id(f.the("line")), Some(id(f.the("destination"))));
        play.supervisor(Command::DivertLine { line, destination, lasting: slot::span(f.the("span"))? })
    }),
    ("the divert of <line> is ended", |play, f| {
        let line = id(f.the("line"));
        play.supervisor(Command::DivertLine { line, destination: None, lasting: Span::ZERO })
    }),
    ("<line> is closed for <span>[ because <code>]", |play, f| {
        let lasting = slot::span(f.the("span"))?;
        play.supervisor(Command::CloseLine { line: id(f.the("line")), reason: code(f, "repairs"), lasting })
    }),
    ("<line> is opened", |play, f| play.supervisor(Command::OpenLine { line: id(f.the("line")) })),
    ("<call> is moved to <line>", |play, f| {
        play.supervisor(Command::MoveCall { call: call_id(f.the("call")), to: id(f.the("line")) })
    }),
    ("<operator> is paused[ for <span>][ because <code>]", |play, f| {
        let lasting = f.any("span").map(slot::span).transpose()?;
        let operator = id(f.the("operator"));
        play.supervisor(Command::Pause { operator, reason: code(f, "supervisor"), lasting })
    }),
    ("<operator> is resumed", |play, f| play.supervisor(Command::Resume { operator: id(f.the("operator")) })),
    ("<operator> is forced on", |play, f| force(play, f, Force::On)),
    ("<operator> is forced off", |play, f| force(play, f, Force::Off)),
    ("<operator> is forced idle", |play, f| force(play, f, Force::Idle)),
    ("<call>'s caller is blocked[ for <span>][ because <code>]", |play, f| {
        let lasting = f.any("span").map(slot::span).transpose()?;
        let call = call_id(f.the("call"));
        play.supervisor(Command::BlockCaller { call, reason: code(f, "abusive"), lasting })
    }),
    ("<call>'s caller is unblocked", |play, f| {
        let caller = caller_ref(&play.caller_of(f.the("call")));
        play.supervisor(Command::UnblockCaller { caller })
    }),
    (
        "plan <number> is adopted[ over plan <number>][ and waiting calls migrate][ and <line>'s callers move to <line>]",
        adopt,
    ),
    ("new operator <operator> on <lines>", |play, f| {
        let (operator, profile) = profile(f)?;
        play.admin(Command::AddOperator { operator, profile })
    }),
    ("<operator> changes to <lines>", |play, f| {
        let (operator, profile) = profile(f)?;
        play.admin(Command::ChangeOperator { operator, profile, expect: Expected::default() })
    }),
    ("<operator> is removed", |play, f| {
        play.admin(Command::RemoveOperator { operator: id(f.the("operator")) })
    }),
    ("the site is retired", |play, _| play.admin(Command::RetireSite)),
    ("by schedule <line> closes at <time>[ and opens at <time>]", |play, f| {
        let line = id(f.the("line"));
        let opens = f.nth("time", 1).map(slot::time).transpose()?;
        play.schedule.line(line, slot::time(f.the("time"))?, false);
        opens.into_iter().for_each(|at| play.schedule.line(line, at, true));
        Ok(())
    }),
    ("by schedule <operator>'s shift is from <time> to <time>", |play, f| {
        let (from, to) = (slot::time(f.the("time"))?, slot::time(f.nth("time", 1).unwrap_or_default())?);
        play.schedule.shift(id(f.the("operator")), from, to);
        Ok(())
    }),
    ("the schedule is extended", |play, _| play.extend_schedule()),
    ("the wall clock jumps ahead <span>", |play, f| {
        play.schedule.jump_ahead(slot::span(f.the("span"))?);
        Ok(())
    }),
    ("the router restarts", |play, _| play.restart()),
    ("why is <call> waiting", |play, f| play.why_call(call_id(f.the("call")))),
    ("why is <operator> not asked", |play, f| play.why_operator(id(f.the("operator")))),
];

fn force(play: &mut Play, f: &Found, to: Force) -> Result<()> {
    play.supervisor(Command::ForceOperator { operator: id(f.the("operator")), to })
}

fn adopt(play: &mut Play, f: &Found) -> Result<()> {
    let number: u32 = f.the("number").parse()?;
    let plan = play.plans.get(&number).with_context(|| format!("there is no plan {number} in the header"))?;
    let over = f.nth("number", 1).map(str::parse).transpose()?.map(Revision);
    let moves = f.any("line").zip(f.nth("line", 1)).map(|(from, to)| (id(from), id::<LineId>(to)));
    let adoption = Adoption {
        plan: plan.clone(),
        expect: over.unwrap_or(play.board.state().revision),
        migrate: play.action_says("and waiting calls migrate"),
        move_waiting: moves.into_iter().collect::<BTreeMap<_, _>>(),
    };
    play.admin(Command::AdoptPlan(Box::new(adoption)))
}

fn profile(f: &Found) -> Result<(OperatorId, switchboard::command::Profile)> {
    let text = format!("{} on {}", f.the("operator"), f.the("lines"));
    let person = person(Piece { text: &text, at: 0 }).map_err(|fault| anyhow::anyhow!(fault.what))?;
    Ok((person.id, person.profile))
}
