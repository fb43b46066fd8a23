//! What is allowed and yet probably not meant.

use std::collections::BTreeSet;

use switchboard::id::{DestinationId, LineId, PromptId, TeamId};
use switchboard::plan::{Line, Plan, Trigger, WhenClosed, Who};

use crate::finding::Fault;
use crate::read::Places;

/// Every doubt about a plan, in the words of the text.
pub(crate) fn told(plan: &Plan, places: &Places) -> Vec<Fault> {
    let mut doubts = Doubts { plan, places, faults: Vec::new() };
    doubts.unused();
    for (id, line) in &plan.lines {
        doubts.unreached(*id, line);
        doubts.endless(*id, line);
        doubts.escape_key(*id, line);
    }
    doubts.faults
}

struct Doubts<'a> {
    plan: &'a Plan,
    places: &'a Places,
    faults: Vec<Fault>,
}

impl Doubts<'_> {
    fn doubt(&mut self, path: &str, reason: impl Into<String>, mend: impl Into<String>) {
        self.faults.push(Fault::new(path, self.places.of(path), reason, mend));
    }

    fn unused(&mut self) {
        let plan = self.plan;
        let teams: BTreeSet<TeamId> = self.whos().filter_map(|who| match who {
            Who::Team(team) => Some(*team),
            _ => None,
        });
        for id in plan.teams.keys().filter(|id| !teams.contains(id)) {
            let mend = "name it in a tier, as { who = \"team:…\", when = \"busy\" }";
            self.doubt(&format!("teams.{id}"), format!("no tier asks team '{id}'"), mend);
        }
        let used = self.destinations();
        for (id, destination) in &plan.destinations {
            if !used.contains(id) && !destination.press_one {
                let mend = "publish it on a line, add press_one = true so that callers can be sent there, or remove it";
                self.doubt(&format!("destinations.{id}"), format!("nothing uses destination '{id}'"), mend);
            }
        }
        let played: BTreeSet<PromptId> = plan.lines.values().flat_map(played).collect();
        for id in plan.prompts.keys().filter(|id| !played.contains(id)) {
            self.doubt(
                &format!("prompts.{id}"),
                format!("no line plays prompt '{id}'"),
                "name it in prompts, or remove it",
            );
        }
    }

    fn whos(&self) -> Whos<'_> {
        Whos(self.plan)
    }

    fn destinations(&self) -> BTreeSet<DestinationId> {
        let mut used: BTreeSet<DestinationId> = self.whos().filter_map(|who| match who {
            Who::Outside { destination, .. } => Some(*destination),
            _ => None,
        });
        for line in self.plan.lines.values() {
            used.extend(&line.numbers);
            if let WhenClosed::Divert(destination) = line.when_closed {
                used.insert(destination);
            }
        }
        used
    }

    fn unreached(&mut self, id: LineId, line: &Line) {
        let leads_here =
            |other: &Line| other.staff_to == Some(id) || other.when_closed == WhenClosed::MoveTo(id);
        if line.numbers.is_empty() && !self.plan.lines.values().any(leads_here) {
            let reason = format!("no number is published for line '{id}', and no line sends callers there");
            self.doubt(
                &format!("lines.{id}"),
                reason,
                "add numbers = [\"<destination>\"], or name it as a staff_to",
            );
        }
    }

    /// With somebody on duty who never becomes free, only a clock ends the wait.
    fn endless(&mut self, id: LineId, line: &Line) {
        let Some((n, closing)) = line.tiers.iter().enumerate().find(|(_, t)| t.who == Who::Closing) else {
            return;
        };
        if !closing.when.iter().any(|t| matches!(t, Trigger::Wait(_) | Trigger::Busy)) {
            let reason =
                format!("as long as anybody is on duty, a caller of line '{id}' may wait without end");
            self.doubt(
                &format!("lines.{id}.tiers.{n}"),
                reason,
                "add a wait to the closing tier: when = [\"empty\", \"wait 15m\"]",
            );
        }
    }

    /// Key 1 brings a staff caller back to the line called.
    fn escape_key(&mut self, id: LineId, line: &Line) {
        let is_staff_line = self.plan.lines.values().any(|other| other.staff_to == Some(id));
        if is_staff_line && line.skill_keys.contains_key(&'1') {
            let reason =
                "key 1 already means \"this is about a patient\" to staff callers moved to this line";
            self.doubt(&format!("lines.{id}.skill_keys.1"), reason, "choose the skill by another key");
        }
    }
}

struct Whos<'a>(&'a Plan);

impl Whos<'_> {
    fn filter_map<T: Ord>(&self, pick: impl FnMut(&Who) -> Option<T>) -> BTreeSet<T> {
        self.0.lines.values().flat_map(|line| &line.tiers).map(|tier| &tier.who).filter_map(pick).collect()
    }
}

fn played(line: &Line) -> impl Iterator<Item = PromptId> + use<> {
    let p = line.prompts;
    [p.greeting, p.closed, p.full, p.closing, p.blocked, p.staff_menu].into_iter().flatten()
}
