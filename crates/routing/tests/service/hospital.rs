//! A hospital in one process: a server on a stepped clock, and the clients of everybody in it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::v1::{self, fact::Fact, fact_result};
use api::{Attached, Bearer, Client, DeskFeed, GatewayFeed, Update};
use exchange::{Clock, Exchange, ExchangeConfig, ExchangeHandle};
use routing::{
    Limits, OpenSite, Opening, Principal, Principals, Router, RouterConfig, RouterParts, StaffNumbers,
    Traces, Who,
};
use session::{
    Audit, Derived, FoldedRecords, Journal, MemoryAudit, MemoryCallers, MemoryDerived, MemoryJournal,
    MemoryRegistry, Registry, Retention, SweptStores, Writer, sweep,
};
use switchboard::id::SiteId;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

/// Nothing in these tests takes longer on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Hospital {
    pub(crate) address: String,
    pub(crate) exchange: ExchangeHandle,
    pub(crate) principals: Arc<Principals>,
    pub(crate) router: Router,
    pub(crate) admin: Client,
    pub(crate) supervisor: Client,
    pub(crate) gateway: Client,
    pub(crate) audit: Arc<dyn Audit>,
    journal: Arc<dyn Journal>,
    derived: Arc<dyn Derived>,
    pub(crate) registry: Arc<dyn Registry>,
    /// Whether it may have other sites.
    many: bool,
}

pub(crate) fn site() -> SiteId {
    "main".parse().expect("a name")
}

pub(crate) fn who(role: &str, id: &str) -> Principal {
    let name = || id.parse().expect("a name");
    let who = match role {
        "gateway" => Who::Gateway(id.parse().expect("a name")),
        "operator" => Who::Operator(id.parse().expect("a name")),
        "supervisor" => Who::Supervisor(name()),
        "wallboard" => Who::Wallboard(name()),
        "integrator" => Who::Integrator(name()),
        _ => Who::Admin(name()),
    };
    Principal { site: site(), who }
}

/// What outlives a router.
type Kept<'a> = (&'a Arc<dyn Journal>, &'a Arc<dyn Registry>, &'a Arc<dyn Audit>);

/// Starts the switchboards of other sites.
struct Opener {
    journal: Arc<dyn Journal>,
    derived: Arc<dyn Derived>,
    clock: Clock,
}

impl OpenSite for Opener {
    fn open(&self, site: SiteId) -> Opening<'_> {
        let config = ExchangeConfig::alone(site, Writer::new(Uuid::new_v4().to_string()));
        let config = config.with_derived(self.derived.clone());
        Box::pin(Exchange::spawn(config, self.journal.clone(), self.clock))
    }
}

async fn serve(
    clock: Clock,
    config: RouterConfig,
    (journal, registry, audit): Kept<'_>,
    derived: &Arc<dyn Derived>,
    principals: &Arc<Principals>,
    many: bool,
) -> (ExchangeHandle, Router) {
    let alone = ExchangeConfig::alone(site(), Writer::new(Uuid::new_v4().to_string()));
    let alone = alone.with_derived(derived.clone());
    let exchange = Exchange::spawn(alone, journal.clone(), clock).await.expect("a journal that can be read");
    let callers = Arc::new(MemoryCallers::seeded(7));
    let opener = Opener { journal: journal.clone(), derived: derived.clone(), clock };
    let parts = RouterParts {
        exchange: exchange.clone(),
        opener: many.then(|| Arc::new(opener) as Arc<dyn OpenSite>),
        journal: journal.clone(),
        derived: derived.clone(),
        callers: callers.clone(),
        registry: registry.clone(),
        principals: principals.clone(),
        audit: audit.clone(),
        subjects: callers,
        records: Arc::new(FoldedRecords::of(journal.clone())),
        is_shared: false,
        shown_in: None,
    };
    let config = RouterConfig { stepped: clock != Clock::System, ..config };
    (exchange, Router::start(config, parts).await.expect("a free port"))
}

