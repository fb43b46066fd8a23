//! The hospital's side of the wire: one gateway, a desk for everybody on shift, and the record, each a stream. After
//! each command it reads exactly what the command's receipt announces, so that nothing is decided by who was faster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::v1::stream_progress::Holder;
use api::{Attached, Client, DeskFeed, Feed, GatewayFeed, Update, v1};
use switchboard::command::{Actor, Command, Input};
use switchboard::desk::DeskView;
use switchboard::id::{CallId, DeskId, GatewayId, LineId, OperatorId};
use switchboard::time::SiteTime;
use switchboard::treatment::{Shape, Treatment};
use tokio::time::timeout;

use super::asking::{Answer, Askers};
use super::fault::DemoFault;
use super::hearing;
use super::record::Record;

/// An announced message that has not come after this long will not come.
const PATIENCE: Duration = Duration::from_secs(30);

type Inventory = Box<dyn FnMut() -> Vec<String> + Send>;

/// What gateways and desks were told by one step or command. Of several messages about the same only the last
/// counts: whether the service sent them merged or one by one makes no difference.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) treatments: BTreeMap<CallId, Treatment>,
    pub(super) desks: BTreeMap<OperatorId, DeskView>,
}

/// All connections of the hospital to the service.
pub(super) struct Wire {
    askers: Askers,
    clock: Client,
    gateway_id: GatewayId,
    gateway: Option<Attached<GatewayFeed<Inventory>>>,
    gateway_number: u64,
    desks: BTreeMap<OperatorId, DeskStream>,
    /// Who has no desk: what is known of them stands on the supervisor's board.
    without_desk: BTreeSet<OperatorId>,
    pub(super) record: Record,
    pub(super) seen: Seen,
    now: SiteTime,
    /// What the service has due next that does not follow from the record: the schedule, a lease.
    unrecorded_deadline: Option<SiteTime>,
    news: News,
}

struct DeskStream {
    feed: Attached<DeskFeed>,
    number: u64,
}

/// What the gateway itself knows of the day: the witness against which the service's account is held.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Callers whose arrival was taken note of, by the line they called.
    pub(super) arrived: BTreeMap<LineId, u64>,
    /// Callers who neither hung up nor were released.
    pub(super) inside: BTreeSet<CallId>,
    /// Callers who were let go, or left.
    pub(super) gone: u64,
    /// The same as `inside`, for the stream's inventory.
    held: Arc<Mutex<BTreeSet<CallId>>>,
}

impl Wire {
    /// Nothing attached yet.
    pub(super) fn new(askers: Askers, gateway_id: GatewayId, without_desk: BTreeSet<OperatorId>) -> Wire {
        let record = Record::of(&askers.admin);
        Wire {
            clock: askers.admin.clone(),
            askers,
            gateway_id,
            gateway: None,
            gateway_number: 0,
            desks: BTreeMap::new(),
            without_desk,
            record,
            seen: Seen::default(),
            now: SiteTime(0),
            unrecorded_deadline: None,
            news: News::default(),
        }
    }

    /// Site time, as of the last answer.
    pub(super) fn now(&self) -> SiteTime {
        self.now
    }

    /// When the service has something due next, as far as anybody outside knows.
    pub(super) fn next_deadline(&self) -> Option<SiteTime> {
        [self.unrecorded_deadline, self.record.next_deadline()].into_iter().flatten().min()
    }

    /// What everybody was told since this was last asked.
    pub(super) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// Steps the clock to the first deadline, at most to `to`.
    ///
    /// # Errors
    /// When the service fails.
    pub(super) async fn step(&mut self, to: SiteTime) -> Result<(), DemoFault> {
        let receipt = self.step_once(to).await?;
        self.follow(&receipt).await?;
        let announced = receipt.stepped.and_then(|stepped| stepped.next_deadline_us).map(SiteTime);
        self.unrecorded_deadline = announced.filter(|at| self.record.next_deadline() != Some(*at));
        Ok(())
    }

