//! Changes of one person at two routers at once.

use api::v1;

use super::{Store, until};
use crate::hospital::reason;

/// Neither router has heard of the other's change when it is asked: the journal tells the second one.
#[tokio::test]
async fn of_two_changes_of_a_person_at_two_routers_at_once_one_is_made() {
    let (a, b) = Store::new().both(None).await;
    a.add("ana").await;
    let list = v1::ListOperatorsRequest::default;
    until(async || !b.admin.send(list()).await.expect("a page").operators.is_empty()).await;
    let mut known = b.admin.send(list()).await.expect("a page").operators.remove(0).profile;
    for (team, skill) in [("youth", "cantonese"), ("volunteers", "shanghainese")] {
        let seen = known.clone().expect("what is known");
        let change = |profile: v1::OperatorProfile| v1::ChangeOperatorRequest {
            operator_id: "ana".into(),
            profile: Some(profile),
            expected: Some(seen.clone()),
            ..Default::default()
        };
        let in_a_team = v1::OperatorProfile { team_ids: vec![team.into()], ..seen.clone() };
        let with_a_skill = v1::OperatorProfile { skill_ids: vec![skill.into()], ..seen.clone() };
        let (one, other) =
            tokio::join!(a.admin.send(change(in_a_team.clone())), b.admin.send(change(with_a_skill.clone())));
        let (done, refused) = match (one, other) {
            (Ok(_), Err(status)) => (in_a_team, status),
            (Err(status), Ok(_)) => (with_a_skill, status),
            both => panic!("one of them is first: {both:?}"),
        };
        assert_eq!(reason(&refused), "PROFILE_CONFLICT");
        known = Some(done);
        for router in [&a, &b] {
            let so = async || {
                router.admin.send(list()).await.expect("a page").operators.remove(0).profile == known
            };
            until(so).await;
        }
    }
}
