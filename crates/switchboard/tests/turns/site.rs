//! A small site to try turns on: one gateway, a line with its own people, a team of volunteers.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::Switchboard;
use switchboard::call::{CallerKind, Class};
use switchboard::command::{Actor, Adoption, Arrival, Command, Input, LegFact, Profile};
use switchboard::decision::{Decision, Reply};
use switchboard::event::Event;
use switchboard::id::{
    CallId, CallerRef, DeskId, DeskSession, GatewayId, LineId, OfferId, OperatorId, Revision,
};
use switchboard::operator::{Device, Work};
use switchboard::plan::{
    Destination, Hours, Line, LinePrompts, Plan, PlanDraft, Team, Tier, Timers, Title, Trigger, WhenClosed,
    Who,
};
use switchboard::rejection::Rejection;
use switchboard::time::{SiteTime, Span};
use uuid::Uuid;

pub(crate) fn title(text: &str) -> Title {
    Title { zh: text.to_owned(), en: text.to_owned() }
}

/// A line of this class with these tiers after its own people.
pub(crate) fn line(class: Class, further: Vec<Tier>) -> Line {
    let own = Tier { who: Who::Own, when: vec![] };
    Line {
        title: title("line"),
        class,
        numbers: vec![],
        hours: Hours::Always,
        when_closed: WhenClosed::Message,
        boost: Span::ZERO,
        ring: Span::secs(15),
        ring_at_once: 1,
        wrap_up: Span::secs(20),
        max_waiting: None,
        guard: 1,
        resume_redial: true,
        requires: BTreeSet::new(),
        prefers: vec![],
        skill_keys: BTreeMap::new(),
        staff_to: None,
        tiers: std::iter::once(own).chain(further).collect(),
        prompts: LinePrompts::default(),
    }
}

pub(crate) fn tier(who: Who, when: &[Trigger]) -> Tier {
    Tier { who, when: when.to_vec() }
}

/// A plan of these lines, with one team (`volunteers`) and one outside number (`duty-phone`).
pub(crate) fn plan(lines: Vec<(&str, Line)>) -> Plan {
    let destination = Destination { title: title("duty"), number: "02155501000".to_owned(), press_one: true };
    Plan::check(PlanDraft {
        time_zone: "Asia/Shanghai".to_owned(),
        lines: lines.into_iter().map(|(id, line)| (id.parse().unwrap(), line)).collect(),
        teams: [("volunteers".parse().unwrap(), Team { title: title("volunteers") })].into(),
        skills: [("cantonese".parse().unwrap(), title("Cantonese"))].into(),
        destinations: [("duty-phone".parse().unwrap(), destination)].into(),
        prompts: BTreeMap::new(),
        timers: Timers::default(),
    })
    .unwrap()
}

pub(crate) struct Site {
    pub(crate) board: Switchboard,
    pub(crate) now: SiteTime,
    pub(crate) heard: Vec<Event>,
}

pub(crate) fn call(n: u128) -> CallId {
    CallId(Uuid::from_u128(n))
}

pub(crate) fn op(id: &str) -> OperatorId {
    id.parse().unwrap()
}

fn gateway() -> GatewayId {
    "gw".parse().unwrap()
}

impl Site {
    pub(crate) fn new(plan: Plan) -> Site {
        let mut site = Site { board: Switchboard::new(), now: SiteTime(1_000_000_000), heard: vec![] };
        let adoption = Adoption { plan, expect: Revision(0), migrate: false, move_waiting: BTreeMap::new() };
        site.admin(Command::AdoptPlan(Box::new(adoption)));
        site.gateway(Command::AttachGateway { incarnation: 1, reaches: None, calls: BTreeSet::new() });
        site
    }

    pub(crate) fn ask(&mut self, actor: Actor, command: Command) -> Result<Reply, Rejection> {
        let decided = self.board.handle(self.now, Input { actor, request: None, command });
        decided.map(|d| self.note(d))
    }

