//! What can stand in the slots of phrases, and what it means.

use anyhow::{Context, Result, bail};
use switchboard::time::{SiteTime, Span};

use crate::text::Word;

/// The site's clock at 00:00 of every scenario.
pub(crate) const START: SiteTime = SiteTime(100_000_000_000);

/// Slots that a few fixed wordings fill.
const ONE_OF: [(&str, &[&str]); 10] = [
    ("class", &["emergency", "normal", "background"]),
    (
        "state",
        &["waiting", "ringing", "connecting", "talking", "on hold", "with an outside number", "closed"],
    ),
    ("work", &["idle", "ringing", "connecting", "talking", "wrapping up", "in an outside call"]),
    ("duty", &["on duty", "off duty", "paused", "suspended", "leaving"]),
    ("link", &["online", "in grace", "lost"]),
    ("line-state", &["open", "closed by its hours", "closed by hand", "draining", "gone"]),
    ("outcome", OUTCOMES),
    (
        "withdrawal",
        &["caller gone", "answered elsewhere", "paused", "desk lost", "by the supervisor", "superseded"],
    ),
    ("cause", &["staff caller", "about a patient", "by the supervisor", "line closed", "line removed"]),
    ("sent-by", &["by its ladder", "whole line", "line closed", "emergency plan"]),
];

/// How a call can end, in the order of the switchboard's outcomes.
pub(crate) const OUTCOMES: &[&str] = &[
    "answered, the caller hung up",
    "answered, the operator hung up",
    "abandoned waiting",
    "abandoned ringing",
    "abandoned connecting",
    "taken outside",
    "refused, blocked",
    "refused, full",
    "refused, line closed",
    "refused, line removed",
    "nobody on duty",
    "failed, gateway",
    "failed, bridge",
];

/// How many words, from the first, fill a slot of this name.
pub(crate) fn take(slot: &str, words: &[Word<'_>]) -> Option<usize> {
    let first = words.first()?.text;
    let one = |fits: bool| fits.then_some(1);
    match slot {
        "call" => one(is_call(first)),
        "operator" | "line" | "team" | "member" | "skill" | "destination" | "gateway" | "code" | "prompt" => {
            one(is_name(first))
        }
        "number" => one(first.parse::<u64>().is_ok()),
        "key" => one(first.len() == 1 && first.contains(|c: char| c.is_ascii_digit() || "*#".contains(c))),
        "span" => one(span(first).is_ok()),
        "time" => one(time(first).is_ok()),
        "calls" => take_list(words, is_call),
        "operators" | "lines" | "skills" => take_list(words, is_name),
        "tier" => take_tier(words),
        "trigger" => take_trigger(words),
        "when" => take_when(words),
        _ => {
            let (_, wordings) = ONE_OF.iter().find(|(name, _)| *name == slot)?;
            wordings.iter().filter_map(|wording| take_wording(wording, words)).max()
        }
    }
}

/// What a slot wants, for an error.
pub(crate) fn described(slot: &str) -> String {
    let what = match slot {
        "call" => "a call (a capital letter, as A or B2)",
        "calls" => "calls (as A and B)",
        "key" => "a key (0-9, * or #)",
        "number" => "a number",
        "span" => "a length of time (as 20s, 90s or 2m)",
        "time" => "a time (as 00:10 or 01:30:00)",
        "tier" => {
            "a tier (a team, 'other lines', 'line <line>', 'number <destination>', 'the closing message')"
        }
        "when" => "a condition ('when busy', 'when empty', 'when missed 2', 'after 30s', 'beyond 2 waiting')",
        "trigger" => "a trigger (busy, empty, wait 10s, depth 2, missed 1)",
        _ => {
            return match ONE_OF.iter().find(|(name, _)| *name == slot) {
                Some((_, wordings)) => format!("one of: {}", wordings.join("; ")),
                None => format!("<{slot}> (small letters, digits and -)"),
            };
        }
    };
    what.to_owned()
}

/// Something that fits a slot, to try phrases with.
pub(crate) fn sample(slot: &str) -> &'static str {
    match slot {
        "call" => "A",
        "calls" => "A and B",
        "number" | "key" => "1",
        "span" => "20s",
        "time" => "00:10",
        "tier" | "team" => "volunteers",
        "trigger" => "busy",
        "when" => "when busy",
        _ => ONE_OF.iter().find(|(name, _)| *name == slot).map_or("ana", |(_, wordings)| wordings[0]),
    }
}

