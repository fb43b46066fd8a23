//! Manifests: one place for versions, one set of lints, and a reason beside everything that others wrote.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::tree::{self, assert_found, assert_none};

/// The parts of a manifest that name dependencies.
const PARTS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

fn package_faults(path: &str, manifest: &str) -> Vec<String> {
    let manifest: Table = manifest.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let from_workspace =
        |value: Option<&Value>| value.and_then(|v| v.get("workspace")) == Some(&Value::Boolean(true));
    let mut faults = Vec::new();
    if !from_workspace(manifest.get("lints")) {
        faults.push(format!("{path}: does not take the workspace's lints"));
    }
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !from_workspace(manifest.get("package").and_then(|package| package.get(key))) {
            faults.push(format!("{path}: {key} is not the workspace's"));
        }
    }
    for part in PARTS {
        for (name, what) in manifest.get(part).and_then(Value::as_table).into_iter().flatten() {
            if !from_workspace(Some(what)) {
                faults.push(format!("{path}: {name}: write its version once, in the workspace"));
            }
        }
    }
    faults
}

/// A dependency has its reason on its own line, or stands in a block of lines that begins with one. `used` are the
/// dependencies that some package names.
fn workspace_faults(manifest: &str, used: &BTreeSet<String>) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let mut faults = Vec::new();
    let mut has_reason = false;
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let Some((name, _)) = line.split_once(" = ") else {
            has_reason = line.starts_with('#');
            continue;
        };
        if !has_reason && !line.contains(" # ") {
            faults.push(format!("Cargo.toml: {name}: say what it is for"));
        }
        if !used.contains(name) && !line.contains("{ path = ") {
            faults.push(format!("Cargo.toml: {name}: nobody needs it"));
        }
    }
    faults
}

#[test]
fn packages_take_what_is_common_from_the_workspace() {
    let mut paths = tree::files_like("crates/", "/Cargo.toml");
    paths.extend(tree::files_like("benches/", "/Cargo.toml"));
    paths.push("tests/Cargo.toml".into());
    assert_none(&paths.iter().flat_map(|path| package_faults(path, &tree::text(path))).collect::<Vec<_>>());
}

#[test]
fn every_dependency_has_a_reason_and_a_user() {
    let used = tree::needs(&tree::metadata()).into_iter().map(|need| need.to).collect();
    assert_none(&workspace_faults(&tree::text("Cargo.toml"), &used));
}

#[test]
fn bad_manifests_are_seen() {
    let found = package_faults("a/Cargo.toml", "[package]\nname = \"a\"\n[dev-dependencies]\nrand = \"1\"\n");
    assert_found(&found, &["workspace's lints", "edition is not", "rand: write its version once"]);

    let manifest = "[workspace.dependencies]\n# Reason.\na = \"1\"\nb = \"1\"\n\nc = \"1\"\nd = \"1\" # reason\n\n[x]\ne = 1\n";
    let used = ["a", "c", "d"].map(String::from).into();
    assert_eq!(
        workspace_faults(manifest, &used),
        ["Cargo.toml: b: nobody needs it", "Cargo.toml: c: say what it is for"]
    );
}
