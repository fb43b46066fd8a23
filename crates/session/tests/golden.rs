//! Rows that were stored once must be read for ever: one golden body per kind of event, of command and of reply.
//!
//! A missing file is written by `BLESS_GOLDEN=missing cargo test -p session --test golden`. An existing one never
//! is: a body that reads otherwise than it was written needs a new format beside the old one (`session::FORMAT`).
//! Before the first release, when no journal is older than its process, a file may be deleted and blessed again.

mod examples;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use session::{FORMAT, Row, Writer};
use switchboard::decision::Decision;
use switchboard::id::Seq;
use switchboard::time::SiteTime;

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
    let found: BTreeSet<String> = fs::read_dir(folder())
        .expect("the golden files are there")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(found, known, "what was stored once must be read for ever");
}

#[test]
fn a_row_of_several_decisions_is_one_text() {
    let decisions: Vec<Decision> = examples::events::examples().into_iter().map(|(_, d)| d).take(3).collect();
    let numbered: Vec<Decision> =
        (7..).map(Seq).zip(decisions).map(|(seq, d)| Decision { seq, ..d }).collect();
    let body = session::encode(&numbered);
    assert_eq!(session::decode(&row(7, 9, FORMAT, &body)).unwrap(), numbered);
}

#[test]
fn what_cannot_be_read_is_named() {
    let complaint = |row: &Row| session::decode(row).unwrap_err().to_string();
    let (_, decision) = examples::replies::examples().swap_remove(0);
    let body = session::encode([&decision]);
    assert_eq!(
        complaint(&row(1, 1, 99, &body)),
        "the row at 1 is written in format 99; this release reads 1 to 1: \
         start the release that wrote it, or a later one"
    );
    assert!(complaint(&row(1, 2, FORMAT, &body)).contains("should hold decisions 1 to 2"));
    assert!(complaint(&row(4, 4, FORMAT, &body)).contains("should hold decisions 4 to 4"));
    assert!(complaint(&row(1, 1, FORMAT, &body[..body.len() - 9])).contains("the row at 1 is damaged"));
    assert!(complaint(&row(1, 1, FORMAT, &body.replace("done", "gone"))).contains("unknown variant `gone`"));
}

fn check<const N: usize>(kind: &str, names: &[&str; N], examples: Vec<(&'static str, Decision)>) {
    let exampled: BTreeSet<&str> = examples.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = names.iter().filter(|name| !exampled.contains(*name)).collect();
    assert!(missing.is_empty(), "no example of {kind} {missing:?}: add one to tests/examples");
    for (name, decision) in examples {
        let path = folder().join(file_name(kind, name));
        let written = session::encode([&decision]);
        if !path.exists() && std::env::var("BLESS_GOLDEN").is_ok_and(|v| v == "missing") {
            fs::create_dir_all(folder()).expect("a writable checkout");
            fs::write(&path, format!("{written}\n")).expect("a writable checkout");
        }
        let stored = fs::read_to_string(&path).unwrap_or_else(|fault| {
            panic!("{}: {fault}; write it with BLESS_GOLDEN=missing", path.display())
        });
        let stored = stored.trim_end();
        let row = row(decision.seq.0, decision.seq.0, 1, stored);
        let read = session::decode(&row).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        assert_eq!(read, [decision], "{} is read as something else", path.display());
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

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format-1")
}
