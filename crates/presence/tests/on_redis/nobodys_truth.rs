//! L14: Redis empty, stopped, cut off or lying changes nothing about who is reported. The same day is lived through by a
//! tracker that never heard of Redis and by one that is shown in a Redis to which everything bad happens; every answer
//! of theirs is the same.

use std::time::{Duration, Instant};

use presence::{
    Contact, HEARTBEAT, HeldElsewhere, Presence, Redis, RedisFault, RedisPresence, Renewal, Tracker,
};
use switchboard::id::Seq;

use crate::cut::Wire;
use crate::hospital::{FREE, LINKS, WHO, at, desk, free, gateway, north};
use crate::servers::{Server, stands, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_emptied_again_and_again_changes_nothing() {
    let server = Server::start().await;
    let (redis, presence) = router(&format!("redis://127.0.0.1:{}", server.port));
    stands(&redis, |health| health.writing.is_up()).await;
    live_a_day_like_a_tracker(&presence, |_| server.tell(&["FLUSHALL"]));
    server.tell(&["FLUSHALL"]);
    until("everything is there again", async || server.field(WHO, "desk:ana").is_some()).await;
    until("who is free as well", async || server.field(FREE, "all").as_deref() == Some("ana")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_changes_nothing_and_holds_nobody_up() {
    let server = Server::start().await;
    let (redis, presence) = router(&format!("redis://127.0.0.1:{}", server.port));
    stands(&redis, |health| health.writing.is_up()).await;
    server.pause();
    let asked = Instant::now();
    presence.show_free(free(800, &["ana"]));
    stands(&redis, |health| {
        matches!(health.writing, Contact::Down { fault: RedisFault::Slow { limit_ms: 250 }, .. })
    })
    .await;
    let waited = asked.elapsed();
    assert!(waited < Duration::from_secs(1), "an answer was waited for {waited:?}");
    live_a_day_like_a_tracker(&presence, |_| {});
    stands(&redis, |health| !health.writing.is_up() && !health.hearing.is_up()).await;
    server.go_on();
    until("everything is there again", async || server.field(WHO, "desk:ana").is_some()).await;

    server.tell(&["FLUSHALL"]);
    server.tell(&["CLIENT", "PAUSE", "2000", "ALL"]);
    presence.show_free(free(900, &["ana"]));
    stands(&redis, |health| !health.writing.is_up()).await;
    stands(&redis, |health| health.writing.is_up()).await;
    until("and after a pause of its own", async || server.field(WHO, "desk:ana").is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_cut_off_from_one_router_changes_nothing() {
    let server = Server::start().await;
    let wire = Wire::to(server.port).await;
    let (cut_off, presence) = router(&format!("redis://127.0.0.1:{}", wire.port));
    let (_near, other) = router(&format!("redis://127.0.0.1:{}", server.port));
    stands(&cut_off, |health| health.writing.is_up() && health.hearing.is_up()).await;
    wire.cut();
    live_a_day_like_a_tracker(&presence, |_| {});
    live_a_day_like_a_tracker(&other, |_| {});
    stands(&cut_off, |health| !health.writing.is_up() && !health.hearing.is_up()).await;
    server.tell(&["FLUSHALL"]);
    wire.mend();
    stands(&cut_off, |health| health.writing.is_up() && health.hearing.is_up()).await;
    until("everything is there again", async || server.field(WHO, "desk:ana").is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_lies_changes_nothing_and_is_corrected() {
    let server = Server::start().await;
    let (redis, presence) = router(&format!("redis://127.0.0.1:{}", server.port));
    stands(&redis, |health| health.writing.is_up() && health.hearing.is_up()).await;
    let stranger = r#"{"router":"nobody","desk":"x","session":99}"#;
    live_a_day_like_a_tracker(&presence, |turn| match turn % 6 {
        0 => {
            server.tell(&["DEL", LINKS]);
            server.tell(&["ZADD", LINKS, "1", "desk:ana", "99999999999999", "desk:ghost"]);
        }
        1 => server.tell(&["HSET", WHO, "desk:ana", stranger, "gateway:main-1", "not even JSON"]),
        2 => server.tell(&["DEL", LINKS]),
        3 => {
            server.tell(&["DEL", FREE]);
            server.tell(&["HSET", FREE, "seq", "999999999999", "all", "ghost", "line:info", "ghost"]);
        }
        4 => server.tell(&["PUBLISH", "hotline:{north}:seq", "18446744073709551615"]),
        _ => {
            server.tell(&["SET", LINKS, "not even a set"]);
            server.tell(&["SET", FREE, "not even a hash"]);
        }
    });
    server.tell(&["SET", LINKS, "not even a set"]);
    server.tell(&["SET", WHO, "not even a hash"]);
    server.tell(&["DEL", FREE]);
    server.tell(&["HSET", FREE, "seq", "999999999999", "all", "ghost"]);
    until("who holds what is true again", async || {
        let holder: redis::RedisResult<Option<String>> = server.ask(&["HGET", WHO, "desk:ana"]);
        holder.is_ok_and(|holder| holder.is_some_and(|holder| holder.contains("router-a")))
    })
    .await;
    until("and who is free", async || {
        let all: redis::RedisResult<Option<String>> = server.ask(&["HGET", FREE, "all"]);
        all.is_ok_and(|all| all.as_deref() == Some("ana"))
    })
    .await;
    assert_eq!(presence.free(), free(900, &["ana"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_hint_is_only_a_reason_to_look() {
    let server = Server::start().await;
    let (redis, presence) = router(&format!("redis://127.0.0.1:{}", server.port));
    stands(&redis, |health| health.hearing.is_up()).await;
    let mut hints = presence.hints().expect("they come by Redis");
    server.tell(&["PUBLISH", "hotline:{north}:seq", "18446744073709551615"]);
    hints.wait_for(|seq| *seq == Seq(u64::MAX)).await.unwrap();
    server.tell(&["PUBLISH", "hotline:{north}:seq", "7"]);
    hints.wait_for(|seq| *seq == Seq(7)).await.unwrap();
}

/// Lives through the same as a tracker of its own and compares every answer; something bad happens between any two.
fn live_a_day_like_a_tracker(presence: &RedisPresence, mut bad: impl FnMut(u64)) {
    let tracker = Tracker::among_routers(Renewal::Heartbeats);
    let both: [&dyn Presence; 2] = [presence, &tracker];
    let mut turns = 0;
    let mut same = |ask: &dyn Fn(&dyn Presence) -> String| {
        bad(turns);
        turns += 1;
        let [shown, alone] = both.map(ask);
        assert_eq!(shown, alone, "turn {turns}");
        shown
    };
    for holder in [desk("ana"), desk("ben"), gateway()] {
        same(&|p| format!("{:?}", p.attached(at(0), holder)));
        same(&|p| format!("{:?}", p.open(at(0), holder).is_ok()));
    }
    same(&|p| format!("{:?}", p.attached_elsewhere(at(0), desk("far"))));
    let mut reported = String::new();
    for beat in 0..60 {
        let now = at(beat * HEARTBEAT.as_secs());
        let elsewhere = [HeldElsewhere { holder: desk("far"), heard_at: now }];
        same(&|p| format!("{:?}", p.roll_called(now, &elsewhere)));
        same(&|p| format!("{:?}", p.renew(now, desk("ana"))));
        if beat < 20 {
            same(&|p| format!("{:?}", p.renew(now, desk("ben"))));
        }
        same(&|p| format!("{:?} {:?}", p.next_end(), p.next_roll()));
        same(&|p| format!("{:?}", p.held(now)));
        reported.push_str(&same(&|p| format!("{:?}", p.take_ended(now))));
        same(&|p| {
            p.show_free(free(841 + beat, &["ana"]));
            format!("{:?}", p.free())
        });
    }
    assert!(reported.contains("ben"), "whoever fell silent is reported: {reported}");
    for connected in ["ana", "far", "main-1"] {
        assert!(!reported.contains(connected), "{connected} was connected all the time: {reported}");
    }
}

fn router(address: &str) -> (Redis, RedisPresence) {
    let redis = Redis::start(address.parse().expect("an address"), "router-a");
    let presence = redis.presence(north(), Tracker::among_routers(Renewal::Heartbeats));
    (redis, presence)
}
