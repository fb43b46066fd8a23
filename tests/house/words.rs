//! Words that may stand in no tracked file: paths of somebody's machine, and addresses of package registries, which
//! make a lock file depend on where it was written.

use crate::tree::{self, assert_found, assert_none};

/// Written in two pieces, so that this file does not contain them.
const FORBIDDEN: [(&str, &str, &str); 14] = [
    ("/wor", "k/", "a machine's path"),
    ("/tmp", "/w/", "a machine's path"),
    ("/tmp", "/t/", "a machine's path"),
    ("/ro", "ot/", "a machine's path"),
    ("/ho", "me/", "a machine's path"),
    ("/Use", "rs/", "a machine's path"),
    ("../sha", "red", "a path outside the checkout"),
    ("registry.npm", "js.org", "a registry's host"),
    ("registry.yarn", "pkg.com", "a registry's host"),
    ("py", "pi.org", "a registry's host"),
    ("python", "hosted.org", "a registry's host"),
    ("static.cra", "tes.io", "a registry's host"),
    ("index.cra", "tes.io", "a registry's host"),
    ("deb.deb", "ian.org", "a registry's host"),
];

fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (first, second, what) in FORBIDDEN {
            let word = format!("{first}{second}");
            if line.match_indices(&word).any(|(at, _)| begins_a_path(line, at, &word)) {
                faults.push(format!("{path}:{}: {word}: {what}", number + 1));
            }
        }
    }
    faults
}

/// `a/work/b` inside a longer path is somebody's own directory, not the top of a machine.
fn begins_a_path(line: &str, at: usize, word: &str) -> bool {
    let before = line[..at].chars().next_back();
    !word.starts_with('/') || !before.is_some_and(|c| c.is_alphanumeric() || "._-}/".contains(c))
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let files = tree::files();
    let texts = files.iter().filter_map(|path| Some((path, tree::text_if_any(path)?)));
    assert_none(&texts.flat_map(|(path, text)| faults(path, &text)).collect::<Vec<_>>());
}

#[test]
fn forbidden_words_are_seen() {
    for (first, second, _) in FORBIDDEN {
        assert_found(&faults("a.md", &format!("see\n{first}{second}x")), &["a.md:2: "]);
    }
    let inside = format!("docs{}{}desk.md and https://example.com{0}{1}", FORBIDDEN[0].0, FORBIDDEN[0].1);
    assert_eq!(faults("a.md", &inside), [""; 0]);
}
