//! Several routers of one site: who reports whom lost. Time is tokio's, which jumps when all wait.

mod site;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use exchange::{Clock, Exchange, ExchangeConfig, ExchangeHandle, Refused};
use presence::{DESK_LEASE, GATEWAY_LEASE, HEARTBEAT, Holder};
use session::{
    Appended, Head, Journal, JournalFault, MemoryJournal, MemoryRoll, Roll, RollEntry, Row, StoredRow, Writer,
};
use site::*;
use switchboard::command::Command;
use switchboard::id::{Seq, SiteId};
use switchboard::operator::Link;
use switchboard::rejection::Rejection;
use tokio::time::sleep;

#[tokio::test(start_paused = true)]
async fn a_desk_and_a_gateway_at_another_router_are_not_reported() {
    let store = Store::default();
    let (a, b) = (store.router("a").await, store.router("b").await);
    let _gateway = open(&b).await;
    let desk = on_duty(&b, 1).await;
    let late = store.router("late").await;
    for _ in 0..120 {
        beat(&b, desk.holder(), &[&a, &late]).await;
    }
    assert_eq!(store.reports().await, []);
    for exchange in [&a, &b, &late] {
        assert_eq!(link(exchange), Link::Online);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_was_at_a_killed_router_is_reported_by_another_in_time() {
    let store = Store::default();
    let a = store.router("a").await;
    let doomed = store.behind_a_cut();
    let b = doomed.router("b").await;
    let _gateway = open(&b).await;
    let desk = on_duty(&b, 1).await;
    for _ in 0..10 {
        beat(&b, desk.holder(), &[&a]).await;
    }
    doomed.is_cut.store(true, Ordering::Relaxed);
    let killed_at = a.now();
    sleep(Duration::from_secs(60)).await;
    let reports = store.reports().await;
    let [(desk_at, Command::DropDesk { .. }), (gateway_at, Command::LoseGateway { .. })] = &reports[..]
    else {
        panic!("{reports:?}")
    };
    assert!(*desk_at <= killed_at + DESK_LEASE + HEARTBEAT, "{desk_at:?}");
    assert!(*gateway_at <= killed_at + GATEWAY_LEASE + HEARTBEAT, "{gateway_at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_desk_and_a_gateway_that_move_are_not_reported() {
    let store = Store::default();
    let (a, b) = (store.router("a").await, store.router("b").await);
    let gateway_stream = open(&b).await;
    let desk_stream = on_duty(&b, 1).await;
    beat(&b, desk_stream.holder(), &[&a]).await;
    assert!(ask(&a, attach_desk(1)).await.again, "nothing new for the journal");
    assert!(ask(&a, attach_gateway()).await.again);
    let _streams =
        [&desk_stream, &gateway_stream].map(|stream| a.link(stream.holder()).expect("it is attached"));
    let desk = desk_stream.holder();
    drop((desk_stream, gateway_stream));
    for _ in 0..120 {
        beat(&a, desk, &[&b]).await;
    }
    assert_eq!(store.reports().await, []);
    assert_eq!(link(&a), Link::Online);
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_leaves_one_of_several_routers_is_reported_soon() {
    let store = Store::default();
    let (_a, b) = (store.router("a").await, store.router("b").await);
    let _gateway = open(&b).await;
    let desk = on_duty(&b, 1).await;
    beat(&b, desk.holder(), &[]).await;
    let left_at = b.now();
    drop(desk);
    sleep(Duration::from_secs(5)).await;
    let reports = store.reports().await;
    let [(at, Command::DropDesk { .. })] = &reports[..] else { panic!("{reports:?}") };
    assert!(*at < left_at + HEARTBEAT, "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_refused_for_what_a_router_has_not_heard_yet() {
    let store = Store::default();
    let (a, b) = (store.router("a").await, store.router("b").await);
    let _gateway = open(&a).await;
    ask(&a, add_operator(1)).await;
    assert!(b.read(|sb| sb.operator(operator(1)).is_none()), "nobody told it");
    ask(&b, attach_desk(1)).await;
    let refused = refusal(&b, attach_desk(2)).await;
    assert_eq!(
        refused,
        Refused::Rejection(Rejection::UnknownOperator),
        "and the journal knows of nobody else"
    );
    ask(&a, arrive(1)).await;
    ask(&b, hang_up(1)).await;
    assert_eq!(b.figures().lost, 0, "it read before it wrote");
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_comes_again_while_the_store_is_away_is_answered() {
    let store = Store::default().behind_a_cut();
    let b = store.router("b").await;
    let _gateway = open(&b).await;
    let _desk = on_duty(&b, 1).await;
    store.is_cut.store(true, Ordering::Relaxed);
    assert!(ask(&b, attach_desk(1)).await.again);
    let refused = refusal(&b, attach_desk(2)).await;
    assert_eq!(refused, Refused::Rejection(Rejection::UnknownOperator));
}

#[tokio::test(start_paused = true)]
async fn a_report_behind_an_append_is_dropped_when_its_holder_came_back_before_it_could_be_made() {
    let store = Store::default();
    let slow = store.that_answers_late();
    let (a, b) = (slow.router("a").await, store.router("b").await);
    let gateway_stream = open(&a).await;
    ask(&a, arrive(1)).await;
    // Behind the append under way a lets others go first.
    let other = Writer::new("b");
    store.journal.wait_for_turn(main_site(), &other, true).await;
    drop(gateway_stream);
    slow.answers_late.store(true, Ordering::Relaxed);
    let asking = a.clone();
    let asked = tokio::spawn(async move { asking.ask(arrive(2)).await });
    // Its end was to be told with the next append.
    sleep(Duration::from_micros(GATEWAY_LEASE.0) + Duration::from_secs(1)).await;
    assert_eq!(store.reports().await, []);
    let calls = [call(1), call(2)].into();
    let moved = Command::AttachGateway { incarnation: 1, reaches: Some([operator(1)].into()), calls };
    assert!(!ask(&b, by_gateway(moved)).await.again, "it stands in the journal that it is here now");
    let _stream = b.link(Holder::Gateway { gateway: gateway(), incarnation: 1 }).expect("it is attached");
    slow.answers_late.store(false, Ordering::Relaxed);
    asked.await.expect("answered").expect("accepted");
    store.journal.wait_for_turn(main_site(), &other, false).await;
    ask(&a, arrive(3)).await;
    assert_eq!(store.reports().await, []);
    assert_eq!(a.read(|sb| sb.state().calls.len()), 3, "nobody was cut off");
}

/// A heartbeat later, at this router; the others follow the journal.
async fn beat(exchange: &ExchangeHandle, desk: Holder, others: &[&ExchangeHandle]) {
    sleep(Duration::from_micros(HEARTBEAT.0)).await;
    exchange.heartbeat(desk).expect("it is attached");
    for other in others {
        other.reach(exchange.cursor()).await.expect("the journal can be read");
    }
}

fn link(exchange: &ExchangeHandle) -> Link {
    exchange.read(|sb| sb.operator(operator(1)).expect("added").link)
}

/// One store of several routers, or what one of them sees of it.
#[derive(Clone, Default)]
struct Store {
    journal: Arc<MemoryJournal>,
    roll: Arc<MemoryRoll>,
    is_cut: Arc<AtomicBool>,
    /// What is appended is stored, and the answer comes when that ends.
    answers_late: Arc<AtomicBool>,
}

impl Store {
    fn that_answers_late(&self) -> Store {
        Store { answers_late: Arc::default(), ..self.clone() }
    }

    fn behind_a_cut(&self) -> Store {
        Store { is_cut: Arc::default(), ..self.clone() }
    }

    async fn router(&self, name: &str) -> ExchangeHandle {
        let config =
            ExchangeConfig::alone(main_site(), Writer::new(name)).among_routers(Arc::new(self.clone()));
        Exchange::spawn(config, Arc::new(self.clone()), Clock::System).await.expect("the journal can be read")
    }

    /// Whom presence reported, and when.
    async fn reports(&self) -> Vec<(switchboard::time::SiteTime, Command)> {
        let all = decisions(&*self.journal).await.into_iter();
        let reports = all.filter(|decision| {
            matches!(decision.input.command, Command::DropDesk { .. } | Command::LoseGateway { .. })
        });
        reports.map(|decision| (decision.at, decision.input.command)).collect()
    }

    async fn pass(&self) {
        if self.is_cut.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    }
}

#[async_trait::async_trait]
impl Journal for Store {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.pass().await;
        let appended = self.journal.append(site, row).await;
        while self.answers_late.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(1)).await;
        }
        appended
    }

    async fn is_awaited(&self, site: SiteId, writer: &Writer) -> bool {
        self.journal.is_awaited(site, writer).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        self.pass().await;
        self.journal.tail(site, after, rows_max).await
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        self.pass().await;
        self.journal.head(site).await
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        self.pass().await;
        self.journal.heads().await
    }
}

#[async_trait::async_trait]
impl Roll for Store {
    async fn call(&self, site: SiteId, own: &RollEntry) -> Result<Vec<RollEntry>, JournalFault> {
        self.pass().await;
        self.roll.call(site, own).await
    }
}
