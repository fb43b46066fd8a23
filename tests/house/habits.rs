//! Habits the house does not have: unwrapping outside tests, silenced lints, unfinished work, tests that are skipped
//! or that sleep.

use crate::rust_text::Words;
use crate::tree::{self, assert_found, assert_none};

/// What no Rust file may contain, tests included.
const NOWHERE: [(&[&str], &str); 8] = [
    (&["#", "[", "allow"], "#[allow] silences for ever: use #[expect(.., reason = \"..\")]"),
    (&["#", "!", "[", "allow"], "#![allow] silences for ever: use #![expect(.., reason = \"..\")]"),
    (&["#", "[", "ignore"], "a test that does not run proves nothing"),
    (&["todo", "!"], "finish it or leave it out"),
    (&["unimplemented", "!"], "finish it or leave it out"),
    (&["thread", ":", ":", "sleep"], "wait for the condition, not for the time"),
    (&["unsafe", "{"], "there is no unsafe code here"),
    (&["unsafe", "fn"], "there is no unsafe code here"),
];

/// What no Rust file may contain where it is built outside tests.
const NOT_IN_PRODUCT: [(&[&str], &str); 2] = [
    (&[".", "unwrap", "("], "say with expect why it cannot fail"),
    (&[".", "unwrap_err", "("], "say with expect_err why it cannot succeed"),
];

/// Files that may do what others may not: path, and the word that is let through.
const LET_THROUGH: [(&str, &str, &str); 1] = [(
    "tests/bare/src/world.rs",
    "unsafe",
    "a program without an operating system has to make its own allocator",
)];

fn faults(path: &str, text: &str) -> Vec<String> {
    let is_test = path.split('/').any(|part| part == "tests") || path.contains("/benches/");
    let mut faults = find(path, &Words::of(path, text), &NOWHERE);
    if !is_test {
        faults.extend(find(path, &Words::of_product(path, text), &NOT_IN_PRODUCT));
    }
    faults
}

/// Public functions whose name begins with a word that says nothing. What a generated trait demands is not public.
fn name_faults(path: &str, text: &str) -> Vec<String> {
    let words = Words::of(path, text);
    let idents: Vec<(usize, &str)> = words.idents().collect();
    let named = idents.windows(4).filter(|four| four[3].1.starts_with("get_") && four[2].1 == "fn");
    let public = named.filter(|four| four[0].1 == "pub" || four[1].1 == "pub");
    public.map(|four| format!("{path}:{}: {}: say what it is", four[3].0, four[3].1)).collect()
}

fn find(path: &str, words: &Words, habits: &[(&[&str], &str)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (habit, mend) in habits {
        if LET_THROUGH.iter().any(|(file, word, _)| *file == path && habit.contains(word)) {
            continue;
        }
        faults.extend(
            words.lines_with(habit).iter().map(|line| format!("{path}:{line}: {}: {mend}", habit.concat())),
        );
    }
    faults
}

#[test]
fn nobody_has_bad_habits() {
    let files = tree::files_like("", ".rs");
    assert_none(&files.iter().flat_map(|path| faults(path, &tree::text(path))).collect::<Vec<_>>());
}

#[test]
fn names_say_something() {
    let files = tree::files_like("crates/", ".rs");
    assert_none(&files.iter().flat_map(|path| name_faults(path, &tree::text(path))).collect::<Vec<_>>());
}

#[test]
fn whoever_is_let_through_exists() {
    for (path, ..) in LET_THROUGH {
        assert!(tree::files().contains(path), "{path} is let through but is not there");
    }
}

#[test]
fn bad_habits_are_seen() {
    let text = "fn a() { b().unwrap(); todo!() }\n#[allow(dead_code)]\n#[ignore]\n#[cfg(test)]\nmod t { fn c() { d.unwrap(); \
                std::thread::sleep(e) } }";
    let found = faults("crates/plan/src/lib.rs", text);
    assert_found(&found, &["lib.rs:1: .unwrap(", "1: todo!", "2: #[allow", "3: #[ignore", "thread::sleep"]);
    assert_eq!(found.len(), 5, "an unwrap in a test is no fault: {found:?}");
    assert_eq!(faults("crates/plan/tests/a.rs", "fn a() { b.unwrap() }"), [""; 0]);
    assert_eq!(faults("crates/plan/src/lib.rs", "// todo! .unwrap()\nfn a() { b.unwrap_or(c) }"), [""; 0]);
    assert_found(
        &name_faults("a.rs", "use a;\npub fn get_call() { calls.get_mut(1) }"),
        &["a.rs:2: get_call"],
    );
    assert_eq!(name_faults("a.rs", "pub struct A; impl B for A { fn get_call() {} }"), [""; 0]);
}
