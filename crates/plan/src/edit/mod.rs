//! Changes to a plan's text. Each takes a text and gives another that is a plan again; what the change does not say stays
//! as it is, byte for byte, comments included. A change that would not leave a plan, or that something else in the plan
//! stands against, is refused and names it.

mod change;
mod layout;
mod naming;

use std::fmt;

use switchboard::id::{DestinationId, LineId, OperatorId, TeamId};
use switchboard::plan::Title;

use self::change::Changes;
use self::layout::{Entry, Layout};
use crate::lint::Staff;
use crate::source::nearest;
use crate::{Findings, ParsedPlan};

/// What errors call the text.
const TEXT_NAME: &str = "plan";

/// Most people that a refusal names.
const PEOPLE_NAMED_MAX: usize = 10;

/// A changed text.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// The text.
    pub text: String,
    /// The plan it is, with its warnings.
    pub parsed: ParsedPlan,
    /// What went with what was removed, as nothing else used it: fields as `destinations.number-duty`.
    pub also_removed: Vec<String>,
}

/// A line to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    /// Its id.
    pub id: LineId,
    /// Its name.
    pub title: Title,
    /// Its published numbers.
    pub numbers: Vec<NewNumber>,
    /// A line whose other fields it takes over.
    pub like: Option<LineId>,
}

/// A number to publish for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewNumber {
    /// A destination of the plan.
    Destination(DestinationId),
    /// The number itself: the destination that has it, or a new one.
    Number(String),
}

/// Why a text was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The text was no plan to begin with.
    #[error("this is no plan, so it is not changed:\n\n{0}")]
    NotAPlan(Findings),
    /// The text would be no plan afterwards; the findings speak of the changed text.
    #[error("with this change it would be no plan:\n\n{0}")]
    Breaks(Findings),
    /// Something stands against the change.
    #[error(transparent)]
    Refused(Refused),
}

/// What stands against a change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refused {
    /// What was to be changed, as `lines.duty`.
    pub place: String,
    /// Why it is not.
    pub reason: String,
    /// How to mend it.
    pub mend: String,
    /// Where the plan names it.
    pub named_by: Vec<NamedBy>,
}

/// A place in a plan that names something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBy {
    /// The field, as `lines.emergency.staff_to`.
    pub field: String,
    /// The line of the text, from 1.
    pub line: usize,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)?;
        for NamedBy { field, line } in &self.named_by {
            write!(f, "\n  line {line} of the plan: {field}")?;
        }
        write!(f, "\n{}", self.mend)
    }
}

fn refused(place: String, reason: String, mend: impl Into<String>) -> EditError {
    EditError::Refused(Refused { place, reason, mend: mend.into(), named_by: Vec::new() })
}

/// Adds a line. It stands after the one it is like, else after the last one, and has what `[defaults]` says unless it is
/// like another.
///
/// # Errors
/// [`EditError`]: there is such a line already, there is none to be like, or it would be no plan.
pub fn add_line(text: &str, line: &NewLine) -> Result<Edited, EditError> {
    let (before, layout) = opened(text)?;
    let place = format!("lines.{}", line.id);
    if before.plan.lines.contains_key(&line.id) {
        return Err(refused(place, format!("there is a line '{}' already", line.id), "choose another id"));
    }
    let mut changes = Changes::of(&layout);
    let numbers = naming::numbers(&before, &mut changes, line)?;
    match &line.like {
        Some(like) => {
            let source = known_line(&before, &layout, *like)?;
            changes.copy_line(&source, line.id.as_str(), &line.title, &numbers)?;
        }
        None => {
            let mut fields = vec![("title", change::title(&line.title))];
            if !numbers.is_empty() {
                fields.push(("numbers", change::list(&numbers)));
            }
            changes.add("lines", line.id.as_str(), &fields)?;
        }
    }
    finished(changes, Vec::new())
}

/// Removes a line, its comments, and the destinations that only it published.
///
/// # Errors
/// [`EditError`]: there is no such line, another line sends callers to it or asks its operators (each place is named),
/// or it would be no plan.
pub fn remove_line(text: &str, id: LineId) -> Result<Edited, EditError> {
    let (before, layout) = opened(text)?;
    let entry = known_line(&before, &layout, id)?;
    let named_by = naming::of_line(&before, id);
    if !named_by.is_empty() {
        let reason = format!("the plan sends callers to line '{id}' or asks its operators");
        let mend = "change these places first, then remove the line".to_owned();
        return Err(EditError::Refused(Refused { place: format!("lines.{id}"), reason, mend, named_by }));
    }
    let mut changes = Changes::of(&layout);
    changes.remove(&entry);
    let mut also_removed = Vec::new();
    for destination in naming::only_published_by(&before, id) {
        if let Some(entry) = layout.entry("destinations", destination.as_str()) {
            changes.remove(&entry);
            also_removed.push(format!("destinations.{destination}"));
        }
    }
    finished(changes, also_removed)
}

