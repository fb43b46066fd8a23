//! Documents match the tree: every relative link leads to a file, and every path that a map names is there.

use std::path::{Component, Path, PathBuf};

use crate::tree::{self, assert_found, assert_none};

/// Documents that name places; what they write in backticks as a path of the tree must exist.
const MAPS: [&str; 4] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "docs/"];

/// Directories of the tree: a backticked word that begins with one is a path.
const PLACES: [&str; 7] = ["crates/", "tests/", "docs/", "proto/", "config/", "migrations/", ".ci/"];

/// Targets of `[text](target)` with their lines, code blocks left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        for piece in line.split("](").skip(1) {
            if let Some((target, _)) = piece.split_once(')') {
                links.push((number, target.trim().to_string()));
            }
        }
    }
    links
}

/// Words in backticks that are paths of the tree, with their lines; a `*` or `{` makes a pattern, not a path.
fn paths(text: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for (number, line) in prose(text) {
        for word in line.split('`').skip(1).step_by(2) {
            let path = word.split("::").next().unwrap_or_default().trim_end_matches('/');
            if PLACES.iter().any(|place| word.starts_with(place)) && !path.contains(['*', '{', '<', '…', ' '])
            {
                paths.push((number, path.to_string()));
            }
        }
    }
    paths
}

fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((number + 1, line))
    })
}

fn link_faults(path: &str, text: &str, exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (line, target) in links(text) {
        let file = target.split('#').next().unwrap_or_default();
        if file.is_empty() || target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let from = Path::new(path).parent().unwrap_or(Path::new(""));
        if !exists(&plain(&from.join(file))) {
            faults.push(format!("{path}:{line}: link to {target}: no such file"));
        }
    }
    faults
}

fn path_faults(path: &str, text: &str, exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let missing = paths(text).into_iter().filter(|(_, word)| !exists(Path::new(word)));
    missing.map(|(line, word)| format!("{path}:{line}: names {word}: no such file")).collect()
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

fn in_tree(path: &Path) -> bool {
    tree::top().join(path).exists()
}

/// The two commands of a fresh clone.
const COMMANDS: [&str; 2] = ["cargo run --release -- demo", "./test"];

/// What a decision on paper has.
const PARTS: [&str; 3] = ["\n## Question\n", "\n## Decision\n", "\n## What follows\n"];

/// Most lines of a decision on paper: one page.
const PAGE_LINES: usize = 60;

fn decision_faults(path: &str, text: &str) -> Vec<String> {
    let missing = PARTS.iter().filter(|part| !text.contains(*part));
    let mut faults: Vec<String> = missing.map(|part| format!("{path}: has no {}", part.trim())).collect();
    if text.lines().count() > PAGE_LINES {
        faults.push(format!("{path}: longer than a page of {PAGE_LINES} lines"));
    }
    faults
}

fn command_faults(readme: &str) -> Vec<String> {
    let missing = COMMANDS.iter().filter(|command| !readme.lines().any(|line| line.starts_with(*command)));
    missing.map(|command| format!("README.md does not show: {command}")).collect()
}

#[test]
fn the_readme_has_the_two_commands() {
    assert_none(&command_faults(&tree::text("README.md")));
}

#[test]
fn every_decision_has_its_parts() {
    let mut decisions = tree::files_like("docs/adr/", ".md");
    decisions.retain(|path| !path.ends_with("README.md"));
    assert!(decisions.len() > 1, "no decisions: {decisions:?}");
    assert_none(
        &decisions.iter().flat_map(|path| decision_faults(path, &tree::text(path))).collect::<Vec<_>>(),
    );
}

#[test]
fn links_lead_somewhere() {
    let documents = tree::files_like("", ".md");
    let faults = documents.iter().flat_map(|path| link_faults(path, &tree::text(path), &in_tree));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn maps_name_what_is_there() {
    let documents = MAPS.iter().flat_map(|map| tree::files_like(map, ".md"));
    let faults = documents.flat_map(|path| path_faults(&path, &tree::text(&path), &in_tree));
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn a_wrong_document_is_seen() {
    let here = |path: &Path| path == Path::new("docs/there.md") || path == Path::new("README.md");
    let text = "[a](there.md#part) [b](../README.md) [c](gone.md) [d](https://example.com)\n```\n[e](fenced.md)\n```\n";
    assert_eq!(link_faults("docs/x.md", text, &here), ["docs/x.md:1: link to gone.md: no such file"]);

    let text = "`docs/there.md` `crates/none/src/lib.rs::name` `crates/*/src` `cargo test` crates/spoken/of";
    assert_found(&path_faults("x.md", text, &here), &["names crates/none/src/lib.rs"]);
    assert_eq!(path_faults("x.md", text, &here).len(), 1);

    assert_found(&command_faults("cargo build\n"), &["cargo run --release -- demo", "./test"]);
    let found = decision_faults("docs/adr/0001.md", &format!("# A\n\n## Question\n{}", "x\n".repeat(60)));
    assert_found(&found, &["no ## Decision", "no ## What follows", "longer than a page"]);
}
