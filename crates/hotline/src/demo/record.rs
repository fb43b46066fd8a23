//! The record of the day as an integrator sees it: every decision, tailed from the service. From it the demo makes its
//! own switchboard by replay, and its own ledger: neither asks the service what it thinks of the day.

use std::collections::{BTreeMap, BTreeSet};

use api::{Attached, EventFeed, v1};
use sim::drive::Audience;
use sim::shape;
use switchboard::Switchboard;
use switchboard::command::Input;
use switchboard::decision::Decision;
use switchboard::desk::DeskView;
use switchboard::event::Event;
use switchboard::id::{CallId, LineId, OperatorId};
use switchboard::ledger::{Account, Ledger, THRESHOLD};
use switchboard::plan::Title;
use switchboard::time::SiteTime;

use super::fault::DemoFault;
use super::figures::{Figures, LedgerFigures};
use crate::board::figures::LineFigures;

/// A stream of decisions, what they lead to, and what they add up to.
pub(super) struct Record {
    feed: Attached<EventFeed>,
    seq: u64,
    switchboard: Switchboard,
    ledger: Ledger,
    audience: Audience,
    /// Operators that decisions were about since somebody last asked.
    concerned: BTreeSet<OperatorId>,
    resumed: u64,
    passages: BTreeMap<CallId, Passage>,
    /// What the service may have counted since it last started: it begins its account somewhere in the decisions of
    /// that start. Empty as long as it has counted from the first.
    since_start: Vec<Ledger>,
    /// The service is not back yet: what was asked in these decisions may have been stored before it died.
    starting: Option<Vec<Input>>,
}

/// How often a call came and ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passage {
    pub(super) arrivals: u32,
    pub(super) ends: u32,
}

impl Record {
    /// The record from its first decision.
    pub(super) fn of(client: &api::Client) -> Record {
        let switchboard = Switchboard::new();
        Record {
            feed: client.attach(EventFeed::default()),
            seq: 0,
            ledger: Ledger::open(switchboard.state(), THRESHOLD),
            switchboard,
            audience: Audience::default(),
            concerned: BTreeSet::new(),
            resumed: 0,
            passages: BTreeMap::new(),
            since_start: Vec::new(),
            starting: None,
        }
    }

    /// Reads until this decision is in.
    ///
    /// # Errors
    /// When the stream fails or has gaps.
    pub(super) async fn reach(&mut self, seq: u64) -> Result<(), DemoFault> {
        while self.seq < seq {
            let update = self.feed.next().await.map_err(|s| DemoFault::call("tailing the record")(&s))?;
            for recorded in &update.message().decisions {
                self.take_in(recorded)?;
            }
        }
        Ok(())
    }

