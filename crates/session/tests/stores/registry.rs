//! Who may ask and what was written in a plan.

use session::{KeptInvite, KeptRoster, KeptToken, Registry};
use switchboard::canonical::Hash;
use switchboard::id::{Revision, SiteId};

/// Runs the whole suite on a fresh store.
pub(crate) async fn suite(registry: &dyn Registry) {
    let (main, north) = (site("main"), site("north"));
    assert_eq!(registry.tokens(main).await, Ok(vec![]));
    let (first, second) = (token("operator", "ana", "t1", None), token("operator", "ana", "t2", Some(-5)));
    let (admin, elsewhere) = (token("admin", "ana", "t3", None), token("admin", "ana", "t5", Some(7)));
    for kept in [&first, &admin, &second] {
        registry.keep_token(main, kept).await.expect("kept");
    }
    registry.keep_token(north, &elsewhere).await.expect("kept");
    assert_eq!(registry.tokens(main).await, Ok(vec![admin.clone(), second]), "one for each principal");
    registry.forget_token(main, "t2").await.expect("forgotten");
    registry.forget_token(main, "t1").await.expect("nothing to forget");
    assert_eq!(registry.tokens(main).await, Ok(vec![admin.clone()]));
    assert_eq!(registry.keep_first_token(main, &token("admin", "ana", "t6", None)).await, Ok(false));
    let first = token("gateway", "gw-1", "t7", Some(9));
    assert_eq!(registry.keep_first_token(main, &first).await, Ok(true));
    assert_eq!(registry.tokens(main).await, Ok(vec![admin, first]));
    assert_eq!(registry.tokens(north).await, Ok(vec![elsewhere]));

    let (early, late) = (invite("operator", "ana", "i1", 5), invite("operator", "ana", "i2", 9));
    let other = invite("operator", "ben", "i3", 9);
    for kept in [&early, &other, &late] {
        registry.keep_invite(main, kept).await.expect("kept");
    }
    assert_eq!(registry.invite(main, "i1").await, Ok(None), "one for each principal");
    assert_eq!(registry.invite(main, "i2").await, Ok(Some(late)));
    assert_eq!(registry.invite(north, "i2").await, Ok(None));
    assert_eq!(registry.spend_invite(north, "i2").await, Ok(false));
    assert_eq!(registry.spend_invite(main, "i2").await, Ok(true));
    assert_eq!(registry.spend_invite(main, "i2").await, Ok(false), "once");
    assert_eq!(registry.invite(main, "i2").await, Ok(None));
    registry.forget_invite(main, "admin", "ben").await.expect("nothing to forget");
    assert_eq!(registry.invite(main, "i3").await, Ok(Some(other)));
    registry.forget_invite(main, "operator", "ben").await.expect("forgotten");
    assert_eq!(registry.invite(main, "i3").await, Ok(None));

    let (plan, other) = (Hash::of("a plan"), Hash::of("another"));
    registry.keep_plan(main, Revision(1), plan, "# 计划").await.expect("kept");
    registry.keep_plan(main, Revision(2), plan, "the same, later").await.expect("kept");
    registry.keep_plan(main, Revision(2), plan, "the same, other words").await.expect("kept");
    let text =
        async |site, revision, plan| registry.plan(site, Revision(revision), plan).await.expect("readable");
    assert_eq!(text(main, 1, plan).await.as_deref(), Some("# 计划"));
    assert_eq!(text(main, 2, plan).await.as_deref(), Some("the same, other words"));
    assert_eq!(text(main, 1, other).await, None);
    assert_eq!(text(north, 1, plan).await, None);

    registry.keep_plan(main, Revision(2), other, "refused").await.expect("kept");
    registry.settle_plan(main, Revision(2), plan).await.expect("settled");
    assert_eq!(registry.plans(main).await, Ok(vec![(Revision(2), plan), (Revision(1), plan)]));
    assert_eq!(text(main, 2, other).await, None);
    assert_eq!(registry.plans(north).await, Ok(vec![]));

    let roster = |revision, text: &str| KeptRoster { revision, kept_us: 7, text: format!("# 排班 {text}") };
    assert_eq!(registry.roster(main).await, Ok(None));
    assert_eq!(registry.keep_roster(main, &roster(1, "first")).await, Ok(true));
    assert_eq!(registry.keep_roster(main, &roster(1, "of somebody slower")).await, Ok(false));
    assert_eq!(registry.keep_roster(main, &roster(2, "second")).await, Ok(true));
    assert_eq!(registry.roster(main).await, Ok(Some(roster(2, "second"))));
    assert_eq!(registry.roster(north).await, Ok(None));
}

/// What the suite left is still there.
pub(crate) async fn stays(registry: &dyn Registry) {
    assert_eq!(registry.tokens(site("north")).await, Ok(vec![token("admin", "ana", "t5", Some(7))]));
    let text = registry.plan(site("main"), Revision(2), Hash::of("a plan")).await.expect("readable");
    assert_eq!(text.as_deref(), Some("the same, other words"));
}

fn site(name: &str) -> SiteId {
    name.parse().expect("a name")
}

fn invite(role: &str, principal: &str, invite_id: &str, expires_us: i64) -> KeptInvite {
    let (role, principal, invite_id) = (role.to_owned(), principal.to_owned(), invite_id.to_owned());
    KeptInvite { role, principal, invite_id, secret_hash: "00ff".to_owned(), expires_us }
}

fn token(role: &str, principal: &str, token_id: &str, expires_us: Option<i64>) -> KeptToken {
    let (role, principal, token_id) = (role.to_owned(), principal.to_owned(), token_id.to_owned());
    KeptToken { role, principal, token_id, secret_hash: "00ff".to_owned(), expires_us }
}
