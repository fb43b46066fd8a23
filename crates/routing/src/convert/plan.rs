use std::collections::BTreeSet;

use api::v1;
use plan::roster::{GapWarning, GapWarnings};
use plan::{Finding, PlanErrors};
use serde_json::Value;
use switchboard::id::{DestinationId, LineId, Revision};
use switchboard::plan::{Line, Plan, WhenClosed, Who};

/// What a gateway needs of a plan: numbers it may dial, and what to do while no router answers.
pub(crate) fn gateway_plan(revision: Revision, plan: &Plan) -> v1::GatewayPlan {
    let destinations = plan.destinations.iter().map(|(id, destination)| v1::PlanDestination {
        destination_id: id.to_string(),
        number: destination.number.clone(),
        press_one: destination.press_one,
    });
    let routes = plan
        .lines
        .iter()
        .flat_map(|(id, line)| line.numbers.iter().map(move |number| emergency_route(*number, *id, line)));
    v1::GatewayPlan {
        revision: revision.0,
        destinations: destinations.collect(),
        emergency_routes: routes.collect(),
    }
}

/// The first outside number of the line's ladder, else the one for its closed hours, after the closing message.
fn emergency_route(number: DestinationId, id: LineId, line: &Line) -> v1::EmergencyRoute {
    let on_ladder = line.tiers.iter().find_map(|tier| match tier.who {
        Who::Outside { destination, .. } => Some(destination),
        Who::Own | Who::Team(_) | Who::Line(_) | Who::OtherLines | Who::Closing => None,
    });
    let when_closed = match line.when_closed {
        WhenClosed::Divert(destination) => Some(destination),
        WhenClosed::Message | WhenClosed::MoveTo(_) => None,
    };
    let prompt = line.prompts.closing.or(line.prompts.closed).or(line.prompts.greeting);
    v1::EmergencyRoute {
        number_id: number.to_string(),
        line_id: id.to_string(),
        prompt_id: prompt.map(|p| p.to_string()).unwrap_or_default(),
        destination_id: on_ladder.or(when_closed).map(|d| d.to_string()).unwrap_or_default(),
    }
}

/// What is wrong with a text, for the wire.
pub(crate) fn complaints(errors: &PlanErrors) -> Vec<v1::PlanComplaint> {
    errors.findings.iter().map(complaint).collect()
}

/// One finding, for the wire.
pub(crate) fn complaint(finding: &Finding) -> v1::PlanComplaint {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    v1::PlanComplaint {
        path: finding.field.clone(),
        line: number(finding.line),
        column: number(finding.column),
        message: finding.reason.clone(),
        mend: finding.mend.clone(),
        drawing: finding.to_string(),
    }
}

/// Open hours without anybody, and how many are left out.
pub(crate) fn gaps(found: &GapWarnings) -> (Vec<v1::CoverGap>, u32) {
    let gap = |gap: &GapWarning| v1::CoverGap {
        line_ids: gap.lines.iter().map(ToString::to_string).collect(),
        times: gap.times.iter().map(|&(from_us, to_us)| v1::WallStretch { from_us, to_us }).collect(),
        zh: gap.zh.clone(),
        en: gap.en.clone(),
    };
    (found.warnings.iter().map(gap).collect(), u32::try_from(found.left_out).unwrap_or(u32::MAX))
}

/// What differs between two plans, field by field.
pub(crate) fn changes(before: Option<&Plan>, after: &Plan) -> Vec<v1::PlanChange> {
    let before = before.map_or_else(|| Value::Object(serde_json::Map::new()), written);
    let mut changes = Vec::new();
    compare(&mut Vec::new(), &before, &written(after), &mut changes);
    changes
}

fn written(plan: &Plan) -> Value {
    serde_json::to_value(plan).expect("a plan has text keys only")
}

fn compare(path: &mut Vec<String>, before: &Value, after: &Value, changes: &mut Vec<v1::PlanChange>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                step(path, key, old.get(key), new.get(key), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for n in 0..old.len().max(new.len()) {
                step(path, &n.to_string(), old.get(n), new.get(n), changes);
            }
        }
        _ => changes.push(change(path, v1::PlanChangeKind::Changed, Some(before), Some(after))),
    }
}

fn step(
    path: &mut Vec<String>,
    key: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<v1::PlanChange>,
) {
    path.push(key.to_owned());
    match (before, after) {
        (Some(before), Some(after)) => compare(path, before, after, changes),
        (Some(_), None) => changes.push(change(path, v1::PlanChangeKind::Removed, before, after)),
        (None, _) => changes.push(change(path, v1::PlanChangeKind::Added, before, after)),
    }
    path.pop();
}

fn change(
    path: &[String],
    kind: v1::PlanChangeKind,
    before: Option<&Value>,
    after: Option<&Value>,
) -> v1::PlanChange {
    let shown = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    v1::PlanChange { path: path.join("."), kind: kind.into(), before: shown(before), after: shown(after) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_name_the_smallest_place() {
        let before = json!({"lines": {"a": {"ring": 1, "tiers": [1, 2]}}, "gone": 1});
        let after = json!({"lines": {"a": {"ring": 2, "tiers": [1, 2, 3]}, "b": {}}});
        let mut found = Vec::new();
        compare(&mut Vec::new(), &before, &after, &mut found);
        let shown: Vec<String> =
            found.iter().map(|c| format!("{} {}>{}", c.path, c.before, c.after)).collect();
        assert_eq!(shown, ["gone 1>", "lines.a.ring 1>2", "lines.a.tiers.2 >3", "lines.b >{}"]);
        assert_eq!(changes(Some(&Plan::default()), &Plan::default()), []);
    }
}
