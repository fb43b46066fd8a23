//! The runner is trusted with everything else, so it is tested, too: a stage that fails makes `./test` fail, a stage whose
//! subject is not there is not listed, tests are counted, and the last line is the one that others read.

use std::process::Command;

use crate::tree;

/// Runs `./test` with stages of our own and returns its exit code and what it printed.
fn run(stages: &str, words: &[&str]) -> (i32, String) {
    let directory =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stages-{}", hash(stages)));
    std::fs::create_dir_all(&directory).expect("the target directory can be written");
    std::fs::write(directory.join("stages"), stages).expect("the target directory can be written");
    let output = Command::new("bash")
        .arg("./test")
        .args(words)
        .current_dir(tree::top())
        .env("HOTLINE_STAGES", directory.join("stages"))
        .env("HOTLINE_TARGET_DIR", &directory)
        .env("CARGO_TARGET_DIR", &directory)
        .env_remove("HOTLINE_SEEDS")
        .output()
        .expect("there is a bash");
    let printed = String::from_utf8(output.stdout).expect("the runner prints text");
    (output.status.code().expect("the runner was not killed"), printed)
}

/// Names a directory after its contents, so that tests side by side do not share one.
fn hash(text: &str) -> u32 {
    text.bytes().fold(7, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
}

#[test]
fn a_good_run_passes_and_counts_tests() {
    let stages = "a | qdD | 1 | - | | echo 'test result: ok. 3 passed; 0 failed; 1 ignored;'\n\
                  b | qdD | 1 | - | | true\n\
                  c | qdD | 1 | - | | echo '     Summary [ 0.1s] 9 tests run: 9 passed (1 slow), 0 skipped'\n";
    let (code, printed) = run(stages, &[]);
    assert!(printed.ends_with("\n13 passed, 0 failed\n"), "{printed}");
    assert_eq!(code, 0);
}

#[test]
fn a_failing_stage_fails_the_run_and_shows_its_log() {
    let stages = "a | d | 1 | - | | echo the reason; false\nb | d | 1 | - | | true\n";
    let (code, printed) = run(stages, &[]);
    assert!(printed.contains("the reason") && printed.contains("FAIL"), "{printed}");
    assert!(printed.ends_with("\n1 passed, 1 failed\n"), "{printed}");
    assert_eq!(code, 1);
}

#[test]
fn failed_tests_are_counted_in_both_spellings() {
    let stages = "a | d | 1 | - | | echo 'test result: FAILED. 3 passed; 2 failed; 0 ignored;'; false\n\
                  c | d | 1 | - | | echo ' Summary [ 0.1s] 9 tests run: 6 passed, 2 failed, 1 timed out, 0 skipped'; false\n";
    let (code, printed) = run(stages, &[]);
    assert!(printed.ends_with("\n9 passed, 5 failed\n"), "{printed}");
    assert_eq!(code, 1);
}

#[test]
fn a_missing_tool_fails_its_stage_by_name() {
    let (code, printed) = run("a | d | 1 | - | no-such-tool | true\n", &[]);
    assert!(printed.contains("missing tool: no-such-tool") && printed.contains("to mend it: "), "{printed}");
    assert_eq!(code, 1);
}

#[test]
fn a_stage_without_its_subject_or_mode_is_not_listed() {
    let stages = "here | dD | 1 | Cargo.toml | | true\ngone | qdD | 1 | no/such/file | | true\nquick | q | 1 | - | | true\n";
    let (code, printed) = run(stages, &["--list"]);
    assert_eq!(printed.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(), ["here"]);
    assert_eq!(code, 0);
    assert_eq!(run(stages, &["nonsense"]).0, 2);
    assert_eq!(run(stages, &["quick"]).0, 2, "a stage of another depth is not passed over in silence");
}

#[test]
fn every_depth_has_its_seeds() {
    let stages = "seeds | qdD | 1 | - | | echo \"test result: ${HOTLINE_SEEDS:-7} passed;\"\n";
    let last = |words: &[&str]| run(stages, words).1.lines().last().map(String::from);
    assert_eq!(last(&["--quick"]).as_deref(), Some("100 passed, 0 failed"));
    assert_eq!(last(&[]).as_deref(), Some("7 passed, 0 failed"), "left to the test");
    assert_eq!(last(&["--deep"]).as_deref(), Some("15000 passed, 0 failed"));
}

#[test]
fn ci_runs_the_same_command_as_anybody() {
    let ci = tree::text(".ci/run");
    let lines = ci.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["set -euo pipefail", "cd \"$(dirname \"$0\")/..\"", "export CI=true", "exec ./test \"$@\""]
    );
}
