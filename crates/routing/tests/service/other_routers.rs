//! Several routers of the same sites, on one store. Nobody tells one what another did but the store, and Redis where there is
//! one.

mod changes;
mod cut_off;
mod formats;
mod moved;
mod supervised;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::{BoardFeed, Client, v1};
use exchange::{Clock, Exchange, ExchangeConfig, ExchangeHandle};
use presence::{Redis, Renewal, Tracker};
use routing::{OpenSite, Opening, Principals, Router, RouterParts};
use session::{
    Audit, Derived, FORMAT, FoldedRecords, Journal, MemoryAudit, MemoryCallers, MemoryDerived, MemoryJournal,
    MemoryRegistry, MemoryRoll, Registry, Writer,
};
use switchboard::id::SiteId;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use uuid::Uuid;

use crate::drain::{gated, health_at};
use crate::hospital::{
    Desk, GatewayStream, Person, arrival, bearer, config, in_time, leg, new_call, reason, site, visitor, who,
};
use crate::redis_server::Server;
use crate::web::figures_at;

/// What the routers share.
#[derive(Clone)]
struct Store {
    journal: Arc<dyn Journal>,
    registry: Arc<dyn Registry>,
    audit: Arc<dyn Audit>,
    derived: Arc<dyn Derived>,
    callers: Arc<MemoryCallers>,
    roll: Arc<MemoryRoll>,
    begins_in: u32,
}

/// Starts the switchboards of one router.
struct Opener {
    store: Store,
    shown_in: Option<Arc<Redis>>,
}

impl OpenSite for Opener {
    fn open(&self, site: SiteId) -> Opening<'_> {
        let Store { journal, derived, roll, begins_in, .. } = self.store.clone();
        let config = ExchangeConfig::alone(site, Writer::new(Uuid::new_v4().to_string()));
        let mut config = config.with_derived(derived).among_routers(roll).beginning_in(begins_in);
        if let Some(shown_in) = &self.shown_in {
            let tracker = Tracker::among_routers(Renewal::Heartbeats);
            config = config.with_presence(Arc::new(shown_in.presence(site, tracker)));
        }
        Box::pin(Exchange::spawn(config, journal, Clock::System))
    }
}

/// One of several routers, and its office.
struct Started {
    store: Store,
    router: Router,
    exchange: ExchangeHandle,
    principals: Arc<Principals>,
    shown_in: Option<Arc<Redis>>,
    admin: Client,
}

impl Store {
    fn new() -> Store {
        Store {
            journal: Arc::new(MemoryJournal::new()),
            registry: Arc::new(MemoryRegistry::new()),
            audit: Arc::new(MemoryAudit::new()),
            derived: Arc::new(MemoryDerived::new()),
            callers: Arc::new(MemoryCallers::seeded(7)),
            roll: Arc::default(),
            begins_in: FORMAT,
        }
    }

    fn beginning_in(format: u32) -> Store {
        Store { begins_in: format, ..Store::new() }
    }

    /// A router whose administrator is of this name: two at once would take each other's token.
    async fn router(&self, admin: &str, shown_in: Option<&Server>) -> Started {
        let shown_in = shown_in.map(|server| {
            let address = server.address().parse().expect("an address");
            Arc::new(Redis::start(address, &Uuid::new_v4().to_string()))
        });
        let opener = Opener { store: self.clone(), shown_in: shown_in.clone() };
        let exchange = opener.open(site()).await.expect("a journal that can be read");
        let principals = Arc::new(Principals::new(self.registry.clone(), None));
        principals.load(site()).await.expect("tokens that can be read");
        let parts = RouterParts {
            exchange: exchange.clone(),
            opener: Some(Arc::new(opener)),
            journal: self.journal.clone(),
            derived: self.derived.clone(),
            callers: self.callers.clone(),
            registry: self.registry.clone(),
            principals: principals.clone(),
            audit: self.audit.clone(),
            subjects: self.callers.clone(),
            records: Arc::new(FoldedRecords::of(self.journal.clone())),
            is_shared: true,
            shown_in: shown_in.clone(),
        };
        let listen: Vec<SocketAddr> = vec!["127.0.0.1:0".parse().expect("an address")];
        let router = Router::start(config(listen), parts).await.expect("a free port");
        let token = principals.mint(who("admin", admin)).await.expect("kept");
        let address = format!("http://{}", router.address());
        let admin = Client::new(&address, bearer(token.reveal())).expect("an address");
        Started { store: self.clone(), router, exchange, principals, shown_in, admin }
    }

