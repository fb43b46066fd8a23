//! Gateways come and go, and their calls with them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::call::Failure;
use crate::command::Actor;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{CallId, GatewayId, OperatorId};
use crate::rejection::{Limit, Rejection};
use crate::state::GATEWAYS_MAX;
use crate::switchboard::{Decided, Switchboard};

impl Switchboard {
    pub(super) fn attach_gateway(
        &mut self,
        gateway: GatewayId,
        incarnation: u64,
        reaches: Option<&BTreeSet<OperatorId>>,
        calls: &BTreeSet<CallId>,
    ) -> Decided {
        let known = self.state.gateways.get(&gateway);
        if known.is_none() && self.state.gateways.len() >= GATEWAYS_MAX {
            return Err(Rejection::LimitReached { what: Limit::Gateways });
        }
        if let Some(call) =
            calls.iter().find(|id| self.state.calls.get(id).is_some_and(|c| c.gateway != gateway))
        {
            return Err(Rejection::ForeignCall { call: *call });
        }
        let same_life = known.is_some_and(|g| g.incarnation == incarnation);
        let unchanged = known.is_some_and(|g| same_life && g.attached && g.reaches.as_ref() == reaches);
        let gone: Vec<CallId> = self.calls_of(gateway).filter(|id| !calls.contains(id)).collect();
        if unchanged && gone.is_empty() {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        self.emit(Event::GatewayAttached { gateway, incarnation, reaches: reaches.cloned() });
        for id in calls {
            self.stir(*id);
        }
        for id in gone {
            if same_life {
                self.end_by_caller(id);
            } else {
                self.fail(id, Failure::Gateway);
            }
        }
        Ok(Reply::Done)
    }

    pub(super) fn lose_gateway(&mut self, actor: Actor, gateway: GatewayId, incarnation: u64) -> Decided {
        if actor != Actor::Presence && actor != Actor::Gateway(gateway) {
            return Err(Rejection::NotYours);
        }
        let known = self.state.gateways.get(&gateway).ok_or(Rejection::UnknownGateway)?;
        if known.incarnation != incarnation {
            return Err(Rejection::UnknownGateway);
        }
        if !known.attached {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        let gone: Vec<CallId> = self.calls_of(gateway).collect();
        self.emit(Event::GatewayLost { gateway });
        for id in gone {
            self.fail(id, Failure::Gateway);
        }
        Ok(Reply::Done)
    }

    pub(crate) fn calls_of(&self, gateway: GatewayId) -> impl Iterator<Item = CallId> {
        self.index.by_gateway.get(&gateway).into_iter().flatten().copied()
    }
}
