use switchboard::call::{CallState, EndedBy, Outcome};
use switchboard::command::LegFact;
use switchboard::decision::Reply;
use switchboard::operator::{Device, Work};
use switchboard::plan::{Tier, Trigger, Who};
use switchboard::time::Span;
use switchboard::treatment::{Shape, Wish};

use crate::site::{Site, call, line, op, plan, tier};
use switchboard::call::Class;

fn duty_phone(when: &[Trigger]) -> Tier {
    tier(Who::Outside { destination: "duty-phone".parse().unwrap(), ring: Span::secs(30) }, when)
}

fn one_line() -> Site {
    let ladder = vec![duty_phone(&[Trigger::Wait(Span::secs(90))])];
    Site::new(plan(vec![("clinic", line(Class::Normal, ladder))]))
}

#[test]
fn a_call_goes_from_ring_to_wrap_up() {
    let mut site = one_line();
    site.on_duty("ana", &["clinic"], &[], Device::AutoAnswer);
    site.arrives(1, "clinic");
    assert_eq!(site.state(1), Some(CallState::Offered));
    site.delivered("ana");
    site.later(3);
    let offer = site.offer("ana").unwrap();
    assert_eq!(site.accepts("ana"), Ok(Reply::Accepted { offer }));
    let connect = site.board.treatment(call(1)).unwrap();
    assert_eq!((connect.shape, connect.legs[0].wish), (Shape::Connect, Wish::Up));
    site.bridged(offer);
    assert_eq!(site.state(1), Some(CallState::Connected));
    site.later(100);
    site.hangs_up(1);
    let closed = site.board.closed(call(1)).unwrap();
    assert_eq!(closed.outcome, Outcome::Answered { ended_by: EndedBy::Caller });
    assert!(matches!(site.board.operator(op("ana")).unwrap().work, Work::WrapUp { .. }));
    site.later(20);
    assert_eq!(site.board.operator(op("ana")).unwrap().work, Work::Idle);
}

#[test]
fn picking_up_the_phone_is_the_accept() {
    let mut site = one_line();
    site.on_duty("ana", &["clinic"], &[], Device::Ring);
    site.arrives(1, "clinic");
    let offer = site.offer("ana").unwrap();
    site.leg(offer, LegFact::Ringing);
    site.later(5);
    site.leg(offer, LegFact::Answered);
    assert_eq!(site.state(1), Some(CallState::Connecting));
    site.bridged(offer);
    assert_eq!(site.state(1), Some(CallState::Connected));
}

#[test]
fn two_calls_wait_and_the_older_goes_first() {
    let mut site = one_line();
    site.on_duty("ana", &["clinic"], &[], Device::AutoAnswer);
    site.arrives(1, "clinic");
    site.connects("ana");
    site.later(1);
    site.arrives(2, "clinic");
    site.later(1);
    site.arrives(3, "clinic");
    site.later(1);
    site.hangs_up(1);
    site.later(20);
    assert_eq!(site.offer("ana").map(|o| o.call), Some(call(2)));
}

#[test]
fn with_nobody_on_duty_the_duty_phone_rings_at_once() {
    let mut site = one_line();
    site.arrives(1, "clinic");
    assert_eq!(site.state(1), Some(CallState::Diverting));
    let legs = site.board.treatment(call(1)).unwrap().legs;
    assert!(legs[0].press_one);
}
