//! Gateways come and go, and their calls with them.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::call::Failure;
use crate::command::Actor;
use crate::decision::Reply;
use crate::event::Event;
use crate::id::{CallId, GatewayId, OperatorId};
use crate::operator::Work;
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
        let earlier_life = known.filter(|_| !same_life).map(|g| g.reaches.clone());
        self.emit(Event::GatewayAttached { gateway, incarnation, reaches: reaches.cloned() });
        if let Some(reached) = earlier_life {
            self.forget_outside_calls(reached.as_ref());
        }
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
        let reached = known.reaches.clone();
        let gone: Vec<CallId> = self.calls_of(gateway).collect();
        self.emit(Event::GatewayLost { gateway });
        self.forget_outside_calls(reached.as_ref());
        for id in gone {
            self.fail(id, Failure::Gateway);
        }
        Ok(Reply::Done)
    }

    /// Whoever said that these phones are busy will not say that they are free again. At worst one is asked while on an
    /// outside call, and the gateway that rings there says that it cannot.
    fn forget_outside_calls(&mut self, reached: Option<&BTreeSet<OperatorId>>) {
        let busy = self.state.operators.iter().filter(|(_, o)| o.work == Work::OutsideCall);
        let forgotten: Vec<OperatorId> =
            busy.map(|(id, _)| *id).filter(|id| reached.is_none_or(|r| r.contains(id))).collect();
        for operator in forgotten {
            self.emit(Event::OutsideCallEnded { operator });
            self.work_ended(operator);
        }
    }

    pub(crate) fn calls_of(&self, gateway: GatewayId) -> impl Iterator<Item = CallId> {
        self.index.by_gateway.get(&gateway).into_iter().flatten().copied()
    }
}
