//! The left side of a line: everything that can be done, and how it is done.

mod callers;
mod desks;
mod gateways;
mod office;

use std::sync::OnceLock;

use anyhow::Result;

use crate::play::Play;
use crate::text::{Found, Pattern};

/// What a phrase does.
pub(crate) type Act = fn(&mut Play, &Found) -> Result<()>;

/// Every phrase, by its heading in the guide.
pub(crate) const SECTIONS: [(&str, &[(&str, Act)]); 4] = [
    ("Callers", callers::PHRASES),
    ("Operators and their desks", desks::PHRASES),
    ("Telephones and gateways", gateways::PHRASES),
    ("Supervisors, administrators, questions", office::PHRASES),
];

/// The phrases, ready to be found.
pub(crate) fn book() -> &'static [(Pattern, Act)] {
    static BOOK: OnceLock<Vec<(Pattern, Act)>> = OnceLock::new();
    BOOK.get_or_init(|| SECTIONS.iter().flat_map(|(_, phrases)| crate::source::book(phrases)).collect())
}
