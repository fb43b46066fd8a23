//! Hours as edges, against a slow evaluation that looks at the zone's clock every minute.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plan::schedule::{Anchor, ScheduleError, edges};
use proptest::prelude::*;
use switchboard::command::{Edge, EdgeKind};
use switchboard::id::LineId;
use switchboard::plan::{Hours, MINUTES_PER_WEEK, Plan, Window};
use switchboard::time::SiteTime;

const DAYS: u16 = 9;

fn id(text: &str) -> LineId {
    text.parse().unwrap()
}

/// The hospital with these hours on the duty line, in this zone.
fn plan_with(zone: &str, hours: Hours) -> Plan {
    let mut draft = plan::parse("hospital.toml", plan::HOSPITAL).unwrap().plan.into_draft();
    draft.time_zone = zone.to_owned();
    draft.lines.get_mut(&id("duty")).unwrap().hours = hours;
    Plan::check(draft).unwrap()
}

fn anchor_at(wall: Timestamp) -> Anchor {
    Anchor { site: SiteTime(1_000_000_000), wall }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What the clock on the wall of this zone says, as a minute of the week.
fn shown(zone: &TimeZone, wall: Timestamp) -> u16 {
    let clock = wall.to_zoned(zone.clone());
    let day = u16::try_from(clock.weekday().to_monday_zero_offset()).unwrap();
    day * 24 * 60 + u16::try_from(clock.hour()).unwrap() * 60 + u16::try_from(clock.minute()).unwrap()
}

/// Whether each minute from `from` on is open, looked up minute by minute.
fn naive(zone: &TimeZone, hours: &Hours, from: Timestamp) -> Vec<bool> {
    let minutes = i64::from(DAYS) * 24 * 60;
    let minute = |n: i64| Timestamp::from_second(from.as_second() + n * 60).unwrap();
    (0..minutes).map(|n| hours.contains(shown(zone, minute(n)))).collect()
}

/// Whether each minute from `from` on is open, by the edges.
fn replayed(edges: &[Edge], line: LineId, from: Timestamp) -> Vec<bool> {
    let turns: BTreeMap<i64, bool> = edges
        .iter()
        .filter_map(|edge| match edge.what {
            EdgeKind::LineOpens(id) => (id == line).then_some((edge.wall_us, true)),
            EdgeKind::LineCloses(id) => (id == line).then_some((edge.wall_us, false)),
            EdgeKind::ShiftStarts { .. } => None,
        })
        .collect();
    let minutes = i64::from(DAYS) * 24 * 60;
    let state = |n: i64| *turns.range(..=from.as_microsecond() + n * 60_000_000).next_back().unwrap().1;
    (0..minutes).map(state).collect()
}

fn written(edges: &[Edge], line: &str, zone: &str) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    edges
        .iter()
        .filter_map(|edge| {
            let (word, of) = match edge.what {
                EdgeKind::LineOpens(of) => ("opens", of),
                EdgeKind::LineCloses(of) => ("closes", of),
                EdgeKind::ShiftStarts { .. } => return None,
            };
            let wall = Timestamp::from_microsecond(edge.wall_us).unwrap().to_zoned(zone.clone());
            (of == id(line)).then(|| format!("{} {word}", wall.strftime("%a %d %H:%M %z")))
        })
        .collect()
}

fn weekly(text: &str) -> Hours {
    let text = plan::HOSPITAL.replacen("[lines.duty]\n", &format!("[lines.duty]\nhours = {text}\n"), 1);
    plan::parse("hospital.toml", &text).unwrap_or_else(|e| panic!("{e}")).plan.lines[&id("duty")]
        .hours
        .clone()
}

#[test]
fn a_week_in_shanghai() {
    let plan = plan_with("Asia/Shanghai", weekly("[\"Fri 08:00-17:30\", \"Sat 22:00-02:00\"]"));
    // A Thursday, 10:00 in Shanghai.
    let from = at("2026-01-01T02:00:00Z");
    let edges = edges(&plan, from, anchor_at(from), 4).unwrap();
    let expected = [
        "Thu 01 10:00 +0800 closes",
        "Fri 02 08:00 +0800 opens",
        "Fri 02 17:30 +0800 closes",
        "Sat 03 22:00 +0800 opens",
        "Sun 04 02:00 +0800 closes",
    ];
    assert_eq!(written(&edges, "duty", "Asia/Shanghai"), expected);
    assert_eq!(written(&edges, "emergency", "Asia/Shanghai"), ["Thu 01 10:00 +0800 opens"]);
    assert!(edges.is_sorted());
}

