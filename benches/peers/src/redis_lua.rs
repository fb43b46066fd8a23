//! A call distributor of Redis and Lua: each step of a call's life is one script, run whole and in order by the server,
//! which answers behind the sync of its file. Scripts asked for at the same time share a sync.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Script};

/// The one line there is.
const LINE: &str = "duty";

/// A busy machine may hold a sync up for long: that is slow, and no fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// The steps of a life.
pub(crate) struct Distributor {
    redis: MultiplexedConnection,
    arrive: Script,
    accept: Script,
    connect: Script,
    end: Script,
    free: Script,
}

impl Distributor {
    /// On an empty database of a server that syncs its file before it answers.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn begin(port: u16, database: u8) -> Result<Distributor> {
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
        Ok(Distributor {
            redis,
            arrive: Script::new(include_str!("../scripts/arrive.lua")),
            accept: Script::new(include_str!("../scripts/accept.lua")),
            connect: Script::new(include_str!("../scripts/connect.lua")),
            end: Script::new(include_str!("../scripts/end.lua")),
            free: Script::new(include_str!("../scripts/free.lua")),
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
