//! Rosters that are right: what they say as moments, through changes of clocks, and as edges beside the hours.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plan::roster::{ParsedRoster, Roster, Shift, Stretch, parse};
use plan::schedule::{Anchor, ScheduleError, edges, edges_with_shifts};
use proptest::prelude::*;
use switchboard::command::{Edge, EdgeKind};
use switchboard::id::OperatorId;
use switchboard::plan::Plan;
use switchboard::time::SiteTime;

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 1_440 * MINUTE_US;

/// The roster that comes with the product, for people of its hospital.
const ROSTER: &str = include_str!("../../../config/roster.toml");

const SHIFTS: &str = "[shifts]\n\
    early = { from = \"07:00\", to = \"15:00\" }\n\
    late = { from = \"15:00\", to = \"23:00\" }\n\
    night = { from = \"23:00\", to = \"07:00\" }\n\
    dawn = { from = \"01:30\", to = \"02:30\" }\n\
    small = { from = \"02:30\", to = \"04:00\" }\n\
    day = { from = \"08:00\", to = \"08:00\" }\n\
    whole = { from = \"00:00\", to = \"24:00\" }\n";

fn op(id: &str) -> OperatorId {
    id.parse().unwrap()
}

fn us(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_microsecond()
}

fn parsed(zone: &str, rest: &str) -> ParsedRoster {
    parse("roster.toml", &format!("{SHIFTS}{rest}"), zone).unwrap_or_else(|e| panic!("{e}"))
}

fn roster(zone: &str, rest: &str) -> Roster {
    parsed(zone, rest).roster
}

/// Who is due at a moment.
fn at(roster: &Roster, wall_us: i64) -> Vec<Shift> {
    roster.shifts_between(wall_us, wall_us.saturating_add(1)).unwrap_or_default()
}

/// Everybody who has a shift in the days from a moment on.
fn operators(roster: &Roster, from_us: i64, days: i64) -> BTreeSet<OperatorId> {
    let shifts = roster.shifts_between(from_us, from_us + days * DAY_US).unwrap();
    shifts.iter().map(|shift| shift.operator).collect()
}

/// Everybody's shifts in the days from a date on, as people in the zone see them.
fn told(roster: &Roster, from: &str, days: i64) -> Vec<String> {
    let zone = TimeZone::get(roster.time_zone()).unwrap();
    let from = from.parse::<jiff::civil::Date>().unwrap().to_zoned(zone.clone()).unwrap().timestamp();
    let from = from.as_microsecond();
    let clock = |us| Timestamp::from_microsecond(us).unwrap().to_zoned(zone.clone());
    let shifts = roster.shifts_between(from, from + days * DAY_US).unwrap();
    let tell = |s: &plan::roster::Shift| {
        let (from, to) = (clock(s.from_us), clock(s.to_us));
        format!("{} {} {}-{}", s.operator, s.name, from.strftime("%a %d %H:%M"), to.strftime("%a %d %H:%M"))
    };
    shifts.iter().map(tell).collect()
}

#[test]
fn the_roster_that_comes_with_the_product() {
    let parsed = parse("roster.toml", ROSTER, "Asia/Shanghai").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(parsed.warnings, []);
    assert_eq!(operators(&parsed.roster, us("2026-11-22T16:00:00Z"), 7).len(), 12);
    assert_eq!(parsed.roster.time_zone(), "Asia/Shanghai");
    assert_eq!(parsed.roster.named_shifts()[0].title.zh, "早班");
    let week = told(&parsed.roster, "2026-11-23", 7);
    assert_eq!(week.len(), 35, "{week:?}");
    // At every moment of a week somebody is on shift.
    let monday = us("2026-11-22T16:00:00Z");
    for hour in 0..7 * 24 {
        assert!(!at(&parsed.roster, monday + hour * 60 * MINUTE_US).is_empty(), "hour {hour}");
    }
}