    /// Does what the hospital wants done, and hears everything that follows from it. Says whether it was accepted.
    ///
    /// # Errors
    /// When the service fails.
    pub(super) async fn say(&mut self, input: &Input) -> Result<bool, DemoFault> {
        match (&input.command, input.actor) {
            (Command::AttachGateway { incarnation, .. }, _) => {
                self.attach_gateway(*incarnation).await?;
                Ok(true)
            }
            (Command::AttachDesk { operator, desk }, _) => {
                self.attach_desk(*operator, *desk).await.map(|()| true)
            }
            (Command::DropDesk { operator, .. }, _) => self.drop_desk(*operator).await.map(|()| true),
            (command, actor) => {
                let answer = self.askers.ask(input).await?;
                let Answer::Done(receipt) = answer else { return Ok(false) };
                if let (Command::Arrive(arrival), Actor::Gateway(_)) = (command, actor) {
                    self.seen.arrives(arrival.call, arrival.line);
                }
                if let Command::CallerHungUp { call } = command {
                    self.seen.leaves(*call);
                }
                self.follow(&receipt).await.map(|_| true)
            }
        }
    }

    async fn step_once(&mut self, to: SiteTime) -> Result<v1::Receipt, DemoFault> {
        let request = v1::StepRequest { to_us: to.0, stop_at_deadline: true };
        let stepped =
            self.clock.send(request).await.map_err(|s| DemoFault::call("stepping the clock")(&s))?;
        let receipt = stepped.receipt.unwrap_or_default();
        self.now = SiteTime(receipt.at_us);
        Ok(receipt)
    }

    async fn attach_gateway(&mut self, incarnation: u64) -> Result<(), DemoFault> {
        let held = Arc::clone(&self.seen.held);
        let inventory: Inventory = Box::new(move || {
            let held = held.lock().unwrap_or_else(PoisonError::into_inner);
            held.iter().map(ToString::to_string).collect()
        });
        let mut feed = self.askers.gateway.attach(GatewayFeed { incarnation, reaches: None, inventory });
        let first = soon("the gateway's stream", 1, &mut feed).await?;
        self.gateway = Some(feed);
        self.hear_gateway(first.into_message())?;
        self.catch_up().await
    }

    /// The new stream is opened before the old one is dropped, so that a desk that only reloads is never without one.
    async fn attach_desk(&mut self, operator: OperatorId, desk: DeskId) -> Result<(), DemoFault> {
        let Some(client) = self.askers.operators.get(&operator) else {
            return Err(DemoFault::Call {
                doing: "opening a desk",
                message: format!("{operator} was not added"),
            });
        };
        let mut feed = client.attach(DeskFeed { desk_id: desk.0.to_string() });
        let first = soon(operator.as_str(), 1, &mut feed).await?;
        self.desks.insert(operator, DeskStream { feed, number: 0 });
        self.hear_desk(operator, first.into_message())?;
        self.catch_up().await
    }

    /// Ends a desk's stream, and waits until the service has taken note.
    async fn drop_desk(&mut self, operator: OperatorId) -> Result<(), DemoFault> {
        if self.desks.remove(&operator).is_none() {
            return Ok(());
        }
        let noted = async {
            loop {
                let receipt = self.step_once(self.now).await?;
                if self.follow(&receipt).await?.contains(&operator) {
                    // What the end led to may have been decided after this receipt's cursor.
                    return self.catch_up().await;
                }
                tokio::task::yield_now().await;
            }
        };
        let silent = || DemoFault::Silent {
            stream: format!("{operator}'s end"),
            number: 0,
            seconds: PATIENCE.as_secs(),
        };
        timeout(PATIENCE, noted).await.unwrap_or_else(|_| Err(silent()))
    }

    /// A stream's first message carries no receipt: a step that goes nowhere does.
    async fn catch_up(&mut self) -> Result<(), DemoFault> {
        let receipt = self.step_once(self.now).await?;
        self.follow(&receipt).await.map(|_| ())
    }

