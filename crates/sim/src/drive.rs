//! Drives a hospital and a pure switchboard together, in one process: time to both in order, inputs to the one,
//! treatments, screens and answers to the other.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::Switchboard;
use switchboard::command::{Actor, Adoption, Command, Input};
use switchboard::decision::{Decision, Reply};
use switchboard::event::Event;
use switchboard::id::{Attempt, CallId, OperatorId};
use switchboard::plan::Plan;
use switchboard::rejection::Rejection;
use switchboard::time::SiteTime;

use crate::world::{Heard, World};

/// One input as it was handed in, whatever became of it.
pub type Scripted = (SiteTime, Input);

/// A hospital on a switchboard of its own.
#[derive(Debug, Clone)]
pub struct Drive {
    /// What decides.
    pub switchboard: Switchboard,
    /// What happens.
    pub world: World,
    script: Vec<Scripted>,
    audience: Audience,
    nth: u64,
}

impl Drive {
    /// A hospital that opens under this plan.
    pub fn new(world: World, plan: &Plan, at: SiteTime) -> Drive {
        let mut drive = Drive {
            switchboard: Switchboard::new(),
            world,
            script: Vec::new(),
            audience: Audience::default(),
            nth: 0,
        };
        drive.hand_in(at, adopt(plan), &mut |_, _| {}).ok();
        drive
    }

    /// Runs until nothing is left to happen by `until`, that moment included. `see` is shown every decision, and the
    /// switchboard after it.
    pub fn run(&mut self, until: SiteTime, mut see: impl FnMut(&Decision, &Switchboard)) {
        while let Some(at) = self.next_at().filter(|at| *at <= until) {
            self.tick(at, &mut see);
            for input in self.world.due(at) {
                let nth = self.nth;
                self.nth += 1;
                let answer = self.hand_in(at, input, &mut see);
                self.world.heard(at, Heard::Answer { nth, answer: &answer });
            }
        }
    }

    /// Everything handed in so far, in order.
    pub fn script(&self) -> &[Scripted] {
        &self.script
    }

    /// The same, at the end.
    pub fn into_script(self) -> Vec<Scripted> {
        self.script
    }

    /// When something happens next, in the hospital or by the clock.
    fn next_at(&self) -> Option<SiteTime> {
        [self.world.next_at(), self.switchboard.next_deadline()].into_iter().flatten().min()
    }

    fn tick(&mut self, at: SiteTime, see: &mut impl FnMut(&Decision, &Switchboard)) {
        while self.switchboard.next_deadline().is_some_and(|due| due <= at) {
            self.decide(at, tick(), see).expect("a tick with something due is never refused");
        }
    }

    fn hand_in(
        &mut self,
        at: SiteTime,
        input: Input,
        see: &mut impl FnMut(&Decision, &Switchboard),
    ) -> Result<Reply, Rejection> {
        self.tick(at, see);
        self.decide(at, input, see)
    }

    fn decide(
        &mut self,
        at: SiteTime,
        input: Input,
        see: &mut impl FnMut(&Decision, &Switchboard),
    ) -> Result<Reply, Rejection> {
        self.script.push((at, input.clone()));
        let decision = self.switchboard.handle(at, input)?;
        see(&decision, &self.switchboard);
        self.audience.tell(&decision, &self.switchboard, &mut self.world);
        Ok(decision.reply)
    }
}

/// The adoption of a first plan.
///
/// # Panics
/// Never: the administrator's id is a name.
pub fn adopt(plan: &Plan) -> Input {
    let adoption = Adoption {
        plan: plan.clone(),
        expect: switchboard::id::Revision(0),
        migrate: false,
        move_waiting: BTreeMap::new(),
    };
    Input {
        actor: Actor::Admin("admin-1".parse().expect("a fixed name is a name")),
        request: None,
        command: Command::AdoptPlan(Box::new(adoption)),
    }
}

/// What makes everything due happen.
pub fn tick() -> Input {
    Input { actor: Actor::Clock, request: None, command: Command::Tick }
}

/// Who is to be told of a decision: remembers whose attempts are whose.
#[derive(Debug, Clone, Default)]
pub struct Audience {
    attempts: BTreeMap<CallId, Vec<(Attempt, OperatorId)>>,
}

impl Audience {
    /// Tells gateways and desks what changed for them.
    pub fn tell(&mut self, decision: &Decision, switchboard: &Switchboard, world: &mut World) {
        let (calls, operators) = self.concerned(decision);
        for call in calls {
            if let Some(treatment) = switchboard.treatment(call).filter(|t| t.revision == decision.seq) {
                world.heard(decision.at, Heard::Treatment(&treatment));
            }
        }
        for operator in operators {
            if let Some(view) = switchboard.desk(operator) {
                world.heard(decision.at, Heard::Desk(&view));
            }
        }
    }

    /// The calls and operators a decision is about.
    pub fn concerned(&mut self, decision: &Decision) -> (BTreeSet<CallId>, BTreeSet<OperatorId>) {
        let (mut calls, mut operators) = (BTreeSet::new(), BTreeSet::new());
        for event in &decision.events {
            if let Event::OfferMade { call, attempt, operator, .. } = event {
                self.attempts.entry(*call).or_default().push((*attempt, *operator));
            }
            operators.extend(event.operator());
            if let Some(call) = event.call() {
                calls.insert(call);
                operators
                    .extend(self.attempts.get(&call).into_iter().flatten().map(|(_, operator)| *operator));
            }
        }
        for event in &decision.events {
            if let Event::CallClosed { call, .. } = event {
                self.attempts.remove(call);
            }
        }
        (calls, operators)
    }
}
