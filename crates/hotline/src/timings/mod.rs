//! `hotline timings`: how long each command of an administrator takes on a site with a long history. For whoever changes
//! what a command asks: it is run by hand, on a machine that does nothing else.
//!
//! Each command has the exit code that its answer has. Another one ends the run and says what was asked and answered:
//! being refused is quick. What acts is timed in sequences in which every run finds something to do.

mod commands;
mod fill;
mod known;
mod live;
mod table;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use rustix::fs::Mode;
use rustix::process::umask;
use switchboard::id::SiteId;

use self::known::Known;
use self::live::Live;
use self::table::Table;

/// Times every command on a site with many decisions.
#[derive(Debug, Args)]
pub(crate) struct Timings {
    /// How many decisions the site has behind it.
    #[arg(long, default_value_t = 1_000_000)]
    decisions: u64,
    /// How often each command is run.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A directory to keep the site in, made if it is not there; a temporary one that goes at the end, if not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Timings {
    /// Makes the site, serves it, and prints a table.
    ///
    /// # Errors
    /// When the site cannot be made or served, or a command's answer is not the one that it has.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        // As a server makes its data directory: `doctor` looks at who can read it.
        umask(Mode::RWXG | Mode::RWXO);
        let temporary = tempfile::tempdir()?;
        let dir = self.dir.clone().unwrap_or_else(|| temporary.path().join("site"));
        let data = dir.join("data");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        if !data.join("journal.db").exists() {
            fs::create_dir_all(&dir)?;
            let began = Instant::now();
            runtime.block_on(fill::fill(&data, self.decisions))?;
            say(&format!(
                "made a site with {} decisions in {:.0} s",
                self.decisions,
                began.elapsed().as_secs_f64()
            ))?;
        }
        let server = Server::start(&data)?;
        let known = runtime.block_on(known::known(&data, self.decisions))?;
        write_files(&dir, &known)?;
        let mut table = Table::new(&dir, self.rounds)?;
        let live = Live::begin(runtime.handle(), &data, table.began_s)?;
        table.prepare(commands::SECOND_TOKEN)?;
        table.time(&commands::floor(), &live)?;
        for sequence in commands::reading(&known).iter().chain(&commands::acting()) {
            table.time(sequence, &live)?;
        }
        drop(live);
        drop(server);
        let missed = table.missed;
        self.behind_retention(&dir, &known, &runtime)?;
        Ok(ExitCode::from(u8::from(missed)))
    }

    /// What reads the whole journal, on a copy of the site some of whose records were let go: it has no limit, and is
    /// written down.
    fn behind_retention(&self, dir: &Path, known: &Known, runtime: &tokio::runtime::Runtime) -> Result<()> {
        let copy = dir.join("let-go");
        runtime.block_on(fill::let_go(&dir.join("data"), &copy.join("data"), known.first_wall_us))?;
        let server = Server::start(&copy.join("data"))?;
        say("where records were let go, without a limit:")?;
        let mut table = Table::new(&copy, self.rounds)?;
        let live = Live::begin(runtime.handle(), &copy.join("data"), table.began_s)?;
        for sequence in &commands::behind_retention(known) {
            table.time(sequence, &live)?;
        }
        drop(live);
        drop(server);
        Ok(fs::remove_dir_all(&copy)?)
    }
}

/// Two plans and two rosters that take each other's place, and what a file is compared with.
fn write_files(dir: &Path, known: &Known) -> Result<()> {
    let roster = |shift: &str| {
        format!(
            "[shifts]\n{shift} = {{ from = \"00:00\", to = \"24:00\" }}\n\n[weekly]\n{} = \"daily {shift}\"\n",
            known.operator
        )
    };
    fs::write(dir.join("hospital.toml"), plan::HOSPITAL)?;
    fs::write(dir.join("plan-a.toml"), fill::plan_text(101))?;
    fs::write(dir.join("plan-b.toml"), fill::plan_text(102))?;
    fs::write(dir.join("roster-a.toml"), roster("day"))?;
    fs::write(dir.join("roster-b.toml"), roster("whole"))?;
    // Of an earlier run: a token is never written over a file that is there.
    match fs::remove_file(dir.join(commands::SECOND_TOKEN_FILE)) {
        Err(fault) if fault.kind() != std::io::ErrorKind::NotFound => Err(fault.into()),
        _ => Ok(()),
    }
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn command(words: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words).env("LC_ALL", "C").stdin(Stdio::null());
    Ok(command)
}

fn site() -> SiteId {
    "main".parse().expect("the letters of a name")
}

struct Server(Child);

impl Server {
    fn start(data: &Path) -> Result<Server> {
        let mut child =
            command(&["serve", "--listen", "127.0.0.1:0", "--with-parent", "--log", "warn", "--data"])?
                .arg(data)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("piped")?;
        let server = Server(child);
        BufReader::new(stdout).read_line(&mut line)?;
        if line.is_empty() {
            bail!("the server did not start");
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended has nothing left to kill.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}
