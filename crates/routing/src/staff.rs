//! Which callers are the hospital's own people.

use session::CallerNumber;
use switchboard::call::CallerKind;

/// Numbers and prefixes of the hospital's own telephones, from the server's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaffNumbers(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Number(CallerNumber),
    Prefix(String),
}

/// The text is no number and no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a staff number is digits with an optional leading '+', and '*' at the end for a prefix; this is not: {0}"
)]
pub struct BadStaffNumber(String);

impl StaffNumbers {
    /// From texts such as `8001` (a number) and `0216630*` (a prefix).
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<StaffNumbers, BadStaffNumber> {
        texts.into_iter().map(pattern).collect::<Result<_, _>>().map(StaffNumbers)
    }

    /// Public or staff. A withheld number is public.
    pub fn kind(&self, number: &CallerNumber) -> CallerKind {
        let matches = |pattern: &Pattern| match pattern {
            Pattern::Number(staff) => staff == number,
            Pattern::Prefix(prefix) => number.begins_with(prefix),
        };
        if self.0.iter().any(matches) { CallerKind::Staff } else { CallerKind::Public }
    }
}

fn pattern(text: &str) -> Result<Pattern, BadStaffNumber> {
    let (number, is_prefix) = text.strip_suffix('*').map_or((text, false), |prefix| (prefix, true));
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadStaffNumber(text.to_owned()));
    }
    Ok(if is_prefix {
        Pattern::Prefix(number.to_owned())
    } else {
        Pattern::Number(CallerNumber::received(number))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(staff: &[&str], number: &str) -> CallerKind {
        let staff = StaffNumbers::parse(staff.iter().copied()).expect("patterns");
        staff.kind(&CallerNumber::received(number))
    }

    #[test]
    fn numbers_match_whole_and_prefixes_at_the_start() {
        assert_eq!(kind(&["8001", "0216*"], "8001"), CallerKind::Staff);
        assert_eq!(kind(&["8001", "0216*"], "80 01"), CallerKind::Staff);
        assert_eq!(kind(&["8001", "0216*"], "80011"), CallerKind::Public);
        assert_eq!(kind(&["8001", "0216*"], "021663"), CallerKind::Staff);
        assert_eq!(kind(&["8001", "0216*"], ""), CallerKind::Public);
        assert_eq!(kind(&[], "8001"), CallerKind::Public);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "*", "+", "80x1", "8*1", "８００１"] {
            assert!(StaffNumbers::parse([text]).is_err(), "{text}");
        }
    }
}
