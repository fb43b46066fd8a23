//! Names of things. A name is data, never a pointer: the journal, the plan and the wire all carry it as text.

use core::fmt;

use arrayvec::ArrayString;
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

fn checked(text: &str) -> Result<ArrayString<NAME_LEN_MAX>, NameFault> {
    if text.is_empty() {
        return Err(NameFault::Empty);
    }
    if let Some(at) = text.bytes().position(|b| !matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Err(NameFault::BadByte(at));
    }
    ArrayString::from(text).map_err(|_| NameFault::TooLong)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ArrayString<NAME_LEN_MAX>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::str::FromStr for $name {
            type Err = NameFault;
            fn from_str(text: &str) -> Result<Self, NameFault> {
                checked(text).map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
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
                        checked(text).map($name).map_err(E::custom)
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
