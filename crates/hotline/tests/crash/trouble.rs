//! Trouble made for a running server from outside: the answers the machine gives it, its disk, its clock, whether it
//! runs at all. Each kind ends when it is dropped.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A tracer that does not hold a process by then does not come to.
const HELD_WITHIN: Duration = Duration::from_secs(20);

/// What the machine answers to a process's syncs, instead of the truth.
pub(crate) struct Syncs {
    tracer: Child,
}

impl Syncs {
    /// Every sync of the process from here on is as `answer` says, in the words of strace's `inject`.
    pub(crate) fn of(pid: u32, answer: &str) -> Syncs {
        let mut tracer = Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", "trace=fsync,fdatasync"])
            .args(["-e", &format!("inject=fsync,fdatasync:{answer}"), "-p", &pid.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .expect("strace is there");
        let give_up_at = Instant::now() + HELD_WITHIN;
        while !is_traced(pid) {
            assert_eq!(tracer.try_wait().expect("a child"), None, "strace does not hold {pid}");
            assert!(Instant::now() < give_up_at, "strace does not come to hold {pid}");
            std::thread::yield_now();
        }
        Syncs { tracer }
    }
}

impl Drop for Syncs {
    fn drop(&mut self) {
        // Asked politely it lets the process go; killed, too, but it may take the process along.
        signal(self.tracer.id(), "INT");
        let _ended = self.tracer.wait();
    }
}

/// Whether every thread of a process has a tracer.
fn is_traced(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let statuses =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
    let mut tracers = statuses.map(|status| {
        status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|id| id.trim() != "0"))
    });
    tracers.all(|traced| traced)
}

/// Sends a signal, by its name.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.expect("there is a kill").success(), "{name} to {pid}");
}

/// A file system of a few megabytes, to be filled.
pub(crate) struct TinyDisk {
    mount: PathBuf,
}

impl TinyDisk {
    /// Makes one in a directory.
    pub(crate) fn of_megabytes(dir: &Path, megabytes: u64) -> TinyDisk {
        let (image, mount) = (dir.join("disk.img"), dir.join("disk"));
        File::create(&image).and_then(|file| file.set_len(megabytes << 20)).expect("room for it");
        fs::create_dir(&mount).expect("a fresh directory");
        run(Command::new("mkfs.ext4").args(["-q", "-m", "0"]).arg(&image));
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mount));
        TinyDisk { mount }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.mount
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file more");
        for size in [1 << 16, 1 << 12, 1 << 9, 1] {
            let part = vec![0; size];
            while ballast.write_all(&part).and_then(|()| ballast.sync_data()).is_ok() {}
        }
    }

    /// Gives it back.
    pub(crate) fn make_room(&self) -> io::Result<()> {
        fs::remove_file(self.ballast())
    }

    fn ballast(&self) -> PathBuf {
        self.mount.join("ballast")
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        // At the latest when nobody uses it any more.
        let _gone = Command::new("umount").arg("-l").arg(&self.mount).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("it is there");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The wall clock that a server is shown.
pub(crate) struct WallClock {
    file: PathBuf,
}

impl WallClock {
    /// One in a directory, which shows the right time.
    pub(crate) fn in_dir(dir: &Path) -> WallClock {
        let clock = WallClock { file: dir.join("wall-clock") };
        clock.moved("+0");
        clock
    }

    /// Moves it: `+3d`, `-3d`, or back by `+0`.
    pub(crate) fn moved(&self, by: &str) {
        let unfinished = self.file.with_extension("unfinished");
        fs::write(&unfinished, by).and_then(|()| fs::rename(&unfinished, &self.file)).expect("written");
    }

    /// What shows it to a program. The monotonic clock goes on as it is: the kernel's does not step either.
    pub(crate) fn wrapper(&self) -> Vec<String> {
        let library = library();
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", self.file.display());
        [
            "env",
            &format!("LD_PRELOAD={library}"),
            &file,
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "DONT_FAKE_MONOTONIC=1",
        ]
        .into_iter()
        .chain(["FAKETIME_NO_CACHE=1"])
        .map(str::to_owned)
        .collect()
    }
}

/// The library that fakes time for programs of many threads.
fn library() -> String {
    let found = Command::new("dpkg").args(["-L", "libfaketime"]).output().expect("there is a dpkg");
    let listed = String::from_utf8_lossy(&found.stdout).into_owned();
    let library = listed.lines().find(|line| line.ends_with("libfaketimeMT.so.1"));
    library.expect("libfaketime is there").to_owned()
}