#[test]
fn a_week_with_nights() {
    let roster = roster(
        "Asia/Shanghai",
        "[weekly]\na = [\"Mon-Tue early\", \"Sun night\"]\nb = \"周五至周六 night\"\n",
    );
    let week = [
        "a early Mon 23 07:00-Mon 23 15:00",
        "a early Tue 24 07:00-Tue 24 15:00",
        "b night Fri 27 23:00-Sat 28 07:00",
        "b night Sat 28 23:00-Sun 29 07:00",
        "a night Sun 29 23:00-Mon 30 07:00",
    ];
    let before = ["a night Sun 22 23:00-Mon 23 07:00"];
    assert_eq!(told(&roster, "2026-11-23", 7), [&before[..], &week].concat(), "the night before reaches in");
    let names = |text: &str| at(&roster, us(text)).iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    assert_eq!(names("2026-11-28T23:00:00+08:00"), ["night"]);
    assert_eq!(names("2026-11-29T06:59:59.999999+08:00"), ["night"]);
    assert!(names("2026-11-29T07:00:00+08:00").is_empty());
    assert_eq!(names("2026-11-30T07:00:00+08:00"), ["early"], "one ends where the other begins");
    let now = at(&roster, us("2026-11-30T00:30:00+08:00"));
    assert_eq!(
        (now[0].from_us, now[0].to_us),
        (us("2026-11-29T23:00:00+08:00"), us("2026-11-30T07:00:00+08:00"))
    );
}

#[test]
fn whole_days_last_a_day() {
    let roster = roster("Asia/Shanghai", "[weekly]\na = \"Mon day\"\nb = \"Tue,Wed whole\"\n");
    let week = [
        "a day Mon 23 08:00-Tue 24 08:00",
        "b whole Tue 24 00:00-Wed 25 00:00",
        "b whole Wed 25 00:00-Thu 26 00:00",
    ];
    assert_eq!(told(&roster, "2026-11-23", 7), week);
    let (from, until) = (us("2026-11-23T12:00:00+08:00"), us("2026-11-25T12:00:00+08:00"));
    let stretch = |id, from: &str, to: &str| Stretch { operator: op(id), from_us: us(from), to_us: us(to) };
    assert_eq!(
        roster.stretches_between(from, until).unwrap(),
        [
            stretch("a", "2026-11-23T12:00:00+08:00", "2026-11-24T08:00:00+08:00"),
            stretch("b", "2026-11-24T00:00:00+08:00", "2026-11-25T12:00:00+08:00"),
        ]
    );
}

#[test]
fn holidays_take_the_place_of_the_week_and_exceptions_come_on_top() {
    let roster = roster(
        "Asia/Shanghai",
        "[weekly]\na = \"Mon-Fri early\"\nb = \"Sun early\"\nc = \"Mon-Fri late\"\n\
         [[holidays]]\ndate = \"2026-10-01 to 2026-10-02\"\nlike = \"Sun\"\non = { night = \"c\" }\n\
         [[holidays]]\ndate = 2026-10-05\non = {}\n\
         [[exceptions]]\ndate = \"2026-10-02 to 2026-10-06\"\noff = [\"b\", \"c\"]\n\
         [[exceptions]]\ndate = \"2026-10-06\"\noff = \"a\"\non = { late = [\"a\"] }\n\
         [[exceptions]]\ndate = \"2026-10-05\"\non = { early = \"d\" }\n",
    );
    let expected = [
        "a early Wed 30 07:00-Wed 30 15:00",
        "c late Wed 30 15:00-Wed 30 23:00",
        "b early Thu 01 07:00-Thu 01 15:00",
        "c night Thu 01 23:00-Fri 02 07:00",
        "d early Mon 05 07:00-Mon 05 15:00",
        "a late Tue 06 15:00-Tue 06 23:00",
        "a early Wed 07 07:00-Wed 07 15:00",
        "c late Wed 07 15:00-Wed 07 23:00",
    ];
    assert_eq!(told(&roster, "2026-09-30", 8), expected);
}

