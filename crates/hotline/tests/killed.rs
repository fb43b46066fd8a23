//! `hotline serve --data`, killed at any moment: whatever it had acknowledged is there when it starts again, and the
//! journal agrees with itself.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api::{Bearer, Client, v1};
use serde_json::Value;
use session::{Journal, SqliteStore};
use switchboard::event::Event;
use switchboard::id::Seq;
use tempfile::TempDir;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(60);
const ROUNDS: usize = 4;
const ASKERS: usize = 8;

/// Operators and calls whose arrival in the journal was acknowledged.
type Acknowledged = Arc<Mutex<BTreeSet<String>>>;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_kill_9() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let acknowledged = Acknowledged::default();
    for round in 1..=ROUNDS {
        let mut server = Server::start(&dir);
        let ready = server.ready();
        server.lists_everybody(&ready, &acknowledged).await;
        let before = count(&acknowledged);
        let asking = server.ask(&ready, round, &acknowledged);
        // Another number of acknowledged asks each time, so that it dies at another place.
        until(|| count(&acknowledged) >= before + 37 * round + round % 3).await;
        server.child.kill().expect("killed");
        server.child.wait().expect("a child");
        for asked in asking {
            asked.await.expect("an asker ends when nobody answers");
        }
        let stored = stored(dir.path()).await;
        let lost: Vec<_> = locked(&acknowledged).difference(&stored).cloned().collect();
        assert!(lost.is_empty(), "round {round}: {lost:?}");
        let verified = verify(dir.path(), "en");
        assert!(verified.status.success(), "{}", said(&verified));
        assert!(said(&verified).contains("without a gap"), "{}", said(&verified));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_comes_back_with_the_token_they_had() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::start(&dir);
    let ready = server.ready();
    let admin = server.client(&ready, "admin");
    let mut tokens = Vec::new();
    for name in ["ana", "ben", "cem"] {
        tokens.push(admin.send(operator(name)).await.expect("added").token);
    }
    let text = admin.send(v1::GetPlanRequest::default()).await.expect("a plan").text;
    let plan = v1::ApplyPlanRequest {
        request_id: Uuid::new_v4().to_string(),
        text: format!("# Ours.\n{text}"),
        expected_revision: 1,
        ..Default::default()
    };
    admin.send(plan).await.expect("adopted");
    let removed = v1::RemoveOperatorRequest { operator_id: "ben".to_owned(), ..Default::default() };
    admin.send(removed).await.expect("removed");
    let principal = Some(v1::principal_ref::Principal::OperatorId("cem".to_owned()));
    let principal = Some(v1::PrincipalRef { principal });
    assert!(admin.send(v1::RevokeTokenRequest { principal }).await.expect("revoked").revoked);
    let file = std::fs::read_to_string(dir.path().join("tokens.json")).expect("the token file");
    server.child.kill().expect("killed");
    server.child.wait().expect("a child");

    let mut server = Server::start(&dir);
    let ready = server.ready();
    let again = std::fs::read_to_string(dir.path().join("tokens.json")).expect("the token file");
    assert!(file == again, "good tokens stay");
    let admin = server.client(&ready, "admin");
    let text = admin.send(v1::GetPlanRequest::default()).await.expect("a plan").text;
    assert!(text.starts_with("# Ours.\n"), "{text}");
    for (token, comes_back) in tokens.iter().zip([true, false, false]) {
        let client = admin.with_token(Bearer::new(token).expect("a token"));
        let pause = v1::PauseRequest { request_id: Uuid::new_v4().to_string(), ..Default::default() };
        let answer = client.send(pause).await.expect_err("off duty, or nobody");
        let stays_out = format!("{:?}", answer.code()) == "Unauthenticated";
        assert_eq!(stays_out, !comes_back, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_goes_on_with_the_token_it_was_given_since() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::start(&dir);
    let ready = server.ready();
    let gateway = v1::principal_ref::Principal::GatewayId("gw-1".to_owned());
    let principal = Some(v1::PrincipalRef { principal: Some(gateway) });
    let issue = v1::IssueTokenRequest { principal, lasting_ms: None };
    let given = server.client(&ready, "admin").send(issue).await.expect("issued").token;
    server.child.kill().expect("killed");
    server.child.wait().expect("a child");

    let mut server = Server::start(&dir);
    let ready = server.ready();
    let gateway = server.client(&ready, "admin").with_token(Bearer::new(&given).expect("a token"));
    let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    gateway.gateway().attach(attach).await.expect("it is still a gateway");
    let file = std::fs::read_to_string(dir.path().join("tokens.json")).expect("the token file");
    assert!(!file.contains("gw-1") && file.contains("admin"), "nobody is told a token that is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_lost_is_missed_and_not_made_anew() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut server = Server::start(&dir);
    let ready = server.ready();
    let gateway = server.client(&ready, "gateway");
    let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    let _stream = gateway.gateway().attach(attach).await.expect("attached");
    gateway.send(arrival(&Uuid::new_v4().to_string())).await.expect("noted");
    drop(server);
    let key = dir.path().join("data/seal.key");
    std::fs::remove_file(&key).expect("it was there");
    let refused = serve(&dir).stdin(Stdio::null()).output().expect("ended");
    assert!(
        !refused.status.success() && said(&refused).contains("seal.key is missing"),
        "{}",
        said(&refused)
    );
    assert!(!key.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_backed_up_while_it_served_begins_again_elsewhere() {
    let (dir, other) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
    let mut server = Server::start(&dir);
    let ready = server.ready();
    let admin = server.client(&ready, "admin");
    let person = admin.send(operator("ana")).await.expect("added").token;
    let gateway = server.client(&ready, "gateway");
    let attach = || v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    let _stream = gateway.gateway().attach(attach()).await.expect("attached");
    gateway.send(arrival(&Uuid::new_v4().to_string())).await.expect("noted");
    let before = admin.send(v1::GetPlanRequest::default()).await.expect("a plan").cursor.expect("a cursor");
    let given = token(&dir.path().join("tokens.json"), "gateway").expect("it has one");

    let copy = dir.path().join("copy.db");
    let backup = |to: &Path| {
        hotline()
            .arg("backup")
            .arg("--data")
            .arg(dir.path().join("data"))
            .arg("--to")
            .arg(to)
            .output()
            .expect("ended")
    };
    let made = backup(&copy);
    assert!(made.status.success() && said(&made).contains("seal.key"), "{}", said(&made));
    let twice = backup(&copy);
    assert_eq!(twice.status.code(), Some(1), "{}", said(&twice));
    let restore = |key: &Path| {
        let mut command = hotline();
        command.arg("restore").arg("--from").arg(&copy).arg("--data").arg(other.path().join("data"));
        command.arg("--tokens-file").arg(other.path().join("tokens.json"));
        command.arg("--seal-key").arg(key).output().expect("ended")
    };
    let wrong = restore(&copy);
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    let done = restore(&dir.path().join("data/seal.key"));
    assert!(done.status.success(), "{}", said(&done));
    let verified = verify(other.path(), "en");
    assert!(verified.status.success(), "{}", said(&verified));

    let mut again = Server::start(&other);
    let ready = again.ready();
    assert_eq!(token(&other.path().join("tokens.json"), "gateway"), None, "nobody is told another");
    let admin = again.client(&ready, "admin");
    let after = admin.send(v1::GetPlanRequest::default()).await.expect("a plan").cursor.expect("a cursor");
    assert!(after.epoch > before.epoch && after.seq >= before.seq, "{after:?} {before:?}");
    let gateway = admin.with_token(Bearer::new(&given).expect("a token"));
    gateway.gateway().attach(attach()).await.expect("it is still a gateway");
    let person = admin.with_token(Bearer::new(&person).expect("a token"));
    let pause = v1::PauseRequest { request_id: Uuid::new_v4().to_string(), ..Default::default() };
    let off_duty = person.send(pause).await.expect_err("off duty");
    assert!(format!("{:?}", off_duty.code()) != "Unauthenticated", "{off_duty:?}");
}

#[test]
fn what_is_in_the_data_directory_is_its_owners_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let data = dir.path().join("data");
    std::fs::create_dir(&data).expect("made");
    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("open to all");
    let mut server = Server::start(&dir);
    server.ready();
    let files: Vec<_> = std::fs::read_dir(&data).expect("there").map(|file| file.expect("listed")).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let mode = file.metadata().expect("readable").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", file.path().display());
    }
}

#[test]
fn a_second_server_is_told_who_has_the_directory() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut first = Server::start(&dir);
    first.ready();
    for (lang, expected) in [("en_US.UTF-8", "is in use by process"), ("zh_CN.UTF-8", "正被进程")] {
        let second = serve(&dir).env("LC_ALL", lang).stdin(Stdio::null()).output().expect("ended");
        assert!(!second.status.success());
        assert!(said(&second).contains(expected), "{}", said(&second));
        assert!(said(&second).contains(&first.child.id().to_string()), "{}", said(&second));
    }
}

#[test]
fn verify_says_what_it_cannot_read() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let none = verify(dir.path(), "en");
    assert_eq!(none.status.code(), Some(3), "{}", said(&none));
    assert!(said(&none).contains("there is no journal in"), "{}", said(&none));
    let none = verify(dir.path(), "zh-CN");
    assert!(said(&none).contains("没有日志"), "{}", said(&none));
    std::fs::create_dir(dir.path().join("data")).expect("made");
    std::fs::write(dir.path().join("data/journal.db"), "callers, by hand").expect("written");
    let other = verify(dir.path(), "en");
    assert_eq!(other.status.code(), Some(3), "{}", said(&other));
    assert!(said(&other).contains("is not a database"), "{}", said(&other));
}

struct Server {
    child: Child,
    dir: std::path::PathBuf,
}

impl Server {
    fn start(dir: &TempDir) -> Server {
        let child = serve(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started");
        Server { child, dir: dir.path().to_owned() }
    }

    fn ready(&mut self) -> Value {
        let mut line = String::new();
        let stdout = self.child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("a ready line")
    }

    fn client(&self, ready: &Value, role: &str) -> Client {
        let token = token(&self.dir.join("tokens.json"), role).expect("this role");
        let bearer = Bearer::new(&token).expect("a token");
        let address = ready["address"].as_str().expect("an address");
        Client::new(address, bearer).expect("an address").give_up_after(Duration::from_millis(300))
    }

    /// Each asker lets callers in and adds operators until nobody answers.
    fn ask(
        &self,
        ready: &Value,
        round: usize,
        acknowledged: &Acknowledged,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let (admin, gateway) = (self.client(ready, "admin"), self.client(ready, "gateway"));
        let askers = (0..ASKERS).map(|asker| {
            let (admin, gateway, acknowledged) = (admin.clone(), gateway.clone(), Arc::clone(acknowledged));
            tokio::spawn(async move {
                let attach =
                    v1::GatewayServiceAttachRequest { incarnation: round as u64, ..Default::default() };
                let _stream = gateway.gateway().attach(attach).await;
                for nth in 0.. {
                    let name = format!("op-{round}-{asker}-{nth}");
                    if admin.send(operator(&name)).await.is_err() {
                        return;
                    }
                    locked(&acknowledged).insert(name);
                    let call = Uuid::new_v4().to_string();
                    let Ok(reported) = gateway.send(arrival(&call)).await else { return };
                    if matches!(reported.results[0].result, Some(v1::fact_result::Result::Noted(_))) {
                        locked(&acknowledged).insert(call);
                    }
                }
            })
        });
        askers.collect()
    }

    async fn lists_everybody(&self, ready: &Value, acknowledged: &Acknowledged) {
        let admin = self.client(ready, "admin");
        let mut listed = BTreeSet::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListOperatorsRequest { page_size: 1_000, page_token };
            let page = admin.send(request).await.expect("operators");
            listed.extend(page.operators.into_iter().map(|operator| operator.operator_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let acknowledged = locked(acknowledged).clone();
        let operators: BTreeSet<String> =
            acknowledged.into_iter().filter(|name| name.starts_with("op-")).collect();
        assert_eq!(operators.difference(&listed).count(), 0);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; one that passed has none left to kill.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The token of a role in a token file.
fn token(file: &Path, role: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).expect("the token file");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let entry = file["tokens"].as_array()?.iter().find(|entry| entry["role"] == role)?;
    Some(entry["token"].as_str()?.to_owned())
}

fn hotline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.env("LC_ALL", "en_US.UTF-8");
    command
}

fn serve(dir: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--with-parent", "--tokens-file"]);
    command.arg(dir.path().join("tokens.json")).arg("--data").arg(dir.path().join("data"));
    command
}

fn verify(dir: &Path, lang: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
    command.args(["journal", "verify", "--lang", lang, "--data"]).arg(dir.join("data"));
    command.output().expect("ended")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The operators and calls of the journal, read while nobody serves it.
async fn stored(dir: &Path) -> BTreeSet<String> {
    let store = SqliteStore::inspect(&dir.join("data")).await.expect("readable");
    let site = "main".parse().expect("a name");
    let rows = store.tail(site, Seq(0), usize::MAX).await.expect("readable");
    let decisions = rows.iter().flat_map(|stored| session::decode(&stored.row).expect("sound"));
    let named = decisions.flat_map(|decision| decision.events).filter_map(|event| match event {
        Event::OperatorAdded { operator, .. } => Some(operator.to_string()),
        Event::CallArrived { call, .. } => Some(call.to_string()),
        _ => None,
    });
    named.collect()
}

fn operator(name: &str) -> v1::AddOperatorRequest {
    let profile = v1::OperatorProfile {
        team_ids: vec!["professionals".to_owned()],
        device: v1::DeviceKind::AutoAnswer.into(),
        ..Default::default()
    };
    v1::AddOperatorRequest {
        request_id: Uuid::new_v4().to_string(),
        operator_id: name.to_owned(),
        profile: Some(profile),
    }
}

fn arrival(call: &str) -> v1::ReportRequest {
    let arrival = v1::Arrival {
        call_id: call.to_owned(),
        line_id: "switchboard".to_owned(),
        number: format!("+86138{}", &call[..8]).into_bytes(),
        ..Default::default()
    };
    v1::ReportRequest { facts: vec![v1::Fact { fact: Some(v1::fact::Fact::Arrival(arrival)) }] }
}

async fn until(condition: impl Fn() -> bool) {
    let give_up_at = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < give_up_at, "it did not come to pass");
        tokio::task::yield_now().await;
    }
}

fn count(acknowledged: &Acknowledged) -> usize {
    locked(acknowledged).len()
}

fn locked(acknowledged: &Acknowledged) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
    acknowledged.lock().expect("no asker panics while it notes")
}
