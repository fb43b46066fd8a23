//! A scenario file read: title, what it covers, plan and people, and its steps.

use std::sync::OnceLock;

use switchboard::time::SiteTime;

use crate::checks::{self, Check};
use crate::phrases::{self, Act};
use crate::plan::Setup;
use crate::slot;
use crate::source::{Fault, Piece};
use crate::tell;
use crate::text::{Found, Pattern};

/// What a scenario may say that it covers, beside corners (C01): the words of the semantics.
pub(crate) const TOPICS: [&str; 28] = [
    "busy",
    "empty",
    "wait",
    "depth",
    "missed",
    "guard",
    "parallel",
    "skills",
    "headset",
    "desk-phone",
    "telephone",
    "softphone",
    "redial",
    "staff",
    "blocks",
    "supervisor",
    "plan-change",
    "schedule",
    "hold",
    "consult",
    "transfer",
    "gateway",
    "bad-commands",
    "full",
    "duty-phone",
    "closing",
    "explain",
    "site",
];

/// A scenario.
pub(crate) struct Scenario {
    pub(crate) title: String,
    pub(crate) covers: Vec<String>,
    pub(crate) setup: Setup,
    pub(crate) steps: Vec<Step>,
}

/// One line: when, what is done, what it must bring about.
pub(crate) struct Step {
    pub(crate) at: SiteTime,
    /// Where the line begins.
    pub(crate) place: usize,
    pub(crate) actions: Vec<Action>,
    pub(crate) expected: Vec<Expected>,
}

/// One thing that is done.
pub(crate) struct Action {
    pub(crate) place: usize,
    pub(crate) text: String,
    pub(crate) act: Act,
    pub(crate) found: Found,
    pub(crate) request: Option<u64>,
}

/// One thing a line must bring about.
pub(crate) struct Expected {
    pub(crate) place: usize,
    pub(crate) text: String,
    pub(crate) what: Wanted,
}

/// How an expectation is held against what happened.
pub(crate) enum Wanted {
    /// This sentence is among what happened, after the one named before.
    Sentence,
    /// This is so when the line is done.
    Check(Check, Found),
}

/// Reads a scenario.
pub(crate) fn parse(text: &str) -> Result<Scenario, Fault> {
    let mut entries = entries(text).into_iter();
    let whole = Piece { text, at: 0 };
    let title = entries.next().ok_or_else(|| whole.fault("a scenario begins with its title"))?;
    let mut scenario =
        Scenario { title: title.plain(), covers: vec![], setup: Setup::default(), steps: vec![] };
    for entry in entries {
        let (first, rest) = entry.first_word();
        match first.text {
            "covers" => scenario.covers = covers(rest)?,
            "plan" => scenario.setup.plan_line(rest)?,
            "timers" => scenario.setup.timers_line(rest)?,
            "shift" => scenario.setup.shift_line(rest)?,
            time => {
                let at = slot::time(time).map_err(|_| {
                    first.fault(format!(
                        "'{time}' is neither a time (as 00:10) nor covers, plan, timers or shift"
                    ))
                })?;
                scenario.steps.push(step(at, entry.at, rest)?);
            }
        }
    }
    complete(&scenario, title)?;
    Ok(scenario)
}

fn complete(scenario: &Scenario, title: Piece<'_>) -> Result<(), Fault> {
    if scenario.covers.is_empty() {
        return Err(title.fault("after its title a scenario says why it matters, as 'covers  C01: …'"));
    }
    if scenario.steps.is_empty() {
        return Err(title.fault("nothing happens: a scenario has lines that begin with a time"));
    }
    let back = scenario.steps.windows(2).find(|pair| pair[1].at < pair[0].at);
    match back {
        Some(pair) => Err(Fault { at: pair[1].place, what: "time goes back here".to_owned(), mend: None }),
        None => Ok(()),
    }
}

/// Lines, each with the indented lines after it; blank lines and `#` lines left out.
fn entries(text: &str) -> Vec<Piece<'_>> {
    let mut entries: Vec<Piece<'_>> = Vec::new();
    let mut at = 0;
    let mut goes_on = false;
    for line in text.split_inclusive('\n') {
        let indented = line.starts_with(char::is_whitespace);
        if line.trim().is_empty() || line.starts_with('#') {
            goes_on = false;
        } else if let Some(last) = entries.last_mut().filter(|_| goes_on && indented) {
            last.text = &text[last.at..at + line.len()];
        } else {
            entries.push(Piece { text: line, at });
            goes_on = true;
        }
        at += line.len();
    }
    entries.into_iter().map(Piece::trimmed).collect()
}

fn covers(piece: Piece<'_>) -> Result<Vec<String>, Fault> {
    let Some((ids, _)) = piece.cut(":").filter(|(_, why)| why.text.len() > 10) else {
        return Err(piece.fault("say what is covered and why it matters, as 'covers  C01, missed: …'"));
    };
    let covered = ids.split(",");
    for id in &covered {
        let corner = id.text.len() == 3 && id.text.starts_with('C') && id.text[1..].parse::<u8>().is_ok();
        if !corner && !TOPICS.contains(&id.text) {
            let mut fault = id.fault(format!("'{}' is neither a corner (C01) nor a topic", id.text));
            fault.mend = Some(format!("topics are: {}", TOPICS.join(", ")));
            return Err(fault);
        }
    }
    Ok(covered.iter().map(|id| id.text.to_owned()).collect())
}

fn step(at: SiteTime, place: usize, piece: Piece<'_>) -> Result<Step, Fault> {
    let Some((left, right)) = piece.cut("->") else {
        return Err(piece.fault("a line says what it brings about: '-> …', or '-> nothing'"));
    };
    let actions: Vec<Action> = left.split(";").into_iter().map(action).collect::<Result<_, _>>()?;
    if actions.is_empty() {
        return Err(left.fault("nothing is done here; say 'time passes' if only time does"));
    }
    let expected = match right.text {
        "nothing" => vec![],
        "" => return Err(right.fault("say what this brings about, or 'nothing'")),
        _ => right.split(";").into_iter().map(expectation).collect::<Result<_, _>>()?,
    };
    Ok(Step { at, place, actions, expected })
}

fn action(piece: Piece<'_>) -> Result<Action, Fault> {
    let (phrase, request) = match piece.cut(" under request ") {
        None => (piece, None),
        Some((phrase, number)) => {
            let parsed = number.text.parse().map_err(|_| number.fault("a request is a number"))?;
            (phrase, Some(parsed))
        }
    };
    let (act, found) = phrase.find(phrases::book())?;
    Ok(Action { place: piece.at, text: piece.plain(), act: *act, found, request })
}

fn expectation(piece: Piece<'_>) -> Result<Expected, Fault> {
    let (meaning, found) = piece.find(expectations())?;
    let what = match meaning {
        Some(check) => Wanted::Check(*check, found),
        None => Wanted::Sentence,
    };
    Ok(Expected { place: piece.at, text: piece.plain(), what })
}

/// What can stand on the right: sentences, and checks of how things are.
fn expectations() -> &'static [(Pattern, Option<Check>)] {
    static BOOK: OnceLock<Vec<(Pattern, Option<Check>)>> = OnceLock::new();
    BOOK.get_or_init(|| {
        let sentences = tell::sentences().map(|text| (Pattern::of(text), None));
        let checks = checks::PHRASES.iter().map(|(text, check)| (Pattern::of(text), Some(*check)));
        sentences.chain(checks).collect()
    })
}
