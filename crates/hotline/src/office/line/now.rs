//! `line remove --now`: whoever waits on a line that was removed goes elsewhere at once, and nobody is hung up on.

use std::time::{Duration, Instant};

use api::v1;
use switchboard::id::LineId;
use switchboard::plan::{Plan, WhenClosed, Who};

use crate::office::asking::Office;
use crate::office::fault::{Exit, Fault, Told};
use crate::office::said::{counted, said};

/// A telephone that rings is answered or gives up within this time.
const RINGS_AT_MOST: Duration = Duration::from_secs(90);
/// Between two looks at the line.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Where the plan sends the callers of a line that cannot answer them itself: the first line that its tiers ask, else where
/// it sends callers outside its hours, else, if its tiers ask every other line, the open one of its class where fewest wait.
///
/// # Errors
/// When the plan names none.
pub(super) async fn overflow(office: &Office, id: LineId) -> Told<String> {
    let plan = office.plan().await?.unwrap_or_default();
    if let Some(to) = named(&plan, id) {
        return Ok(to.to_string());
    }
    let asks_all =
        plan.lines.get(&id).is_some_and(|line| line.tiers.iter().any(|tier| tier.who == Who::OtherLines));
    let (board, _) = office.board().await?;
    let class = |line: &LineId| plan.lines.get(line).map(|line| line.class);
    let fits = |line: &&v1::BoardLine| {
        let other = line.line_id.parse().ok().filter(|other| *other != id);
        line.state() == v1::LineState::Open && other.is_some_and(|other| class(&other) == class(&id))
    };
    let fewest = board.lines.iter().filter(fits).min_by_key(|line| (line.waiting, &line.line_id));
    fewest.filter(|_| asks_all).map(|line| line.line_id.clone()).ok_or_else(|| {
        let what = said(
            format!("方案没有为热线 {id} 规定溢出去处"),
            format!("the plan names no line for the overflow of {id}"),
        );
        Fault::new(Exit::Refused, "NO_OVERFLOW", what).mend(said(
            "写明等候的来电转到哪里：--move-waiting-to 热线",
            "say where those who wait go: --move-waiting-to LINE",
        ))
    })
}

fn named(plan: &Plan, id: LineId) -> Option<LineId> {
    let line = plan.lines.get(&id)?;
    let asked = line.tiers.iter().find_map(|tier| match tier.who {
        Who::Line(other) if other != id => Some(other),
        _ => None,
    });
    asked.or(match line.when_closed {
        WhenClosed::MoveTo(other) if other != id => Some(other),
        _ => None,
    })
}

/// Sends on whoever still waits: callers for whom a telephone rang when the line was removed, and whom nobody answered.
/// A call that somebody has is let finish.
///
/// # Errors
/// When the server says no, or a caller cannot be sent on.
pub(super) async fn empty(office: &Office, line: &str, to: &str) -> Told<()> {
    let give_up_at = Instant::now() + RINGS_AT_MOST;
    let mut told = false;
    loop {
        let calls = office.calls_on(line).await?;
        let ringing = calls.iter().filter(|call| call.state() == v1::CallState::Offered).count();
        for call in calls.iter().filter(|call| call.state() == v1::CallState::Waiting) {
            send_on(office, &call.call_id, to).await?;
        }
        if ringing == 0 || Instant::now() >= give_up_at {
            break;
        }
        if !told {
            office.answer.chat(&said(
                format!("{ringing} 个来电正在振铃：有人接听即照常通话，否则转到 {to}"),
                format!(
                    "{} ringing: answered they go on as usual, else they move to {to}",
                    counted(ringing, "call is", "calls are")
                ),
            ));
            told = true;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let left = office.calls_on(line).await?.len();
    office.answer.chat(&match left {
        0 => said(format!("热线 {line} 上已没有人"), format!("nobody is on line {line} any more")),
        _ => said(
            format!("热线 {line} 上还有 {left} 个通话，结束后即停用"),
            format!(
                "{} on line {line}, which is gone when they end",
                counted(left, "call goes on", "calls go on")
            ),
        ),
    });
    Ok(())
}

async fn send_on(office: &Office, call: &str, to: &str) -> Told<()> {
    let request = v1::MoveCallRequest {
        call_id: call.to_owned(),
        to_line_id: to.to_owned(),
        ..v1::MoveCallRequest::default()
    };
    match office.send(request).await {
        // Gone, or with an outside number since the look.
        Err(fault) if matches!(fault.code(), "CALL_CLOSED" | "UNKNOWN_CALL" | "WRONG_CALL_STATE") => Ok(()),
        Err(fault) => Err(fault.mend(said(
            format!("来电 {call} 仍在原线等候，没有挂断；转到别处：hotline call move {call} --to 热线"),
            format!(
                "{call} still waits where it was; to send it elsewhere: hotline call move {call} --to LINE"
            ),
        ))),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_says_where_a_line_overflows_to() {
        let read = |text: &str| ::plan::parse("hospital.toml", text).expect("a plan").plan;
        let id = |text: &str| text.parse::<LineId>().expect("an id");
        let header = "[lines.outpatient-1]\n";
        let with = |field: &str| read(&::plan::HOSPITAL.replacen(header, &format!("{header}{field}\n"), 1));
        assert_eq!(
            named(&read(::plan::HOSPITAL), id("outpatient-1")),
            None,
            "its tiers ask every other line"
        );
        let closed = with("when_closed = \"line:outpatient-2\"");
        assert_eq!(named(&closed, id("outpatient-1")), Some(id("outpatient-2")));
        assert_eq!(named(&closed, id("outpatient-2")), None);
        let tiers = "tiers = [{ who = \"own\" }, { who = \"line:duty\", when = \"busy\" }, \
                     { who = \"outside:duty-phone\", when = \"wait 90s\", ring = \"30s\" }, { who = \"closing\", when = \"empty\" }]";
        let asked = with(&format!("when_closed = \"line:outpatient-2\"\n{tiers}"));
        assert_eq!(named(&asked, id("outpatient-1")), Some(id("duty")), "a tier comes first");
    }
}
