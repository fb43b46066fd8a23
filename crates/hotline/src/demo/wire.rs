//! The hospital's side of the wire: one gateway, a desk for everybody on shift, and the record, each a stream. After
//! each command it reads exactly what the command's receipt announces, so that nothing is decided by who was faster.

mod returning;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::v1::stream_progress::Holder;
use api::{Attached, Client, DeskFeed, Feed, GatewayFeed, Update, v1};
use switchboard::command::{Actor, Command, Input};
use switchboard::desk::DeskView;
use switchboard::id::{CallId, DeskId, GatewayId, OperatorId};
use switchboard::time::SiteTime;
use switchboard::treatment::{Shape, Treatment};
use tokio::time::timeout;

pub(super) use self::returning::Return;
use super::asking::{Answer, Askers};
use super::fault::DemoFault;
use super::hearing;
use super::record::Record;
use super::seen::Seen;
use super::service::{Asked, Service};

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
    pub(super) service: Service,
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

impl Wire {
    /// Nothing attached yet.
    pub(super) fn new(
        askers: Askers,
        service: Service,
        gateway_id: GatewayId,
        without_desk: BTreeSet<OperatorId>,
    ) -> Wire {
        let record = Record::of(&askers.admin);
        Wire {
            clock: askers.admin.clone(),
            askers,
            service,
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

    /// Steps the clock to the first deadline, at most to `to`. None if the service died before everything that follows
    /// was heard.
    ///
    /// # Errors
    /// When the service fails.
    pub(super) async fn step(&mut self, to: SiteTime) -> Result<Option<()>, DemoFault> {
        let stepping = step(&self.clock, to);
        let Some(receipt) = self.service.answers(Asked::Step, self.seen.callers(), stepping).await? else {
            return Ok(None);
        };
        self.take_step(receipt).await
    }

    /// Names a wish, so that it is the same request however often it is sent.
    pub(super) fn named(&mut self, input: Input) -> Input {
        match input.command {
            Command::AttachGateway { .. } | Command::AttachDesk { .. } | Command::DropDesk { .. } => input,
            _ => self.askers.named(input),
        }
    }

    /// Does what the hospital wants done, and hears everything that follows from it. Says whether it was accepted; none
    /// if the service died before everything was heard, and then it is to be said again.
    ///
    /// # Errors
    /// When the service fails.
    pub(super) async fn say(&mut self, input: &Input) -> Result<Option<bool>, DemoFault> {
        match (&input.command, input.actor) {
            (Command::AttachGateway { incarnation, .. }, _) => self.attach_gateway(*incarnation).await,
            (Command::AttachDesk { operator, desk }, _) => self.attach_desk(*operator, *desk).await,
            (Command::DropDesk { operator, .. }, _) => self.drop_desk(*operator).await,
            (command, actor) => self.ask(input, command, actor).await,
        }
    }

    async fn ask(
        &mut self,
        input: &Input,
        command: &Command,
        actor: Actor,
    ) -> Result<Option<bool>, DemoFault> {
        if let Command::Arrive(arrival) = command {
            self.seen.rings(arrival.call);
        }
        let what = if matches!(actor, Actor::Gateway(_)) { Asked::Fact } else { Asked::Command };
        let callers = self.seen.callers();
        let Some(answer) = self.service.answers(what, callers, self.askers.ask(input)).await? else {
            return Ok(None);
        };
        let Answer::Done(receipt) = answer else {
            if let Command::Arrive(arrival) = command {
                self.seen.turned_away(arrival.call);
            }
            return Ok(Some(false));
        };
        match command {
            Command::Arrive(arrival) => self.seen.arrives(arrival.call, arrival.line),
            Command::CallerHungUp { call } => self.seen.leaves(*call),
            _ => {}
        }
        Ok(self.follow(&receipt).await?.map(|_| true))
    }

    /// A step that nobody means to interrupt. None if the service died all the same.
    async fn step_once(&mut self, to: SiteTime) -> Result<Option<v1::Receipt>, DemoFault> {
        let stepping = step(&self.clock, to);
        let Some(receipt) = self.service.outlives(stepping).await.transpose()? else { return Ok(None) };
        self.now = SiteTime(receipt.at_us);
        Ok(Some(receipt))
    }

    async fn take_step(&mut self, receipt: v1::Receipt) -> Result<Option<()>, DemoFault> {
        self.now = SiteTime(receipt.at_us);
        if self.follow(&receipt).await?.is_none() {
            return Ok(None);
        }
        let announced = receipt.stepped.and_then(|stepped| stepped.next_deadline_us).map(SiteTime);
        self.unrecorded_deadline = announced.filter(|at| self.record.next_deadline() != Some(*at));
        Ok(Some(()))
    }

    async fn attach_gateway(&mut self, incarnation: u64) -> Result<Option<bool>, DemoFault> {
        let inventory: Inventory = Box::new(self.seen.inventory());
        let mut feed = self.askers.gateway.attach(GatewayFeed { incarnation, reaches: None, inventory });
        let first = self.service.outlives(soon("the gateway's stream", 1, &mut feed)).await.transpose()?;
        let Some(first) = first else { return Ok(None) };
        self.gateway = Some(feed);
        self.hear_gateway(first.into_message())?;
        self.catch_up().await
    }

    /// The new stream is opened before the old one is dropped, so that a desk that only reloads is never without one.
    async fn attach_desk(&mut self, operator: OperatorId, desk: DeskId) -> Result<Option<bool>, DemoFault> {
        let Some(client) = self.askers.operators.get(&operator) else {
            return Err(DemoFault::Call {
                doing: "opening a desk",
                message: format!("{operator} was not added"),
            });
        };
        let mut feed = client.attach(DeskFeed { desk_id: desk.0.to_string() });
        let first = self.service.outlives(soon(operator.as_str(), 1, &mut feed)).await.transpose()?;
        let Some(first) = first else { return Ok(None) };
        self.desks.insert(operator, DeskStream { feed, number: 0 });
        self.hear_desk(operator, first.into_message())?;
        self.catch_up().await
    }

    /// Ends a desk's stream, and waits until the service has taken note. One that died has: no desk outlives it.
    async fn drop_desk(&mut self, operator: OperatorId) -> Result<Option<bool>, DemoFault> {
        if self.desks.remove(&operator).is_none() {
            return Ok(Some(true));
        }
        let noted = async {
            loop {
                let Some(receipt) = self.step_once(self.now).await? else { return Ok(None) };
                let Some(closed) = self.follow(&receipt).await? else { return Ok(None) };
                if closed.contains(&operator) {
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
    async fn catch_up(&mut self) -> Result<Option<bool>, DemoFault> {
        let Some(receipt) = self.step_once(self.now).await? else { return Ok(None) };
        Ok(self.follow(&receipt).await?.map(|_| true))
    }

    /// Reads everything a receipt announces. Says whose desks are closed; none if the service died before.
    async fn follow(&mut self, receipt: &v1::Receipt) -> Result<Option<BTreeSet<OperatorId>>, DemoFault> {
        let cursor = receipt.cursor.unwrap_or_default();
        let mut closed = BTreeSet::new();
        for progress in receipt.stepped.iter().flat_map(|stepped| &stepped.progress) {
            match &progress.holder {
                Some(Holder::OperatorId(id)) => {
                    let operator = hearing::name("an operator", id)?;
                    if progress.closed {
                        closed.insert(operator);
                    } else if self.read_desk(operator, progress.number).await?.is_none() {
                        return Ok(None);
                    }
                }
                Some(Holder::GatewayId(_)) => {
                    if self.read_gateway(progress.number).await?.is_none() {
                        return Ok(None);
                    }
                }
                None => return Err(DemoFault::unreadable("whose stream", "")),
            }
        }
        Ok(self.read_record(cursor.seq).await?.map(|()| closed))
    }

    /// Reads the record up to a decision, and shows who has no desk what it says of them.
    async fn read_record(&mut self, seq: u64) -> Result<Option<()>, DemoFault> {
        let silent = || DemoFault::Silent {
            stream: "the record".to_owned(),
            number: seq,
            seconds: PATIENCE.as_secs(),
        };
        let reading = timeout(PATIENCE, self.record.reach(seq));
        let Some(read) = self.service.outlives(reading).await else { return Ok(None) };
        read.unwrap_or_else(|_| Err(silent()))?;
        for view in self.record.take_concerned() {
            if self.without_desk.contains(&view.operator) {
                self.news.desks.insert(view.operator, view);
            }
        }
        Ok(Some(()))
    }

    async fn read_gateway(&mut self, number: u64) -> Result<Option<()>, DemoFault> {
        while self.gateway_number < number {
            let Some(feed) = &mut self.gateway else { break };
            let update =
                self.service.outlives(soon("the gateway's stream", number, feed)).await.transpose()?;
            let Some(update) = update else { return Ok(None) };
            self.hear_gateway(update.into_message())?;
        }
        Ok(Some(()))
    }

    async fn read_desk(&mut self, operator: OperatorId, number: u64) -> Result<Option<()>, DemoFault> {
        while let Some(desk) = self.desks.get_mut(&operator).filter(|desk| desk.number < number) {
            let update = self.service.outlives(soon(operator.as_str(), number, &mut desk.feed)).await;
            let Some(update) = update.transpose()? else { return Ok(None) };
            self.hear_desk(operator, update.into_message())?;
        }
        Ok(Some(()))
    }

    /// Says which history the message includes.
    fn hear_gateway(&mut self, message: v1::GatewayServiceAttachResponse) -> Result<u64, DemoFault> {
        self.gateway_number = message.number;
        for unknown in &message.unknown_call_ids {
            self.seen.unknown(hearing::call_id(unknown)?);
        }
        for sent in &message.treatments {
            let treatment = hearing::treatment(self.gateway_id, sent)?;
            if treatment.shape == Shape::Release {
                self.seen.leaves(treatment.call);
            }
            self.news.treatments.insert(treatment.call, treatment);
        }
        Ok(message.cursor.unwrap_or_default().seq)
    }

    fn hear_desk(
        &mut self,
        operator: OperatorId,
        message: v1::OperatorServiceAttachResponse,
    ) -> Result<u64, DemoFault> {
        if let Some(stream) = self.desks.get_mut(&operator) {
            stream.number = message.number;
        }
        if let Some(sent) = &message.desk {
            self.news.desks.insert(operator, hearing::desk(sent)?);
        }
        Ok(message.cursor.unwrap_or_default().seq)
    }

    /// The supervisor's board at this moment; none if the service died before it came.
    ///
    /// # Errors
    /// When the service fails.
    pub(super) async fn board(&mut self) -> Result<Option<v1::Board>, DemoFault> {
        let mut feed = self.askers.supervisor.attach(api::BoardFeed { interval_ms: 0 });
        let update = self.service.outlives(soon("the board", 1, &mut feed)).await.transpose()?;
        let Some(update) = update else { return Ok(None) };
        update.into_message().board.map(Some).ok_or_else(|| DemoFault::unreadable("a board", ""))
    }
}

async fn step(clock: &Client, to: SiteTime) -> Result<v1::Receipt, DemoFault> {
    let request = v1::StepRequest { to_us: to.0, stop_at_deadline: true };
    let stepped = clock.send(request).await.map_err(|s| DemoFault::call("stepping the clock")(&s))?;
    Ok(stepped.receipt.unwrap_or_default())
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
