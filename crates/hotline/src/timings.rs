//! `hotline timings`: how long each command of an administrator takes on a site with a long history. For whoever changes
//! what a command asks: it is run by hand, on a machine that does nothing else.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use session::{Derived, FORMAT, Journal, Row, RowMark, SNAPSHOT_STEP, Snapshot, SqliteStore, Writer};
use sim::drive::Drive;
use sim::world::{World, WorldConfig};
use switchboard::canonical;
use switchboard::canonical::Hash;
use switchboard::decision::Decision;
use switchboard::event::Event;
use switchboard::id::{Revision, Seq, SiteId};
use switchboard::state::State;
use switchboard::time::{SiteTime, Span};
use tokio::sync::mpsc;

const CALLS_A_DAY: u32 = 4_000;
/// A day of so many calls has more decisions than this.
const DECISIONS_A_DAY: u64 = 25_000;
const DAY_US: i64 = 86_400_000_000;
/// What every command is meant to keep, and what a call's path is.
const LIMITS_MS: (u128, u128) = (200, 300);
/// Records that follow a million decisions are made within this time.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(900);

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

/// What commands are asked about.
struct Known {
    /// The first call, one of the middle, and the last.
    calls: [String; 3],
    caller: String,
    operator: String,
    middle: u64,
    last: u64,
}

impl Timings {
    /// Makes the site, serves it, and prints a table.
    ///
    /// # Errors
    /// When the site cannot be made or served.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let temporary = tempfile::tempdir()?;
        let dir = self.dir.clone().unwrap_or_else(|| temporary.path().join("site"));
        let data = dir.join("data");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        if !data.join("journal.db").exists() {
            fs::create_dir_all(&dir)?;
            let began = Instant::now();
            runtime.block_on(fill(&data, self.decisions))?;
            say(&format!(
                "made a site with {} decisions in {:.0} s",
                self.decisions,
                began.elapsed().as_secs_f64()
            ))?;
        }
        let server = Server::start(&data)?;
        let known = runtime.block_on(known(&data, self.decisions))?;
        fs::write(dir.join("hospital.toml"), plan::HOSPITAL)?;
        fs::write(dir.join("roster.toml"), roster(&known.operator))?;
        let worst = self.table(&dir, &known)?;
        drop(server);
        Ok(ExitCode::from(u8::from(worst)))
    }

    /// Says whether a command missed its limit.
    fn table(&self, dir: &Path, known: &Known) -> Result<bool> {
        let floor = self.median(dir, &["--version"])?;
        say(&format!(
            "{:>8}  {:>8}  hotline --version: what a process costs",
            shown(floor.0),
            shown(floor.1)
        ))?;
        let mut missed = false;
        for words in commands(known) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (median, longest) = self.median(dir, &words)?;
            let limit = if words.starts_with(&["call", "why"]) { LIMITS_MS.1 } else { LIMITS_MS.0 };
            let over = median.as_millis() > limit;
            missed |= over;
            let mark = if over { "  OVER ITS LIMIT" } else { "" };
            say(&format!("{:>8}  {:>8}  hotline {}{mark}", shown(median), shown(longest), words.join(" ")))?;
        }
        Ok(missed)
    }

    /// The median and the longest of so many runs.
    fn median(&self, dir: &Path, words: &[&str]) -> Result<(Duration, Duration)> {
        let mut took = Vec::new();
        for _ in 0..self.rounds.max(1) {
            let began = Instant::now();
            let output = command(words)?.current_dir(dir).output()?;
            took.push(began.elapsed());
            // A check may find something, and a caller may have no number: that is an answer, too.
            if !matches!(output.status.code(), Some(0 | 1 | 3)) {
                bail!("hotline {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
            }
        }
        took.sort_unstable();
        Ok((took[took.len() / 2], took[took.len() - 1]))
    }
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

fn command(words: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words).env("LC_ALL", "C").stdin(Stdio::null());
    Ok(command)
}

