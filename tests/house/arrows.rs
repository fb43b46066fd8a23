//! Arrows: which room may know which. The block in ARCHITECTURE.md and the manifests say the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{self, Need, assert_found, assert_none};

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The fenced block named `arrows` of a document.
fn drawn(document: &str) -> Result<Arrows, String> {
    let (_, rest) = document.split_once("```arrows\n").ok_or("ARCHITECTURE.md has no block named arrows")?;
    let (block, _) = rest.split_once("```").ok_or("the arrows block does not end")?;
    let mut arrows = Arrows::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let (from, to) = line.split_once("->").ok_or_else(|| format!("no arrow in: {line}"))?;
        let to = to.split_whitespace().map(String::from).collect();
        if arrows.insert(from.trim().into(), to).is_some() {
            return Err(format!("drawn twice: {}", from.trim()));
        }
    }
    Ok(arrows)
}

/// The normal dependencies between rooms, as their manifests declare them.
fn built(rooms: &BTreeSet<String>, needs: &[Need]) -> Arrows {
    let mut arrows: Arrows = rooms.iter().map(|room| (room.clone(), BTreeSet::new())).collect();
    for need in needs.iter().filter(|need| need.kind != "dev" && rooms.contains(&need.to)) {
        if let Some(to) = arrows.get_mut(&need.from) {
            to.insert(need.to.clone());
        }
    }
    arrows
}

/// What a drawing and the manifests say differently, and circles.
fn faults(drawn: &Arrows, built: &Arrows) -> Vec<String> {
    let mut faults = Vec::new();
    for room in drawn.keys().filter(|room| !built.contains_key(*room)) {
        faults.push(format!("{room} is drawn but is no crate"));
    }
    for (room, to) in built {
        let Some(allowed) = drawn.get(room) else {
            faults.push(format!("{room} is a crate but is not drawn"));
            continue;
        };
        faults.extend(to.difference(allowed).map(|other| format!("{room} needs {other}: no such arrow")));
        faults
            .extend(allowed.difference(to).map(|other| format!("{room} -> {other} is drawn but not built")));
    }
    faults.extend(
        drawn.keys().filter(|room| reaches(drawn, room, room)).map(|room| format!("{room} reaches itself")),
    );
    faults
}

fn reaches(arrows: &Arrows, from: &str, to: &str) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(room) = open.pop() {
        for next in arrows.get(room).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[test]
fn arrows_match_the_manifests() {
    let metadata = tree::metadata();
    let drawn = drawn(&tree::text("ARCHITECTURE.md")).unwrap();
    assert_none(&faults(&drawn, &built(&tree::rooms(&metadata), &tree::needs(&metadata))));
}

#[test]
fn a_wrong_drawing_is_seen() {
    let drawn = drawn("```arrows\na -> b\nb -> a\nghost ->\n```").unwrap();
    let rooms = ["a", "b", "c"].map(String::from).into();
    let need =
        |from: &str, to: &str, kind: &str| Need { from: from.into(), to: to.into(), kind: kind.into() };
    let needs = [need("a", "b", "normal"), need("b", "c", "build"), need("c", "a", "dev")];
    let faults = faults(&drawn, &built(&rooms, &needs));
    assert_found(
        &faults,
        &[
            "ghost is drawn",
            "c is a crate but is not drawn",
            "b needs c",
            "b -> a is drawn but not built",
            "a reaches itself",
        ],
    );
    assert!(
        !faults.iter().any(|fault| fault.contains("c needs")),
        "a dev-dependency is no arrow: {faults:?}"
    );
}

#[test]
fn a_missing_or_broken_block_is_seen() {
    assert!(drawn("no block").is_err());
    assert!(drawn("```arrows\na b\n```").is_err());
    assert!(drawn("```arrows\na ->\na ->\n```").is_err());
}
