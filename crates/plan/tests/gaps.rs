//! Open hours in which nobody who may answer is on shift: found, and said in words.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;

use jiff::Timestamp;
use plan::lint::Staff;
use plan::roster::{Gap, GapWarnings, Roster, gaps, parse};
use proptest::prelude::*;
use switchboard::command::Profile;
use switchboard::id::{LineId, OperatorId};
use switchboard::operator::Device;
use switchboard::plan::Plan;

/// Monday, 23 November 2026, 00:00 in Shanghai.
const MONDAY: i64 = 1_795_363_200_000_000;
const MINUTE_US: i64 = 60_000_000;

fn us(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

fn roster(text: &str) -> Roster {
    parse("roster.toml", text, "Asia/Shanghai").unwrap_or_else(|e| panic!("{e}")).roster
}

fn hospital() -> Plan {
    plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan
}

/// Two lines, each with its own operators and a team behind one of them.
fn small(hours: &str, requires: &str) -> Plan {
    let text = format!(
        "defaults = {{ prompts = {{ closing = \"p\", closed = \"p\" }} }}\n\
         [lines.a]\ntitle = {{ zh = \"甲线\", en = \"A\" }}\nhours = {hours}\nrequires = [{requires}]\n\
         tiers = [{{ who = \"own\" }}, {{ who = \"team:t\", when = \"busy\" }}, {{ who = \"closing\", when = \"wait 5m\" }}]\n\
         [lines.b]\ntitle = {{ zh = \"乙线\", en = \"B\" }}\nhours = {hours}\n\
         tiers = [{{ who = \"own\" }}, {{ who = \"closing\", when = \"wait 5m\" }}]\n\
         [teams.t]\ntitle = {{ zh = \"组\", en = \"T\" }}\n\
         [skills]\nmandarin = {{ zh = \"普\", en = \"M\" }}\n\
         [prompts.p]\nsays = {{ zh = \"甲\", en = \"A\" }}\n"
    );
    plan::parse("plan.toml", &text).unwrap_or_else(|e| panic!("{e}")).plan
}

fn profile(teams: &[&str], home: &[&str], skills: &[&str]) -> Profile {
    Profile {
        teams: teams.iter().map(|t| t.parse().unwrap()).collect(),
        home: home.iter().map(|l| l.parse().unwrap()).collect(),
        skills: skills.iter().map(|s| s.parse().unwrap()).collect(),
        device: Device::Ring,
    }
}

fn staff(people: &[(&str, Profile)]) -> Staff {
    Staff::of(people.iter().map(|(id, p)| (id.parse::<OperatorId>().unwrap(), p)))
}

fn words(warnings: &GapWarnings) -> Vec<&str> {
    warnings.warnings.iter().map(|w| w.en.as_str()).collect()
}

const NIGHTLESS: &str =
    "[shifts]\nday = { from = \"06:00\", to = \"02:00\" }\nhalf = { from = \"08:00\", to = \"12:00\" }\n";

#[test]
fn one_night_without_anybody() {
    let plan = small("\"always\"", "");
    let people = staff(&[("op-1", profile(&[], &["a", "b"], &[])), ("op-2", profile(&["t"], &[], &[]))]);
    let roster = roster(
        "[shifts]\nday = { from = \"06:00\", to = \"02:00\" }\nrest = { from = \"02:00\", to = \"06:00\" }\n\
         [weekly]\nop-1 = \"daily day\"\nop-2 = [\"Wed-Mon rest\"]\n",
    );
    let found = gaps(&plan, &people, &roster, MONDAY, 7).unwrap();
    let line = |id: &str| id.parse::<LineId>().unwrap();
    let of_a: Vec<_> = found.iter().filter(|g| g.line == line("a")).collect();
    let (from_us, to_us) = (us("2026-11-24T02:00:00+08:00"), us("2026-11-24T06:00:00+08:00"));
    assert_eq!(of_a, [&Gap { line: line("a"), from_us, to_us }], "the team answers on the other nights");
    assert_eq!(found.iter().filter(|g| g.line == line("b")).count(), 7, "the team does not answer line b");
    let warnings = roster.gap_warnings(&plan, &people, MONDAY, 7).unwrap();
    assert_eq!(
        words(&warnings),
        [
            "nobody on line 'b' from 02:00 to 06:00 on Mon 2026-11-23, Wed 2026-11-25, Thu 2026-11-26, \
             Fri 2026-11-27, Sat 2026-11-28, Sun 2026-11-29",
            "nobody on lines 'a', 'b' from Tue 2026-11-24 02:00 to 06:00",
        ]
    );
    let zh: Vec<&str> = warnings.warnings.iter().map(|w| w.zh.as_str()).collect();
    assert!(zh[0].starts_with("2026-11-23（周一）、2026-11-25（周三）"), "{}", zh[0]);
    assert!(zh[0].ends_with("每天 02:00 至 06:00，热线“乙线”（b）无人值班"), "{}", zh[0]);
    assert_eq!(zh[1], "2026-11-24（周二）02:00 至 06:00，热线“甲线”（a）、“乙线”（b）无人值班");
    assert_eq!(warnings.warnings[1].times, [(from_us, to_us)]);
}

#[test]
fn only_open_hours_count_and_only_those_who_may_answer() {
    let people = staff(&[("op-1", profile(&[], &["a", "b"], &[]))]);
    let roster = roster(&format!("{NIGHTLESS}[weekly]\nop-1 = \"daily half\"\n"));
    let told = |hours: &str, requires: &str| {
        let plan = small(hours, requires);
        let warnings = roster.gap_warnings(&plan, &people, MONDAY, 7).unwrap();
        words(&warnings).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert!(told("\"Mon-Fri 08:00-12:00\"", "").is_empty());
    assert_eq!(
        told("\"Mon 08:00-12:30\"", ""),
        ["nobody on lines 'a', 'b' from Mon 2026-11-23 12:00 to 12:30"]
    );
    assert_eq!(
        told("[\"Sat 23:00-03:00\", \"Tue,Thu 22:00-04:00\", \"Mon 09:00-10:00\"]", ""),
        [
            "nobody on lines 'a', 'b' from 22:00 to 04:00 the next day on Tue 2026-11-24, Thu 2026-11-26",
            "nobody on lines 'a', 'b' from Sat 2026-11-28 23:00 to Sun 2026-11-29 03:00",
        ]
    );
    assert_eq!(
        told("\"Mon-Fri 08:00-12:00\"", "\"mandarin\""),
        ["nobody on line 'a' in any open hour from Mon 2026-11-23 00:00 to Mon 2026-11-30 00:00"]
    );
    assert_eq!(gaps(&small("\"always\"", ""), &Staff::default(), &roster, MONDAY, 1).unwrap().len(), 2);
}

#[test]
fn what_is_said_is_bounded() {
    let people = staff(&[("op-1", profile(&[], &["a", "b"], &[]))]);
    let shifts = (0..48).map(|n| {
        format!(
            "s{n} = {{ from = \"{:02}:{:02}\", to = \"{:02}:{:02}\" }}\n",
            n / 2,
            n % 2 * 30,
            n / 2,
            n % 2 * 30 + 10
        )
    });
    let names = (0..48).map(|n| format!("\"daily s{n}\"")).collect::<Vec<_>>().join(", ");
    let roster = roster(&format!("[shifts]\n{}[weekly]\nop-1 = [{names}]\n", shifts.collect::<String>()));
    let hours = (0..10)
        .map(|n| format!("\"{} 00:00-24:00\"", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][n % 7]));
    let hours = format!("[{}]", hours.take(7).collect::<Vec<_>>().join(", "));
    let warnings = roster.gap_warnings(&small(&hours, ""), &people, MONDAY, 14).unwrap();
    assert_eq!(warnings.warnings.len(), 48, "the same times on fourteen days are one warning");
    assert!(
        warnings.warnings[0].en.ends_with("Sun 2026-11-29 and 7 more days"),
        "{}",
        warnings.warnings[0].en
    );
    assert_eq!(warnings.left_out, 0);
    let from = MONDAY + 17 * MINUTE_US;
    let crooked = (0..7)
        .map(|n| format!("\"{} 00:0{n}-23:5{n}\"", ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][n]));
    let hours = format!("[{}]", crooked.collect::<Vec<_>>().join(", "));
    let warnings = roster.gap_warnings(&small(&hours, ""), &people, from, 14).unwrap();
    assert_eq!(warnings.warnings.len(), plan::FINDINGS_MAX);
    assert!(warnings.left_out > 0);
}

