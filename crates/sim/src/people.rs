//! The people who answer: 42 in three teams, about 15 of them on duty in the busy hours of a day.

use std::collections::BTreeSet;

use switchboard::command::Profile;
use switchboard::id::{OperatorId, SkillId};
use switchboard::operator::Device;
use switchboard::plan::Plan;
use switchboard::time::Span;

/// One who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Under which id.
    pub operator: OperatorId,
    /// What the switchboard is told.
    pub profile: Profile,
    /// When this person comes and goes each day; none for somebody who is not on the roster.
    pub shift: Option<Shift>,
}

/// A person's hours, since midnight. One that ends before it starts goes past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Comes then.
    pub from: Span,
    /// Goes then.
    pub to: Span,
}

const DAY: u64 = 86_400_000_000;

impl Shift {
    /// Round the clock.
    pub const ALWAYS: Shift = Shift { from: Span::ZERO, to: Span(DAY) };

    /// Whether somebody with these hours is there at a time of day.
    pub fn covers(&self, since_midnight: Span) -> bool {
        let clock = since_midnight.0 % DAY;
        if self.from.0 < self.to.0 {
            (self.from.0..self.to.0).contains(&clock)
        } else {
            clock >= self.from.0 || clock < self.to.0
        }
    }

    const fn hours(from: u64, from_minutes: u64, to: u64, to_minutes: u64) -> Shift {
        Shift {
            from: Span::secs(from * 3_600 + from_minutes * 60),
            to: Span::secs(to * 3_600 + to_minutes * 60),
        }
    }
}

const EARLY: Option<Shift> = Some(Shift::hours(7, 0, 15, 30));
const DAYTIME: Option<Shift> = Some(Shift::hours(8, 30, 17, 0));
const NOON: Option<Shift> = Some(Shift::hours(8, 30, 15, 30));
const LATE: Option<Shift> = Some(Shift::hours(15, 0, 23, 30));
const EVENING: Option<Shift> = Some(Shift::hours(15, 30, 21, 0));
const NIGHT: Option<Shift> = Some(Shift::hours(23, 0, 7, 30));
const FREE: Option<Shift> = None;

type Row = (&'static str, u32, Option<Shift>, &'static [&'static str]);

/// The roster of the hospital's day: so many people of a team with these hours and home lines.
const ROSTER: [Row; 19] = [
    ("professionals", 4, EARLY, &["switchboard"]),
    ("professionals", 1, EARLY, &["outpatient-1"]),
    ("professionals", 1, EARLY, &["outpatient-2"]),
    ("professionals", 1, EARLY, &["emergency"]),
    ("professionals", 1, EARLY, &["comfort", "duty"]),
    ("professionals", 2, LATE, &["switchboard"]),
    ("professionals", 1, LATE, &["outpatient-1", "outpatient-2"]),
    ("professionals", 1, LATE, &["emergency"]),
    ("professionals", 1, LATE, &["comfort", "duty"]),
    ("professionals", 2, NIGHT, &["switchboard"]),
    ("professionals", 1, NIGHT, &["emergency"]),
    ("professionals", 1, NIGHT, &["outpatient-1", "outpatient-2", "comfort", "duty"]),
    ("professionals", 1, FREE, &["emergency"]),
    ("volunteers", 5, DAYTIME, &["comfort"]),
    ("volunteers", 3, EVENING, &["comfort"]),
    ("volunteers", 6, FREE, &["comfort"]),
    ("youth", 2, NOON, &[]),
    ("youth", 2, EVENING, &[]),
    ("youth", 6, FREE, &[]),
];

/// Devices by turns: of seven people three have their phone answered for them, two pick it up, one has it in the
/// desk and one has nothing but a telephone.
const DEVICES: [Device; 7] = [
    Device::AutoAnswer,
    Device::Ring,
    Device::Softphone,
    Device::AutoAnswer,
    Device::Telephone,
    Device::Ring,
    Device::AutoAnswer,
];

/// The hospital's people, `op-01` to `op-42`, with the teams, home lines and skills that this plan knows.
pub fn hospital(plan: &Plan) -> Vec<Person> {
    let mut people = Vec::new();
    for (team, count, shift, home) in ROSTER {
        for _ in 0..count {
            let number = people.len() + 1;
            let profile = Profile {
                teams: plan.teams.keys().filter(|id| id.as_str() == team).copied().collect(),
                home: plan.lines.keys().filter(|id| home.contains(&id.as_str())).copied().collect(),
                skills: skills(plan, number),
                device: DEVICES[number % DEVICES.len()],
            };
            people.push(Person { operator: operator_id(number), profile, shift });
        }
    }
    people
}

/// The id of the person with this number, from 1.
///
/// # Panics
/// Never: two digits or more after a fixed beginning are always a name.
pub fn operator_id(number: usize) -> OperatorId {
    format!("op-{number:02}").parse().expect("digits after a fixed beginning are a name")
}

/// Every skill is spoken by every third person, so that each shift has somebody.
fn skills(plan: &Plan, number: usize) -> BTreeSet<SkillId> {
    plan.skills
        .keys()
        .enumerate()
        .filter(|(nth, _)| (number + nth).is_multiple_of(3))
        .map(|(_, skill)| *skill)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_two_and_fifteen() {
        let people = hospital(&Plan::default());
        assert_eq!(people.len(), 42);
        let on_at = |hour: u64| {
            let clock = Span::secs(hour * 3_600);
            people.iter().filter(|p| p.shift.is_some_and(|s| s.covers(clock))).count()
        };
        assert_eq!(on_at(10), 15);
        assert_eq!(on_at(3), 4);
        assert!((0..24).all(|hour| on_at(hour) >= 4));
    }
}