#[test]
fn the_hour_that_summer_time_leaves_out_and_the_one_it_repeats() {
    let zone = "Europe/Berlin";
    let plan = plan_with(zone, weekly("[\"Sun 02:15-02:45\", \"Sun 02:50-04:00\"]"));
    let from = at("2026-03-28T23:00:00Z");
    let spring = edges(&plan, from, anchor_at(from), 1).unwrap();
    let expected = ["Sun 29 00:00 +0100 closes", "Sun 29 03:00 +0200 opens", "Sun 29 04:00 +0200 closes"];
    assert_eq!(written(&spring, "duty", zone), expected);

    let plan = plan_with(zone, weekly("\"Sun 01:00-02:30\""));
    let from = at("2026-10-24T22:00:00Z");
    let autumn = edges(&plan, from, anchor_at(from), 1).unwrap();
    let expected = [
        "Sun 25 00:00 +0200 closes",
        "Sun 25 01:00 +0200 opens",
        "Sun 25 02:30 +0200 closes",
        "Sun 25 02:00 +0100 opens",
        "Sun 25 02:30 +0100 closes",
    ];
    assert_eq!(written(&autumn, "duty", zone), expected);
}

#[test]
fn site_time_runs_beside_the_wall() {
    let plan = plan_with("Asia/Shanghai", weekly("\"Fri 08:00-17:30\""));
    let from = at("2026-01-01T02:00:00.25Z");
    let anchor = Anchor { site: SiteTime(5_000_000), wall: at("2026-01-01T01:59:59Z") };
    let edges = edges(&plan, from, anchor, 2).unwrap();
    assert!(edges[..7].iter().all(|e| e.at == SiteTime(6_250_000)), "one per line at the start: {edges:?}");
    for edge in &edges {
        let wall_ahead = edge.wall_us - anchor.wall.as_microsecond();
        assert_eq!(i64::try_from(edge.at.0).unwrap() - 5_000_000, wall_ahead);
    }
    let opening = edges.iter().find(|e| e.wall_us == at("2026-01-02T00:00:00Z").as_microsecond()).unwrap();
    assert_eq!(opening.what, EdgeKind::LineOpens(id("duty")));
}

#[test]
fn what_cannot_be_expanded_is_said() {
    let plan = plan_with("Asia/Shanghai", Hours::Always);
    let from = at("2026-01-01T00:00:00Z");
    assert_eq!(edges(&plan, from, anchor_at(from), 400), Err(ScheduleError::TooFar(400)));
    let nowhere = plan_with("Mars/Olympus", Hours::Always);
    let unknown = ScheduleError::UnknownZone("Mars/Olympus".into());
    assert_eq!(edges(&nowhere, from, anchor_at(from), 1), Err(unknown));
    let last = Timestamp::MAX;
    assert_eq!(edges(&plan, last, anchor_at(last), 1), Err(ScheduleError::BeyondCalendar));
}

fn hours() -> impl Strategy<Value = Hours> {
    let minutes = proptest::collection::btree_set(0..=MINUTES_PER_WEEK, 2..40);
    let quarters = proptest::collection::btree_set(0..=MINUTES_PER_WEEK / 15, 2..40)
        .prop_map(|set| set.into_iter().map(|n| n * 15).collect());
    prop_oneof![minutes, quarters].prop_map(|ends: std::collections::BTreeSet<u16>| {
        let ends: Vec<u16> = ends.into_iter().collect();
        Hours::Weekly(ends.chunks_exact(2).map(|w| Window { from: w[0], to: w[1] }).collect())
    })
}

/// Moments a few days before the clocks change, and anywhere else.
fn moment() -> impl Strategy<Value = i64> {
    let changes = [
        "2026-03-29T01:00:00Z", // Berlin forward
        "2026-10-25T01:00:00Z", // Berlin back
        "2026-03-08T07:00:00Z", // New York forward
        "2026-11-01T06:00:00Z", // New York back
        "2026-04-04T15:00:00Z", // Lord Howe back, by half an hour
        "2011-12-30T10:00:00Z", // Apia loses a day
    ];
    let changes: Vec<i64> = changes.iter().map(|t| at(t).as_second()).collect();
    prop_oneof![
        4 => (proptest::sample::select(changes), 0..8 * 24 * 60_i64).prop_map(|(t, back)| t - back * 60),
        1 => (-1_000_000..1_500_000_i64).prop_map(|n| n * 60 * 17),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn edges_agree_with_the_clock_on_the_wall(
        hours in hours(),
        from in moment(),
        zone in proptest::sample::select(vec![
            "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
            "Asia/Kathmandu", "UTC",
        ]),
    ) {
        let from = Timestamp::from_second(from).unwrap();
        let plan = plan_with(zone, hours.clone());
        let edges = edges(&plan, from, anchor_at(from), DAYS).unwrap();
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
        prop_assert_eq!(replayed(&edges, id("duty"), from), naive(&zone, &hours, from));
        prop_assert!(edges.is_sorted());
        prop_assert!(edges.iter().all(|e| e.wall_us >= from.as_microsecond()));
        let duty = written(&edges, "duty", "UTC");
        prop_assert!(duty.windows(2).all(|w| w[0].ends_with("opens") != w[1].ends_with("opens")), "{:?}", duty);
    }
}
