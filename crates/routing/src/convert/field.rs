//! One field at a time.

use std::fmt::Display;
use std::str::FromStr;

use switchboard::id::{CallId, CallerRef, Code, NameFault, RequestId};
use switchboard::time::Span;
use tonic::{Code as StatusCode, Status};
use tonic_types::{ErrorDetails, StatusExt};
use uuid::Uuid;

/// A field that is not what it should be, and what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    path: String,
    mend: String,
}

impl Invalid {
    pub(crate) fn new(path: impl Into<String>, mend: impl Display) -> Invalid {
        Invalid { path: path.into(), mend: mend.to_string() }
    }
}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Status {
        invalid_status([invalid])
    }
}

/// What an answer may say of fields, in bytes. It is sent three times over in the headers that end it, and the strictest
/// client reads 8 KiB of those.
const TOLD_BYTES_MAX: usize = 1_500;

/// The answer to a request with such fields: as many as there is room for, the first always.
pub(crate) fn invalid_status(fields: impl IntoIterator<Item = Invalid>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("INVALID_FIELD", crate::refusal::DOMAIN, []);
    let mut message = String::new();
    let mut left_out = 0;
    for Invalid { path, mend } in fields {
        if !message.is_empty() && message.len() + path.len() + mend.len() > TOLD_BYTES_MAX {
            left_out += 1;
            continue;
        }
        if !message.is_empty() {
            message.push_str("; ");
        }
        message.push_str(&format!("{path}: {mend}"));
        details.add_bad_request_violation(path, mend);
    }
    if left_out > 0 {
        message.push_str(&format!("; and {left_out} more: mend these first"));
    }
    Status::with_error_details(StatusCode::InvalidArgument, message, details)
}

/// The refusal of a page token that no page ended with.
pub(crate) fn bad_page() -> Invalid {
    Invalid::new("page_token", "send the next_page_token of the page before, as it is, or nothing")
}

/// An id that people give.
pub(crate) fn name<T: FromStr<Err = NameFault>>(path: &str, text: &str) -> Result<T, Invalid> {
    text.parse().map_err(|fault| Invalid::new(path, fault))
}

/// The same, or none for an empty text.
pub(crate) fn optional_name<T: FromStr<Err = NameFault>>(
    path: &str,
    text: &str,
) -> Result<Option<T>, Invalid> {
    if text.is_empty() { Ok(None) } else { name(path, text).map(Some) }
}

/// A coded reason, topic or cause.
pub(crate) fn code(path: &str, text: &str) -> Result<Code, Invalid> {
    text.parse().map_err(|fault: NameFault| {
        Invalid::new(path, format!("a code such as 'lunch' is meant, never free text; {fault}"))
    })
}

/// The same, or none for an empty text.
pub(crate) fn optional_code(path: &str, text: &str) -> Result<Option<Code>, Invalid> {
    if text.is_empty() { Ok(None) } else { code(path, text).map(Some) }
}

/// An id that machines mint.
pub(crate) fn uuid(path: &str, text: &str) -> Result<Uuid, Invalid> {
    Uuid::try_parse(text)
        .ok()
        .filter(|uuid| !uuid.is_nil())
        .ok_or_else(|| Invalid::new(path, "a UUID is meant, as 0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11"))
}

/// The first and the last id of a call that could begin so, or none for an empty text.
pub(crate) fn calls_that_begin(path: &str, text: &str) -> Result<Option<(CallId, CallId)>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let filled = |digit: &str| {
        let rest = "00000000-0000-0000-0000-000000000000".get(text.len()..)?.replace('0', digit);
        Uuid::try_parse(&format!("{text}{rest}")).ok().map(CallId)
    };
    filled("0")
        .zip(filled("f"))
        .map(Some)
        .ok_or_else(|| Invalid::new(path, "the beginning of a UUID is meant, as 0190a5c2 or 0190a5c2-6d3e"))
}

/// The request id, or none for an empty text.
pub(crate) fn request(text: &str) -> Result<Option<RequestId>, Invalid> {
    if text.is_empty() { Ok(None) } else { uuid("request_id", text).map(|id| Some(RequestId(id))) }
}

/// A caller, by reference.
pub(crate) fn caller(path: &str, text: &str) -> Result<CallerRef, Invalid> {
    uuid(path, text).map(CallerRef)
}

/// A message that must be there.
pub(crate) fn present<T>(path: &str, message: Option<T>) -> Result<T, Invalid> {
    message.ok_or_else(|| Invalid::new(path, "this must be given"))
}

/// A length of time.
pub(crate) fn span_ms(path: &str, ms: u64) -> Result<Span, Invalid> {
    ms.checked_mul(1_000).map(Span).ok_or_else(|| Invalid::new(path, "no such length of time"))
}

/// The same, or none.
pub(crate) fn optional_span_ms(path: &str, ms: Option<u64>) -> Result<Option<Span>, Invalid> {
    ms.map(|ms| span_ms(path, ms)).transpose()
}

/// How many entries of a list.
pub(crate) fn page_size(size: u32) -> Result<usize, Invalid> {
    match size {
        0 => Ok(100),
        1..=1_000 => Ok(size as usize),
        _ => Err(Invalid::new("page_size", "from 1 to 1,000")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_much_is_wrong_the_answer_can_be_received() {
        let wrong = |n: usize| Invalid::new(format!("text:{n}:1 lines.duty.tiers"), "x".repeat(200));
        let status = invalid_status((0..50).map(wrong));
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).expect("headers");
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        assert!(bytes < 8 * 1024, "{bytes}");
        assert!(
            status.message().starts_with("text:0:1") && status.message().ends_with("more: mend these first")
        );
        let long = invalid_status([Invalid::new("text", "x".repeat(TOLD_BYTES_MAX))]);
        assert!(long.message().ends_with('x'), "the first is always told");
    }

    #[test]
    fn the_beginning_of_an_id_means_all_ids_from_its_zeros_on() {
        let between = |text: &str| {
            let (first, last) = calls_that_begin("call_begins", text).expect("a beginning").expect("one");
            (first.to_string(), last.to_string())
        };
        let whole = "0190a5c2-6d3e-7cc1-9c5b-2f5f0c1f7a11".to_owned();
        assert_eq!(between(&whole), (whole.clone(), whole.clone()));
        let (first, last) = between("0190A5C2-6");
        assert_eq!(first, "0190a5c2-6000-0000-0000-000000000000");
        assert_eq!(last, "0190a5c2-6fff-ffff-ffff-ffffffffffff");
        assert_eq!(between("0190a5c2").1, "0190a5c2-ffff-ffff-ffff-ffffffffffff");
        assert_eq!(calls_that_begin("call_begins", ""), Ok(None));
        for wrong in ["0190a5c26d3e", "x", "0190-", "电话", &format!("{whole}0")] {
            assert!(calls_that_begin("call_begins", wrong).is_err(), "{wrong}");
        }
    }
}
