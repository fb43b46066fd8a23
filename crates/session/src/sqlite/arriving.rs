//! Numbers that ring in for the first time: each has its reference at once, and its row in the transaction of the
//! append that follows, which is the arrival's at the latest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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

/// Rows that wait at most. An append takes them all, in one statement; without appends there is no end of them.
pub(super) const WAITING_MAX: usize = 4_096;

/// Who is known without asking the file, and whose rows are to be written.
#[derive(Default)]
pub(super) struct Arriving(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    known: HashMap<(SiteId, String), CallerRef>,
    known_longer: HashMap<(SiteId, String), CallerRef>,
    /// By the hash of the number. Who waits, or is on the way, is known for as long as that takes.
    waiting: BTreeMap<(SiteId, String), NewCaller>,
    on_the_way: BTreeMap<(SiteId, String), NewCaller>,
}

/// There are too many already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany;

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
    pub(super) fn begin(&self, site: SiteId, new: NewCaller) -> Result<CallerRef, TooMany> {
        let mut inside = self.inside();
        if let Some(faster) = inside.known(site, &new.mac) {
            return Ok(faster);
        }
        if inside.waiting.len() + inside.on_the_way.len() >= WAITING_MAX {
            return Err(TooMany);
        }
        let caller = new.caller;
        inside.remember(site, new.mac.clone(), caller);
        inside.waiting.insert((site, new.mac.clone()), new);
        Ok(caller)
    }

    /// The sealed number of somebody whose row is not written yet.
    pub(super) fn sealed(&self, site: SiteId, caller: CallerRef) -> Option<String> {
        let inside = self.inside();
        let mut rows = inside.waiting.iter().chain(&inside.on_the_way);
        let row = rows.find(|((of, _), row)| *of == site && row.caller == caller);
        row.map(|(_, row)| row.sealed.clone())
    }

    /// Nobody knows these any more, and rows of theirs that wait are not written. Answers how many those were.
    pub(super) fn forget(&self, site: SiteId, callers: &BTreeSet<CallerRef>) -> u64 {
        let mut inside = self.inside();
        let stays = |of: SiteId, caller: &CallerRef| of != site || !callers.contains(caller);
        inside.known.retain(|(of, _), caller| stays(*of, caller));
        inside.known_longer.retain(|(of, _), caller| stays(*of, caller));
        let before = inside.waiting.len() + inside.on_the_way.len();
        inside.waiting.retain(|(of, _), row| stays(*of, &row.caller));
        inside.on_the_way.retain(|(of, _), row| stays(*of, &row.caller));
        (before - inside.waiting.len() - inside.on_the_way.len()) as u64
    }

    /// The rows that are to be written with the next append of a site; one append at a time.
    pub(super) fn take(&self, site: SiteId) -> Vec<NewCaller> {
        // Of an append that was given up before it had ended.
        self.put_back();
        let mut inside = self.inside();
        let of_site = inside.waiting.extract_if(.., |(of, _), _| *of == site);
        inside.on_the_way = of_site.collect();
        inside.on_the_way.values().cloned().collect()
    }

    /// They were written.
    pub(super) fn kept(&self) {
        self.inside().on_the_way.clear();
    }

    /// They were not written, as far as is known.
    pub(super) fn put_back(&self) {
        let mut inside = self.inside();
        let back = std::mem::take(&mut inside.on_the_way);
        inside
            .waiting
            .extend(back.into_iter().map(|(key, row)| (key, NewCaller { perhaps_there: true, ..row })));
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change under this lock is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn known(&self, site: SiteId, mac: &str) -> Option<CallerRef> {
        let key = (site, mac.to_owned());
        let row = self.waiting.get(&key).or_else(|| self.on_the_way.get(&key));
        let of_row = row.map(|row| row.caller);
        of_row.or_else(|| self.known.get(&key).or_else(|| self.known_longer.get(&key)).copied())
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
        let first = arriving.begin(site, new(1)).expect("room");
        let other = NewCaller { caller: CallerRef(Uuid::from_u128(2)), ..new(1) };
        assert_eq!(arriving.begin(site, other), Ok(first));
        assert_eq!(arriving.take(site), [new(1)]);
        arriving.kept();
        assert_eq!(arriving.take(site), []);
        assert_eq!(arriving.known(site, "1"), Some(first), "also when the row is written");
    }

    #[test]
    fn what_was_not_written_is_taken_again() {
        let (arriving, site) = (Arriving::default(), "main".parse().expect("a name"));
        arriving.begin(site, new(1)).expect("room");
        assert_eq!(arriving.take(site), [new(1)]);
        arriving.begin(site, new(2)).expect("room");
        arriving.put_back();
        assert_eq!(arriving.take(site), [NewCaller { perhaps_there: true, ..new(1) }, new(2)]);
    }

    #[test]
    fn what_is_known_is_bounded_and_who_waits_stays() {
        let (arriving, site) = (Arriving::default(), "main".parse().expect("a name"));
        let waits = CallerRef(Uuid::from_u128(u128::MAX));
        let mut rows =
            (0..WAITING_MAX).map(|n| NewCaller { mac: format!("waits {n}"), caller: waits, ..new(0) });
        assert!(rows.all(|row| arriving.begin(site, row) == Ok(waits)));
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
        assert_eq!(arriving.known(site, "waits 0"), Some(waits));
        assert_eq!(arriving.begin(site, new(u128::MAX)), Err(TooMany));
        assert_eq!(arriving.take(site).len(), WAITING_MAX);
        assert_eq!(arriving.known(site, "waits 0"), Some(waits), "on its way");
        assert_eq!(arriving.begin(site, new(u128::MAX)), Err(TooMany));
        arriving.kept();
        assert_eq!(arriving.begin(site, new(u128::MAX)), Ok(waits));
    }
}
