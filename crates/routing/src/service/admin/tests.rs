use exchange::{Clock, Cursor, Exchange, ExchangeConfig};
use session::{
    FoldedRecords, MemoryAudit, MemoryCallers, MemoryDerived, MemoryJournal, MemoryRegistry, Writer,
};
use switchboard::command::{Actor, Input};
use switchboard::id::Seq;

use super::*;
use crate::audited::Recorder;
use crate::limits::Limits;
use crate::site::SiteParts;
use crate::staff::StaffNumbers;
use crate::streams::Streams;
use crate::tokens::Principals;

#[tokio::test]
async fn the_token_of_somebody_added_again_outlives_the_news_of_the_removal() {
    let journal = Arc::new(MemoryJournal::new());
    let config = ExchangeConfig::alone("main".parse().expect("a name"), Writer::new("a"));
    let exchange = Exchange::spawn(config, journal.clone(), Clock::STEPPED).await.expect("an empty journal");
    let (streams, feed) = Streams::new(exchange.clone(), false, 4);
    let (callers, principals) = (Arc::new(MemoryCallers::seeded(7)), Arc::new(Principals::in_memory()));
    let recorder = Recorder::new(Arc::new(MemoryAudit::new()), exchange.clone());
    let site = Arc::new(Site::new(SiteParts {
        exchange: exchange.clone(),
        journal: journal.clone(),
        derived: Arc::new(MemoryDerived::new()),
        callers: callers.clone(),
        registry: Arc::new(MemoryRegistry::new()),
        recorder: recorder.clone(),
        subjects: callers,
        records: Arc::new(FoldedRecords::of(journal)),
        principals,
        streams,
        staff: StaffNumbers::default(),
        stepped: false,
        is_shared: false,
        shown_in: None,
        limits: Limits::default(),
    }));
    let (operator, admin) = ("ana".parse().expect("a name"), "admin".parse().expect("a name"));
    let profile = convert::profile(Some(profile())).expect("a profile");
    for command in [Command::AddOperator { operator, profile }, Command::RemoveOperator { operator }] {
        let input = Input { actor: Actor::Admin(admin), request: None, command };
        exchange.ask(input).await.expect("accepted");
    }

    let added = tokio::spawn(add(Arc::clone(&site), Principal { site: site.id(), who: Who::Admin(admin) }));
    let cursor = Cursor { seq: Seq(3), ..exchange.cursor() };
    exchange.reach(cursor).await.expect("added");
    for _ in 0..100 {
        // Whoever does not wait for the news is done by then.
        tokio::task::yield_now().await;
    }
    let follower = Arc::clone(&site);
    tokio::spawn(async move {
        follower.streams.follow(feed, |leaving| follower.forget(leaving)).await;
    });
    site.streams.have_told(cursor.seq).await;
    let token = added.await.expect("an answer");
    let person = Principal { site: site.id(), who: Who::Operator(operator) };
    let admitted = site.principals.authenticate(&token, SystemTime::now()).expect("a token");
    assert_eq!(admitted.principal, person);
}

async fn add(site: Arc<Site>, by: Principal) -> String {
    let request = v1::AddOperatorRequest {
        operator_id: "ana".into(),
        profile: Some(profile()),
        ..v1::AddOperatorRequest::default()
    };
    let mut request = Request::new(request);
    request.extensions_mut().insert(by);
    request.extensions_mut().insert(site.recorder.by_itself(by.who.id(), "operator.add"));
    Admin(site).add_operator(request).await.expect("added").into_inner().token
}

fn profile() -> v1::OperatorProfile {
    v1::OperatorProfile { device: v1::DeviceKind::AutoAnswer.into(), ..v1::OperatorProfile::default() }
}
