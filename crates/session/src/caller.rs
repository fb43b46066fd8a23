//! Callers: a number becomes a random reference, and only the reference goes any further.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use switchboard::id::{CallerRef, SiteId};
use uuid::{Builder, Uuid};

use crate::subject::Erasure;

/// Longest number taken, in bytes as received; what is longer is cut, no caller is refused for it.
pub const CALLER_NUMBER_LEN_MAX: usize = 64;

/// A caller's number as received, or that it was withheld. Shown by nothing: neither `Debug` nor an error carries it.
#[derive(Clone, PartialEq, Eq)]
pub struct CallerNumber(Option<String>);

impl CallerNumber {
    /// A number as a telephone network delivered it. Spaces and signs between the digits do not make another caller;
    /// a text with anything else in it, such as an address with letters, is kept as it is. An empty one is a withheld
    /// number.
    pub fn received(text: &str) -> CallerNumber {
        let text = text.trim();
        let bare: String = text.chars().filter(|c| !is_separator(*c)).collect();
        let number: String = if is_number(&bare) { bare } else { text.to_owned() }
            .char_indices()
            .take_while(|(start, c)| start + c.len_utf8() <= CALLER_NUMBER_LEN_MAX)
            .map(|(_, c)| c)
            .collect();
        CallerNumber((!number.is_empty()).then_some(number))
    }

    /// A caller who does not say the number.
    pub fn withheld() -> CallerNumber {
        CallerNumber(None)
    }

    /// The number itself: for the room that seals it, and for whoever may see it and has said why.
    pub fn reveal(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The number for people who need only recognise it, such as 138****8000.
    pub fn masked(&self) -> String {
        const HIDDEN: usize = 4;
        let number: Vec<char> = self.0.as_deref().unwrap_or_default().chars().collect();
        let (begin, end) = match number.len() {
            0..=4 => (0, 0),
            5..=8 => (0, 2),
            long => ((long - 2 * HIDDEN).min(6), HIDDEN),
        };
        let shown = |part: &[char]| part.iter().collect::<String>();
        format!("{}{}{}", shown(&number[..begin]), "*".repeat(HIDDEN), shown(&number[number.len() - end..]))
    }

    /// Whether it was withheld.
    pub fn is_withheld(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it is digits that begin like this: how the hospital's own telephones are recognised.
    pub fn begins_with(&self, prefix: &str) -> bool {
        self.0.as_deref().is_some_and(|number| is_number(number) && number.starts_with(prefix))
    }
}

/// What people and exchanges write between digits.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '.' | '/' | '(' | ')')
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Debug for CallerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_withheld() { "CallerNumber(withheld)" } else { "CallerNumber(…)" })
    }
}

/// Why a caller has no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallersFault {
    /// The store did not answer; nothing was written.
    #[error("the record of callers cannot be reached: {0}")]
    Unavailable(String),
    /// The machine gave no random bytes.
    #[error("the machine gave no random bytes: {0}")]
    NoChance(String),
    /// What the store holds cannot be read.
    #[error("the record of callers is damaged: {0}; restore it from a backup")]
    Damaged(String),
}

/// Who calls, as a reference. It is written with the arrival that names it, or before.
#[async_trait]
pub trait Callers: Send + Sync {
    /// The reference of a number at a site: the same as long as the record remembers it. A withheld number gets a
    /// fresh one each time.
    ///
    /// # Errors
    /// [`CallersFault`].
    async fn reference(&self, site: SiteId, number: &CallerNumber) -> Result<CallerRef, CallersFault>;
}

/// References in memory; they and the numbers end with the process.
pub struct MemoryCallers {
    pub(crate) chance: Chance,
    pub(crate) known: Mutex<BTreeMap<SiteId, BTreeMap<String, CallerRef>>>,
    pub(crate) noted: Mutex<Noted>,
}

