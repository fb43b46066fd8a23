//! An ask and its answer.

use std::fmt;

use session::Epoch;
use switchboard::command::{Command, Input};
use switchboard::decision::Reply;
use switchboard::id::Seq;
use switchboard::rejection::Rejection;
use switchboard::time::{SiteTime, Span};
use tokio::sync::oneshot;

use crate::traces::Marks;

/// A place in a site's history that survives a restart: cursors of another epoch name nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// Which life of the record.
    pub epoch: Epoch,
    /// The last decision included.
    pub seq: Seq,
}

/// The answer to an ask that was accepted: it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// What the asker is told.
    pub reply: Reply,
    /// A read at this cursor or later knows of it.
    pub cursor: Cursor,
    /// When it was decided; for something already done, when that was found.
    pub at: SiteTime,
    /// It had been done before: this is the first answer again, and nothing was journaled.
    pub again: bool,
}

/// The answer to an ask that was not accepted. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The switchboard says no.
    #[error(transparent)]
    Rejection(#[from] Rejection),
    /// Too much waits already in this ask's lane.
    #[error("too much is waiting; try again in {} ms", retry_after.0 / 1_000)]
    Busy {
        /// Try again after this long.
        retry_after: Span,
    },
    /// This very ask met a fault of the program; others go on.
    #[error("this met a fault of the program and was not done; the log says which")]
    Faulty,
    /// The site takes no decisions until somebody has looked.
    #[error("the site takes no decisions at present; the log says why")]
    Degraded,
    /// The exchange is closing.
    #[error("the exchange is closing; ask another, or again after its restart")]
    Closed,
}

pub(crate) type Answer = Result<Committed, Refused>;

/// An input on its way, and who waits for its answer.
pub(crate) struct Ask {
    pub(crate) input: Input,
    pub(crate) asker: Asker,
    pub(crate) marks: Marks,
}

pub(crate) enum Asker {
    /// Somebody outside.
    Client(oneshot::Sender<Answer>),
    /// The exchange itself: an ended lease, the schedule.
    Exchange,
}

impl Ask {
    pub(crate) fn answer(self, answer: Answer) {
        match self.asker {
            // An asker who left has no use for the answer.
            Asker::Client(asker) => drop(asker.send(answer)),
            Asker::Exchange => {
                if let Err(refused) = answer {
                    self.note_own_refusal(&refused);
                }
            }
        }
    }

    /// Whoever wanted to be attached has left, perhaps for another router, where it is attached by now: it would be taken from
    /// there, and a gateway's calls since be taken for ended.
    pub(crate) fn is_left(&self) -> bool {
        matches!(self.input.command, Command::AttachDesk { .. } | Command::AttachGateway { .. })
            && matches!(&self.asker, Asker::Client(asker) if asker.is_closed())
    }

    /// A lease that ended twice is nothing; hours that are not laid leave every line as it is, for ever.
    fn note_own_refusal(&self, refused: &Refused) {
        let command = &self.input.command;
        match (command, refused) {
            (Command::ExtendSchedule { .. }, Refused::Rejection(_) | Refused::Faulty) => {
                tracing::error!(%refused, "the lines' hours were not laid; lines stay as they are");
            }
            _ => tracing::debug!(?command, %refused, "an ask of the exchange itself"),
        }
    }

    /// The exchange's own edges: laid from what the draft shows, so that on another draft they are laid anew.
    pub(crate) fn lays_hours(&self) -> bool {
        matches!(self.asker, Asker::Exchange) && matches!(self.input.command, Command::ExtendSchedule { .. })
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.input, f)
    }
}
