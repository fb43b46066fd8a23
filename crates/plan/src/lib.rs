//! The plan's text. TOML becomes a [`Plan`] in one step, [`parse`]: read, checked, walked
//! for dead ends; what is wrong is told with file, line, column, the source line with a caret, the reason and how to
//! mend it. [`edit`] changes such a text and leaves everything else in it alone, comments included. A [`roster`], who
//! is on shift when, is read in the same manner. Hours and shifts become absolute edges in [`schedule`].
//!
//! Not here: what a plan *does* (that is `switchboard`), where its text is kept, who may change it, people, and a
//! clock: whoever asks says which moment is meant.

mod doubts;
pub mod edit;
mod explain;
mod finding;
pub mod lint;
mod read;
pub mod roster;
pub mod schedule;
pub mod schema;
mod source;

use switchboard::plan::Plan;

pub use crate::finding::{FINDINGS_MAX, Finding, Findings};
use crate::finding::{Severity, drawn, errors};
use crate::lint::Staff;
use crate::read::{Places, Reading};
use crate::source::Source;
pub use crate::source::TEXT_BYTES_MAX;

/// The plan that comes with the product: a hospital's six lines.
pub const HOSPITAL: &str = include_str!("../../../config/hospital.toml");

/// Everything wrong with a plan's text.
pub type PlanErrors = Findings;

/// A plan and the text it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedPlan {
    /// The plan.
    pub plan: Plan,
    /// Its text with comments, without a byte-order mark.
    pub text: String,
    /// What is allowed and yet probably not meant.
    pub warnings: Vec<Finding>,
    file: String,
    places: Places,
}

impl ParsedPlan {
    /// Tiers for which nobody of the staff could ever be asked, each where it stands in the text. People are not in
    /// the plan, and a team has to be in it before anybody can be in the team: so this is said and not refused.
    pub fn doubts_about(&self, staff: &Staff) -> Vec<Finding> {
        let faults = lint::told_empty(&self.plan, &self.places, staff);
        drawn(&Source::of(&self.file, self.text.clone()), Severity::Warning, faults).0
    }
}

/// Makes a plan of a text. `file` is only what errors call it.
///
/// # Errors
/// Everything that keeps the text from being a plan, as far as it can be told at once.
pub fn parse(file: &str, text: &str) -> Result<ParsedPlan, PlanErrors> {
    parse_bytes(file, text.as_bytes())
}

/// Makes a plan of a file's bytes, which may not even be text.
///
/// # Errors
/// As [`parse`].
pub fn parse_bytes(file: &str, bytes: &[u8]) -> Result<ParsedPlan, PlanErrors> {
    let source = Source::admit(file, bytes).map_err(|(source, faults)| errors(&source, faults))?;
    let (plan, places) = match checked(&source.text) {
        Ok(checked) => checked,
        Err(faults) => return Err(errors(&source, faults)),
    };
    let (warnings, _) = drawn(&source, Severity::Warning, doubts::told(&plan, &places));
    Ok(ParsedPlan { plan, text: source.text, warnings, file: source.file, places })
}

/// Text to document, document to draft, draft to plan, plan without dead ends.
fn checked(text: &str) -> Result<(Plan, Places), Vec<finding::Fault>> {
    let (document, syntax) = read::tree(text);
    if let Some(broken) = syntax.broken {
        return Err(broken);
    }
    let Reading { draft, places, mut faults } = Reading::of(document.get_ref());
    faults.extend(syntax.repeated);
    let checked = Plan::check(draft.clone());
    match checked {
        Err(found) => faults.extend(explain::explained(&draft, &places, &found)),
        Ok(plan) if faults.is_empty() => {
            let ends = lint::told(&plan, &places);
            return if ends.is_empty() { Ok((plan, places)) } else { Err(ends) };
        }
        Ok(_) => {}
    }
    Err(faults)
}
