//! What happened, in plain words. Each event becomes one or two sentences out of a fixed vocabulary; the right side of
//! a scenario's line is held against the same sentences, so that what is expected and what is told cannot drift apart.

mod answers;
mod calls;
mod offers;
mod operators;
mod refusals;
mod site;
mod treatment;
mod vocabulary;

use std::collections::BTreeMap;

use switchboard::event::Event;
use switchboard::id::{CallId, CallerRef, LineId, OfferId, OperatorId, Revision};
use switchboard::plan::{Plan, Who};

pub(crate) use self::answers::{about_call, about_operator};
pub(crate) use self::refusals::{refused, replied};
pub(crate) use self::treatment::{experienced, hears};
pub(crate) use self::vocabulary::{SECTIONS, sentences};
use crate::text::Pattern;

/// One thing that happened, as a sentence with parts that an expectation may leave out.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) words: Pattern,
    /// So common that a line need not name it.
    pub(crate) quiet: bool,
}

/// What a teller knows beyond the event itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    offers: BTreeMap<OfferId, OperatorId>,
    callers: BTreeMap<CallerRef, String>,
    plans: BTreeMap<Revision, Plan>,
    promised: BTreeMap<CallId, (LineId, Revision)>,
}

impl Memory {
    /// Takes note of who is who.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::OfferMade { call, attempt, operator, .. } => {
                self.offers.insert(OfferId { call: *call, attempt: *attempt }, *operator);
            }
            Event::CallArrived { call, caller, line, revision, .. } => {
                self.callers.entry(*caller).or_insert_with(|| call_name(*call));
                self.promised.insert(*call, (*line, *revision));
            }
            Event::CallMoved { call, to: line, revision, .. }
            | Event::CallTransferred { call, line, revision, .. } => {
                self.promised.insert(*call, (*line, *revision));
            }
            Event::CallMigrated { call, revision, .. } => {
                let line = self.promised.get(call).map(|(line, _)| *line);
                self.promised.extend(line.map(|line| (*call, (line, *revision))));
            }
            Event::PlanAdopted { revision, plan, .. } => {
                self.plans.insert(*revision, (**plan).clone());
            }
            _ => {}
        }
    }

    fn asked(&self, call: CallId, attempt: switchboard::id::Attempt) -> String {
        self.offers.get(&OfferId { call, attempt }).map_or("nobody".to_owned(), ToString::to_string)
    }

    fn tier(&self, call: CallId, tier: u8) -> String {
        let promised =
            self.promised.get(&call).and_then(|(line, revision)| self.plans.get(revision)?.lines.get(line));
        let tier = promised.and_then(|line| line.tiers.get(usize::from(tier)));
        tier.map_or("nobody".to_owned(), |tier| tier_name(&tier.who))
    }

    fn caller(&self, caller: CallerRef) -> String {
        self.callers.get(&caller).cloned().unwrap_or_else(|| "Z".to_owned())
    }
}

