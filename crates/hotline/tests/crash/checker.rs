//! Compares what a gateway and its desks saw with what the journal says, and counts what must never be: callers lost,
//! connected twice, bridges that only one side knows of, books that do not balance. It reads records only, so that each
//! of its findings can be forged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Something that was acknowledged, and that the journal must therefore know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// A caller rang in.
    Arrived { call: String },
    /// A call is over.
    Closed { call: String },
    /// An operator took an offer.
    Accepted { call: String, attempt: u32 },
    /// Caller and operator hear each other; or that attempt was over when the gateway said so.
    Bridged { call: String, attempt: u32 },
}

impl Deed {
    /// Which call's.
    pub(crate) fn call(&self) -> &str {
        match self {
            Deed::Arrived { call }
            | Deed::Closed { call }
            | Deed::Accepted { call, .. }
            | Deed::Bridged { call, .. } => call,
        }
    }
}

/// What an operator's screen shows of calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Screen {
    /// The live offer: call and attempt.
    pub(crate) offer: Option<(String, u32)>,
    /// The call the operator talks in.
    pub(crate) talks: Option<String>,
}

/// What the gateway and the desks hold at one moment, and what they were told before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Every live caller's leg, and the operators it is bridged with.
    pub(crate) legs: BTreeMap<String, BTreeSet<String>>,
    /// By operator.
    pub(crate) screens: BTreeMap<String, Screen>,
    /// What was acknowledged since the beginning.
    pub(crate) acknowledged: BTreeSet<Deed>,
    /// Moments at which somebody was connected twice, in words.
    pub(crate) doubles: Vec<String>,
}

/// What the journal says at the same moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    /// Every open call, and the operator it is bridged with.
    pub(crate) open: BTreeMap<String, Option<String>>,
    /// What each desk is to show.
    pub(crate) screens: BTreeMap<String, Screen>,
    /// What happened since the beginning.
    pub(crate) happened: BTreeSet<Deed>,
    /// How often each call arrived and closed.
    pub(crate) passages: BTreeMap<String, Passage>,
    /// Laws that did not hold, in words.
    pub(crate) violations: Vec<String>,
}

/// How often a call came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Passage {
    pub(crate) arrivals: u32,
    pub(crate) closes: u32,
}

/// What must never be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// A leg without an open call, an open call without a leg, an acknowledgement without a trace.
    pub(crate) lost: Vec<String>,
    /// A caller with two operators, an operator with two callers.
    pub(crate) doubly_connected: Vec<String>,
    /// A bridge or an offer that one side alone knows of.
    pub(crate) phantom: Vec<String>,
    /// A call that came and went otherwise than once, a law that did not hold.
    pub(crate) unbalanced: Vec<String>,
}

