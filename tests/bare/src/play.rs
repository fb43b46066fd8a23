//! Plays a history of inputs. Built twice: into the program without an operating system, and into the house tests.

use switchboard::Switchboard;
use switchboard::canonical;
use switchboard::command::{Actor, Command, Input};
use switchboard::time::SiteTime;

/// Decides every input, firing what is due before it; nothing when one of them is refused.
pub(crate) fn play(inputs: &str) -> Option<Switchboard> {
    let mut board = Switchboard::new();
    for line in inputs.lines() {
        let (at, input): (SiteTime, Input) = canonical::decode(line).ok()?;
        while let Some(due) = board.next_deadline().filter(|due| *due <= at) {
            board.handle(due, Input { actor: Actor::Clock, request: None, command: Command::Tick }).ok()?;
        }
        board.handle(at, input).ok()?;
    }
    Some(board)
}