/// What these hospitals' routers begin with.
pub(crate) fn config(listen: Vec<SocketAddr>) -> RouterConfig {
    RouterConfig {
        listen,
        tls: None,
        insecure_plaintext: false,
        limits: Limits::default(),
        stepped: false,
        staff: StaffNumbers::parse(["8001", "021999*"]).expect("numbers"),
        first_plan: Some(plan::parse("hospital.toml", plan::HOSPITAL).expect("a good plan")),
        traces: Traces::default(),
    }
}

/// Somebody to add.
pub(crate) fn visitor(id: &str) -> v1::AddOperatorRequest {
    let device = v1::DeviceKind::AutoAnswer.into();
    let profile = Some(v1::OperatorProfile { device, ..v1::OperatorProfile::default() });
    v1::AddOperatorRequest { operator_id: id.into(), profile, ..v1::AddOperatorRequest::default() }
}

impl Hospital {
    pub(crate) async fn open() -> Hospital {
        Hospital::with_clock(Clock::STEPPED).await
    }

    pub(crate) async fn with_clock(clock: Clock) -> Hospital {
        Hospital::on(Arc::new(MemoryJournal::new()), clock, |_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut RouterConfig)) -> Hospital {
        Hospital::on(Arc::new(MemoryJournal::new()), Clock::STEPPED, change).await
    }

    pub(crate) async fn on(
        journal: Arc<dyn Journal>,
        clock: Clock,
        change: impl FnOnce(&mut RouterConfig),
    ) -> Hospital {
        Hospital::recorded_in(Arc::new(MemoryAudit::new()), journal, clock, change).await
    }

    /// The home site of a router that may serve others, too.
    pub(crate) async fn of_many_sites() -> Hospital {
        let audit = Arc::new(MemoryAudit::new());
        Hospital::made(audit, Arc::new(MemoryJournal::new()), Clock::STEPPED, true, |_| {}).await
    }

    /// Another principal on the same connection.
    pub(crate) fn client(&self, token: &str) -> Client {
        self.admin.with_token(bearer(token))
    }

    pub(crate) async fn recorded_in(
        audit: Arc<dyn Audit>,
        journal: Arc<dyn Journal>,
        clock: Clock,
        change: impl FnOnce(&mut RouterConfig),
    ) -> Hospital {
        Hospital::made(audit, journal, clock, false, change).await
    }

