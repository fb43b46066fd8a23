//! What the figures must reach.

use super::report::Report;

/// A figure that is not what it must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Missed {
    pub(super) name: &'static str,
    pub(super) is: f64,
    pub(super) must_be: String,
}

/// How far two measurements of the same may be apart before nothing beside them means much.
const CONTROL_MIN: f64 = 0.5;
const CONTROL_MAX: f64 = 2.0;

/// Every figure beyond its limit. The short form has only those that hold in a debug build, too.
pub(super) fn missed(report: &Report, small: bool) -> Vec<Missed> {
    let mut missed = Vec::new();
    let mut at_least = |name, is: Option<f64>, limit: f64| {
        missed.extend(is.filter(|is| *is < limit).map(|is| Missed {
            name,
            is,
            must_be: format!("≥ {limit}"),
        }));
    };
    at_least("r2", Some(report.r2()), 0.3);
    at_least("control", Some(report.control()), CONTROL_MIN);
    if !small {
        at_least("r3", report.r3(), 1.5);
    }
    let mut at_most = |name, is: Option<f64>, limit: f64| {
        missed.extend(is.filter(|is| *is > limit).map(|is| Missed {
            name,
            is,
            must_be: format!("≤ {limit}"),
        }));
    };
    at_most("control", Some(report.control()), CONTROL_MAX);
    if !small {
        at_most("r1", Some(report.r1()), 2.0);
        at_most("desk_kb", report.desk_kb(), 60.0);
        at_most("restart_s", report.restart_s(), 1.0);
    }
    missed
}
