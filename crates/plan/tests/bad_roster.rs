//! Wrong rosters: each mistake is named, where it stands, with a way to mend it; and whatever the bytes are, nothing
//! else happens.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use plan::roster::{parse, parse_bytes};
use plan::{FINDINGS_MAX, Findings};
use proptest::prelude::*;

const ZONE: &str = "Asia/Shanghai";

/// The roster that comes with the product.
const ROSTER: &str = include_str!("../../../config/roster.toml");

fn roster_with(old: &str, new: &str) -> String {
    assert!(ROSTER.contains(old), "the product's roster has no {old:?}");
    ROSTER.replacen(old, new, 1)
}

fn refused(text: &str) -> Findings {
    parse("roster.toml", text, ZONE).expect_err("this roster is wrong")
}

/// Expects one finding, at the first place after `after` where `at` stands.
fn one_finding(text: &str, after: &str, at: &str, reason: &str, mend: &str) -> Result<(), String> {
    let errors = refused(text);
    let start = text.find(after).ok_or(format!("no {after:?} in the text"))?;
    let offset = start + text[start..].find(at).ok_or(format!("no {at:?} after {after:?}"))?;
    let line = text[..offset].matches('\n').count() + 1;
    let column = text[..offset].rsplit('\n').next().unwrap().chars().count() + 1;
    let [finding] = errors.findings.as_slice() else { return Err(format!("not one finding:\n{errors}")) };
    let drawing = errors.to_string();
    let is_as_expected = finding.reason.contains(reason)
        && finding.mend.contains(mend)
        && (finding.line, finding.column) == (line, column)
        && drawing.contains(&format!("roster.toml:{line}:{column}"))
        && drawing.contains('^');
    if is_as_expected {
        Ok(())
    } else {
        Err(format!("expected {line}:{column} {reason} / {mend}:\n{errors}"))
    }
}

