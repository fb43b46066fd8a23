//! The ground everything stands on: what one small durable write costs here, and what one question over gRPC.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::Client;
use tokio::task::spawn_blocking;

use super::times::Times;

/// A small append.
const APPEND_BYTES: usize = 512;

/// Appends to a file of that directory, each of 512 bytes and durable before the next, for so long.
///
/// # Errors
/// When the file cannot be written.
pub(super) async fn durable_appends(dir: &Path, length: Duration) -> Result<Times> {
    let path = dir.join("appends");
    let appends = move || -> std::io::Result<Times> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let bytes = [b'x'; APPEND_BYTES];
        let mut times = Times::default();
        let until = Instant::now() + length;
        while Instant::now() < until {
            let began = Instant::now();
            file.write_all(&bytes)?;
            file.sync_data()?;
            times.note(began.elapsed());
        }
        Ok(times)
    };
    spawn_blocking(appends).await?.context("appending to a file beside the data")
}

/// Asks again and again whether the service serves, one question at a time, for so long.
///
/// # Errors
/// When it does not answer.
pub(super) async fn echoes(client: &Client, length: Duration) -> Result<Times> {
    let mut times = Times::default();
    let until = Instant::now() + length;
    while Instant::now() < until {
        let began = Instant::now();
        ensure!(client.is_serving().await?, "the service says that it does not serve");
        times.note(began.elapsed());
    }
    Ok(times)
}