/// What an event says; most say one thing. A new event is told here, or nothing is built.
pub(crate) fn told(event: &Event, memory: &Memory) -> Vec<Happening> {
    match event {
        Event::CallArrived { .. }
        | Event::CallMoved { .. }
        | Event::SkillChosen { .. }
        | Event::PreferenceRelaxed { .. }
        | Event::TierOpened { .. }
        | Event::CallMigrated { .. }
        | Event::TargetExpired { .. }
        | Event::ClosingStarted { .. }
        | Event::CallRequeued { .. }
        | Event::CallDiverted { .. }
        | Event::DivertConnected { .. }
        | Event::DivertFailed { .. }
        | Event::CallClosed { .. } => calls::passage(event, memory),
        Event::OfferMade { .. }
        | Event::OfferDelivered { .. }
        | Event::OfferAccepted { .. }
        | Event::OfferDeclined { .. }
        | Event::OfferRangOut { .. }
        | Event::OfferUndeliverable { .. }
        | Event::OfferWithdrawn { .. }
        | Event::BridgeFailed { .. }
        | Event::LateAcceptNoted { .. } => offers::told(event, memory),
        Event::CallConnected { .. }
        | Event::ConsultConnected { .. }
        | Event::ConsultEnded { .. }
        | Event::CallHeld { .. }
        | Event::CallRetrieved { .. }
        | Event::CallTransferred { .. }
        | Event::TransferCompleted { .. } => calls::talk(event, memory),
        Event::WentOnDuty { .. }
        | Event::OperatorPaused { .. }
        | Event::PauseNoted { .. }
        | Event::OperatorResumed { .. }
        | Event::OperatorLeaving { .. }
        | Event::WentOffDuty { .. }
        | Event::CooledDown { .. }
        | Event::WrapUpStarted { .. }
        | Event::WrapUpEnded { .. }
        | Event::OperatorForcedIdle { .. } => operators::duty(event),
        Event::DeskAttached { .. }
        | Event::DeskDropped { .. }
        | Event::DeskLost { .. }
        | Event::OutsideCallStarted { .. }
        | Event::OutsideCallEnded { .. } => operators::desk(event),
        Event::ShiftStarted { .. }
        | Event::ShiftEnding { .. }
        | Event::ShiftEnded { .. }
        | Event::OperatorAdded { .. }
        | Event::OperatorChanged { .. }
        | Event::OperatorRemoving { .. }
        | Event::OperatorRemoved { .. } => operators::roster(event),
        Event::LineOpened { .. }
        | Event::LineClosedBySchedule { .. }
        | Event::LineClosedByHand { .. }
        | Event::LineScheduleNoted { .. }
        | Event::LineDraining { .. }
        | Event::LineRetired { .. }
        | Event::LineDiverted { .. }
        | Event::LineDivertEnded { .. } => site::line(event),
        Event::PlanAdopted { .. }
        | Event::ScheduleExtended { .. }
        | Event::EdgePassed
        | Event::CallerBlocked { .. }
        | Event::CallerUnblocked { .. }
        | Event::GatewayAttached { .. }
        | Event::GatewayLost { .. }
        | Event::SiteRetired
        | Event::AlarmRaised { .. } => site::others(event, memory),
    }
}

/// A call's letter, from its id.
pub(crate) fn call_name(call: CallId) -> String {
    let code = call.0.as_u128() & 0xffff_ffff;
    let letter = char::from(u8::try_from(code >> 24).expect("a call's letter is ASCII"));
    match code & 0xff_ffff {
        0 => letter.to_string(),
        number => format!("{letter}{number}"),
    }
}

/// The people of a tier in the words of plans.
pub(crate) fn tier_name(who: &Who) -> String {
    match who {
        Who::Own => "own operators".to_owned(),
        Who::Team(team) => team.to_string(),
        Who::Line(line) => format!("line {line}"),
        Who::OtherLines => "other lines".to_owned(),
        Who::Outside { destination, .. } => format!("number {destination}"),
        Who::Closing => "the closing message".to_owned(),
    }
}

/// A sentence of the vocabulary with its slots filled; a part whose slot has nothing is left out.
fn say(sentence: &str, slots: &[(&str, Option<String>)]) -> Happening {
    let quiet = vocabulary::is_quiet(sentence);
    let mut slots = slots.to_vec();
    let filled = fill(sentence, &mut slots).unwrap_or_else(|| panic!("an empty slot in: {sentence}"));
    Happening { words: Pattern::of(&filled), quiet }
}

fn some(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn fill(text: &str, slots: &mut Vec<(&str, Option<String>)>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '<']) {
        filled.push_str(&rest[..at]);
        if rest[at..].starts_with('[') {
            let close = at + crate::text::closing(&rest[at..]);
            if let Some(part) = fill(&rest[at + 1..close], slots) {
                filled.push_str(&format!("[{part}]"));
            }
            rest = &rest[close + 1..];
        } else {
            let close = at + rest[at..].find('>')?;
            let name = &rest[at + 1..close];
            let given = slots.iter().position(|(slot, _)| *slot == name);
            let (_, value) =
                slots.remove(given.unwrap_or_else(|| panic!("no value for <{name}> in: {text}")));
            filled.push_str(&value?);
            rest = &rest[close + 1..];
        }
    }
    filled.push_str(rest);
    Some(filled)
}