    async fn both(&self, shown_in: Option<&Server>) -> (Started, Started) {
        (self.router("ada", shown_in).await, self.router("bob", shown_in).await)
    }
}

impl Started {
    fn client(&self, token: &str) -> Client {
        self.admin.with_token(bearer(token))
    }

    /// Adds somebody on the line `comfort` whose phone rings.
    async fn add(&self, id: &str) -> String {
        let profile = v1::OperatorProfile {
            home_line_ids: vec!["comfort".into()],
            device: v1::DeviceKind::Ring.into(),
            ..Default::default()
        };
        let request =
            v1::AddOperatorRequest { operator_id: id.into(), profile: Some(profile), ..Default::default() };
        self.admin.send(request).await.expect("added").token
    }

    fn person(&self, token: &str) -> Person {
        Person { client: self.client(token), desk_id: Uuid::new_v4().to_string() }
    }

    async fn until_redis_is(&self, well: bool) {
        let mut health = self.shown_in.as_ref().expect("it has one").health();
        in_time(health.wait_for(|health| health.is_well() == well)).await.expect("it is told");
    }
}

/// Whatever is answered, it is answered to somebody who is known.
async fn opens(client: &Client, why: &str) {
    assert_ne!(answered(client).await, Some(Code::Unauthenticated), "{why}");
}

async fn answered(client: &Client) -> Option<Code> {
    client.send(v1::LeaveRequest::default()).await.err().map(|status| status.code())
}

/// Asks until it is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    in_time(async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

async fn until_refused(client: &Client) {
    until(async || answered(client).await == Some(Code::Unauthenticated)).await;
}

#[tokio::test]
async fn a_router_that_cannot_look_at_the_journal_sends_clients_elsewhere_until_it_can() {
    let (journal, gate, _waiting) = gated();
    let store = Store { journal, ..Store::new() };
    let router = store.router("ada", None).await;
    let mut health = health_at(&format!("http://{}", router.router.address())).await;
    let watched = health.watch(HealthCheckRequest::default()).await;
    let mut watched = watched.expect("open").into_inner();
    let mut said = async || in_time(watched.message()).await.expect("open").expect("a status").status();
    assert_eq!(said().await, ServingStatus::Serving);
    gate.send_replace(false);
    assert_eq!(said().await, ServingStatus::NotServing, "nobody asked it for anything");
    gate.send_replace(true);
    assert_eq!(said().await, ServingStatus::Serving);
}

#[tokio::test]
async fn a_token_made_at_one_router_opens_another_at_once() {
    let (a, b) = Store::new().both(None).await;
    let token = a.add("ana").await;
    let desk = b.person(&token).attach().await;
    assert!(desk.desk().session > 0, "she is known there");
    let other = if token.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{other}", &token[..token.len() - 1]);
    assert_eq!(answered(&b.client(&wrong)).await, Some(Code::Unauthenticated), "it is nobody's");
}

#[tokio::test]
async fn a_token_taken_away_at_one_router_ends_streams_at_another() {
    let (a, b) = Store::new().both(None).await;
    let token = a.add("ana").await;
    let attach =
        v1::OperatorServiceAttachRequest { desk_id: Uuid::new_v4().to_string(), ..Default::default() };
    let ana = b.client(&token);
    let mut stream = in_time(ana.operator().attach(attach)).await.expect("attached").into_inner();
    in_time(stream.message()).await.expect("a message").expect("the first");
    let named = v1::principal_ref::Principal::OperatorId("ana".into());
    let revoke = v1::RevokeTokenRequest { principal: Some(v1::PrincipalRef { principal: Some(named) }) };
    assert!(a.admin.send(revoke).await.expect("revoked").revoked);
    let ended = in_time(async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    });
    assert_eq!(reason(&ended.await), "TOKEN_REVOKED");
    until_refused(&ana).await;
}

#[tokio::test]
async fn a_new_token_at_one_router_replaces_the_old_one_at_another() {
    let (a, b) = Store::new().both(None).await;
    let old = b.client(&a.add("ana").await);
    opens(&old, "it is good").await;
    let named = v1::principal_ref::Principal::OperatorId("ana".into());
    let principal = Some(v1::PrincipalRef { principal: Some(named) });
    let new =
        a.admin.send(v1::IssueTokenRequest { principal, lasting_ms: None }).await.expect("issued").token;
    opens(&b.client(&new), "it is good at once").await;
    until_refused(&old).await;
}

