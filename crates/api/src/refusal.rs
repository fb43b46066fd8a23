use std::collections::BTreeMap;
use std::error::Error;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// What kind of no it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// No router answered.
    NotReached,
    /// The token is none, has ended, or is of somebody who may not ask this.
    NotAdmitted,
    /// Something in the request is not what it should be.
    BadRequest,
    /// There is no such thing.
    NotFound,
    /// Too much at once; later it may be done.
    Busy,
    /// Not as things are.
    Refused,
    /// The router's own fault.
    Broken,
}

/// A no, read: what a client needs in order to say what happened, why, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind.
    pub kind: RefusalKind,
    /// The reason code that programs can rely on; empty when the answer has none.
    pub reason: String,
    /// What the router said, or why it could not be reached.
    pub message: String,
    /// What to do about it, for people; empty when the answer does not say.
    pub mend: String,
    /// Figures by name, for example `in_force`.
    pub figures: BTreeMap<String, String>,
    /// Fields that are not what they should be, by path, and what belongs there.
    pub fields: Vec<(String, String)>,
}

impl Refusal {
    /// Reads a status with its details.
    pub fn of(status: &Status) -> Refusal {
        let info = status.get_details_error_info();
        let (reason, mut figures) = match info {
            Some(info) => (info.reason, info.metadata.into_iter().collect::<BTreeMap<_, _>>()),
            None => (String::new(), BTreeMap::new()),
        };
        let fields = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        let kind = kind(status, &reason);
        let message = match kind {
            RefusalKind::NotReached => why_not_reached(status),
            _ => status.message().to_owned(),
        };
        Refusal {
            kind,
            message,
            mend: figures.remove("mend").unwrap_or_default(),
            reason,
            figures,
            fields: fields.into_iter().map(|field| (field.field, field.description)).collect(),
        }
    }
}

fn kind(status: &Status, reason: &str) -> RefusalKind {
    match status.code() {
        // What a router says has no source and gives its reason: this was made here.
        _ if status.source().is_some() => RefusalKind::NotReached,
        Code::Unavailable if reason.is_empty() => RefusalKind::NotReached,
        Code::Unauthenticated | Code::PermissionDenied => RefusalKind::NotAdmitted,
        Code::InvalidArgument => RefusalKind::BadRequest,
        Code::NotFound => RefusalKind::NotFound,
        Code::ResourceExhausted => RefusalKind::Busy,
        Code::Internal | Code::Unknown | Code::DataLoss | Code::Unimplemented => RefusalKind::Broken,
        _ => RefusalKind::Refused,
    }
}

/// The innermost cause says it best: "Connection refused", "invalid peer certificate".
fn why_not_reached(status: &Status) -> String {
    let mut why: &dyn Error = status;
    while let Some(cause) = why.source() {
        why = cause;
    }
    if status.source().is_some() { why.to_string() } else { status.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_no_is_read_with_its_details() {
        let mut details = ErrorDetails::new();
        let told = [("mend".to_owned(), "look".to_owned()), ("in_force".to_owned(), "7".to_owned())];
        details.set_error_info("PLAN_CONFLICT", "hotline", told);
        let read = Refusal::of(&Status::with_error_details(Code::Aborted, "another plan", details));
        assert_eq!((read.kind, read.reason.as_str()), (RefusalKind::Refused, "PLAN_CONFLICT"));
        assert_eq!((read.mend.as_str(), read.figures["in_force"].as_str()), ("look", "7"));
    }

    #[test]
    fn whoever_did_not_answer_said_nothing() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "nobody there");
        let read = Refusal::of(&Status::from_error(Box::new(refused)));
        assert_eq!((read.kind, read.message.as_str()), (RefusalKind::NotReached, "nobody there"));
    }
}
