//! A call distributor of Postgres: tables of calls and operators, each step of a life one statement and one commit. A
//! worker claims a waiting call and a free operator, passing over what another router's worker holds, and everybody hears
//! of every step by NOTIFY, at whichever router they are.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPool, PgPoolOptions};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::distributor::{Distributor, Listening, Step};

const TABLES: &str = include_str!("../scripts/skip_locked/tables.sql");
const ARRIVE: &str = include_str!("../scripts/skip_locked/arrive.sql");
const CLAIM: &str = include_str!("../scripts/skip_locked/claim.sql");
const ACCEPT: &str = include_str!("../scripts/skip_locked/accept.sql");
const CONNECT: &str = include_str!("../scripts/skip_locked/connect.sql");
const END: &str = include_str!("../scripts/skip_locked/end.sql");
const FREE: &str = include_str!("../scripts/skip_locked/free.sql");

/// Connections that steps share.
const CONNECTIONS: u32 = 16;

/// A busy machine may hold a commit up for long: that is slow, and no fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// What nobody was told of is found after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What everybody hears, by its channel.
const STEPS: [(&str, Step); 6] = [
    ("ringing", Step::Ringing),
    ("offered", Step::Offered),
    ("connecting", Step::Connecting),
    ("talking", Step::Talking),
    ("wrap_up", Step::WrapUp),
    ("idle", Step::Idle),
];

/// The steps of a life.
pub(crate) struct SkipLocked {
    pool: PgPool,
}

impl SkipLocked {
    /// On an empty database, whose address is in a file.
    ///
    /// # Errors
    /// When there is none, or it is not empty.
    pub(crate) async fn begin(address: &Path, listening: Listening) -> Result<SkipLocked> {
        let address = std::fs::read_to_string(address)
            .with_context(|| format!("no address in {}", address.display()))?;
        let options: PgConnectOptions = address.trim().parse()?;
        let options = options.application_name("skip-locked").options([("synchronous_commit", "on")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // A question before each step would be a second round trip.
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .context("no Postgres there")?;
        sqlx::raw_sql(TABLES).execute(&pool).await.context("making the tables")?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen_all(STEPS.map(|(channel, _)| channel)).await?;
        let wake = Arc::new(Notify::new());
        tokio::spawn(listen(listener, listening, Arc::clone(&wake)));
        tokio::spawn(claim_again_and_again(pool.clone(), wake));
        Ok(SkipLocked { pool })
    }

    async fn step(&self, text: &'static str, words: &[&str]) -> Result<bool> {
        made(&self.pool, text, words).await
    }
}

async fn made(pool: &PgPool, text: &'static str, words: &[&str]) -> Result<bool> {
    let asked = words.iter().fold(sqlx::query(text), |asked, word| asked.bind(*word));
    Ok(asked.fetch_optional(pool).await?.is_some())
}

#[tonic::async_trait]
impl Distributor for SkipLocked {
    async fn arrive(&self, call: &str, number: &str) -> Result<bool> {
        self.step(ARRIVE, &[call, number]).await.map(|_| true)
    }

    async fn accept(&self, call: &str, operator: &str) -> Result<bool> {
        self.step(ACCEPT, &[call, operator]).await
    }

    async fn connect(&self, call: &str) -> Result<bool> {
        self.step(CONNECT, &[call]).await
    }

    async fn end(&self, call: &str) -> Result<bool> {
        self.step(END, &[call]).await
    }

    async fn free(&self, operator: &str) -> Result<bool> {
        self.step(FREE, &[operator]).await.map(|_| true)
    }
}

/// Tells whoever is connected here, and wakes the worker when there may be something to claim.
async fn listen(mut listener: PgListener, listening: Listening, wake: Arc<Notify>) {
    loop {
        match listener.recv().await {
            Ok(heard) => tell(&heard, &listening, &wake),
            // It connects again by itself.
            Err(fault) => complain("listening", &fault),
        }
    }
}

fn tell(heard: &PgNotification, listening: &Listening, wake: &Notify) {
    let step = STEPS.iter().find(|(channel, _)| *channel == heard.channel());
    let Some((_, step)) = step else { return };
    let payload = heard.payload();
    let (call, operator) = match step {
        Step::Ringing => (payload, ""),
        Step::Idle => ("", payload),
        _ => payload.split_once(' ').unwrap_or_default(),
    };
    listening.hear(*step, call, operator);
    if matches!(step, Step::Ringing | Step::Idle) {
        wake.notify_one();
    }
}

/// The worker: claims for as long as there is something to claim.
async fn claim_again_and_again(pool: PgPool, wake: Arc<Notify>) {
    loop {
        match made(&pool, CLAIM, &[]).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(fault) => complain("claiming", &fault),
        }
        // Nobody need have told: then it is looked again all the same.
        let _told = timeout(LOOK_AGAIN, wake.notified()).await;
    }
}

fn complain(doing: &str, fault: &dyn std::fmt::Display) {
    // Where even this cannot be written there is nobody to tell.
    let _said = writeln!(std::io::stderr(), "{doing}: {fault}");
}
