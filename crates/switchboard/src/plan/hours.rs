use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Minutes from Monday 00:00 to the next Monday 00:00.
pub const MINUTES_PER_WEEK: u16 = 7 * 24 * 60;

/// When a line is open, in the plan's time zone. Expanded into absolute edges outside the switchboard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// Round the clock.
    #[default]
    Always,
    /// In these windows of every week; sorted, none overlapping another.
    Weekly(Vec<Window>),
}

/// A part of the week, in minutes from Monday 00:00; the end is not inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First minute inside.
    pub from: u16,
    /// First minute after.
    pub to: u16,
}

impl Hours {
    /// Whether a minute of the week (0 = Monday 00:00) is inside.
    pub fn contains(&self, minute_of_week: u16) -> bool {
        match self {
            Hours::Always => true,
            Hours::Weekly(windows) => windows.iter().any(|w| (w.from..w.to).contains(&minute_of_week)),
        }
    }
}
