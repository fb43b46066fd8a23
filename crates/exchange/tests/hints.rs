//! Routers that tell each other through Redis how far the journal is. Nothing else tells an exchange: what it knows of
//! another's decisions here it knows by a hint.

mod redis_server;
mod site;

use std::sync::Arc;
use std::time::Duration;

use exchange::{Clock, Exchange, ExchangeConfig, ExchangeHandle};
use presence::{Redis, RedisAddress, Renewal, Tracker};
use redis_server::Server;
use session::{MemoryJournal, MemoryRoll, Writer};
use site::*;
use tokio::time::timeout;

/// For a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

struct Router {
    exchange: ExchangeHandle,
    shown_in: Redis,
}

#[derive(Default)]
struct Store {
    journal: Arc<MemoryJournal>,
    roll: Arc<MemoryRoll>,
}

impl Store {
    async fn router(&self, name: &str, server: &Server) -> Router {
        let address: RedisAddress = server.address().parse().expect("an address");
        let shown_in = Redis::start(address, name);
        let presence = shown_in.presence(main_site(), Tracker::among_routers(Renewal::Heartbeats));
        let config = ExchangeConfig::alone(main_site(), Writer::new(name));
        let config = config.among_routers(self.roll.clone()).with_presence(Arc::new(presence));
        let exchange = Exchange::spawn(config, self.journal.clone(), Clock::System).await;
        Router { exchange: exchange.expect("the journal can be read"), shown_in }
    }
}

impl Router {
    async fn until_well(&self) {
        let mut health = self.shown_in.health();
        let well = timeout(PATIENCE, health.wait_for(presence::RedisHealth::is_well)).await;
        well.expect("in time").expect("it is told");
    }

    /// Without ever asking this one: a feed ends where its exchange is.
    async fn until_it_knows(&self, other: &Router) {
        let seq = other.exchange.cursor().seq;
        let mut feed = self.exchange.subscribe(None);
        while self.exchange.cursor().seq < seq {
            timeout(PATIENCE, feed.next()).await.expect("in time").expect("it goes on");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_router_decides_another_knows_by_a_hint() {
    let (server, store) = (Server::start(), Store::default());
    let (a, b) = (store.router("a", &server).await, store.router("b", &server).await);
    a.until_well().await;
    b.until_well().await;
    for n in 1..=20 {
        let (teller, hearer) = if n % 2 == 0 { (&a, &b) } else { (&b, &a) };
        ask(&teller.exchange, add_visitor(n)).await;
        hearer.until_it_knows(teller).await;
    }
    let (a, b) = (a.exchange.read(|sb| sb.state_hash()), b.exchange.read(|sb| sb.state_hash()));
    assert_eq!(a, b);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_come_again_when_redis_does() {
    let (server, store) = (Server::start(), Store::default());
    let (a, b) = (store.router("a", &server).await, store.router("b", &server).await);
    a.until_well().await;
    b.until_well().await;
    let port = server.kill();
    for router in [&a, &b] {
        let mut health = router.shown_in.health();
        let gone = timeout(PATIENCE, health.wait_for(|health| !health.is_well())).await;
        gone.expect("in time").expect("it is told");
    }
    ask(&a.exchange, add_visitor(1)).await;
    ask(&b.exchange, add_visitor(2)).await;
    assert!(a.exchange.read(|sb| sb.operator(operator(2)).is_none()), "nobody told it");
    let _server = Server::on(port);
    a.until_well().await;
    b.until_well().await;
    ask(&b.exchange, add_visitor(3)).await;
    a.until_it_knows(&b).await;
    assert!(a.exchange.read(|sb| sb.operator(operator(2)).is_some()));
}
