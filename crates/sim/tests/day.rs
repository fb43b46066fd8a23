//! A hospital's day through the pure switchboard.

use sim::day::{self, Day};
use sim::world::WorldConfig;
use switchboard::event::Event;
use switchboard::ledger::OutcomeKind;
use switchboard::plan::Plan;

fn hospital() -> Plan {
    plan::parse("hospital.toml", plan::HOSPITAL).expect("the plan that comes with the product is one").plan
}

fn play(seed: u64, calls: u32, surge: u32) -> Day {
    let plan = hospital();
    day::play(WorldConfig::hospital(&plan, seed, calls, surge), &plan)
}

#[test]
fn a_day_balances_and_is_like_a_day() {
    let day = play(1, 4_000, 1);
    let total = day.ledger.total();
    assert!(day.ledger.is_balanced(day.switchboard.state()));
    assert_eq!(day.tally.first_attempts, 4_000);
    assert_eq!(total.arrived, day.tally.first_attempts + day.tally.redials);
    // The middle of the knee: most are answered, and pooling by overflow does it.
    let answered_percent = total.answered * 100 / total.arrived;
    assert!((80..99).contains(&answered_percent), "{answered_percent} % answered");
    assert!(total.overflowed > total.arrived / 4, "{} overflowed", total.overflowed);
    assert!(!total.outcomes.contains_key(&OutcomeKind::Failed));
    let arrived = |line: &str| day.ledger.lines()[&line.parse().unwrap()].arrived;
    assert!((1_950..2_350).contains(&arrived("switchboard")), "{}", arrived("switchboard"));
}

#[test]
fn the_same_seed_is_the_same_day() {
    let (first, second, other) = (play(7, 400, 1), play(7, 400, 1), play(8, 400, 1));
    assert_eq!(first.ledger, second.ledger);
    assert_eq!(first.script, second.script);
    assert_ne!(first.ledger.hash(), other.ledger.hash());
}

#[test]
fn a_surge_is_more_of_the_same() {
    let day = play(3, 400, 10);
    assert_eq!(day.tally.first_attempts, 4_000);
    assert!(day.ledger.is_balanced(day.switchboard.state()));
}

#[test]
fn everything_that_can_happen_on_a_day_does() {
    let plan = hospital();
    let mut drive = sim::drive::Drive::new(
        sim::world::World::new(WorldConfig::hospital(&plan, 2, 4_000, 1), &plan),
        &plan,
        switchboard::time::SiteTime(0),
    );
    let mut seen = std::collections::BTreeSet::new();
    let end = drive.world.end();
    drive.run(end, |decision, _| seen.extend(decision.events.iter().map(kind)));
    let expected = [
        "CallArrived",
        "CallMoved",
        "SkillChosen",
        "TierOpened",
        "CallRequeued",
        "CallDiverted",
        "DivertConnected",
        "DivertFailed",
        "CallClosed",
        "OfferMade",
        "OfferDelivered",
        "OfferAccepted",
        "OfferDeclined",
        "OfferRangOut",
        "OfferUndeliverable",
        "OfferWithdrawn",
        "BridgeFailed",
        "LateAcceptNoted",
        "CallConnected",
        "ConsultConnected",
        "CallHeld",
        "CallRetrieved",
        "CallTransferred",
        "TransferCompleted",
        "OperatorAdded",
        "DeskAttached",
        "DeskDropped",
        "DeskLost",
        "WentOnDuty",
        "OperatorPaused",
        "OperatorResumed",
        "WentOffDuty",
        "CooledDown",
        "WrapUpStarted",
        "WrapUpEnded",
        "OutsideCallStarted",
        "OutsideCallEnded",
        "CallerBlocked",
    ];
    let missing: Vec<&str> = expected.into_iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "a day without {missing:?}");
}

fn kind(event: &Event) -> String {
    format!("{event:?}").split([' ', '(', '{']).next().unwrap_or_default().into()
}
