//! The checkout as the checks see it: tracked files, their text, and what cargo says about the packages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The top directory of the checkout.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests package lies in the top directory")
        .into()
}

/// Runs a command in the top directory and returns what it printed.
pub(crate) fn output_of(program: &str, words: &[&str]) -> String {
    let output = Command::new(program)
        .args(words)
        .current_dir(top())
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words:?} failed:\n{complaint}");
    String::from_utf8(output.stdout).unwrap_or_else(|_| panic!("{program} {words:?} printed no UTF-8"))
}

/// Paths of all files that are tracked or would be, relative to the top, in order.
pub(crate) fn files() -> BTreeSet<String> {
    let words = ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let listed = output_of("git", &words);
    listed
        .split('\0')
        .filter(|path| !path.is_empty() && top().join(path).is_file())
        .map(String::from)
        .collect()
}

/// Those of [`files`] whose path starts and ends like this.
pub(crate) fn files_like(start: &str, end: &str) -> Vec<String> {
    files().into_iter().filter(|path| path.starts_with(start) && path.ends_with(end)).collect()
}

/// The text of a file of the tree.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of a file, unless it is not UTF-8.
pub(crate) fn text_if_any(path: &str) -> Option<String> {
    String::from_utf8(std::fs::read(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))).ok()
}

/// What cargo knows about the packages of the workspace, without their dependencies.
pub(crate) fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let printed =
        output_of(&cargo, &["metadata", "--no-deps", "--format-version", "1", "--locked", "--offline"]);
    serde_json::from_str(&printed).expect("cargo metadata prints JSON")
}

/// One declared dependency of a workspace package.
pub(crate) struct Need {
    /// The package that declares it.
    pub(crate) from: String,
    /// What it needs.
    pub(crate) to: String,
    /// `normal`, `dev` or `build`.
    pub(crate) kind: String,
}

/// All declared dependencies of all workspace packages.
pub(crate) fn needs(metadata: &Value) -> Vec<Need> {
    let mut needs = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            needs.push(Need {
                from: word(&package["name"]),
                to: word(&dependency["name"]),
                kind: dependency["kind"].as_str().unwrap_or("normal").into(),
            });
        }
    }
    needs
}

/// Names of the workspace's packages under `crates/`.
pub(crate) fn rooms(metadata: &Value) -> BTreeSet<String> {
    let crates = top().join("crates");
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let inside = packages.filter(|package| Path::new(&word(&package["manifest_path"])).starts_with(&crates));
    inside.map(|package| word(&package["name"])).collect()
}

fn word(value: &Value) -> String {
    value.as_str().expect("cargo metadata names are strings").into()
}

/// Fails with every fault on a line of its own.
pub(crate) fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
}

/// Fails unless one fault contains each of these words.
pub(crate) fn assert_found(faults: &[String], words: &[&str]) {
    for word in words {
        assert!(faults.iter().any(|fault| fault.contains(word)), "no fault names {word}: {faults:?}");
    }
}
