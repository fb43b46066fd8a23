//! The longer words of a path.

use switchboard::call::{
    Class, DivertedBy, EndedBy, Failure, MoveCause, Outcome, Purpose, Refusal, Withdrawal,
};
use switchboard::command::TransferTarget;
use switchboard::id::OperatorId;
use switchboard::plan::Trigger;
use switchboard::time::Span;

use crate::lang::Lang;
use crate::office::length;
use crate::office::said::{Said, said};

fn long(lang: Lang, span: Span) -> String {
    length::words(lang, span.0 / 1_000)
}

pub(super) fn arrived(line: &str, class: Class, resumed: bool) -> Said {
    let (mut zh, mut en) = (format!("拨入 {line}"), format!("rang in on {line}"));
    match class {
        Class::Emergency => {
            zh.push_str("，急诊优先");
            en.push_str(", before everybody as an emergency");
        }
        Class::Background => {
            zh.push_str("，排在其他来电之后");
            en.push_str(", behind everybody else");
        }
        Class::Normal => {}
    }
    if resumed {
        zh.push_str("；刚刚挂断后重拨，保留原来的位置");
        en.push_str("; a redial shortly after hanging up, with its old place");
    }
    said(zh, en)
}

pub(super) fn moved(from: &str, to: &str, cause: MoveCause) -> Said {
    let (zh, en) = match cause {
        MoveCause::StaffCaller => {
            ("本院职工来电，不占用该线", "the caller is staff, and that line keeps itself free of them")
        }
        MoveCause::Escape => ("职工来电者表示事关患者", "the staff caller said that it is about a patient"),
        MoveCause::Supervisor => ("主管转移", "a supervisor moved it"),
        MoveCause::LineClosed => {
            ("该线已关闭，来电转往此线", "the line is closed and sends its callers there")
        }
        MoveCause::LineRemoved => ("该线正在停用", "the line is being removed"),
    };
    said(format!("从 {from} 转到 {to}：{zh}"), format!("moved from {from} to {to}: {en}"))
}

pub(super) fn tier_opened(tier: u8, trigger: Trigger) -> Said {
    let (zh, en) = match trigger {
        Trigger::Busy => ("已开放各级中无人空闲".to_owned(), "nobody in the open tiers was free".to_owned()),
        Trigger::Empty => {
            ("已开放各级中无人在岗".to_owned(), "nobody in the open tiers was on duty".to_owned())
        }
        Trigger::Wait(span) => {
            (format!("已等候 {}", long(Lang::Zh, span)), format!("it had waited {}", long(Lang::En, span)))
        }
        Trigger::Depth(calls) => {
            (format!("本线等候超过 {calls} 个"), format!("more than {calls} calls waited on the line"))
        }
        Trigger::Missed(offers) => {
            (format!("已有 {offers} 次振铃未接"), format!("{offers} of its offers had rung out"))
        }
    };
    said(format!("开放第 {} 级：{zh}", tier + 1), format!("tier {} opened: {en}", tier + 1))
}

pub(super) fn diverted(destination: &str, by: DivertedBy, ringing: Option<Span>) -> Said {
    let (zh, en) = match by {
        DivertedBy::Tier(tier) => (format!("第 {} 级", tier + 1), format!("tier {}", tier + 1)),
        DivertedBy::Line => ("主管把该线转往外线".to_owned(), "a supervisor diverted the line".to_owned()),
        DivertedBy::Closed => ("该线已关闭".to_owned(), "the line was closed".to_owned()),
        DivertedBy::EmergencyPlan => (
            "当时没有路由器应答，网关按应急方案转出".to_owned(),
            "no router answered, and the gateway followed the emergency plan".to_owned(),
        ),
    };
    match ringing {
        Some(span) => said(
            format!("转往外线 {destination}，振铃 {}：{zh}", long(Lang::Zh, span)),
            format!("diverted to {destination}, which rings for {}: {en}", long(Lang::En, span)),
        ),
        None => said(format!("在外线 {destination} 通话：{zh}"), format!("talks with {destination}: {en}")),
    }
}

pub(super) fn offered(operator: &str, purpose: Purpose, rings: Span) -> Said {
    let (zh, en) = match purpose {
        Purpose::Line(tier) => (format!("第 {} 级", tier + 1), format!("tier {}", tier + 1)),
        Purpose::Transfer => ("转接给这一位".to_owned(), "transferred to this person".to_owned()),
        Purpose::Consult => ("咨询".to_owned(), "a consult".to_owned()),
    };
    said(
        format!("派给 {operator}（{zh}），最多振铃 {}", long(Lang::Zh, rings)),
        format!("offered to {operator} ({en}), rings for {} at most", long(Lang::En, rings)),
    )
}

pub(super) fn declined(operator: &str, reason: Option<String>) -> Said {
    match reason {
        Some(reason) => said(format!("{operator} 拒接：{reason}"), format!("{operator} said no: {reason}")),
        None => said(format!("{operator} 拒接"), format!("{operator} said no")),
    }
}

