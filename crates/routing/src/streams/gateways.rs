//! Gateways that are attached: one stream each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::v1;
use exchange::Cursor;
use switchboard::Switchboard;
use switchboard::id::{CallId, GatewayId, Seq};
use switchboard::treatment::Treatment;
use tonic::Status;

use super::mailbox::{Mailbox, News};
use super::progress::{Progress, Whose};
use super::{StreamNumber, taken_over, wire_cursor};
use crate::convert;

/// What a gateway is told.
pub(crate) struct GatewayNews {
    number: u64,
    cursor: Cursor,
    kind: v1::UpdateKind,
    treatments: BTreeMap<CallId, Treatment>,
    unknown: Vec<CallId>,
    plan: Option<v1::GatewayPlan>,
}

impl GatewayNews {
    pub(crate) fn message(&self) -> v1::GatewayServiceAttachResponse {
        v1::GatewayServiceAttachResponse {
            number: self.number,
            cursor: Some(wire_cursor(self.cursor)),
            kind: self.kind.into(),
            treatments: self.treatments.values().map(convert::treatment).collect(),
            unknown_call_ids: self.unknown.iter().map(ToString::to_string).collect(),
            plan: self.plan.clone(),
        }
    }
}

impl News for GatewayNews {
    fn absorb(&mut self, later: GatewayNews) {
        self.number = later.number;
        self.cursor = later.cursor;
        self.treatments.extend(later.treatments);
        self.unknown.extend(later.unknown);
        self.plan = later.plan.or(self.plan.take());
    }
}

/// What a gateway says it holds when it attaches, and what it knows.
pub(crate) struct Inventory {
    pub(crate) calls: BTreeSet<CallId>,
    pub(crate) known: Option<Seq>,
}

/// Every attached gateway.
#[derive(Default)]
pub(super) struct Gateways {
    open: BTreeMap<GatewayId, (StreamNumber, Arc<Mailbox<GatewayNews>>)>,
}

impl Gateways {
    /// Opens a stream; another one of the same gateway ends.
    pub(super) fn open(
        &mut self,
        gateway: GatewayId,
        stream: StreamNumber,
        inventory: Inventory,
        kind: v1::UpdateKind,
        (switchboard, cursor): (&Switchboard, Cursor),
        progress: &mut Progress,
    ) -> Arc<Mailbox<GatewayNews>> {
        let number = progress.count(Whose::Gateway(gateway));
        let (treatments, unknown) = whole(switchboard, gateway, &inventory);
        let plan = plan_of(switchboard);
        let mailbox =
            Arc::new(Mailbox::with(GatewayNews { number, cursor, kind, treatments, unknown, plan }));
        if let Some((_, earlier)) = self.open.insert(gateway, (stream, Arc::clone(&mailbox))) {
            earlier.end(taken_over());
        }
        mailbox
    }

    /// Forgets a stream; says whether the gateway has none any more.
    pub(super) fn close(&mut self, gateway: GatewayId, stream: StreamNumber) -> bool {
        if self.open.get(&gateway).is_some_and(|(open, _)| *open == stream) {
            self.open.remove(&gateway);
        }
        !self.open.contains_key(&gateway)
    }

    /// Tells each gateway which treatments this decision changed.
    pub(super) fn tell(
        &self,
        seq: Seq,
        calls: &BTreeSet<CallId>,
        switchboard: &Switchboard,
        cursor: Cursor,
        progress: &mut Progress,
    ) {
        let mut changed: BTreeMap<GatewayId, BTreeMap<CallId, Treatment>> = BTreeMap::new();
        for treatment in calls.iter().filter_map(|call| switchboard.treatment(*call)) {
            if treatment.revision == seq && self.open.contains_key(&treatment.gateway) {
                changed.entry(treatment.gateway).or_default().insert(treatment.call, treatment);
            }
        }
        for (gateway, treatments) in changed {
            self.put(gateway, cursor, progress, |news| news.treatments = treatments);
        }
    }

    /// Tells every gateway the plan in force.
    pub(super) fn tell_plan(&self, switchboard: &Switchboard, cursor: Cursor, progress: &mut Progress) {
        let plan = plan_of(switchboard);
        for gateway in self.open.keys() {
            self.put(*gateway, cursor, progress, |news| news.plan.clone_from(&plan));
        }
    }

    /// Tells every gateway everything, after decisions that were not seen one by one.
    pub(super) fn tell_all(&self, switchboard: &Switchboard, cursor: Cursor, progress: &mut Progress) {
        let inventory =
            Inventory { calls: switchboard.state().closed.keys().copied().collect(), known: None };
        for gateway in self.open.keys() {
            let (treatments, _) = whole(switchboard, *gateway, &inventory);
            self.put(*gateway, cursor, progress, |news| {
                news.treatments = treatments;
                news.plan = plan_of(switchboard);
            });
        }
    }

    /// Ends a gateway's stream.
    pub(super) fn end(&self, gateway: GatewayId, status: Status) {
        if let Some((_, mailbox)) = self.open.get(&gateway) {
            mailbox.end(status);
        }
    }

    /// Every gateway attached here.
    pub(super) fn everybody(&self) -> Vec<GatewayId> {
        self.open.keys().copied().collect()
    }

    fn put(
        &self,
        gateway: GatewayId,
        cursor: Cursor,
        progress: &mut Progress,
        fill: impl FnOnce(&mut GatewayNews),
    ) {
        let Some((_, mailbox)) = self.open.get(&gateway) else { return };
        let mut news = GatewayNews {
            number: progress.count(Whose::Gateway(gateway)),
            cursor,
            kind: v1::UpdateKind::Change,
            treatments: BTreeMap::new(),
            unknown: Vec::new(),
            plan: None,
        };
        fill(&mut news);
        mailbox.put(news);
    }
}

/// Open calls and closed ones of the inventory, as far as they are news; and calls nobody here knows.
fn whole(
    switchboard: &Switchboard,
    gateway: GatewayId,
    inventory: &Inventory,
) -> (BTreeMap<CallId, Treatment>, Vec<CallId>) {
    let news = |treatment: &Treatment| inventory.known.is_none_or(|known| treatment.revision > known);
    let open = switchboard.treatments(gateway).into_iter().filter(news);
    let mut treatments: BTreeMap<CallId, Treatment> = open.map(|t| (t.call, t)).collect();
    let mut unknown = Vec::new();
    for call in &inventory.calls {
        if switchboard.call(*call).is_some() {
            continue;
        }
        match switchboard.treatment(*call).filter(|treatment| treatment.gateway == gateway) {
            Some(release) => {
                treatments.insert(*call, release);
            }
            None => unknown.push(*call),
        }
    }
    (treatments, unknown)
}

fn plan_of(switchboard: &Switchboard) -> Option<v1::GatewayPlan> {
    let state = switchboard.state();
    state.plan().map(|plan| convert::gateway_plan(state.revision, plan))
}
