//! A telephone gateway with its callers: it makes treatments so and reports facts, in order, until they are
//! acknowledged; over any number of deaths of the server it keeps its legs and attaches again with its inventory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use api::{Client, GatewayFeed, Update, v1};
use tokio::sync::Notify;
use v1::fact::Fact as Is;

use crate::checker::Deed;
use crate::seen::Witness;
use crate::server::{Place, client_when_there};

/// Facts of one call stay in order; those of others need not wait for them.
const LANES: usize = 16;
const FACTS_AT_ONCE: usize = 16;

/// A gateway.
#[derive(Clone)]
pub(crate) struct Gateway(Arc<Inside>);

struct Inside {
    place: Place,
    witness: Witness,
    state: Mutex<State>,
    lanes: Vec<Notify>,
    /// Something about a caller changed.
    changed: Notify,
}

#[derive(Default)]
struct State {
    callers: BTreeMap<String, Caller>,
    facts: [VecDeque<Is>; LANES],
    /// Facts that are sent and not acknowledged.
    sending: usize,
    /// An inventory is on its way: what rings in meanwhile is reported behind it.
    attaching: bool,
    attachments: u64,
    /// Messages of its stream.
    heard: u64,
}

struct Caller {
    line: &'static str,
    since: Instant,
    revision: u64,
    /// The operators' legs, by attempt.
    legs: BTreeMap<u32, Leg>,
}

struct Leg {
    operator: String,
    bridged: bool,
}

impl Gateway {
    /// Attaches and reports, on tasks of its own.
    pub(crate) fn start(place: Place, witness: Witness) -> Gateway {
        let lanes = (0..LANES).map(|_| Notify::new()).collect();
        let state = State { attaching: true, ..State::default() };
        let gateway = Gateway(Arc::new(Inside {
            place,
            witness,
            state: Mutex::new(state),
            lanes,
            changed: Notify::new(),
        }));
        tokio::spawn(gateway.clone().attach());
        for lane in 0..LANES {
            tokio::spawn(gateway.clone().report(lane));
        }
        gateway
    }

    /// A caller rings in.
    pub(crate) fn rings_in(&self, call: &str, line: &'static str) {
        self.0.witness.rings_in(call);
        let caller = Caller { line, since: Instant::now(), revision: 0, legs: BTreeMap::new() };
        let mut state = self.state();
        state.callers.insert(call.to_owned(), caller);
        self.say(&mut state, arrival(call, line, 0));
    }

    /// A caller hangs up, if that one has not gone before.
    pub(crate) fn hangs_up(&self, call: &str) {
        let mut state = self.state();
        if state.callers.remove(call).is_some() {
            self.say(&mut state, Is::CallerHungUp(v1::CallerHungUp { call_id: call.to_owned() }));
        }
    }

    /// Whether a caller is still here, and whether bridged; at once or within this time.
    pub(crate) async fn bridged_within(&self, call: &str, time: Duration) -> Option<bool> {
        let until = tokio::time::Instant::now() + time;
        loop {
            let changed = self.0.changed.notified();
            let bridged = self.state().callers.get(call)?.legs.values().any(|leg| leg.bridged);
            if bridged || tokio::time::timeout_at(until, changed).await.is_err() {
                return Some(bridged);
            }
        }
    }

    /// Every leg, and the operators it is bridged with.
    pub(crate) fn legs(&self) -> BTreeMap<String, BTreeSet<String>> {
        let state = self.state();
        let bridged = |caller: &Caller| {
            caller.legs.values().filter(|leg| leg.bridged).map(|leg| leg.operator.clone()).collect()
        };
        state.callers.iter().map(|(call, caller)| (call.clone(), bridged(caller))).collect()
    }

    /// How often it has attached.
    pub(crate) fn attachments(&self) -> u64 {
        self.state().attachments
    }

    /// How much it was told.
    pub(crate) fn heard(&self) -> u64 {
        self.state().heard
    }