fn is_call(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c.is_ascii_uppercase()) && letters.all(|c| c.is_ascii_digit())
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn take_list(words: &[Word<'_>], fits: fn(&str) -> bool) -> Option<usize> {
    let fits_at = |n: usize| words.get(n).is_some_and(|w| fits(w.text));
    if !fits_at(0) {
        return None;
    }
    let mut count = 1;
    while words.get(count).is_some_and(|w| w.text == "and") && fits_at(count + 1) {
        count += 2;
    }
    Some(count)
}

fn take_tier(words: &[Word<'_>]) -> Option<usize> {
    let at = |n: usize| words.get(n).map(|w| w.text);
    match (at(0)?, at(1), at(2)) {
        ("own", Some("operators"), _) | ("other", Some("lines"), _) => Some(2),
        ("line" | "number", Some(name), _) if is_name(name) => Some(2),
        ("the", Some("closing"), Some("message")) => Some(3),
        (name, ..) => is_name(name).then_some(1),
    }
}

fn take_trigger(words: &[Word<'_>]) -> Option<usize> {
    let next = words.get(1).map(|w| w.text);
    match words.first()?.text {
        "busy" | "empty" => Some(1),
        "wait" if next.is_some_and(|w| span(w).is_ok()) => Some(2),
        "depth" | "missed" if next.is_some_and(|w| w.parse::<u32>().is_ok()) => Some(2),
        "wait" | "depth" | "missed" => Some(1),
        _ => None,
    }
}

fn take_when(words: &[Word<'_>]) -> Option<usize> {
    let texts: Vec<&str> = words.iter().take(3).map(|w| w.text).collect();
    match texts[..] {
        ["when", "busy" | "empty", ..] => Some(2),
        ["when", "missed", times] if times.parse::<u32>().is_ok() => Some(3),
        ["beyond", depth, "waiting"] if depth.parse::<u32>().is_ok() => Some(3),
        ["after", time, ..] if span(time).is_ok() => Some(2),
        _ => None,
    }
}

fn take_wording(wording: &str, words: &[Word<'_>]) -> Option<usize> {
    let wanted = crate::text::words(wording);
    let same = words.len() >= wanted.len() && wanted.iter().zip(words).all(|(a, b)| a.text == b.text);
    same.then_some(wanted.len())
}

/// The members of a list.
pub(crate) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| *word != "and")
}

/// A length of time: figures with units, as `90s` or `1m30s`.
pub(crate) fn span(text: &str) -> Result<Span> {
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).context("no unit")?;
        let figure: u64 = rest[..digits].parse().context("no figure")?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |n| digits + n);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            other => bail!("no unit: {other}"),
        };
        total = figure.checked_mul(unit).and_then(|part| total.checked_add(part)).context("too long")?;
        rest = &rest[unit_end..];
    }
    if text.is_empty() { bail!("empty") } else { Ok(Span(total)) }
}

/// A time of the scenario: `mm:ss`, `hh:mm:ss`, with decimals if need be; `-00:30` is before it began.
pub(crate) fn time(text: &str) -> Result<SiteTime> {
    if let Some(before) = text.strip_prefix('-') {
        return Ok(START - time(before)?.since(START));
    }
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<u64> = whole.split(':').map(str::parse).collect::<Result<_, _>>()?;
    let seconds = match parts[..] {
        [minutes, seconds] if seconds < 60 => minutes * 60 + seconds,
        [hours, minutes, seconds] if minutes < 60 && seconds < 60 => hours * 3_600 + minutes * 60 + seconds,
        _ => bail!("a time is written mm:ss or hh:mm:ss"),
    };
    if decimals.is_empty() || decimals.len() > 3 || whole.split(':').any(|part| part.len() < 2) {
        bail!("a time has two digits in each part, and at most three decimals");
    }
    let millis: u64 = format!("{decimals:0<3}").parse()?;
    Ok(START + Span::secs(seconds) + Span::millis(millis))
}

/// A time of the scenario as it is written.
pub(crate) fn clock(at: SiteTime) -> String {
    let (sign, span) = if at < START { ("-", START.since(at)) } else { ("", at.since(START)) };
    let (seconds, millis) = (span.as_secs(), span.0 / 1_000 % 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let hours = if hours > 0 { format!("{hours:02}:") } else { String::new() };
    let millis = if millis > 0 { format!(".{millis:03}") } else { String::new() };
    format!("{sign}{hours}{minutes:02}:{seconds:02}{millis}")
}

/// A length of time as it is written.
pub(crate) fn length(span: Span) -> String {
    match (span.0 % 1_000_000, span.as_secs()) {
        (0, seconds) if seconds >= 86_400 && seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        (0, seconds) if seconds >= 3_600 && seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        (0, seconds) if seconds >= 120 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        (0, seconds) => format!("{seconds}s"),
        _ => format!("{}ms", span.0 / 1_000),
    }
}
