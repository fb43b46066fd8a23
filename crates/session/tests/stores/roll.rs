//! The roll of the routers.

use session::{Roll, RollEntry, Writer};
use switchboard::id::SiteId;

/// Runs the whole suite on a fresh store.
pub(crate) async fn suite(roll: &dyn Roll) {
    let (main, north) = (site("main"), site("north"));
    let (first, second) = (entry("b", 1, "desk ana"), entry("a", 1, ""));
    assert_eq!(roll.call(main, &first).await, Ok(vec![]), "not one's own");
    assert_eq!(roll.call(main, &second).await, Ok(vec![first]));
    assert_eq!(roll.call(north, &entry("c", 1, "")).await, Ok(vec![]), "sites are apart");
    let later = entry("b", 2, "desk ana\ngateway 热线 4\n");
    assert_eq!(roll.call(main, &later).await, Ok(vec![second.clone()]));
    assert_eq!(
        roll.call(main, &entry("c", 1, "")).await,
        Ok(vec![second, later]),
        "the last of each, by name"
    );
    let anew = entry("b", 1, "");
    roll.call(main, &anew).await.expect("called");
    let told = roll.call(main, &entry("c", 2, "")).await.expect("called");
    assert_eq!(told[1], anew, "also of one that counts from the beginning");
}

pub(crate) fn entry(router: &str, beat: u64, held: &str) -> RollEntry {
    RollEntry { router: Writer::new(router), beat, held: held.to_owned() }
}

fn site(name: &str) -> SiteId {
    name.parse().expect("a name")
}
