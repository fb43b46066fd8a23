//! docs/reliability.md is true: every fault has one row, every test it names is one, and a row has a figure or says why
//! not. And every named place at which the server can be made to die is there, in builds for that alone.

use std::collections::BTreeSet;

use crate::coverage::{Known, known, proof_faults, rows};
use crate::tree::{self, assert_found, assert_none};

const PAGE: &str = "docs/reliability.md";
const FAULTS: usize = 15;
const POINTS: &str = "crates/session/src/crash.rs";
const FEATURE: &str = "crash-points";

fn faults(text: &str, known: &Known) -> Vec<String> {
    let required: BTreeSet<String> = (1..=FAULTS).map(|number| format!("F{number:02}")).collect();
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows(text) {
        let at = format!("{PAGE}:{}: {}", row.line, row.id);
        if !required.contains(&row.id) {
            faults.push(format!("{at}: no such fault"));
        }
        if !seen.insert(row.id) {
            faults.push(format!("{at}: has two rows"));
        }
        let open = row.proof.starts_with("open:") || row.proof.starts_with("later:");
        if !open && !row.what.contains(|c: char| c.is_ascii_digit()) {
            faults.push(format!("{at}: has no figure"));
        }
        faults.extend(proof_faults(&row.proof, known).into_iter().map(|fault| format!("{at}: {fault}")));
    }
    faults.extend(required.difference(&seen).map(|id| format!("{PAGE}: {id} has no row")));
    faults
}

/// The places that the list in the source has.
fn points(source: &str) -> Vec<String> {
    let list = source.split("pub const ALL").nth(1).and_then(|rest| rest.split("];").next());
    let names = list.unwrap_or_default().split("CrashPoint::").skip(1);
    names.map(|name| name.split(',').next().unwrap_or_default().trim().to_owned()).collect()
}

/// Places that no room comes to.
fn unreached(points: &[String], rooms: &[String]) -> Vec<String> {
    let is_reached = |point: &String| {
        let calls = ["reached(", "before_commit: Some("].map(|by| format!("{by}CrashPoint::{point})"));
        rooms.iter().any(|room| calls.iter().any(|call| room.contains(call)))
    };
    points.iter().filter(|point| !is_reached(point)).cloned().collect()
}

/// Whether a manifest has the feature on for whoever asks for nothing.
fn has_it_on(manifest: &str) -> bool {
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let features = manifest.get("features").and_then(toml::Value::as_table);
    let default = features.and_then(|features| features.get("default"));
    let needs = ["dependencies", "dev-dependencies", "build-dependencies"];
    let needs = needs.iter().filter_map(|kind| manifest.get(*kind));
    default.into_iter().chain(needs).any(|value| format!("{value:?}").contains(FEATURE))
}

#[test]
fn reliability_is_true() {
    let files = tree::files();
    let text = |path: &str| files.contains(path).then(|| tree::text(path));
    assert_none(&faults(&tree::text(PAGE), &known(&text)));
}

#[test]
fn every_crash_point_is_in_some_room_and_in_no_build_that_ships() {
    let points = points(&tree::text(POINTS));
    assert!(points.len() > 10, "{points:?}");
    let sources = tree::files().into_iter().filter(|path| path.contains("/src/") && path != POINTS);
    let rooms: Vec<String> =
        sources.filter(|path| path.ends_with(".rs")).map(|path| tree::text(&path)).collect();
    assert_none(&unreached(&points, &rooms));
    let manifests = tree::files().into_iter().filter(|path| path.ends_with("Cargo.toml"));
    let on: Vec<String> = manifests.filter(|path| has_it_on(&tree::text(path))).collect();
    assert_none(&on);
}

#[test]
fn untrue_reliability_is_seen() {
    let text = |path: &str| (path == "a.rs").then(|| "#[test]\nfn real() {}\n".to_owned());
    let table = "| id | seen | proof |\n|---|---|---|\n| F01 | 0 lost of 50 | `a.rs::real` |\n| F01 | 1 | `a.rs::real` |\n\
                 | F02 | nothing | `a.rs::real` |\n| F03 | | open: nobody tried it |\n| F04 | 3 | `a.rs::none` |\n| F99 | 1 | `a.rs::real` |\n";
    let found = faults(table, &known(&text));
    let expected = [
        "F01: has two rows",
        "F02: has no figure",
        "F04: a.rs has no test called none",
        "F99: no such fault",
    ];
    assert_found(&found, &expected);
    assert_found(&found, &["docs/reliability.md: F15 has no row"]);
    assert!(!found.iter().any(|fault| fault.contains("F03:")), "{found:?}");

    let points = points("pub const ALL: [CrashPoint; 2] = [\n CrashPoint::Here,\n CrashPoint::There,\n];");
    assert_eq!(points, ["Here", "There"]);
    assert_eq!(unreached(&points, &["reached(CrashPoint::Here);".to_owned()]), ["There"]);
    assert!(has_it_on("[features]\ndefault = [\"crash-points\"]\n"));
    assert!(has_it_on("[dependencies]\nsession = { path = \"x\", features = [\"crash-points\"] }\n"));
    assert!(!has_it_on("[features]\ncrash-points = []\n"));
}
