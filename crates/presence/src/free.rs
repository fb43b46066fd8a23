//! Who is free: what other programs read, a moment behind the switchboard. No offer is ever made from it.

use std::collections::{BTreeMap, BTreeSet};

use switchboard::id::{LineId, OperatorId, Seq, TeamId};

/// Where a free operator is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whose own operator she is.
    pub home_lines: BTreeSet<LineId>,
    /// Through which teams other lines reach her.
    pub teams: BTreeSet<TeamId>,
}

/// The free operators of a site as of a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FreeOperators {
    /// As of which decision.
    pub seq: Seq,
    /// Who could take a call now, as far as nothing but the operator is concerned.
    pub operators: BTreeMap<OperatorId, Reach>,
}

impl FreeOperators {
    /// A line's own operators who are free.
    pub fn of_line(&self, line: LineId) -> impl Iterator<Item = OperatorId> + '_ {
        self.operators.iter().filter(move |(_, reach)| reach.home_lines.contains(&line)).map(|(id, _)| *id)
    }

    /// A team's operators who are free.
    pub fn of_team(&self, team: TeamId) -> impl Iterator<Item = OperatorId> + '_ {
        self.operators.iter().filter(move |(_, reach)| reach.teams.contains(&team)).map(|(id, _)| *id)
    }

    /// Takes over what is shown, unless it is older than what is here. Says whether it did.
    pub fn advance(&mut self, shown: FreeOperators) -> bool {
        let newer = shown.seq >= self.seq;
        if newer {
            *self = shown;
        }
        newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_is_not_shown_again() {
        let at = |seq, names: &[&str]| FreeOperators {
            seq: Seq(seq),
            operators: names.iter().map(|name| (name.parse().expect("a name"), Reach::default())).collect(),
        };
        let mut shown = FreeOperators::default();
        assert!(shown.advance(at(7, &["ana", "ben"])));
        assert!(!shown.advance(at(6, &["cem"])));
        assert_eq!(shown, at(7, &["ana", "ben"]));
        assert!(shown.advance(at(7, &["ana"])), "the same decision, told again");
        assert_eq!(shown, at(7, &["ana"]));
    }
}
