use std::fs;
use std::path::Path;

use crate::house::{command_in, said};

/// The files of a directory, by name.
fn read(dir: &Path) -> Vec<(String, String)> {
    let paths = fs::read_dir(dir).expect("files").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<(String, String)> = paths
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_pages_of_commands_are_those_of_the_commands() {
    let dir = tempfile::tempdir().expect("a directory");
    assert_eq!(said(command_in(dir.path(), &["pages", "made"])).code, 0);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands");
    let (made, kept) = (read(&dir.path().join("made")), read(&kept));
    let names = |pages: &[(String, String)]| pages.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&made), names(&kept), "make them again: hotline pages docs/commands");
    for ((name, made), (_, kept)) in made.iter().zip(&kept) {
        assert!(made == kept, "docs/commands/{name} is old; make it again: hotline pages docs/commands");
    }
}

#[test]
fn the_screenshots_are_what_the_commands_say() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = said(command_in(dir.path(), &["screenshots", "made"]));
    assert_eq!(made.code, 0, "{made:?}");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screenshots");
    let (made, kept) = (read(&dir.path().join("made")), read(&kept));
    let names = |pages: &[(String, String)]| pages.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&made), names(&kept), "make them again: hotline screenshots docs/screenshots");
    for ((name, made), (_, kept)) in made.iter().zip(&kept) {
        assert!(
            made == kept,
            "docs/screenshots/{name} is old; make it again: hotline screenshots docs/screenshots"
        );
    }
    assert!(made.len() >= 6);
}

#[test]
fn shells_and_manuals_know_the_commands() {
    let dir = tempfile::tempdir().expect("a directory");
    let ask = |arguments: &[&str]| said(command_in(dir.path(), arguments));
    for shell in ["bash", "zsh", "fish"] {
        let script = ask(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("divert"), "{shell}");
    }
    let page = ask(&["man", "line", "close"]);
    assert!(page.code == 0 && page.out.contains(".TH") && page.out.contains("by\\-hand"), "{}", page.out);
    ask(&["man", "lien"]).refused(1, &["did you mean line?"]);
    assert_eq!(ask(&["man", "--dir", "pages"]).code, 0);
    assert!(dir.path().join("pages/hotline-line-close.1").exists());
}
