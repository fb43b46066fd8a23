//! Operators at their desks: each takes what is offered, talks, hangs up or is hung up on, and is ready again. A desk
//! keeps its id over any number of deaths of the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{Bearer, Client, DeskFeed, Unary, v1};
use tokio::sync::watch;
use uuid::Uuid;

use crate::checker::{Deed, Screen};
use crate::seen::Witness;
use crate::server::{Place, client_when_there};

/// A heartbeat at least this often.
const BEAT: Duration = Duration::from_secs(4);

/// Whether people act at present; what a gateway must do is done all the same.
pub(crate) type Going = watch::Receiver<bool>;

/// What an operator does about an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Takes it.
    Takes,
    /// Sees it, and does not answer.
    Misses,
}

/// An operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) habit: Habit,
    pub(crate) talks_for: Duration,
}

/// One desk and its operator.
pub(crate) struct Desk {
    place: Place,
    operator: String,
    desk_id: String,
    /// Asks for the operator again are the same ask.
    request_id: String,
    client: Mutex<Client>,
    witness: Witness,
    attached: AtomicBool,
    screen: watch::Sender<v1::Desk>,
    going: Going,
    person: Person,
}

impl Desk {
    /// Adds the operator and opens the desk, on tasks of its own.
    pub(crate) async fn open(place: &Place, person: Person, witness: &Witness, going: &Going) -> Arc<Desk> {
        let request_id = Uuid::new_v4().to_string();
        let operator = format!("op-{:04}", person.number);
        let client = added(place, &operator, &request_id).await;
        let desk = Arc::new(Desk {
            place: place.clone(),
            operator,
            desk_id: Uuid::new_v4().to_string(),
            request_id,
            client: Mutex::new(client),
            witness: witness.clone(),
            attached: AtomicBool::new(false),
            screen: watch::Sender::new(v1::Desk::default()),
            going: going.clone(),
            person,
        });
        tokio::spawn(Arc::clone(&desk).watch());
        tokio::spawn(Arc::clone(&desk).beat());
        tokio::spawn(Arc::clone(&desk).act());
        desk
    }

    /// Its stream is open, as far as it knows.
    pub(crate) fn is_attached(&self) -> bool {
        self.attached.load(Ordering::Relaxed)
    }

    /// The server is gone: what it shows is of the past.
    pub(crate) fn forget_attachment(&self) {
        self.attached.store(false, Ordering::Relaxed);
    }

    fn client(&self) -> Client {
        self.client.lock().expect("nobody panics while holding it").clone()
    }

    async fn renew(&self) {
        let renewed = added(&self.place, &self.operator, &self.request_id).await;
        *self.client.lock().expect("nobody panics while holding it") = renewed;
    }

    async fn watch(self: Arc<Self>) {
        loop {
            let mut stream = self.client().attach(DeskFeed { desk_id: self.desk_id.clone() });
            let refused = loop {
                match stream.next().await {
                    Ok(update) => self.hear(update.into_message()),
                    Err(status) => break status,
                }
            };
            self.attached.store(false, Ordering::Relaxed);
            self.witness.refused("desk attach", &format!("{:?} {}", refused.code(), refused.message()));
            self.renew().await;
        }
    }

    fn hear(&self, message: v1::OperatorServiceAttachResponse) {
        let desk = message.desk.expect("a desk is always whole");
        let offer = desk.offer.as_ref().and_then(|offer| offer.offer.as_ref());
        let screen = Screen {
            offer: offer.map(|offer| (offer.call_id.clone(), offer.attempt)),
            talks: desk.call.as_ref().map(|call| call.call_id.clone()),
        };
        self.witness.shows(&self.operator, screen);
        self.screen.send_replace(desk);
        self.attached.store(true, Ordering::Relaxed);
    }

    async fn beat(self: Arc<Self>) {
        let mut beats = tokio::time::interval(BEAT);
        loop {
            beats.tick().await;
            let session = self.screen.borrow().session;
            // One that does not come through is followed by the next; the stream says what matters.
            let client = self.client().give_up_after(Duration::ZERO);
            let _beat = client.send(v1::HeartbeatRequest { session }).await;
        }
    }

    async fn act(self: Arc<Self>) {
        let mut screen = self.screen.subscribe();
        let mut going = self.going.clone();
        loop {
            let shown = screen.borrow_and_update().clone();
            going.wait_for(|going| *going).await.expect("the test lives longer");
            self.react(&shown).await;
            screen.changed().await.expect("it is the desk's own");
        }
    }