/// Every command that asks the site, as an administrator types it.
fn commands(known: &Known) -> Vec<Vec<String>> {
    let Known { calls: [first, middle, last], caller, operator, .. } = known;
    let at = known.middle.to_string();
    let tail = known.last.saturating_sub(10).to_string();
    let texts = [
        "line list".to_owned(),
        "line show emergency".to_owned(),
        "line close duty --for 1h".to_owned(),
        "line open duty".to_owned(),
        "line divert duty --to duty-phone --for 30m".to_owned(),
        "line divert duty --end".to_owned(),
        "line add duty-9 --zh 九 --en Nine --number 021-5550-0199 --like duty --dry-run".to_owned(),
        "line remove outpatient-2 --move-waiting-to outpatient-1 --dry-run".to_owned(),
        "operator list".to_owned(),
        format!("operator show {operator}"),
        format!("operator why {operator}"),
        format!("operator why {operator} --at {at}"),
        format!("operator invite {operator}"),
        format!("operator change {operator} --skill english"),
        format!("operator change {operator} --no-skill"),
        "team list".to_owned(),
        "team members volunteers".to_owned(),
        "plan get".to_owned(),
        "plan validate -f hospital.toml".to_owned(),
        "plan diff -f hospital.toml".to_owned(),
        "plan apply -f hospital.toml --dry-run".to_owned(),
        "plan history".to_owned(),
        "roster validate -f roster.toml".to_owned(),
        "roster apply -f roster.toml --yes".to_owned(),
        "roster get".to_owned(),
        "roster due --ahead 12h".to_owned(),
        "call list".to_owned(),
        "call list --closed".to_owned(),
        "call list --closed --limit 1000".to_owned(),
        "call list --closed --line emergency".to_owned(),
        format!("call list --closed --operator {operator}"),
        "call list --closed --outcome failed_gateway".to_owned(),
        "call list --closed --until 30d".to_owned(),
        format!("call show {first}"),
        format!("call why {first}"),
        format!("call why {middle}"),
        format!("call why {last}"),
        format!("call why {middle} --at {at}"),
        format!("call why {}", &last[..8]),
        "board".to_owned(),
        format!("events tail --from {tail} --no-follow"),
        "audit list".to_owned(),
        "audit list --what plan.apply --from 7d".to_owned(),
        "audit verify".to_owned(),
        format!("privacy export --caller {caller} --reason timing"),
        "privacy list".to_owned(),
        "token list".to_owned(),
        "token create wallboard hall --yes".to_owned(),
        "token revoke wallboard hall --yes".to_owned(),
        "doctor --data data".to_owned(),
    ];
    texts.iter().map(|text| text.split(' ').map(str::to_owned).collect()).collect()
}

