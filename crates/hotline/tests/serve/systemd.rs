//! The server as systemd meets it: on a socket of the test's own, with a watchdog's time.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::database::Database;
use crate::server::Server;

/// For everything that has to happen some time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Within so many microseconds systemd wants to hear that the server lives.
const WATCHDOG_US: &str = "400000";

/// Where systemd would listen.
struct Systemd {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Systemd {
    fn in_dir(dir: &Path) -> Systemd {
        let path = dir.join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("set");
        Systemd { socket, path }
    }

    fn start(&self, name: &str, more: &[&str]) -> Server {
        let watched = [("NOTIFY_SOCKET", self.path.as_os_str()), ("WATCHDOG_USEC", WATCHDOG_US.as_ref())];
        Server::start_in(name, more, &watched)
    }

    /// What the server says next, line by line.
    fn hears(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let heard = self.socket.recv(&mut bytes).expect("the server says something in time");
        let text = std::str::from_utf8(&bytes[..heard]).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    /// Listens until `count` messages in a row are as they should be.
    fn hears_in_a_row(&self, count: usize, is_as_it_should_be: impl Fn(&[String]) -> bool) {
        let give_up_at = std::time::Instant::now() + PATIENCE;
        let mut row = 0;
        while row < count {
            let heard = self.hears();
            row = if is_as_it_should_be(&heard) { row + 1 } else { 0 };
            assert!(std::time::Instant::now() < give_up_at, "at last {heard:?}");
        }
    }
}

fn lives(heard: &[String]) -> bool {
    heard.iter().any(|line| line == "WATCHDOG=1")
}

fn says(heard: &[String], words: &str) -> bool {
    heard.iter().any(|line| line.starts_with("STATUS=") && line.contains(words))
}

/// Another process that holds the journal's file, so that nobody else can begin to read it.
struct Holder(Child);

impl Holder {
    fn of(journal: &Path) -> Holder {
        // Where SQLite's readers and writers lock, whoever they are.
        const HOLD: &str = "import fcntl, sys\n\
                            file = open(sys.argv[1], 'r+b')\n\
                            fcntl.lockf(file, fcntl.LOCK_EX, 8, 120)\n\
                            print('held', flush=True)\n\
                            sys.stdin.read()";
        let mut child = Command::new("python3")
            .args(["-c", HOLD])
            .arg(journal)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there: sudo apt-get install python3");
        let mut said = [0; 4];
        child.stdout.as_mut().expect("piped").read_exact(&mut said).expect("it holds the file");
        assert_eq!(&said, b"held");
        Holder(child)
    }

    fn lets_go(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("a child").success());
    }
}

#[test]
fn systemd_hears_that_it_serves_that_it_lives_as_long_as_its_journal_is_read_and_that_it_ends() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (systemd, data) = (Systemd::in_dir(dir.path()), dir.path().join("data"));
    let mut server = systemd.start("systemd", &["--data", data.to_str().expect("a path")]);
    let first = systemd.hears();
    assert_eq!(first[0], "READY=1", "{first:?}");
    assert!(says(&first, "serving main at 127.0.0.1:"), "{first:?}");
    assert!(server.ready()["address"].is_string(), "it was said on standard output before");
    systemd.hears_in_a_row(3, |heard| lives(heard) && says(heard, "1 of 1 sites ready"));

    let holder = Holder::of(&data.join("journal.db-shm"));
    systemd.hears_in_a_row(3, |heard| !lives(heard) && says(heard, "not well: the journal"));
    holder.lets_go();
    systemd.hears_in_a_row(3, lives);

    server.terminate();
    systemd.hears_in_a_row(1, |heard| heard[0] == "STOPPING=1");
    let log = server.log();
    assert!(log.contains("systemd is not told that this server lives"), "{log}");
}

#[test]
fn a_database_that_is_away_is_no_reason_to_start_a_server_again() {
    let (database, dir) = (Database::new(), tempfile::tempdir().expect("a directory"));
    let way = Way::to(&database.address());
    let file = dir.path().join("database");
    fs::write(&file, &way.address).expect("written");
    let file = file.to_str().expect("a path");
    let migrated = Command::new(env!("CARGO_BIN_EXE_hotline")).args(["migrate", "--postgres", file]).output();
    assert!(migrated.expect("ended").status.success());

    let (systemd, data) = (Systemd::in_dir(dir.path()), dir.path().join("data"));
    let data = data.to_str().expect("a path");
    let mut server = systemd.start("systemd-away", &["--postgres", file, "--data", data]);
    assert_eq!(systemd.hears()[0], "READY=1");
    systemd.hears_in_a_row(3, |heard| lives(heard) && says(heard, "1 of 1 sites ready"));
    way.cut();
    systemd.hears_in_a_row(3, |heard| lives(heard) && says(heard, "serving, but"));
    assert!(server.child.try_wait().expect("a child").is_none(), "it waits for the database");
    drop(server.log());
}

/// A way to the database that can be cut.
struct Way {
    address: String,
    cut: Arc<Mutex<Cut>>,
}

/// What goes over it, until it is cut.
#[derive(Default)]
struct Cut {
    is_cut: bool,
    open: Vec<TcpStream>,
}

impl Way {
    fn to(address: &str) -> Way {
        let (before, after) = address.rsplit_once('@').expect("user and password");
        let (server, name) = after.split_once('/').expect("a database");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (server, cut) = (server.to_owned(), Arc::new(Mutex::new(Cut::default())));
        let shared = Arc::clone(&cut);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut cut = shared.lock().expect("nobody panicked");
                if cut.is_cut {
                    return;
                }
                let Ok(server) = TcpStream::connect(&server) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                    std::thread::spawn(move || passed_on(from, to));
                }
                cut.open.extend([client, server]);
            }
        });
        Way { address: format!("{before}@127.0.0.1:{port}/{name}"), cut }
    }

    fn cut(&self) {
        let mut cut = self.cut.lock().expect("nobody panicked");
        cut.is_cut = true;
        for socket in cut.open.drain(..) {
            // The other side may have let go of it first.
            let _cut = socket.shutdown(Shutdown::Both);
        }
    }
}

fn passed_on(mut from: TcpStream, mut to: TcpStream) {
    // It ends when either side does.
    let _ended = io::copy(&mut from, &mut to).and_then(|_| to.flush());
    let _shut = to.shutdown(Shutdown::Both);
}
