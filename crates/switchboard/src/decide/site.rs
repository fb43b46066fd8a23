//! The end of a site: nobody rings in any more, and nothing is asked of it but what time and presence bring.

use crate::command::{Command, Input};
use crate::decision::Reply;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::switchboard::{Decided, Switchboard};

impl Switchboard {
    pub(super) fn retire_site(&mut self) -> Decided {
        match self.state.calls.len() {
            _ if self.state.retired => return Err(Rejection::AlreadyDone(Reply::Done)),
            0 => self.emit(Event::SiteRetired),
            open => return Err(Rejection::SiteHasCalls { open }),
        }
        Ok(Reply::Done)
    }

    pub(super) fn check_retired(&self, input: &Input) -> Result<(), Rejection> {
        match input.command {
            _ if !self.state.retired => Ok(()),
            Command::Tick | Command::DropDesk { .. } | Command::LoseGateway { .. } | Command::RetireSite => {
                Ok(())
            }
            _ => Err(Rejection::SiteRetired),
        }
    }
}