impl Findings {
    pub(crate) fn is_clean(&self) -> bool {
        [&self.lost, &self.doubly_connected, &self.phantom, &self.unbalanced].iter().all(|f| f.is_empty())
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lost, {} doubly connected, {} phantom, {} unbalanced",
            self.lost.len(),
            self.doubly_connected.len(),
            self.phantom.len(),
            self.unbalanced.len()
        )?;
        let all = [&self.lost, &self.doubly_connected, &self.phantom, &self.unbalanced];
        all.into_iter().flatten().take(20).try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

/// Everything that is wrong at this moment. What is only under way looks wrong, too: whoever calls this lets both
/// sides come to rest first, and asks again for as long as they may take.
pub(crate) fn compare(seen: &Seen, written: &Written) -> Findings {
    let mut findings = Findings {
        doubly_connected: seen.doubles.clone(),
        unbalanced: written.violations.clone(),
        ..Findings::default()
    };
    compare_callers(seen, written, &mut findings);
    compare_bridges(seen, written, &mut findings);
    compare_screens(seen, written, &mut findings);
    balance(written, &mut findings);
    findings
}

fn compare_callers(seen: &Seen, written: &Written, findings: &mut Findings) {
    for call in seen.legs.keys().filter(|call| !written.open.contains_key(*call)) {
        findings.lost.push(format!("the leg of {call} is alive, and the call is not open"));
    }
    for call in written.open.keys().filter(|call| !seen.legs.contains_key(*call)) {
        findings.lost.push(format!("{call} is open and has no leg"));
    }
    for deed in seen.acknowledged.difference(&written.happened) {
        findings.lost.push(format!("acknowledged and not in the journal: {deed:?} of {}", deed.call()));
    }
}

fn compare_bridges(seen: &Seen, written: &Written, findings: &mut Findings) {
    let mut with: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (call, operators) in &seen.legs {
        if operators.len() > 1 {
            findings.doubly_connected.push(format!("{call} is bridged with {operators:?}"));
        }
        operators.iter().for_each(|operator| with.entry(operator).or_default().push(call));
        let told = written.open.get(call).and_then(Option::as_ref);
        if written.open.contains_key(call) && operators.iter().collect::<Vec<_>>() != Vec::from_iter(told) {
            findings.phantom.push(format!("{call} is bridged with {operators:?}, the journal says {told:?}"));
        }
    }
    for (operator, calls) in with.into_iter().filter(|(_, calls)| calls.len() > 1) {
        findings.doubly_connected.push(format!("{operator} is bridged with {calls:?}"));
    }
}

fn compare_screens(seen: &Seen, written: &Written, findings: &mut Findings) {
    for (operator, screen) in &seen.screens {
        let busy = [screen.offer.as_ref().map(|(call, _)| call), screen.talks.as_ref()];
        if let [Some(offered), Some(talks)] = busy {
            findings.doubly_connected.push(format!("{operator} is offered {offered} and talks in {talks}"));
        }
        let told = written.screens.get(operator);
        if told != Some(screen) {
            findings.phantom.push(format!("the desk of {operator} shows {screen:?}, it should {told:?}"));
        }
    }
}

fn balance(written: &Written, findings: &mut Findings) {
    for (call, passage) in &written.passages {
        let Passage { arrivals, closes } = *passage;
        let open = u32::from(written.open.contains_key(call));
        if arrivals != 1 || closes + open != 1 {
            findings.unbalanced.push(format!("{call}: arrived {arrivals}, closed {closes}, open {open}"));
        }
    }
    for call in written.open.keys().filter(|call| !written.passages.contains_key(*call)) {
        findings.unbalanced.push(format!("{call} is open and never arrived"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        text.to_owned()
    }

    /// Two calls, one talking with a, one offered to b; a third is over.
    fn sound() -> (Seen, Written) {
        let talks = Screen { offer: None, talks: Some(name("one")) };
        let offered = Screen { offer: Some((name("two"), 1)), talks: None };
        let screens = BTreeMap::from([(name("a"), talks), (name("b"), offered)]);
        let arrived = |call| Deed::Arrived { call: name(call) };
        let happened = BTreeSet::from([
            arrived("one"),
            arrived("two"),
            arrived("three"),
            Deed::Accepted { call: name("one"), attempt: 1 },
            Deed::Bridged { call: name("one"), attempt: 1 },
            Deed::Closed { call: name("three") },
        ]);
        let once = Passage { arrivals: 1, closes: 0 };
        let seen = Seen {
            legs: BTreeMap::from([
                (name("one"), BTreeSet::from([name("a")])),
                (name("two"), BTreeSet::new()),
            ]),
            screens: screens.clone(),
            acknowledged: happened.clone(),
            doubles: Vec::new(),
        };
        let written = Written {
            open: BTreeMap::from([(name("one"), Some(name("a"))), (name("two"), None)]),
            screens,
            happened,
            passages: BTreeMap::from([
                (name("one"), once),
                (name("two"), once),
                (name("three"), Passage { arrivals: 1, closes: 1 }),
            ]),
            violations: Vec::new(),
        };
        (seen, written)
    }

    /// What is found of each kind, in the order lost, doubly connected, phantom, unbalanced.
    fn found(forge: impl FnOnce(&mut Seen, &mut Written)) -> [usize; 4] {
        let (mut seen, mut written) = sound();
        assert!(compare(&seen, &written).is_clean(), "before it is forged");
        forge(&mut seen, &mut written);
        let Findings { lost, doubly_connected, phantom, unbalanced } = compare(&seen, &written);
        [lost.len(), doubly_connected.len(), phantom.len(), unbalanced.len()]
    }

    #[test]
    fn a_lost_caller_is_seen() {
        let alive = found(|seen, _| {
            seen.legs.insert(name("four"), BTreeSet::new());
        });
        assert_eq!(alive, [1, 0, 0, 0]);
        let gone = found(|seen, _| {
            seen.legs.remove("two");
        });
        assert_eq!(gone, [1, 0, 0, 0]);
        for deed in sound().0.acknowledged {
            let forgotten = found(|_, written| {
                written.happened.remove(&deed);
            });
            assert_eq!(forgotten, [1, 0, 0, 0], "{deed:?}");
        }
    }

    #[test]
    fn a_double_connection_is_seen() {
        let caller = found(|seen, _| {
            seen.legs.insert(name("one"), BTreeSet::from([name("a"), name("b")]));
        });
        assert_eq!(caller, [0, 1, 1, 0]);
        let operator = found(|seen, _| {
            seen.legs.insert(name("two"), BTreeSet::from([name("a")]));
        });
        assert_eq!(operator, [0, 1, 1, 0]);
        let screen = found(|seen, written| {
            let both = Screen { offer: Some((name("two"), 1)), talks: Some(name("one")) };
            seen.screens.insert(name("a"), both.clone());
            written.screens.insert(name("a"), both);
        });
        assert_eq!(screen, [0, 1, 0, 0]);
        assert_eq!(found(|seen, _| seen.doubles.push(name("for a moment"))), [0, 1, 0, 0]);
    }

    #[test]
    fn a_phantom_is_seen() {
        let here = found(|seen, _| {
            seen.legs.insert(name("two"), BTreeSet::from([name("b")]));
        });
        assert_eq!(here, [0, 0, 1, 0]);
        let there = found(|seen, _| {
            seen.legs.insert(name("one"), BTreeSet::new());
        });
        assert_eq!(there, [0, 0, 1, 0]);
        let other = found(|_, written| {
            written.open.insert(name("one"), Some(name("b")));
        });
        assert_eq!(other, [0, 0, 1, 0]);
        let dark = found(|seen, _| {
            seen.screens.insert(name("b"), Screen::default());
        });
        assert_eq!(dark, [0, 0, 1, 0]);
        let unknown = found(|seen, _| {
            seen.screens.insert(name("c"), Screen::default());
        });
        assert_eq!(unknown, [0, 0, 1, 0]);
    }

    #[test]
    fn books_that_do_not_balance_are_seen() {
        for (arrivals, closes) in [(2, 1), (1, 2), (1, 0), (0, 1)] {
            let wrong = found(|_, written| {
                written.passages.insert(name("three"), Passage { arrivals, closes });
            });
            assert_eq!(wrong, [0, 0, 0, 1], "{arrivals} {closes}");
        }
        let closed_and_open = found(|_, written| {
            written.passages.insert(name("two"), Passage { arrivals: 1, closes: 1 });
        });
        assert_eq!(closed_and_open, [0, 0, 0, 1]);
        let never_arrived = found(|_, written| {
            written.passages.remove("two");
        });
        assert_eq!(never_arrived, [0, 0, 0, 1]);
        assert_eq!(found(|_, written| written.violations.push(name("L04"))), [0, 0, 0, 1]);
    }

    #[test]
    fn findings_are_told_by_number_and_in_words() {
        let (mut seen, written) = sound();
        seen.legs.remove("two");
        let told = compare(&seen, &written).to_string();
        assert!(told.starts_with("1 lost, 0 doubly connected, 0 phantom, 0 unbalanced"), "{told}");
        assert!(told.contains("two is open and has no leg"), "{told}");
    }
}
