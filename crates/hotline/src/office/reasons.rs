//! The codes of explanations in words. A code is read back into the switchboard's own type, and every variant of that has
//! its words: a new reason does not build without them.

use std::collections::BTreeMap;

use api::v1::ReasonCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use switchboard::eligible::Term;
use switchboard::plan::{Trigger, Who};
use switchboard::time::{SiteTime, Span};

use super::length;
use super::said::clean;
use crate::lang::Lang;

/// A reason as programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    pub(super) code: String,
    pub(super) arguments: BTreeMap<String, String>,
}

impl Reason {
    /// As it came.
    pub(super) fn of(sent: &ReasonCode) -> Reason {
        let arguments = sent.arguments.iter().map(|(name, figure)| (name.clone(), figure.clone()));
        Reason { code: sent.code.clone(), arguments: arguments.collect() }
    }

    /// The switchboard's own word for it; none from a server that knows more reasons.
    fn typed<T: DeserializeOwned>(&self) -> Option<T> {
        let figure = |text: &String, as_number: bool| match text.parse::<u64>() {
            Ok(number) if as_number => Value::from(number),
            _ => Value::from(text.as_str()),
        };
        // An id may be all digits, so that only the type can tell which of the two it is.
        [true, false].into_iter().find_map(|as_number| {
            let code = self.code.clone();
            let value = match self.arguments.iter().next() {
                None => Value::String(code),
                Some((name, text)) if name == "value" && self.arguments.len() == 1 => {
                    Value::Object(Map::from_iter([(code, figure(text, as_number))]))
                }
                Some(_) => {
                    let fields =
                        self.arguments.iter().map(|(name, text)| (name.clone(), figure(text, as_number)));
                    Value::Object(Map::from_iter([(code, Value::Object(fields.collect()))]))
                }
            };
            serde_json::from_value(value).ok()
        })
    }

    /// A reason from a server that knows more than this program.
    fn raw(&self) -> String {
        let arguments: Vec<String> =
            self.arguments.iter().map(|(name, figure)| format!("{name} {figure}")).collect();
        clean(format!("{} {}", self.code, arguments.join(", ")).trim_end())
    }

    /// Why an operator may not be asked, at this site time.
    pub(super) fn against(&self, lang: Lang, now: SiteTime) -> String {
        self.typed().map_or_else(|| self.raw(), |term| against(term, lang, now))
    }

    /// Who stands behind a tier.
    pub(super) fn who(&self, lang: Lang) -> String {
        // The time that an outside number rings stands beside its name: numbers and texts in one reason.
        if self.code == "outside"
            && let (Some(destination), Some(ring)) =
                (self.arguments.get("destination"), self.arguments.get("ring"))
            && let (Ok(destination), Ok(ring)) = (destination.parse(), ring.parse())
        {
            return who(Who::Outside { destination, ring: Span(ring) }, lang);
        }
        self.typed().map_or_else(|| self.raw(), |behind| who(behind, lang))
    }

    /// What opens a tier.
    pub(super) fn when(&self, lang: Lang) -> String {
        self.typed().map_or_else(|| self.raw(), |trigger| when(trigger, lang))
    }
}

/// Several reasons after each other.
pub(super) fn all_against(reasons: &[Reason], lang: Lang, now: SiteTime) -> String {
    let words: Vec<String> = reasons.iter().map(|reason| reason.against(lang, now)).collect();
    words.join(lang.of("；", "; "))
}

fn in_time(lang: Lang, now: SiteTime, until: SiteTime) -> String {
    length::words(lang, until.since(now).0 / 1_000)
}

fn against(term: Term, lang: Lang, now: SiteTime) -> String {
    let (zh, en) = match term {
        Term::OffDuty => ("未上班", "off duty"),
        Term::Paused => ("暂停中", "on a pause"),
        Term::Suspended => ("多次未接，已停派", "suspended after too many unanswered rings"),
        Term::Leaving => ("手头工作结束后下班", "leaving when the work is done"),
        Term::Removing => ("正在移除", "being removed"),
        Term::LinkGrace => ("工作台刚刚断线", "the desk dropped a moment ago"),
        Term::LinkLost => ("工作台失联", "the desk cannot be reached"),
        Term::Busy => (
            "正忙：振铃、通话、话后处理或外线通话",
            "busy: ringing, talking, in wrap-up or on an outside call",
        ),
        Term::CoolingDown { until } => {
            let left = in_time(lang, now, until);
            return match lang {
                Lang::Zh => format!("刚有一次未接，{left}后再派"),
                Lang::En => format!("let the last ring go unanswered; asked again in {left}"),
            };
        }
        Term::ShiftEnding { ends_at } => {
            let left = in_time(lang, now, ends_at);
            return match lang {
                Lang::Zh => format!("{left}后下班，不再派新来电"),
                Lang::En => format!("the shift ends in {left}: no new call"),
            };
        }
        Term::NoOpenTier => ("不在已开放的任何一级中", "in none of the tiers open for the call"),
        Term::LacksSkill { skill } => {
            return match lang {
                Lang::Zh => format!("缺少必需的技能 {skill}"),
                Lang::En => format!("lacks the skill {skill}, which the call requires"),
            };
        }
        Term::LacksPreferred { skill } => {
            return match lang {
                Lang::Zh => format!("缺少优先的技能 {skill}，此刻仍先找有此技能的人"),
                Lang::En => format!("lacks the preferred skill {skill}, which is still held to"),
            };
        }
        Term::Declined => ("已拒接此来电", "said no to this call"),
        Term::NotTheTarget => ("此来电只等另一名接线员", "the call waits for one other person"),
        Term::NotReachedByGateway => {
            ("此来电的网关无法呼叫其话机", "the call's gateway cannot ring this device")
        }
        Term::Guard { line } => {
            return match lang {
                Lang::Zh => format!("其本线 {line} 要留住自己的空闲接线员"),
                Lang::En => format!("the home line {line} needs its idle operators itself"),
            };
        }
    };
    lang.of(zh, en).to_owned()
}

