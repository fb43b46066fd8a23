//! Whatever the bytes are: a plan, or findings that point into the text.

use plan::PlanErrors;
use proptest::prelude::*;

/// Every finding stands somewhere in the text and says what and how.
fn check_located(bytes: &[u8], errors: &PlanErrors) {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(!errors.findings.is_empty());
    for finding in &errors.findings {
        assert!((1..=lines.len()).contains(&finding.line), "line {} of {}", finding.line, lines.len());
        let columns = lines[finding.line - 1].chars().count() + 1;
        assert!((1..=columns).contains(&finding.column), "{finding}");
        assert!(finding.span.start <= finding.span.end && finding.span.end <= text.len(), "{finding}");
        assert!(!finding.reason.is_empty() && !finding.mend.is_empty(), "{finding}");
        assert!(finding.to_string().contains(&format!(":{}:{}", finding.line, finding.column)), "{finding}");
    }
}

fn check(bytes: &[u8]) {
    if let Err(errors) = plan::parse_bytes("any.toml", bytes) {
        check_located(bytes, &errors);
    }
}

#[test]
fn any_line_of_the_hospital_may_be_missing() {
    let lines: Vec<&str> = plan::HOSPITAL.split_inclusive('\n').collect();
    let mut plans = 0;
    for missing in 0..lines.len() {
        let text: String =
            lines.iter().enumerate().filter(|(n, _)| *n != missing).map(|(_, line)| *line).collect();
        match plan::parse("hospital.toml", &text) {
            Ok(_) => plans += 1,
            Err(errors) => check_located(text.as_bytes(), &errors),
        }
    }
    assert!((1..lines.len()).contains(&plans), "{plans} of {} lines can be left out", lines.len());
}

#[test]
fn a_mistake_at_the_very_end_or_in_a_line_cut_by_as_much_as_is_added() {
    for text in [
        "a = 1\r",
        "\r",
        "a = \"",
        "[",
        "a = [1,\r\n",
        &format!("a = \"{}\" b = {}", "x".repeat(85), "y".repeat(80)),
    ] {
        check(text.as_bytes());
    }
}

/// Pieces that a hostile or tired writer might leave in a plan.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "#",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\u{202e}",
    "\u{feff}",
    "\u{200b}",
    "\u{301}",
    "医",
    "🏥",
    "\\",
    "\\u202e",
    "\\x",
    "0",
    "-1",
    "1e999",
    "nan",
    "99999999999999999999",
    "true",
    "1979-05-27",
    "\"15\"",
    "\"15 sec\"",
    "who = ",
    "[lines.emergency]\n",
    "[lines.a.b.c]\n",
    "tiers = []\n",
    "hours = [\"Sun 22:00-02:00\"]\n",
    "\"line:emergency\"",
    "\"team:\"",
    "::",
    "time_zone = \"UTC\"\n",
    "defaults = 1\n",
    "lines = []\n",
    "a.b.c.d = 1\n",
];

/// A change to the hospital's text: put a piece in, take some out, or copy some of it somewhere else.
#[derive(Debug, Clone)]
enum Change {
    Insert(usize, usize),
    Remove(usize, usize),
    Copy(usize, usize, usize),
    Byte(usize, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..plan::HOSPITAL.len();
    prop_oneof![
        4 => (at.clone(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        3 => (at.clone(), 1..60_usize).prop_map(|(at, len)| Change::Remove(at, len)),
        2 => (at.clone(), 1..200_usize, at.clone()).prop_map(|(from, len, to)| Change::Copy(from, len, to)),
        1 => (at, any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let len = bytes.len();
    let within = |at: usize| at.min(len);
    match *change {
        Change::Insert(at, piece) => {
            let at = within(at);
            bytes.splice(at..at, PIECES[piece].bytes());
        }
        Change::Remove(at, count) => {
            bytes.drain(within(at)..within(at + count));
        }
        Change::Copy(from, count, to) => {
            let part = bytes[within(from)..within(from + count)].to_vec();
            let to = within(to);
            bytes.splice(to..to, part);
        }
        Change::Byte(at, byte) => {
            let at = within(at);
            bytes.splice(at..at, [byte]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        check(&bytes);
    }

    #[test]
    fn arbitrary_pieces(pieces in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|n| PIECES[*n]).collect();
        check(text.as_bytes());
    }

    #[test]
    fn a_changed_hospital(changes in proptest::collection::vec(change(), 1..6)) {
        let mut bytes = plan::HOSPITAL.as_bytes().to_vec();
        for change in &changes {
            apply(&mut bytes, change);
        }
        check(&bytes);
    }
}