    /// Reads everything a receipt announces. Says whose desks are closed.
    async fn follow(&mut self, receipt: &v1::Receipt) -> Result<BTreeSet<OperatorId>, DemoFault> {
        let cursor = receipt.cursor.unwrap_or_default();
        let mut closed = BTreeSet::new();
        for progress in receipt.stepped.iter().flat_map(|stepped| &stepped.progress) {
            match &progress.holder {
                Some(Holder::OperatorId(id)) => {
                    let operator = hearing::name("an operator", id)?;
                    if progress.closed {
                        closed.insert(operator);
                    } else {
                        self.read_desk(operator, progress.number).await?;
                    }
                }
                Some(Holder::GatewayId(_)) => self.read_gateway(progress.number).await?,
                None => return Err(DemoFault::unreadable("whose stream", "")),
            }
        }
        let silent = || DemoFault::Silent {
            stream: "the record".to_owned(),
            number: cursor.seq,
            seconds: PATIENCE.as_secs(),
        };
        timeout(PATIENCE, self.record.reach(cursor.seq)).await.unwrap_or_else(|_| Err(silent()))?;
        for view in self.record.take_concerned() {
            if self.without_desk.contains(&view.operator) {
                self.news.desks.insert(view.operator, view);
            }
        }
        Ok(closed)
    }

    async fn read_gateway(&mut self, number: u64) -> Result<(), DemoFault> {
        while self.gateway_number < number {
            let Some(feed) = &mut self.gateway else { break };
            let update = soon("the gateway's stream", number, feed).await?;
            self.hear_gateway(update.into_message())?;
        }
        Ok(())
    }

    async fn read_desk(&mut self, operator: OperatorId, number: u64) -> Result<(), DemoFault> {
        while let Some(desk) = self.desks.get_mut(&operator).filter(|desk| desk.number < number) {
            let update = soon(operator.as_str(), number, &mut desk.feed).await?;
            self.hear_desk(operator, update.into_message())?;
        }
        Ok(())
    }

    fn hear_gateway(&mut self, message: v1::GatewayServiceAttachResponse) -> Result<(), DemoFault> {
        self.gateway_number = message.number;
        for sent in &message.treatments {
            let treatment = hearing::treatment(self.gateway_id, sent)?;
            if treatment.shape == Shape::Release {
                self.seen.leaves(treatment.call);
            }
            self.news.treatments.insert(treatment.call, treatment);
        }
        Ok(())
    }

    fn hear_desk(
        &mut self,
        operator: OperatorId,
        message: v1::OperatorServiceAttachResponse,
    ) -> Result<(), DemoFault> {
        if let Some(stream) = self.desks.get_mut(&operator) {
            stream.number = message.number;
        }
        if let Some(sent) = &message.desk {
            self.news.desks.insert(operator, hearing::desk(sent)?);
        }
        Ok(())
    }

    /// The supervisor's board at this moment.
    ///
    /// # Errors
    /// When the service fails.
    pub(super) async fn board(&mut self) -> Result<v1::Board, DemoFault> {
        let mut feed = self.askers.supervisor.attach(api::BoardFeed { interval_ms: 0 });
        let update = soon("the board", 1, &mut feed).await?;
        update.into_message().board.ok_or_else(|| DemoFault::unreadable("a board", ""))
    }
}

impl Seen {
    fn arrives(&mut self, call: CallId, line: LineId) {
        *self.arrived.entry(line).or_default() += 1;
        self.inside.insert(call);
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(call);
    }

    fn leaves(&mut self, call: CallId) {
        if self.inside.remove(&call) {
            self.gone += 1;
            self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
        }
    }
}

async fn soon<F: Feed>(
    stream: &str,
    number: u64,
    feed: &mut Attached<F>,
) -> Result<Update<F::Message>, DemoFault> {
    match timeout(PATIENCE, feed.next()).await {
        Ok(Ok(update)) => Ok(update),
        Ok(Err(status)) => Err(DemoFault::call("reading a stream")(&status)),
        Err(_) => Err(DemoFault::Silent { stream: stream.to_owned(), number, seconds: PATIENCE.as_secs() }),
    }
}