#[test]
fn taken_off_without_a_shift_is_doubted() {
    let rest = "[weekly]\na = \"Mon-Fri night\"\n[[exceptions]]\ndate = \"2026-11-28\"\noff = [\"a\"]\n";
    let warnings = parsed("Asia/Shanghai", rest).warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].reason.contains("'a' is taken off on 2026-11-28 and has no shift"),
        "{}",
        warnings[0]
    );
    assert!(warnings[0].mend.contains("the day on which it begins"));
}

#[test]
fn an_hour_that_is_skipped_and_one_that_comes_twice() {
    let berlin =
        roster("Europe/Berlin", "[weekly]\na = \"daily night\"\nb = \"daily small\"\nc = \"daily dawn\"\n");
    let hours = |roster: &Roster, at: &str, id: &str| {
        let shift = self::at(roster, us(at)).into_iter().find(|s| s.operator == op(id)).unwrap();
        (shift.to_us - shift.from_us) / (30 * MINUTE_US)
    };
    // Forward on 2026-03-29 from 02:00 to 03:00, back on 2026-10-25 from 03:00 to 02:00; in half hours.
    assert_eq!(hours(&berlin, "2026-03-29T04:00:00+02:00", "a"), 14);
    assert_eq!(hours(&berlin, "2026-10-25T04:00:00+01:00", "a"), 18);
    assert_eq!(hours(&berlin, "2026-06-25T04:00:00+02:00", "a"), 16);
    // 02:30 does not exist in spring: the moment of the change stands for it.
    assert_eq!(hours(&berlin, "2026-03-29T03:00:00+02:00", "b"), 2);
    assert_eq!(hours(&berlin, "2026-03-29T01:30:00+01:00", "c"), 1);
    // 02:30 comes twice in autumn: the first begins a shift, the second ends one.
    assert_eq!(hours(&berlin, "2026-10-25T02:30:00+02:00", "b"), 5);
    assert_eq!(hours(&berlin, "2026-10-25T02:29:00+01:00", "c"), 4);
    let shanghai = roster("Asia/Shanghai", "[weekly]\na = \"daily night\"\n");
    for day in ["2026-03-29", "2026-10-25", "2026-06-25"] {
        assert_eq!(hours(&shanghai, &format!("{day}T01:00:00+08:00"), "a"), 16, "{day}");
    }
}

#[test]
fn times_that_do_not_exist_are_doubted() {
    let rest =
        "[weekly]\na = \"daily small\"\n[[exceptions]]\ndate = \"2026-03-29\"\non = { dawn = \"b\" }\n";
    let berlin = parsed("Europe/Berlin", rest);
    assert_eq!(berlin.warnings.len(), 1);
    let dated = berlin.warnings[0].to_string();
    assert!(
        dated.contains("02:30 does not exist on 2026-03-29") && dated.contains("'dawn' ends at 03:00"),
        "{dated}"
    );
    assert_eq!(berlin.skipped_times(us("2026-06-01T00:00:00Z"), 14).unwrap(), []);
    let spring = berlin.skipped_times(us("2026-03-20T00:00:00Z"), 14).unwrap();
    assert_eq!(spring.len(), 2);
    assert!(spring[0].reason.contains("the shift 'small' begins at 03:00"), "{}", spring[0]);
    assert!(spring[0].to_string().contains("a = \"daily small\""), "{}", spring[0]);
    assert_eq!(parsed("Asia/Shanghai", rest).warnings, []);
}

#[test]
fn a_zone_of_its_own_and_a_day_that_a_zone_left_out() {
    let own =
        parse("x", &format!("time_zone = \"UTC\"\n{SHIFTS}[weekly]\na = \"daily early\"\n"), "Asia/Shanghai");
    assert_eq!(at(&own.unwrap().roster, us("2026-01-01T07:00:00Z")).len(), 1);
    // Apia had no 30 December 2011: whoever was on at its beginning is relieved as it ends.
    let apia =
        roster("Pacific/Apia", "[weekly]\na = \"daily early\"\nb = \"daily late\"\nc = \"daily night\"\n");
    let (from, until) = (us("2011-12-28T00:00:00Z"), us("2012-01-02T00:00:00Z"));
    let stretches = apia.stretches_between(from, until).unwrap();
    let mut times: Vec<_> = stretches.iter().map(|s| (s.from_us, s.to_us)).collect();
    times.sort_unstable();
    let reached = times
        .iter()
        .fold(from, |reached, (from, to)| if *from <= reached { reached.max(*to) } else { reached });
    assert_eq!(reached, until);
}

