//! `hotline doctor` on a data directory that a real server made, and on the same with one fault made by hand.

#[path = "../../exchange/tests/redis_server/mod.rs"]
mod redis_server;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;
use tempfile::TempDir;

/// What says as much of the machine as of the directory: whatever is found there is no fault of a test.
const OF_THE_MACHINE: [&str; 3] = ["fsync", "disk", "open-files"];

struct Server(Child);

impl Server {
    fn start(dir: &Path) -> Server {
        let mut child =
            hotline(&["serve", "--listen", "127.0.0.1:0", "--with-parent", "--log", "warn", "--data"])
                .arg(dir)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("started");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).expect("a ready line");
        assert!(ready["address"].is_string());
        Server(child)
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().expect("a child").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended has nothing left to kill.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn hotline(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(arguments).env("LC_ALL", "C");
    command.env_remove("HOTLINE_SEAL_KEY").env_remove("HOTLINE_REDIS").env_remove("HOTLINE_POSTGRES");
    command
}

/// A directory that a server made and left, with a configuration whose port is free.
struct Ground {
    dir: TempDir,
}

impl Ground {
    fn new() -> Ground {
        let ground = Ground { dir: tempfile::tempdir().expect("a directory") };
        Server::start(&ground.data()).end();
        ground.configure("listen = [\"127.0.0.1:0\"]\n");
        ground
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn configure(&self, text: &str) {
        fs::write(self.dir.path().join("server.toml"), text).expect("written");
    }

    fn ask(&self, more: &[&str]) -> (i32, String) {
        let mut command = hotline(&["doctor"]);
        command.arg("--data").arg(self.data()).arg("--config").arg(self.dir.path().join("server.toml"));
        let output = command.args(more).output().expect("ended");
        (output.status.code().expect("it ended by itself"), String::from_utf8(output.stdout).expect("text"))
    }

    fn look(&self) -> Findings {
        let (code, text) = self.ask(&["-o", "json", "--lang", "en"]);
        let object: Value = serde_json::from_str(&text).expect("one object");
        assert_eq!((&object["version"], &object["kind"]), (&Value::from(1), &Value::from("doctor")));
        let items = object["items"].as_array().expect("items");
        let by_check =
            items.iter().map(|item| (item["id"].as_str().expect("an id").to_owned(), item.clone()));
        let findings = Findings { code, by_check: by_check.collect() };
        findings.agree();
        findings
    }

    /// What a check says when something is wrong.
    fn told(&self, check: &str, verdict: &str, words: &str) {
        let findings = self.look();
        let item = findings.by_check.get(check).unwrap_or_else(|| panic!("{check} in {findings:?}"));
        let said = format!("{item}");
        assert!(item["verdict"] == verdict && said.contains(words), "{check}: {said}");
        assert!(verdict != "bad" || findings.code == 1, "{findings:?}");
    }
}

#[derive(Debug)]
struct Findings {
    code: i32,
    by_check: BTreeMap<String, Value>,
}

impl Findings {
    /// The exit code is that of the worst, and whatever is not good has a mend.
    fn agree(&self) {
        let is = |verdict: &str| self.by_check.values().any(|item| item["verdict"] == verdict);
        let code = if is("bad") {
            1
        } else if is("doubtful") {
            3
        } else {
            0
        };
        assert_eq!(self.code, code, "{self:?}");
        for item in self.by_check.values() {
            assert_eq!(item["verdict"] == "good", item["mend"].is_null(), "{item}");
        }
    }

