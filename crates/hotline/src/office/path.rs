//! A call's path in words: each thing that happened to it, who made it happen, and why, from the journal alone.

mod words;

use std::collections::BTreeMap;

use switchboard::call::Outcome;
use switchboard::command::Actor;
use switchboard::decision::Decision;
use switchboard::event::{Alarm, Event};
use switchboard::id::{Attempt, CallId, OperatorId};
use switchboard::time::{SiteTime, Span};

use self::words::{
    arrived, bridge_failed, closed, declined, diverted, moved, offered, rang_out, tier_opened, transferred,
    withdrawn, wrap_up,
};
use super::said::{Said, said};

/// How a call ended, in words.
pub(super) fn ended(outcome: Outcome) -> Said {
    words::ended(outcome)
}

/// Tells a call's decisions in their order: an event of an offer names the attempt only, and who was asked is known
/// from the offer's making.
pub(super) struct Teller {
    call: CallId,
    asked: BTreeMap<Attempt, OperatorId>,
    /// When it rang in.
    rang_at: Option<SiteTime>,
    /// Who took it, and has it still.
    with: Option<OperatorId>,
}

impl Teller {
    pub(super) fn of(call: CallId) -> Teller {
        Teller { call, asked: BTreeMap::new(), rang_at: None, with: None }
    }

    /// What one decision meant for the call, one thing after the other.
    pub(super) fn tell(&mut self, decision: &Decision) -> Vec<Said> {
        let mut told = Vec::new();
        for event in &decision.events {
            if let Event::WrapUpStarted { operator, call, until } = event
                && *call == self.call
            {
                told.push(wrap_up(*operator, until.since(decision.at)));
            }
            if event.call() == Some(self.call) {
                self.note(decision.at, event);
                told.extend(self.words(decision.at, event));
            }
        }
        told
    }

    /// How long ago it rang in, at this time.
    pub(super) fn age(&self, at: SiteTime) -> Span {
        self.rang_at.map_or(Span::ZERO, |rang_at| at.since(rang_at))
    }

    /// The operator with whom it is after what was told last.
    pub(super) fn with(&self) -> Option<String> {
        self.with.map(|operator| operator.to_string())
    }

    fn note(&mut self, at: SiteTime, event: &Event) {
        match event {
            Event::CallArrived { .. } => self.rang_at = Some(at),
            Event::OfferMade { attempt, operator, .. } => {
                self.asked.insert(*attempt, *operator);
            }
            Event::CallConnected { attempt, .. } | Event::TransferCompleted { attempt, .. } => {
                self.with = self.asked.get(attempt).copied();
            }
            Event::BridgeFailed { .. }
            | Event::CallRequeued { .. }
            | Event::CallTransferred { .. }
            | Event::CallDiverted { .. }
            | Event::CallClosed { .. } => self.with = None,
            _ => {}
        }
    }

    fn who(&self, attempt: Attempt) -> String {
        self.asked.get(&attempt).map_or_else(|| format!("#{}", attempt.0), OperatorId::to_string)
    }

