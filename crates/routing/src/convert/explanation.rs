//! Explanations: codes with figures. The codes are those of the canonical encoding, so that a new reason needs no
//! word here.

use std::collections::HashMap;

use api::v1;
use serde::Serialize;
use serde_json::Value;
use switchboard::call::Tried;
use switchboard::explain::{CallExplanation, Candidate, OperatorExplanation, TierExplanation};

use super::words;

/// Why a call is where it is. The cursor is set by whoever read it.
pub(crate) fn explained_call(call: &CallExplanation) -> v1::ExplainCallResponse {
    v1::ExplainCallResponse {
        cursor: None,
        state: words::call_state(call.state).into(),
        line_id: call.line.to_string(),
        plan_revision: call.revision.0,
        class: words::class(call.class).into(),
        age_ms: call.age.0 / 1_000,
        calls_ahead: call.ahead,
        calls_ahead_on_line: call.ahead_on_line,
        tiers: call.tiers.iter().map(tier).collect(),
        candidates: call.candidates.iter().map(candidate).collect(),
    }
}

/// Why an operator has no call. The cursor is set by whoever read it.
pub(crate) fn explained_operator(operator: &OperatorExplanation) -> v1::ExplainOperatorResponse {
    v1::ExplainOperatorResponse {
        cursor: None,
        against: operator.against.iter().map(reason).collect(),
        calls: operator
            .calls
            .iter()
            .map(|(call, against)| v1::CallReasons {
                call_id: call.to_string(),
                against: against.iter().map(reason).collect(),
            })
            .collect(),
    }
}

fn tier(tier: &TierExplanation) -> v1::LadderTier {
    v1::LadderTier {
        tier: tier.tier.into(),
        who: Some(reason(&tier.who)),
        open: tier.open,
        when: tier.when.iter().map(reason).collect(),
        opens_at_us: tier.opens_at.map(|t| t.0),
    }
}

fn candidate(candidate: &Candidate) -> v1::Candidate {
    v1::Candidate {
        operator_id: candidate.operator.to_string(),
        tier: candidate.tier.map(u32::from),
        against: candidate.against.iter().map(reason).collect(),
        missed: candidate.tried == Some(Tried::Missed),
        declined: candidate.tried == Some(Tried::Declined),
        idle_since_us: candidate.idle_since.0,
    }
}

/// A variant as the canonical encoding writes it: `"busy"`, `{"wait":10000000}`, `{"guard":{"line":"duty"}}`.
fn reason(variant: &impl Serialize) -> v1::ReasonCode {
    let value = serde_json::to_value(variant).expect("reasons have text keys only");
    match value {
        Value::String(code) => v1::ReasonCode { code, arguments: HashMap::new() },
        Value::Object(tagged) => {
            let (code, figures) = tagged.into_iter().next().expect("a variant has its tag");
            v1::ReasonCode { code, arguments: arguments(figures) }
        }
        other => v1::ReasonCode { code: written(other), arguments: HashMap::new() },
    }
}

fn arguments(figures: Value) -> HashMap<String, String> {
    match figures {
        Value::Object(named) => named.into_iter().map(|(name, figure)| (name, written(figure))).collect(),
        single => HashMap::from([("value".to_owned(), written(single))]),
    }
}

fn written(figure: Value) -> String {
    match figure {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard::eligible::Term;
    use switchboard::plan::{Trigger, Who};
    use switchboard::time::{SiteTime, Span};

    fn shown(variant: impl Serialize) -> String {
        let mut reason = reason(&variant);
        let mut arguments: Vec<_> = reason.arguments.drain().collect();
        arguments.sort();
        format!("{} {arguments:?}", reason.code)
    }

    #[test]
    fn codes_are_those_of_the_journal() {
        assert_eq!(shown(Term::OffDuty), "off_duty []");
        let until = SiteTime(7);
        assert_eq!(shown(Term::CoolingDown { until }), r#"cooling_down [("until", "7")]"#);
        assert_eq!(shown(Trigger::Wait(Span(9))), r#"wait [("value", "9")]"#);
        let team = "youth-team".parse().expect("a name");
        assert_eq!(shown(Who::Team(team)), r#"team [("value", "youth-team")]"#);
        let line = "duty".parse().expect("a name");
        assert_eq!(shown(Term::Guard { line }), r#"guard [("line", "duty")]"#);
    }
}
