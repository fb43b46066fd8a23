//! Of what use another start is, told from why there was none: whoever supervises a server starts it again by its exit
//! code.

use std::io::{self, ErrorKind};

use anyhow::Error;
use exchange::StartFault;
use plan::PlanErrors;
use session::{BodyFault, SealKeyFault};

use super::home::NoSuchSite;
use crate::journal::{Again, Unopened};
use crate::tokens::OthersTokens;

/// Of flags and a configuration that were not understood: only a file that is not there may be there the next time.
pub(super) fn after_settings(fault: &Error) -> Again {
    let is_missing = |fault: &io::Error| fault.kind() == ErrorKind::NotFound;
    match fault.chain().any(|cause| cause.downcast_ref().is_some_and(is_missing)) {
        true => Again::MayHelp,
        false => Again::NeedsOtherWords,
    }
}

/// Of what they name: what is missing or busy now may be there the next time. What makes no sense now makes none then: a
/// plan or a key that is none, an address that is not listened on as it was asked, a site that the record does not have
/// or that the token file is not of.
pub(super) fn after(fault: &Error) -> Again {
    if let Some(unopened) = fault.downcast_ref::<Unopened>() {
        return unopened.again;
    }
    let later = |fault: &StartFault| matches!(fault, StartFault::Body(BodyFault::UnknownFormat { .. }));
    if fault.downcast_ref().is_some_and(later) {
        return Again::NeedsLaterRelease;
    }
    let no_key = |fault: &SealKeyFault| {
        matches!(fault, SealKeyFault::NotAKey | SealKeyFault::NotInFile { .. } | SealKeyFault::KeyItself)
    };
    let listens_not = |fault: &routing::StartFault| {
        use routing::StartFault::{NoAddress, NotLoopback, SteppedBeyondLoopback};
        matches!(fault, NotLoopback(_) | SteppedBeyondLoopback(_) | NoAddress)
    };
    let is_nonsense = fault.is::<PlanErrors>()
        || fault.is::<NoSuchSite>()
        || fault.is::<OthersTokens>()
        || fault.downcast_ref().is_some_and(no_key)
        || fault.downcast_ref().is_some_and(listens_not);
    if is_nonsense { Again::NeedsOtherWords } else { Again::MayHelp }
}
