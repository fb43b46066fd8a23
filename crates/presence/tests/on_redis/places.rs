//! Where a Redis may be, and what is said when it cannot be used there.

use std::fs;

use presence::{
    Contact, Presence, Redis, RedisAddress, RedisFault, RedisPresence, Renewal, Tracker, look_at_redis,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use redis::Value;
use switchboard::id::Seq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::hospital::{FREE, free, north};
use crate::servers::{Server, free_port, stands, text, until};

#[tokio::test]
async fn a_primary_is_found_by_its_sentinels_also_after_it_died() {
    let primary = Server::start().await;
    let primary_port = primary.port.to_string();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &primary_port]).await;
    until("the replica follows", async || {
        let said: String = replica.ask(&["INFO", "replication"]).unwrap();
        said.contains("master_link_status:up")
    })
    .await;
    let mut sentinels = Vec::new();
    for _ in 0..3 {
        let configuration = format!(
            "sentinel monitor north 127.0.0.1 {primary_port} 2\nsentinel down-after-milliseconds north 500\n\
             sentinel failover-timeout north 3000\n"
        );
        sentinels.push(Server::sentinel(free_port(), &configuration).await);
    }
    until("the Sentinels know each other and the replica", async || {
        sentinels.iter().all(|sentinel| {
            let all: Value = sentinel.ask(&["SENTINEL", "SENTINELS", "north"]).unwrap();
            let replicas: Value = sentinel.ask(&["SENTINEL", "REPLICAS", "north"]).unwrap();
            matches!(all, Value::Array(all) if all.len() == 2)
                && matches!(replicas, Value::Array(replicas) if replicas.len() == 1)
        })
    })
    .await;

    let hosts: Vec<String> = sentinels.iter().map(|s| format!("127.0.0.1:{}", s.port)).collect();
    let address: RedisAddress = format!("redis+sentinel://{}/north", hosts.join(",")).parse().unwrap();
    let (redis, presence) = router(&address);
    let (other_redis, other) = router(&address);
    presence.show_free(free(1, &["ana"]));
    until("it is shown at the primary", async || primary.exists(FREE)).await;

    drop(primary);
    presence.show_free(free(2, &["ben"]));
    until("the replica takes over, and what is free is shown there", async || {
        replica.field(FREE, "all").as_deref() == Some("ben")
    })
    .await;
    for redis in [&redis, &other_redis] {
        stands(redis, |health| health.writing.is_up() && health.hearing.is_up()).await;
    }
    let mut hints = other.hints().expect("they come by Redis");
    presence.announce(Seq(9));
    hints.wait_for(|seq| *seq == Seq(9)).await.unwrap();

    let unknown: RedisAddress = format!("redis+sentinel://{}/south", hosts.join(",")).parse().unwrap();
    let fault = look_at_redis(&unknown).await.unwrap_err();
    assert!(matches!(fault, RedisFault::NoPrimary(_)), "{fault}");
}

