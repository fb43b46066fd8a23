use switchboard::call::Class;
use switchboard::event::Event;
use switchboard::operator::Device;
use switchboard::plan::{Trigger, Who};
use switchboard::time::Span;

use crate::site::{Site, call, line, op, plan, tier};

fn two_lines() -> Site {
    let volunteers = tier(Who::Team("volunteers".parse().unwrap()), &[Trigger::Busy]);
    let others = tier(Who::OtherLines, &[Trigger::Wait(Span::secs(30))]);
    let lines = vec![
        ("clinic", line(Class::Normal, vec![volunteers.clone(), others])),
        ("emergency", line(Class::Emergency, vec![volunteers])),
    ];
    Site::new(plan(lines))
}

#[test]
fn a_busy_line_overflows_to_volunteers_at_once() {
    let mut site = two_lines();
    site.on_duty("ana", &["clinic"], &[], Device::AutoAnswer);
    site.on_duty("ben", &[], &["volunteers"], Device::AutoAnswer);
    site.arrives(1, "clinic");
    site.arrives(2, "clinic");
    assert_eq!(site.offer("ana").map(|o| o.call), Some(call(1)));
    assert_eq!(site.offer("ben").map(|o| o.call), Some(call(2)));
    assert!(site.heard.contains(&Event::TierOpened { call: call(2), tier: 1, trigger: Trigger::Busy }));
}

#[test]
fn a_ring_nobody_answers_cools_down_and_goes_on_to_the_next() {
    let mut site = two_lines();
    site.on_duty("ana", &["clinic"], &[], Device::AutoAnswer);
    site.on_duty("ben", &[], &["volunteers"], Device::AutoAnswer);
    site.arrives(1, "clinic");
    site.delivered("ana");
    site.later(15);
    assert_eq!(site.offer("ben").map(|o| o.call), Some(call(1)));
    assert!(site.board.operator(op("ana")).unwrap().cool_until.is_some());
    site.later(20);
    assert!(site.board.operator(op("ana")).unwrap().cool_until.is_none());
}

#[test]
fn a_lending_line_keeps_its_guard() {
    let mut site = two_lines();
    site.on_duty("eve", &["emergency"], &[], Device::AutoAnswer);
    site.on_duty("ana", &["clinic"], &[], Device::AutoAnswer);
    site.arrives(1, "clinic");
    site.connects("ana");
    site.arrives(2, "clinic");
    site.later(40);
    assert_eq!(site.offer("eve"), None, "one idle own operator is what the emergency line keeps");
    site.on_duty("fay", &["emergency"], &[], Device::AutoAnswer);
    assert_eq!(
        site.offer("eve").map(|o| o.call),
        Some(call(2)),
        "idle longest among the two that may be lent"
    );
}
