//! The plan that comes with the product.

use std::collections::BTreeSet;

use switchboard::call::Class;
use switchboard::plan::{Hours, Trigger, Who};
use switchboard::time::Span;

fn hospital() -> plan::ParsedPlan {
    plan::parse("hospital.toml", plan::HOSPITAL).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn it_is_a_plan_without_doubts() {
    let parsed = hospital();
    let doubts: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
    assert!(doubts.is_empty(), "{}", doubts.join("\n\n"));
    assert_eq!(parsed.text, plan::HOSPITAL);
}

#[test]
fn six_public_lines_round_the_clock_and_a_staff_line() {
    let plan = hospital().plan;
    let public = ["comfort", "duty", "emergency", "outpatient-1", "outpatient-2", "switchboard"];
    let published: Vec<&str> =
        plan.lines.iter().filter(|(_, l)| !l.numbers.is_empty()).map(|(id, _)| id.as_str()).collect();
    assert_eq!(published, public);
    for id in public {
        assert_eq!(plan.lines[&id.parse().unwrap()].hours, Hours::Always, "{id}");
    }
    let emergency = &plan.lines[&"emergency".parse().unwrap()];
    let staff = &plan.lines[&"staff".parse().unwrap()];
    assert_eq!((emergency.class, staff.class), (Class::Emergency, Class::Background));
    assert_eq!(emergency.staff_to, Some("staff".parse().unwrap()));
    assert_eq!(emergency.ring, Span::secs(10));
    assert_eq!(plan.lines[&"duty".parse().unwrap()].ring, Span::secs(15));
    assert!(staff.numbers.is_empty());
}

#[test]
fn the_default_ladder() {
    let plan = hospital().plan;
    let ladder = &plan.lines[&"duty".parse().unwrap()].tiers;
    let wait = |secs| Trigger::Wait(Span::secs(secs));
    let expected: Vec<(Who, Vec<Trigger>)> = vec![
        (Who::Own, vec![]),
        (Who::Team("professionals".parse().unwrap()), vec![Trigger::Busy]),
        (Who::Team("volunteers".parse().unwrap()), vec![Trigger::Busy, wait(10)]),
        (Who::Team("youth".parse().unwrap()), vec![wait(20)]),
        (Who::OtherLines, vec![wait(30)]),
        (Who::Outside { destination: "duty-phone".parse().unwrap(), ring: Span::secs(30) }, vec![wait(90)]),
        (Who::Closing, vec![Trigger::Empty, wait(900)]),
    ];
    let written: Vec<(Who, Vec<Trigger>)> = ladder.iter().map(|t| (t.who, t.when.clone())).collect();
    assert_eq!(written, expected);
}

#[test]
fn every_number_is_fictitious_and_every_rung_one_asks_for_key_1() {
    let plan = hospital().plan;
    let mut seen = BTreeSet::new();
    for destination in plan.destinations.values() {
        assert!(destination.number.starts_with("021-5550-01"), "{}", destination.number);
        assert!(seen.insert(&destination.number), "{} stands twice", destination.number);
    }
    assert!(plan.destinations[&"duty-phone".parse().unwrap()].press_one);
}
