//! A gateway that outlives its router: it keeps its callers, attaches again with all of them, at whichever router there
//! is, and goes home when it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use api::{Client, GatewayFeed, Update, v1};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, sleep_until, timeout};
use uuid::Uuid;

use super::super::gateway::{bridge, hang_up, is_refused, ring_in};
use super::calls::Calls;

/// A call that has not lived its life after this long is stuck.
const PATIENCE: Duration = Duration::from_secs(60);
/// Before a stream that was refused is opened again.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A gateway. Dropping the last clone closes its stream.
#[derive(Clone)]
pub(in crate::bench) struct Gateway(Arc<Inside>);

struct Inside {
    calls: Calls,
    state: Arc<State>,
    attaching: JoinHandle<()>,
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.attaching.abort();
    }
}

struct State {
    at: watch::Sender<At>,
    /// No inventory is on its way.
    attached: watch::Sender<bool>,
    callers: Mutex<BTreeMap<String, Caller>>,
    calls: Calls,
}

/// Whom it asks, and which router that is at first.
#[derive(Clone)]
struct At {
    client: Client,
    router: usize,
}

struct Caller {
    revision: u64,
    wished: watch::Sender<Wished>,
}

/// What a treatment says of a caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Wished {
    #[default]
    Nothing,
    /// The operator's leg of this attempt is to be up.
    Up(u32),
    /// The router did not know the caller when it was attached to.
    Unknown,
    Gone,
}

impl Gateway {
    /// Attaches with this client, first at this router, on a task of its own.
    pub(in crate::bench) fn open(client: Client, router: usize, calls: &Calls) -> Gateway {
        let state = Arc::new(State {
            at: watch::Sender::new(At { client, router }),
            attached: watch::Sender::new(false),
            callers: Mutex::default(),
            calls: calls.clone(),
        });
        let attaching = tokio::spawn(attach(Arc::clone(&state)));
        Gateway(Arc::new(Inside { calls: calls.clone(), state, attaching }))
    }

    /// Attaches anew, with this client, first at this router.
    pub(super) fn goes_to(&self, client: Client, router: usize) {
        self.0.state.attached.send_replace(false);
        self.0.state.at.send_replace(At { client, router });
    }

    /// Waits until its stream is open.
    ///
    /// # Errors
    /// When it does not come to it.
    pub(in crate::bench) async fn is_attached(&self) -> Result<()> {
        let attached = timeout(PATIENCE, self.0.state.attached()).await.is_ok();
        ensure!(attached, "a gateway was not attached within {} s", PATIENCE.as_secs());
        Ok(())
    }

    /// A caller's whole life, from when it was meant to ring in.
    async fn lives(self, rang: Instant) {
        let call = Uuid::new_v4();
        let id = call.to_string();
        let router = self.0.state.at.borrow().router;
        self.0.calls.rings(call, rang, router);
        let wished = watch::Sender::new(Wished::Nothing);
        let hears = wished.subscribe();
        self.0.state.callers().insert(id.clone(), Caller { revision: 0, wished });
        let lived = self.goes_through(call, &id, hears).await;
        self.0.state.callers().remove(&id);
        match lived {
            Ok(true) => self.0.calls.lived(call),
            Ok(false) => self.0.calls.refused(call),
            Err(fault) => {
                self.0.calls.failed("a call", &format!("{fault:#}"));
                self.0.calls.refused(call);
            }
        }
    }

    /// Answers whether the caller was answered.
    async fn goes_through(&self, call: Uuid, id: &str, mut hears: watch::Receiver<Wished>) -> Result<bool> {
        let state = &self.0.state;
        // What is told while an inventory is on its way might be taken back by it.
        state.attached().await;
        ring_in(&state.client(), call).await?;
        let mut too_late = None;
        loop {
            let wished = state.next(&mut hears, too_late).await?;
            state.attached().await;
            match wished {
                // Adopted by its arrival, which is the same one if the router came to know of it meanwhile.
                Wished::Unknown => {
                    self.0.calls.asked_again();
                    ring_in(&state.client(), call).await?;
                    state.is_known(id);
                }
                Wished::Up(attempt) => match bridge(&state.client(), id, attempt).await {
                    Ok(()) => break,
                    Err(fault) if is_refused(&fault) => {
                        self.0.calls.late();
                        too_late = Some(attempt);
                    }
                    Err(fault) => return Err(fault),
                },
                Wished::Gone | Wished::Nothing => return Ok(false),
            }
        }
        state.attached().await;
        match hang_up(&state.client(), id).await {
            // An inventory without it said so before.
            Err(fault) if !is_refused(&fault) => Err(fault),
            _ => Ok(true),
        }
    }
}

impl State {
    fn client(&self) -> Client {
        self.at.borrow().client.clone()
    }

