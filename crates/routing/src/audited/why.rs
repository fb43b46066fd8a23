//! Why, in the words of whoever asks.

use http::{HeaderMap, HeaderName};
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::convert::Invalid;

/// Where a reason may stand beside a request.
const WHY: &str = "hotline-why-bin";
/// Longest reason, in characters.
const WHY_CHARS_MAX: usize = 500;

/// The reason that stands beside a request, or an empty one.
pub(crate) fn why_of(headers: &HeaderMap) -> Result<String, Status> {
    let Some(sent) = headers.get(WHY) else { return Ok(String::new()) };
    let none = || Invalid::new(WHY, "UTF-8 text, in base64 as gRPC sends binary metadata");
    let alone =
        MetadataMap::from_headers(HeaderMap::from_iter([(HeaderName::from_static(WHY), sent.clone())]));
    let bytes = alone.get_bin(WHY).and_then(|value| value.to_bytes().ok()).ok_or_else(none)?;
    Ok(why(WHY, std::str::from_utf8(&bytes).map_err(|_| none())?)?)
}

/// A reason in somebody's words.
pub(crate) fn why(path: &str, text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    if text.chars().count() > WHY_CHARS_MAX {
        return Err(Invalid::new(path, format!("at most {WHY_CHARS_MAX} characters")));
    }
    if text.chars().any(is_control) {
        return Err(Invalid::new(path, "no control characters, line ends and signs of direction among them"));
    }
    Ok(text.to_owned())
}

/// The same, and there must be one.
pub(crate) fn needed_why(path: &str, text: &str) -> Result<String, Invalid> {
    let text = why(path, text)?;
    if text.is_empty() { Err(Invalid::new(path, "say why; it is recorded")) } else { Ok(text) }
}

/// What a screen would obey instead of showing.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tonic::Code;
    use tonic::metadata::MetadataValue;

    use super::*;

    fn encoded(bytes: &[u8]) -> HeaderValue {
        let value = MetadataValue::from_bytes(bytes);
        HeaderValue::from_bytes(value.as_encoded_bytes()).expect("base64")
    }

    #[test]
    fn a_reason_is_text_that_a_screen_can_show() {
        assert_eq!(why("reason", " 夜班少两人 \n").as_deref(), Ok("夜班少两人"));
        assert!(why("reason", &"线".repeat(WHY_CHARS_MAX)).is_ok());
        for bad in ["a\u{1b}[31mb", "a\nb", "a\u{202e}b", "a\0b", &"线".repeat(WHY_CHARS_MAX + 1)] {
            assert!(why("reason", bad).is_err(), "{bad:?}");
        }
        assert!(needed_why("reason", "  ").is_err());
        let mut headers = HeaderMap::new();
        assert_eq!(why_of(&headers).expect("nothing was said"), "");
        headers.insert(WHY, encoded("夜班".as_bytes()));
        assert_eq!(why_of(&headers).expect("a reason"), "夜班");
        for bad in [encoded(&[0xff, 0xfe]), HeaderValue::from_bytes("€".as_bytes()).expect("bytes")] {
            headers.insert(WHY, bad);
            assert_eq!(why_of(&headers).expect_err("no text").code(), Code::InvalidArgument);
        }
    }
}
