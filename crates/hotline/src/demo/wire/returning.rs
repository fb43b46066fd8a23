//! After a death: everybody's streams open again, and what was missed is read.

use std::cell::RefCell;
use std::collections::BTreeMap;

use api::{Attached, Feed, GatewayFeed, v1};
use futures_util::future::try_join_all;
use switchboard::command::Input;
use switchboard::id::OperatorId;
use switchboard::time::SiteTime;

use super::super::fault::DemoFault;
use super::super::service::Asked;
use super::{DeskStream, Inventory, Wire, soon};

/// Everybody is back.
pub(in crate::demo) struct Return {
    /// Desks that are open again.
    pub(in crate::demo) desks: usize,
    /// What had been asked in decisions of which nobody had heard.
    pub(in crate::demo) stored: Vec<Input>,
}

/// What a stream said.
enum Told {
    Gateway(v1::GatewayServiceAttachResponse),
    Desk(OperatorId, Box<v1::OperatorServiceAttachResponse>),
}

impl Wire {
    /// The service died. Waits until it runs again; then everybody's stream opens again, what is new is read, and the
    /// clock goes to where it `was`. None if it died in the middle of that.
    ///
    /// # Errors
    /// When the service does not come back, or fails.
    pub(in crate::demo) async fn come_back(&mut self, was: SiteTime) -> Result<Option<Return>, DemoFault> {
        self.record.service_died();
        self.service.back().await?;
        self.unrecorded_deadline = None;
        self.gateway_number = 0;
        self.desks.values_mut().for_each(|desk| desk.number = 0);

        let heard = RefCell::new(Vec::new());
        let opening = open_again(&mut self.gateway, &mut self.desks, &heard);
        let opened = self.service.answers(Asked::Return, self.seen.callers(), opening).await?;
        let mut seq = 0;
        // What was heard before a death in the middle is heard all the same: nobody tells it again.
        for told in heard.into_inner() {
            let cursor = match told {
                Told::Gateway(message) => self.hear_gateway(message)?,
                Told::Desk(operator, message) => self.hear_desk(operator, *message)?,
            };
            seq = seq.max(cursor);
        }
        if opened.is_none() || self.read_record(seq).await?.is_none() {
            return Ok(None);
        }
        let stored = self.record.service_is_back();
        // Its clock begins with the last decision. What passed in between passes again: nothing happened in it.
        self.now = self.record.at();
        loop {
            let Some(receipt) = self.step_once(was.max(self.now)).await? else { return Ok(None) };
            if self.take_step(receipt).await?.is_none() {
                return Ok(None);
            }
            if self.now >= was {
                return Ok(Some(Return { desks: self.desks.len(), stored }));
            }
        }
    }
}

/// All at once, as after a failure of the network.
async fn open_again(
    gateway: &mut Option<Attached<GatewayFeed<Inventory>>>,
    desks: &mut BTreeMap<OperatorId, DeskStream>,
    heard: &RefCell<Vec<Told>>,
) -> Result<(), DemoFault> {
    let hears = |told| heard.borrow_mut().push(told);
    if let Some(feed) = gateway {
        read_until_opened("the gateway's stream", feed, |message| hears(Told::Gateway(message))).await?;
    }
    let desks = desks.iter_mut().map(|(operator, desk)| {
        let hear = |message| hears(Told::Desk(*operator, Box::new(message)));
        async move { read_until_opened(operator.as_str(), &mut desk.feed, hear).await }
    });
    try_join_all(desks).await.map(drop)
}

/// Reads what the former connection still had, and the first message of the next.
async fn read_until_opened<F: Feed>(
    stream: &str,
    feed: &mut Attached<F>,
    hear: impl Fn(F::Message),
) -> Result<(), DemoFault> {
    let before = feed.opened();
    loop {
        let message = soon(stream, 1, feed).await?.into_message();
        hear(message);
        if feed.opened() > before {
            return Ok(());
        }
    }
}
