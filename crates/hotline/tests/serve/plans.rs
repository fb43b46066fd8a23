//! The plan's file of a site that has a plan already.

use std::fs;

use api::{Client, v1};

use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_file_decides_nothing_once_there_is_a_plan() {
    let dir = tempfile::tempdir().expect("a directory");
    let (data, file) = (dir.path().join("data"), dir.path().join("plan.toml"));
    let (data, plan) = (data.to_str().expect("a path"), file.to_str().expect("a path"));
    let start = || Server::start("planned", &["--data", data, "--plan", plan]);
    fs::write(&file, plan::HOSPITAL).expect("written");
    let mut first = start();
    first.ready();
    assert!(!first.log().contains("the plan in force stays"), "it is what is in force");
    let same = {
        let mut again = start();
        again.ready();
        again.log()
    };
    assert!(!same.contains("the plan in force stays"), "{same}");

    let other = plan::HOSPITAL.replace("wrap_up      = \"15s\"", "wrap_up      = \"16s\"");
    let broken = plan::HOSPITAL.replace("class        = \"emergency\"", "class = \"urgent\"");
    for (text, said) in [
        (Some(other), "hotline plan diff"),
        (Some(broken), "cannot be used: hotline plan validate"),
        (None, "cannot read the plan"),
    ] {
        match text {
            Some(text) => fs::write(&file, text).expect("written"),
            None => fs::remove_file(&file).expect("removed"),
        }
        let mut server = start();
        let ready = server.ready();
        let address = ready["address"].as_str().expect("it serves all the same");
        let admin = Client::new(address, server.token("admin")).expect("an address");
        let in_force = admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
        assert_eq!((in_force.revision, in_force.text.as_str()), (1, plan::HOSPITAL));
        let log = server.log();
        assert!(log.contains("the plan in force stays") && log.contains(said), "{said}: {log}");
        assert!(!log.contains("urgent"), "no line of a plan is in a log: {log}");
    }
}
