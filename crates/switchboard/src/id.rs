//! Names of things. A name is data, never a pointer: the journal, the plan and the wire all carry it as text.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Longest name in bytes: the limit of one DNS label, so that a name can stand in a host name or a key.
pub const NAME_LEN_MAX: usize = 63;

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// The text is empty.
    Empty,
    /// The text is longer than [`NAME_LEN_MAX`] bytes.
    TooLong,
    /// The byte at this offset is none of `a-z`, `0-9`, `-`.
    BadByte(usize),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameFault::Empty => write!(f, "an id must not be empty"),
            NameFault::TooLong => write!(f, "an id has at most {NAME_LEN_MAX} characters"),
            NameFault::BadByte(at) => {
                write!(f, "an id uses only a-z, 0-9 and '-'; character {} is none of them", at + 1)
            }
        }
    }
}

impl core::error::Error for NameFault {}

/// A name's characters, then zeros, then how many there are. No name contains a zero, so that whole blocks of bytes
/// compare as the texts do: names are the keys of almost every look-up a decision makes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(align(8))]
struct Name([u8; NAME_LEN_MAX + 1]);

impl Name {
    fn checked(text: &str) -> Result<Name, NameFault> {
        if text.is_empty() {
            return Err(NameFault::Empty);
        }
        if let Some(at) = text.bytes().position(|b| !matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return Err(NameFault::BadByte(at));
        }
        if text.len() > NAME_LEN_MAX {
            return Err(NameFault::TooLong);
        }
        let mut bytes = [0; NAME_LEN_MAX + 1];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes[NAME_LEN_MAX] = text.len() as u8;
        Ok(Name(bytes))
    }

    fn as_str(&self) -> &str {
        let len = usize::from(self.0[NAME_LEN_MAX]);
        core::str::from_utf8(&self.0[..len]).expect("a name has only letters, digits and '-'")
    }

    /// The first sixteen characters as one number: most names differ there.
    fn head(&self) -> u128 {
        self.0.first_chunk().map_or(0, |head| u128::from_be_bytes(*head))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.head().cmp(&other.head()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Name);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl core::str::FromStr for $name {
            type Err = NameFault;
            fn from_str(text: &str) -> Result<Self, NameFault> {
                Name::checked(text).map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an id of a-z, 0-9 and '-'")
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        Name::checked(text).map($name).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

name!(
    /// One hospital's hotline centre.
    SiteId
);
name!(
    /// A published number or service with its hours and tiers.
    LineId
);
name!(
    /// A group of operators that tiers can name.
    TeamId
);
name!(
    /// A person who answers.
    OperatorId
);
name!(
    /// Something an operator can do that a caller may need: a dialect, a licence.
    SkillId
);
name!(
    /// One of the hospital's own numbers, by id; the number itself stands in the plan's text.
    DestinationId
);
name!(
    /// A recording, by id.
    PromptId
);
name!(
    /// A telephony gateway.
    GatewayId
);
name!(
    /// A coded reason, topic or cause: never free text.
    Code
);
name!(
    /// Who is logged in: a supervisor, an administrator, an integrator.
    PrincipalId
);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// One caller's passage from first ring to close; the gateway mints it (UUIDv7).
    CallId
);
uuid_id!(
    /// A caller as the switchboard knows one: a random reference, never a number.
    CallerRef
);
uuid_id!(
    /// Minted by the client for each command it wants done once.
    RequestId
);
uuid_id!(
    /// One installation of a desk; survives a reload.
    DeskId
);

/// One attempt to reach somebody for a call: 1, 2, 3… over all its offers, consults and diverts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attempt(pub u32);

/// A call reserved for one operator: the call and which attempt it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OfferId {
    /// The call.
    pub call: CallId,
    /// Which attempt of that call.
    pub attempt: Attempt,
}

/// A decision's place in the site's history: 1, 2, 3… without gaps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// The one after this.
    pub fn next(self) -> Seq {
        Seq(self.0 + 1)
    }
}

/// Which adoption of the plan: 1, 2, 3…; 0 before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Revision(pub u32);

/// Which session of an operator's desk: a new desk takes over with the next number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeskSession(pub u32);

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_texts() {
        let longest = "z".repeat(NAME_LEN_MAX);
        let texts = [
            "a",
            "a-",
            "a-1",
            "a0",
            "aa",
            "op-1",
            "op-10",
            "op-2",
            "outpatient-line-1",
            "outpatient-line-10",
            longest.as_str(),
        ];
        let names: Vec<OperatorId> = texts.iter().map(|text| text.parse().unwrap()).collect();
        assert!(texts.is_sorted() && names.is_sorted());
        let back: Vec<String> = names.iter().map(|name| name.as_str().into()).collect();
        assert_eq!(back, texts);
    }

    #[test]
    fn what_is_no_name_is_told_why() {
        let fault = |text: &str| text.parse::<LineId>().unwrap_err();
        assert_eq!(fault(""), NameFault::Empty);
        assert_eq!(fault("no name"), NameFault::BadByte(2));
        assert_eq!(fault("a\0"), NameFault::BadByte(1));
        assert_eq!(fault(&"a".repeat(NAME_LEN_MAX + 1)), NameFault::TooLong);
    }
}
