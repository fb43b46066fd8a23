//! Rows that were stored once must be read for ever: one golden body per kind of event, of command and of reply,
//! in each format.
//!
//! A missing file is written by `BLESS_GOLDEN=missing cargo test -p session --test golden`. An existing one never
//! is: a body that reads otherwise than it was written needs a new format beside the old one (`session::FORMAT`).
//! Before the first release, when no journal is older than its process, a file may be deleted and blessed again.

mod examples;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use session::{FORMAT, FORMAT_OLDEST, Row, Writer};
use switchboard::decision::Decision;
use switchboard::id::Seq;
use switchboard::time::SiteTime;

/// Every format that is read.
const FORMATS: std::ops::RangeInclusive<u32> = FORMAT_OLDEST..=FORMAT;

#[test]
fn every_kind_of_event_is_read_as_it_was_written() {
    check("event", &examples::events::NAMES, examples::events::examples());
}

#[test]
fn every_kind_of_command_is_read_as_it_was_written() {
    check("command", &examples::commands::NAMES, examples::commands::examples());
}

#[test]
fn every_kind_of_reply_is_read_as_it_was_written() {
    check("reply", &examples::replies::NAMES, examples::replies::examples());
}

#[test]
fn no_golden_file_is_left_over() {
    let mut known = BTreeSet::new();
    known.extend(examples::events::NAMES.map(|name| file_name("event", name)));
    known.extend(examples::commands::NAMES.map(|name| file_name("command", name)));
    known.extend(examples::replies::NAMES.map(|name| file_name("reply", name)));
    for format in FORMATS {
        let found: BTreeSet<String> = fs::read_dir(folder(format))
            .expect("the golden files are there")
            .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
            .collect();
        assert_eq!(found, known, "what was stored once must be read for ever");
    }
}

#[test]
fn a_row_of_several_decisions_is_one_text() {
    let decisions: Vec<Decision> = examples::events::examples().into_iter().map(|(_, d)| d).take(3).collect();
    let numbered: Vec<Decision> =
        (7..).map(Seq).zip(decisions).map(|(seq, d)| Decision { seq, ..d }).collect();
    for format in FORMATS {
        let body = session::encode_in(format, &numbered);
        assert_eq!(session::decode(&row(7, 9, format, &body)).unwrap(), numbered);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let complaint = |row: &Row| session::decode(row).unwrap_err().to_string();
    let (_, decision) = examples::replies::examples().swap_remove(0);
    let body = session::encode_in(1, [&decision]);
    assert_eq!(
        complaint(&row(1, 1, 99, &body)),
        "the row at 1 is written in format 99; this release reads 1 to 2: \
         start the release that wrote it, or a later one"
    );
    assert!(complaint(&row(1, 2, 1, &body)).contains("should hold decisions 1 to 2"));
    assert!(complaint(&row(4, 4, 1, &body)).contains("should hold decisions 4 to 4"));
    assert!(complaint(&row(1, 1, 1, &body[..body.len() - 9])).contains("the row at 1 is damaged"));
    assert!(complaint(&row(1, 1, 1, &body.replace("done", "gone"))).contains("unknown variant `gone`"));
}

/// Also where it reads as well as before.
#[test]
fn a_body_with_a_sum_is_known_for_altered_at_every_place() {
    let (_, decision) = examples::events::examples().swap_remove(0);
    let body = session::encode([&decision]);
    assert_eq!(session::decode(&row(1, 1, FORMAT, &body)).unwrap(), [decision]);
    for place in 0..body.len() {
        let mut altered = body.clone().into_bytes();
        altered[place] = if altered[place] == b'1' { b'2' } else { b'1' };
        let altered = String::from_utf8(altered).expect("ASCII");
        let fault = session::decode(&row(1, 1, FORMAT, &altered)).expect_err("altered").to_string();
        assert!(fault.contains("the row at 1 is damaged, restore it from a backup"), "{place}: {fault}");
    }
    for other in [&body[..body.len() - 1], "", "[]", &format!("{body} ")] {
        assert!(session::decode(&row(1, 1, FORMAT, other)).is_err(), "{other}");
    }
    let as_before = session::encode_in(1, [&examples::events::examples().swap_remove(0).1]);
    assert!(session::decode(&row(1, 1, FORMAT, &as_before)).is_err(), "of another format than it says");
}

fn check<const N: usize>(kind: &str, names: &[&str; N], examples: Vec<(&'static str, Decision)>) {
    let exampled: BTreeSet<&str> = examples.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = names.iter().filter(|name| !exampled.contains(*name)).collect();
    assert!(missing.is_empty(), "no example of {kind} {missing:?}: add one to tests/examples");
    for (format, (name, decision)) in FORMATS.flat_map(|format| examples.iter().map(move |of| (format, of))) {
        let path = folder(format).join(file_name(kind, name));
        let written = session::encode_in(format, [decision]);
        if !path.exists() && std::env::var("BLESS_GOLDEN").is_ok_and(|v| v == "missing") {
            fs::create_dir_all(folder(format)).expect("a writable checkout");
            fs::write(&path, format!("{written}\n")).expect("a writable checkout");
        }
        let stored = fs::read_to_string(&path).unwrap_or_else(|fault| {
            panic!("{}: {fault}; write it with BLESS_GOLDEN=missing", path.display())
        });
        let stored = stored.trim_end();
        let row = row(decision.seq.0, decision.seq.0, format, stored);
        let read = session::decode(&row).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        assert_eq!(read, std::slice::from_ref(decision), "{} is read as something else", path.display());
        assert_eq!(stored, written, "{} would be written otherwise in the same format", path.display());
    }
}

fn row(seq: u64, last_seq: u64, format: u32, body: &str) -> Row {
    Row {
        seq: Seq(seq),
        last_seq: Seq(last_seq),
        at: SiteTime(0),
        wall_us: 0,
        writer: Writer::new("golden"),
        format,
        body: body.to_owned(),
    }
}

fn file_name(kind: &str, name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('-');
        }
        snake.push(c.to_ascii_lowercase());
    }
    format!("{kind}-{snake}.json")
}

fn folder(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/format-{format}"))
}
