//! `hotline serve` as another program meets it: a ready line, a token file, an end.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use api::{Client, v1};

use crate::server::Server;

#[tokio::test]
async fn it_says_where_it_listens_and_serves_whoever_has_a_token() {
    let mut server = Server::start("serves", &["--clock", "stepped", "--seed", "7", "--gateway", "gw-9"]);
    let ready = server.ready();
    assert_eq!((ready["site"].as_str(), ready["stepped"].as_bool()), (Some("main"), Some(true)));
    let mode = std::fs::metadata(&server.tokens).expect("the token file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let address = ready["address"].as_str().expect("an address");
    let admin = Client::new(address, server.token("admin")).expect("an address");
    assert_eq!(admin.send(v1::GetPlanRequest::default()).await.expect("a plan").text, plan::HOSPITAL);
    let step = v1::StepRequest { to_us: 1_000_000, stop_at_deadline: false };
    let receipt = admin.send(step).await.expect("stepped").receipt.expect("a receipt");
    assert_eq!(receipt.at_us, 1_000_000);
    let gateway = admin.with_token(server.token("gateway"));
    let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    let mut stream = gateway.gateway().attach(attach).await.expect("attached").into_inner();
    stream.message().await.expect("a message").expect("the first");
    admin.with_token(server.token("supervisor")).send(v1::ListCallsRequest::default()).await.expect("calls");
}

// The client's connection has to answer while this thread waits for the child.
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_told_and_closes_its_streams() {
    let mut server = Server::start("told", &["--clock", "stepped"]);
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address");
    let admin = Client::new(address, server.token("admin")).expect("an address");
    let mut record =
        admin.admin().tail_events(v1::TailEventsRequest::default()).await.expect("open").into_inner();
    record.message().await.expect("decisions").expect("the first");
    server.terminate();
    while let Ok(Some(_)) = record.message().await {}
    assert!(server.ended().success());
}

#[test]
fn it_ends_with_the_program_that_started_it() {
    let mut server = Server::start("parent", &[]);
    assert_eq!(server.ready()["stepped"], false);
    drop(server.child.stdin.take());
    assert!(server.ended().success());
}

#[test]
fn what_it_cannot_serve_it_refuses_with_a_reason() {
    let bad_plan = std::env::temp_dir().join(format!("hotline-{}-bad.toml", std::process::id()));
    std::fs::write(&bad_plan, plan::HOSPITAL.replace("class        = \"emergency\"", "class = \"urgent\""))
        .expect("written");
    let bad_plan = bad_plan.to_str().expect("a path");
    let cases: [(&[&str], &str); 4] = [
        (&["--plan", bad_plan], "urgent"),
        (&["--plan", "/nowhere/plan.toml"], "cannot read the plan"),
        (&["--listen", "0.0.0.0:0"], "loopback"),
        (&["--staff", "8xxx"], "staff number"),
    ];
    for (arguments, expected) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotline"));
        let tokens = std::env::temp_dir().join(format!("hotline-{}-refused.json", std::process::id()));
        command.args(["serve", "--tokens-file"]).arg(&tokens);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let output = command.args(arguments).stdin(Stdio::null()).output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "no ready line");
        let _removed = std::fs::remove_file(&tokens);
    }
    std::fs::remove_file(bad_plan).expect("removed");
}
