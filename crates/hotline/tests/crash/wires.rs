//! A wire between every two programs that speak to each other, and everything that a wire can have, under load: at the
//! first of two servers, then at both. Then it is healed, and everybody is back.

use std::time::{Duration, Instant};

use crate::database::Database;
use crate::hospital::{Hospital, Staffing, until};
use crate::pair::Pair;
use crate::paused::waits_in_words;
use crate::redis_server;
use crate::server::verify;
use crate::wire::{Trouble, Wire, port_of};

const ALL: [Trouble; 5] = [
    Trouble::Latency(Duration::from_millis(120)),
    Trouble::Drip(40, Duration::from_millis(20)),
    Trouble::Limit(30_000),
    Trouble::Cut,
    Trouble::HalfOpen,
];
/// Each lasts so long.
const LASTS: Duration = Duration::from_secs(5);
/// Only a hang takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Two servers and their people, with a wire between every two; to the first server or from it, then the second's.
struct House {
    desks: [Wire; 2],
    gateway: [Wire; 2],
    database: [Wire; 2],
    shown: [Wire; 2],
    hospital: Hospital,
    pair: Pair,
    redis_server: redis_server::Server,
    _database: Database,
}

async fn two_wires(ports: [u16; 2], seed: u64) -> [Wire; 2] {
    [Wire::to(ports[0], seed).await, Wire::to(ports[1], seed + 1).await]
}

impl House {
    async fn open(seed: u64) -> House {
        let (database, redis_server) = (Database::new(), redis_server::Server::start());
        let of_database = two_wires([port_of(&database.address()); 2], seed).await;
        let shown = two_wires([redis_server.port; 2], seed + 2).await;
        let pair = Pair::of(&database.address(), |which, server| {
            let shows = shown[which].before(&format!("{}/", redis_server.address()));
            let server = server.showing_in(shows.trim_end_matches('/'));
            server.reaching(&of_database[which].before(&database.address()))
        });
        let ports = [pair.first.port(), pair.second.port()];
        let desks = two_wires(ports, seed + 4).await;
        let gateway = two_wires(ports, seed + 6).await;
        let [one, two] = pair.places();
        let by = |wires: &[Wire; 2]| [one.over(wires[0].port), two.over(wires[1].port)];
        let ([g1, g2], [d1, d2]) = (by(&gateway), by(&desks));
        let places = [d1.or(&d2), d2.or(&d1)];
        let hospital = Hospital::open_between(&g1.or(&g2), &places, Staffing::usual(seed)).await;
        hospital.is_back(0).await;
        House {
            desks,
            gateway,
            database: of_database,
            shown,
            hospital,
            pair,
            redis_server,
            _database: database,
        }
    }

    /// Everything that these wires can have, one after the other.
    async fn suffers(&mut self, between: &str, wires: fn(&House) -> &[Wire; 2], far_lets_go: bool) {
        self.is_clean("at first").await;
        for trouble in ALL {
            for many in [1, 2] {
                self.has(trouble, &format!("{between}, {trouble:?}, {many}"), wires, many, far_lets_go).await;
            }
        }
        verify(&self.pair.first);
        println!(
            "{between}: {} connections, {} calls, {} decisions; 0 lost, 0 doubly connected, 0 phantom, 0 unbalanced\n{}",
            wires(self).iter().map(Wire::carried).sum::<usize>(),
            self.hospital.books.calls(),
            self.hospital.books.seq().0,
            self.hospital.witness.refusals(),
        );
    }

    async fn has(
        &mut self,
        trouble: Trouble,
        what: &str,
        wires: fn(&House) -> &[Wire; 2],
        many: usize,
        far_lets_go: bool,
    ) {
        self.hospital.books.read(&self.pair.first.journal()).await;
        self.hospital.books.answered();
        wires(self)[..many].iter().for_each(|wire| wire.has(trouble));
        tokio::time::sleep(LASTS).await;
        wires(self).iter().for_each(|wire| wire.has(Trouble::None));
        let healed = Instant::now();
        let is_held = |wire: &Wire| match wire.held() {
            (0, far) => far > 0 && far_lets_go,
            _ => true,
        };
        until("half-open connections are let go", PATIENCE, || !wires(self).iter().any(is_held)).await;
        let let_go = healed.elapsed();
        self.pair.serve_again().await;
        self.hospital.everybody_hears().await;
        let heard = healed.elapsed();
        let rest = self.is_clean(what).await;
        let answered = self.hospital.books.answered();
        if trouble == Trouble::HalfOpen && many == 1 {
            let longest = answered.iter().max();
            assert!(
                longest.is_some_and(|wait| *wait < LASTS),
                "{what}: nobody went to the other server, one waited for {longest:?}"
            );
        }
        let waits = waits_in_words(answered);
        let (heard, rest) = (heard.as_millis(), rest.as_millis());
        print!("{what}: healed, everybody has heard something after {heard} ms, at rest {rest} ms later");
        if trouble == Trouble::HalfOpen {
            let [near, far] = wires(self)[0].held_longest();
            print!(
                ", nobody holds a dead connection after {} ms (believed in for {} ms at most, by the far side {} ms)",
                let_go.as_millis(),
                near.as_millis(),
                far.as_millis()
            );
        }
        println!("; from an offer to an answer: {waits}");
    }

    async fn is_clean(&mut self, when: &str) -> Duration {
        let (findings, rest) = self.hospital.comes_to_rest(&self.pair.first).await;
        assert!(findings.is_clean(), "{when}: {findings}\n{}", self.hospital.witness.refusals());
        rest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_wires_of_desks_have_nobody_is_lost() {
    House::open(41).await.suffers("desks and routers", |house| &house.desks, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_wires_of_a_gateway_have_nobody_is_lost() {
    House::open(51).await.suffers("gateway and routers", |house| &house.gateway, true).await;
}

/// A database whose machine answers for it holds a connection until somebody speaks: only the router lets go.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_wires_to_the_database_have_nobody_is_lost() {
    House::open(61).await.suffers("routers and Postgres", |house| &house.database, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_wires_to_redis_have_nobody_is_lost() {
    let mut house = House::open(71).await;
    house.suffers("routers and Redis", |house| &house.shown, false).await;
    // And without it altogether.
    let House { mut hospital, pair, redis_server, .. } = house;
    redis_server.kill();
    hospital.everybody_hears().await;
    let findings = hospital.settle(&pair.first).await;
    assert!(findings.is_clean(), "{findings}\n{}", hospital.witness.refusals());
}
