//! What in a plan names a line, a team or a number.

use std::collections::BTreeSet;

use switchboard::id::{DestinationId, LineId, TeamId};
use switchboard::plan::{Line, WhenClosed, Who};

use super::change::{self, Changes};
use super::{EditError, NamedBy, NewLine, NewNumber, refused};
use crate::ParsedPlan;
use crate::source::{Source, nearest};

/// Every place that sends callers to a line or asks its operators; a ladder of `[defaults]` once.
pub(super) fn of_line(parsed: &ParsedPlan, id: LineId) -> Vec<NamedBy> {
    let others = parsed.plan.lines.iter().filter(|(other, _)| **other != id);
    let paths = others.flat_map(|(other, line)| {
        let mut paths = asking(*other, line, Who::Line(id));
        if line.staff_to == Some(id) {
            paths.push(format!("lines.{other}.staff_to"));
        }
        if line.when_closed == WhenClosed::MoveTo(id) {
            paths.push(format!("lines.{other}.when_closed"));
        }
        paths
    });
    places(parsed, paths)
}

/// Every tier that asks a team; one of `[defaults]` once.
pub(super) fn of_team(parsed: &ParsedPlan, id: TeamId) -> Vec<NamedBy> {
    places(parsed, parsed.plan.lines.iter().flat_map(|(line, of)| asking(*line, of, Who::Team(id))))
}

fn asking(id: LineId, line: &Line, who: Who) -> Vec<String> {
    let tiers = line.tiers.iter().enumerate().filter(|(_, tier)| tier.who == who);
    tiers.map(|(n, _)| format!("lines.{id}.tiers.{n}.who")).collect()
}

fn places(parsed: &ParsedPlan, paths: impl Iterator<Item = String>) -> Vec<NamedBy> {
    let source = Source::of(TEXT_UNNAMED, parsed.text.clone());
    let mut seen = BTreeSet::new();
    let spans = paths.map(|path| (parsed.places.of(&path), path));
    let mut spans: Vec<_> = spans.filter(|(span, _)| seen.insert(span.start)).collect();
    spans.sort_by_key(|(span, _)| span.start);
    spans.into_iter().map(|(span, field)| NamedBy { field, line: source.position(span.start).line }).collect()
}

const TEXT_UNNAMED: &str = "";

/// The numbers of a line that nothing else uses and that are not there to be rung.
pub(super) fn only_published_by(parsed: &ParsedPlan, id: LineId) -> Vec<DestinationId> {
    let Some(line) = parsed.plan.lines.get(&id) else { return Vec::new() };
    let used_by = |line: &Line| -> BTreeSet<DestinationId> {
        let rung = line.tiers.iter().filter_map(|tier| match tier.who {
            Who::Outside { destination, .. } => Some(destination),
            _ => None,
        });
        let closed = match line.when_closed {
            WhenClosed::Divert(destination) => Some(destination),
            WhenClosed::Message | WhenClosed::MoveTo(_) => None,
        };
        rung.chain(closed).chain(line.numbers.iter().copied()).collect()
    };
    let others = parsed.plan.lines.iter().filter(|(other, _)| **other != id);
    let used: BTreeSet<DestinationId> = others.flat_map(|(_, line)| used_by(line)).collect();
    let is_rung = |id: &DestinationId| parsed.plan.destinations.get(id).is_some_and(|d| d.press_one);
    line.numbers.iter().copied().filter(|number| !used.contains(number) && !is_rung(number)).collect()
}

/// The destinations of a new line's numbers; those that are not there are added.
pub(super) fn numbers(
    parsed: &ParsedPlan,
    changes: &mut Changes<'_>,
    line: &NewLine,
) -> Result<Vec<String>, EditError> {
    let destinations = &parsed.plan.destinations;
    let mut taken: BTreeSet<String> = destinations.keys().map(ToString::to_string).collect();
    let mut numbers = Vec::new();
    for number in &line.numbers {
        let id = match number {
            NewNumber::Destination(id) if destinations.contains_key(id) => id.to_string(),
            NewNumber::Destination(id) => return Err(unknown_destination(parsed, line, *id)),
            NewNumber::Number(number) => {
                let digits = digits(number);
                match destinations.iter().find(|(_, known)| self::digits(&known.number) == digits) {
                    Some((id, _)) => id.to_string(),
                    None => {
                        let id = free(&taken, line.id.as_str());
                        let title = change::title(&line.title);
                        changes.add(
                            "destinations",
                            &id,
                            &[("title", title), ("number", change::text(number))],
                        )?;
                        id
                    }
                }
            }
        };
        taken.insert(id.clone());
        numbers.push(id);
    }
    Ok(numbers)
}

/// A number without what people put between its digits.
fn digits(number: &str) -> String {
    number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

/// An id for a line's number that nothing has yet.
fn free(taken: &BTreeSet<String>, line: &str) -> String {
    let stem: String = format!("number-{line}").chars().take(58).collect();
    let further = (2..).map(|n| format!("{stem}-{n}"));
    let mut names = std::iter::once(stem.clone()).chain(further);
    names.find(|name| !taken.contains(name)).expect("there are more numbers than names are taken")
}

fn unknown_destination(parsed: &ParsedPlan, line: &NewLine, id: DestinationId) -> EditError {
    let known = || parsed.plan.destinations.keys().map(DestinationId::as_str);
    let mend = match nearest(id.as_str(), known()) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => "give the number itself, as 021-5550-0100".to_owned(),
    };
    let reason = format!("there is no destination '{id}' in this plan");
    refused(format!("lines.{}.numbers", line.id), reason, mend)
}