    async fn made(
        audit: Arc<dyn Audit>,
        journal: Arc<dyn Journal>,
        clock: Clock,
        many: bool,
        change: impl FnOnce(&mut RouterConfig),
    ) -> Hospital {
        let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::new());
        let derived: Arc<dyn Derived> = Arc::new(MemoryDerived::new());
        let principals = Arc::new(Principals::new(registry.clone(), None));
        let mut config = config(vec!["127.0.0.1:0".parse().expect("an address")]);
        change(&mut config);
        let kept = (&journal, &registry, &audit);
        let (exchange, router) = serve(clock, config, kept, &derived, &principals, many).await;
        let address = format!("http://{}", router.address());
        let mint = async |role, id| bearer(principals.mint(who(role, id)).await.expect("kept").reveal());
        let admin = Client::new(&address, mint("admin", "admin").await).expect("an address");
        let supervisor = admin.with_token(mint("supervisor", "supervisor").await);
        let gateway = admin.with_token(mint("gateway", "gw-1").await);
        Hospital {
            address,
            exchange,
            principals,
            router,
            admin,
            supervisor,
            gateway,
            audit,
            journal,
            derived,
            registry,
            many,
        }
    }

    /// A token for somebody, in place of any earlier one.
    pub(crate) async fn token(&self, role: &str, id: &str) -> String {
        self.principals.mint(who(role, id)).await.expect("kept").reveal().to_owned()
    }

    /// The router ends, and another one begins with the same journal at the same address.
    pub(crate) async fn restart(self) -> Hospital {
        let config = config(self.router.addresses().to_vec());
        let exchanges = self.router.exchanges();
        in_time(self.router.stop()).await;
        for exchange in exchanges {
            in_time(exchange.close()).await;
        }
        let (exchange, router) = serve(
            Clock::STEPPED,
            config,
            (&self.journal, &self.registry, &self.audit),
            &self.derived,
            &self.principals,
            self.many,
        )
        .await;
        Hospital { exchange, router, ..self }
    }

    /// The records of calls were kept long enough, and go; how far they were stays known.
    pub(crate) async fn let_records_go(&self) {
        let (folded, callers) = (FoldedRecords::of(self.journal.clone()), MemoryCallers::seeded(7));
        let stores = SweptStores {
            journal: &*self.journal,
            derived: &*self.derived,
            records: &folded,
            subjects: &callers,
            audit: &*self.audit,
        };
        let retention = Retention { records_days: Some(1), ..Retention::default() };
        sweep(site(), &retention, 0, stores).await.expect("recorded");
        // A sweep lets go of none that are in memory.
        let to = self.derived.record_cursor(site()).await.expect("readable").expect("there are some");
        self.derived.forget_records(site()).await.expect("forgotten");
        self.derived.keep_records(site(), &[], None, to).await.expect("kept");
    }

    /// Adds a person on a line of her own, without anybody's help.
    pub(crate) async fn add(&self, id: &str, device: v1::DeviceKind, lines: &[&str]) -> Person {
        let profile = v1::OperatorProfile {
            home_line_ids: lines.iter().map(ToString::to_string).collect(),
            device: device.into(),
            ..v1::OperatorProfile::default()
        };
        let request = v1::AddOperatorRequest {
            operator_id: id.into(),
            profile: Some(profile),
            ..v1::AddOperatorRequest::default()
        };
        let added = self.admin.send(request).await.expect("added");
        Person { client: self.admin.with_token(bearer(&added.token)), desk_id: Uuid::new_v4().to_string() }
    }

    /// Adds a person with a desk that answers by itself, attaches it and comes on duty.
    pub(crate) async fn on_duty(&self, id: &str, lines: &[&str]) -> (Person, Desk) {
        let person = self.add(id, v1::DeviceKind::AutoAnswer, lines).await;
        let desk = person.attach().await;
        person.client.send(v1::GoOnDutyRequest::default()).await.expect("on duty");
        (person, desk)
    }

    /// Opens the gateway's stream and reads its first message.
    pub(crate) async fn attach_gateway(&self) -> (GatewayStream, v1::GatewayServiceAttachResponse) {
        let mut stream = GatewayStream::new(&self.gateway, 1, Vec::new());
        let first = stream.next().await.into_message();
        (stream, first)
    }

    /// Reports one fact that must be noted.
    pub(crate) async fn report(&self, fact: Fact) -> v1::FactNoted {
        match self.try_report(fact).await {
            fact_result::Result::Noted(noted) => noted,
            fact_result::Result::Refused(refused) => panic!("refused: {refused:?}"),
        }
    }

    /// Reports one fact that must change nothing.
    pub(crate) async fn refused(&self, fact: Fact) -> v1::FactRefused {
        match self.try_report(fact).await {
            fact_result::Result::Noted(noted) => panic!("noted: {noted:?}"),
            fact_result::Result::Refused(refused) => refused,
        }
    }

    async fn try_report(&self, fact: Fact) -> fact_result::Result {
        let facts = vec![v1::Fact { fact: Some(fact) }];
        let mut reply = self.gateway.send(v1::ReportRequest { facts }).await.expect("a report");
        reply.results.pop().and_then(|result| result.result).expect("one result")
    }

    /// Steps through everything until then.
    pub(crate) async fn step_to(&self, to_us: u64) -> v1::Receipt {
        let request = v1::StepRequest { to_us, stop_at_deadline: false };
        self.admin.send(request).await.expect("stepped").receipt.expect("a receipt")
    }

    pub(crate) async fn call(&self, call_id: &str) -> v1::CallSummary {
        let request = v1::GetCallRequest { call_id: call_id.into(), at_least: None };
        self.supervisor.send(request).await.expect("a call").call.expect("a summary")
    }
}

pub(crate) fn bearer(token: &str) -> Bearer {
    Bearer::new(token).expect("a token")
}

