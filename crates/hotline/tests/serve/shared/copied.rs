//! A record that goes from a directory into a database and back, by the commands.

use std::fs;
use std::path::Path;

use api::{Client, v1};
use uuid::Uuid;

use super::{Shared, client, hotline, said, text};
use crate::server::Server;

fn done(arguments: &[&str]) -> String {
    let output = hotline(&[arguments, &["--lang", "en"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

async fn add(admin: &Client, operator: &str) {
    let profile =
        Some(v1::OperatorProfile { device: v1::DeviceKind::Softphone.into(), ..Default::default() });
    let operator = v1::AddOperatorRequest { operator_id: operator.to_owned(), profile, ..Default::default() };
    admin.send(operator).await.expect("added");
}

/// Which life of the record it is, and who works there.
async fn there(admin: &Client) -> (u64, Vec<String>) {
    let plan = admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    let listed = admin.send(v1::ListOperatorsRequest::default()).await.expect("operators").operators;
    let names = listed.into_iter().map(|operator| operator.operator_id).collect();
    (plan.cursor.expect("a cursor").epoch, names)
}

/// A caller, whose number is sealed in the record from then on.
async fn calls(gateway: &Client) {
    let _attached = gateway.gateway().attach(attach()).await.expect("attached");
    let arrival = v1::Arrival {
        call_id: Uuid::new_v4().to_string(),
        line_id: "switchboard".to_owned(),
        number: b"+8613800138000".to_vec(),
        ..Default::default()
    };
    let report = v1::ReportRequest { facts: vec![v1::Fact { fact: Some(v1::fact::Fact::Arrival(arrival)) }] };
    gateway.send(report).await.expect("noted");
}

fn attach() -> v1::GatewayServiceAttachRequest {
    v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() }
}

fn copied(from: &[&str], to: &Path) {
    let told = done(&[&["backup", "--to", text(to)][..], from].concat());
    assert!(told.contains("main: ") && told.contains("keep a copy of seal.key elsewhere"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_goes_into_a_database_and_back_into_a_directory_by_the_commands() {
    let shared = Shared::migrated();
    let [own, first, second, back] =
        ["own", "first.backup", "second.backup", "back"].map(|name| shared.data(name));
    let mut alone = Server::start("copied-own", &["--data", text(&own)]);
    let ready = alone.ready();
    let address = ready["address"].as_str().expect("an address");
    let admin = Client::new(address, alone.token("admin")).expect("an address");
    add(&admin, "ana").await;
    calls(&admin.with_token(alone.token("gateway"))).await;
    let (life, names) = there(&admin).await;
    assert_eq!(names, ["ana"]);
    copied(&["--data", text(&own)], &first);
    alone.log();

    let restore = ["restore", "--from", text(&first), "--postgres", text(&shared.file)];
    let told = done(&restore);
    for words in ["the database begins with the copy", "everybody keeps the token they have", "put seal.key"]
    {
        assert!(told.contains(words), "{words} is not in {told}");
    }
    let twice = hotline(&restore);
    assert_eq!(twice.status.code(), Some(1), "{}", said(&twice));
    assert!(said(&twice).contains("holds a record already"), "{}", said(&twice));
    let one = shared.data("copied-one");
    fs::create_dir(&one).expect("made");
    fs::copy(own.join("seal.key"), one.join("seal.key")).expect("copied");
    let mut among = shared.start("copied-one");
    let admin = client(&mut among, &alone.secret("admin"));
    let gateway = admin.with_token(alone.token("gateway"));
    gateway.gateway().attach(attach()).await.expect("it has the token it had");
    let (second_life, names) = there(&admin).await;
    assert!(second_life > life && names == ["ana"], "{second_life} {life} {names:?}");
    add(&admin, "ben").await;
    copied(&["--postgres", text(&shared.file)], &second);
    among.log();
    done(&["journal", "verify", "--postgres", text(&shared.file)]);

    let key = own.join("seal.key");
    let told = done(&["restore", "--from", text(&second), "--data", text(&back), "--seal-key", text(&key)]);
    assert!(told.contains("begins with the copy") && told.contains("gateways keep their tokens"), "{told}");
    done(&["journal", "verify", "--data", text(&back)]);
    let mut last = Server::start("copied-back", &["--data", text(&back)]);
    let ready = last.ready();
    let address = ready["address"].as_str().expect("an address");
    let admin = Client::new(address, last.token("admin")).expect("an address");
    let (third_life, names) = there(&admin).await;
    assert!(third_life > second_life && names == ["ana", "ben"], "{third_life} {second_life} {names:?}");
}
