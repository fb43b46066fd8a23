//! Calls that are under way: who waits for which of their moments.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

/// A call whose next moment has not come after this long is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every call under way. A life is: the caller rings in, a desk hears the offer, the operator accepts, both hear each
/// other, the caller hangs up, the operator ends the wrap-up and is free again.
#[derive(Clone, Default)]
pub(super) struct Lives(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    open: BTreeMap<Uuid, Open>,
    /// The first thing that went wrong. Nothing measured after it counts.
    fault: Option<String>,
    /// Accepts and bridges that came when the offer was over.
    late: u64,
}

struct Open {
    offered: Option<oneshot::Sender<Instant>>,
    ended: oneshot::Sender<Instant>,
}

/// One call, for whoever waits for its moments.
pub(super) struct Life {
    lives: Lives,
    id: Uuid,
    offered: oneshot::Receiver<Instant>,
    ended: oneshot::Receiver<Instant>,
}

impl Lives {
    /// A call that is about to ring in.
    pub(super) fn begin(&self) -> Life {
        let id = Uuid::new_v4();
        let (offer, offered) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        self.inside().open.insert(id, Open { offered: Some(offer), ended: end });
        Life { lives: self.clone(), id, offered, ended }
    }

    /// A desk heard the offer.
    pub(super) fn offered(&self, call: &str) {
        let at = Instant::now();
        let mut inside = self.inside();
        let open = Uuid::parse_str(call).ok().and_then(|id| inside.open.get_mut(&id));
        if let Some(offered) = open.and_then(|open| open.offered.take()) {
            // Who gave up waiting has said so.
            let _heard = offered.send(at);
        }
    }

    /// The operator is free again.
    pub(super) fn ended(&self, call: &str) {
        let at = Instant::now();
        let ended = Uuid::parse_str(call).ok().and_then(|id| self.inside().open.remove(&id));
        if let Some(open) = ended {
            // Who gave up waiting has said so.
            let _heard = open.ended.send(at);
        }
    }

    /// Something went wrong that must not.
    pub(super) fn fail(&self, doing: &str, why: &dyn std::fmt::Display) {
        self.inside().fault.get_or_insert_with(|| format!("{doing}: {why}"));
    }

    /// An accept or a bridge came when the offer was over.
    pub(super) fn late(&self) {
        self.inside().late += 1;
    }

    /// How many did since this was last asked.
    pub(super) fn take_late(&self) -> u64 {
        std::mem::take(&mut self.inside().late)
    }

    /// Whether anything went wrong.
    ///
    /// # Errors
    /// The first thing that did.
    pub(super) fn check(&self) -> Result<()> {
        match &self.inside().fault {
            Some(fault) => bail!("{fault}"),
            None => Ok(()),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Every change under this lock is one insert or removal.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Life {
    /// Its id.
    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// Waits until a desk heard the offer.
    ///
    /// # Errors
    /// When none did in time, or something else went wrong.
    pub(super) async fn offered(&mut self) -> Result<Instant> {
        moment(&self.lives, "was not offered", &mut self.offered).await
    }

    /// Waits until its operator is free again.
    ///
    /// # Errors
    /// When that did not come in time, or something else went wrong.
    pub(super) async fn ended(mut self) -> Result<Instant> {
        moment(&self.lives, "did not end", &mut self.ended).await
    }
}

async fn moment(lives: &Lives, what: &str, moment: &mut oneshot::Receiver<Instant>) -> Result<Instant> {
    let come = timeout(PATIENCE, moment).await;
    lives.check()?;
    match come {
        Ok(Ok(at)) => Ok(at),
        Ok(Err(_)) | Err(_) => Err(anyhow!("a call {what} within {} s", PATIENCE.as_secs())),
    }
}