#[tokio::test]
async fn who_is_removed_and_added_again_elsewhere_keeps_the_new_token() {
    let (a, b) = Store::new().both(None).await;
    let first = b.client(&a.add("ana").await);
    opens(&first, "it is good").await;
    for _ in 0..5 {
        let gone = v1::RemoveOperatorRequest { operator_id: "ana".into(), ..Default::default() };
        a.admin.send(gone).await.expect("removed");
        let again = a.add("ana").await;
        opens(&b.client(&again), "it is good at once").await;
        b.admin.send(visitor(&format!("v-{}", Uuid::new_v4().simple()))).await.expect("it has caught up");
        opens(&b.client(&again), "and stays").await;
        opens(&a.client(&again), "there, too").await;
    }
    until_refused(&first).await;
}

#[tokio::test]
async fn an_invitation_made_at_one_router_is_redeemed_at_another() {
    let (a, b) = Store::new().both(None).await;
    a.add("ana").await;
    let invite = v1::InviteOperatorRequest { operator_id: "ana".into(), lasting_ms: None };
    let invite = a.admin.send(invite).await.expect("invited").invite;
    let nobody = Client::without_token(&format!("http://{}", b.router.address())).expect("an address");
    let redeem = v1::RedeemInviteRequest { invite };
    let token = nobody.session().redeem_invite(redeem.clone()).await.expect("redeemed").into_inner().token;
    opens(&a.client(&token), "it is a token there, too").await;
    let nobody = Client::without_token(&format!("http://{}", a.router.address())).expect("an address");
    let spent = nobody.session().redeem_invite(redeem).await.expect_err("once");
    assert_eq!(reason(&spent), "NO_VALID_INVITE");
}

/// One shift a day for ana.
const ROSTER: &str = "[shifts]\nday = { title = { zh = \"白班\", en = \"Day\" }, from = \"08:00\", to = \"16:00\" }\n\n\
                      [weekly]\nana = \"Mon-Sun day\"\n";

#[tokio::test]
async fn a_roster_applied_at_one_router_is_in_force_at_another() {
    let (a, b) = Store::new().both(None).await;
    a.add("ana").await;
    let apply =
        |text: &str, expected_revision| v1::ApplyRosterRequest { text: text.into(), expected_revision };
    assert_eq!(a.admin.send(apply(ROSTER, 0)).await.expect("in force").revision, 1);
    let known = b.admin.send(v1::GetRosterRequest {}).await.expect("a roster");
    assert_eq!((known.revision, known.text.as_str()), (1, ROSTER));
    let longer = ROSTER.replace("16:00", "17:00");
    assert_eq!(b.admin.send(apply(&longer, 1)).await.expect("in force").revision, 2);
    // Nobody asks this one for it: it looks by itself.
    let ahead = v1::ListDueRequest { ahead_ms: 7 * 86_400_000 };
    until(async || a.admin.send(ahead).await.expect("who is due").revision == 2).await;
    let refused = a.admin.send(apply(ROSTER, 1)).await.expect_err("it was made from another");
    assert_eq!(reason(&refused), "OTHER_ROSTER");
}

#[tokio::test]
async fn a_plan_applied_at_one_router_is_in_force_at_another() {
    let (a, b) = Store::new().both(None).await;
    let text = plan::HOSPITAL.replace("wrap_up      = \"15s\"", "wrap_up      = \"16s\"");
    let apply = |text: &str, expected_revision| v1::ApplyPlanRequest {
        text: text.into(),
        expected_revision,
        ..Default::default()
    };
    assert_eq!(a.admin.send(apply(&text, 1)).await.expect("adopted").revision, 2);
    let plan = async || b.admin.send(v1::GetPlanRequest::default()).await.expect("a plan");
    until(async || plan().await.revision == 2).await;
    assert_eq!(plan().await.text, text);
    assert_eq!(b.admin.send(apply(plan::HOSPITAL, 2)).await.expect("adopted").revision, 3);
}

#[tokio::test]
async fn a_site_begun_at_one_router_is_served_by_another_and_ends_at_both() {
    let (a, b) = Store::new().both(None).await;
    let create = v1::CreateSiteRequest { site_id: "north".into(), ..Default::default() };
    let token = a.admin.send(create.clone()).await.expect("begun").token;
    let north = b.client(&token);
    north.send(visitor("ana")).await.expect("added there");
    let listed = b.admin.send(v1::ListSitesRequest::default()).await.expect("a list").sites;
    assert_eq!(listed.iter().map(|site| site.site_id.as_str()).collect::<Vec<_>>(), ["main", "north"]);
    let again = v1::CreateSiteRequest { request_id: Uuid::new_v4().to_string(), ..create };
    assert_eq!(reason(&b.admin.send(again).await.expect_err("it is there")), "SITE_EXISTS");
    let retire = v1::RetireSiteRequest { site_id: "north".into(), ..Default::default() };
    b.admin.send(retire).await.expect("nobody is inside");
    let refused = a.client(&token).send(visitor("ben")).await.expect_err("nothing begins there");
    assert_eq!(reason(&refused), "SITE_RETIRED");
}

