//! Callers and their references, and how they are forgotten.

use session::{CallerNumber, Callers, Erasure, Subjects};
use switchboard::id::SiteId;
use uuid::Uuid;

/// Runs the whole suite on fresh stores, one with random references and one whose references follow from a seed.
pub(crate) async fn suite<C: Callers + Subjects>(random: &C, seeded: &C) {
    for callers in [random, seeded] {
        references(callers).await;
        are_forgotten(callers).await;
    }
}

async fn references(callers: &dyn Callers) {
    let (north, number) = (site("north"), CallerNumber::received);
    let first = callers.reference(north, &number("+86 138-0013-8000")).await.expect("a reference");
    assert_eq!(callers.reference(north, &number("+8613800138000")).await, Ok(first));
    let other = callers.reference(north, &number("+8613800138001")).await.expect("a reference");
    let elsewhere = callers.reference(site("south"), &number("+8613800138000")).await.expect("a reference");
    let withheld = callers.reference(north, &CallerNumber::withheld()).await.expect("a reference");
    let again = callers.reference(north, &CallerNumber::withheld()).await.expect("a reference");
    let all = std::collections::BTreeSet::from([first, other, elsewhere, withheld, again]);
    assert_eq!(all.len(), 5);
    let odd = callers.reference(north, &number("sip:ward3\0@hospital")).await.expect("nobody is refused");
    assert_eq!(callers.reference(north, &number("sip:ward3\0@hospital")).await, Ok(odd));
}

async fn are_forgotten<C: Callers + Subjects>(callers: &C) {
    let (ana, bo) = (CallerNumber::received("13800138000"), CallerNumber::received("13800138001"));
    let first = callers.reference(main(), &ana).await.expect("a reference");
    let other = callers.reference(main(), &bo).await.expect("a reference");
    assert_eq!(Subjects::number(callers, main(), first).await, Ok(Some(ana.clone())));
    assert_eq!(callers.known(main(), &ana).await, Ok(Some(first)));
    assert_eq!(callers.known(main(), &CallerNumber::withheld()).await, Ok(None));
    assert_eq!(callers.known(main(), &CallerNumber::received("1")).await, Ok(None), "and none is made");

    assert_eq!(callers.forget(main(), &[first]).await, Ok(1));
    assert_eq!(callers.forget(main(), &[first]).await, Ok(0));
    assert_eq!(Subjects::number(callers, main(), first).await, Ok(None));
    assert_eq!(callers.known(main(), &ana).await, Ok(None));
    let again = callers.reference(main(), &ana).await.expect("a reference");
    assert_ne!(again, first, "a new caller");
    assert_eq!(Subjects::number(callers, main(), again).await, Ok(Some(ana)));
    assert_eq!(callers.reference(main(), &bo).await, Ok(other), "nobody else is forgotten");

    let erasure = |n: u128, asked_us| Erasure {
        id: Uuid::from_u128(n),
        caller: other,
        asked_by: "ana".to_owned(),
        asked_us,
        expires_us: asked_us + 10,
        ended: None,
    };
    for erasure in [erasure(3, 5), erasure(2, 6), erasure(1, 1)] {
        callers.keep_erasure(main(), &erasure).await.expect("kept");
    }
    assert_eq!(callers.erasures(main(), 12, 9).await, Ok(vec![erasure(3, 5), erasure(2, 6)]));
    assert_eq!(callers.erasures(main(), 12, 1).await, Ok(vec![erasure(3, 5)]));
    callers.end_erasure(main(), Uuid::from_u128(3), "bo", 12).await.expect("kept");
    callers.end_erasure(main(), Uuid::from_u128(3), "eve", 13).await.expect("nothing left to end");
    let ended = Erasure { ended: Some(("bo".to_owned(), 12)), ..erasure(3, 5) };
    assert_eq!(callers.erasure(main(), Uuid::from_u128(3)).await, Ok(Some(ended)));
    assert_eq!(callers.erasure(main(), Uuid::from_u128(9)).await, Ok(None));
    assert_eq!(callers.erasures(main(), 12, 9).await, Ok(vec![erasure(2, 6)]));
}

fn main() -> SiteId {
    site("main")
}

fn site(name: &str) -> SiteId {
    name.parse().expect("a name")
}
