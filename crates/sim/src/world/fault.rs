//! Faults put in on purpose, from outside: streams that break, gateways that die, and the end of all faults.

use switchboard::id::{GatewayId, OperatorId};
use switchboard::time::Span;
use switchboard::treatment::Role;

use super::World;
use super::agenda::{Item, LegAct, PersonAct};
use super::gateway::LegIs;

impl World {
    /// The gateways, in the order in which callers are spread over them.
    pub fn gateways(&self) -> impl Iterator<Item = GatewayId> {
        self.gateways.iter().map(|g| g.id)
    }

    /// Whether this operator is one of its people.
    pub fn knows(&self, operator: OperatorId) -> bool {
        self.numbers.contains_key(&operator)
    }

    /// A gateway loses its stream: it hears nothing and can say nothing until it is attached again. Its calls go on.
    pub fn cut_gateway(&mut self, gateway: usize) {
        if let Some(gateway) = self.gateways.get_mut(gateway) {
            gateway.attached = false;
        }
    }

    /// A gateway that was cut attaches again with its inventory, tells of callers nobody was told of, and says again
    /// what its legs are. Whoever drives the world tells it all treatments of this gateway after that.
    pub fn reattach_gateway(&mut self, gateway: usize) {
        if self.gateways.get(gateway).is_none_or(|g| g.attached) {
            return;
        }
        self.gateway_attaches(gateway);
        let inside: Vec<usize> =
            self.passage_of.values().copied().filter(|n| self.passages[*n].gateway == gateway).collect();
        for number in inside {
            if self.passages[number].told {
                self.report_all_legs(number);
            } else {
                let waited = self.now.since(self.passages[number].rang_at);
                self.tell_arrival(number, waited);
            }
        }
        for person in 0..self.people.len() {
            if self.people[person].profile.device.has_leg() {
                self.note_phone(person);
            }
        }
    }

    /// A gateway dies with all its legs and comes back empty, in a new life.
    pub fn restart_gateway(&mut self, gateway: usize) {
        let dead: Vec<usize> =
            self.passage_of.values().copied().filter(|n| self.passages[*n].gateway == gateway).collect();
        for number in dead {
            self.caller_is_gone(number);
        }
        let Some(known) = self.gateways.get_mut(gateway) else { return };
        known.incarnation += 1;
        known.attached = false;
        self.later(Span::millis(500), Item::GatewayAttaches(gateway));
    }

    /// From here on nothing goes wrong, nobody rings in any more, everybody answers, and every desk comes back.
    pub fn calm(&mut self) {
        self.habits = self.habits.calmed();
        self.end = self.now;
        self.agenda.forget_arrivals();
        self.pick_up_everywhere();
        for number in self.passage_of.values() {
            // Nobody loses the patience that was drawn before.
            self.passages[*number].spell += 1;
        }
        for gateway in 0..self.gateways.len() {
            self.cut_gateway(gateway);
            self.reattach_gateway(gateway);
        }
        for person in 0..self.people.len() {
            self.desks[person].on_shift = true;
            self.person_later(person, Span::secs(1), PersonAct::Returns { takeover: false });
        }
    }

    /// A telephone whose owner said yes and did not pick it up is picked up after all.
    fn pick_up_everywhere(&mut self) {
        for number in self.passage_of.values().copied().collect::<Vec<_>>() {
            let passage = &self.passages[number];
            let unheard = passage.legs.values().filter(|l| l.leg.role == Role::Talk && l.is < LegIs::Up);
            for attempt in unheard.map(|l| l.leg.attempt).collect::<Vec<_>>() {
                self.leg_later(number, attempt, Span::secs(2), LegAct::Answers);
            }
        }
    }
}
