//! What must hold of all scenarios together: every corner has one, every transcript has its scenario, and the guide
//! names exactly the phrases that there are.

use std::collections::BTreeSet;

use libtest_mimic::{Failed, Trial};

use crate::parse::{TOPICS, parse};
use crate::text::Pattern;
use crate::{checks, golden, phrases, plan, run, scenarios, slot, tell, text_files, top};

/// The guide's part that is made from the source begins with this heading.
const ALL_PHRASES: &str = "## All phrases\n";

/// Corners that a switchboard without its runtime has.
fn corners() -> impl Iterator<Item = String> {
    (1..=18).chain(22..=24).map(|n| format!("C{n:02}"))
}

/// The tests beside the scenarios themselves.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("whole::every_corner_has_a_scenario", every_corner_has_a_scenario),
        Trial::test("whole::every_transcript_has_its_scenario", every_transcript_has_its_scenario),
        Trial::test("whole::the_guide_names_every_phrase", the_guide_names_every_phrase),
        Trial::test(
            "whole::every_phrase_of_the_guide_is_understood",
            every_phrase_of_the_guide_is_understood,
        ),
        Trial::test("whole::the_example_of_the_guide_plays", the_example_of_the_guide_plays),
        Trial::test("whole::a_wrong_scenario_is_told_where", a_wrong_scenario_is_told_where),
    ]
}

