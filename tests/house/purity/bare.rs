//! The switchboard linked with nothing: `tests/bare` is a program without std, C library or loader. That it links shows
//! that nothing below the switchboard calls anything; its instructions show that nothing reads a clock, makes chance or
//! asks the kernel, except the one that ends the program; that it runs shows that all this is the real switchboard.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{morning, play};
use crate::tree::{self, assert_found, assert_none};

/// Instructions that reach outside the program, and how many of each there may be. `cpuid` asks the processor what it is.
const OUTSIDE: [(&str, usize); 10] = [
    ("syscall", 1),
    ("sysenter", 0),
    ("int", 0),
    ("in", 0),
    ("out", 0),
    ("rdtsc", 0),
    ("rdtscp", 0),
    ("rdrand", 0),
    ("rdseed", 0),
    ("vmcall", 0),
];

/// Where the program is put together; kept between runs.
fn place() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("bare")
}

/// Copies the manifest, with the same versions as the workspace has, and builds with these sources.
fn build(name: &str, source: &Path) -> Result<PathBuf, String> {
    let here = (std::env::consts::OS, std::env::consts::ARCH);
    assert_eq!(here, ("linux", "x86_64"), "the program speaks to this kernel and processor only");
    let package = place().join(name);
    std::fs::create_dir_all(&package).expect("the target directory can be written");
    let crates = format!("path = \"{}/crates/", tree::top().display());
    let manifest = tree::text("tests/bare/Cargo.toml").replace("path = \"../../crates/", &crates);
    let manifest = format!("{manifest}\n[[bin]]\nname = \"bare\"\npath = \"{}\"\n", source.display());
    std::fs::write(package.join("Cargo.toml"), manifest).expect("the target directory can be written");
    std::fs::copy(tree::top().join("Cargo.lock"), package.join("Cargo.lock"))
        .expect("the workspace has a lock file");

    let inputs = package.join("inputs");
    let history = morning::inputs();
    let board = play::play(&history).expect("nothing of the morning is refused");
    std::fs::write(&inputs, history).expect("the target directory can be written");

    let target = place().join("target");
    let words =
        ["rustc", "--quiet", "--offline", "--bin", "bare", "--target", "x86_64-unknown-linux-gnu", "--"];
    let link = ["-nostdlib", "-nostartfiles", "-static"].map(|word| format!("-Clink-arg={word}"));
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(words)
        .args(link)
        .arg("-Crelocation-model=static")
        .current_dir(&package)
        .env("CARGO_TARGET_DIR", &target)
        .env("HOTLINE_BARE_INPUTS", &inputs)
        .env("HOTLINE_BARE_HASH", board.state_hash().to_string())
        .env_remove("RUSTFLAGS")
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(target.join("x86_64-unknown-linux-gnu/debug/bare")),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The names of all instructions of a disassembly that reach outside more often than they may.
fn outside_faults(disassembly: &str) -> Vec<String> {
    let count = |wanted: &str| {
        disassembly.lines().filter(|line| line.split_whitespace().nth(1) == Some(wanted)).count()
    };
    let found = OUTSIDE.iter().map(|(name, most)| (name, count(name), most));
    found
        .filter(|(_, count, most)| count > most)
        .map(|(name, count, _)| format!("{name}: {count} times"))
        .collect()
}

#[test]
fn it_runs_without_an_operating_system() {
    let program = build("alone", &tree::top().join("tests/bare/src/main.rs")).unwrap();
    let program = program.to_str().unwrap();
    assert_eq!(tree::output_of("nm", &["--undefined-only", program]), "", "the program still asks for these");
    assert_none(&outside_faults(&tree::output_of("objdump", &["-d", "--no-show-raw-insn", program])));
    let status = Command::new(program).status().unwrap();
    assert_eq!(status.code(), Some(0), "1: it came to another state; 2: it panicked");
}

#[test]
fn a_call_for_the_time_does_not_link() {
    let source = tree::text("tests/bare/src/main.rs").replace(
        "extern \"C\" fn begin() -> ! {",
        "unsafe extern \"C\" { safe fn clock() -> i32; }\nextern \"C\" fn begin() -> ! {\n    if clock() == 7 { world::end(4) }\n",
    );
    let place = place().join("clock");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("main.rs"), source).unwrap();
    for part in ["play.rs", "world.rs"] {
        std::fs::write(place.join(part), tree::text(&format!("tests/bare/src/{part}"))).unwrap();
    }
    let complaint = build("clock", &place.join("main.rs")).unwrap_err();
    assert!(complaint.contains("clock"), "{complaint}");
}

#[test]
fn reaching_outside_is_seen() {
    let text = "  401000:\tsyscall\n  401002:\tsyscall\n  401004:\trdtsc\n  401006:\tmov    %rax,%rbx\n";
    assert_found(&outside_faults(text), &["syscall: 2 times", "rdtsc: 1 times"]);
}