/// Changes a line's title.
///
/// # Errors
/// [`EditError`]: there is no such line, or the title is none.
pub fn title_line(text: &str, id: LineId, title: &Title) -> Result<Edited, EditError> {
    let (before, layout) = opened(text)?;
    let entry = known_line(&before, &layout, id)?;
    let mut changes = Changes::of(&layout);
    changes.retitle(&entry, title);
    finished(changes, Vec::new())
}

/// Adds a team.
///
/// # Errors
/// [`EditError`]: there is such a team already, or it would be no plan.
pub fn add_team(text: &str, id: TeamId, title: &Title) -> Result<Edited, EditError> {
    let (before, layout) = opened(text)?;
    if before.plan.teams.contains_key(&id) {
        let reason = format!("there is a team '{id}' already");
        return Err(refused(format!("teams.{id}"), reason, "choose another id"));
    }
    let mut changes = Changes::of(&layout);
    changes.add("teams", id.as_str(), &[("title", change::title(title))])?;
    finished(changes, Vec::new())
}

/// Removes a team that no tier asks and nobody is in.
///
/// # Errors
/// [`EditError`]: there is no such team, a tier asks it (each place is named), somebody is in it, or it would be no plan.
pub fn remove_team(text: &str, id: TeamId, staff: &Staff) -> Result<Edited, EditError> {
    let (before, layout) = opened(text)?;
    let place = format!("teams.{id}");
    let Some(entry) = layout.entry("teams", id.as_str()).filter(|_| before.plan.teams.contains_key(&id))
    else {
        let known = before.plan.teams.keys().map(TeamId::as_str);
        return Err(unknown(place, "team", id.as_str(), known));
    };
    let named_by = naming::of_team(&before, id);
    if !named_by.is_empty() {
        let reason = format!("tiers ask team '{id}'");
        let mend = "remove these tiers first, or let them ask another team".to_owned();
        return Err(EditError::Refused(Refused { place, reason, mend, named_by }));
    }
    let members: Vec<OperatorId> = staff.in_team(id).collect();
    if !members.is_empty() {
        let some =
            members.iter().take(PEOPLE_NAMED_MAX).map(OperatorId::as_str).collect::<Vec<_>>().join(", ");
        let more = members.len().saturating_sub(PEOPLE_NAMED_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let reason = format!("people are in team '{id}': {some}{more}");
        return Err(refused(place, reason, "take them out of the team first"));
    }
    let mut changes = Changes::of(&layout);
    changes.remove(&entry);
    finished(changes, Vec::new())
}

fn opened(text: &str) -> Result<(ParsedPlan, Layout<'_>), EditError> {
    let parsed = crate::parse(TEXT_NAME, text).map_err(EditError::NotAPlan)?;
    let layout = Layout::of(text)
        .map_err(|fault| refused(String::new(), fault, "write the plan's text again, a part at a time"))?;
    Ok((parsed, layout))
}

fn finished(changes: Changes<'_>, also_removed: Vec<String>) -> Result<Edited, EditError> {
    let text = changes.applied();
    let parsed = crate::parse(TEXT_NAME, &text).map_err(EditError::Breaks)?;
    Ok(Edited { text, parsed, also_removed })
}

fn known_line<'l>(before: &ParsedPlan, layout: &'l Layout<'_>, id: LineId) -> Result<Entry<'l>, EditError> {
    let entry = layout.entry("lines", id.as_str()).filter(|_| before.plan.lines.contains_key(&id));
    let known = before.plan.lines.keys().map(LineId::as_str);
    entry.ok_or_else(|| unknown(format!("lines.{id}"), "line", id.as_str(), known))
}

fn unknown<'c>(
    place: String,
    what: &str,
    id: &str,
    known: impl Iterator<Item = &'c str> + Clone,
) -> EditError {
    let mend = match nearest(id, known.clone()) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None => format!("use one of: {}", known.take(8).collect::<Vec<_>>().join(", ")),
    };
    refused(place, format!("there is no {what} '{id}' in this plan"), mend)
}
