//! Several exchanges on one journal: no decision twice, no ask without its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use presence::Holder;
use session::{Appended, Head, Journal, JournalFault, MemoryJournal, Row, StoredRow};
use switchboard::Switchboard;
use switchboard::command::{Command, Edge, EdgeKind, Input};
use switchboard::event::Event;
use switchboard::id::{CallId, Seq, SiteId};
use switchboard::rejection::Rejection;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use super::site::{
    add_operator, add_visitor, adopt, arrive, at, attach_gateway, decisions, gateway, hang_up,
};
use super::start;
use crate::planted::Mistake;
use crate::{Committed, ExchangeHandle, FeedItem, Refused, StepTo};

/// A journal that lets every other writer run between a decision and its append.
struct Crowded(MemoryJournal);

#[async_trait]
impl Journal for Crowded {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        tokio::task::yield_now().await;
        self.0.append(site, row).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        self.0.tail(site, after, rows_max).await
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        self.0.head(site).await
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        self.0.heads().await
    }
}

#[tokio::test]
async fn ten_thousand_lost_appends_lose_and_double_nothing() {
    let lost: Vec<u64> =
        [contest(2, 700, None).await, contest(3, 350, None).await, contest(4, 230, None).await]
            .into_iter()
            .map(|contest| contest.expect("nothing was lost or doubled"))
            .collect();
    assert!(lost.iter().sum::<u64>() >= 10_000, "{lost:?}: not contested enough to mean anything");
}

#[tokio::test]
async fn mistakes_of_a_loser_are_noticed() {
    for mistake in [Mistake::LostIsStored, Mistake::ForgetTheLost] {
        let noticed = contest(3, 20, Some(mistake)).await;
        noticed.expect_err(&format!("{mistake:?} goes unnoticed"));
    }
}

/// A journal whose appends wait until they are let through.
struct Held {
    store: Arc<MemoryJournal>,
    came: Notify,
    open: Semaphore,
}

#[async_trait]
impl Journal for Held {
    async fn append(&self, site: SiteId, row: &Row) -> Result<Appended, JournalFault> {
        self.came.notify_one();
        drop(self.open.acquire().await);
        self.store.append(site, row).await
    }

    async fn tail(&self, site: SiteId, after: Seq, rows_max: usize) -> Result<Vec<StoredRow>, JournalFault> {
        self.store.tail(site, after, rows_max).await
    }

    async fn head(&self, site: SiteId) -> Result<Head, JournalFault> {
        self.store.head(site).await
    }

    async fn heads(&self) -> Result<Vec<(SiteId, Seq)>, JournalFault> {
        self.store.heads().await
    }
}

#[tokio::test(start_paused = true)]
async fn hours_whose_append_was_lost_are_laid_from_what_is_there_then() {
    let store = Arc::new(MemoryJournal::new());
    let first = start(store.clone(), "first", None).await;
    super::site::ask(&first, adopt(0)).await;
    super::site::ask(&first, add_operator(1)).await;
    let operator = super::site::operator(1);
    let what = EdgeKind::ShiftStarts { operator, ends_at: at(90_000) };
    let edges = vec![Edge { at: at(80_000), wall_us: 0, what }];
    super::site::ask(&first, super::site::by_admin(Command::ExtendSchedule { edges })).await;
    let held = Arc::new(Held { store, came: Notify::new(), open: Semaphore::new(0) });
    let second = start(held.clone(), "second", None).await;
    let mut feed = second.subscribe(None);
    held.came.notified().await;
    super::site::ask(&first, super::site::by_admin(Command::RemoveOperator { operator })).await;
    held.open.add_permits(1);
    let laid = async {
        loop {
            let Some(FeedItem::Decision(decision)) = feed.next().await else { panic!("it goes on") };
            if matches!(decision.input.command, Command::ExtendSchedule { .. }) {
                return;
            }
        }
    };
    timeout(Duration::from_secs(60), laid).await.expect("the hours are laid");
    assert_eq!(second.figures().lost, 1);
}

/// Everybody asks the same at once, again and again, through all exchanges. Returns how many appends were lost.
async fn contest(exchanges: u64, rounds: u64, mistake: Option<Mistake>) -> Result<u64, String> {
    let journal = Arc::new(Crowded(MemoryJournal::new()));
    let mut all = Vec::new();
    for n in 0..exchanges {
        all.push(start(journal.clone(), &format!("writer-{n}"), mistake).await);
    }
    let mut answers = Answers::default();
    answers.ask_each(&all, &[adopt(0), attach_gateway(), add_operator(1)]).await?;
    let holder = Holder::Gateway { gateway: gateway(), incarnation: 1 };
    let streams: Vec<_> = all.iter().filter_map(|exchange| exchange.link(holder).ok()).collect();
    if streams.len() != all.len() {
        return Err(format!("only {} exchanges know the gateway as attached", streams.len()));
    }
    for round in 0..rounds {
        answers.ask_each(&all, &[arrive(round)]).await?;
        answers.ask_each(&all, &[hang_up(round)]).await?;
        for (n, exchange) in (1..).zip(&all) {
            // Something of one's own at the same time as everybody else's.
            answers.expect_new(exchange, add_visitor(100 + round * 10 + n));
        }
        answers.collect().await?;
        let remove = |n| Command::RemoveOperator { operator: super::site::operator(100 + round * 10 + n) };
        for (n, exchange) in (1..).zip(&all) {
            answers.expect_new(exchange, super::site::by_admin(remove(n)));
        }
        answers.collect().await?;
        if round % 50 == 49 {
            step_all(&all, round * 30).await?;
        }
    }
    answers.compare(&decisions(&*journal).await)?;
    agree(&all, &*journal).await?;
    Ok(all.iter().map(|exchange| exchange.figures().lost).sum())
}

