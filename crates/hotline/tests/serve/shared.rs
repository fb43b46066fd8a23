//! Several servers on one database.

mod copied;
mod later;
mod refused;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use api::{Client, v1};

use crate::database::Database;
use crate::server::Server;

fn hotline(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.env("LC_ALL", "C").env_remove("HOTLINE_SEAL_KEY").env_remove("HOTLINE_POSTGRES");
    command.stdin(Stdio::null()).args(arguments).output().expect("ended")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A database with its tables, and a place for servers.
struct Shared {
    database: Database,
    file: PathBuf,
    dir: tempfile::TempDir,
}

impl Shared {
    fn migrated() -> Shared {
        let (database, dir) = (Database::new(), tempfile::tempdir().expect("a directory"));
        let file = database.named_in(dir.path());
        let made = hotline(&["migrate", "--postgres", text(&file)]);
        assert!(made.status.success(), "{}", said(&made));
        Shared { database, file, dir }
    }

    fn start(&self, name: &str) -> Server {
        Server::start(name, &["--postgres", text(&self.file), "--data", text(&self.data(name))])
    }

    fn data(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What a server says that does not start.
    fn refused(&self, data: &Path) -> Output {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--with-parent", "--postgres", text(&self.file)];
        hotline(&[&serve[..], &["--data", text(data)]].concat())
    }
}

fn client(server: &mut Server, token: &str) -> Client {
    let ready = server.ready();
    let bearer = api::Bearer::new(token).expect("a token");
    Client::new(ready["address"].as_str().expect("an address"), bearer).expect("an address")
}

#[test]
fn a_server_waits_for_the_tables_of_its_release() {
    let (database, dir) = (Database::new(), tempfile::tempdir().expect("a directory"));
    let shared = Shared { file: database.named_in(dir.path()), database, dir };
    let refused = shared.refused(&shared.data("a"));
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("run hotline migrate"), "{}", said(&refused));
    let made = hotline(&["migrate", "--postgres", text(&shared.file), "--lang", "en"]);
    assert!(made.status.success() && said(&made).contains("journal/0001_journal"), "{}", said(&made));
    let again = hotline(&["migrate", "--postgres", text(&shared.file), "--lang", "zh-CN"]);
    assert!(again.status.success() && said(&again).contains("没有更改"), "{}", said(&again));
    let mut server = shared.start("a");
    server.ready();
    let verified = hotline(&["journal", "verify", "--postgres", text(&shared.file), "--lang", "en"]);
    assert!(verified.status.success() && said(&verified).contains("in 1 rows"), "{}", said(&verified));
    let password = shared.database.address().split(['@', ':']).nth(2).expect("a password").to_owned();
    assert!(!server.log().contains(&password), "no log shows a password");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_at_one_server_is_there_at_the_other() {
    let shared = Shared::migrated();
    let mut first = shared.start("one");
    let ready = first.ready();
    let admin = Client::new(ready["address"].as_str().expect("an address"), first.token("admin"));
    let admin = admin.expect("an address");
    let plan = admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    assert_eq!(plan.revision, 1);

    let without_key = shared.refused(&shared.data("two"));
    assert!(said(&without_key).contains("seal.key is missing"), "{}", said(&without_key));
    fs::write(shared.data("two").join("seal.key"), "5".repeat(64)).expect("written");
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(shared.data("two").join("seal.key"), private).expect("made private");
    let other_key = shared.refused(&shared.data("two"));
    assert!(said(&other_key).contains("sealed with another key"), "{}", said(&other_key));
    fs::copy(shared.data("one").join("seal.key"), shared.data("two").join("seal.key")).expect("copied");

    let mut second = shared.start("two");
    let there = client(&mut second, &first.secret("admin"));
    let plan = there.send(v1::GetPlanRequest::default()).await.expect("the same plan");
    assert_eq!(plan.revision, 1, "one of them adopted it, once");
    let handed_out = fs::read_to_string(&second.tokens).expect("the token file");
    assert!(!handed_out.contains("hl_"), "nobody's token was replaced: {handed_out}");
    let log = second.log();
    assert!(log.contains("there is a token that is not in the file"), "{log}");
    admin.send(v1::GetPlanRequest::default()).await.expect("the first one's tokens are good as ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_begin_at_once_hand_out_one_token_each_and_adopt_one_plan() {
    let shared = Shared::migrated();
    let key = "7".repeat(64);
    let names = ["alpha", "beta", "gamma"];
    for name in names {
        fs::create_dir(shared.data(name)).expect("made");
        fs::write(shared.data(name).join("seal.key"), &key).expect("written");
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(shared.data(name).join("seal.key"), private).expect("made private");
    }
    let mut servers = names.map(|name| shared.start(name));
    let addresses = servers.each_mut().map(|server| server.ready()["address"].as_str().map(str::to_owned));
    let files = servers.each_ref().map(|server| fs::read_to_string(&server.tokens).expect("the token file"));
    for role in ["gateway", "supervisor", "admin"] {
        let holders = files.iter().filter(|file| file.contains(&format!("\"{role}\""))).count();
        assert_eq!(holders, 1, "{role}: {files:?}");
    }
    let with_admin = servers.iter().zip(&files).find(|(_, file)| file.contains("\"admin\""));
    let (holder, _) = with_admin.expect("one of them");
    for address in addresses {
        let admin = Client::new(&address.expect("an address"), holder.token("admin")).expect("an address");
        let plan = admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
        assert_eq!(plan.revision, 1);
    }
    let verified = hotline(&["journal", "verify", "--postgres", text(&shared.file), "--lang", "en"]);
    assert!(verified.status.success(), "{}", said(&verified));
}

#[test]
fn a_journal_in_the_directory_is_not_left_unserved() {
    let shared = Shared::migrated();
    let data = shared.data("own");
    let mut alone = Server::start("alone", &["--data", text(&data)]);
    alone.ready();
    assert!(alone.log().contains("serving"));
    let refused = shared.refused(&data);
    assert!(said(&refused).contains("nobody would serve it beside a database"), "{}", said(&refused));
    let nowhere = shared.dir.path().join("nowhere");
    let serve = ["serve", "--tokens-file", "t.json", "--postgres", text(&nowhere)];
    let refused = hotline(&serve);
    assert_eq!(refused.status.code(), Some(1), "it may be there later: {}", said(&refused));
    assert!(said(&refused).contains("cannot read the address of the database"), "{}", said(&refused));
}

#[test]
fn a_key_that_is_handed_in_is_the_same_for_all() {
    let shared = Shared::migrated();
    let (key, other) = (shared.dir.path().join("key"), shared.dir.path().join("other"));
    fs::write(&key, "7".repeat(64)).expect("written");
    fs::write(&other, "8".repeat(64)).expect("written");
    let start = |name: &str| {
        let data = shared.data(name);
        let flags = ["--postgres", text(&shared.file), "--data", text(&data), "--seal-key", text(&key)];
        let mut server = Server::start(name, &flags);
        server.ready();
        assert!(!data.join("seal.key").exists(), "it stays where it is");
        server
    };
    let (mut first, mut second) = (start("handed-1"), start("handed-2"));
    drop(first.log() + &second.log());

    let refused = |key: &Path| {
        let (file, data) = (text(&shared.file), shared.data("handed-3"));
        let serve = ["serve", "--listen", "127.0.0.1:0", "--with-parent", "--postgres", file, "--data"];
        hotline(&[&serve[..], &[text(&data), "--seal-key", text(key)]].concat())
    };
    let said_of = |key: &Path| said(&refused(key));
    assert!(said_of(&other).contains("sealed with another key"), "{}", said_of(&other));
    fs::write(&other, "8").expect("written");
    assert!(said_of(&other).contains("holds no key"), "{}", said_of(&other));
    assert!(
        said_of(&shared.data("nowhere")).contains("cannot be used"),
        "{}",
        said_of(&shared.data("nowhere"))
    );
}

/// What doctor says of each check, and how it ends.
fn doctored(data: &Path, tokens: &Path, database: &Path) -> (Option<i32>, Vec<serde_json::Value>) {
    let doctor = ["doctor", "--output", "json", "--lang", "en", "--data", text(data)];
    let output =
        hotline(&[&doctor[..], &["--tokens-file", text(tokens), "--postgres", text(database)]].concat());
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    (output.status.code(), object["items"].as_array().expect("items").clone())
}

fn found<'a>(items: &'a [serde_json::Value], check: &str) -> &'a serde_json::Value {
    items.iter().find(|item| item["id"] == check).unwrap_or_else(|| panic!("{check} in {items:?}"))
}

#[test]
fn doctor_looks_at_the_database_and_at_the_record_in_it() {
    let shared = Shared::migrated();
    let mut server = shared.start("doctored");
    server.ready();
    let (data, tokens) = (shared.data("doctored"), server.tokens.clone());
    for runs in [true, false] {
        if !runs {
            drop(server.log());
        }
        let (_, items) = doctored(&data, &tokens, &shared.file);
        for check in
            ["postgres", "clocks", "journal", "format", "snapshot", "epoch", "clock", "audit", "roster"]
        {
            assert_eq!(found(&items, check)["verdict"], "good", "{items:?}");
        }
        let said = |check: &str| found(&items, check)["words"].to_string();
        for words in [", Postgres ", "answers within", "no standby has what is acknowledged"] {
            assert!(said("postgres").contains(words), "{}", said("postgres"));
        }
        assert!(said("journal").contains("decisions 1 to "), "{}", said("journal"));
        assert!(items.iter().all(|item| item["id"] != "sqlite" && item["id"] != "schema"), "{items:?}");
        let password = shared.database.address().split(['@', ':']).nth(2).expect("a password").to_owned();
        assert!(!format!("{items:?}").contains(&password), "nothing shows a password");
    }
}

#[test]
fn doctor_says_of_a_database_that_cannot_be_used_why() {
    let (database, dir) = (Database::new(), tempfile::tempdir().expect("a directory"));
    let (tokens, empty) = (dir.path().join("tokens.json"), database.named_in(dir.path()));
    let nobody = dir.path().join("nobody");
    fs::write(&nobody, "postgres://hotline:none@127.0.0.1:9/hotline\n").expect("written");
    let cases = [
        (empty, "run hotline migrate"),
        (nobody, "start Postgres there"),
        (dir.path().join("nowhere"), "cannot read the address of the database"),
    ];
    for (file, words) in cases {
        let (code, items) = doctored(dir.path(), &tokens, &file);
        let item = found(&items, "postgres");
        assert_eq!((code, &item["verdict"]), (Some(1), &"bad".into()), "{item}");
        assert!(item["words"].as_str().is_some_and(|said| said.contains(words)), "{words} is not in {item}");
        assert!(!item["mend"].is_null(), "{item}");
    }
}