/// The plan in force may come after the roster.
#[test]
fn a_roster_that_names_no_zone_follows_the_plans() {
    let mut draft = plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan.into_draft();
    draft.time_zone = "Europe/Berlin".to_owned();
    let berlin = Plan::check(draft).unwrap();
    let from: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let anchor = Anchor { site: SiteTime(0), wall: from };
    let begins = |text: &str| {
        let roster = parse("x", text, "Asia/Shanghai").unwrap().roster;
        let people = [(op("a"), None)].into();
        shifts_of(&edges_with_shifts(&berlin, &roster, &people, from, anchor, 1).unwrap())[0].1
    };
    let text = format!("{SHIFTS}[weekly]\na = \"Mon early\"\n");
    assert_eq!(begins(&text), us("2026-11-23T07:00:00+01:00"));
    assert_eq!(begins(&format!("time_zone = \"UTC\"\n{text}")), us("2026-11-23T07:00:00Z"), "its own");
}

#[test]
fn more_strangers_than_anybody_is_told_of_are_counted() {
    let strangers = (0..60).map(|n| format!("op-{n}x = \"Mon early\"\n")).collect::<String>();
    let off = (0..60).map(|n| format!("\"op-{n}x\"")).collect::<Vec<_>>().join(", ");
    let dated = format!("[[exceptions]]\ndate = \"2026-11-23 to 2026-11-30\"\noff = [{off}]\n");
    let parsed = parsed("UTC", &format!("[weekly]\n{strangers}{dated}"));
    let errors = parsed.check_people(&["op-7"].map(op).into()).unwrap_err();
    assert_eq!((errors.findings.len(), errors.left_out), (50, 70), "a range of dates says each once");
    assert_eq!(errors.findings[7].reason, "there is no operator 'op-7x'");
    assert_eq!(errors.findings[7].mend, "did you mean 'op-7'?");
}

#[test]
fn what_cannot_be_expanded_is_said() {
    let roster = roster("UTC", "[weekly]\na = \"daily early\"\n");
    assert!(matches!(roster.shifts_between(0, 400 * DAY_US), Err(ScheduleError::TooFar(400))));
    assert!(matches!(roster.shifts_between(i64::MIN, i64::MAX), Err(ScheduleError::TooFar(_))));
    assert!(matches!(roster.shifts_between(i64::MAX - 1, i64::MAX), Err(ScheduleError::BeyondCalendar)));
    assert_eq!(roster.shifts_between(DAY_US, 0).unwrap(), []);
    assert!(at(&roster, i64::MAX).is_empty());
}

#[test]
fn people_are_compared_with_those_there_are() {
    let rest = "[weekly]\nop-1 = \"Mon early\"\nop-12 = \"Mon late\"\n[[exceptions]]\ndate = \"2026-11-23\"\noff = [\"op-1\"]\non = { late = [\"zhang\"] }\n";
    let parsed = parsed("UTC", rest);
    assert_eq!(parsed.check_people(&["op-1", "op-12", "zhang"].map(op).into()), Ok(()));
    let errors = parsed.check_people(&["op-1", "op-2"].map(op).into()).unwrap_err();
    let told: Vec<_> = errors.findings.iter().map(|f| (f.line, f.reason.as_str(), f.mend.as_str())).collect();
    let add = "add this operator first, or use the id of one there is";
    assert_eq!(
        told,
        [
            (11, "there is no operator 'op-12'", "did you mean 'op-1'?"),
            (15, "there is no operator 'zhang'", add)
        ]
    );
    assert!(errors.to_string().contains("\"zhang\""), "{errors}");
}

fn shifts_of(edges: &[Edge]) -> Vec<(String, i64, u64)> {
    let shift = |edge: &Edge| match edge.what {
        EdgeKind::ShiftStarts { operator, ends_at } => Some((operator.to_string(), edge.wall_us, ends_at.0)),
        _ => None,
    };
    edges.iter().filter_map(shift).collect()
}

