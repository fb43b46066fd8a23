//! Starting an exchange: replay the journal, set the clock, resume the links, run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use presence::{Holder, Presence, Tracker};
use session::{BodyFault, Derived, Journal, JournalFault, Roll, Writer};
use switchboard::id::{Seq, SiteId};
use switchboard::operator::Link;
use switchboard::state::State;
use tokio::sync::{Notify, watch};

use crate::batch::Batch;
use crate::clock::{Clock, SiteClock};
use crate::committing::TailFault;
use crate::drafting::Faults;
use crate::evidence::EvidenceRoom;
use crate::format::Formats;
use crate::free;
use crate::handle::{Counters, ExchangeHandle, Shared};
use crate::hints;
use crate::inbox::Inbox;
use crate::keeping::Keeper;
use crate::planted::Planted;
use crate::published::Published;
use crate::pulse::Beat;
use crate::readiness::ReadinessSign;
use crate::replaying::replay;
use crate::roll::RollCall;
use crate::run::{Doubts, Runner};
use crate::schedule::Schedule;
use crate::turns::Turns;
use crate::way::Way;

/// What an exchange is started with.
pub struct ExchangeConfig {
    site: SiteId,
    writer: Writer,
    presence: Option<Arc<dyn Presence>>,
    derived: Option<Arc<dyn Derived>>,
    roll: Option<Arc<dyn Roll>>,
    evidence: Option<PathBuf>,
    name: String,
    begins_in: Option<u32>,
    pub(crate) planted: Planted,
}

impl ExchangeConfig {
    /// Whose switchboard, and the name it appends under: another one at each start. Its links are tracked in this
    /// process alone.
    pub fn alone(site: SiteId, writer: Writer) -> ExchangeConfig {
        ExchangeConfig {
            site,
            writer,
            presence: None,
            derived: None,
            roll: None,
            evidence: None,
            name: String::new(),
            begins_in: None,
            planted: Planted::default(),
        }
    }

    /// Another tracker of the links than this process alone.
    #[must_use]
    pub fn with_presence(mut self, presence: Arc<dyn Presence>) -> ExchangeConfig {
        self.presence = Some(presence);
        self
    }

    /// Other routers serve this site from the same journal, and hear of each other by this roll. A tracker that is
    /// given besides has to be one of several.
    #[must_use]
    pub fn among_routers(mut self, roll: Arc<dyn Roll>) -> ExchangeConfig {
        self.roll = Some(roll);
        self
    }

    /// What people call this router: on the roll it stands beside what it signs its rows with.
    #[must_use]
    pub fn named(mut self, name: &str) -> ExchangeConfig {
        self.name = name.replace(char::is_whitespace, "-");
        self
    }

    /// Another format than the newest one, if this site's journal begins here.
    #[must_use]
    pub fn beginning_in(mut self, format: u32) -> ExchangeConfig {
        self.begins_in = Some(format);
        self
    }

    /// A directory for what led to a fault of the program, made when there is one; without, only the log tells.
    #[must_use]
    pub fn with_evidence(mut self, dir: PathBuf) -> ExchangeConfig {
        self.evidence = Some(dir);
        self
    }

    /// Where snapshots and call records are kept; without, a start replays the whole journal.
    #[must_use]
    pub fn with_derived(mut self, derived: Arc<dyn Derived>) -> ExchangeConfig {
        self.derived = Some(derived);
        self
    }
}

/// Why an exchange did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// A row of the journal cannot be read.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// Reading the journal met a fault of the program.
    #[error("reading the journal met a fault of the program; the log says which")]
    Unread,
}

impl From<TailFault> for StartFault {
    fn from(fault: TailFault) -> StartFault {
        match fault {
            TailFault::Journal(fault) => fault.into(),
            TailFault::Body(fault) => fault.into(),
        }
    }
}

/// The runtime of one site's switchboard.
pub struct Exchange;