#[test]
fn one_mistake_at_a_time() {
    let cases: &[(&str, &str, &str, &str, &str)] = &[
        // what stood there, what stands there, where, reason, mend
        (
            "[shifts]\n",
            "time_zone = \"Shanghai\"\n[shifts]\n",
            "\"Shanghai\"",
            "no time zone",
            "Asia/Shanghai",
        ),
        (
            "[shifts]\n",
            "time_zone = \"Europe/Berlni\"\n[shifts]\n",
            "\"Europe/Berlni\"",
            "no time zone",
            "Europe/Berlin",
        ),
        ("[weekly]", "[weekley]", "weekley", "no field 'weekley'", "did you mean 'weekly'?"),
        (
            "from = \"09:00\"",
            "form = \"09:00\", from = \"09:00\"",
            "form",
            "no field 'form'",
            "did you mean 'from'?",
        ),
        ("from = \"09:00\"", "from = \"9am\"", "\"9am\"", "'9am' is not a time of day", "08:00"),
        ("from = \"09:00\"", "from = 9", "9,", "text in quotes", "\"07:00\""),
        ("from = \"09:00\"", "from = \"8h\"", "\"8h\"", "'8h' is not a time of day", "08:00"),
        ("from = \"09:00\"", "from = \"24:00\"", "\"24:00\"", "'24:00' is not a time", "23:59"),
        ("from = \"09:00\"", "from = 09:00:30", "09:00:30", "whole minute", "\"09:00\""),
        ("from = \"09:00\", ", "", "help ", "'from' is missing", "add from ="),
        (
            "{ title = { zh = \"志愿班\", en = \"Volunteers\" }, from = \"09:00\", to = \"12:00\" }",
            "\"09:00-12:00\"",
            "\"09:00-12:00\"",
            "a table is wanted",
            "from, to",
        ),
        ("{ zh = \"志愿班\"", "{ zh = \"\"", "{ zh = \"\"", "empty", "plain characters"),
        (
            "{ zh = \"志愿班\", en = \"Volunteers\"",
            "{ zh = \"志愿班\"",
            "{ zh = \"志愿班\" }",
            "'en' is missing",
            "en =",
        ),
        (
            "\"Mon-Fri early\"",
            "\"Mon-Fri erly\"",
            "\"Mon-Fri erly\"",
            "no shift 'erly'",
            "did you mean 'early'?",
        ),
        (
            "\"Mon-Fri early\"",
            "\"Mon-Fri swimming\"",
            "\"Mon-Fri swimming\"",
            "no shift",
            "early, help, late, night",
        ),
        ("\"Mon-Fri early\"", "\"Mno-Fri early\"", "\"Mno-Fri early\"", "no day 'Mno'", "did you mean Mon?"),
        ("\"Mon-Fri early\"", "\"early\"", "\"early\"", "on which days", "Mon-Fri early"),
        (
            "\"Mon-Fri early\"",
            "\"early Mon-Fri\"",
            "\"early Mon-Fri\"",
            "before the days",
            "\"Mon-Fri early\"",
        ),
        (
            "\"Mon-Fri early\"",
            "\"Mon-Fri 07:00-15:00\"",
            "\"Mon-Fri 07:00-15:00\"",
            "a time and not the name",
            "under [shifts]",
        ),
        ("\"Mon-Fri early\"", "\"\"", "\"\"", "not days and a shift", "Mon-Fri early"),
        ("\"Mon-Fri early\"", "7", "7\n", "a list is wanted", "Mon-Fri early"),
        ("pro-1   =", "Pro_1   =", "Pro_1", "'Pro_1' is not an id", "write 'pro-1'"),
        (
            "[\"Mon,Tue early\", ",
            "[\"Mon,Tue early\", \"Tue early\", ",
            "\"Tue early\"",
            "shift 'early' twice on Tue",
            "keep one",
        ),
        (
            "[\"Mon,Tue early\", ",
            "[\"Mon,Tue early\", \"Tue help\", ",
            "\"Tue help\"",
            "shifts 'early' and 'help' at once on Tue, from 09:00 to 12:00",
            "take one of them away",
        ),
        ("\"2027-01-01\"", "\"2027-02-29\"", "\"2027-02-29\"", "not a date", "ends on 2027-02-28"),
        ("\"2027-01-01\"", "\"New Year\"", "\"New Year\"", "'New Year' is not a date", "2026-10-01"),
        ("\"2027-01-01\"", "\"2027/1/1\"", "\"2027/1/1\"", "not a date", "\"2027-01-01\""),
        ("\"2027-01-01\"", "2027-01-01T08:00:00", "2027-01-01T08", "not a date", "2026-10-01"),
        (
            "\"2027-01-01\"",
            "\"2027-01-03 to 2027-01-01\"",
            "\"2027-01-03 to",
            "end before they begin",
            "\"2027-01-01 to 2027-01-03\"",
        ),
        (
            "date  = \"2027-01-01\"\n",
            "",
            "[[holidays]]\ntitle = { zh = \"元旦\"",
            "'date' is missing",
            "2026-10-01",
        ),
        (
            "[[holidays]]\ndate  = \"2026-10-10\"",
            "[[holidays]]\ndate  = \"2026-10-03\"",
            "[[holidays]]\ndate  = \"2026-10-03\"",
            "2026-10-03 is in two holidays",
            "one holiday",
        ),
        ("like  = \"Wed\"", "like  = \"Wen\"", "\"Wen\"", "no day 'Wen'", "did you mean Wed?"),
        (
            "like  = \"Wed\"\n",
            "\n",
            "[[holidays]]\ndate  = \"2026-10-10\"",
            "does not say who",
            "like = \"Sun\"",
        ),
        (
            "night = \"pro-6\" }   #",
            "nihgt = \"pro-6\" }   #",
            "nihgt",
            "no shift 'nihgt'",
            "did you mean 'night'?",
        ),
        (
            "off  = [\"pro-1\"]                             # training\non   = { early = \"pro-4\" }",
            "",
            "[[exceptions]]\ndate = \"2026-11-26\"",
            "changes nothing",
            "off = ",
        ),
        (
            "off  = [\"pro-1\"]",
            "off  = [\"pro-1\", \"pro-1\"]",
            "\"pro-1\"]",
            "'pro-1' is taken off twice on 2026-11-26",
            "keep one",
        ),
        ("off  = [\"pro-1\"]", "off  = [\"pro 1\"]", "\"pro 1\"", "not an id", "write 'pro-1'"),
        (
            "on   = { early = \"pro-4\" }",
            "on   = { early = [\"pro-4\", \"pro-4\"] }",
            "\"pro-4\"] }",
            "'pro-4' has the shift 'early' twice on 2026-11-26",
            "keep one",
        ),
    ];
    let mut failures = Vec::new();
    for (old, new, at, reason, mend) in cases {
        let text = roster_with(old, new);
        failures.extend(one_finding(&text, new, at, reason, mend).err().map(|why| format!("{new}: {why}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

const SHIFTS: &str = "[shifts]\n\
    early = { from = \"06:00\", to = \"14:00\" }\n\
    late = { from = \"14:00\", to = \"22:00\" }\n\
    night = { from = \"22:00\", to = \"06:00\" }\n\
    long = { from = \"08:00\", to = \"08:00\" }\n";

#[test]
fn two_shifts_of_one_person_at_once() {
    let cases = [
        ("[weekly]\na = [\"Mon late\", \"Tue early\", \"Mon night\"]\n", None),
        ("[weekly]\na = [\"Mon long\", \"Tue long\"]\n", None),
        (
            "[weekly]\na = [\"Sun long\", \"Mon early\"]\n",
            Some("'long' and 'early' at once on Mon, from 06:00 to 08:00"),
        ),
        (
            "[weekly]\na = [\"Fri long\", \"Fri night\"]\n",
            Some("'long' and 'night' at once on Fri, from 22:00 to 06:00"),
        ),
        ("[weekly]\na = \"daily long\"\nb = \"daily long\"\n", None),
        // Wednesday, whose night reaches into the holiday.
        (
            "[weekly]\na = [\"Wed long\", \"Sun early\"]\n[[holidays]]\ndate = \"2026-10-01\"\nlike = \"Sun\"\n",
            Some("'long' and 'early' at once on 2026-10-01, from 06:00 to 08:00"),
        ),
        (
            "[weekly]\na = \"Fri early\"\n[[exceptions]]\ndate = \"2026-10-01\"\non = { long = \"a\" }\n",
            Some("'long' and 'early' at once on 2026-10-02, from 06:00 to 08:00"),
        ),
        (
            "[weekly]\na = \"Fri early\"\n[[exceptions]]\ndate = \"2026-10-01\"\non = { long = \"a\" }\n\
             [[exceptions]]\ndate = \"2026-10-02\"\noff = [\"a\"]\n",
            None,
        ),
        (
            "[[exceptions]]\ndate = \"2026-10-01\"\non = { early = \"a\" }\n[[exceptions]]\ndate = \"2026-10-01\"\non = { long = \"a\" }\n",
            Some("'early' and 'long' at once on 2026-10-01, from 08:00 to 14:00"),
        ),
    ];
    for (rest, expected) in cases {
        let text = format!("{SHIFTS}{rest}");
        match (parse("x", &text, ZONE), expected) {
            (Ok(_), None) => {}
            (Err(errors), Some(reason)) => {
                assert_eq!(errors.findings.len(), 1, "{rest}\n{errors}");
                assert!(errors.findings[0].reason.contains(reason), "{rest}\n{errors}");
                assert!(errors.to_string().contains("with this"), "{rest}\n{errors}");
            }
            (Ok(_), Some(reason)) => panic!("{rest} is taken, and {reason}"),
            (Err(errors), None) => panic!("{rest}\n{errors}"),
        }
    }
}

#[test]
fn mistakes_that_have_consequences_are_told_once() {
    let text = roster_with("[shifts]\n", "[shifts]\nbroken = 1\n").replacen(
        "\"Mon-Fri early\"",
        "\"Mon-Fri broken\"",
        1,
    );
    let errors = refused(&text);
    assert_eq!(errors.findings.len(), 1, "{errors}");
    assert!(refused("").findings[0].reason.contains("'shifts' is missing"));
    assert!(refused("[shifts").findings[0].reason.contains("not TOML"));
    assert!(refused("[shifts]\na = 1\na = 2\n").to_string().contains("stands twice"));
    let zone = parse("x", ROSTER, "Mars/Olympus").unwrap_err();
    assert!(zone.findings[0].reason.contains("no time zone 'Mars/Olympus'"), "{zone}");
}

#[test]
fn huge_rosters_are_refused_quickly() {
    let people = |count: usize| (0..count).map(|n| format!("\"op-{n}\"")).collect::<Vec<_>>().join(",");
    let many_days = |from: u16| {
        format!("[[exceptions]]\ndate = \"{from}-01-01 to {from}-12-31\"\non = {{ early = \"op-1\" }}\n")
    };
    let hostile = [
        format!("{SHIFTS}[[exceptions]]\ndate = \"2026-01-01 to 2026-12-31\"\noff = [{}]\n", people(900)),
        format!("{SHIFTS}{}", (2000..2900).map(many_days).collect::<String>()),
        format!(
            "{SHIFTS}[weekly]\n{}",
            (0..900).map(|n| format!("op-{n} = [{}]\n", "\"daily early\",".repeat(20))).collect::<String>()
        ),
        format!(
            "{SHIFTS}[weekly]\n{}",
            (0..900).map(|n| format!("op-{n} = [\"daily early\", \"daily late\"]\n")).collect::<String>()
        ),
        format!(
            "[shifts]\n{}",
            (0..60).map(|n| format!("s{n} = {{ from = \"07:00\", to = \"08:00\" }}\n")).collect::<String>()
        ),
        format!("holidays = [{}]", "{},".repeat(900)),
        // A few dates, again and again.
        format!("{SHIFTS}{}", "[[exceptions]]\ndate = \"2026-01-01 to 2026-12-31\"\noff = []\n".repeat(30)),
        format!(
            "{SHIFTS}{}",
            (2000..2900)
                .map(|year| format!(
                    "[[holidays]]\ndate = \"{year}-01-01 to {year}-12-31\"\nlike = \"Sun\"\n"
                ))
                .collect::<String>()
        ),
        "#".repeat(plan::TEXT_BYTES_MAX + 1),
        format!("a = {}", "[".repeat(300_000)),
    ];
    for text in hostile {
        let errors = refused(&text);
        assert!(errors.findings.len() <= FINDINGS_MAX);
        assert!(errors.to_string().len() < 200_000);
    }
}

fn check(bytes: &[u8]) {
    let Err(errors) = parse_bytes("any.toml", bytes, ZONE) else { return };
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(!errors.findings.is_empty());
    for finding in &errors.findings {
        assert!((1..=lines.len()).contains(&finding.line), "line {} of {}", finding.line, lines.len());
        let columns = lines[finding.line - 1].chars().count() + 1;
        assert!((1..=columns).contains(&finding.column), "{finding}");
        assert!(!finding.reason.is_empty() && !finding.mend.is_empty(), "{finding}");
    }
}

#[test]
fn any_line_may_be_missing() {
    let lines: Vec<&str> = ROSTER.split_inclusive('\n').collect();
    for missing in 0..lines.len() {
        let text: String =
            lines.iter().enumerate().filter(|(n, _)| *n != missing).map(|(_, line)| *line).collect();
        check(text.as_bytes());
    }
}

const PIECES: &[&str] = &[
    "\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    "#",
    "\n",
    "\0",
    "\u{202e}",
    "医",
    "-1",
    "1e999",
    "true",
    "2026-03-29",
    "2026-99-99",
    "07:00",
    "25:00:00",
    "\"daily night\"",
    "\"Sun early\"",
    "[weekly]\n",
    "[[holidays]]\n",
    "[[exceptions]]\n",
    "date = \"2026-10-01 to 2027-09-30\"\n",
    "like = \"Mon\"\n",
    "on = { early = \"pro-1\" }\n",
    "off = []\n",
    "[shifts]\n",
    "night = { from = \"23:00\", to = \"23:00\" }\n",
    "time_zone = \"Pacific/Apia\"\n",
    "shifts = []\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..1_000)) {
        check(&bytes);
    }

    #[test]
    fn arbitrary_pieces(pieces in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = pieces.iter().map(|n| PIECES[*n]).collect();
        check(text.as_bytes());
    }

    #[test]
    fn a_changed_roster(changes in proptest::collection::vec((0..ROSTER.len(), 0..40_usize, 0..PIECES.len()), 1..6)) {
        let mut bytes = ROSTER.as_bytes().to_vec();
        for (at, length, piece) in changes {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, PIECES[piece].bytes());
        }
        check(&bytes);
    }
}