fn every_corner_has_a_scenario() -> Result<(), Failed> {
    let mut covered = BTreeSet::new();
    for path in scenarios() {
        covered.extend(parse(&std::fs::read_to_string(path)?).map_err(|fault| fault.what)?.covers);
    }
    let wanted = corners().chain(TOPICS.iter().map(ToString::to_string));
    let missing: Vec<String> = wanted.filter(|id| !covered.contains(id)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no scenario covers {}", missing.join(", ")).into()) }
}

fn every_transcript_has_its_scenario() -> Result<(), Failed> {
    let goldens: BTreeSet<_> = text_files(&top().join("tests/scenarios/golden")).into_iter().collect();
    let wanted: BTreeSet<_> = scenarios().iter().map(|path| golden(path)).collect();
    let names = |paths: Vec<&std::path::PathBuf>| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let without = names(goldens.difference(&wanted).collect());
    if without.is_empty() { Ok(()) } else { Err(format!("transcripts without a scenario: {without}").into()) }
}

fn the_guide_names_every_phrase() -> Result<(), Failed> {
    let path = top().join("docs/scenarios.md");
    let guide = std::fs::read_to_string(&path)?;
    let (by_hand, listed) = guide.split_once(ALL_PHRASES).ok_or("the guide has no heading 'All phrases'")?;
    let wanted = all_phrases();
    if crate::blesses() {
        return Ok(std::fs::write(path, format!("{by_hand}{ALL_PHRASES}{wanted}"))?);
    }
    let first = listed.lines().zip(wanted.lines()).find(|(listed, wanted)| listed != wanted);
    match first {
        Some((listed, wanted)) => Err(format!("the guide says: {listed}\nthe source has: {wanted}").into()),
        None if listed != wanted => Err("the guide is shorter or longer than the source".into()),
        None => Ok(()),
    }
}

fn every_phrase_of_the_guide_is_understood() -> Result<(), Failed> {
    let guide = std::fs::read_to_string(top().join("docs/scenarios.md"))?;
    let (_, listed) = guide.split_once(ALL_PHRASES).ok_or("the guide has no heading 'All phrases'")?;
    let known: Vec<Pattern> =
        sections().iter().flat_map(|(_, texts)| texts).map(|text| Pattern::of(text)).collect();
    let mut count = 0;
    for line in listed.lines().filter_map(|line| line.strip_prefix("- `")) {
        let phrase = line.trim_end_matches(" (quiet)").trim_end_matches('`');
        let said = with_samples(&Pattern::of(phrase).in_full());
        if !known.iter().any(|pattern| pattern.text == phrase && pattern.is(&said)) {
            return Err(format!("nobody understands: {said}").into());
        }
        count += 1;
    }
    if count == known.len() { Ok(()) } else { Err(format!("{count} phrases of {}", known.len()).into()) }
}

fn the_example_of_the_guide_plays() -> Result<(), Failed> {
    let guide = std::fs::read_to_string(top().join("docs/scenarios.md"))?;
    let example = guide.split("```").nth(1).ok_or("the guide has no example")?;
    let example = example.split_once('\n').ok_or("the example is empty")?.1;
    run::transcript("docs/scenarios.md", example).map(|_| ()).map_err(Failed::from)
}

fn a_wrong_scenario_is_told_where() -> Result<(), Failed> {
    const HEAD: &str =
        "A title\ncovers  C01: because it matters\nplan    clinic: ring 15s\nshift   ana on clinic\n";
    let wrong = [
        (
            "00:00  call A arives on clinic  -> offered to ana\n",
            "x:5:15: 'arives'",
            "call <call> arrives on <line>",
        ),
        ("00:00  call A arrives on clinic  -> ofered to ana\n", "x:5:37: 'ofered'", "offered to <operator>"),
        ("00:00  call A arrives on clinic\n", "x:5:8: a line says what it brings about", "nothing"),
        (
            "00:00  call A arrives on clinic  -> offered to ben\n",
            "x:5:37: 'offered to ben' is expected",
            "offered to ana",
        ),
        ("00:00  call A arrives on clinic  -> nothing\n", "does not name what happens", "A offered to ana"),
        (
            "00:00  call A arrives on clinic  -> offered to ana; A is talking\n",
            "x:5:53: 'A is talking' is not so",
            "ringing",
        ),
        (
            "00:00  call A arrives on clinic  -> offered to ana\n00:20  time passes  -> nothing\n",
            "x:6:1: before this",
            "ana cools down",
        ),
        ("00:09  time passes  -> nothing\n00:08  time passes  -> nothing\n", "x:6:1: time goes back", ""),
        ("00:00  time passes  -> ana off duty\n", "x:5:24: this does not happen", "nothing"),
        ("plan  west: rings 15s\n", "x:5:13: 'rings'", "ring <span>"),
        ("shift ben in clinic\n", "x:5:11: 'in'", "docs/scenarios.md"),
        ("noon  time passes  -> nothing\n", "x:5:1: 'noon' is neither", ""),
    ];
    for (lines, place, mend) in wrong {
        match run::transcript("x", &format!("{HEAD}{lines}00:30  time passes  -> nothing\n")) {
            Ok(_) => return Err(format!("this is wrong and passes: {lines}").into()),
            Err(told) if told.contains(place) && told.contains(mend) => {}
            Err(told) => return Err(format!("wanted {place} … {mend}, told:\n{told}").into()),
        }
    }
    Ok(())
}

/// Everything that a scenario can be written with, by heading.
fn sections() -> Vec<(String, Vec<&'static str>)> {
    let mut sections = vec![
        ("`plan` lines: of a line".to_owned(), texts(plan::PLAN_PHRASES)),
        ("`timers` lines".to_owned(), texts(plan::TIMER_PHRASES)),
        ("`shift` lines: of a person".to_owned(), texts(plan::PEOPLE_PHRASES)),
    ];
    sections
        .extend(phrases::SECTIONS.iter().map(|(name, phrases)| (format!("Left: {name}"), texts(phrases))));
    sections
        .extend(tell::SECTIONS.iter().map(|(name, sentences)| (format!("Right: {name}"), texts(sentences))));
    sections.push(("Right: how things are".to_owned(), texts(checks::PHRASES)));
    sections
}

fn texts<T>(phrases: &[(&'static str, T)]) -> Vec<&'static str> {
    phrases.iter().map(|(text, _)| *text).collect()
}

fn all_phrases() -> String {
    let quiet: BTreeSet<&str> = tell::SECTIONS
        .iter()
        .flat_map(|(_, all)| all.iter())
        .filter(|(_, quiet)| *quiet)
        .map(|(text, _)| *text)
        .collect();
    let mut page = String::new();
    for (name, texts) in sections() {
        page.push_str(&format!("\n### {name}\n\n"));
        for text in texts {
            let mark = if quiet.contains(text) { " (quiet)" } else { "" };
            page.push_str(&format!("- `{text}`{mark}\n"));
        }
    }
    page
}

fn with_samples(phrase: &str) -> String {
    let mut said = String::new();
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('<') {
        let (slot, after) = after.split_once('>').unwrap_or((after, ""));
        said.push_str(before);
        said.push_str(slot::sample(slot));
        rest = after;
    }
    said + rest
}