fn roster(operator: &str) -> String {
    format!(
        "[shifts]\nday = {{ from = \"00:00\", to = \"24:00\" }}\n\n[weekly]\n{operator} = \"daily day\"\n"
    )
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

/// Waits until the records have followed the decisions, and picks some of them.
async fn known(data: &Path, decisions: u64) -> Result<Known> {
    let store = SqliteStore::inspect(data).await?;
    let give_up_at = Instant::now() + FOLLOWED_WITHIN;
    while store.record_cursor(site()).await?.is_none_or(|cursor| cursor.seq.0 < decisions) {
        if Instant::now() > give_up_at {
            bail!("the records did not follow the decisions");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let at = async |after: u64| -> Result<session::CallRecord> {
        let records = store.records(site(), Seq(after), 1).await?;
        records.into_iter().next().context("there are calls")
    };
    let (first, middle) = (at(0).await?, at(decisions / 2).await?);
    let last = at(decisions - decisions / 100).await?;
    let answered = store.records(site(), Seq(decisions / 2), 1_000).await?;
    let operator = answered.iter().find_map(|record| record.answered).context("somebody answered")?.1;
    Ok(Known {
        middle: middle.first_seq.0,
        last: decisions,
        caller: middle.caller.to_string(),
        operator: operator.to_string(),
        calls: [first, middle, last].map(|record| record.call.to_string()),
    })
}

fn site() -> SiteId {
    "main".parse().expect("the letters of a name")
}

/// The history of as many of a simulated hospital's days as it takes, one decision in a row, which is the slowest to read.
async fn fill(data: &Path, decisions: u64) -> Result<()> {
    let days = decisions / DECISIONS_A_DAY + 1;
    let now_us = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let begin_us = i64::try_from(now_us)? - (i64::try_from(days)? + 1) * DAY_US;
    let store = SqliteStore::open(data).await?;
    let (rows, mut made) = mpsc::channel::<Made>(4_096);
    let making = thread::spawn(move || make(decisions, days, begin_us, &rows));
    while let Some(made) = made.recv().await {
        match made {
            Made::Row(row) => {
                if row.seq == Seq(1) {
                    let decision = session::decode(&row)?.remove(0);
                    keep_plan(&store, &decision).await?;
                }
                store.append(site(), &row).await?;
            }
            // As a site that lived through all of it would have them.
            Made::State(state) => {
                let rows = store.tail(site(), Seq(state.seq.0 - 1), 1).await?;
                let row = rows.first().context("its row was appended before")?;
                store.keep_snapshot(site(), &Snapshot::of(&state, RowMark::of(row))).await?;
            }
        }
    }
    if making.join().is_err() {
        bail!("the history could not be made");
    }
    store.close().await;
    Ok(())
}

/// The text of the plan that the first decision adopted: whoever asks for the plan is given it.
async fn keep_plan(store: &SqliteStore, decision: &Decision) -> Result<()> {
    use session::Registry;
    for event in &decision.events {
        if let Event::PlanAdopted { plan, .. } = event {
            let hash = Hash::of(&canonical::encode(&**plan));
            store.keep_plan(site(), Revision(1), hash, plan::HOSPITAL).await?;
        }
    }
    Ok(())
}

/// What a history is made of.
enum Made {
    Row(Row),
    State(Box<State>),
}

fn make(decisions: u64, days: u64, begin_us: i64, rows: &mpsc::Sender<Made>) {
    let calls = CALLS_A_DAY * u32::try_from(days).unwrap_or(u32::MAX / CALLS_A_DAY);
    let plan = plan::parse("hospital.toml", plan::HOSPITAL).expect("the shipped plan is one").plan;
    let mut config = WorldConfig::hospital(&plan, 1, calls, 1);
    config.length = Span::secs(86_400 * days);
    let world = World::new(config, &plan);
    let end = world.end();
    let mut drive = Drive::new(world, &plan, SiteTime(0));
    let (at, adoption) = drive.script()[0].clone();
    let first = switchboard::Switchboard::new().handle(at, adoption).expect("a first plan is adopted");
    let send = |decision: &Decision| {
        let row = Row {
            seq: decision.seq,
            last_seq: decision.seq,
            at: decision.at,
            wall_us: begin_us.saturating_add(i64::try_from(decision.at.0).unwrap_or(i64::MAX)),
            writer: Writer::new("timings"),
            format: FORMAT,
            body: session::encode([decision]),
        };
        // Nobody takes them any more: whoever did has said why.
        decision.seq.0 > decisions || rows.blocking_send(Made::Row(row)).is_ok()
    };
    let mut taken = send(&first);
    // By the hour, to stop when there are enough.
    let mut until = SiteTime(0);
    while taken && until < end && drive.switchboard.state().seq.0 < decisions {
        until = until + Span::secs(3_600);
        drive.run(until, |decision, switchboard| {
            taken &= send(decision);
            if decision.seq.0.is_multiple_of(SNAPSHOT_STEP) && decision.seq.0 <= decisions {
                taken &= rows.blocking_send(Made::State(Box::new(switchboard.state().clone()))).is_ok();
            }
        });
    }
}
