//! What the log shows, and what it never does.

use api::{Client, v1, v1::fact::Fact};
use serde_json::Value;
use uuid::Uuid;

use crate::server::Server;

const NUMBERS: [&str; 3] = ["13812345678", "+8613987654321", "02166301234"];

/// A day's worth of everything that could be logged by mistake: numbers, right tokens, wrong tokens, bad requests.
pub(crate) async fn busy(server: &mut Server) -> Vec<String> {
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address");
    let admin = Client::new(address, server.token("admin")).expect("an address");
    let gateway = admin.with_token(server.token("gateway"));
    let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
    let mut stream = gateway.gateway().attach(attach).await.expect("attached").into_inner();
    stream.message().await.expect("a message").expect("the first");
    for number in NUMBERS {
        let arrival = |call_id: String| v1::Arrival {
            call_id,
            line_id: "comfort".into(),
            number: number.as_bytes().to_vec(),
            ..v1::Arrival::default()
        };
        for call_id in [Uuid::new_v4().to_string(), number.to_owned()] {
            let facts = vec![v1::Fact { fact: Some(Fact::Arrival(arrival(call_id))) }];
            // The second is refused: its id is no id.
            let _noted_or_refused = gateway.gateway().report(v1::ReportRequest { facts }).await;
        }
        let call_id = number.to_owned();
        let request = v1::GetCallRequest { call_id, at_least: None };
        admin.supervisor().get_call(request).await.expect_err("no id");
    }
    let profile =
        Some(v1::OperatorProfile { device: v1::DeviceKind::Softphone.into(), ..Default::default() });
    let add = v1::AddOperatorRequest { operator_id: "ana".into(), profile, ..Default::default() };
    let ana = admin.send(add).await.expect("added").token;
    let principal = v1::principal_ref::Principal::SupervisorId("dora".into());
    let principal = Some(v1::PrincipalRef { principal: Some(principal) });
    let issue = v1::IssueTokenRequest { principal: principal.clone(), lasting_ms: None };
    let dora = admin.send(issue).await.expect("issued").token;
    admin.send(v1::RevokeTokenRequest { principal }).await.expect("revoked");
    let wrong = format!("{}x", server.secret("admin"));
    let thief = admin.with_token(api::Bearer::new(&wrong).expect("letters"));
    thief.admin().get_plan(v1::GetPlanRequest::default()).await.expect_err("no token");
    let tokens = [server.secret("admin"), server.secret("gateway"), ana, dora, wrong];
    let secrets = tokens.iter().filter_map(|token| Some(token.rsplit_once('_')?.1.to_owned()));
    NUMBERS.iter().map(|number| number.trim_start_matches('+').to_owned()).chain(secrets).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_number_and_nobodys_token_is_in_the_finest_log() {
    for format in ["text", "json"] {
        let flags = ["--clock", "stepped", "--log", "trace", "--log-format", format];
        let mut server = Server::start(&format!("log-{format}"), &flags);
        let secrets = busy(&mut server).await;
        let log = server.log();
        assert!(log.contains("GatewayService/Report"), "the log says what was asked:\n{log}");
        assert!(log.contains("token revoked") && log.contains("dora"), "and who did what:\n{log}");
        for secret in secrets {
            assert!(!log.contains(&secret), "{secret} is in the log");
        }
        if format == "json" {
            for line in log.lines() {
                let entry: Value =
                    serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
                assert!(entry["level"].is_string() && entry["message"].is_string(), "{line}");
            }
        }
    }
}

#[test]
fn at_its_usual_level_it_tells_beginning_and_end() {
    let mut server = Server::start("log-usual", &[]);
    let address = server.ready()["address"].as_str().expect("an address").to_owned();
    let log = server.log();
    assert!(log.contains("serving") && log.contains(&address) && log.contains("ended"), "{log}");
    let mut server = Server::start("log-quiet", &["--log", "warn"]);
    server.ready();
    assert_eq!(server.log(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_a_retired_site_has_nothing_to_complain_of() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = ["--data", dir.path().to_str().expect("a path")];
    let mut server = Server::start("retired", &kept);
    let ready = server.ready();
    let address = ready["address"].as_str().expect("an address");
    let admin = Client::new(address, server.token("admin")).expect("an address");
    let site_id = "north".to_owned();
    let north = v1::CreateSiteRequest { site_id: site_id.clone(), ..Default::default() };
    admin.send(north).await.expect("begun");
    admin.send(v1::RetireSiteRequest { site_id, ..Default::default() }).await.expect("retired");
    server.log();
    let mut again = Server::start("retired", &kept);
    again.ready();
    let log = again.log();
    assert!(log.contains("serving") && !log.contains("ERROR"), "{log}");
}