    async fn attached(&self) {
        let mut attached = self.attached.subscribe();
        // The sender is here: this cannot fail.
        let _attached = attached.wait_for(|attached| *attached).await;
    }

    /// What is wished next of a caller, but for a leg that came up too late.
    async fn next(&self, hears: &mut watch::Receiver<Wished>, too_late: Option<u32>) -> Result<Wished> {
        let next = |wished: &Wished| match wished {
            Wished::Nothing => false,
            Wished::Up(attempt) => Some(*attempt) != too_late,
            Wished::Unknown | Wished::Gone => true,
        };
        let wished = hears.wait_for(next).await?;
        Ok(*wished)
    }

    /// What was wished of a caller who was unknown may have come meanwhile.
    fn is_known(&self, id: &str) {
        if let Some(caller) = self.callers().get(id) {
            let known = |wished: &mut Wished| {
                let was_unknown = *wished == Wished::Unknown;
                if was_unknown {
                    *wished = Wished::Nothing;
                }
                was_unknown
            };
            caller.wished.send_if_modified(known);
        }
    }

    fn callers(&self) -> MutexGuard<'_, BTreeMap<String, Caller>> {
        // Every change under this lock is whole.
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, update: Update<v1::GatewayServiceAttachResponse>) {
        let message = update.into_message();
        let mut callers = self.callers();
        for id in &message.unknown_call_ids {
            if let Some(caller) = callers.get(id) {
                caller.wished.send_replace(Wished::Unknown);
            }
        }
        for treatment in &message.treatments {
            let Some(caller) = callers.get_mut(&treatment.call_id) else { continue };
            if treatment.revision >= caller.revision {
                caller.revision = treatment.revision;
                caller.wished.send_replace(wished(treatment));
            }
        }
        drop(callers);
        self.attached.send_if_modified(|attached| !std::mem::replace(attached, true));
    }
}

fn wished(treatment: &v1::Treatment) -> Wished {
    if treatment.shape() == v1::TreatmentShape::Release {
        return Wished::Gone;
    }
    let up = treatment.legs.iter().find(|leg| leg.wish() == v1::LegWish::Up);
    up.map_or(Wished::Nothing, |leg| Wished::Up(leg.attempt))
}

async fn attach(state: Arc<State>) {
    let mut at = state.at.subscribe();
    loop {
        let client = at.borrow_and_update().client.clone();
        let held = Arc::clone(&state);
        let inventory = move || -> Vec<String> {
            held.attached.send_replace(false);
            held.callers().keys().cloned().collect()
        };
        let mut feed = client.attach(GatewayFeed { incarnation: 1, reaches: None, inventory });
        loop {
            tokio::select! {
                update = feed.next() => match update {
                    Ok(update) => state.hear(update),
                    Err(status) => {
                        state.calls.failed("a gateway's stream", status.message());
                        sleep(AGAIN_AFTER).await;
                    }
                },
                moved = at.changed() => match moved {
                    Ok(()) => break,
                    Err(_) => return,
                },
            }
        }
    }
}

/// Calls that ring in at even distances, whatever the service does, at one gateway after the other.
pub(in crate::bench) struct Ringing {
    going: watch::Sender<bool>,
    ringing: JoinHandle<JoinSet<()>>,
}

impl Ringing {
    /// So many in each second from here on.
    pub(in crate::bench) fn begin(gateways: Vec<Gateway>, rate: u32) -> Ringing {
        let going = watch::Sender::new(true);
        let goes = going.subscribe();
        let gap = Duration::from_secs(1) / rate.max(1);
        let ringing = tokio::spawn(async move {
            let mut callers = JoinSet::new();
            let mut intended = Instant::now();
            for gateway in gateways.iter().cycle() {
                sleep_until(intended.into()).await;
                // An error means that nobody wants more.
                if goes.has_changed().is_err() || !*goes.borrow() {
                    break;
                }
                callers.spawn(gateway.clone().lives(intended));
                while callers.try_join_next().is_some() {}
                intended += gap;
            }
            callers
        });
        Ringing { going, ringing }
    }

    /// No more; returns when every caller has lived a whole life.
    ///
    /// # Errors
    /// When one has not in time.
    pub(in crate::bench) async fn end(self, calls: &Calls) -> Result<()> {
        self.going.send_replace(false);
        let mut callers = self.ringing.await?;
        let whole = timeout(PATIENCE, async { while callers.join_next().await.is_some() {} }).await.is_ok();
        ensure!(
            whole,
            "{} calls were not answered within {} s, {} of them not offered to anybody; what did not work: {:?}",
            callers.len(),
            PATIENCE.as_secs(),
            calls.waiting(Instant::now()),
            calls.faults()
        );
        Ok(())
    }
}