    fn words(&self, at: SiteTime, event: &Event) -> Option<Said> {
        let of = |attempt: &Attempt| self.who(*attempt);
        Some(match event {
            Event::CallArrived { line, class, resumed, .. } => arrived(line.as_str(), *class, *resumed),
            Event::CallMoved { from, to, cause, .. } => moved(from.as_str(), to.as_str(), *cause),
            Event::SkillChosen { skill, .. } => said(
                format!("来电者按键选择了 {skill}：此后只派具备该技能的人"),
                format!(
                    "the caller chose {skill} by key: only people with that skill are asked from here on"
                ),
            ),
            Event::PreferenceRelaxed { skill, .. } => said(
                format!("不再坚持优先技能 {skill}"),
                format!("the preferred skill {skill} is no longer held to"),
            ),
            Event::TierOpened { tier, trigger, .. } => tier_opened(*tier, *trigger),
            Event::CallMigrated { revision, .. } => said(
                format!("改按第 {} 版方案处理", revision.0),
                format!("is promised plan revision {} from here on", revision.0),
            ),
            Event::TargetExpired { .. } => said(
                "等候的那一位没有及时接听：回到普通顺序",
                "the one person it waited for did not take it in time: the usual order again",
            ),
            Event::ClosingStarted { .. } => {
                said("没有人可派：开始播放结束语", "there was nobody to ask: the closing message began")
            }
            Event::CallRequeued { operator, .. } => said(
                format!("与 {operator} 的通话中断：回到队列，位置不变"),
                format!("the bridge with {operator} broke: back in the queue, its place kept"),
            ),
            Event::CallDiverted { destination, by, ringing_until, .. } => {
                diverted(destination.as_str(), *by, ringing_until.map(|until| until.since(at)))
            }
            Event::DivertConnected { .. } => {
                said("外线按 1 接听", "somebody took it at the outside number, with key 1")
            }
            Event::DivertFailed { .. } => said(
                "外线无人接听：回到队列，位置不变",
                "nobody took it at the outside number: back in the queue, its place kept",
            ),
            Event::CallClosed { outcome, resumable_until, .. } => {
                closed(*outcome, resumable_until.map(|until| until.since(at)))
            }
            Event::OfferMade { operator, purpose, ring_until, .. } => {
                offered(operator.as_str(), *purpose, ring_until.since(at))
            }
            Event::OfferDelivered { attempt, .. } => said(
                format!("{} 的工作台或话机已收到", of(attempt)),
                format!("it has reached the desk or the phone of {}", of(attempt)),
            ),
            Event::OfferAccepted { attempt, .. } => {
                said(format!("{} 接受", of(attempt)), format!("{} accepted", of(attempt)))
            }
            Event::OfferDeclined { attempt, reason, .. } => {
                declined(&of(attempt), reason.map(|r| r.to_string()))
            }
            Event::OfferRangOut { attempt, cool_until, suspended, .. } => {
                rang_out(&of(attempt), cool_until.map(|until| until.since(at)), *suspended)
            }
            Event::OfferUndeliverable { attempt, .. } => said(
                format!("{} 的工作台没有确认收到：不算未接", of(attempt)),
                format!("the desk of {} never confirmed it: no strike, the network is to blame", of(attempt)),
            ),
            Event::OfferWithdrawn { attempt, why, .. } => withdrawn(&of(attempt), *why),
            Event::BridgeFailed { attempt, cause, .. } => {
                bridge_failed(&of(attempt), cause.map(|c| c.to_string()))
            }
            Event::LateAcceptNoted { operator, .. } => said(
                format!("{operator} 接受得太晚：不计未接"),
                format!("{operator} accepted too late: the strike is taken back"),
            ),
            Event::CallConnected { attempt, .. } => {
                said(format!("与 {} 接通", of(attempt)), format!("connected with {}", of(attempt)))
            }
            Event::ConsultConnected { attempt, .. } => said(
                format!("来电者保持，接线员正与 {} 咨询", of(attempt)),
                format!("the caller holds while the operator talks with {}", of(attempt)),
            ),
            Event::ConsultEnded { attempt, .. } => said(
                format!("与 {} 的咨询结束，没有转接", of(attempt)),
                format!("the consult with {} ended without a transfer", of(attempt)),
            ),
            Event::CallHeld { .. } => said("保持", "on hold"),
            Event::CallRetrieved { .. } => said("恢复通话", "off hold"),
            Event::CallTransferred { from, to, .. } => transferred(from.as_str(), *to),
            Event::TransferCompleted { from, attempt, .. } => said(
                format!("{from} 把通话交给 {}", of(attempt)),
                format!("{from} handed it over to {}", of(attempt)),
            ),
            Event::AlarmRaised { alarm: Alarm::CallFailed { .. } } => said("发出告警", "an alarm was raised"),
            _ => return None,
        })
    }
}

