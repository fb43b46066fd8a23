//! Who may call what: every method with every role, with no token and with a wrong one.

use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorSet;
use routing::Role;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::hospital::{Hospital, config, in_time, reason};

const GATEWAY: &[Role] = &[Role::Gateway];
const OPERATOR: &[Role] = &[Role::Operator];
const OFFICE: &[Role] = &[Role::Supervisor, Role::Admin];
const ADMIN: &[Role] = &[Role::Admin];
const BOARD: &[Role] = &[Role::Supervisor, Role::Admin, Role::Wallboard];
const RECORD: &[Role] = &[Role::Admin, Role::Integrator];

/// Written down a second time on purpose: a slip in the router's own table shows here.
const EXPECTED: &[(&str, &[&str], &[Role])] = &[
    ("GatewayService", &["Attach", "Report"], GATEWAY),
    (
        "OperatorService",
        &[
            "Attach",
            "Heartbeat",
            "GoOnDuty",
            "Pause",
            "Resume",
            "Leave",
            "ConfirmDelivery",
            "Accept",
            "Decline",
            "ConfirmMedia",
            "Hold",
            "Retrieve",
            "Transfer",
            "Consult",
            "CompleteTransfer",
            "HangUp",
            "EndWrapUp",
            "BlockCaller",
        ],
        OPERATOR,
    ),
    ("SupervisorService", &["WatchBoard"], BOARD),
    (
        "SupervisorService",
        &[
            "ListCalls",
            "GetCall",
            "ExplainCall",
            "ExplainOperator",
            "DivertLine",
            "OpenLine",
            "CloseLine",
            "MoveCall",
            "PauseOperator",
            "ForceOperator",
            "BlockCaller",
            "UnblockCaller",
        ],
        OFFICE,
    ),
    ("HistoryService", &["ListRecords", "GetPath", "ExplainPastCall", "ExplainPastOperator"], OFFICE),
    ("RosterService", &["GetRoster", "ValidateRoster", "ListDue"], OFFICE),
    ("RosterService", &["ApplyRoster"], ADMIN),
    ("AdminService", &["ListOperators"], OFFICE),
    ("AdminService", &["TailEvents"], RECORD),
    (
        "AdminService",
        &[
            "GetPlan",
            "ListPlans",
            "ListTokens",
            "ValidatePlan",
            "DiffPlan",
            "ApplyPlan",
            "AddOperator",
            "ChangeOperator",
            "RemoveOperator",
            "InviteOperator",
            "IssueToken",
            "RevokeToken",
        ],
        ADMIN,
    ),
    ("AuditService", &["RevealCaller"], OFFICE),
    (
        "AuditService",
        &["ListAudit", "VerifyAudit", "ExportSubject", "EraseSubject", "ApproveErasure", "ListErasures"],
        ADMIN,
    ),
    ("SiteService", &["CreateSite", "ListSites", "RetireSite", "GetFormat", "RaiseFormat"], ADMIN),
    ("ClockService", &["Step"], ADMIN),
];

fn published() -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(api::FILE_DESCRIPTOR_SET).expect("a description");
    let mut methods = BTreeSet::new();
    for service in files.file.iter().flat_map(|file| &file.service) {
        for method in &service.method {
            methods.insert(format!("/hotline.v1.{}/{}", service.name(), method.name()));
        }
    }
    methods
}

/// Sends an empty message and tells the status of the head of the answer.
async fn call(channel: &Channel, path: &str, token: Option<&str>) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel.clone());
    in_time(grpc.ready()).await.expect("connected");
    let mut request = Request::new(());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", value);
    }
    let path = PathAndQuery::try_from(path.to_owned()).expect("a path");
    let codec = ProstCodec::<(), ()>::default();
    in_time(grpc.server_streaming(request, path, codec)).await.map(drop)
}

async fn channel(hospital: &Hospital) -> Channel {
    Channel::from_shared(hospital.address.clone()).expect("an address").connect().await.expect("connected")
}