#[tokio::test]
async fn a_cluster_of_three_nodes_serves_every_site() {
    let mut nodes = Vec::new();
    for (slots, epoch) in [("0 5460", "1"), ("5461 10922", "2"), ("10923 16383", "3")] {
        let bus = free_port().to_string();
        let node = Server::with(&["--cluster-enabled", "yes", "--cluster-port", &bus]).await;
        let (first, last) = slots.split_once(' ').unwrap();
        node.tell(&["CLUSTER", "SET-CONFIG-EPOCH", epoch]);
        node.tell(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
        nodes.push((node, bus));
    }
    for (node, bus) in &nodes[1..] {
        nodes[0].0.tell(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), bus]);
    }
    until("the cluster serves", async || {
        nodes.iter().all(|(node, _)| {
            let info: String = node.ask(&["CLUSTER", "INFO"]).unwrap();
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
    })
    .await;

    let ports = [nodes[0].0.port, nodes[1].0.port];
    let address: RedisAddress =
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", ports[0], ports[1]).parse().unwrap();
    look_at_redis(&address).await.unwrap();
    let (redis, other_redis) = (Redis::start(address.clone(), "router-a"), Redis::start(address, "router-b"));
    let sites: Vec<_> = (1..=12).map(|n| format!("site-{n}").parse().unwrap()).collect();
    let present = |redis: &Redis| -> Vec<RedisPresence> {
        sites.iter().map(|site| redis.presence(*site, Tracker::new(Renewal::Heartbeats))).collect()
    };
    let (all, others) = (present(&redis), present(&other_redis));
    all.iter().for_each(|presence| presence.show_free(free(1, &["ana"])));
    let shown = |node: &Server| {
        let keys: Vec<String> = node.ask(&["KEYS", "hotline:*:free"]).unwrap();
        keys.len()
    };
    until("every site is shown, and no node shows all", async || {
        let each: Vec<usize> = nodes.iter().map(|(node, _)| shown(node)).collect();
        each.iter().sum::<usize>() == sites.len() && each.iter().all(|shown| *shown > 0)
    })
    .await;
    stands(&other_redis, |health| health.hearing.is_up()).await;
    for (presence, other) in all.iter().zip(&others) {
        let mut hints = other.hints().expect("they come by Redis");
        presence.announce(Seq(4));
        hints.wait_for(|seq| *seq == Seq(4)).await.unwrap();
    }

    let plain = look_at_redis(&nodes[0].0.address()).await;
    assert!(plain.is_ok(), "one node answers by itself: {plain:?}");
    let (one, presence) = router(&nodes[0].0.address());
    let elsewhere = |fault: &RedisFault| *fault == RedisFault::InCluster;
    let others: Vec<_> =
        sites.iter().map(|site| one.presence(*site, Tracker::new(Renewal::Heartbeats))).collect();
    until_down(&one, elsewhere).await;
    drop((presence, others));
}

#[tokio::test]
async fn a_server_without_a_cluster_is_not_taken_for_one() {
    let server = Server::start().await;
    let address: RedisAddress = format!("redis+cluster://127.0.0.1:{}", server.port).parse().unwrap();
    let fault = look_at_redis(&address).await.unwrap_err();
    assert!(matches!(fault, RedisFault::NoCluster), "{fault:?}");
}

#[tokio::test]
async fn tls_by_an_authority_of_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "an authority of the tests");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    fs::write(path("authority"), authority.pem()).unwrap();
    fs::write(path("certificate"), certificate.pem()).unwrap();
    fs::write(path("key"), key.serialize_pem()).unwrap();
    let (plain, port) = (free_port().to_string(), free_port());
    let server = Server::unready(
        port,
        &[
            "--port",
            &plain,
            "--tls-port",
            &port.to_string(),
            "--tls-auth-clients",
            "no",
            "--tls-ca-cert-file",
            text(&path("authority")),
            "--tls-cert-file",
            text(&path("certificate")),
            "--tls-key-file",
            text(&path("key")),
        ],
    );
    let address: RedisAddress = format!("rediss://127.0.0.1:{port}").parse().unwrap();
    let trusting = address.clone().with_authority(authority.pem().as_bytes());
    until("it answers over TLS", async || look_at_redis(&trusting).await.is_ok()).await;
    let (redis, presence) = router(&trusting);
    presence.show_free(free(1, &["ana"]));
    stands(&redis, |health| health.writing.is_up() && health.hearing.is_up()).await;

    let fault = look_at_redis(&address).await.unwrap_err();
    assert!(matches!(fault, RedisFault::Tls(_)), "an authority nobody knows: {fault}");
    let plain: RedisAddress = format!("rediss://127.0.0.1:{plain}").parse().unwrap();
    let fault = look_at_redis(&plain.with_authority(authority.pem().as_bytes())).await.unwrap_err();
    let silent = matches!(fault, RedisFault::Unreachable(_) | RedisFault::Slow { .. });
    assert!(silent || matches!(fault, RedisFault::Tls(_)), "it speaks no TLS: {fault}");
    let fault = look_at_redis(&server.address()).await.unwrap_err();
    assert!(matches!(fault, RedisFault::Unreachable(_) | RedisFault::NotRedis), "it speaks TLS: {fault}");
    let broken = address.with_authority(b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n");
    let fault = look_at_redis(&broken).await.unwrap_err();
    assert!(matches!(fault, RedisFault::Tls(_)), "no authority at all: {fault:?}");
}

