//! The wire's words: a code for programs, and the same in both languages for people. A new one does not build without
//! words.

use api::v1;
use serde::Serialize;

use crate::lang::Lang;

/// A code, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) code: &'static str,
    zh: &'static str,
    en: &'static str,
}

const fn word(code: &'static str, zh: &'static str, en: &'static str) -> Word {
    Word { code, zh, en }
}

impl Word {
    /// In this language.
    pub(super) fn of(self, lang: Lang) -> &'static str {
        lang.of(self.zh, self.en)
    }
}

impl Serialize for Word {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

const UNKNOWN: Word = word("unknown", "不明", "unknown");

pub(super) fn line_state(state: v1::LineState) -> Word {
    match state {
        v1::LineState::Unspecified => UNKNOWN,
        v1::LineState::Open => word("open", "开放", "open"),
        v1::LineState::ClosedBySchedule => word("closed_by_schedule", "非服务时间", "closed (hours)"),
        v1::LineState::ClosedByHand => word("closed_by_hand", "人工关闭", "closed by hand"),
        v1::LineState::Draining => word("draining", "停用中", "draining"),
        v1::LineState::Retired => word("retired", "已停用", "retired"),
    }
}

pub(super) fn cover(cover: v1::Cover) -> Word {
    match cover {
        v1::Cover::Unspecified => UNKNOWN,
        v1::Cover::Staffed => word("staffed", "有人空闲", "ready"),
        v1::Cover::Saturated => word("saturated", "全忙", "all busy"),
        v1::Cover::NobodyOnDuty => word("nobody_on_duty", "无人在岗", "nobody on duty"),
    }
}

/// None where there is no Redis.
pub(super) fn redis_state(state: v1::RedisState) -> Option<Word> {
    match state {
        v1::RedisState::Unspecified => None,
        v1::RedisState::There => Some(word("there", "可用", "there")),
        v1::RedisState::Away => Some(word(
            "away",
            "Redis 不可用：其他程序看不到谁空闲；来电照常",
            "Redis is away: other programs do not see who is free; calls go on",
        )),
    }
}

pub(super) fn call_state(state: v1::CallState) -> Word {
    match state {
        v1::CallState::Unspecified => UNKNOWN,
        v1::CallState::Waiting => word("waiting", "等候", "waiting"),
        v1::CallState::Offered => word("offered", "振铃", "ringing"),
        v1::CallState::Connecting => word("connecting", "接通中", "connecting"),
        v1::CallState::Connected => word("connected", "通话", "talking"),
        v1::CallState::Held => word("held", "保持", "held"),
        v1::CallState::Diverting => word("diverting", "转外线", "diverting"),
        v1::CallState::Closed => word("closed", "已结束", "closed"),
    }
}

pub(super) fn class(class: v1::CallClass) -> Word {
    match class {
        v1::CallClass::Unspecified => UNKNOWN,
        v1::CallClass::Emergency => word("emergency", "急诊", "emergency"),
        v1::CallClass::Normal => word("normal", "普通", "normal"),
        v1::CallClass::Background => word("background", "靠后", "background"),
    }
}

pub(super) fn caller_kind(kind: v1::CallerKind) -> Word {
    match kind {
        v1::CallerKind::Unspecified => UNKNOWN,
        v1::CallerKind::Public => word("public", "公众", "public"),
        v1::CallerKind::Staff => word("staff", "本院职工", "staff"),
    }
}

pub(super) fn device(device: v1::DeviceKind) -> Word {
    match device {
        v1::DeviceKind::Unspecified => UNKNOWN,
        v1::DeviceKind::AutoAnswer => word("auto_answer", "自动接听", "auto-answer"),
        v1::DeviceKind::Ring => word("ring", "话机振铃", "ring"),
        v1::DeviceKind::Telephone => word("telephone", "普通电话", "telephone"),
        v1::DeviceKind::Softphone => word("softphone", "软电话", "softphone"),
    }
}

pub(super) fn attendance(attendance: v1::Attendance) -> Word {
    match attendance {
        v1::Attendance::Unspecified => UNKNOWN,
        v1::Attendance::Coming => word("coming", "将到", "coming"),
        v1::Attendance::Present => word("present", "在岗", "there"),
        v1::Attendance::Late => word("late", "迟到", "late"),
        v1::Attendance::Absent => word("absent", "缺勤", "absent"),
        v1::Attendance::Unknown => word("unknown", "没有此人", "no such operator"),
    }
}

/// Not off duty, and not on shift.
pub(super) const EXTRA: Word = word("extra", "在岗，不在班", "there, not on shift");

/// Goes as soon as the work under way is done.
pub(super) const LEAVING: Word = word("leaving", "将离", "leaving");

pub(super) fn duty(state: v1::DutyState) -> Word {
    match state {
        v1::DutyState::Unspecified => UNKNOWN,
        v1::DutyState::Off => word("off", "下班", "off duty"),
        v1::DutyState::On => word("on", "在岗", "on duty"),
        v1::DutyState::Paused => word("paused", "暂停", "paused"),
        v1::DutyState::Suspended => word("suspended", "停派", "suspended"),
        v1::DutyState::Leaving => LEAVING,
    }
}

/// How an act of the audit ended; a refusal has its own code.
pub(super) fn act(outcome: &str) -> Option<Word> {
    Some(match outcome {
        "asked" => word("asked", "提出", "asked"),
        "done" => word("done", "已做", "done"),
        "unknown" => word("unknown", "不明", "unknown"),
        _ => return None,
    })
}

pub(super) fn audit_break(kind: v1::AuditBreakKind) -> Word {
    use v1::AuditBreakKind as Kind;
    match kind {
        Kind::Unspecified => UNKNOWN,
        Kind::Changed => word("changed", "该行被改动或移位", "the row was changed or moved"),
        Kind::Gone => word("gone", "中间有行缺失", "rows between others are gone"),
        Kind::BegunLate => {
            word("begun_late", "最早的行缺失，且没有按期限清除的记载", "the oldest rows are gone unexplained")
        }
        Kind::CutShort => word("cut_short", "在已知的行之前就结束了", "it ends before the known row"),
        Kind::Rewritten => word("rewritten", "已知的那一行换成了另一行", "the known row is another one"),
    }
}

pub(super) fn outcome(outcome: v1::Outcome) -> Option<Word> {
    use v1::Outcome;
    Some(match outcome {
        Outcome::Unspecified => return None,
        Outcome::AnsweredEndedByCaller => {
            word("answered_ended_by_caller", "已接，来电者挂断", "answered, the caller hung up")
        }
        Outcome::AnsweredEndedByOperator => {
            word("answered_ended_by_operator", "已接，接线员结束", "answered, the operator ended it")
        }
        Outcome::AbandonedWaiting => word("abandoned_waiting", "等候中放弃", "left while waiting"),
        Outcome::AbandonedRinging => word("abandoned_ringing", "振铃中放弃", "left while a phone rang"),
        Outcome::AbandonedConnecting => word("abandoned_connecting", "接通中放弃", "left while connecting"),
        Outcome::DivertedOut => word("diverted_out", "外线接听", "taken by an outside number"),
        Outcome::RefusedBlocked => word("refused_blocked", "未接入：已屏蔽", "not let in: blocked"),
        Outcome::RefusedFull => word("refused_full", "未接入：等候已满", "not let in: full"),
        Outcome::RefusedClosed => word("refused_closed", "未接入：热线关闭", "not let in: closed"),
        Outcome::RefusedDraining => {
            word("refused_draining", "未接入：热线停用中", "not let in: being removed")
        }
        Outcome::NobodyOnDuty => {
            word("nobody_on_duty", "无人接听，已播结束语", "nobody took it; the closing message was heard")
        }
        Outcome::FailedGateway => word("failed_gateway", "故障：网关", "failed: the gateway"),
        Outcome::FailedBridge => word("failed_bridge", "故障：通话桥", "failed: the bridge"),
    })
}

/// Every way in which a call can end.
fn ends() -> impl Iterator<Item = (v1::Outcome, Word)> {
    (0..).map_while(|n| v1::Outcome::try_from(n).ok()).filter_map(|one| Some((one, outcome(one)?)))
}

/// The codes of all outcomes.
pub(super) fn outcomes() -> Vec<&'static str> {
    ends().map(|(_, word)| word.code).collect()
}

