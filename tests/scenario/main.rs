//! Scenarios a head nurse can read: every file of tests/scenarios is one test, named after it. The guide is
//! docs/scenarios.md. `SCENARIOS=bless cargo test -p tests --test scenarios` writes the transcripts anew.

mod checks;
mod parse;
mod phrases;
mod plan;
mod play;
mod run;
mod schedule;
mod slot;
mod source;
mod tell;
mod text;
mod whole;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = whole::trials();
    for path in scenarios() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || played(&path)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The top directory of the checkout.
fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package lies in the top directory")
        .into()
}

/// Every scenario, in order.
fn scenarios() -> Vec<PathBuf> {
    text_files(&top().join("tests/scenarios"))
}

fn text_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("the directory of scenarios is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    paths
}

/// Whether what is played becomes what is expected.
fn blesses() -> bool {
    std::env::var("SCENARIOS").is_ok_and(|wish| wish == "bless")
}

fn golden(scenario: &Path) -> PathBuf {
    top().join("tests/scenarios/golden").join(scenario.file_name().unwrap_or_default())
}

fn played(path: &Path) -> Result<(), Failed> {
    let shown = path.strip_prefix(top()).unwrap_or(path).display().to_string();
    let text = std::fs::read_to_string(path)?;
    let transcript = run::transcript(&shown, &text)?;
    let golden = golden(path);
    if blesses() {
        return Ok(std::fs::write(golden, transcript)?);
    }
    let known = std::fs::read_to_string(&golden).unwrap_or_default();
    if known == transcript {
        return Ok(());
    }
    let line = known.lines().zip(transcript.lines()).take_while(|(a, b)| a == b).count();
    let then = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    Err(Failed::from(format!(
        "the transcript is not the golden one of tests/scenarios/golden, from line {}:\n  golden: {}\n  played: {}\n\
         if that is right: SCENARIOS=bless cargo test -p tests --test scenarios",
        line + 1,
        then(&known),
        then(&transcript),
    )))
}
