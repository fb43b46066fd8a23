//! A database whose schema a later release has changed: whoever serves it goes on, and nobody of this release begins.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use api::{Client, v1};

use crate::database::Database;
use crate::server::Server;

/// A step as a later release may make it: the servers of the release before can live with it.
const LATER: &str = "ALTER TABLE hotline.journal ADD COLUMN later TEXT; \
     CREATE TABLE hotline.later (site TEXT NOT NULL PRIMARY KEY); \
     INSERT INTO hotline._sqlx_migrations (version, description, success, checksum, execution_time) \
     VALUES (99, 'later', TRUE, '', 0)";

/// Ends every connection to the database, so that whoever needs one makes another.
const END_ALL: &str = "SELECT COUNT(pg_terminate_backend(pid, 20000)) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

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

fn ask(database: &Database, asked: &str) {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", asked]);
    let output = command.arg(database.address()).output().expect("psql is there");
    assert!(output.status.success(), "{asked}: {}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_beside_a_later_schema_and_none_of_this_release_begins() {
    let (database, dir) = (Database::new(), tempfile::tempdir().expect("a directory"));
    let file = database.named_in(dir.path());
    let made = hotline(&["migrate", "--postgres", text(&file)]);
    assert!(made.status.success(), "{}", said(&made));
    let (data, second) = (dir.path().join("data"), dir.path().join("second"));
    let mut server = Server::start("later", &["--postgres", text(&file), "--data", text(&data)]);
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address");
    let supervisor = Client::new(address, server.token("supervisor")).expect("an address");

    ask(&database, LATER);
    let close = v1::CloseLineRequest {
        line_id: "duty".into(),
        reason: "flood".into(),
        lasting_ms: 600_000,
        ..v1::CloseLineRequest::default()
    };
    supervisor.send(close).await.expect("over the connections that there are");
    ask(&database, END_ALL);
    let open = v1::OpenLineRequest { line_id: "duty".into(), ..v1::OpenLineRequest::default() };
    supervisor.send(open).await.expect("over new ones");

    let serve = ["serve", "--listen", "127.0.0.1:0", "--with-parent", "--postgres", text(&file), "--data"];
    for (lang, words) in
        [("en", "has step 99, which this release does not know"), ("zh-CN", "本版程序不认识")]
    {
        let refused = hotline(&[&serve[..], &[text(&second), "--lang", lang]].concat());
        assert_eq!(refused.status.code(), Some(78), "no unit starts it again: {}", said(&refused));
        assert!(said(&refused).contains(words), "{}", said(&refused));
    }
    assert!(server.child.try_wait().expect("a child").is_none(), "the one that runs goes on");
    drop(server.log());
}
