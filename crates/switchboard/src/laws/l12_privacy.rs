//! L12: no number, name or free text in decisions and state, nor in anything printed. What may stand there is ids,
//! references, codes and words of this crate; the plan's own text is the hospital's, not a person's.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use serde_json::Value;

use super::{Step, Violation, demand};
use crate::decision::Decision;
use crate::id::{NAME_LEN_MAX, Seq};

const LAW: &str = "L12";

/// So many digits in a row, dashes not counted, look like a telephone number.
const NUMBER_DIGITS_MIN: usize = 7;

/// # Errors
/// Says where something stands that is neither an id nor a code.
pub(super) fn check(step: Step<'_>) -> Result<(), Violation> {
    check_decision(step.decision)
}

/// One decision, as the journal stores it.
///
/// # Errors
/// Says where something stands that is neither an id nor a code.
pub fn check_decision(decision: &Decision) -> Result<(), Violation> {
    check_value(decision.seq, &serde_json::to_value(decision).unwrap_or_default())
}

/// The canonical text of decisions or of a state.
///
/// # Errors
/// Says where something stands that is neither an id nor a code, or that the text is not canonical.
pub fn check_canonical(seq: Seq, text: &str) -> Result<(), Violation> {
    let value = serde_json::from_str(text).map_err(|error| Violation {
        law: LAW,
        seq,
        what: format!("not canonical text: {error}"),
    })?;
    check_value(seq, &value)
}

/// Any text whatever (a journal, a log, a panic) against the numbers, names and notes that were used to make it.
///
/// # Errors
/// Says which secret was found by its place in `secrets`, never the secret itself.
pub fn check_secrets(seq: Seq, text: &str, secrets: &BTreeSet<String>) -> Result<(), Violation> {
    let found = secrets.iter().position(|secret| !secret.is_empty() && text.contains(secret.as_str()));
    demand(LAW, seq, found.is_none(), || format!("secret {found:?} of those in use stands in the text"))
}

fn check_value(seq: Seq, value: &Value) -> Result<(), Violation> {
    let mut path = String::new();
    let found = foreign(value, &mut path);
    demand(LAW, seq, !found, || format!("at {path} stands something that is neither an id nor a code"))
}

/// Whether something foreign stands in a value; the path leads there.
fn foreign(value: &Value, path: &mut String) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => !is_plain(text),
        Value::Array(items) => items.iter().enumerate().any(|(n, item)| below(&format!("[{n}]"), item, path)),
        Value::Object(fields) => fields.iter().any(|(key, field)| {
            if matches!(key.as_str(), "plan" | "plans") {
                return false;
            }
            !is_plain(key) || below(&format!(".{key}"), field, path)
        }),
    }
}

fn below(step: &str, value: &Value, path: &mut String) -> bool {
    let length = path.len();
    path.push_str(step);
    let found = foreign(value, path);
    if !found {
        path.truncate(length);
    }
    found
}

/// An id, a reference, a word of this crate, or a key of a telephone.
fn is_plain(text: &str) -> bool {
    if uuid::Uuid::try_parse(text).is_ok() {
        return text.len() == 36;
    }
    let id = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    let word = !text.is_empty() && text.len() <= NAME_LEN_MAX && text.bytes().all(id);
    matches!(text, "*" | "#") || (word && !looks_like_a_number(text))
}

fn looks_like_a_number(text: &str) -> bool {
    let mut digits = 0;
    text.bytes().filter(|b| *b != b'-').any(|b| {
        digits = if b.is_ascii_digit() { digits + 1 } else { 0 };
        digits >= NUMBER_DIGITS_MIN
    })
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn ids_codes_and_references_may_stand() {
        let text = r##"{"call":"0190b5a2-7a3e-7c11-9c5e-4f0000000001","line":"outpatient-1","digit":"#","ended":{"1":"rang_out"}}"##;
        assert_eq!(check_canonical(Seq(1), text), Ok(()));
    }

    #[test]
    fn numbers_names_and_notes_may_not() {
        for text in [
            r#"{"caller":"13812345678"}"#,
            r#"{"caller":"+8613812345678"}"#,
            r#"{"caller":"021-6630-0588"}"#,
            r#"{"note":"asked twice about the results"}"#,
            r#"{"name":"王芳"}"#,
            r#"{"calls":{"13812345678":1}}"#,
        ] {
            let found = check_canonical(Seq(1), text).expect_err(text);
            assert!(!found.what.contains("138"), "the report repeats the secret: {found}");
        }
    }

    #[test]
    fn the_plans_own_text_may_stand() {
        let text = r#"{"events":[{"plan_adopted":{"revision":1,"plan":{"title":"总机 021-66300588"}}}]}"#;
        assert_eq!(check_canonical(Seq(1), text), Ok(()));
    }

    #[test]
    fn a_secret_is_found_anywhere_and_not_repeated() {
        let secrets = BTreeSet::from(["13812345678".to_string()]);
        let found =
            check_secrets(Seq(1), "log: caller 13812345678 rang", &secrets).expect_err("it stands there");
        assert!(!found.what.contains("138"));
    }
}
