//! A call distributor of Redis and Lua: each step of a call's life is one script, run whole and in order by the server;
//! desks and gateway hear of it by publication. The server answers and publishes behind the sync of its file.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{Client, Script};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

const LINE: &str = "duty";

/// What a run came to.
pub(crate) struct Distributed {
    /// Whole lives within the time.
    pub(crate) lives: u64,
}

/// The steps of a life.
struct Steps {
    arrive: Script,
    accept: Script,
    connect: Script,
    end: Script,
    free: Script,
}

impl Steps {
    fn new() -> Steps {
        Steps {
            arrive: Script::new(include_str!("../scripts/arrive.lua")),
            accept: Script::new(include_str!("../scripts/accept.lua")),
            connect: Script::new(include_str!("../scripts/connect.lua")),
            end: Script::new(include_str!("../scripts/end.lua")),
            free: Script::new(include_str!("../scripts/free.lua")),
        }
    }
}

/// Who waits for the end of which call.
type Waiting = Arc<Mutex<BTreeMap<String, oneshot::Sender<()>>>>;

/// Distributes calls for so long.
///
/// # Errors
/// When the server cannot be reached, does not sync every write, or a step of a life is refused.
pub(crate) async fn distribute(
    port: u16,
    operators: u32,
    in_flight: u32,
    length: Duration,
) -> Result<Distributed> {
    let client = Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let mut gateway = client.get_multiplexed_async_connection().await.context("no Redis there")?;
    begin_afresh(&mut gateway).await?;
    let steps = Arc::new(Steps::new());
    let waiting = Waiting::default();
    let mut everybody = JoinSet::new();
    let mut connects = client.get_async_pubsub().await?;
    connects.subscribe("gateway").await?;
    everybody.spawn(hear_gateway(connects, gateway.clone(), Arc::clone(&steps)));
    for nth in 0..operators {
        let name = format!("operator-{nth}");
        let commands = client.get_multiplexed_async_connection().await?;
        let mut news = client.get_async_pubsub().await?;
        news.subscribe(format!("desk:{name}")).await?;
        let desk = Desk { name, commands, steps: Arc::clone(&steps), waiting: Arc::clone(&waiting) };
        desk.free().await?;
        everybody.spawn(desk.work(news));
    }
    let until = Instant::now() + length;
    let mut callers = JoinSet::new();
    for nth in 0..in_flight {
        let caller = Caller {
            nth,
            gateway: gateway.clone(),
            steps: Arc::clone(&steps),
            waiting: Arc::clone(&waiting),
        };
        callers.spawn(caller.call_again_and_again(until));
    }
    let mut lives = 0;
    loop {
        tokio::select! {
            called = callers.join_next() => match called {
                Some(called) => lives += called??,
                None => return Ok(Distributed { lives }),
            },
            Some(ended) = everybody.join_next() => ended??,
        }
    }
}

/// An empty server that syncs its file before it answers.
async fn begin_afresh(gateway: &mut MultiplexedConnection) -> Result<()> {
    for (name, wanted) in [("appendonly", "yes"), ("appendfsync", "always")] {
        let found: (String, String) = redis::cmd("CONFIG").arg("GET").arg(name).query_async(gateway).await?;
        ensure!(found.1 == wanted, "this Redis has {name} {}, and {wanted} is fair", found.1);
    }
    redis::cmd("FLUSHALL").query_async::<()>(gateway).await?;
    Ok(())
}

struct Caller {
    nth: u32,
    gateway: MultiplexedConnection,
    steps: Arc<Steps>,
    waiting: Waiting,
}

impl Caller {
    async fn call_again_and_again(mut self, until: Instant) -> Result<u64> {
        let mut lives = 0;
        for count in 0_u64.. {
            if Instant::now() >= until {
                break;
            }
            let call = format!("{:08x}-{count:024x}", self.nth);
            let number = format!("1{:011}", u64::from(self.nth) * 1_000_000 + count);
            let (end, ended) = oneshot::channel();
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(call.clone(), end);
            let mut arrival = self.steps.arrive.prepare_invoke();
            arrival.arg(&call).arg(LINE).arg(number).arg(now_ms());
            arrival.invoke_async::<u8>(&mut self.gateway).await?;
            ended.await?;
            if Instant::now() <= until {
                lives += 1;
            }
        }
        Ok(lives)
    }
}

struct Desk {
    name: String,
    commands: MultiplexedConnection,
    steps: Arc<Steps>,
    waiting: Waiting,
}

impl Desk {
    async fn free(&self) -> Result<()> {
        let mut free = self.steps.free.prepare_invoke();
        free.arg(&self.name).arg(LINE);
        free.invoke_async::<u8>(&mut self.commands.clone()).await?;
        Ok(())
    }

    async fn work(self, mut news: PubSub) -> Result<()> {
        let mut news = news.on_message();
        while let Some(message) = news.next().await {
            let text: String = message.get_payload()?;
            let (what, call) = text.split_once(' ').context("a message without a call")?;
            if what == "offer" {
                let mut accept = self.steps.accept.prepare_invoke();
                accept.arg(call).arg(&self.name);
                let taken = accept.invoke_async::<u8>(&mut self.commands.clone()).await?;
                ensure!(taken == 1, "an offer was not to be had");
                continue;
            }
            self.free().await?;
            let ended = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(call);
            // Who waits for a call waits to its end.
            let _heard = ended.context("nobody waits for this call")?.send(());
        }
        Ok(())
    }
}

/// Whoever is to be connected hears each other, and the caller hangs up.
async fn hear_gateway(mut news: PubSub, gateway: MultiplexedConnection, steps: Arc<Steps>) -> Result<()> {
    let mut news = news.on_message();
    let mut talks = JoinSet::new();
    loop {
        tokio::select! {
            message = news.next() => {
                let Some(message) = message else { return Ok(()) };
                let text: String = message.get_payload()?;
                let call = text.strip_prefix("connect ").context("a message without a call")?;
                talks.spawn(talk(call.to_owned(), gateway.clone(), Arc::clone(&steps)));
            }
            Some(talked) = talks.join_next() => talked??,
        }
    }
}

async fn talk(call: String, mut gateway: MultiplexedConnection, steps: Arc<Steps>) -> Result<()> {
    let mut connect = steps.connect.prepare_invoke();
    let connected = connect.arg(&call).arg(now_ms()).invoke_async::<u8>(&mut gateway).await?;
    ensure!(connected == 1, "a call was not to be connected");
    let mut end = steps.end.prepare_invoke();
    let ended = end.arg(&call).arg(now_ms()).invoke_async::<u8>(&mut gateway).await?;
    ensure!(ended == 1, "a call was not to be ended");
    Ok(())
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
