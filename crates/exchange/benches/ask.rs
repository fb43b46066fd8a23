//! What one ask costs on its way through an exchange on a journal in memory: `cargo bench -p exchange --bench ask`.
//! Machines differ; compare with a run on the same machine.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

#[path = "../tests/site/mod.rs"]
mod site;

use std::time::Instant;

use exchange::{ExchangeHandle, StepTo};
use switchboard::time::Span;

const ASKS: u64 = 20_000;

fn main() {
    let one = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let many = tokio::runtime::Builder::new_multi_thread().enable_time().build().expect("a runtime");
    for (threads, runtime) in [("one thread", one), ("many threads", many)] {
        for clients in [1, 16] {
            let us = runtime.block_on(measure(clients));
            println!("{us:>8.1} µs per ask: {clients} client(s), {threads}");
        }
    }
}

/// The mean time per ask when so many clients ask one after another.
async fn measure(clients: u64) -> f64 {
    let (exchange, _journal, _gateway) = site::hospital().await;
    let mut desks = Vec::new();
    for n in 1..=15 {
        desks.push(site::on_duty(&exchange, n).await);
    }
    let started = Instant::now();
    let asking: Vec<_> = (0..clients)
        .map(|client| tokio::spawn(ask_for_a_while(exchange.clone(), client, ASKS / clients)))
        .collect();
    for client in asking {
        client.await.expect("it is done");
    }
    started.elapsed().as_secs_f64() * 1e6 / ASKS as f64
}

/// Calls come and go; the first client moves the clock, as a day does.
async fn ask_for_a_while(exchange: ExchangeHandle, client: u64, asks: u64) {
    for n in 0..asks / 2 {
        let call = client * 1_000_000 + n;
        site::ask(&exchange, site::arrive(call)).await;
        site::ask(&exchange, site::hang_up(call)).await;
        if client == 0 && n % 8 == 0 {
            exchange.step(StepTo::At(exchange.now() + Span::secs(5))).await.expect("it steps");
        }
    }
}