/// The outcome that has this code.
pub(super) fn outcome_of(code: &str) -> v1::Outcome {
    ends().find(|(_, word)| word.code == code).map_or(v1::Outcome::Unspecified, |(outcome, _)| outcome)
}

/// What is said of an operator in one word: the weightiest of what stands against a call.
pub(super) fn operator_state(against: &[super::reasons::Reason]) -> Word {
    const WEIGHTIEST_FIRST: [(&str, Word); 10] = [
        ("removing", word("removing", "移除中", "being removed")),
        ("off_duty", word("off_duty", "下班", "off duty")),
        ("suspended", word("suspended", "停派", "suspended")),
        ("paused", word("paused", "暂停", "paused")),
        ("busy", word("busy", "忙", "busy")),
        ("leaving", LEAVING),
        ("link_lost", word("link_lost", "失联", "no link")),
        ("link_grace", word("link_grace", "刚断线", "link dropped")),
        ("cooling_down", word("cooling_down", "暂缓", "cooling down")),
        ("shift_ending", word("shift_ending", "将下班", "shift ending")),
    ];
    let holds = |code: &str| against.iter().any(|reason| reason.code == code);
    let weightiest = WEIGHTIEST_FIRST.iter().find(|(code, _)| holds(code)).map(|(_, word)| *word);
    match weightiest {
        Some(word) => word,
        None if against.is_empty() => word("ready", "空闲", "ready"),
        None => word("held_back", "暂缓", "held back"),
    }
}

/// What people read, in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Title {
    pub(super) zh: String,
    pub(super) en: String,
}

impl Title {
    /// As it came; a thing that left the plan has none.
    pub(super) fn of(sent: Option<v1::Title>) -> Title {
        sent.map(|title| Title { zh: title.zh, en: title.en }).unwrap_or_default()
    }

    /// In this language.
    pub(super) fn shown(&self, lang: Lang) -> &str {
        lang.of(&self.zh, &self.en)
    }
}
