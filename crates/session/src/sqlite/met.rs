//! Which numbers may have rung in before: a number that surely has not needs no look into the file, and most callers of
//! a crisis line call for the first time.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Hex digits of a number's keyed hash that are kept here: 64 bits of it. Two numbers that share them cost one look.
const MARK_DIGITS: usize = 16;

/// A mark of every number in the file, once they were all read; about 20 bytes each.
#[derive(Default)]
pub(super) struct Met(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    marks: HashSet<u64>,
    /// The file was read to its end: what is not here is not there.
    whole: bool,
}

impl Met {
    /// Surely in no file, and not on its way into one.
    pub(super) fn is_new(&self, mac: &str) -> bool {
        let inside = self.inside();
        inside.whole && mark(mac).is_some_and(|mark| !inside.marks.contains(&mark))
    }

    /// These are in the file, or will be.
    pub(super) fn note<'a>(&self, macs: impl IntoIterator<Item = &'a str>) {
        self.inside().marks.extend(macs.into_iter().filter_map(mark));
    }

    /// Everything that was in the file has been noted.
    pub(super) fn is_whole(&self) {
        self.inside().whole = true;
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change under this lock is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// None of a text that is no hash: then no number is found by it either.
fn mark(mac: &str) -> Option<u64> {
    u64::from_str_radix(mac.get(..MARK_DIGITS)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_new_until_the_file_was_read() {
        let met = Met::default();
        let [first, other, alike] = ["0f".repeat(32), "ab".repeat(32), "0f".repeat(8) + &"00".repeat(24)];
        met.note([first.as_str(), "not a hash"]);
        assert!(!met.is_new(&first) && !met.is_new(&other));
        met.is_whole();
        assert!(!met.is_new(&first) && met.is_new(&other));
        assert!(!met.is_new(&alike), "it may be the same: the file knows");
        assert!(!met.is_new("short"), "what has no mark is looked for");
        met.note([other.as_str()]);
        assert!(!met.is_new(&other));
    }
}
