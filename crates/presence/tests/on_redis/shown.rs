//! What stands in Redis, as docs/redis.md promises it.

use std::process::Command;

use presence::{
    Contact, DESK_LEASE, Fenced, GATEWAY_LEASE, Presence, Redis, RedisFault, RedisPresence, Renewal, Tracker,
};
use redis::Value;
use switchboard::id::Seq;

use crate::hospital::{FREE, LINKS, WHO, at, desk, free, gateway, north};
use crate::servers::{Server, free_port, stands, until};

#[tokio::test]
async fn leases_stand_there_with_who_holds_them_and_until_when() {
    let server = Server::start().await;
    let (_redis, presence) = router(&server, "router-a");
    linked(&presence);
    until("both are shown", async || server.field(WHO, "gateway:main-1").is_some()).await;
    assert_eq!(
        server.field(WHO, "desk:ana").as_deref(),
        Some(r#"{"desk":"018f0000-0000-7000-8000-000000000001","router":"router-a","session":1}"#)
    );
    let gateway = server.field(WHO, "gateway:main-1");
    assert_eq!(gateway.as_deref(), Some(r#"{"incarnation":"18446744073709551615","router":"router-a"}"#));
    let now_ms = server_ms(&server);
    for (member, lease) in [("desk:ana", DESK_LEASE), ("gateway:main-1", GATEWAY_LEASE)] {
        let ends_ms: f64 = server.ask(&["ZSCORE", LINKS, member]).expect("it answers");
        assert!(ends_ms > now_ms && ends_ms <= now_ms + (lease.0 / 1_000) as f64, "{member}: {ends_ms}");
    }
    for key in [LINKS, WHO] {
        let lasts_ms: i64 = server.ask(&["PTTL", key]).expect("it answers");
        assert!((1..=60_000).contains(&lasts_ms), "{key} lasts {lasts_ms} ms without a router");
    }
}

#[tokio::test]
async fn who_leaves_is_shown_no_more_unless_another_router_holds_it() {
    let server = Server::start().await;
    let (_redis, presence) = router(&server, "router-a");
    let (desk_stream, gateway_stream) = linked(&presence);
    until("both are shown", async || server.field(WHO, "gateway:main-1").is_some()).await;
    let elsewhere = r#"{"incarnation":"1","router":"router-b"}"#;
    server.tell(&["HSET", WHO, "gateway:main-1", elsewhere]);
    presence.close(at(3), gateway(), gateway_stream);
    presence.close(at(3), desk("ana"), desk_stream);
    until("the desk is gone", async || server.field(WHO, "desk:ana").is_none()).await;
    assert_eq!(server.ask::<Option<f64>>(&["ZSCORE", LINKS, "desk:ana"]).expect("it answers"), None);
    assert_eq!(server.field(WHO, "gateway:main-1").as_deref(), Some(elsewhere), "it is at the other router");
}

#[tokio::test]
async fn who_is_free_stands_there_by_line_and_by_team_and_only_grows_newer() {
    let server = Server::start().await;
    let (_redis, presence) = router(&server, "router-a");
    presence.show_free(free(7, &["ana", "ben"]));
    until("they are shown", async || server.field(FREE, "seq").as_deref() == Some("7")).await;
    for field in ["all", "line:info", "team:day"] {
        assert_eq!(server.field(FREE, field).as_deref(), Some("ana ben"), "{field}");
    }
    let lasts_ms: i64 = server.ask(&["PTTL", FREE]).expect("it answers");
    assert!((1..=10_000).contains(&lasts_ms), "{lasts_ms}");

    // A router that is behind changes nothing, and one that is ahead everything.
    let (_behind, behind) = router(&server, "router-b");
    behind.show_free(free(6, &["cem"]));
    behind.attached(at(0), desk("cem"));
    behind.open(at(0), desk("cem")).expect("it answers");
    until("the other one wrote", async || server.field(WHO, "desk:cem").is_some()).await;
    assert_eq!(server.field(FREE, "all").as_deref(), Some("ana ben"));
    behind.show_free(free(8, &[]));
    until("nobody is free", async || server.field(FREE, "seq").as_deref() == Some("8")).await;
    assert_eq!(server.field(FREE, "line:info"), None);
}

#[tokio::test]
async fn a_hint_makes_another_router_look_and_nonsense_does_not() {
    let server = Server::start().await;
    let (redis_a, a) = router(&server, "router-a");
    let (redis_b, b) = router(&server, "router-b");
    for redis in [&redis_a, &redis_b] {
        stands(redis, |health| health.hearing.is_up() && health.writing.is_up()).await;
    }
    let mut hints = b.hints().expect("they come by Redis");
    a.announce(Seq(41));
    assert_eq!(*hints.wait_for(|seq| *seq == Seq(41)).await.expect("it answers"), Seq(41));
    for nonsense in ["", "-1", "soon", "1e9"] {
        server.tell(&["PUBLISH", "hotline:{north}:seq", nonsense]);
    }
    server.tell(&["PUBLISH", "hotline:{south}:seq", "99"]);
    a.announce(Seq(40));
    a.announce(Seq(42));
    assert_eq!(*hints.wait_for(|seq| *seq != Seq(41)).await.expect("it answers"), Seq(42));
}

#[tokio::test]
async fn a_site_that_comes_later_hears_hints_too() {
    let server = Server::start().await;
    let (redis, _north) = router(&server, "router-a");
    stands(&redis, |health| health.hearing.is_up()).await;
    let south =
        redis.presence("south".parse().expect("it answers"), Tracker::among_routers(Renewal::Heartbeats));
    let mut hints = south.hints().expect("they come by Redis");
    until("it has subscribed", async || {
        let heard: i64 = server.ask(&["PUBLISH", "hotline:{south}:seq", "5"]).expect("it answers");
        heard > 0
    })
    .await;
    assert_eq!(*hints.wait_for(|seq| *seq == Seq(5)).await.expect("it answers"), Seq(5));
}

#[tokio::test]
async fn a_redis_that_is_not_there_holds_nobody_up_and_has_everything_when_it_comes() {
    let port = free_port();
    let redis = Redis::start(format!("redis://127.0.0.1:{port}").parse().expect("it answers"), "router-a");
    let presence = redis.presence(north(), Tracker::new(Renewal::Heartbeats));
    linked(&presence);
    presence.show_free(free(3, &["ana"]));
    let down = |contact: &Contact| matches!(contact, Contact::Down { fault: RedisFault::Unreachable(_), .. });
    stands(&redis, |health| down(&health.writing) && down(&health.hearing)).await;
    presence.renew(at(4), desk("ana")).expect("it answers");
    assert_eq!(presence.take_ended(at(19)), [desk("ana")]);
    assert_eq!(presence.renew(at(19), desk("ana")), Err(Fenced));

    let server = Server::on(port, &[]).await;
    stands(&redis, |health| health.writing.is_up() && health.written_at.is_some()).await;
    until("who is free is shown", async || server.field(FREE, "all").as_deref() == Some("ana")).await;
    until("the gateway is shown", async || server.field(WHO, "gateway:main-1").is_some()).await;
    assert_eq!(server.field(WHO, "desk:ana"), None, "its lease ended meanwhile");
    assert!(redis.health().borrow().faults > 0);
}

#[tokio::test]
async fn what_is_shown_ends_with_the_presence() {
    let server = Server::start().await;
    let (_redis, presence) = router(&server, "router-a");
    linked(&presence);
    until("both are shown", async || server.field(WHO, "gateway:main-1").is_some()).await;
    drop(presence);
    until("nobody is shown", async || !server.exists(LINKS) && !server.exists(WHO)).await;
}

#[tokio::test]
async fn a_stranger_reads_who_is_free_from_redis_alone() {
    let server = Server::start().await;
    let (_redis, presence) = router(&server, "router-a");
    assert_eq!(stranger(&server, "line:info").await, "nothing is shown\n");
    presence.show_free(free(12, &["ana", "ben"]));
    until("they are shown", async || server.exists(FREE)).await;
    assert_eq!(stranger(&server, "line:info").await, "as of decision 12: ana ben\n");
    assert_eq!(stranger(&server, "line:emergency").await, "as of decision 12: nobody\n");
}

/// In another language, with nothing of this project.
async fn stranger(server: &Server, whom: &str) -> String {
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/strangers/who_is_free.py");
    let port = server.port.to_string();
    let mut command = Command::new("python3");
    command.args([reader, "127.0.0.1", &port, "north", whom]);
    let output = command.output().unwrap_or_else(|fault| {
        panic!("missing tool: python3 ({fault})\nto mend it: sudo apt-get install python3")
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

fn router(server: &Server, name: &str) -> (Redis, RedisPresence) {
    let redis = Redis::start(server.address(), name);
    let presence = redis.presence(north(), Tracker::new(Renewal::Heartbeats));
    (redis, presence)
}

fn linked(presence: &RedisPresence) -> (presence::StreamId, presence::StreamId) {
    presence.attached(at(0), desk("ana"));
    presence.attached(at(0), gateway());
    (
        presence.open(at(0), desk("ana")).expect("it answers"),
        presence.open(at(0), gateway()).expect("it answers"),
    )
}

fn server_ms(server: &Server) -> f64 {
    let Value::Array(time) = server.ask(&["TIME"]).expect("it answers") else { panic!("a time") };
    let part = |n: usize| redis::from_redis_value::<f64>(time[n].clone()).expect("a number");
    part(0) * 1_000.0 + part(1) / 1_000.0
}