/// A call that comes to one router reaches a desk at the other, to its end.
async fn call_across(gateway: &Client, stream: &mut GatewayStream, desk: &mut Desk) {
    let call = new_call();
    let report = async |fact| {
        let facts = vec![v1::Fact { fact: Some(fact) }];
        let reply = gateway.send(v1::ReportRequest { facts }).await.expect("a report");
        let result = reply.results.into_iter().next().and_then(|result| result.result);
        assert!(matches!(result, Some(v1::fact_result::Result::Noted(_))), "{result:?}");
    };
    report(arrival(&call, "comfort", "13812345678")).await;
    desk.until("an offer", |desk| desk.offer.is_some()).await;
    // The other router may be the one that offers it, a moment after it rings.
    let attempt = loop {
        let ring = stream.until(&call, v1::TreatmentShape::Ring).await;
        if let Some(attempt) = ring.legs.iter().map(|leg| leg.attempt).max() {
            break attempt;
        }
    };
    report(leg(&call, attempt, v1::LegEvent::Ringing)).await;
    report(crate::hospital::hung_up(&call)).await;
    desk.until("nothing", |desk| desk.offer.is_none()).await;
}

/// A gateway at the first router, and a desk on duty at the second.
async fn apart(a: &Started, b: &Started) -> (Client, GatewayStream, Desk) {
    let token = a.principals.mint(who("gateway", "gw-1")).await.expect("kept");
    let gateway = a.client(token.reveal());
    let mut stream = GatewayStream::new(&gateway, 1, Vec::new());
    stream.next().await;
    let ana = b.person(&a.add("ana").await);
    let desk = ana.attach().await;
    ana.client.send(v1::GoOnDutyRequest::default()).await.expect("on duty");
    (gateway, stream, desk)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_comes_to_one_router_reaches_a_desk_at_another() {
    let (a, b) = Store::new().both(None).await;
    let (gateway, mut stream, mut desk) = apart(&a, &b).await;
    for _ in 0..3 {
        call_across(&gateway, &mut stream, &mut desk).await;
    }
    in_time(a.exchange.reach(b.exchange.cursor())).await.expect("it goes on");
    in_time(b.exchange.reach(a.exchange.cursor())).await.expect("it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_on_between_routers_while_redis_comes_and_goes_and_everybody_sees_it() {
    let server = Server::start();
    let (a, b) = Store::new().both(Some(&server)).await;
    a.until_redis_is(true).await;
    b.until_redis_is(true).await;
    let (gateway, mut stream, mut desk) = apart(&a, &b).await;
    call_across(&gateway, &mut stream, &mut desk).await;
    let free = || server.answer("HGET hotline:{main}:free line:comfort");
    until(async || free().as_deref() == Some("ana")).await;
    let mut boards = a.admin.attach(BoardFeed { interval_ms: 1_000 });
    let mut until_board = async |state: v1::RedisState| loop {
        let update = in_time(boards.next()).await.expect("a board");
        if update.into_message().board.expect("a board").redis_state() == state {
            break;
        }
    };
    until_board(v1::RedisState::There).await;
    let page = figures_at(a.router.address()).await;
    for line in ["hotline_redis_up{way=\"writing\"} 1", "hotline_redis_up{way=\"hearing\"} 1"] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(page.contains("\nhotline_redis_answer_seconds "), "{page}");

    let port = server.kill();
    a.until_redis_is(false).await;
    until_board(v1::RedisState::Away).await;
    call_across(&gateway, &mut stream, &mut desk).await;
    let page = figures_at(a.router.address()).await;
    assert!(page.contains("hotline_redis_up{way=\"writing\"} 0"), "{page}");
    assert!(!page.contains("hotline_redis_faults_total 0"), "{page}");

    let _server = Server::on(port);
    a.until_redis_is(true).await;
    until_board(v1::RedisState::There).await;
    call_across(&gateway, &mut stream, &mut desk).await;
}