#[test]
fn hours_and_shifts_lie_in_one_schedule() {
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan;
    let roster = roster(
        "Asia/Shanghai",
        "[weekly]\na = [\"Mon early\", \"Mon late\"]\nb = \"Mon night\"\nc = \"Mon early\"\n",
    );
    let people: BTreeMap<_, _> = [(op("a"), None), (op("b"), None), (op("d"), None)].into();
    let from: Timestamp = "2026-11-23T00:00:00+08:00".parse().unwrap();
    let anchor = Anchor { site: SiteTime(1_000), wall: from };
    let site = |text: &str| u64::try_from(us(text) - from.as_microsecond()).unwrap() + 1_000;
    let all = edges_with_shifts(&plan, &roster, &people, from, anchor, 7).unwrap();
    assert!(all.is_sorted());
    let expected = [
        ("a".to_owned(), us("2026-11-23T07:00:00+08:00"), site("2026-11-23T23:00:00+08:00")),
        ("b".to_owned(), us("2026-11-23T23:00:00+08:00"), site("2026-11-24T07:00:00+08:00")),
    ];
    assert_eq!(shifts_of(&all), expected, "two that touch are one, and nobody unknown has any");
    let hours: Vec<Edge> =
        all.iter().filter(|e| !matches!(e.what, EdgeKind::ShiftStarts { .. })).copied().collect();
    assert_eq!(hours, edges(&plan, from, anchor, 7).unwrap());
}

#[test]
fn a_shift_under_way_is_told_again_only_if_it_ends_otherwise() {
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan;
    let roster = roster("Asia/Shanghai", "[weekly]\na = \"Mon early\"\n");
    let from: Timestamp = "2026-11-23T09:00:00+08:00".parse().unwrap();
    let anchor = Anchor { site: SiteTime(5_000_000_000), wall: from };
    let ends = SiteTime(5_000_000_000 + 6 * 3_600_000_000);
    let laid = |id: &str, under_way: Option<SiteTime>| {
        shifts_of(&edges_with_shifts(&plan, &roster, &[(op(id), under_way)].into(), from, anchor, 2).unwrap())
    };
    let now = from.as_microsecond();
    assert_eq!(laid("a", None), [("a".to_owned(), now, ends.0)], "it should have begun");
    assert_eq!(laid("a", Some(ends)), []);
    assert_eq!(laid("a", Some(SiteTime(ends.0 + 900_000))), [], "clocks drift");
    assert_eq!(laid("a", Some(SiteTime(ends.0 - 3_600_000_000))), [("a".to_owned(), now, ends.0)]);
    assert_eq!(laid("b", Some(ends)), [("b".to_owned(), now, 5_000_000_001)], "there is none any more");
    assert_eq!(laid("b", Some(SiteTime(4_000_000_000))), []);
}

#[test]
fn more_edges_than_a_site_takes() {
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan;
    let windows = (0..14).map(|n| format!("s{n} = {{ from = \"{n:02}:00\", to = \"{n:02}:30\" }}\n"));
    let week = (0..100).map(|n| {
        let shifts = (0..14).map(|s| format!("\"daily s{s}\"")).collect::<Vec<_>>().join(", ");
        format!("op-{n} = [{shifts}]\n")
    });
    let (windows, week) = (windows.collect::<String>(), week.collect::<String>());
    let text = format!("time_zone = \"UTC\"\n[shifts]\n{windows}[weekly]\n{week}");
    let roster = parse("x", &text, "UTC").unwrap_or_else(|e| panic!("{e}")).roster;
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let people = operators(&roster, from.as_microsecond(), 7).into_iter().map(|id| (id, None)).collect();
    let anchor = Anchor { site: SiteTime(1), wall: from };
    let laid = |days| edges_with_shifts(&plan, &roster, &people, from, anchor, days);
    assert_eq!(laid(14).unwrap().len(), 7 + 14 * 1_400);
    assert!(matches!(laid(90), Err(ScheduleError::TooMany(126_007))));
}

