//! A scenario from text to transcript: each line is played, and held against what it says it brings about.

use crate::parse::{Expected, Scenario, Step, Wanted, parse};
use crate::play::Play;
use crate::slot::clock;
use crate::source::{Drawn, Fault};
use crate::tell::Happening;

/// Plays a scenario and returns its transcript, or the first fault, drawn in the file.
pub(crate) fn transcript(file: &str, text: &str) -> Result<String, String> {
    let drawn = |fault: Fault| Drawn { file, text, fault: &fault }.to_string();
    let scenario = parse(text).map_err(drawn)?;
    played(&scenario).map_err(drawn)
}

fn played(scenario: &Scenario) -> Result<String, Fault> {
    let header = |what: String| Fault { at: 0, what, mend: None };
    let plans = scenario.setup.plans().map_err(header)?;
    let mut play = Play::set_up(&scenario.title, plans, &scenario.setup.people)
        .map_err(|error| header(format!("the site could not be set up: {error:#}")))?;
    refused_at_setup(&mut play).map_err(header)?;
    for step in &scenario.steps {
        played_step(&mut play, step)?;
    }
    play.finish().map_err(|error| header(format!("{error:#}")))
}

fn refused_at_setup(play: &mut Play) -> Result<(), String> {
    let happened = play.take_happened();
    let refused = happened.iter().find(|told| told.words.text.starts_with("refused"));
    refused.map_or(Ok(()), |told| Err(format!("the site could not be set up: {}", told.words)))
}

fn played_step(play: &mut Play, step: &Step) -> Result<(), Fault> {
    let here = |what: String| Fault { at: step.place, what, mend: None };
    while let Some(due) = play.next_due(step.at).map_err(|error| here(format!("{error:#}")))? {
        if due < step.at {
            untold(play, due).map_err(here)?;
        }
    }
    for action in &step.actions {
        play.begin(&action.text, action.request);
        let done = (action.act)(play, &action.found);
        done.map_err(|error| Fault { at: action.place, what: format!("{error:#}"), mend: None })?;
    }
    let happened = play.take_happened();
    compared(step, &happened)?;
    step.expected.iter().try_for_each(|expected| checked(play, expected))
}

/// Before a line's time only quiet things may happen.
fn untold(play: &mut Play, due: switchboard::time::SiteTime) -> Result<(), String> {
    let loud: Vec<String> = loud(&play.take_happened());
    if loud.is_empty() {
        return Ok(());
    }
    let at = clock(due);
    Err(format!(
        "before this, no line tells what happens at {at}; add: {at}  time passes  -> {}",
        loud.join("; ")
    ))
}

fn loud(happened: &[Happening]) -> Vec<String> {
    happened.iter().filter(|told| !told.quiet).map(|told| told.words.in_full()).collect()
}

/// Every loud happening is named by the line, in order, and nothing is named that did not happen.
fn compared(step: &Step, happened: &[Happening]) -> Result<(), Fault> {
    let mut wanted = step.expected.iter().filter(|e| matches!(e.what, Wanted::Sentence)).peekable();
    for told in happened {
        match wanted.peek() {
            Some(expected) if told.words.is(&expected.text) => {
                wanted.next();
            }
            _ if told.quiet => {}
            Some(expected) => {
                let what = format!(
                    "'{}' is expected here, but what happens is: {}",
                    expected.text,
                    told.words.in_full()
                );
                return Err(Fault { at: expected.place, what, mend: mend(happened) });
            }
            None => {
                let at = step.expected.last().map_or(step.place, |e| e.place);
                let what = format!("the line does not name what happens, too: {}", told.words.in_full());
                return Err(Fault { at, what, mend: mend(happened) });
            }
        }
    }
    match wanted.next() {
        Some(expected) => {
            let what = format!("this does not happen: {}", expected.text);
            Err(Fault { at: expected.place, what, mend: mend(happened) })
        }
        None => Ok(()),
    }
}

fn mend(happened: &[Happening]) -> Option<String> {
    let loud = loud(happened);
    let all = if loud.is_empty() { "nothing".to_owned() } else { loud.join("; ") };
    Some(format!("what the line brings about is: -> {all}"))
}

fn checked(play: &Play, expected: &Expected) -> Result<(), Fault> {
    let Wanted::Check(check, found) = &expected.what else { return Ok(()) };
    check(play, found).map_err(|how| Fault {
        at: expected.place,
        what: format!("'{}' is not so: {how}", expected.text),
        mend: None,
    })
}
