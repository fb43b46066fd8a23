//! A whole day through the pure switchboard: its account, and how many decisions it took.

use switchboard::Switchboard;
use switchboard::ledger::{Ledger, THRESHOLD};
use switchboard::plan::Plan;

use crate::drive::{Drive, Scripted};
use crate::world::{Tally, World, WorldConfig};

/// A day that was played.
#[derive(Debug, Clone)]
pub struct Day {
    /// Its account.
    pub ledger: Ledger,
    /// How the hospital's inputs were received.
    pub tally: Tally,
    /// The switchboard at its end.
    pub switchboard: Switchboard,
    /// Everything that was handed in.
    pub script: Vec<Scripted>,
}

/// Plays a day from its first moment to its last.
pub fn play(config: WorldConfig, plan: &Plan) -> Day {
    let start = config.start;
    let world = World::new(config, plan);
    let end = world.end();
    let mut drive = Drive::new(world, plan, start);
    let mut ledger = Ledger::open(drive.switchboard.state(), THRESHOLD);
    drive.run(end, |decision, _| ledger.record(decision));
    let (tally, switchboard) = (drive.world.tally(), drive.switchboard.clone());
    Day { ledger, tally, switchboard, script: drive.into_script() }
}

/// Hands a recorded script to a new switchboard and nothing else: what the switchboard alone costs.
pub fn replay(script: &[Scripted]) -> Switchboard {
    let mut switchboard = Switchboard::new();
    for (at, input) in script {
        switchboard.handle(*at, input.clone()).ok();
    }
    switchboard
}