/// A roster of a few people, with dates around a change of clocks.
fn text() -> impl Strategy<Value = String> {
    let names = || proptest::sample::select(vec!["early", "late", "night", "dawn", "small"]);
    let days = || proptest::sample::select(vec!["daily", "Mon-Fri", "Sat,Sun", "Sun", "Fri-Mon"]);
    let person = (days(), names()).prop_map(|(days, shift)| format!("\"{days} {shift}\""));
    let weekly = proptest::collection::vec(person, 1..5);
    let date =
        proptest::sample::select(vec!["2026-03-28", "2026-03-29", "2026-10-24 to 2026-10-26", "2026-10-25"]);
    let dated = proptest::option::of((date, names()));
    let off = proptest::option::of(0..4_usize);
    (weekly, dated, off).prop_map(|(weekly, dated, off)| {
        let lines = weekly.iter().enumerate().map(|(n, shift)| format!("op-{n} = {shift}\n"));
        let mut text = format!("{SHIFTS}[weekly]\n{}", lines.collect::<String>());
        if let Some((date, shift)) = dated {
            let off = off.map(|n| format!("off = [\"op-{n}\"]\n")).unwrap_or_default();
            text += &format!("[[holidays]]\ndate = \"{date}\"\nlike = \"Sun\"\n");
            text += &format!("[[exceptions]]\ndate = \"{date}\"\n{off}on = {{ {shift} = \"extra\" }}\n");
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn it_does_not_matter_where_time_is_cut(
        text in text(),
        from in 0..10 * 1_440_i64,
        lengths in proptest::collection::vec(0..4 * 1_440_i64, 1..5),
        is_autumn in any::<bool>(),
        zone in proptest::sample::select(vec!["Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe"]),
    ) {
        let Ok(parsed) = parse("x", &text, zone) else { return Ok(()) };
        let roster = parsed.roster;
        let start = us(if is_autumn { "2026-10-20T00:00:00Z" } else { "2026-03-24T00:00:00Z" }) + from * MINUTE_US;
        let mut cuts = vec![start];
        for length in lengths {
            cuts.push(cuts[cuts.len() - 1] + length * MINUTE_US);
        }
        let (first, last) = (cuts[0], cuts[cuts.len() - 1]);
        let whole: BTreeSet<_> = roster.shifts_between(first, last).unwrap().into_iter().collect();
        let parts = cuts.windows(2).flat_map(|c| roster.shifts_between(c[0], c[1]).unwrap());
        prop_assert_eq!(&parts.collect::<BTreeSet<_>>(), &whole);

        let mut joined: BTreeMap<OperatorId, Vec<(i64, i64)>> = BTreeMap::new();
        for stretch in cuts.windows(2).flat_map(|c| roster.stretches_between(c[0], c[1]).unwrap()) {
            let times = joined.entry(stretch.operator).or_default();
            match times.last_mut() {
                Some(last) if last.1 == stretch.from_us => last.1 = stretch.to_us,
                _ => times.push((stretch.from_us, stretch.to_us)),
            }
        }
        let mut at_once: BTreeMap<OperatorId, Vec<(i64, i64)>> = BTreeMap::new();
        for stretch in roster.stretches_between(first, last).unwrap() {
            at_once.entry(stretch.operator).or_default().push((stretch.from_us, stretch.to_us));
        }
        prop_assert_eq!(&joined, &at_once);

        // The same people as are due, asked minute by minute.
        let mut minute = first;
        while minute < last {
            let due: BTreeSet<OperatorId> = at(&roster, minute).iter().map(|shift| shift.operator).collect();
            let is_inside = |times: &Vec<(i64, i64)>| times.iter().any(|t| t.0 <= minute && minute < t.1);
            let expected: BTreeSet<OperatorId> =
                at_once.iter().filter(|(_, times)| is_inside(times)).map(|(id, _)| *id).collect();
            prop_assert_eq!(due, expected, "at {}", minute);
            minute += 37 * MINUTE_US;
        }
    }
}
