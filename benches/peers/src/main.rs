//! Other ways to distribute calls, each a fair program of its own, run by `hotline bench` as a child: the same life of a
//! call, the same number of calls under way, an answer only when it is on the disk. One so far: Redis, whose Lua scripts
//! decide and whose append-only file is synced at every turn.
//!
//! Not here: anything of ours. These programs know neither the switchboard nor its API.

mod redis_lua;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Distributes calls for a while and says, as one line of JSON, how many had a whole life.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Peers {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Debug, Subcommand)]
enum Peer {
    /// Redis and five Lua scripts. Everything that the server holds is forgotten first.
    RedisLua {
        /// A private server on this machine.
        #[arg(long)]
        port: u16,
        /// Operators on duty, each with a desk of its own.
        #[arg(long)]
        operators: u32,
        /// Calls under way at any moment.
        #[arg(long)]
        in_flight: u32,
        /// How long.
        #[arg(long)]
        milliseconds: u64,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Peer::RedisLua { port, operators, in_flight, milliseconds } = Peers::parse().peer;
    let length = Duration::from_millis(milliseconds);
    let distributed = redis_lua::distribute(port, operators, in_flight, length).await?;
    #[expect(clippy::print_stdout, reason = "the answer")]
    {
        println!("{}", serde_json::json!({ "lives": distributed.lives, "seconds": length.as_secs_f64() }));
    }
    Ok(())
}
