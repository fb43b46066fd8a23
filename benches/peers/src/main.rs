//! Other ways to distribute calls, each a fair program of its own, run by `hotline bench` as a child: the same life of a
//! call, the same number of calls under way, an answer only when it is on the disk. One so far: Redis, whose Lua scripts
//! decide and whose append-only file is synced at every turn, with a service in front of it or bare.
//!
//! Not here: anything of the switchboard, its journal or its streams. Only the API's messages are the same, so that the
//! same desks and gateway can be connected.

mod bare;
mod front;
mod redis_lua;

use std::io::{Read, Write};
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use self::redis_lua::Distributor;

/// Distributes calls with Redis and Lua. Everything that the database holds is forgotten first.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Peers {
    /// A private Redis on this machine.
    #[arg(long)]
    port: u16,
    /// Which of its databases.
    #[arg(long, default_value_t = 0)]
    database: u8,
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// A service on a free port: says as one line of JSON where it listens, and ends when standard input ends.
    Serve,
    /// Nobody connected: says as one line of JSON how many lives there were.
    Bare {
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
    let Peers { port, database, form } = Peers::parse();
    let distributor = Distributor::begin(port, database).await?;
    match form {
        Form::Serve => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            say(&serde_json::json!({ "address": format!("http://{}", listener.local_addr()?) }))?;
            tokio::select! {
                served = front::serve(listener, distributor) => served,
                // An error means that the reading thread is gone, and with it any word of the parent.
                _ = parent_gone() => Ok(()),
            }
        }
        Form::Bare { operators, in_flight, milliseconds } => {
            let length = Duration::from_millis(milliseconds);
            let lives = bare::distribute(distributor, operators, in_flight, length).await?;
            say(&serde_json::json!({ "lives": lives, "seconds": length.as_secs_f64() }))
        }
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
