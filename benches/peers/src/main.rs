//! Other ways to distribute calls, each a fair program of its own, run by `hotline bench` as a child: the same life of a
//! call, the same number of calls under way, an answer only when it is on the disk. Two so far: Redis, whose Lua scripts
//! decide and whose append-only file is synced at every turn, with a service in front of it or bare; and Postgres, with a
//! worker that claims by SKIP LOCKED and tells by NOTIFY, behind the same service.
//!
//! Not here: anything of the switchboard, its journal or its streams. Only the API's messages are the same, so that the
//! same desks and gateway can be connected.

mod bare;
mod distributor;
mod front;
mod redis_lua;
mod skip_locked;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::distributor::Distributor;
use self::front::Connected;
use self::redis_lua::{RedisLua, Served};
use self::skip_locked::SkipLocked;

/// Distributes calls with other means than the switchboard's.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Peers {
    #[command(subcommand)]
    form: Form,
}

/// A private Redis on this machine. Everything that the database holds is forgotten first.
#[derive(Debug, Args)]
struct Redis {
    /// Where it listens.
    #[arg(long)]
    port: u16,
    /// Which of its databases.
    #[arg(long, default_value_t = 0)]
    database: u8,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Redis and Lua behind a service on a free port: says as one line of JSON where it listens, and ends when standard
    /// input ends.
    RedisLua(Redis),
    /// Postgres, SKIP LOCKED and NOTIFY behind the same.
    SkipLocked {
        /// A file that holds the address of an empty database.
        #[arg(long)]
        postgres: PathBuf,
    },
    /// Redis and Lua with nobody connected: says as one line of JSON how many lives there were.
    RedisLuaBare {
        #[command(flatten)]
        redis: Redis,
        /// Operators on duty.
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
    let connected = Arc::new(Connected::default());
    match Peers::parse().form {
        Form::RedisLua(Redis { port, database }) => {
            let scripts = RedisLua::begin(port, database).await?;
            let listening = connected.clone();
            serve(Box::new(Served { scripts, listening }), connected).await
        }
        Form::SkipLocked { postgres } => {
            let distributor = SkipLocked::begin(&postgres, connected.clone()).await?;
            serve(Box::new(distributor), connected).await
        }
        Form::RedisLuaBare { redis: Redis { port, database }, operators, in_flight, milliseconds } => {
            let scripts = RedisLua::begin(port, database).await?;
            let length = Duration::from_millis(milliseconds);
            let lives = bare::distribute(scripts, operators, in_flight, length).await?;
            say(&serde_json::json!({ "lives": lives, "seconds": length.as_secs_f64() }))
        }
    }
}

async fn serve(distributor: Box<dyn Distributor>, connected: Arc<Connected>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(&serde_json::json!({ "address": format!("http://{}", listener.local_addr()?) }))?;
    tokio::select! {
        served = front::serve(listener, distributor, connected) => served,
        // An error means that the reading thread is gone, and with it any word of the parent.
        _ = parent_gone() => Ok(()),
    }
}

fn say(answer: &serde_json::Value) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{answer}")?;
    Ok(stdout.flush()?)
}

/// Reads standard input to its end. On a thread of its own: the end of the process does not wait for it.
fn parent_gone() -> oneshot::Receiver<()> {
    let (gone, heard) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut ignored = [0; 64];
        while input.read(&mut ignored).is_ok_and(|bytes| bytes > 0) {}
        // Nobody hears it when the service ends for another reason.
        let _heard = gone.send(());
    });
    heard
}
