//! What one decision costs, in instructions: a count that does not depend on how fast or how busy the machine is.
//!
//! `cargo bench -p sim --bench decision` plays two hospitals until they are in a steady surge: 15 operators, 6 lines, 15
//! callers waiting; and 10,000 operators, 64 lines, 10,000 callers waiting. It then counts, under valgrind, nothing but
//! the [`Switchboard::handle`] of the inputs that follow: 30 % of the callers choose a dialect, every tenth offer is
//! missed or declined, and tiers open. It fails when the small one is over its budget, or when the large one costs
//! more than three times as much: then something looks at everybody.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

mod surge;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use sim::drive::Scripted;
use switchboard::Switchboard;
use switchboard::canonical;
use switchboard::command::Input;
use switchboard::decision::Decision;
use switchboard::rejection::Rejection;
use switchboard::time::SiteTime;

use self::surge::{Size, Surge};

/// Instructions one decision may take on average at 15 operators and 6 lines: about a quarter over what was measured.
const BUDGET: u64 = 33_000;
/// How many times as much it may take at 10,000 operators, 64 lines and 10,000 waiting.
const RATIO_MAX: u64 = 3;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--inside", folder] => inside(Path::new(folder)),
        _ => outside(),
    }
}

/// Under valgrind: hands the recorded inputs to the stored switchboard.
fn inside(folder: &Path) -> Result<()> {
    let state = fs::read_to_string(folder.join("state"))?;
    let script = fs::read_to_string(folder.join("script"))?;
    let mut switchboard = Switchboard::from_state(canonical::decode(&state)?);
    let script: Vec<Scripted> = canonical::decode(&script)?;
    let (mut decisions, mut refusals) = (0_u64, 0_u64);
    for (at, input) in script {
        match black_box(measured(&mut switchboard, at, input)) {
            Ok(_) => decisions += 1,
            Err(_) => refusals += 1,
        }
    }
    println!("{decisions} {refusals}");
    Ok(())
}

/// The only function in which instructions are counted.
#[inline(never)]
fn measured(switchboard: &mut Switchboard, at: SiteTime, input: Input) -> Result<Decision, Rejection> {
    switchboard.handle(at, input)
}

fn outside() -> Result<()> {
    let small = count(Size::SMALL)?;
    let large = count(Size::LARGE)?;
    for count in [&small, &large] {
        println!("{count}");
    }
    let hundredths = large.each() * 100 / small.each().max(1);
    println!("ratio {}.{:02} (at most {RATIO_MAX})", hundredths / 100, hundredths % 100);
    ensure!(
        small.each() <= BUDGET,
        "one decision takes {} instructions; the budget is {BUDGET}",
        small.each()
    );
    ensure!(hundredths <= RATIO_MAX * 100, "the large site costs more than {RATIO_MAX} times the small one");
    Ok(())
}

struct Count {
    size: Size,
    surge: Surge,
    instructions: u64,
    decisions: u64,
}

impl Count {
    fn each(&self) -> u64 {
        self.instructions / self.decisions.max(1)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Count { size, surge, decisions, .. } = self;
        write!(
            f,
            "{} operators, {} lines, {} waiting: {} instructions per decision over {decisions} decisions \
             ({} % of the arrivals skilled, {} % of the offers missed or declined, {} tiers opened)",
            size.operators,
            size.lines,
            surge.waiting,
            self.each(),
            surge.skilled_percent,
            surge.excluded_percent,
            surge.tiers_opened,
        )
    }
}

fn count(size: Size) -> Result<Count> {
    let surge = Surge::play(size);
    let folder = Folder::new(size.operators)?;
    fs::write(folder.0.join("state"), canonical::encode(surge.before.state()))?;
    fs::write(folder.0.join("script"), canonical::encode(&surge.script))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measured*"])
        .arg(env::current_exe()?)
        .arg("--inside")
        .arg(&folder.0)
        .output()
        .context("valgrind counts the instructions; install it")?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("the run under valgrind failed: {errors}");
    }
    let decisions = said.split_whitespace().next().and_then(|n| n.parse().ok());
    let instructions = errors
        .lines()
        .filter_map(|line| line.split_once("Collected :"))
        .find_map(|(_, count)| count.split_whitespace().next()?.parse().ok());
    Ok(Count {
        size,
        surge,
        decisions: decisions.context("the run under valgrind says how many decisions it took")?,
        instructions: instructions.context("valgrind says how many instructions it collected")?,
    })
}

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(operators: usize) -> Result<Folder> {
        let folder = env::temp_dir().join(format!("hotline-bench-{}-{operators}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
