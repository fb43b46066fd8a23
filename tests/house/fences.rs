//! Fences: a library that only certain rooms may touch. Checked in the manifests, in the source (a re-export is
//! a way round) and against deny.toml, so that the three cannot drift apart.

use std::collections::BTreeSet;

use crate::rust_text::Words;
use crate::tree::{self, Need, assert_found, assert_none};

/// Library, and the rooms that may name it. The programs to compare with (`peers`) are no room, and the one exception.
const FENCES: [(&str, &[&str]); 3] = [
    ("tonic", &["api", "routing", "peers"]),
    ("sqlx", &["session", "peers"]),
    ("redis", &["presence", "peers"]),
];

fn manifest_faults(needs: &[Need]) -> Vec<String> {
    let mut faults = Vec::new();
    for (library, rooms) in FENCES {
        for need in needs.iter().filter(|need| is_or_extends(&need.to, library)) {
            if !rooms.contains(&need.from.as_str()) {
                faults.push(format!("{} needs {}: only {rooms:?} may", need.from, need.to));
            }
        }
    }
    faults
}

/// `tonic-web` belongs to `tonic`.
fn is_or_extends(name: &str, library: &str) -> bool {
    name.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn source_faults(path: &str, text: &str) -> Vec<String> {
    let room = path.split('/').nth(1).unwrap_or_default();
    let fenced: Vec<&str> =
        FENCES.iter().filter(|(_, rooms)| !rooms.contains(&room)).map(|(library, _)| *library).collect();
    let words = Words::of(path, text);
    words
        .idents()
        .filter(|(_, ident)| fenced.contains(ident))
        .map(|(line, ident)| format!("{path}:{line}: {ident}"))
        .collect()
}

/// deny.toml must fence the same libraries, and let through no room of ours but those.
fn deny_faults(deny: &str, our_rooms: &BTreeSet<String>) -> Vec<String> {
    let deny: toml::Table = deny.parse().expect("deny.toml is TOML");
    let bans = deny["bans"]["deny"].as_array().expect("bans.deny is a list");
    let mut faults = Vec::new();
    for (library, rooms) in FENCES {
        let Some(ban) =
            bans.iter().find(|ban| ban.get("crate").and_then(|name| name.as_str()) == Some(library))
        else {
            faults.push(format!("deny.toml has no fence round {library}"));
            continue;
        };
        let wrappers = ban.get("wrappers").and_then(|list| list.as_array()).into_iter().flatten();
        let ours = wrappers.filter_map(|name| name.as_str()).filter(|name| our_rooms.contains(*name));
        faults.extend(
            ours.filter(|room| !rooms.contains(room))
                .map(|room| format!("deny.toml lets {room} use {library}")),
        );
    }
    faults
}

#[test]
fn manifests_respect_the_fences() {
    assert_none(&manifest_faults(&tree::needs(&tree::metadata())));
}

#[test]
fn source_respects_the_fences() {
    let mut files = tree::files_like("crates/", ".rs");
    files.extend(tree::files_like("benches/", ".rs"));
    assert_none(&files.iter().flat_map(|path| source_faults(path, &tree::text(path))).collect::<Vec<_>>());
}

#[test]
fn deny_toml_has_the_same_fences() {
    assert_none(&deny_faults(&tree::text("deny.toml"), &tree::rooms(&tree::metadata())));
}

#[test]
fn a_hole_in_a_fence_is_seen() {
    let need = |from: &str, to: &str| Need { from: from.into(), to: to.into(), kind: "dev".into() };
    let faults = manifest_faults(&[need("plan", "tonic-web"), need("api", "tonic"), need("sim", "redis")]);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert_found(&faults, &["plan needs tonic-web", "sim needs redis"]);

    let text = "// tonic may be spoken of\nuse api::tonic::Status;";
    assert_eq!(source_faults("crates/hotline/src/main.rs", text), ["crates/hotline/src/main.rs:2: tonic"]);
    assert_eq!(source_faults("crates/api/src/lib.rs", text), [""; 0]);

    let deny =
        "[bans]\ndeny = [{ crate = \"tonic\", wrappers = [\"plan\", \"tonic-web\"] }, { crate = \"redis\" }]";
    let faults = deny_faults(deny, &["plan".to_string()].into());
    assert_found(&faults, &["lets plan use tonic", "no fence round sqlx"]);
}
