//! A decision: one accepted input and what happened because of it, under one sequence number.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::command::Input;
use crate::event::Event;
use crate::id::{DeskSession, LineId, OfferId, Revision, Seq};
use crate::time::SiteTime;

/// One accepted input and its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Its place in the site's history.
    pub seq: Seq,
    /// When.
    pub at: SiteTime,
    /// What was asked, by whom.
    pub input: Input,
    /// What happened.
    pub events: Vec<Event>,
    /// What the asker is told.
    pub reply: Reply,
}

/// What the asker of an accepted input is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done.
    Done,
    /// The call is inside, or was let go with a message: its treatment says.
    Arrived {
        /// On this line.
        line: LineId,
    },
    /// The desk holds this session.
    Session {
        /// Number.
        session: DeskSession,
    },
    /// The call is the operator's as soon as the bridge is up.
    Accepted {
        /// Which offer.
        offer: OfferId,
    },
    /// The ring had ended; the strike is taken back.
    Expired,
    /// Somebody else was first.
    AnsweredElsewhere,
    /// The colleague is being asked.
    Consulting {
        /// By this offer.
        offer: OfferId,
    },
    /// The plan is in force.
    Adopted {
        /// Under this number.
        revision: Revision,
    },
}

impl Decision {
    /// The canonical encoding: what the journal stores and what the ledger hashes.
    pub fn to_canonical(&self) -> String {
        crate::canonical::encode(self)
    }
}
