//! A gateway and a desk that stay connected, as programs beside the command line.

use api::v1::fact::Fact as Is;
use api::{Attached, Bearer, Client, DeskFeed, v1};
use tokio::runtime::Runtime;

use crate::house::House;

/// With a thread that keeps its connections alive while nobody waits.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

fn client(house: &House, token: &str) -> Client {
    Client::new(&house.address, Bearer::new(token).expect("a token")).expect("an address")
}

/// A gateway whose stream is open.
pub(crate) struct Gateway {
    runtime: Runtime,
    client: Client,
}

impl Gateway {
    pub(crate) fn attach(house: &House) -> Gateway {
        let runtime = runtime();
        let client = runtime.block_on(async { client(house, &house.token("gateway")) });
        let attaching = client.clone();
        runtime.block_on(async {
            let attach = v1::GatewayServiceAttachRequest { incarnation: 1, ..Default::default() };
            let mut stream = attaching.gateway().attach(attach).await.expect("attached").into_inner();
            stream.message().await.expect("a message").expect("the first");
            // Its orders are read and not followed: there is nobody to hear them.
            tokio::spawn(async move { while let Ok(Some(_)) = stream.message().await {} });
        });
        Gateway { runtime, client }
    }

    pub(crate) fn ring(&self, call: &str, line: &str) {
        self.report(vec![Is::Arrival(v1::Arrival {
            call_id: call.to_owned(),
            line_id: line.to_owned(),
            number: format!("138{}", &call[..4]).into_bytes(),
            ..v1::Arrival::default()
        })]);
    }

    /// An ordinary telephone that rings for a call is picked up, key 1 is pressed, and both hear each other.
    pub(crate) fn pick_up(&self, call: &str, attempt: u32) {
        let call_id = call.to_owned();
        let leg = |event: v1::LegEvent| {
            let (call_id, event) = (call_id.clone(), event.into());
            Is::Leg(v1::LegReport { call_id, attempt, event, cause: String::new() })
        };
        let key = v1::Digit { call_id: call_id.clone(), attempt: Some(attempt), key: "1".to_owned() };
        self.report(vec![leg(v1::LegEvent::Answered), Is::Digit(key), leg(v1::LegEvent::Bridged)]);
    }

    pub(crate) fn hang_up(&self, call: &str) {
        self.report(vec![Is::CallerHungUp(v1::CallerHungUp { call_id: call.to_owned() })]);
    }

    pub(crate) fn report(&self, facts: Vec<Is>) {
        let facts = facts.into_iter().map(|fact| v1::Fact { fact: Some(fact) }).collect();
        let reply = self.runtime.block_on(self.client.send(v1::ReportRequest { facts })).expect("noted");
        let refused =
            |result: &v1::FactResult| matches!(result.result, Some(v1::fact_result::Result::Refused(_)));
        assert!(!reply.results.iter().any(refused), "{reply:?}");
    }
}

/// Somebody at a desk, on duty.
pub(crate) struct Desk {
    runtime: Runtime,
    client: Client,
    stream: Attached<DeskFeed>,
    shows: v1::Desk,
}

impl Desk {
    pub(crate) fn attach(house: &House, token: &str) -> Desk {
        let runtime = runtime();
        let (client, stream) = runtime.block_on(async {
            let client = client(house, token);
            let stream = client.attach(DeskFeed { desk_id: uuid::Uuid::new_v4().to_string() });
            (client, stream)
        });
        let mut desk = Desk { runtime, client, stream, shows: v1::Desk::default() };
        desk.reads_until(|_| true);
        desk.runtime.block_on(desk.client.send(v1::GoOnDutyRequest::default())).expect("on duty");
        desk
    }

    /// Waits for an offer, says that it is on the screen, takes it, and has the caller in the ear.
    pub(crate) fn takes_what_is_offered(&mut self) {
        self.reads_until(|desk| desk.offer.is_some());
        let (offer, session) = (self.shows.offer.clone().and_then(|offer| offer.offer), self.shows.session);
        let delivered = v1::ConfirmDeliveryRequest { offer: offer.clone(), session, ..Default::default() };
        self.runtime.block_on(self.client.send(delivered)).expect("on the screen");
        let accept = v1::AcceptRequest { offer: offer.clone(), session, ..Default::default() };
        let answer = self.runtime.block_on(self.client.send(accept)).expect("an answer");
        assert_eq!(answer.result(), v1::AcceptResult::Accepted);
        let heard = v1::ConfirmMediaRequest { offer, session, ..Default::default() };
        self.runtime.block_on(self.client.send(heard)).expect("both hear each other");
    }

    /// After the call: ends the wrap-up, and goes off duty.
    pub(crate) fn leaves(&mut self) {
        let state = |desk: &v1::Desk| desk.work.as_ref().map(v1::Work::state);
        self.reads_until(|desk| state(desk) == Some(v1::WorkState::WrapUp));
        self.runtime
            .block_on(self.client.send(v1::EndWrapUpRequest::default()))
            .expect("no more to write down");
        self.runtime.block_on(self.client.send(v1::LeaveRequest::default())).expect("off duty");
    }

    fn reads_until(&mut self, holds: impl Fn(&v1::Desk) -> bool) {
        loop {
            let update = self.runtime.block_on(self.stream.next()).expect("an update");
            if let Some(desk) = update.into_message().desk {
                self.shows = desk;
            }
            if holds(&self.shows) {
                return;
            }
        }
    }
}
