//! What somebody wrote where none of it belongs may be a secret: an address with its password, or a key. Whoever reads a
//! screen or a log is not to find it there.

/// Digits in a row that may be a key's.
const KEY_DIGITS: usize = 32;

/// Whether a text may be an address of a database with its password, and hardly the name of a file.
pub(crate) fn is_address(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains('@') && text.contains(':') || text.contains('=') && text.contains("pass")
}

/// Whether a text may hold a secret.
pub(crate) fn may_be_in(text: &str) -> bool {
    let text = text.to_lowercase().replace("password_file", "");
    let is_address = is_address(&text);
    let is_named = ["pass", "pwd", "secret"].iter().any(|name| text.contains(name));
    is_address || is_named || text.split(|c: char| !c.is_ascii_hexdigit()).any(|run| run.len() >= KEY_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_told_from_what_is_none() {
        for text in [
            "postgres://me:pw@db/calls",
            "me:pw@db/calls",
            "host=db PASSWORD = pw",
            "pwd: pw",
            "'password'\t= 'pw'",
            "seal-key = \"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0\"",
        ] {
            assert!(may_be_in(text), "{text}");
        }
        for text in [
            "password_file = \"redis\"",
            "/run/credentials/hotline@main.service/database",
            "postgres://db/calls",
            "1a0b7c1a-9b07-44d6-8251-0226f931cea0",
            "listen = [\"127.0.0.1:7430\"]",
        ] {
            assert!(!may_be_in(text), "{text}");
        }
        assert!(is_address("host=db PASSWORD = pw") && !is_address("/run/secrets/postgres_password"));
    }
}