#[tokio::test]
async fn every_method_with_every_role() {
    let hospital = Hospital::with(|config| config.limits.wrong_tokens_per_minute = 10_000).await;
    let channel = channel(&hospital).await;
    let mut tried = BTreeSet::new();
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, hospital.token(role.name(), "somebody").await));
    }
    for (service, methods, allowed) in EXPECTED {
        for method in *methods {
            let path = format!("/hotline.v1.{service}/{method}");
            for (role, token) in &tokens {
                let answer = call(&channel, &path, Some(token)).await;
                let code = answer.err().map_or(Code::Ok, |status| status.code());
                if allowed.contains(role) {
                    let kept_out = [Code::PermissionDenied, Code::Unauthenticated, Code::Unimplemented];
                    assert!(!kept_out.contains(&code), "{path} as {role:?}: {code:?}");
                } else {
                    assert_eq!(code, Code::PermissionDenied, "{path} as {role:?}");
                }
            }
            for token in [None, Some("hl_000000000000_00"), Some("nonsense")] {
                let status = call(&channel, &path, token).await.expect_err("kept out");
                assert_eq!(status.code(), Code::Unauthenticated, "{path} with {token:?}");
                assert_eq!(reason(&status), "NO_VALID_TOKEN");
            }
            tried.insert(path);
        }
    }
    // Whoever has an invitation has no token: what admits is in the message.
    let path = "/hotline.v1.SessionService/RedeemInvite";
    let known = tokens.iter().map(|(_, token)| Some(token.as_str()));
    for token in known.chain([None, Some("nonsense")]) {
        let status = call(&channel, path, token).await.expect_err("an empty message is no invitation");
        assert_eq!(reason(&status), "NO_VALID_INVITE");
    }
    tried.insert(path.to_owned());
    assert_eq!(tried, published(), "every published method was tried");
}

#[tokio::test]
async fn health_and_reflection_are_open_to_everybody() {
    let hospital = Hospital::open().await;
    let channel = channel(&hospital).await;
    call(&channel, "/grpc.health.v1.Health/Check", None).await.expect("healthy");
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        call(&channel, &path, None).await.expect("reflected");
    }
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_not_served() {
    let hospital = Hospital::open().await;
    let status = call(&channel(&hospital).await, "/hotline.v1.AdminService/SellEverything", None).await;
    assert_eq!(status.expect_err("nothing there").code(), Code::Unimplemented);
}

#[tokio::test]
async fn the_clock_is_not_served_where_time_goes_by_itself() {
    let hospital = Hospital::with_clock(exchange::Clock::System).await;
    let request = api::v1::StepRequest { to_us: 1, stop_at_deadline: false };
    let status = hospital.admin.send(request).await.expect_err("no such service");
    assert_eq!(status.code(), Code::Unimplemented);
}

#[tokio::test]
async fn only_loopback_is_listened_on_in_the_clear() {
    let hospital = Hospital::open().await;
    let start = async |change: fn(&mut routing::RouterConfig)| {
        let mut config = config(vec!["0.0.0.0:0".parse().expect("an address")]);
        change(&mut config);
        let parts = routing::RouterParts {
            exchange: hospital.exchange.clone(),
            opener: None,
            journal: std::sync::Arc::new(session::MemoryJournal::new()),
            derived: std::sync::Arc::new(session::MemoryDerived::new()),
            callers: std::sync::Arc::new(session::MemoryCallers::random()),
            registry: std::sync::Arc::new(session::MemoryRegistry::new()),
            principals: hospital.principals.clone(),
            audit: hospital.audit.clone(),
            subjects: std::sync::Arc::new(session::MemoryCallers::random()),
            records: std::sync::Arc::new(session::FoldedRecords::of(std::sync::Arc::new(
                session::MemoryJournal::new(),
            ))),
            is_shared: false,
            shown_in: None,
        };
        routing::Router::start(config, parts).await
    };
    let fault = start(|_| {}).await.expect_err("refused");
    assert!(matches!(fault, routing::StartFault::NotLoopback(_)), "{fault}");
    let fault = start(|config| config.listen.clear()).await.expect_err("refused");
    assert!(matches!(fault, routing::StartFault::NoAddress), "{fault}");
    let stepped = |config: &mut routing::RouterConfig| {
        (config.stepped, config.insecure_plaintext) = (true, true);
    };
    let fault = start(stepped).await.expect_err("refused");
    assert!(matches!(fault, routing::StartFault::SteppedBeyondLoopback(_)), "{fault}");
    let router = start(|config| config.insecure_plaintext = true).await.expect("it was said");
    in_time(router.stop()).await;
}

#[tokio::test]
async fn the_token_of_a_removed_operator_is_worth_nothing() {
    let hospital = Hospital::open().await;
    let (ana, mut desk) = hospital.on_duty("ana", &["duty"]).await;
    let remove = api::v1::RemoveOperatorRequest {
        operator_id: "ana".into(),
        ..api::v1::RemoveOperatorRequest::default()
    };
    hospital.admin.send(remove).await.expect("removed");
    let ended = loop {
        match in_time(desk.stream.next()).await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    // There is no such operator, and the token is worth nothing: whichever the stream hears of first.
    assert!(
        matches!(ended.code(), Code::NotFound | Code::Unauthenticated),
        "the open desk is closed: {ended:?}"
    );
    let status = ana.client.send(api::v1::ResumeRequest::default()).await.expect_err("no token");
    assert_eq!(status.code(), Code::Unauthenticated);
}
