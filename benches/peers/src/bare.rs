//! The distributor with nobody connected: callers and operators are loops in this process, and each step of a life
//! follows the one before. What the scripts and the disk can do, without a service in front of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use crate::redis_lua::RedisLua;

/// So many calls at any moment, for so long. Answers whole lives.
///
/// # Errors
/// When a step of a life is refused.
pub(crate) async fn distribute(
    distributor: RedisLua,
    operators: u32,
    in_flight: u32,
    length: Duration,
) -> Result<u64> {
    let distributor = Arc::new(distributor);
    for nth in 0..operators {
        distributor.free(&format!("operator-{nth}")).await?;
    }
    let until = Instant::now() + length;
    let mut callers = JoinSet::new();
    for nth in 0..in_flight {
        callers.spawn(call_again_and_again(Arc::clone(&distributor), nth, until));
    }
    let mut lives = 0;
    while let Some(called) = callers.join_next().await {
        lives += called??;
    }
    Ok(lives)
}

async fn call_again_and_again(distributor: Arc<RedisLua>, nth: u32, until: Instant) -> Result<u64> {
    let mut lives = 0;
    for count in 0_u64.. {
        if Instant::now() >= until {
            break;
        }
        let call = format!("{nth:08x}-{count:024x}");
        let number = format!("1{:011}", u64::from(nth) * 1_000_000 + count);
        let operator = distributor.arrive(&call, &number).await?.context("nobody was free")?;
        distributor.accept(&call, &operator).await?.context("an offer was not to be had")?;
        distributor.connect(&call).await?.context("a call was not to be connected")?;
        distributor.end(&call).await?.context("a call was not to be ended")?;
        distributor.free(&operator).await?;
        lives += u64::from(Instant::now() <= until);
    }
    Ok(lives)
}