pub(super) fn rang_out(operator: &str, cools: Option<Span>, suspended: Option<u8>) -> Said {
    let (mut zh, mut en) = (format!("{operator} 振铃未接"), format!("{operator} did not answer"));
    if let Some(span) = cools {
        zh.push_str(&format!("，{}内不再派", long(Lang::Zh, span)));
        en.push_str(&format!(", and is not asked for {}", long(Lang::En, span)));
    }
    if let Some(strikes) = suspended {
        zh.push_str(&format!("；第 {strikes} 次未接，停派"));
        en.push_str(&format!("; suspended after {strikes} of these"));
    }
    said(zh, en)
}

pub(super) fn withdrawn(operator: &str, why: Withdrawal) -> Said {
    let (zh, en) = match why {
        Withdrawal::CallerGone => ("来电者已挂断", "the caller left"),
        Withdrawal::AnsweredElsewhere => ("别人已接", "somebody else took it"),
        Withdrawal::Paused => ("接线员暂停、下班或停派", "the operator paused, left or was suspended"),
        Withdrawal::LinkLost => ("工作台断线未及时恢复", "the desk did not come back in time"),
        Withdrawal::Supervisor => ("主管收回", "a supervisor took the call or the operator away"),
        Withdrawal::Superseded => ("被后来的决定取代", "a later decision replaced it"),
    };
    said(format!("收回派给 {operator} 的振铃：{zh}"), format!("the offer to {operator} was withdrawn: {en}"))
}

pub(super) fn bridge_failed(operator: &str, cause: Option<String>) -> Said {
    match cause {
        Some(cause) => said(
            format!("{operator} 已接受但未能接通：{cause}；来电者未离开线路"),
            format!("{operator} accepted and the bridge failed: {cause}; the caller never left the line"),
        ),
        None => said(
            format!("{operator} 已接受但未及时接通；来电者未离开线路"),
            format!(
                "{operator} accepted and the bridge did not come up in time; the caller never left the line"
            ),
        ),
    }
}

pub(super) fn transferred(from: &str, to: TransferTarget) -> Said {
    match to {
        TransferTarget::Line(line) => {
            said(format!("{from} 转接到热线 {line}"), format!("{from} transferred it to line {line}"))
        }
        TransferTarget::Operator(operator) => {
            said(format!("{from} 转接给 {operator}"), format!("{from} transferred it to {operator}"))
        }
    }
}

pub(super) fn wrap_up(operator: OperatorId, at_most: Span) -> Said {
    said(
        format!("{operator} 话后处理，最多 {}", long(Lang::Zh, at_most)),
        format!("{operator} is in wrap-up for {} at most", long(Lang::En, at_most)),
    )
}

/// How a call ended.
fn ended_words(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Answered { ended_by: EndedBy::Caller } => ("来电者挂断", "the caller hung up"),
        Outcome::Answered { ended_by: EndedBy::Operator } => ("接线员结束", "the operator ended it"),
        Outcome::AbandonedWaiting => ("来电者在等候中离开", "the caller left while waiting"),
        Outcome::AbandonedRinging => ("来电者在振铃中离开", "the caller left while a phone rang"),
        Outcome::AbandonedConnecting => ("来电者在接通前离开", "the caller left before the bridge was up"),
        Outcome::DivertedOut => ("外线接听后结束", "it ended at the outside number"),
        Outcome::Refused(Refusal::Blocked) => ("未接入：来电者已屏蔽", "not let in: the caller is blocked"),
        Outcome::Refused(Refusal::Full) => ("未接入：等候的人太多", "not let in: too many waited"),
        Outcome::Refused(Refusal::Closed) => ("未接入：热线关闭", "not let in: the line is closed"),
        Outcome::Refused(Refusal::Draining) => {
            ("未接入：热线停用中", "not let in: the line is being removed")
        }
        Outcome::NobodyOnDuty => {
            ("无人可派，已听完结束语", "nobody could be asked, the closing message was heard")
        }
        Outcome::Failed { cause: Failure::Gateway } => ("故障：网关失去了它", "a fault: its gateway lost it"),
        Outcome::Failed { cause: Failure::Bridge } => {
            ("故障：通话桥与来电同时中断", "a fault: bridge and caller's leg were lost together")
        }
    }
}

pub(super) fn ended(outcome: Outcome) -> Said {
    let (zh, en) = ended_words(outcome);
    said(zh, en)
}

pub(super) fn closed(outcome: Outcome, resumable: Option<Span>) -> Said {
    let (zh, en) = ended_words(outcome);
    match resumable {
        Some(span) => said(
            format!("结束：{zh}；{}内重拨可保留位置", long(Lang::Zh, span)),
            format!("closed: {en}; a redial within {} keeps the place", long(Lang::En, span)),
        ),
        None => said(format!("结束：{zh}"), format!("closed: {en}")),
    }
}