    fn note(&mut self, decision: Decision) -> Reply {
        assert!(
            self.board.is_indexed_well(),
            "indexes are a function of the state, after {:?}",
            decision.events
        );
        self.heard.extend(decision.events);
        decision.reply
    }

    pub(crate) fn admin(&mut self, command: Command) {
        self.ask(Actor::Admin("admin".parse().unwrap()), command).unwrap();
    }

    pub(crate) fn gateway(&mut self, command: Command) {
        self.ask(Actor::Gateway(gateway()), command).unwrap();
    }

    pub(crate) fn operator(&mut self, id: &str, command: Command) -> Result<Reply, Rejection> {
        self.ask(Actor::Operator(op(id)), command)
    }

    /// Somebody with a desk comes on duty: as one of a line's own, or as a volunteer when there is no line.
    pub(crate) fn on_duty(&mut self, id: &str, home: &[&str], teams: &[&str], device: Device) {
        let home = home.iter().map(|l| l.parse::<LineId>().unwrap()).collect();
        let teams = teams.iter().map(|t| t.parse().unwrap()).collect();
        let profile = Profile { teams, home, skills: BTreeSet::new(), device };
        self.admin(Command::AddOperator { operator: op(id), profile });
        if device.has_desk() {
            let desk = DeskId(Uuid::from_u128(7));
            self.operator(id, Command::AttachDesk { operator: op(id), desk }).unwrap();
        }
        self.operator(id, Command::GoOnDuty { operator: op(id) }).unwrap();
        self.later(1);
    }

    pub(crate) fn arrives(&mut self, n: u128, line: &str) {
        self.gateway(Command::Arrive(Arrival {
            call: call(n),
            line: line.parse().unwrap(),
            caller: CallerRef(Uuid::from_u128(n)),
            kind: CallerKind::Public,
            skills: BTreeSet::new(),
            waited: Span::ZERO,
            diverted: None,
        }));
    }

    /// Time passes, in whole seconds; what falls due meanwhile fires at its time.
    pub(crate) fn later(&mut self, seconds: u64) {
        let end = self.now + Span::secs(seconds);
        while let Some(due) = self.board.next_deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.ask(Actor::Clock, Command::Tick).unwrap();
        }
        self.now = end;
    }

    /// The offer somebody has at this moment.
    pub(crate) fn offer(&self, id: &str) -> Option<OfferId> {
        match self.board.operator(op(id))?.work {
            Work::Offered { call, attempt } | Work::Connecting { call, attempt } => {
                Some(OfferId { call, attempt })
            }
            _ => None,
        }
    }

    pub(crate) fn session(&self, id: &str) -> DeskSession {
        self.board.operator(op(id)).unwrap().session
    }

    pub(crate) fn accepts(&mut self, id: &str) -> Result<Reply, Rejection> {
        let (offer, session) = (self.offer(id).unwrap(), self.session(id));
        self.operator(id, Command::Accept { offer, session })
    }

    pub(crate) fn delivered(&mut self, id: &str) {
        let (offer, session) = (self.offer(id).unwrap(), self.session(id));
        self.operator(id, Command::ConfirmDelivery { offer, session }).unwrap();
    }

    pub(crate) fn bridged(&mut self, offer: OfferId) {
        self.leg(offer, LegFact::Bridged);
    }

    pub(crate) fn leg(&mut self, offer: OfferId, fact: LegFact) {
        self.gateway(Command::Leg { call: offer.call, attempt: offer.attempt, fact });
    }

    /// Accept and bridge.
    pub(crate) fn connects(&mut self, id: &str) {
        let offer = self.offer(id).unwrap();
        self.accepts(id).unwrap();
        self.bridged(offer);
    }

    pub(crate) fn hangs_up(&mut self, n: u128) {
        self.gateway(Command::CallerHungUp { call: call(n) });
    }

    pub(crate) fn state(&self, n: u128) -> Option<switchboard::call::CallState> {
        self.board.call(call(n)).map(switchboard::call::Call::state)
    }
}