#[tokio::test]
async fn passwords_are_asked_for_and_never_shown() {
    let secret = "open-sesame";
    let server = Server::with(&["--requirepass", secret]).await.for_user(&format!(":{secret}"));
    server.tell(&["ACL", "SETUSER", "hotline", "on", ">their-own", "~hotline:*", "&hotline:*", "+@all"]);
    server.tell(&["ACL", "SETUSER", "guest", "on", ">their-own", "~*", "&*", "+ping"]);
    let address = server.address();
    assert_eq!(look_at_redis(&address).await.unwrap_err(), RedisFault::PasswordMissing);
    let wrong = address.clone().with_password(None, "open-sesam");
    assert_eq!(look_at_redis(&wrong).await.unwrap_err(), RedisFault::PasswordWrong);
    let right = address.clone().with_password(None, secret);
    look_at_redis(&right).await.unwrap();
    let user = address.clone().with_password(Some("hotline"), "their-own");
    look_at_redis(&user).await.unwrap();

    let (redis, presence) = router(&user);
    presence.show_free(free(1, &["ana"]));
    until("it is shown", async || server.exists(FREE)).await;
    stands(&redis, |health| health.hearing.is_up()).await;
    let (guest, _presence) = router(&address.with_password(Some("guest"), "their-own"));
    until_down(&guest, |fault| *fault == RedisFault::NotAllowed).await;

    let (refused, _presence) = router(&wrong);
    until_down(&refused, |fault| *fault == RedisFault::PasswordWrong).await;
    let told = format!("{right:?} {right} {:?} {:?}", refused.health().borrow(), refused.address());
    assert!(!told.contains("sesam"), "{told}");
}

#[tokio::test]
async fn a_replica_is_refused_and_one_that_becomes_a_replica_is_noticed() {
    let primary = Server::start().await;
    let port = primary.port.to_string();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &port]).await;
    let fault = look_at_redis(&replica.address()).await.unwrap_err();
    assert!(fault == RedisFault::Replica && fault.to_string().contains("primary's address"), "{fault}");
    let (redis, presence) = router(&primary.address());
    stands(&redis, |health| health.writing.is_up()).await;
    primary.tell(&["REPLICAOF", "127.0.0.1", &replica.port.to_string()]);
    presence.show_free(free(1, &["ana"]));
    until_down(&redis, |fault| *fault == RedisFault::Replica).await;
    primary.tell(&["REPLICAOF", "NO", "ONE"]);
    stands(&redis, |health| health.writing.is_up()).await;
}

#[tokio::test]
async fn a_server_that_is_full_is_told_so() {
    let server = Server::start().await;
    server.tell(&["CONFIG", "SET", "maxmemory", "1"]);
    let (redis, presence) = router(&server.address());
    presence.show_free(free(1, &["ana"]));
    until_down(&redis, |fault| matches!(fault, RedisFault::Refuses(_))).await;
    server.tell(&["CONFIG", "SET", "maxmemory", "0"]);
    until("it is shown when there is room", async || server.exists(FREE)).await;
}

#[tokio::test]
async fn what_is_no_redis_is_told_so() {
    let nobody: RedisAddress = format!("redis://127.0.0.1:{}", free_port()).parse().unwrap();
    let fault = look_at_redis(&nobody).await.unwrap_err();
    assert!(matches!(fault, RedisFault::Unreachable(_)), "{fault}");

    let web = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = web.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((mut asker, _)) = web.accept().await {
            let mut asked = [0; 64];
            let _asked = asker.read(&mut asked).await.is_ok_and(|bytes| bytes > 0);
            asker.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.ok();
        }
    });
    let address: RedisAddress = format!("redis://127.0.0.1:{port}").parse().unwrap();
    let fault = look_at_redis(&address).await.unwrap_err();
    assert!(matches!(fault, RedisFault::NotRedis), "{fault:?}");
    serving.abort();

    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address: RedisAddress =
        format!("redis://127.0.0.1:{}", silent.local_addr().unwrap().port()).parse().unwrap();
    let fault = look_at_redis(&address).await.unwrap_err();
    assert!(matches!(fault, RedisFault::Unreachable(_) | RedisFault::Slow { .. }), "{fault:?}");
}

fn router(address: &RedisAddress) -> (Redis, RedisPresence) {
    let redis = Redis::start(address.clone(), "router-a");
    let presence = redis.presence(north(), Tracker::new(Renewal::Heartbeats));
    (redis, presence)
}

async fn until_down(redis: &Redis, expected: impl Fn(&RedisFault) -> bool) {
    stands(redis, |health| matches!(&health.writing, Contact::Down { fault, .. } if expected(fault))).await;
}