/// Who made a decision happen.
pub(super) fn by(actor: Actor) -> Said {
    match actor {
        Actor::Clock => said("时间", "time"),
        Actor::Presence => said("在线检测", "presence"),
        Actor::Gateway(gateway) => said(format!("网关 {gateway}"), format!("gateway {gateway}")),
        Actor::Operator(operator) => said(format!("接线员 {operator}"), format!("operator {operator}")),
        Actor::Supervisor(id) => said(format!("主管 {id}"), format!("supervisor {id}")),
        Actor::Admin(id) => said(format!("管理员 {id}"), format!("administrator {id}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    const CALL: &str = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11";

    /// One of each, as the journal writes them; C stands for the call.
    const EVENTS: &str = r#"[
        {"call_arrived":{"call":C,"gateway":"gw-1","caller":C,"kind":"public","line":"duty","class":"normal","revision":1,
            "arrived_at":5,"ladder_from":5,"resumed":true,"required":[],"held":[]}},
        {"call_moved":{"call":C,"from":"duty","to":"staff","cause":"supervisor","class":"normal","revision":1,
            "required":[],"held":[]}},
        {"skill_chosen":{"call":C,"skill":"english"}},
        {"preference_relaxed":{"call":C,"skill":"english"}},
        {"tier_opened":{"call":C,"tier":1,"trigger":"busy"}},
        {"call_migrated":{"call":C,"revision":2,"tiers":1,"required":[]}},
        {"target_expired":{"call":C}},
        {"closing_started":{"call":C,"until":9}},
        {"call_requeued":{"call":C,"operator":"li-na","tiers":1}},
        {"call_diverted":{"call":C,"destination":"duty-phone","attempt":1,"ringing_until":9000000,"by":{"tier":2}}},
        {"divert_connected":{"call":C}},
        {"divert_failed":{"call":C}},
        {"call_closed":{"call":C,"outcome":"abandoned_waiting","resumable_until":9000000}},
        {"offer_made":{"call":C,"attempt":1,"operator":"li-na","session":1,"device":"ring","purpose":{"line":0},
            "deliver_by":9,"ring_until":20000000}},
        {"offer_delivered":{"call":C,"attempt":1}},
        {"offer_accepted":{"call":C,"attempt":1,"connect_by":9}},
        {"offer_declined":{"call":C,"attempt":1,"reason":null}},
        {"offer_rang_out":{"call":C,"attempt":1,"cool_until":9000000,"suspended":3}},
        {"offer_undeliverable":{"call":C,"attempt":1,"grace_until":null,"cool_until":null}},
        {"offer_withdrawn":{"call":C,"attempt":1,"why":"caller_gone"}},
        {"bridge_failed":{"call":C,"attempt":1,"cause":"busy","cool_until":null}},
        {"late_accept_noted":{"call":C,"attempt":1,"operator":"li-na"}},
        {"call_connected":{"call":C,"attempt":1}},
        {"consult_connected":{"call":C,"attempt":1}},
        {"consult_ended":{"call":C,"attempt":1}},
        {"call_held":{"call":C}},
        {"call_retrieved":{"call":C}},
        {"call_transferred":{"call":C,"from":"li-na","to":{"line":"staff"},"line":"staff","class":"normal","revision":1,
            "target_until":null,"required":[],"held":[]}},
        {"transfer_completed":{"call":C,"from":"li-na","attempt":1}},
        {"alarm_raised":{"alarm":{"call_failed":{"call":C}}}}
    ]"#;

    #[test]
    fn everything_that_can_happen_to_a_call_has_words_in_both_languages() {
        let source = include_str!("../../../switchboard/src/event.rs");
        let about =
            source.split("pub fn call(&self)").nth(1).and_then(|rest| rest.split("Some(*call)").next());
        let kinds = about.expect("the events about a call").matches("Event::").count();
        let text = EVENTS.replace(":C", &format!(":\"{CALL}\""));
        let events: Vec<Event> = serde_json::from_str(&text).expect("events");
        assert_eq!(events.len(), kinds, "an event is missing from this test");
        let call = events[0].call().expect("about a call");
        let mut teller = Teller::of(call);
        for event in &events {
            assert_eq!(event.call(), Some(call));
            teller.note(SiteTime(0), event);
            let told = teller.words(SiteTime(0), event).unwrap_or_else(|| panic!("no words for {event:?}"));
            let (zh, en) = (told.of(Lang::Zh), told.of(Lang::En));
            assert!(zh.chars().any(|c| c > '\u{4e00}') && en.is_ascii() && !en.is_empty(), "{zh} {en}");
        }
        let delivered = teller.words(SiteTime(0), &events[14]).expect("words");
        assert!(
            delivered.of(Lang::En).contains("li-na"),
            "who was asked is known from the making of the offer"
        );
    }
}
