//! From a TOML document to a draft, of a plan; what is not a plan's own is read for other drafts, too. Every value is taken field by field, so that each mistake is told where it
//! stands and the rest is still looked at. What could not be read leaves a placeholder and a mark on its path;
//! later faults about a marked path are consequences and are dropped.

mod document;
mod hours;
mod ladder;
mod line;
mod units;
pub(crate) mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use switchboard::plan::PlanDraft;

pub(crate) use self::document::tree;
pub(crate) use self::hours::{Refusal, clock, day_name, day_number, day_numbers, plain, week_time, zone};
pub(crate) use self::units::humane;
use crate::finding::Fault;

/// What a document said, and where it said it.
#[derive(Debug, Default)]
pub(crate) struct Reading<D = PlanDraft> {
    pub(crate) draft: D,
    pub(crate) places: Places,
    pub(crate) faults: Vec<Fault>,
}

/// Where each field of the draft stands in the text, by its path from the top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    spans: BTreeMap<String, Range<usize>>,
    broken: BTreeSet<String>,
}

impl Places {
    pub(crate) fn put(&mut self, path: &str, span: Range<usize>) {
        self.spans.insert(path.to_owned(), span);
    }

    /// Where a path stands, or the nearest above it that stands somewhere.
    pub(crate) fn of(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(span) = self.spans.get(path) {
                return span.clone();
            }
            match path.rsplit_once('.') {
                Some((above, _)) => path = above,
                None => return 0..0,
            }
        }
    }

    /// Where exactly this path stands.
    pub(crate) fn exactly(&self, path: &str) -> Option<Range<usize>> {
        self.spans.get(path).cloned()
    }

    pub(crate) fn mark_broken(&mut self, path: &str) {
        self.broken.insert(path.to_owned());
    }

    /// Whether the path, or something it is part of, could not be read.
    pub(crate) fn is_broken(&self, path: &str) -> bool {
        let mut path = path;
        loop {
            if self.broken.contains(path) {
                return true;
            }
            match path.rsplit_once('.') {
                Some((above, _)) => path = above,
                None => return false,
            }
        }
    }

    /// Gives `to` the places and marks of `from` and everything under it: a line took a default over.
    fn inherit(&mut self, from: &str, to: &str) {
        let span_of = |(path, span): (&String, &Range<usize>)| {
            rest_under(path, from).map(|rest| (format!("{to}{rest}"), span.clone()))
        };
        let spans = self.spans.range(from.to_owned()..).take_while(|(path, _)| path.starts_with(from));
        let spans: Vec<_> = spans.filter_map(span_of).collect();
        let broken = self.broken.range(from.to_owned()..).take_while(|path| path.starts_with(from));
        let broken: Vec<_> =
            broken.filter_map(|path| rest_under(path, from)).map(|rest| format!("{to}{rest}")).collect();
        self.spans.extend(spans);
        self.broken.extend(broken);
    }
}

/// What of a path is below another, if it is.
fn rest_under<'p>(path: &'p str, above: &str) -> Option<&'p str> {
    path.strip_prefix(above).filter(|rest| rest.is_empty() || rest.starts_with('.'))
}
