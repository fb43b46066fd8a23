//! Numbers that ring in for the first time: each has its reference at once, and its row in the transaction of the
//! append that follows, which is the arrival's at the latest.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use switchboard::id::{CallerRef, SiteId};

/// A number that was met stays known here until at least so many others were. Looking one up in the file takes as
/// long as a few rows take to be written: whoever found nothing there finds it here.
const KNOWN: usize = 32_768;

/// A caller's row before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewCaller {
    pub(super) caller: CallerRef,
    pub(super) mac: String,
    pub(super) sealed: String,
    /// Its append ended otherwise than well: it may have been written.
    pub(super) perhaps_there: bool,
}

/// Who is known without asking the file, and whose rows are to be written.
#[derive(Default)]
pub(super) struct Arriving(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    known: HashMap<(SiteId, String), CallerRef>,
    known_longer: HashMap<(SiteId, String), CallerRef>,
    rows: BTreeMap<SiteId, Vec<NewCaller>>,
}

impl Arriving {
    /// The reference of a number that was met a while ago at most.
    pub(super) fn known(&self, site: SiteId, mac: &str) -> Option<CallerRef> {
        self.inside().known(site, mac)
    }

    /// A number was found in the file.
    pub(super) fn found(&self, site: SiteId, mac: String, caller: CallerRef) {
        self.inside().remember(site, mac, caller);
    }

    /// A number that is not in the file. Answers its reference: another's, if somebody was faster.
    pub(super) fn begin(&self, site: SiteId, new: NewCaller) -> CallerRef {
        let mut inside = self.inside();
        if let Some(faster) = inside.known(site, &new.mac) {
            return faster;
        }
        let caller = new.caller;
        inside.remember(site, new.mac.clone(), caller);
        inside.rows.entry(site).or_default().push(new);
        caller
    }

    /// The rows that are to be written with the next append of a site.
    pub(super) fn take(&self, site: SiteId) -> Vec<NewCaller> {
        self.inside().rows.remove(&site).unwrap_or_default()
    }

    /// They were not written, as far as is known.
    pub(super) fn put_back(&self, site: SiteId, mut rows: Vec<NewCaller>) {
        rows.iter_mut().for_each(|row| row.perhaps_there = true);
        let mut inside = self.inside();
        let later = inside.rows.remove(&site).unwrap_or_default();
        rows.extend(later);
        inside.rows.insert(site, rows);
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change under this lock is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn known(&self, site: SiteId, mac: &str) -> Option<CallerRef> {
        let key = (site, mac.to_owned());
        self.known.get(&key).or_else(|| self.known_longer.get(&key)).copied()
    }

    fn remember(&mut self, site: SiteId, mac: String, caller: CallerRef) {
        if self.known.len() >= KNOWN {
            self.known_longer = std::mem::take(&mut self.known);
        }
        self.known.insert((site, mac), caller);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn new(n: u128) -> NewCaller {
        NewCaller {
            caller: CallerRef(Uuid::from_u128(n)),
            mac: format!("{n:x}"),
            sealed: String::new(),
            perhaps_there: false,
        }
    }

    #[test]
    fn two_who_look_at_once_get_the_same_reference_and_one_row() {
        let (arriving, site) = (Arriving::default(), "main".parse().expect("a name"));
        let first = arriving.begin(site, new(1));
        let other = NewCaller { caller: CallerRef(Uuid::from_u128(2)), ..new(1) };
        assert_eq!(arriving.begin(site, other), first);
        assert_eq!(arriving.take(site), [new(1)]);
        assert_eq!(arriving.take(site), []);
        assert_eq!(arriving.known(site, "1"), Some(first), "also when the row is on its way");
    }

    #[test]
    fn what_was_not_written_comes_before_what_is_newer() {
        let (arriving, site) = (Arriving::default(), "main".parse().expect("a name"));
        arriving.begin(site, new(1));
        let rows = arriving.take(site);
        arriving.begin(site, new(2));
        arriving.put_back(site, rows);
        let again: Vec<(u128, bool)> =
            arriving.take(site).iter().map(|row| (row.caller.0.as_u128(), row.perhaps_there)).collect();
        assert_eq!(again, [(1, true), (2, false)]);
    }

    #[test]
    fn what_is_known_is_bounded_and_the_latest_stay() {
        let (arriving, site) = (Arriving::default(), "main".parse().expect("a name"));
        for n in 0..KNOWN as u128 * 3 {
            arriving.found(site, format!("{n:x}"), CallerRef(Uuid::from_u128(n)));
        }
        let inside = arriving.inside();
        assert!(inside.known.len() + inside.known_longer.len() <= 2 * KNOWN);
        drop(inside);
        let last = KNOWN as u128 * 3 - 1;
        for n in [last, last - KNOWN as u128 + 1] {
            assert!(arriving.known(site, &format!("{n:x}")).is_some(), "{n}");
        }
        assert_eq!(arriving.known(site, "0"), None);
    }
}
