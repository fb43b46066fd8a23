//! A desk, a gateway and a time for all tests here.

use std::collections::BTreeSet;

use presence::{FreeOperators, Holder, Reach};
use switchboard::id::{DeskId, DeskSession, Seq, SiteId};
use switchboard::time::{SiteTime, Span};

pub(crate) const LINKS: &str = "hotline:{north}:links";
pub(crate) const WHO: &str = "hotline:{north}:who";
pub(crate) const FREE: &str = "hotline:{north}:free";

pub(crate) fn north() -> SiteId {
    "north".parse().expect("a name")
}

pub(crate) fn desk(operator: &str) -> Holder {
    let operator = operator.parse().expect("a name");
    let desk = DeskId("018f0000-0000-7000-8000-000000000001".parse().expect("a UUID"));
    Holder::Desk { operator, desk, session: DeskSession(1) }
}

pub(crate) fn gateway() -> Holder {
    Holder::Gateway { gateway: "main-1".parse().expect("a name"), incarnation: u64::MAX }
}

pub(crate) fn at(seconds: u64) -> SiteTime {
    SiteTime(0) + Span::secs(seconds)
}

/// All of these are free, on the line `info` and in the team `day`.
pub(crate) fn free(seq: u64, operators: &[&str]) -> FreeOperators {
    let reach = || Reach {
        home_lines: BTreeSet::from(["info".parse().expect("a name")]),
        teams: BTreeSet::from(["day".parse().expect("a name")]),
    };
    let operators = operators.iter().map(|name| (name.parse().expect("a name"), reach())).collect();
    FreeOperators { seq: Seq(seq), operators }
}
