//! A call distributor of Redis and Lua: each step of a call's life is one script, run whole and in order by the server,
//! which answers behind the sync of its file. Scripts asked for at the same time share a sync.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Script};

use crate::distributor::{Distributor, LINE, Listening, Step};

/// A busy machine may hold a sync up for long: that is slow, and no fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// The scripts of a life.
pub(crate) struct RedisLua {
    redis: MultiplexedConnection,
    arrive: Script,
    accept: Script,
    connect: Script,
    end: Script,
    free: Script,
}

impl RedisLua {
    /// On an empty database of a server that syncs its file before it answers.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn begin(port: u16, database: u8) -> Result<RedisLua> {
        let client = Client::open(format!("redis://127.0.0.1:{port}/{database}"))?;
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let connecting = client.get_multiplexed_async_connection_with_config(&patient);
        let mut redis = connecting.await.context("no Redis there")?;
        for (name, wanted) in [("appendonly", "yes"), ("appendfsync", "always")] {
            let found: (String, String) =
                redis::cmd("CONFIG").arg("GET").arg(name).query_async(&mut redis).await?;
            ensure!(found.1 == wanted, "this Redis has {name} {}, and {wanted} is fair", found.1);
        }
        redis::cmd("FLUSHDB").query_async::<()>(&mut redis).await?;
        Ok(RedisLua {
            redis,
            arrive: Script::new(include_str!("../scripts/redis_lua/arrive.lua")),
            accept: Script::new(include_str!("../scripts/redis_lua/accept.lua")),
            connect: Script::new(include_str!("../scripts/redis_lua/connect.lua")),
            end: Script::new(include_str!("../scripts/redis_lua/end.lua")),
            free: Script::new(include_str!("../scripts/redis_lua/free.lua")),
        })
    }

    /// A call rings in. Answers the operator it is offered to, if somebody is free.
    pub(crate) async fn arrive(&self, call: &str, number: &str) -> Result<Option<String>> {
        self.run(&self.arrive, &[call, LINE, number, &now_ms()]).await
    }

    /// An operator accepts; nothing if the call was not to be had.
    pub(crate) async fn accept(&self, call: &str, operator: &str) -> Result<Option<String>> {
        self.run(&self.accept, &[call, operator]).await
    }

    /// Both hear each other. Answers the operator.
    pub(crate) async fn connect(&self, call: &str) -> Result<Option<String>> {
        self.run(&self.connect, &[call, &now_ms()]).await
    }

    /// The caller hangs up. Answers the operator.
    pub(crate) async fn end(&self, call: &str) -> Result<Option<String>> {
        self.run(&self.end, &[call, &now_ms()]).await
    }

    /// An operator is free. Answers the call that is offered, if one waits.
    pub(crate) async fn free(&self, operator: &str) -> Result<Option<String>> {
        self.run(&self.free, &[operator, LINE]).await
    }

    async fn run(&self, script: &Script, words: &[&str]) -> Result<Option<String>> {
        let mut asked = script.prepare_invoke();
        for word in words {
            asked.arg(*word);
        }
        let answer: String = asked.invoke_async(&mut self.redis.clone()).await?;
        Ok((!answer.is_empty()).then_some(answer))
    }
}

fn now_ms() -> String {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_1970.as_millis().to_string()
}

/// The same with somebody connected: who must hear of a step hears of it as soon as its script is answered.
pub(crate) struct Served {
    pub(crate) scripts: RedisLua,
    pub(crate) listening: Listening,
}

impl Served {
    fn tell(&self, step: Step, call: &str, operator: Option<String>) -> bool {
        if let Some(operator) = &operator {
            self.listening.hear(step, call, operator);
        }
        operator.is_some()
    }
}

#[tonic::async_trait]
impl Distributor for Served {
    async fn arrive(&self, call: &str, number: &str) -> Result<bool> {
        let offered = self.scripts.arrive(call, number).await?;
        self.listening.hear(Step::Ringing, call, "");
        self.tell(Step::Offered, call, offered);
        Ok(true)
    }

    async fn accept(&self, call: &str, operator: &str) -> Result<bool> {
        Ok(self.tell(Step::Connecting, call, self.scripts.accept(call, operator).await?))
    }

    async fn connect(&self, call: &str) -> Result<bool> {
        Ok(self.tell(Step::Talking, call, self.scripts.connect(call).await?))
    }

    async fn end(&self, call: &str) -> Result<bool> {
        Ok(self.tell(Step::WrapUp, call, self.scripts.end(call).await?))
    }

    async fn free(&self, operator: &str) -> Result<bool> {
        match self.scripts.free(operator).await? {
            Some(call) => self.listening.hear(Step::Offered, &call, operator),
            None => self.listening.hear(Step::Idle, "", operator),
        }
        Ok(true)
    }
}
