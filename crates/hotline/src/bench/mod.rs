//! `hotline bench`: what this program can do on this machine, and what the machine itself can.
//!
//! Read `round.rs` first: what is measured, and in which order. `load.rs` has the two kinds of load, `floor.rs` who is
//! connected, `crowd.rs` and `restart.rs` the two measurements that stand alone, `routers.rs` and `sites.rs` those that need
//! Postgres.

mod crowd;
mod desk;
mod flags;
mod floor;
mod gateway;
mod ground;
mod life;
mod limits;
mod load;
mod peer;
mod postgres;
mod report;
mod restart;
mod rooms;
mod round;
mod routers;
mod server;
mod sites;
mod times;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, mem};

use anyhow::{Result, ensure};
use tokio::runtime::Runtime;

pub(crate) use self::flags::BenchFlags;
use self::flags::Output;
use self::limits::missed;
use self::peer::Peers;
use self::postgres::Postgres;
use self::report::{Report, round_lines};
use self::rooms::Rooms;
use self::round::Bench;
use crate::lang::Lang;

/// Exit codes beside 0, as the help of the flags lists them.
const BEYOND_A_LIMIT: u8 = 1;
const NOT_MEASURED: u8 = 3;

impl BenchFlags {
    /// Measures and reports. Must not be called from within an async runtime.
    pub(crate) fn run(&self) -> ExitCode {
        let measured =
            Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(self.measure()));
        match measured {
            Ok(code) => code,
            Err(fault) => {
                // Where even this cannot be written the exit code is all there is to say.
                drop(writeln!(io::stderr().lock(), "error: {fault:#}"));
                ExitCode::from(NOT_MEASURED)
            }
        }
    }

    async fn measure(&self) -> Result<ExitCode> {
        let lang = self.lang.unwrap_or_else(Lang::of_environment);
        let dir = self.dir.clone().unwrap_or_else(env::temp_dir);
        let possible = crowd::desks_possible();
        let mut report = self.rounds_of(&dir, lang).await?;
        if self.desks() > 0 {
            let desks = self.desks().min(possible);
            if desks < self.desks() {
                self.say(&too_few_files(desks, lang))?;
            }
            ensure!(desks > crowd::FEW, "a crowd has more than {} desks", crowd::FEW);
            report.crowds = Some(crowd::measure(&dir, desks, self.length()).await?);
        }
        if self.restarts() > 0 {
            report.restarts = Some(restart::measure(&dir, self.restarts()).await?);
        }
        report.rooms = Rooms::measure(&dir, self).await?;
        let missed = missed(&report, self.small);
        self.say(&[vec![String::new()], report.lines(&missed, lang)].concat().join("\n"))?;
        if self.output == Output::Json {
            writeln!(io::stdout().lock(), "{}", report.json(&missed))?;
        }
        Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(BEYOND_A_LIMIT) })
    }

    async fn rounds_of(&self, dir: &Path, lang: Lang) -> Result<Report> {
        let postgres = self.postgres.as_deref().map(Postgres::named).transpose()?;
        let mut peers = Peers::start(dir, self.peers.as_deref(), postgres.as_ref()).await?;
        let missing = mem::take(&mut peers.missing);
        let bench = Bench::start(dir, postgres.as_ref(), peers, self.length(), self.rate).await?;
        let mut rounds = Vec::new();
        let all = self.rounds() as usize;
        for number in 0..all {
            let round = bench.round(number).await?;
            self.say(&round_lines(number + 1, all, &round, lang).join("\n"))?;
            rounds.push(round);
        }
        bench.end().await?;
        Ok(Report { rounds, crowds: None, restarts: None, missing, rooms: Rooms::default() })
    }

    fn length(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds()))
    }

    /// To people, on standard error where a program reads standard output.
    fn say(&self, text: &str) -> io::Result<()> {
        match self.output {
            Output::Text => writeln!(io::stdout().lock(), "{text}"),
            Output::Json => writeln!(io::stderr().lock(), "{text}"),
        }
    }
}

fn too_few_files(desks: u32, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("本机允许打开的文件只够 {desks} 个席位；用 ulimit -Hn 查看上限"),
        Lang::En => format!(
            "this machine lets a process open files for {desks} desks only; ulimit -Hn shows the limit"
        ),
    }
}
