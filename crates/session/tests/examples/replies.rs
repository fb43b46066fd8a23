//! One decision per kind of reply.

use switchboard::command::{Actor, Command};
use switchboard::decision::{Decision, Reply};
use switchboard::id::{DeskSession, Revision};

use super::{decision, kinds, line, offer};

kinds!(Reply: Done, Arrived, Session, Accepted, Expired, AnsweredElsewhere, Consulting, Adopted);

/// The examples, by name.
pub(crate) fn examples() -> Vec<(&'static str, Decision)> {
    let replies = [
        Reply::Done,
        Reply::Arrived { line: line("emergency") },
        Reply::Session { session: DeskSession(2) },
        Reply::Accepted { offer: offer() },
        Reply::Expired,
        Reply::AnsweredElsewhere,
        Reply::Consulting { offer: offer() },
        Reply::Adopted { revision: Revision(3) },
    ];
    let decided = |reply| (name(&reply), decision(Actor::Clock, Command::Tick, Vec::new(), reply));
    replies.map(decided).into()
}