/// What is noted of callers beside their numbers.
#[derive(Default)]
pub(crate) struct Noted {
    pub(crate) erasures: BTreeMap<(SiteId, Uuid), Erasure>,
    pub(crate) noticed_us: BTreeMap<(SiteId, CallerRef), i64>,
}

/// Where references come from.
pub(crate) enum Chance {
    Machine,
    Seeded {
        seed: u64,
        withheld: AtomicU64,
        /// Nobody is given one of these again.
        forgotten: Mutex<BTreeSet<CallerRef>>,
    },
}

impl MemoryCallers {
    /// Random references.
    pub fn random() -> MemoryCallers {
        MemoryCallers::by(Chance::Machine)
    }

    /// References that follow from a seed, whatever the order of the callers: for a stepped clock, where the same
    /// seed is to give the same day. Whoever knows the seed can test numbers against references.
    pub fn seeded(seed: u64) -> MemoryCallers {
        MemoryCallers::by(Chance::seeded(seed, 0))
    }

    fn by(chance: Chance) -> MemoryCallers {
        MemoryCallers { chance, known: Mutex::default(), noted: Mutex::default() }
    }
}

impl Chance {
    /// From a seed; withheld numbers go on behind the first `withheld`.
    pub(crate) fn seeded(seed: u64, withheld: u64) -> Chance {
        Chance::Seeded { seed, withheld: AtomicU64::new(withheld), forgotten: Mutex::default() }
    }

    /// The same behind a number that grows from start to start.
    pub(crate) fn seeded_behind(seed: u64, before: u64) -> Chance {
        /// More withheld numbers than ring in between two decisions.
        const OF_ONE_START: u64 = 1 << 20;
        Chance::seeded(seed, before.wrapping_mul(OF_ONE_START))
    }

    pub(crate) fn reference(&self, site: SiteId, number: Option<&str>) -> Result<CallerRef, CallersFault> {
        match self {
            Chance::Machine => {
                let mut bytes = [0; 16];
                getrandom::fill(&mut bytes).map_err(|fault| CallersFault::NoChance(fault.to_string()))?;
                Ok(CallerRef(Builder::from_random_bytes(bytes).into_uuid()))
            }
            Chance::Seeded { seed, withheld, forgotten } => {
                let mut sha = Sha256::new();
                sha.update(seed.to_be_bytes());
                sha.update(site.as_str());
                match number {
                    Some(number) => sha.update([b"/n/", number.as_bytes()].concat()),
                    None => {
                        let nth = withheld.fetch_add(1, Ordering::Relaxed);
                        sha.update([b"/w/", nth.to_be_bytes().as_slice()].concat());
                    }
                }
                let forgotten = forgotten.lock().unwrap_or_else(PoisonError::into_inner);
                loop {
                    let hash: [u8; 32] = sha.clone().finalize().into();
                    let mut bytes = [0; 16];
                    bytes.copy_from_slice(&hash[..16]);
                    let caller = CallerRef(Builder::from_custom_bytes(bytes).into_uuid());
                    if !forgotten.contains(&caller) {
                        return Ok(caller);
                    }
                    sha.update(b"/again");
                }
            }
        }
    }

    /// These references stay nobody's. Chance gives none of them again; a seed has to be told.
    pub(crate) fn forget(&self, callers: &BTreeSet<CallerRef>) {
        if let Chance::Seeded { forgotten, .. } = self {
            forgotten.lock().unwrap_or_else(PoisonError::into_inner).extend(callers);
        }
    }
}

#[async_trait]
impl Callers for MemoryCallers {
    async fn reference(&self, site: SiteId, number: &CallerNumber) -> Result<CallerRef, CallersFault> {
        let Some(number) = number.0.as_deref() else { return self.chance.reference(site, None) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let callers = known.entry(site).or_default();
        if let Some(caller) = callers.get(number) {
            return Ok(*caller);
        }
        let caller = self.chance.reference(site, Some(number))?;
        callers.insert(number.to_owned(), caller);
        Ok(caller)
    }
}

impl fmt::Debug for MemoryCallers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryCallers")
    }
}
