//! The switchboard decides and does nothing else. Three proofs: it is built from an allow-list of crates, its source
//! names nothing that could wait, tell time, toss a coin or round, and (in `bare`) it runs on a machine that has
//! no operating system at all.

use std::collections::BTreeSet;

use crate::rust_text::Words;
use crate::tree::{self, assert_found, assert_none};

mod bare;
mod morning;
#[path = "../bare/src/play.rs"]
mod play;

/// Everything that may be linked below the switchboard, each with what it is there for.
const ALLOWED: [(&str, &str); 19] = [
    ("archery", "below rpds: pointers that count"),
    ("block-buffer", "below sha2"),
    ("cfg-if", "below sha2"),
    ("cpufeatures", "below sha2: asks the processor whether it has hash instructions"),
    ("crypto-common", "below sha2"),
    ("digest", "below sha2"),
    ("hybrid-array", "below sha2"),
    ("itoa", "below serde_json: whole numbers as text"),
    ("memchr", "below serde_json"),
    ("rpds", "maps whose copies share what neither has changed"),
    ("serde", "the canonical encoding"),
    ("serde_core", "the canonical encoding"),
    ("serde_json", "the canonical encoding"),
    ("sha2", "the hash of state and decisions"),
    ("smallvec", "below rpds"),
    ("triomphe", "below archery: pointers that count"),
    ("typenum", "below sha2"),
    ("uuid", "call and request ids; makes none"),
    ("zmij", "below serde_json: floats as text, which the switchboard has none of"),
];

/// Names that a pure crate has no use for.
const STRANGERS: [&str; 16] = [
    "std",
    "f32",
    "f64",
    "HashMap",
    "HashSet",
    "RandomState",
    "async",
    "await",
    "Future",
    "Instant",
    "SystemTime",
    "thread",
    "Mutex",
    "AtomicU64",
    "static",
    "unsafe",
];

fn tree_faults(printed: &str) -> Vec<String> {
    let names: BTreeSet<&str> = printed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "switchboard")
        .collect();
    let allowed: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    let strangers =
        names.difference(&allowed).map(|name| format!("{name} is below the switchboard but not allowed"));
    let absent =
        allowed.difference(&names).map(|name| format!("{name} is allowed but not below the switchboard"));
    strangers.chain(absent).collect()
}

fn source_faults(path: &str, text: &str) -> Vec<String> {
    let words = Words::of_product(path, text);
    let names = words.idents().filter(|(_, name)| STRANGERS.contains(name));
    names.chain(words.floats()).map(|(line, name)| format!("{path}:{line}: {name}")).collect()
}

fn root_faults(text: &str) -> Vec<String> {
    let words = Words::of("lib.rs", text);
    let mut faults = Vec::new();
    if words.lines_with(&["#", "!", "[", "no_std"]).len() != 1 {
        faults.push("the switchboard's lib.rs does not say #![no_std] for every build".into());
    }
    faults
}

#[test]
fn only_allowed_crates_are_below() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let words = [
        "tree",
        "-p",
        "switchboard",
        "-e",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--locked",
        "--offline",
    ];
    assert_none(&tree_faults(&tree::output_of(&cargo, &words)));
}

#[test]
fn the_source_names_no_stranger() {
    let files = tree::files_like("crates/switchboard/src/", ".rs");
    assert!(files.len() > 10, "the switchboard has moved: {files:?}");
    assert_none(&files.iter().flat_map(|path| source_faults(path, &tree::text(path))).collect::<Vec<_>>());
}

#[test]
fn it_is_built_without_std() {
    assert_none(&root_faults(&tree::text("crates/switchboard/src/lib.rs")));
}

#[test]
fn impurity_is_seen() {
    let faults = tree_faults("switchboard v0.1.0\nserde v1.0.1\ntokio v1.2.3\n");
    assert_found(&faults, &["tokio is below", "sha2 is allowed but not"]);

    let text = "//! std in words is fine\nextern crate std;\nfn a(b: f64) -> u8 { 1.5 }\nasync fn c(d: HashMap<u8, u8>) {}";
    let faults = source_faults("a.rs", text);
    assert_eq!(faults, ["a.rs:2: std", "a.rs:3: f64", "a.rs:4: async", "a.rs:4: HashMap", "a.rs:3: 1.5"]);

    assert_found(&root_faults("#![cfg_attr(not(test), no_std)]"), &["no_std"]);
}