    fn take_in(&mut self, recorded: &v1::RecordedDecision) -> Result<(), DemoFault> {
        let decision: Decision = switchboard::canonical::decode(&recorded.canonical)
            .map_err(|fault| DemoFault::unreadable("a decision", fault.to_string()))?;
        if decision.seq.0 != self.seq + 1 || recorded.seq != decision.seq.0 {
            let what = format!("decision {} after {}", decision.seq.0, self.seq);
            return Err(DemoFault::unreadable("a record with a gap", what));
        }
        self.seq += 1;
        self.switchboard.evolve(&decision);
        self.ledger.record(&decision);
        self.follow_service(&decision);
        let (_, operators) = self.audience.concerned(&decision);
        self.concerned.extend(operators);
        let resumed = |event: &&Event| matches!(event, Event::CallArrived { resumed: true, .. });
        self.resumed += decision.events.iter().filter(resumed).count() as u64;
        for event in &decision.events {
            match event {
                Event::CallArrived { call, .. } => self.passages.entry(*call).or_default().arrivals += 1,
                Event::CallClosed { call, .. } => self.passages.entry(*call).or_default().ends += 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn follow_service(&mut self, decision: &Decision) {
        self.since_start.iter_mut().for_each(|ledger| ledger.record(decision));
        if let Some(starting) = &mut self.starting {
            starting.push(decision.input.clone());
            self.since_start.push(Ledger::open(self.switchboard.state(), THRESHOLD));
        }
    }

    /// The service died: what comes next was stored before, or is of its next start.
    pub(super) fn service_died(&mut self) {
        self.since_start = vec![Ledger::open(self.switchboard.state(), THRESHOLD)];
        self.starting.get_or_insert_default();
    }

    /// The service is back, and everything up to its return is read. Says what was asked in it.
    pub(super) fn service_is_back(&mut self) -> Vec<Input> {
        self.since_start.dedup_by(|one, other| one.lines() == other.lines());
        self.starting.take().unwrap_or_default()
    }

    /// What the service's board may count: all of these are true.
    pub(super) fn accounts_of_service(&self) -> Vec<&BTreeMap<LineId, Account>> {
        if self.since_start.is_empty() {
            return vec![self.ledger.lines()];
        }
        self.since_start.iter().map(Ledger::lines).collect()
    }

    /// Each call, and how often it came and ended.
    pub(super) fn passages(&self) -> &BTreeMap<CallId, Passage> {
        &self.passages
    }

    /// Site time of the last decision.
    pub(super) fn at(&self) -> SiteTime {
        self.switchboard.state().now
    }

    /// What the board shows of the operators that decisions were about since this was last asked.
    pub(super) fn take_concerned(&mut self) -> Vec<DeskView> {
        let concerned = std::mem::take(&mut self.concerned);
        concerned.into_iter().filter_map(|operator| self.switchboard.desk(operator)).collect()
    }

    /// When the switchboard has something due next.
    pub(super) fn next_deadline(&self) -> Option<SiteTime> {
        self.switchboard.next_deadline()
    }

    /// Redials that took up the place of an abandon.
    pub(super) fn redials_resumed(&self) -> u64 {
        self.resumed
    }

    /// Whether law L13 holds on every line.
    pub(super) fn is_balanced(&self) -> bool {
        self.ledger.is_balanced(self.switchboard.state())
    }

    /// The calls inside, each with its line.
    pub(super) fn inside(&self) -> BTreeMap<CallId, LineId> {
        self.switchboard.state().calls.iter().map(|(id, call)| (*id, call.line)).collect()
    }

    /// The hash of the switchboard that the record leads to.
    pub(super) fn state_hash(&self) -> String {
        self.switchboard.state_hash().to_string()
    }

    /// Everything the board shows.
    pub(super) fn figures(&self, end: SiteTime) -> Figures {
        let view = self.switchboard.view();
        let plan = self.switchboard.state().plan();
        let line_title = |id: &LineId| plan.and_then(|p| p.lines.get(id)).map(|line| line.title.clone());
        let lines = view.lines.iter().map(|(id, line)| LineFigures {
            id: *id,
            title: line_title(id).unwrap_or_else(|| untranslated(id)),
            view: line.clone(),
            account: self.ledger.lines().get(id).cloned().unwrap_or_default(),
        });
        let teams = plan
            .into_iter()
            .flat_map(|p| &p.teams)
            .map(|(id, team)| (team.title.clone(), view.teams.get(id).copied().unwrap_or_default()));
        let mut lines: Vec<LineFigures> = lines.collect();
        lines.sort_by_key(|line| {
            shape::LINES.iter().position(|(id, _)| *id == line.id.as_str()).unwrap_or(usize::MAX)
        });
        Figures {
            at: view.at,
            end,
            lines,
            total: self.ledger.total(),
            teams: teams.collect(),
            operators: view.operators,
            threshold: self.ledger.threshold(),
            ledger: LedgerFigures {
                balanced: self.is_balanced(),
                decisions: self.ledger.decisions(),
                hash: self.ledger.hash().to_string(),
            },
        }
    }
}

fn untranslated(id: &LineId) -> Title {
    Title { zh: id.to_string(), en: id.to_string() }
}