impl Exchange {
    /// Replays the site's journal and serves from its end, on a task of its own.
    ///
    /// # Errors
    /// [`StartFault`]: the journal cannot be read, or was written by a release this one does not know.
    pub async fn spawn(
        config: ExchangeConfig,
        journal: Arc<dyn Journal>,
        clock: Clock,
    ) -> Result<ExchangeHandle, StartFault> {
        let ExchangeConfig { site, writer, presence, derived, roll, evidence, name, begins_in, planted } =
            config;
        let (durable, last_snapshot) = replay(&journal, derived.as_ref(), site).await?;
        let head = journal.head(site).await?;
        if head.last_seq > Seq(0) {
            // A snapshot may stand right at the end: then no row was read.
            session::check_format(head.last_seq.0, head.format)?;
        }
        let newest = session::newest_format();
        let started = match clock {
            Clock::System => head.site_now(),
            Clock::Stepped { .. } => head.at,
        };
        let now = started.max(durable.state().now);
        let tracker = if roll.is_some() { Tracker::among_routers } else { Tracker::new };
        let presence = presence.unwrap_or_else(|| Arc::new(tracker(clock.renewal())));
        presence.resume(now, &linked(durable.state()));
        let shared = Arc::new(Shared {
            site,
            clock: SiteClock::start(clock, now),
            presence,
            inbox: Inbox::default(),
            links_changed: Notify::new(),
            published: Published::new(head.epoch, durable.clone()),
            counters: Counters::default(),
            heard_of: AtomicU64::new(head.last_seq.0),
            restart: watch::Sender::new(false),
            readiness: ReadinessSign::default(),
            beat: Beat::default(),
            name: if name.is_empty() { writer.as_str().to_owned() } else { name },
            format: Formats::new(head.format, begins_in.map_or(newest, |format| format.min(newest))),
            others: roll.is_some().then(watch::Sender::default),
            roll_asked: AtomicU64::new(0),
            roster: Default::default(),
        });
        let keeper = derived.map(|derived| Keeper {
            journal: Arc::clone(&journal),
            derived,
            site,
            last_snapshot,
            switchboard: durable.clone(),
            head: shared.published.watch(),
        });
        let signature = writer.clone();
        let runner = Runner {
            shared: Arc::clone(&shared),
            journal,
            writer,
            schedule: Schedule::at_start(now, durable.state().revision.0 > 0),
            draft: durable,
            in_flight: None,
            building: Batch::default(),
            again: Default::default(),
            doubts: Doubts { has_company: roll.is_some(), ..Doubts::default() },
            turns: Turns::default(),
            way: Way::default(),
            faults: Faults::default(),
            degraded: false,
            evidence: EvidenceRoom::new(evidence),
            planted,
        };
        tokio::spawn(Beat::of(Arc::clone(&shared), runner.run()));
        if let Some(roll) = roll {
            tokio::spawn(RollCall::new(Arc::clone(&shared), roll, signature).run());
        }
        tokio::spawn(free::show(Arc::clone(&shared)));
        if let Some(heard) = shared.presence.hints() {
            tokio::spawn(hints::hear(Arc::clone(&shared), heard));
        }
        let keeping = keeper.map(|keeper| tokio::spawn(keeper.run()));
        Ok(ExchangeHandle::new(shared, keeping))
    }
}

/// Whom the journal leaves linked.
fn linked(state: &State) -> Vec<Holder> {
    let desks = state.operators.iter().filter(|(_, operator)| operator.link == Link::Online);
    let desks = desks.filter_map(|(id, operator)| {
        let session = operator.session;
        operator.desk.map(|desk| Holder::Desk { operator: *id, desk, session })
    });
    let gateways = state
        .gateways
        .iter()
        .filter(|(_, gateway)| gateway.attached)
        .map(|(id, gateway)| Holder::Gateway { gateway: *id, incarnation: gateway.incarnation });
    desks.chain(gateways).collect()
}
