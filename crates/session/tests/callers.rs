//! Callers and their references.

use session::{CALLER_NUMBER_LEN_MAX, CallerNumber, Callers, MemoryCallers};
use switchboard::id::SiteId;

#[tokio::test]
async fn a_number_keeps_its_reference() {
    for callers in [MemoryCallers::random(), MemoryCallers::seeded(7)] {
        let first = callers.reference(main(), &CallerNumber::received("+86 138-0013-8000")).await.unwrap();
        let again = callers.reference(main(), &CallerNumber::received("+8613800138000")).await.unwrap();
        let other = callers.reference(main(), &CallerNumber::received("+8613800138001")).await.unwrap();
        let elsewhere = callers.reference(site("north"), &CallerNumber::received("+8613800138000")).await;
        assert_eq!(first, again);
        assert_ne!(first, other);
        assert_ne!(first, elsewhere.unwrap());
    }
}

#[tokio::test]
async fn a_withheld_number_is_somebody_else_each_time() {
    for callers in [MemoryCallers::random(), MemoryCallers::seeded(7)] {
        let first = callers.reference(main(), &CallerNumber::withheld()).await.unwrap();
        let second = callers.reference(main(), &CallerNumber::received("  ")).await.unwrap();
        assert_ne!(first, second);
    }
}

#[tokio::test]
async fn a_seed_gives_the_same_references_in_any_order() {
    let numbers = ["100", "200", "300"].map(CallerNumber::received);
    let (one, two, other) = (MemoryCallers::seeded(7), MemoryCallers::seeded(7), MemoryCallers::seeded(8));
    let mut forward = Vec::new();
    for number in &numbers {
        forward.push(one.reference(main(), number).await.unwrap());
    }
    let mut backward = Vec::new();
    for number in numbers.iter().rev() {
        backward.insert(0, two.reference(main(), number).await.unwrap());
    }
    assert_eq!(forward, backward);
    assert_ne!(forward[0], other.reference(main(), &numbers[0]).await.unwrap());
}

#[tokio::test]
async fn nothing_shows_a_number() {
    let callers = MemoryCallers::random();
    let number = CallerNumber::received("13800138000");
    let reference = callers.reference(main(), &number).await.unwrap();
    let shown = format!("{callers:?} {number:?} {reference:?}");
    assert!(!shown.contains("1380"), "{shown}");
}

#[test]
fn no_caller_is_refused_for_an_odd_number() {
    let long = CallerNumber::received(&"线".repeat(500));
    assert_eq!(long, CallerNumber::received(&"线".repeat(CALLER_NUMBER_LEN_MAX / 3)));
    assert!(!CallerNumber::received("sip:ward3@hospital").is_withheld());
    assert!(CallerNumber::received("").is_withheld());
    assert!(CallerNumber::received("+86 21 6630").begins_with("+8621"));
    assert!(!CallerNumber::withheld().begins_with(""));
}

#[test]
fn only_what_is_digits_and_signs_is_taken_for_a_number() {
    let number = CallerNumber::received;
    assert_eq!(number("(+86) 138-0013.8000"), number("+8613800138000"));
    assert_ne!(number("sip:alice1@hospital"), number("sip:bob1@hospital"));
    assert_ne!(number("sip:alice1@hospital"), number("1"));
    assert!(!number("user-8001").begins_with("8"));
    assert!(!number("8001@elsewhere").begins_with("8"), "an address, whatever it begins with");
    assert_ne!(number("+86+138"), number("+86138"));
    assert_ne!(number("+"), number("-"));
    assert!(!number("-").is_withheld());
}

fn main() -> SiteId {
    site("main")
}

fn site(name: &str) -> SiteId {
    name.parse().expect("a name")
}