#[test]
fn the_product_s_own_plan_and_roster_leave_nobody_alone() {
    let roster = roster(include_str!("../../../config/roster.toml"));
    let lines = ["switchboard", "outpatient-1", "outpatient-2", "emergency", "comfort", "duty"];
    let shifts = roster.shifts_between(MONDAY, MONDAY + 7 * 1_440 * MINUTE_US).unwrap();
    let operators: BTreeSet<OperatorId> = shifts.iter().map(|shift| shift.operator).collect();
    let people: Vec<_> = operators
        .into_iter()
        .map(|id| {
            let team = match id.as_str().split('-').next().unwrap() {
                "pro" => "professionals",
                "vol" => "volunteers",
                _ => "youth",
            };
            (id, profile(&[team], &lines, &["mandarin"]))
        })
        .collect();
    let staff = Staff::of(people.iter().map(|(id, p)| (*id, p)));
    for from in [MONDAY, us("2026-09-28T00:00:00+08:00"), us("2026-12-28T00:00:00+08:00")] {
        let warnings = roster.gap_warnings(&hospital(), &staff, from, 14).unwrap();
        assert_eq!(words(&warnings), [""; 0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_minute_is_a_gap_or_has_somebody(
        days in proptest::sample::select(vec!["daily", "Mon-Fri", "Fri-Mon", "Sat"]),
        other in proptest::sample::select(vec!["daily", "Mon-Fri", "Fri-Mon", "Sat"]),
        hours in proptest::sample::select(vec!["\"always\"", "\"Mon-Fri 07:00-19:00\"", "[\"Sat 20:00-04:00\", \"Sun 12:00-13:00\"]"]),
        from in 0..7 * 1_440_i64,
        zone in proptest::sample::select(vec!["Asia/Shanghai", "Europe/Berlin"]),
    ) {
        let text = format!("{NIGHTLESS}[weekly]\nop-1 = \"{days} day\"\nop-2 = \"{other} half\"\n");
        let text = format!("time_zone = \"{zone}\"\n{text}");
        let roster = parse("x", &text, "UTC").unwrap().roster;
        let people = [("op-1", profile(&[], &["a"], &[])), ("op-2", profile(&["t"], &["b"], &[]))];
        let staff = staff(&people);
        let plan = small(hours, "");
        let from = us("2026-10-19T00:00:00Z") + from * MINUTE_US;
        let found = gaps(&plan, &staff, &roster, from, 9).unwrap();
        prop_assert!(found.is_sorted());
        let zone = jiff::tz::TimeZone::get(&plan.time_zone).unwrap();
        for (id, line) in &plan.lines {
            let answerers = staff.answerers(*id, line);
            for minute in (0..9 * 1_440).step_by(30) {
                let at = from + minute * MINUTE_US;
                let clock = Timestamp::from_microsecond(at).unwrap().to_zoned(zone.clone());
                let of_week = u16::try_from(clock.weekday().to_monday_zero_offset()).unwrap() * 1_440
                    + u16::try_from(clock.hour()).unwrap() * 60
                    + u16::try_from(clock.minute()).unwrap();
                let is_open = line.hours.contains(of_week);
                let has_somebody = roster.shifts_between(at, at + 1).unwrap().iter().any(|shift| answerers.contains(&shift.operator));
                let is_gap = found.iter().any(|g| g.line == *id && g.from_us <= at && at < g.to_us);
                prop_assert_eq!(is_gap, is_open && !has_somebody, "line {} at {}", id, clock);
            }
        }
    }
}
