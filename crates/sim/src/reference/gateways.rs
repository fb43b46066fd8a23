//! Gateways come and go, and their calls with them.

use std::collections::BTreeSet;

use switchboard::call::{Failure, Outcome};
use switchboard::decision::Reply;
use switchboard::event::Event;
use switchboard::id::{CallId, GatewayId, OperatorId};
use switchboard::operator::Work;
use switchboard::rejection::Rejection;
use switchboard::state::Gateway;

use super::{Answer, Reference};

impl Reference {
    fn calls_of(&self, gateway: GatewayId) -> Vec<CallId> {
        self.state.calls.iter().filter(|(_, call)| call.gateway == gateway).map(|(id, _)| *id).collect()
    }

    pub(super) fn attach_gateway(
        &mut self,
        gateway: GatewayId,
        incarnation: u64,
        reaches: Option<BTreeSet<OperatorId>>,
        inventory: &BTreeSet<CallId>,
    ) -> Answer {
        let foreign = |call: &&CallId| self.state.calls.get(call).is_some_and(|c| c.gateway != gateway);
        if let Some(call) = inventory.iter().find(foreign) {
            return Err(Rejection::ForeignCall { call: *call });
        }
        let attached = Gateway { incarnation, reaches: reaches.clone(), attached: true };
        let missing: Vec<CallId> =
            self.calls_of(gateway).into_iter().filter(|call| !inventory.contains(call)).collect();
        let known = self.state.gateways.get(&gateway);
        if known == Some(&attached) && missing.is_empty() {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        let known_reaches = known.map(|g| g.reaches.clone());
        let same_life = known.is_some_and(|g| g.incarnation == incarnation);
        self.state.gateways.insert(gateway, attached);
        let earlier = known_reaches.filter(|_| !same_life);
        self.say(Event::GatewayAttached { gateway, incarnation, reaches });
        if let Some(reached) = earlier {
            self.phones_are_free_again(reached.as_ref());
        }
        for call in missing {
            if same_life {
                self.caller_left(call);
            } else {
                self.close(call, Outcome::Failed { cause: Failure::Gateway });
            }
        }
        Ok(Reply::Done)
    }

    /// As far as anybody can tell: the gateway that said they were busy is gone.
    fn phones_are_free_again(&mut self, reached: Option<&BTreeSet<OperatorId>>) {
        for id in self.state.operators.keys().copied().collect::<Vec<_>>() {
            if self.operator(id).work == Work::OutsideCall && reached.is_none_or(|r| r.contains(&id)) {
                self.operator_mut(id).work = Work::Idle;
                self.say(Event::OutsideCallEnded { operator: id });
                self.work_ended(id);
            }
        }
    }

    pub(super) fn lose_gateway(&mut self, gateway: GatewayId, incarnation: u64) -> Answer {
        let known = self.state.gateways.get_mut(&gateway).filter(|known| known.incarnation == incarnation);
        let known = known.ok_or(Rejection::UnknownGateway)?;
        if !known.attached {
            return Err(Rejection::AlreadyDone(Reply::Done));
        }
        known.attached = false;
        let reached = known.reaches.clone();
        self.say(Event::GatewayLost { gateway });
        self.phones_are_free_again(reached.as_ref());
        for call in self.calls_of(gateway) {
            self.close(call, Outcome::Failed { cause: Failure::Gateway });
        }
        Ok(Reply::Done)
    }
}
