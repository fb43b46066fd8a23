use switchboard::call::Class;
use switchboard::canonical;
use switchboard::command::{Actor, Command, Expected, Input, Profile};
use switchboard::decision::Reply;
use switchboard::id::RequestId;
use switchboard::operator::Device;
use switchboard::rejection::Rejection;
use uuid::Uuid;

use crate::site::{Site, line, op, plan};

/// Ana on duty, and what is known of her.
fn with_ana() -> (Site, Profile) {
    let mut site = Site::new(plan(vec![("clinic", line(Class::Normal, vec![]))]));
    site.on_duty("ana", &["clinic"], &[], Device::Softphone);
    let known = site.board.profile(op("ana")).unwrap();
    (site, known)
}

fn change(profile: &Profile, expected: Option<&Profile>) -> Command {
    let expect = Expected(expected.cloned().map(Box::new));
    Command::ChangeOperator { operator: op("ana"), profile: profile.clone(), expect }
}

fn admin() -> Actor {
    Actor::Admin("admin".parse().unwrap())
}

#[test]
fn a_change_is_made_of_what_was_seen_or_not_at_all() {
    let (mut site, seen) = with_ana();
    let in_a_team = Profile { teams: ["volunteers".parse().unwrap()].into(), ..seen.clone() };
    let with_a_skill = Profile { skills: ["cantonese".parse().unwrap()].into(), ..seen.clone() };
    site.admin(change(&in_a_team, Some(&seen)));
    let late = site.ask(admin(), change(&with_a_skill, Some(&seen)));
    assert_eq!(late, Err(Rejection::ProfileConflict));
    assert_eq!(site.board.profile(op("ana")), Some(in_a_team.clone()));
    let again = site.ask(admin(), change(&in_a_team, Some(&seen)));
    assert_eq!(again, Err(Rejection::AlreadyDone(Reply::Done)), "what is so already is no conflict");
    site.admin(change(&with_a_skill, None));
    assert_eq!(site.board.profile(op("ana")), Some(with_a_skill));
}

#[test]
fn what_a_change_expects_is_stored_and_tells_no_requests_apart() {
    let (mut site, seen) = with_ana();
    let in_a_team = Profile { teams: ["volunteers".parse().unwrap()].into(), ..seen.clone() };
    let with = change(&in_a_team, Some(&seen));
    let without = change(&in_a_team, None);
    assert_eq!(canonical::decode::<Command>(&canonical::encode(&with)).unwrap(), with);
    assert!(!canonical::encode(&without).contains("expect"), "as it was written before");
    let at = site.now;
    let mut ask = |command| {
        let input = Input { actor: admin(), request: Some(RequestId(Uuid::from_u128(9))), command };
        site.board.handle(at, input).map(|decision| decision.reply)
    };
    assert_eq!(ask(with), Ok(Reply::Done));
    assert_eq!(ask(without), Err(Rejection::AlreadyDone(Reply::Done)));
}
