//! Small rooms with a name on the door: no source file over 500 lines, a first paragraph in every crate, no room called
//! after everything and nothing.

use crate::tree::{self, assert_found, assert_none};

/// A file of more lines than this is two rooms.
const LINES_MAX: usize = 500;

/// Longer files, each with the reason that it is one room all the same.
const LONGER: [(&str, &str); 1] =
    [("crates/switchboard/src/event.rs", "one list of everything that can happen, each with what it means")];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 7] = ["common", "helper", "helpers", "manager", "misc", "util", "utils"];

fn length_faults(path: &str, lines: usize) -> Vec<String> {
    let listed = LONGER.iter().any(|(file, _)| *file == path);
    match (lines > LINES_MAX, listed) {
        (true, false) => vec![format!("{path}: {lines} lines, at most {LINES_MAX}: split it by noun")],
        (false, true) => vec![format!("{path}: {lines} lines, but listed as longer than {LINES_MAX}")],
        _ => vec![],
    }
}

fn door_faults(path: &str, text: &str) -> Vec<String> {
    match text.lines().next() {
        Some(first) if first.starts_with("//! ") => vec![],
        _ => vec![format!("{path}: does not begin by saying what it is and what it does not contain")],
    }
}

fn name_faults(path: &str) -> Vec<String> {
    let empty = path.split(['/', '.']).find(|part| EMPTY_NAMES.contains(part));
    empty.map(|part| format!("{path}: {part} names no room")).into_iter().collect()
}

fn is_source(path: &str) -> bool {
    path.ends_with(".rs") && path.starts_with("crates/") && path.split('/').nth(2) == Some("src")
}

#[test]
fn source_files_are_small_rooms() {
    let files: Vec<String> = tree::files().into_iter().filter(|path| is_source(path)).collect();
    let faults = files.iter().flat_map(|path| length_faults(path, tree::text(path).lines().count()));
    assert_none(&faults.collect::<Vec<_>>());
    for (path, _) in LONGER {
        assert!(files.iter().any(|file| file == path), "{path} is listed as longer but is not there");
    }
}

#[test]
fn every_crate_says_what_it_is() {
    let files = tree::files();
    let roots = files.iter().filter(|path| is_source(path) && path.split('/').count() == 4);
    let roots = roots.filter(|path| path.ends_with("/lib.rs") || path.ends_with("/main.rs"));
    assert_none(&roots.flat_map(|path| door_faults(path, &tree::text(path))).collect::<Vec<_>>());
}

#[test]
fn no_room_is_called_after_nothing() {
    assert_none(&tree::files_like("", ".rs").iter().flat_map(|path| name_faults(path)).collect::<Vec<_>>());
}

#[test]
fn bad_rooms_are_seen() {
    assert_found(&length_faults("crates/plan/src/a.rs", 501), &["501 lines"]);
    assert_found(&length_faults(LONGER[0].0, 500), &["listed as longer"]);
    assert_eq!(length_faults("crates/plan/src/a.rs", 500), [""; 0]);
    assert_found(&door_faults("crates/plan/src/lib.rs", "use std::fmt;\n//! Late."), &["does not begin"]);
    assert_found(&name_faults("crates/plan/src/utils.rs"), &["utils names no room"]);
    assert_found(&name_faults("crates/common/src/lib.rs"), &["common names no room"]);
}
