//! What a client is told when a store says no. One that is away may answer later, and is asked again; one that is damaged
//! never will, and somebody has to mend it.

use exchange::StartFault;
use session::{AuditFault, CallersFault, DerivedFault, JournalFault, RegistryFault};
use tonic::{Code, Status};

use crate::refusal::{Reason, status};

/// What mends everything that is not made again.
const RESTORE: &str = "tell whoever runs this server: what is kept has to be restored from a backup";

fn away(code: &'static str, mend: &'static str, fault: &dyn std::fmt::Display) -> Status {
    status(Reason { status: Code::Unavailable, code, mend }, &fault.to_string())
}

fn damaged(code: &'static str, mend: &'static str, fault: &dyn std::fmt::Display) -> Status {
    status(Reason { status: Code::DataLoss, code, mend }, &fault.to_string())
}

/// The audit did not take a row, or does not show any.
pub(crate) fn audit_fault(fault: &AuditFault) -> Status {
    match fault {
        AuditFault::Unavailable(_) => {
            away("AUDIT_UNAVAILABLE", "ask again in a moment; what cannot be recorded is not done", fault)
        }
        AuditFault::Damaged(_) => damaged("AUDIT_DAMAGED", RESTORE, fault),
    }
}

/// Who callers are is not known.
pub(crate) fn callers_fault(fault: &CallersFault) -> Status {
    match fault {
        CallersFault::Unavailable(_) | CallersFault::NoChance(_) => {
            away("CALLERS_UNAVAILABLE", "ask again in a moment", fault)
        }
        CallersFault::Damaged(_) => damaged("CALLERS_DAMAGED", RESTORE, fault),
    }
}

/// Records of calls are not told.
pub(crate) fn records_fault(fault: &DerivedFault) -> Status {
    match fault {
        DerivedFault::Unavailable(_) | DerivedFault::Moved => {
            away("RECORDS_UNAVAILABLE", "ask again in a moment; calls under way go on", fault)
        }
        DerivedFault::Damaged(_) => {
            let mend = "tell whoever runs this server: derived.db has to be deleted, and is made again";
            damaged("RECORDS_DAMAGED", mend, fault)
        }
    }
}

/// The registry did not answer.
pub(crate) fn registry_fault(fault: &RegistryFault) -> Status {
    match fault {
        RegistryFault::Unavailable(_) => away("REGISTRY_UNAVAILABLE", "ask again in a moment", fault),
        RegistryFault::Damaged(_) => damaged("REGISTRY_DAMAGED", RESTORE, fault),
    }
}

/// The journal does not say what was asked.
pub(crate) fn unreadable(fault: impl Into<StartFault>) -> Status {
    let fault: StartFault = fault.into();
    let told = format!("the journal cannot be read: {fault}");
    match fault {
        StartFault::Journal(JournalFault::Damaged(_) | JournalFault::Gap { .. }) | StartFault::Body(_) => {
            damaged("JOURNAL_DAMAGED", RESTORE, &told)
        }
        StartFault::Journal(_) | StartFault::Unread => {
            away("JOURNAL_UNREADABLE", "tell whoever runs this server; calls under way go on", &told)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_not_asked_again() {
        let why = || "page 7".to_owned();
        let damaged = [
            audit_fault(&AuditFault::Damaged(why())),
            callers_fault(&CallersFault::Damaged(why())),
            records_fault(&DerivedFault::Damaged(why())),
            registry_fault(&RegistryFault::Damaged(why())),
            unreadable(JournalFault::Damaged(why())),
        ];
        for status in damaged {
            assert_eq!(status.code(), Code::DataLoss, "{status:?}");
            assert!(!api::is_worth_retrying(&status));
        }
        let away = [
            audit_fault(&AuditFault::Unavailable(why())),
            callers_fault(&CallersFault::Unavailable(why())),
            records_fault(&DerivedFault::Unavailable(why())),
            registry_fault(&RegistryFault::Unavailable(why())),
            unreadable(JournalFault::Unavailable(why())),
        ];
        assert!(away.iter().all(api::is_worth_retrying));
    }
}
