//! What the figures must reach.

use super::crowd::Crowds;
use super::report::Report;

/// A figure that is not what it must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Missed {
    pub(super) name: &'static str,
    pub(super) is: f64,
    pub(super) must_be: String,
}

/// A figure and the most that it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    name: &'static str,
    is: f64,
    at_most: f64,
    /// Also in the short form, on any machine.
    always: bool,
}

impl Limit {
    /// Of a figure that depends on the build and on the machine.
    pub(super) fn at_most(name: &'static str, is: f64, at_most: f64) -> Limit {
        Limit { name, is, at_most, always: false }
    }

    /// Also in the short form.
    pub(super) fn always(self) -> Limit {
        Limit { always: true, ..self }
    }

    /// The figure, if it is beyond.
    pub(super) fn missed(self, small: bool) -> Option<Missed> {
        let is_judged = self.always || !small;
        // What is no number has not reached anything.
        let is_missed = is_judged && (self.is.is_nan() || self.is > self.at_most);
        is_missed.then(|| Missed { name: self.name, is: self.is, must_be: format!("≤ {}", self.at_most) })
    }
}

/// How far two measurements of the same may be apart before nothing beside them means much.
const CONTROL_MIN: f64 = 0.5;
const CONTROL_MAX: f64 = 2.0;

/// What a life may cost among nine times as many desks: what looks at every desk at each event costs nine times as much.
const LIFE_COST_RATIO_MAX: f64 = 3.0;

/// Every figure beyond its limit. The short form has only those that hold in a debug build, too.
pub(super) fn missed(report: &Report, small: bool) -> Vec<Missed> {
    let mut missed = Vec::new();
    let mut at_least = |name, is: Option<f64>, limit: f64| {
        // What is no number, since nothing was there to divide by, has not reached anything.
        missed.extend(is.filter(|is| is.is_nan() || *is < limit).map(|is| Missed {
            name,
            is,
            must_be: format!("≥ {limit}"),
        }));
    };
    at_least("r2", Some(report.r2()), 0.3);
    at_least("control", Some(report.control()), CONTROL_MIN);
    if !small {
        at_least("r3", report.r3(), 1.5);
        at_least("r4", report.r4(), 5.0);
    }
    let mut at_most = |name, is: Option<f64>, limit: f64| {
        missed.extend(is.filter(|is| is.is_nan() || *is > limit).map(|is| Missed {
            name,
            is,
            must_be: format!("≤ {limit}"),
        }));
    };
    at_most("control", Some(report.control()), CONTROL_MAX);
    if !small {
        at_most("r1", Some(report.r1()), 2.0);
        at_most("desk_kb", report.desk_kb(), 60.0);
        at_most("life_cost_ratio", report.crowds.as_ref().map(Crowds::life_cost_ratio), LIFE_COST_RATIO_MAX);
        at_most("restart_s", report.restart_s(), 1.0);
    }
    missed.extend(report.rooms.limits().into_iter().filter_map(|limit| limit.missed(small)));
    missed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::crowd::Crowd;
    use super::super::load::Loaded;
    use super::super::rooms::Rooms;
    use super::super::round::Round;
    use super::super::times::Times;
    use super::*;

    type Spoil = fn(&mut Report);

    fn rate(lives: u64) -> Loaded {
        Loaded { lives, took: Duration::from_secs(1), ..Loaded::default() }
    }

    fn all(us: u64) -> Times {
        let mut times = Times::default();
        times.note(Duration::from_micros(us));
        times
    }

    fn crowd(desks: u32, resident_kb: u64, life_us: u64) -> Crowd {
        let life_cpu = Duration::from_micros(life_us);
        Crowd { desks, resident_kb, idle_share: 0.0, life_cpu, rate: 1.0, late: 0 }
    }

    fn good() -> Report {
        let round = Round {
            durable: rate(900),
            control: rate(900),
            memory: rate(1_000),
            peer: Some(rate(500)),
            postgres: Some(rate(800)),
            matcher: Some(rate(150)),
            alone: all(900),
            echoes: all(200),
            appends: all(300),
            ..Round::default()
        };
        let crowds = Crowds { few: crowd(1_000, 60_000, 900), many: crowd(9_000, 500_000, 1_000) };
        Report {
            rounds: vec![round],
            crowds: Some(crowds),
            restarts: Some(all(100_000)),
            missing: Vec::new(),
            rooms: Rooms::default(),
        }
    }

    fn names(report: &Report, small: bool) -> Vec<&'static str> {
        missed(report, small).iter().map(|missed| missed.name).collect()
    }

    #[test]
    fn what_is_beyond_its_limit_is_told() {
        assert_eq!(names(&good(), false), [""; 0]);
        let spoiled: [(&str, bool, Spoil); 8] = [
            ("r1", false, |report| report.rounds[0].alone = all(1_100)),
            ("r2", true, |report| report.rounds[0].memory = rate(4_000)),
            ("r3", false, |report| report.rounds[0].peer = Some(rate(700))),
            ("r4", false, |report| report.rounds[0].matcher = Some(rate(170))),
            ("control", true, |report| report.rounds[0].control = rate(3_000)),
            ("desk_kb", false, |report| report.crowds.as_mut().expect("there").many.resident_kb = 600_000),
            ("life_cost_ratio", false, |report| {
                report.crowds.as_mut().expect("there").many.life_cpu *= 4;
            }),
            ("restart_s", false, |report| report.restarts = Some(all(1_200_000))),
        ];
        for (name, small, spoil) in spoiled {
            let mut report = good();
            spoil(&mut report);
            assert_eq!(names(&report, false), [name]);
            assert_eq!(names(&report, true), if small { vec![name] } else { vec![] }, "{name}");
        }
        let mut no_number = good();
        (no_number.rounds[0].durable, no_number.rounds[0].memory) = (rate(0), rate(0));
        assert!(names(&no_number, true).contains(&"r2"), "0 ÷ 0");
        let nothing = Report { crowds: None, restarts: None, ..good() };
        assert_eq!(names(&nothing, false), [""; 0], "what was not measured is not missed");
    }

    #[test]
    fn a_limit_holds_in_the_short_form_only_if_it_holds_on_any_machine() {
        let limit = |is| Limit::at_most("gap_ms", is, 200.0);
        assert_eq!(limit(200.0).missed(false), None);
        assert_eq!(limit(200.5).missed(true), None);
        let missed = Missed { name: "gap_ms", is: 200.5, must_be: "≤ 200".to_owned() };
        assert_eq!(limit(200.5).missed(false), Some(missed.clone()));
        assert_eq!(limit(200.5).always().missed(true), Some(missed));
        assert!(limit(f64::NAN).missed(false).is_some());
    }
}