fn who(who: Who, lang: Lang) -> String {
    let (zh, en) = match who {
        Who::Own => ("专线接线员".to_owned(), "the line's own operators".to_owned()),
        Who::Team(team) => (format!("班组 {team}"), format!("team {team}")),
        Who::Line(line) => (format!("热线 {line} 的接线员"), format!("the operators of line {line}")),
        Who::OtherLines => ("其他热线的接线员".to_owned(), "the other lines' operators".to_owned()),
        Who::Outside { destination, ring } => {
            let rings = length::words(lang, ring.0 / 1_000);
            (
                format!("外线号码 {destination}，振铃 {rings}"),
                format!("outside number {destination}, ringing {rings}"),
            )
        }
        Who::Closing => ("结束语".to_owned(), "the closing message".to_owned()),
    };
    lang.of(&zh, &en).to_owned()
}

fn when(trigger: Trigger, lang: Lang) -> String {
    let (zh, en) = match trigger {
        Trigger::Busy => ("已开放各级无人空闲".to_owned(), "nobody in the open tiers is free".to_owned()),
        Trigger::Empty => ("已开放各级无人在岗".to_owned(), "nobody in the open tiers is on duty".to_owned()),
        Trigger::Wait(span) => {
            let wait = length::words(lang, span.0 / 1_000);
            (format!("已等候 {wait}"), format!("the caller has waited {wait}"))
        }
        Trigger::Depth(calls) => {
            (format!("该线等候的来电多于 {calls} 个"), format!("more than {calls} calls wait on the line"))
        }
        Trigger::Missed(rings) => (format!("已有 {rings} 次未接"), format!("{rings} rings went unanswered")),
    };
    lang.of(&zh, &en).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the service writes a reason.
    fn sent(variant: impl Serialize) -> Reason {
        let written = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match serde_json::to_value(variant).expect("text keys") {
            Value::String(code) => Reason { code, arguments: BTreeMap::new() },
            Value::Object(tagged) => {
                let (code, figures) = tagged.into_iter().next().expect("a tag");
                let arguments = match figures {
                    Value::Object(fields) => {
                        fields.into_iter().map(|(name, value)| (name, written(value))).collect()
                    }
                    value => BTreeMap::from([("value".to_owned(), written(value))]),
                };
                Reason { code, arguments }
            }
            other => panic!("no reason: {other}"),
        }
    }

    /// All variants; the names in the switchboard's own source are counted beside it.
    fn terms() -> Vec<Term> {
        let (skill, line) = ("120".parse().unwrap(), "duty".parse().unwrap());
        let later = SiteTime(90_000_000);
        vec![
            Term::OffDuty,
            Term::Paused,
            Term::Suspended,
            Term::Leaving,
            Term::Removing,
            Term::LinkGrace,
            Term::LinkLost,
            Term::Busy,
            Term::CoolingDown { until: later },
            Term::ShiftEnding { ends_at: later },
            Term::NoOpenTier,
            Term::LacksSkill { skill },
            Term::LacksPreferred { skill },
            Term::Declined,
            Term::NotTheTarget,
            Term::NotReachedByGateway,
            Term::Guard { line },
        ]
    }

    #[test]
    fn every_reason_there_is_has_words_in_both_languages() {
        let source = include_str!("../../../switchboard/src/eligible.rs");
        let body =
            source.split("pub enum Term {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("Term");
        let variants = body
            .lines()
            .filter(|line| line.starts_with("    ") && line.trim().starts_with(char::is_uppercase));
        assert_eq!(variants.count(), terms().len(), "a reason is missing from this test");
        for term in terms() {
            let reason = sent(term);
            let (zh, en) = (reason.against(Lang::Zh, SiteTime(0)), reason.against(Lang::En, SiteTime(0)));
            assert_ne!(en, reason.raw(), "{reason:?} has no words");
            assert!(zh.chars().any(|c| c > '\u{4e00}') && en.is_ascii(), "{zh} {en}");
        }
    }

    #[test]
    fn every_tier_and_every_trigger_has_words() {
        let team = "120".parse().unwrap();
        let outside = Who::Outside { destination: "duty-phone".parse().unwrap(), ring: Span::secs(30) };
        for behind in [
            Who::Own,
            Who::Team(team),
            Who::Line("duty".parse().unwrap()),
            Who::OtherLines,
            outside,
            Who::Closing,
        ] {
            let reason = sent(behind);
            assert_ne!(reason.who(Lang::En), reason.raw(), "{reason:?}");
            assert_eq!(reason.who(Lang::En), who(behind, Lang::En));
        }
        for trigger in [
            Trigger::Busy,
            Trigger::Empty,
            Trigger::Wait(Span::secs(9)),
            Trigger::Depth(3),
            Trigger::Missed(1),
        ] {
            let reason = sent(trigger);
            assert_eq!(reason.when(Lang::Zh), when(trigger, Lang::Zh));
        }
    }

    #[test]
    fn a_reason_of_a_newer_server_is_shown_as_it_came() {
        let reason = Reason {
            code: "on_the_moon\u{1b}".to_owned(),
            arguments: [("crater".to_owned(), "7".to_owned())].into(),
        };
        assert_eq!(reason.against(Lang::Zh, SiteTime(0)), "on_the_moon\\u{1b} crater 7");
    }
}