    async fn react(&self, shown: &v1::Desk) {
        match shown.duty.as_ref().map(v1::Duty::state) {
            Some(v1::DutyState::Off) => return self.say("duty", v1::GoOnDutyRequest::default()).await,
            Some(v1::DutyState::Paused | v1::DutyState::Suspended) => {
                return self.say("resume", v1::ResumeRequest::default()).await;
            }
            _ => {}
        }
        if let Some(offer) = shown.offer.as_ref().filter(|offer| !offer.accepted) {
            return self.take(shown.session, offer).await;
        }
        if let Some(call) = shown.call.as_ref().filter(|call| call.state() == v1::CallState::Connected) {
            return self.talk(&call.call_id).await;
        }
        if shown.work.as_ref().is_some_and(|work| work.state() == v1::WorkState::WrapUp) {
            self.say("wrap-up", v1::EndWrapUpRequest::default()).await;
        }
    }

    async fn take(&self, session: u32, offer: &v1::DeskOffer) {
        let offer_ref = offer.offer.clone();
        if !offer.delivered {
            let delivered =
                v1::ConfirmDeliveryRequest { offer: offer_ref.clone(), session, ..Default::default() };
            self.say("delivery", delivered).await;
        }
        if self.person.habit == Habit::Misses {
            return;
        }
        let accept = v1::AcceptRequest { offer: offer_ref.clone(), session, ..Default::default() };
        let Some(accepted) = self.ask("accept", accept).await else { return };
        let offer = offer_ref.expect("an offer has a name");
        if accepted.result() == v1::AcceptResult::Accepted {
            self.witness.acknowledged(Deed::Accepted { call: offer.call_id, attempt: offer.attempt });
        }
    }

    /// Talks; if the caller has not gone by then, the operator hangs up.
    async fn talk(&self, call: &str) {
        let mut screen = self.screen.subscribe();
        let gone = screen.wait_for(|shown| shown.call.as_ref().is_none_or(|now| now.call_id != call));
        if tokio::time::timeout(self.person.talks_for, gone).await.is_ok() {
            return;
        }
        let mut going = self.going.clone();
        going.wait_for(|going| *going).await.expect("the test lives longer");
        if self
            .ask("hang-up", v1::HangUpRequest { call_id: call.to_owned(), ..Default::default() })
            .await
            .is_some()
        {
            self.witness.acknowledged(Deed::Closed { call: call.to_owned() });
        }
    }

    async fn say<R: Unary>(&self, what: &str, request: R) {
        self.ask(what, request).await;
    }

    /// The same request over any number of deaths, until it is answered or refused.
    async fn ask<R: Unary>(&self, what: &str, mut request: R) -> Option<R::Reply> {
        if let Some(id) = request.request_id_mut() {
            *id = Uuid::new_v4().to_string();
        }
        loop {
            match self.client().send(request.clone()).await {
                Ok(reply) => {
                    self.witness.notes().answers += 1;
                    return Some(reply);
                }
                // With its old token, before the stream has the new one.
                Err(status) if is_stale(status.code()) => self.renew().await,
                Err(status) => {
                    self.witness.refused(what, &format!("{:?} {}", status.code(), status.message()));
                    return None;
                }
            }
        }
    }
}

/// Whether the token is not one any more.
fn is_stale(code: impl std::fmt::Debug) -> bool {
    format!("{code:?}") == "Unauthenticated"
}

/// The operator's client. Asked again by the same request, the same operator gets a token again.
async fn added(place: &Place, operator: &str, request_id: &str) -> Client {
    let profile = v1::OperatorProfile {
        team_ids: vec!["professionals".to_owned()],
        home_line_ids: vec!["switchboard".to_owned(), "emergency".to_owned()],
        device: v1::DeviceKind::AutoAnswer.into(),
        ..Default::default()
    };
    let request = v1::AddOperatorRequest {
        request_id: request_id.to_owned(),
        operator_id: operator.to_owned(),
        profile: Some(profile),
    };
    loop {
        // The token file is another one after each start.
        match client_when_there(place, "admin").await.send(request.clone()).await {
            Ok(reply) => {
                let bearer = Bearer::new(&reply.token).expect("a token");
                return Client::new(&place.address, bearer).expect("an address");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