pub(crate) fn arrival(call_id: &str, line: &str, number: &str) -> Fact {
    Fact::Arrival(v1::Arrival {
        call_id: call_id.into(),
        line_id: line.into(),
        number: number.as_bytes().to_vec(),
        ..v1::Arrival::default()
    })
}

pub(crate) fn leg(call_id: &str, attempt: u32, event: v1::LegEvent) -> Fact {
    let cause = if event == v1::LegEvent::Failed { "busy".into() } else { String::new() };
    Fact::Leg(v1::LegReport { call_id: call_id.into(), attempt, event: event.into(), cause })
}

pub(crate) fn hung_up(call_id: &str) -> Fact {
    Fact::CallerHungUp(v1::CallerHungUp { call_id: call_id.into() })
}

pub(crate) fn new_call() -> String {
    Uuid::new_v4().to_string()
}

/// A person with a token.
pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) desk_id: String,
}

impl Person {
    pub(crate) async fn attach(&self) -> Desk {
        let stream = self.client.attach(DeskFeed { desk_id: self.desk_id.clone() });
        let mut desk = Desk { stream, shows: v1::OperatorServiceAttachResponse::default() };
        desk.next().await;
        desk
    }

    pub(crate) async fn accept(&self, desk: &Desk) -> Result<v1::AcceptResult, Status> {
        let offer = desk.offer().offer;
        let session = desk.desk().session;
        let request = v1::AcceptRequest { offer, session, request_id: String::new() };
        self.client.send(request).await.map(|reply| reply.result())
    }
}

/// An open desk and what it shows.
pub(crate) struct Desk {
    pub(crate) stream: Attached<DeskFeed>,
    pub(crate) shows: v1::OperatorServiceAttachResponse,
}

impl Desk {
    pub(crate) async fn next(&mut self) -> v1::UpdateKind {
        let update = in_time(self.stream.next()).await.expect("an update");
        self.shows = update.into_message();
        self.shows.kind()
    }

    /// Reads until the desk shows this.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&v1::Desk) -> bool) {
        while !holds(self.desk()) {
            let waiting = in_time(self.next());
            assert_ne!(waiting.await, v1::UpdateKind::Unspecified, "while waiting for {what}");
        }
    }

    pub(crate) fn desk(&self) -> &v1::Desk {
        self.shows.desk.as_ref().expect("a desk")
    }

    pub(crate) fn offer(&self) -> v1::DeskOffer {
        self.desk().offer.clone().expect("an offer")
    }

    pub(crate) fn work(&self) -> v1::WorkState {
        self.desk().work.as_ref().expect("work").state()
    }
}

type Inventory = Box<dyn FnMut() -> Vec<String> + Send>;

/// A gateway's open stream.
pub(crate) struct GatewayStream(Attached<GatewayFeed<Inventory>>);

impl GatewayStream {
    pub(crate) fn new(client: &Client, incarnation: u64, calls: Vec<String>) -> GatewayStream {
        let inventory: Inventory = Box::new(move || calls.clone());
        GatewayStream(client.attach(GatewayFeed { incarnation, reaches: None, inventory }))
    }

    pub(crate) async fn next(&mut self) -> Update<v1::GatewayServiceAttachResponse> {
        self.try_next().await.expect("an update")
    }

    pub(crate) async fn try_next(&mut self) -> Result<Update<v1::GatewayServiceAttachResponse>, Status> {
        in_time(self.0.next()).await
    }

    /// Reads until a treatment of this call has this shape.
    pub(crate) async fn until(&mut self, call_id: &str, shape: v1::TreatmentShape) -> v1::Treatment {
        loop {
            let message = self.next().await.into_message();
            let fits = |t: &v1::Treatment| t.call_id == call_id && t.shape() == shape;
            if let Some(treatment) = message.treatments.into_iter().find(fits) {
                return treatment;
            }
        }
    }
}

/// Fails instead of waiting for ever.
pub(crate) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}

/// The reason code of a status.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The first field a status complains of.
pub(crate) fn field(status: &Status) -> String {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let fields = status.get_details_bad_request().expect("field violations").field_violations;
    let first = fields.first().expect("a field");
    assert!(!first.description.is_empty(), "a field without a mend");
    first.field.clone()
}
