use switchboard::call::Class;
use switchboard::command::Command;
use switchboard::decision::Reply;
use switchboard::id::{DeskId, DeskSession};
use switchboard::operator::{Device, Link};
use switchboard::plan::{Trigger, Who};
use switchboard::rejection::Rejection;
use uuid::Uuid;

use crate::site::{Site, line, op, plan, tier};

/// Ana's desk did not show an offer in time.
fn ana_in_grace() -> (Site, DeskSession) {
    let volunteers = tier(Who::Team("volunteers".parse().unwrap()), &[Trigger::Busy]);
    let mut site = Site::new(plan(vec![("clinic", line(Class::Normal, vec![volunteers]))]));
    site.on_duty("ana", &["clinic"], &[], Device::AutoAnswer);
    site.arrives(1, "clinic");
    site.later(3);
    assert!(matches!(link(&site), Link::Grace { .. }));
    let session = site.session("ana");
    (site, session)
}

#[test]
fn a_desk_in_grace_that_says_it_is_there_is_back_in_its_session() {
    let (mut site, session) = ana_in_grace();
    let renew = Command::RenewDesk { operator: op("ana"), session };
    assert_eq!(site.operator("ana", renew.clone()), Ok(Reply::Session { session }));
    assert_eq!(link(&site), Link::Online);
    let again = site.operator("ana", renew);
    assert_eq!(again, Err(Rejection::AlreadyDone(Reply::Session { session })));
}

#[test]
fn a_desk_that_was_taken_over_takes_nothing_back_by_saying_it_is_there() {
    let (mut site, session) = ana_in_grace();
    let other = DeskId(Uuid::from_u128(8));
    site.operator("ana", Command::AttachDesk { operator: op("ana"), desk: other }).unwrap();
    let late = site.operator("ana", Command::RenewDesk { operator: op("ana"), session });
    assert_eq!(late, Err(Rejection::StaleSession));
    assert_eq!(site.board.operator(op("ana")).unwrap().desk, Some(other));
}

#[test]
fn only_whose_desk_it_is_can_say_so() {
    let (mut site, session) = ana_in_grace();
    site.on_duty("ben", &["clinic"], &[], Device::AutoAnswer);
    let said = site.operator("ben", Command::RenewDesk { operator: op("ana"), session });
    assert_eq!(said, Err(Rejection::NotYours));
}

fn link(site: &Site) -> Link {
    site.board.operator(op("ana")).unwrap().link
}
