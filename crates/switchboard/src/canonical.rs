//! The one encoding of decisions and state: compact JSON, fields in the order of their declaration, maps in the order
//! of their keys. Equal values have equal bytes on any machine.

use alloc::string::String;
use core::fmt;

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// Encodes.
///
/// # Panics
/// Never for the types of this crate: they have no map key that is not text, and nothing else fails.
pub fn encode<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("canonical types have text keys only")
}

/// Decodes.
///
/// # Errors
/// When the text is not what [`encode`] writes for this type.
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

/// A SHA-256, of a state or of a history.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of a canonical text.
    pub fn of(text: &str) -> Hash {
        Hash(Sha256::digest(text.as_bytes()).into())
    }

    /// Of a history: the hash so far, then the next text.
    #[must_use]
    pub fn then(self, text: &str) -> Hash {
        let mut sha = Sha256::new();
        sha.update(self.0);
        sha.update(text.as_bytes());
        Hash(sha.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
