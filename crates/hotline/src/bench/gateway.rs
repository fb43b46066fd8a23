//! A telephony gateway: one stream of treatments, facts reported as they happen. Whoever is connected hangs up at once.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use api::{Attached, Client, GatewayFeed, v1};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::life::Lives;

/// All calls come in on this line.
pub(super) const LINE: &str = "duty";

type Inventory = fn() -> Vec<String>;

/// An attached gateway. Dropping it closes its stream.
pub(super) struct Gateway {
    client: Client,
    listening: JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Gateway {
    /// Attaches it.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub(super) async fn open(client: Client, lives: &Lives) -> Result<Gateway> {
        let inventory: Inventory = Vec::new;
        let mut feed = client.attach(GatewayFeed { incarnation: 1, reaches: None, inventory });
        feed.next().await.context("attaching the gateway")?;
        let mut hearing = Hearing { client: client.clone(), lives: lives.clone(), bridged: BTreeMap::new() };
        let listening = tokio::spawn(async move {
            if let Err(fault) = hearing.listen(feed).await {
                hearing.lives.fail("the gateway", &format!("{fault:#}"));
            }
        });
        Ok(Gateway { client, listening })
    }

    /// Its connection.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

/// Reports that a caller rang in, and waits until that is noted; answers the number of the decision. Every caller is a
/// new one.
///
/// # Errors
/// When it is refused.
pub(super) async fn ring_in(client: &Client, call: Uuid) -> Result<u64> {
    let digits = call.as_u128() % 100_000_000_000;
    let arrival = v1::Arrival {
        call_id: call.to_string(),
        line_id: LINE.to_owned(),
        number: format!("1{digits:011}").into_bytes(),
        ..Default::default()
    };
    report(client, v1::fact::Fact::Arrival(arrival)).await.context("an arrival")
}

/// Reports that caller and operator hear each other.
///
/// # Errors
/// When it is refused.
pub(super) async fn bridge(client: &Client, call_id: &str, attempt: u32) -> Result<()> {
    let event = v1::LegEvent::Bridged.into();
    let leg = v1::LegReport { call_id: call_id.to_owned(), attempt, event, cause: String::new() };
    report(client, v1::fact::Fact::Leg(leg)).await.map(drop).context("a bridge")
}

/// Reports that the caller hung up.
///
/// # Errors
/// When it is refused.
pub(super) async fn hang_up(client: &Client, call_id: &str) -> Result<()> {
    let gone = v1::CallerHungUp { call_id: call_id.to_owned() };
    report(client, v1::fact::Fact::CallerHungUp(gone)).await.map(drop).context("a caller's end")
}

struct Hearing {
    client: Client,
    lives: Lives,
    /// The leg last brought up of each call, until it is released.
    bridged: BTreeMap<String, u32>,
}

impl Hearing {
    async fn listen(&mut self, mut feed: Attached<GatewayFeed<Inventory>>) -> Result<()> {
        loop {
            let message = feed.next().await.context("its stream")?.into_message();
            for treatment in message.treatments {
                self.apply(treatment);
            }
        }
    }

    fn apply(&mut self, treatment: v1::Treatment) {
        if treatment.shape() == v1::TreatmentShape::Release {
            self.bridged.remove(&treatment.call_id);
            return;
        }
        let up = treatment.legs.iter().find(|leg| leg.wish() == v1::LegWish::Up);
        let Some(attempt) = up.map(|leg| leg.attempt) else { return };
        if self.bridged.insert(treatment.call_id.clone(), attempt) != Some(attempt) {
            let (client, lives) = (self.client.clone(), self.lives.clone());
            tokio::spawn(async move {
                if let Err(fault) = talk(&client, &lives, &treatment.call_id, attempt).await {
                    lives.fail("the gateway", &format!("{fault:#}"));
                }
            });
        }
    }
}

/// Both hear each other; the caller says thanks and hangs up. A leg that came up too late is none: the call goes on
/// without it.
async fn talk(client: &Client, lives: &Lives, call_id: &str, attempt: u32) -> Result<()> {
    let bridged = bridge(client, call_id, attempt).await;
    if bridged.as_ref().is_err_and(is_refused) {
        lives.late();
        return Ok(());
    }
    bridged?;
    hang_up(client, call_id).await
}

/// Whether a report failed because the service says that the fact changed nothing.
pub(super) fn is_refused(fault: &anyhow::Error) -> bool {
    fault.is::<Refused>()
}

/// A fact that changed nothing.
#[derive(Debug, thiserror::Error)]
#[error("refused: {0}")]
struct Refused(String);

async fn report(client: &Client, fact: v1::fact::Fact) -> Result<u64> {
    let request = v1::ReportRequest { facts: vec![v1::Fact { fact: Some(fact) }] };
    let reported = client.send(request).await?;
    match reported.results.into_iter().next().and_then(|result| result.result) {
        Some(v1::fact_result::Result::Noted(_)) => {
            let cursor = reported.receipt.and_then(|receipt| receipt.cursor);
            Ok(cursor.unwrap_or_default().seq)
        }
        Some(v1::fact_result::Result::Refused(refused)) => Err(Refused(refused.message).into()),
        None => bail!("no word of what became of it"),
    }
}
