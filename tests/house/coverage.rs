//! docs/coverage.md is true: every id has one row, and every test that a row names exists and is a test.
//!
//! A row is `| id | what | proof |`. A proof is one or more parts, separated by `;`. A part is `open: why`,
//! `later: what it waits for`, or backticked names of tests: `` `path/to/file.rs::test_name` ``,
//! `` `stage name` `` (of tests/stages) or `` `path/of/a/scenario` ``.

use std::collections::BTreeSet;

use crate::tree::{self, assert_found, assert_none};

/// What must have a row: a prefix, how many there are, and how many digits a number has.
const REQUIRED: [(&str, usize, usize); 30] = [
    ("C", 24, 2),
    ("L", 14, 2),
    ("F", 15, 2),
    ("2.1.", 8, 1),
    ("2.2.", 18, 1),
    ("2.3.", 6, 1),
    ("2.4.", 6, 1),
    ("2.5.", 8, 1),
    ("2.6.", 12, 1),
    ("2.7.", 5, 1),
    ("2.8.", 3, 1),
    ("3.1.", 11, 1),
    ("3.2.", 7, 1),
    ("3.3.", 4, 1),
    ("3.4.", 15, 1),
    ("3.5.", 3, 1),
    ("3.6.", 12, 1),
    ("3.7.", 11, 1),
    ("4.1.", 22, 1),
    ("4.2.", 4, 1),
    ("4.3.", 5, 1),
    ("4.4.", 1, 1),
    ("4.5.", 9, 1),
    ("4.6.", 10, 1),
    ("5.1.", 11, 1),
    ("5.2.", 11, 1),
    ("5.3.", 10, 1),
    ("5.4.", 7, 1),
    ("5.5.", 7, 1),
    ("5.6.", 10, 1),
];

/// A row of a table that says what proves what.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) proof: String,
}

pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        if let [id, what, proof] = cells[..]
            && line.starts_with('|')
            && id != "id"
            && !id.starts_with('-')
        {
            rows.push(Row { line: number + 1, id: id.into(), what: what.into(), proof: proof.into() });
        }
    }
    rows
}

fn required() -> BTreeSet<String> {
    let ids = REQUIRED.iter().flat_map(|(prefix, count, digits)| {
        (1..=*count).map(move |number| format!("{prefix}{number:0width$}", width = *digits))
    });
    ids.collect()
}

/// What a test's name is checked against.
pub(crate) struct Known<'a> {
    text: &'a dyn Fn(&str) -> Option<String>,
    stages: BTreeSet<String>,
}

/// What is known of the tree: its files, and the stages of its runner.
pub(crate) fn known<'a>(text: &'a dyn Fn(&str) -> Option<String>) -> Known<'a> {
    Known { text, stages: stages(&tree::text("tests/stages")) }
}

fn faults(text: &str, known: &Known) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let required = required();
    for row in rows(text) {
        let at = format!("docs/coverage.md:{}: {}", row.line, row.id);
        if !required.contains(&row.id) {
            faults.push(format!("{at}: no such id"));
        }
        if !seen.insert(row.id) {
            faults.push(format!("{at}: has two rows"));
        }
        faults.extend(proof_faults(&row.proof, known).into_iter().map(|fault| format!("{at}: {fault}")));
    }
    faults.extend(required.difference(&seen).map(|id| format!("docs/coverage.md: {id} has no row")));
    faults
}

pub(crate) fn proof_faults(proof: &str, known: &Known) -> Vec<String> {
    let mut faults = Vec::new();
    for part in proof.split(';').map(str::trim) {
        let reason = part.strip_prefix("open:").or(part.strip_prefix("later:"));
        if let Some(reason) = reason {
            if reason.trim().len() < 8 {
                faults.push(format!("says {part} without a reason"));
            }
            continue;
        }
        let names: Vec<&str> = part.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            faults.push(format!("neither a test nor open: nor later: {part}"));
        }
        faults.extend(names.into_iter().filter_map(|name| name_fault(name, known)));
    }
    faults
}

fn name_fault(name: &str, known: &Known) -> Option<String> {
    if let Some(stage) = name.strip_prefix("stage ") {
        return (!known.stages.contains(stage)).then(|| format!("no stage is called {stage}"));
    }
    let (path, test) = match name.split_once("::") {
        Some((path, test)) => (path, Some(test)),
        None => (name, None),
    };
    let Some(text) = (known.text)(path) else {
        return Some(format!("names {path}: no such file"));
    };
    match test {
        Some(test) => (!is_test(&text, test)).then(|| format!("{path} has no test called {test}")),
        None => path.ends_with(".rs").then(|| format!("{path}: say which test: {path}::name")),
    }
}

/// Is there a function of this name with an attribute of a test, or one in the list of a harness of its own?
fn is_test(text: &str, name: &str) -> bool {
    if text.contains("Trial::test(") && text.contains(&format!("{name}\", {name})")) {
        return true;
    }
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let head = format!("fn {name}(");
    let found = lines.iter().position(|line| line.trim_start_matches("async ").starts_with(&head));
    let Some(at) = found else { return false };
    let above =
        lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/']) || line.ends_with(']'));
    above.into_iter().any(|line| line.starts_with("#[") && line.contains("test"))
}

fn stages(table: &str) -> BTreeSet<String> {
    let rows = table.lines().filter(|line| !line.starts_with('#') && line.contains('|'));
    rows.filter_map(|line| line.split('|').next()).map(|name| name.trim().to_string()).collect()
}

#[test]
fn coverage_is_true() {
    let files = tree::files();
    let text = |path: &str| files.contains(path).then(|| tree::text(path));
    assert_none(&faults(&tree::text("docs/coverage.md"), &known(&text)));
}

#[test]
fn untrue_coverage_is_seen() {
    let text = |path: &str| {
        let source = "#[test]\nfn real() {}\nfn no_test() {}\n#[tokio::test]\nasync fn waiting() {}\n\
                      Trial::test(\"own::listed\", listed)\nfn listed() {}\n";
        (path == "a.rs" || path == "s.txt").then(|| source.to_string())
    };
    let known = Known { text: &text, stages: stages("# x | y\nfmt | q | 1\n") };
    let table = "| id | what | proof |\n|---|---|---|\n| C01 | x | `a.rs::real`, `a.rs::waiting`, `a.rs::listed`, `s.txt`; open: the rest of it |\n\
                 | C01 | x | later: the engines |\n| C99 | x | open: nobody asked |\n| L01 | x | `a.rs::no_test` |\n\
                 | L02 | x | `a.rs::none` |\n| L03 | x | `b.rs::real` |\n| L04 | x | yes |\n| L05 | x | open: |\n\
                 | L06 | x | `stage gone` |\n| L07 | x | `stage fmt` |\n| L08 | x | `a.rs` |\n";
    let found = faults(table, &known);
    assert_found(
        &found,
        &[
            "4: C01: has two rows",
            "C99: no such id",
            "L01: a.rs has no test called no_test",
            "L02: a.rs has no test called none",
            "L03: names b.rs",
            "L04: neither",
            "L05: says open: without",
            "L06: no stage",
            "L08: a.rs: say which test",
            "docs/coverage.md: F15 has no row",
            "docs/coverage.md: 2.2.18 has no row",
        ],
    );
    assert!(!found.iter().any(|fault| fault.contains("L07:") || fault.contains("md:3")), "{found:?}");
}