    fn all_good(&self) {
        for (check, item) in &self.by_check {
            assert!(item["verdict"] == "good" || OF_THE_MACHINE.contains(&check.as_str()), "{item}");
        }
    }
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("its mode");
}

#[test]
fn a_directory_that_is_well_is_said_to_be_with_a_server_and_without() {
    let ground = Ground::new();
    let findings = ground.look();
    findings.all_good();
    let checks = [
        "audit",
        "certificates",
        "clock",
        "config",
        "disk",
        "epoch",
        "format",
        "fsync",
        "journal",
        "modes",
        "open-files",
        "ports",
        "postgres",
        "redis",
        "roster",
        "schema",
        "seal-key",
        "snapshot",
        "sqlite",
        "tokens",
    ];
    assert_eq!(findings.by_check.keys().collect::<Vec<_>>(), checks);
    let before = names(&ground.data());
    let server = Server::start(&ground.data());
    let findings = ground.look();
    findings.all_good();
    let reached = findings.by_check["ports"]["words"].as_str().expect("words");
    assert!(reached.contains("http://127.0.0.1:"), "{reached}");
    server.end();
    ground.look().all_good();
    assert_eq!(names(&ground.data()), before, "nothing is left behind");
    let (_, table) = ground.ask(&["--lang", "zh-CN"]);
    assert!(table.starts_with("检查") && table.contains("正常") && table.contains("没有缺口"), "{table}");
}

fn names(dir: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    // SQLite's own two files come and go with whoever has the database open.
    let mut names: Vec<String> =
        fs::read_dir(dir).expect("a directory").map(name).filter(|name| !name.contains(".db-")).collect();
    names.sort();
    names
}

#[test]
fn what_others_may_read_is_bad() {
    let ground = Ground::new();
    let (data, key) = (ground.data(), ground.data().join("seal.key"));
    mode(&data, 0o755);
    ground.told("modes", "bad", "chmod -R u=rwX,go=");
    mode(&data, 0o700);
    mode(&key, 0o640);
    ground.told("seal-key", "bad", "chmod 600");
    mode(&key, 0o600);
    mode(&data.join("tokens.json"), 0o604);
    ground.told("tokens", "bad", "0604");
    ground.told("modes", "bad", "tokens.json");
}

#[test]
fn of_a_directory_in_which_no_server_has_begun_nothing_else_is_said() {
    let dir = tempfile::tempdir().expect("a directory");
    // As a copy that could not be restored leaves it.
    fs::write(dir.path().join("lock"), "1").expect("written");
    let looked = |more: &[&str]| {
        let mut command = hotline(&["doctor", "--data"]);
        let looked = command.arg(dir.path()).args(more).output().expect("ended");
        assert_eq!(looked.status.code(), Some(1));
        String::from_utf8_lossy(&looked.stdout).into_owned()
    };
    let said = looked(&[]);
    assert!(said.contains("no server has begun in the directory") && !said.contains("seal"), "{said}");
    let said = looked(&["--postgres", "nowhere"]);
    assert!(said.contains("nowhere") && !said.contains("begun") && !said.contains("seal"), "{said}");
}

#[test]
fn what_is_missing_or_damaged_is_bad() {
    let ground = Ground::new();
    let data = ground.data();
    fs::write(data.join("tokens.json"), "{\"site\":").expect("written");
    ground.told("tokens", "bad", "damaged");
    fs::write(data.join("seal.key"), "short").expect("written");
    ground.told("seal-key", "bad", "64 hexadecimal digits");
    fs::remove_file(data.join("seal.key")).expect("removed");
    ground.told("seal-key", "bad", "HOTLINE_SEAL_KEY");
    assert!(!data.join("seal.key").exists(), "a new key would stand in the way of the right one");
    let journal = fs::File::options().write(true).open(data.join("journal.db")).expect("there");
    journal.set_len(50).expect("truncated");
    ground.told("schema", "bad", "is not a database");
    fs::remove_file(data.join("journal.db")).expect("removed");
    ground.told("schema", "bad", "there is no journal");
    fs::remove_dir_all(&data).expect("removed");
    ground.told("data", "bad", "--data");
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_its_place() {
    let ground = Ground::new();
    ground.configure("site = \"main\"\nconections = 5\n");
    ground.told("config", "bad", "server.toml:2:1");
    ground.configure("[retention]\nnumbers_days = 31\nrecords_days = 30\n");
    ground.told("config", "bad", "records");
    ground.configure("data = \"elsewhere\"\nlisten = [\"127.0.0.1:0\"]\n");
    ground.told("config", "doubtful", "elsewhere");
    ground.configure("listen = [\"127.0.0.1:0\"]\n[limits]\nconnections = 1000000\n");
    let needed = ground.look().by_check["open-files"]["words"].to_string();
    assert!(needed.contains("1000064"), "{needed}");
}

#[test]
fn a_port_that_somebody_has_is_bad() {
    let ground = Ground::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    ground.configure(&format!("listen = [\"{}\"]\n", taken.local_addr().expect("an address")));
    ground.told("ports", "bad", "ss -ltnp");
}

#[test]
fn what_flags_told_the_server_is_told_here_too() {
    let ground = Ground::new();
    let (elsewhere, taken) =
        (ground.dir.path().join("tokens"), TcpListener::bind("127.0.0.1:0").expect("a port"));
    fs::rename(ground.data().join("tokens.json"), &elsewhere).expect("moved");
    ground.configure(&format!("listen = [\"{}\"]\n", taken.local_addr().expect("an address")));
    ground.told("tokens", "bad", "--tokens-file");
    ground.told("ports", "bad", "--listen");
    let elsewhere = elsewhere.to_str().expect("text");
    let (_, text) = ground.ask(&["-o", "json", "--tokens-file", elsewhere, "--listen", "127.0.0.1:0"]);
    let object: Value = serde_json::from_str(&text).expect("one object");
    for check in ["tokens", "ports"] {
        let items = object["items"].as_array().expect("items");
        let item = items.iter().find(|item| item["id"] == check).expect("every check is there");
        assert_eq!(item["verdict"], "good", "{item}");
    }
}

#[test]
fn a_certificate_is_told_by_its_end() {
    let ground = Ground::new();
    let certs = ground.dir.path().join("certs");
    assert!(hotline(&["certs", "init"]).arg(&certs).status().expect("ended").success());
    ground.configure(
        "listen = [\"127.0.0.1:0\"]\n[tls]\ncertificate = \"certs/server.pem\"\nkey = \"certs/server-key.pem\"\n",
    );
    ground.told("certificates", "good", "more days");
    mode(&certs.join("server-key.pem"), 0o644);
    ground.told("certificates", "bad", "chmod 600");
    mode(&certs.join("server-key.pem"), 0o600);
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let ended = params.self_signed(&key).expect("signed");
    fs::write(certs.join("server.pem"), ended.pem()).expect("written");
    ground.told("certificates", "bad", "not usable");
    fs::write(certs.join("server-key.pem"), key.serialize_pem()).expect("written");
    ground.told("certificates", "bad", "has ended");
}

#[test]
fn a_certificate_that_ends_soon_is_doubtful() {
    let ground = Ground::new();
    let certs = ground.dir.path().join("certs");
    assert!(hotline(&["certs", "init"]).arg(&certs).status().expect("ended").success());
    ground.configure(
        "listen = [\"127.0.0.1:0\"]\n[tls]\ncertificate = \"certs/server.pem\"\nkey = \"certs/server-key.pem\"\n",
    );
    let key = KeyPair::generate().expect("a key");
    let today = jiff::Zoned::now().date();
    let day = |days: i64| {
        let date = today.checked_add(jiff::Span::new().days(days)).expect("a date");
        date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (day(-1), day(10));
    let soon = params.self_signed(&key).expect("signed");
    fs::write(certs.join("server.pem"), soon.pem()).expect("written");
    fs::write(certs.join("server-key.pem"), key.serialize_pem()).expect("written");
    ground.told("certificates", "doubtful", "hotline certs renew");
}

#[test]
fn a_database_without_its_log_is_bad_and_a_start_mends_it() {
    let ground = Ground::new();
    // A start brings everything of the log into the file, and what it writes itself may stay in the log.
    Server::start(&ground.data()).end();
    let journal = ground.data().join("journal.db");
    for log in ["journal.db-wal", "journal.db-shm"] {
        let _gone = fs::remove_file(ground.data().join(log));
    }
    let mut bytes = fs::read(&journal).expect("the journal");
    // How SQLite's header says in which manner the file is written, and read: 1 without a log, 2 with one.
    assert_eq!(bytes[18..20], [2, 2]);
    bytes[18..20].copy_from_slice(&[1, 1]);
    fs::write(&journal, bytes).expect("written");
    ground.told("sqlite", "bad", "without WAL: journal.db (delete)");
    ground.told("sqlite", "bad", "restart the server");
    Server::start(&ground.data()).end();
    ground.told("sqlite", "good", ", WAL");
}

#[test]
fn fewer_open_files_than_connections_need_are_doubtful() {
    let ground = Ground::new();
    let look = |connections: u32| {
        let listen = "listen = [\"127.0.0.1:0\"]";
        ground.configure(&format!("{listen}\n[limits]\nconnections = {connections}\n"));
        // What the shell may have open is what the program may that takes its place.
        let script = "ulimit -n 128 && exec \"$0\" doctor --data \"$1\" --config \"$2\" -o json --lang en";
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_hotline")]).arg(ground.data());
        command.arg(ground.dir.path().join("server.toml"));
        let output = command.env_remove("HOTLINE_REDIS").output().expect("ended");
        let object: Value = serde_json::from_slice(&output.stdout).expect("one object");
        let mut items = object["items"].as_array().expect("items").iter();
        items.find(|item| item["id"] == "open-files").expect("it is looked at").clone()
    };
    let few = look(65);
    assert_eq!(few["verdict"], "doubtful", "{few}");
    assert_eq!(few["words"], "128 files may be open, 129 are needed");
    assert!(few["mend"].as_str().is_some_and(|mend| mend.contains("LimitNOFILE")), "{few}");
    let enough = look(64);
    assert!(enough["verdict"] == "good" && enough["mend"].is_null(), "{enough}");
}

/// In the journal's file, where a server that ended in good order left everything.
fn forge(data: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len(), "nothing in the file moves");
    let path = data.join("journal.db");
    let mut bytes = fs::read(&path).expect("the journal");
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, bytes)| *bytes == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "nothing to forge");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    fs::write(path, bytes).expect("written");
}

#[test]
fn a_schema_of_a_later_release_is_bad() {
    let ground = Ground::new();
    ground.look().all_good();
    // The last step's entry in the index over the steps: one byte for its version, one for its row.
    let entry = |version: u8| [3, 1, 1, version, LAST_STEP];
    forge(&ground.data(), &entry(LAST_STEP), &entry(99));
    ground.told("schema", "bad", "start the release that wrote it");
}

/// The last step of the journal's schema.
const LAST_STEP: u8 = 7;

#[test]
fn a_row_of_the_audit_that_somebody_changed_is_bad() {
    let ground = Ground::new();
    let server = Server::start(&ground.data());
    let mut close = hotline(&["line", "close", "duty", "--for", "1h", "--why", "the pipes burst", "--data"]);
    assert!(close.arg(ground.data()).output().expect("ended").status.success());
    server.end();
    // A start brings everything of the log into the file.
    Server::start(&ground.data()).end();
    ground.told("audit", "good", "follow each other");
    forge(&ground.data(), b"the pipes burst", b"nothing special");
    ground.told("audit", "bad", "hotline audit verify");
}

#[test]
fn hours_without_anybody_are_doubtful() {
    let ground = Ground::new();
    let server = Server::start(&ground.data());
    let roster = ground.dir.path().join("roster.toml");
    fs::write(
        &roster,
        "[shifts]\nearly = { from = \"08:00\", to = \"12:00\" }\n\n[weekly]\nana = \"daily early\"\n",
    )
    .expect("written");
    let ask = |arguments: &[&str], file: Option<&Path>| {
        let mut command = hotline(arguments);
        command.arg("--data").arg(ground.data());
        if let Some(file) = file {
            command.arg("-f").arg(file);
        }
        let output = command.output().expect("ended");
        assert!(output.status.success(), "{output:?}");
    };
    ask(&["operator", "add", "ana", "--home", "duty"], None);
    ask(&["roster", "apply", "--yes"], Some(&roster));
    ground.told("roster", "doubtful", "nobody on");
    server.end();
    ground.told("roster", "doubtful", "hotline roster apply");
    let server = Server::start(&ground.data());
    ask(&["operator", "remove", "ana", "--yes"], None);
    server.end();
    ground.told("roster", "bad", "line 5: there is no operator 'ana'");
    let (_, chinese) = ground.ask(&["--lang", "zh-CN"]);
    assert!(chinese.contains("第 5 行：没有接线员 ana"), "{chinese}");
}

#[test]
fn of_several_sites_each_finding_says_which_and_a_retired_one_needs_no_roster() {
    const OF_A_SITE: [&str; 7] = ["audit", "clock", "epoch", "format", "journal", "roster", "snapshot"];
    let ground = Ground::new();
    let path = |name: &str| ground.dir.path().join(name).to_str().expect("text").to_owned();
    let (roster, token) = (path("roster.toml"), path("north.token"));
    let few = "[shifts]\nearly = { from = \"08:00\", to = \"12:00\" }\n\n[weekly]\nana = \"daily early\"\n";
    fs::write(&roster, few).expect("written");
    let ask = |arguments: &[&str]| {
        let output = hotline(arguments).arg("--data").arg(ground.data()).output().expect("ended");
        assert!(output.status.success(), "{output:?}");
    };
    let findings = || {
        let (_, text) = ground.ask(&["-o", "json", "--lang", "en"]);
        let object: Value = serde_json::from_str(&text).expect("one object");
        object["items"].as_array().expect("items").clone()
    };
    let one = |items: &[Value], check: &str, site: &str| {
        let found: Vec<&Value> =
            items.iter().filter(|item| item["id"] == check && item["site"] == site).collect();
        assert_eq!(found.len(), 1, "{check} of {site} in {items:?}");
        let begins = format!("site {site}: ");
        assert!(found[0]["words"].as_str().is_some_and(|words| words.starts_with(&begins)), "{found:?}");
        found[0].clone()
    };
    let server = Server::start(&ground.data());
    ask(&["site", "create", "north", "--token-out", &token]);
    ask(&["operator", "add", "ana", "--home", "duty", "--token-file", &token]);
    ask(&["roster", "apply", "--yes", "-f", &roster, "--token-file", &token]);
    server.end();
    let items = findings();
    for item in &items {
        let is_of_a_site = item["id"].as_str().is_some_and(|id| OF_A_SITE.contains(&id));
        assert_eq!(item["site"].is_string(), is_of_a_site, "{item}");
    }
    for check in OF_A_SITE {
        assert_eq!(one(&items, check, "main")["verdict"], "good");
        let north = one(&items, check, "north");
        let verdict = if check == "roster" { "doubtful" } else { "good" };
        assert_eq!(north["verdict"], verdict, "{north}");
    }
    let (_, table) = ground.ask(&["--lang", "en"]);
    assert!(table.contains("mend roster (north): with a token of site north"), "{table}");
    let server = Server::start(&ground.data());
    ask(&["site", "retire", "north", "--yes"]);
    server.end();
    let retired = one(&findings(), "roster", "north");
    assert!(retired["verdict"] == "good" && retired["words"].to_string().contains("retired"), "{retired}");
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    for arguments in
        [&["doctor"][..], &["doctor", "--data", ".", "--lang", "fr"], &["doctor", "--data", ".", "-o", "xml"]]
    {
        let output = hotline(arguments).output().expect("ended");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn a_redis_is_looked_at_and_never_worse_than_doubtful_unless_the_server_would_not_start() {
    let ground = Ground::new();
    let place = redis_server::Server::start();
    let configured = |more: &str| {
        format!("listen = [\"127.0.0.1:0\"]\n[redis]\naddress = \"{}\"\n{more}", place.address())
    };
    ground.configure(&configured(""));
    ground.told("redis", "good", "a primary, answers in");
    assert_eq!(place.answer("CONFIG SET requirepass s3cret").as_deref(), Some("+OK"));
    ground.told("redis", "doubtful", "HOTLINE_REDIS_PASSWORD");
    ground.configure(&configured("password_file = \"password\"\n"));
    ground.told("redis", "bad", "cannot read the password");
    let (_, chinese) = ground.ask(&["--lang", "zh-CN"]);
    assert!(chinese.contains("password 中的密码；请让运行本程序的用户可以读取"), "{chinese}");
    fs::write(ground.dir.path().join("password"), "another\n").expect("written");
    ground.told("redis", "doubtful", "does not accept this user and password");
    fs::write(ground.dir.path().join("password"), "s3cret\n").expect("written");
    ground.told("redis", "good", "Redis ");
    let port = place.kill();
    ground.told("redis", "doubtful", "calls go on");
    ground.configure("listen = [\"127.0.0.1:0\"]\n");
    ground.told("redis", "good", "not configured");
    let address = format!("redis://127.0.0.1:{port}");
    let (_, table) = ground.ask(&["--lang", "zh-CN", "--redis", &address]);
    assert!(table.contains("来电照常") && table.contains("启动 Redis"), "{table}");
}