    /// Attached, and everything it knows acknowledged.
    pub(crate) fn is_quiet(&self) -> bool {
        let state = self.state();
        !state.attaching && state.sending == 0 && state.facts.iter().all(VecDeque::is_empty)
    }

    /// Attached.
    pub(crate) fn is_attached(&self) -> bool {
        !self.state().attaching
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nobody panics while holding it")
    }

    fn say(&self, state: &mut State, fact: Is) {
        let mut hasher = DefaultHasher::new();
        call_of(&fact).hash(&mut hasher);
        let lane = hasher.finish() as usize % LANES;
        state.facts[lane].push_back(fact);
        self.0.lanes[lane].notify_one();
    }

    async fn attach(self) {
        loop {
            let this = self.clone();
            let inventory = move || {
                let mut state = this.state();
                state.attaching = true;
                state.callers.keys().cloned().collect()
            };
            let feed = GatewayFeed { incarnation: 1, reaches: None, inventory };
            let mut stream = client_when_there(&self.0.place, "gateway").await.attach(feed);
            let refused = loop {
                match stream.next().await {
                    Ok(update) => self.hear(update),
                    Err(status) => break status,
                }
            };
            // Tokens are read again; anything else is a refusal that the test will show.
            self.0.witness.refused("gateway attach", &format!("{:?} {}", refused.code(), refused.message()));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn hear(&self, update: Update<v1::GatewayServiceAttachResponse>) {
        let message = update.into_message();
        let mut state = self.state();
        state.heard += 1;
        if state.attaching {
            state.attaching = false;
            state.attachments += 1;
            self.0.lanes.iter().for_each(Notify::notify_one);
        }
        for call in &message.unknown_call_ids {
            let Some(caller) = state.callers.get(call) else { continue };
            let waited = u64::try_from(caller.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            let again = arrival(call, caller.line, waited);
            self.say(&mut state, again);
        }
        let news: Vec<&v1::Treatment> = message
            .treatments
            .iter()
            .filter(|t| state.callers.get(&t.call_id).is_some_and(|caller| caller.revision <= t.revision))
            .collect();
        // Whoever is put down is put down before anybody is put through.
        news.iter().for_each(|treatment| put_down(&mut state, treatment));
        for treatment in news {
            for fact in put_through(&mut state, treatment) {
                self.say(&mut state, fact);
            }
        }
        let doubles = doubles(&state);
        drop(state);
        self.0.witness.notes().doubles.extend(doubles);
        self.0.changed.notify_waiters();
    }

    async fn report(self, lane: usize) {
        let mut with = None;
        loop {
            let facts = self.next_facts(lane).await;
            let request = v1::ReportRequest {
                facts: facts.iter().map(|fact| v1::Fact { fact: Some(fact.clone()) }).collect(),
            };
            let reply = loop {
                let sending: &Client = match &with {
                    Some(client) => client,
                    None => with.insert(client_when_there(&self.0.place, "gateway").await),
                };
                match sending.send(request.clone()).await {
                    Ok(reply) => break reply,
                    Err(status) => {
                        self.0
                            .witness
                            .refused("report", &format!("{:?} {}", status.code(), status.message()));
                        with = None;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            };
            for (fact, result) in facts.iter().zip(reply.results) {
                self.note(fact, result);
            }
            self.state().sending -= facts.len();
        }
    }

    async fn next_facts(&self, lane: usize) -> Vec<Is> {
        loop {
            let more = self.0.lanes[lane].notified();
            if let Some(facts) = self.take_facts(lane) {
                return facts;
            }
            more.await;
        }
    }

    fn take_facts(&self, lane: usize) -> Option<Vec<Is>> {
        let mut state = self.state();
        if state.attaching || state.facts[lane].is_empty() {
            return None;
        }
        let many = state.facts[lane].len().min(FACTS_AT_ONCE);
        let facts: Vec<Is> = state.facts[lane].drain(..many).collect();
        state.sending += facts.len();
        Some(facts)
    }

    fn note(&self, fact: &Is, result: v1::FactResult) {
        let witness = &self.0.witness;
        witness.notes().answers += 1;
        if let Some(v1::fact_result::Result::Refused(refused)) = result.result {
            return witness.refused("fact", &format!("{} {}", name_of(fact), refused.reason));
        }
        let call = call_of(fact).to_owned();
        match fact {
            Is::Arrival(_) => witness.acknowledged(Deed::Arrived { call }),
            Is::CallerHungUp(_) => witness.acknowledged(Deed::Closed { call }),
            Is::Leg(leg) if leg.event() == v1::LegEvent::Bridged => {
                witness.acknowledged(Deed::Bridged { call, attempt: leg.attempt });
            }
            _ => {}
        }
    }
}

/// Legs that are not wished go; a released caller goes, too.
fn put_down(state: &mut State, treatment: &v1::Treatment) {
    if treatment.shape() == v1::TreatmentShape::Release {
        state.callers.remove(&treatment.call_id);
        return;
    }
    let Some(caller) = state.callers.get_mut(&treatment.call_id) else { return };
    caller.revision = treatment.revision;
    caller.legs.retain(|attempt, _| treatment.legs.iter().any(|leg| leg.attempt == *attempt));
}

/// Legs that are wished up are up at once, and mixed with the caller if both are to talk.
fn put_through(state: &mut State, treatment: &v1::Treatment) -> Vec<Is> {
    let Some(caller) = state.callers.get_mut(&treatment.call_id) else { return Vec::new() };
    let mut facts = Vec::new();
    for wished in &treatment.legs {
        let Some(v1::treatment_leg::To::OperatorId(operator)) = &wished.to else { continue };
        let leg = caller
            .legs
            .entry(wished.attempt)
            .or_insert_with(|| Leg { operator: operator.clone(), bridged: false });
        let talks = wished.role() == v1::LegRole::Talk && treatment.caller_role() == v1::LegRole::Talk;
        if wished.wish() == v1::LegWish::Up && talks && !leg.bridged {
            leg.bridged = true;
            for event in [v1::LegEvent::Answered, v1::LegEvent::Bridged] {
                facts.push(Is::Leg(v1::LegReport {
                    call_id: treatment.call_id.clone(),
                    attempt: wished.attempt,
                    event: event.into(),
                    cause: String::new(),
                }));
            }
        }
    }
    facts
}

/// Callers with two operators and operators with two callers, at this moment.
fn doubles(state: &State) -> Vec<String> {
    let mut with: BTreeMap<&str, &str> = BTreeMap::new();
    let mut doubles = Vec::new();
    for (call, caller) in &state.callers {
        let bridged: Vec<&str> =
            caller.legs.values().filter(|leg| leg.bridged).map(|leg| leg.operator.as_str()).collect();
        if bridged.len() > 1 {
            doubles.push(format!("{call} was bridged with {bridged:?}"));
        }
        for operator in bridged {
            if let Some(other) = with.insert(operator, call) {
                doubles.push(format!("{operator} was bridged with {other} and {call}"));
            }
        }
    }
    doubles
}

fn arrival(call: &str, line: &str, waited_ms: u64) -> Is {
    Is::Arrival(v1::Arrival {
        call_id: call.to_owned(),
        line_id: line.to_owned(),
        number: format!("+861{}", &call[..8]).into_bytes(),
        waited_ms,
        ..Default::default()
    })
}

fn call_of(fact: &Is) -> &str {
    match fact {
        Is::Arrival(arrival) => &arrival.call_id,
        Is::CallerHungUp(gone) => &gone.call_id,
        Is::Leg(leg) => &leg.call_id,
        Is::Digit(digit) => &digit.call_id,
        Is::PromptFinished(heard) => &heard.call_id,
        Is::Phone(_) | Is::LegsGone(_) => "",
    }
}

fn name_of(fact: &Is) -> &'static str {
    match fact {
        Is::Arrival(_) => "arrival",
        Is::CallerHungUp(_) => "hang-up",
        Is::Leg(_) => "leg",
        Is::Digit(_) | Is::PromptFinished(_) | Is::Phone(_) | Is::LegsGone(_) => "other",
    }
}