type Asked = tokio::task::JoinHandle<Result<Committed, Refused>>;

#[derive(Default)]
struct Answers {
    /// Asks of which each must be accepted.
    under_way: Vec<(Input, Asked)>,
    /// What was accepted, by its decision.
    accepted: BTreeMap<Seq, Input>,
}

impl Answers {
    /// Asks the same of all: exactly one does it.
    async fn ask_each(&mut self, all: &[ExchangeHandle], inputs: &[Input]) -> Result<(), String> {
        for input in inputs {
            let asked: Vec<Asked> = all.iter().map(|exchange| asking(exchange, input)).collect();
            let mut done = 0;
            for asked in asked {
                match asked.await.map_err(|fault| fault.to_string())? {
                    Ok(committed) if committed.again => {}
                    Ok(committed) => {
                        done += 1;
                        self.accept(committed, input)?;
                    }
                    Err(Refused::Rejection(rejection)) if is_too_late(&rejection) => {}
                    Err(refused) => return Err(format!("{:?}: {refused}", input.command)),
                }
            }
            if done != 1 {
                return Err(format!("done {done} times: {:?}", input.command));
            }
        }
        Ok(())
    }

    fn expect_new(&mut self, exchange: &ExchangeHandle, input: Input) {
        let asked = asking(exchange, &input);
        self.under_way.push((input, asked));
    }

    async fn collect(&mut self) -> Result<(), String> {
        for (input, asked) in std::mem::take(&mut self.under_way) {
            let answer = asked.await.map_err(|fault| fault.to_string())?;
            let committed = answer.map_err(|refused| format!("{:?}: {refused}", input.command))?;
            self.accept(committed, &input)?;
        }
        Ok(())
    }

    fn accept(&mut self, committed: Committed, input: &Input) -> Result<(), String> {
        let seq = committed.cursor.seq;
        match self.accepted.insert(seq, input.clone()) {
            None => Ok(()),
            Some(other) => Err(format!("decision {} answers {input:?} and {other:?}", seq.0)),
        }
    }

    /// The journal holds exactly what was accepted, and the clock's own.
    fn compare(&self, decisions: &[switchboard::decision::Decision]) -> Result<(), String> {
        let mut opened = BTreeSet::<CallId>::new();
        let mut closed = BTreeSet::<CallId>::new();
        for (decision, seq) in decisions.iter().zip(1..) {
            let own = !matches!(decision.input.command, Command::Tick | Command::ExtendSchedule { .. });
            let asked = self.accepted.get(&decision.seq);
            if decision.seq != Seq(seq) || asked != own.then_some(&decision.input) {
                return Err(format!("decision {seq} is {decision:?}, accepted was {asked:?}"));
            }
            for event in &decision.events {
                let fresh = match event {
                    Event::CallArrived { call, .. } => opened.insert(*call),
                    Event::CallClosed { call, .. } => closed.insert(*call),
                    _ => true,
                };
                if !fresh {
                    return Err(format!("twice: {event:?}"));
                }
            }
        }
        let last = decisions.last().map_or(Seq(0), |last| last.seq);
        let beyond = self.accepted.range(last.next()..).count();
        if beyond == 0 { Ok(()) } else { Err(format!("{beyond} accepted, not in the journal")) }
    }
}

fn asking(exchange: &ExchangeHandle, input: &Input) -> Asked {
    let (exchange, input) = (exchange.clone(), input.clone());
    tokio::spawn(async move { exchange.ask(input).await })
}

/// Somebody else's append was first and did it.
fn is_too_late(rejection: &Rejection) -> bool {
    use Rejection::{CallClosed, OperatorExists, PlanConflict};
    matches!(rejection, CallClosed | OperatorExists | PlanConflict { .. })
}

async fn step_all(all: &[ExchangeHandle], seconds: u64) -> Result<(), String> {
    let steps: Vec<_> = all
        .iter()
        .map(|exchange| {
            let exchange = exchange.clone();
            tokio::spawn(async move {
                let to = at(seconds).max(exchange.now());
                exchange.step(StepTo::At(to)).await
            })
        })
        .collect();
    for step in steps {
        step.await.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string())?;
    }
    Ok(())
}

/// Every exchange comes to the same state as a replay.
async fn agree(all: &[ExchangeHandle], journal: &dyn Journal) -> Result<(), String> {
    let mut replayed = Switchboard::new();
    decisions(journal).await.iter().for_each(|decision| replayed.evolve(decision));
    for exchange in all {
        let cursor = crate::Cursor { seq: replayed.state().seq, ..exchange.cursor() };
        exchange.reach(cursor).await.map_err(|fault| fault.to_string())?;
        if exchange.read(Switchboard::state_hash) != replayed.state_hash() {
            return Err("an exchange and the journal disagree".to_owned());
        }
    }
    Ok(())
}
