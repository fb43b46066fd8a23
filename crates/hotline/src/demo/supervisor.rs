//! Keeps the service running: one that ends by itself is started again on its port and from its journal. What does not
//! come to answer anything is not started for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::fault::DemoFault;
use super::server::{House, Process};

/// So many starts in a row without one answer, and it is given up.
const FRUITLESS_STARTS_MAX: u32 = 5;
/// Before the next start after one that failed; so many times as long as starts failed.
const AFTER_A_FAILED_START: Duration = Duration::from_millis(100);

/// Where the service is in its lives.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    /// Which, from 1.
    pub(super) number: u64,
    /// It listens.
    pub(super) up: bool,
    /// How the one before ended.
    pub(super) ended: String,
    /// There will be no other.
    pub(super) over: Option<GivenUp>,
}

/// A service that is not started again.
#[derive(Debug, Clone)]
pub(super) struct GivenUp {
    starts: u32,
    how: String,
}

impl From<GivenUp> for DemoFault {
    fn from(GivenUp { starts, how }: GivenUp) -> DemoFault {
        match starts {
            0 => DemoFault::ServerGone { how },
            times => DemoFault::GivenUp { times, how },
        }
    }
}

/// What a supervisor can be told.
enum Order {
    Kill,
    End,
}

/// Starts it, starts it again, ends it.
pub(super) struct Supervisor {
    line: Line,
    keeping: JoinHandle<House>,
}

/// A line to the supervisor, for whoever uses the service.
#[derive(Clone)]
pub(super) struct Line {
    orders: mpsc::UnboundedSender<Order>,
    pub(super) lives: watch::Receiver<Life>,
    answers: Arc<AtomicU64>,
}

impl Line {
    /// Kills the service that runs, if one does.
    pub(super) fn kill(&self) {
        // Without a supervisor there is no service either.
        drop(self.orders.send(Order::Kill));
    }

    /// The service has answered something: its start was worth it.
    pub(super) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }
}

impl Supervisor {
    /// Watches over a service that has started.
    pub(super) fn of(house: House, process: Process) -> Supervisor {
        let (orders, told) = mpsc::unbounded_channel();
        let (tells, lives) = watch::channel(Life { number: 1, up: true, ..Life::default() });
        let answers = Arc::default();
        let watch = Watch { house, orders: told, tells, answers: Arc::clone(&answers), fruitless: 0 };
        let keeping = tokio::spawn(watch.over(process));
        Supervisor { line: Line { orders, lives, answers }, keeping }
    }

    /// A line to it.
    pub(super) fn line(&self) -> Line {
        self.line.clone()
    }

    /// Ends the service and waits until it is gone. What it lived in is left, unless the supervisor is gone, too.
    pub(super) async fn end(self) -> Option<House> {
        drop(self.line.orders.send(Order::End));
        self.keeping.await.ok()
    }
}

/// The supervisor at work.
struct Watch {
    house: House,
    orders: mpsc::UnboundedReceiver<Order>,
    tells: watch::Sender<Life>,
    answers: Arc<AtomicU64>,
    /// Starts in a row that led to no answer.
    fruitless: u32,
}

impl Watch {
    async fn over(mut self, mut process: Process) -> House {
        loop {
            let before = self.answers.load(Ordering::Relaxed);
            let Some(how) = self.until_it_ends(&mut process).await else {
                process.end().await;
                return self.house;
            };
            self.tells.send_modify(|life| {
                life.up = false;
                life.ended.clone_from(&how);
            });
            if self.answers.load(Ordering::Relaxed) > before {
                self.fruitless = 0;
            }
            let last_words = process.last_words(&how).await;
            match self.start_again(last_words).await {
                Some(started) => process = started,
                None => return self.house,
            }
        }
    }

    /// How it ended; none if it is to be let go.
    async fn until_it_ends(&mut self, process: &mut Process) -> Option<String> {
        loop {
            tokio::select! {
                how = process.ended() => return Some(how),
                order = self.orders.recv() => match order {
                    Some(Order::Kill) => process.kill(),
                    Some(Order::End) | None => return None,
                },
            }
        }
    }

    /// None when it is not to be, or when it is in vain.
    async fn start_again(&mut self, mut how: String) -> Option<Process> {
        // What was in memory is gone: another would know nobody.
        if self.house.data().is_none() {
            return self.give_up(0, how).await;
        }
        while self.fruitless < FRUITLESS_STARTS_MAX {
            self.fruitless += 1;
            let wait = AFTER_A_FAILED_START * (self.fruitless - 1);
            let starting = async {
                sleep(wait).await;
                self.house.start().await
            };
            let started = tokio::select! {
                started = starting => started,
                () = told_to_end(&mut self.orders) => return None,
            };
            match started {
                Ok(process) => {
                    self.tells.send_modify(|life| {
                        life.number += 1;
                        life.up = true;
                    });
                    return Some(process);
                }
                Err(fault) => how = fault.to_string(),
            }
        }
        self.give_up(self.fruitless, how).await
    }

    /// Says so, and waits until it is heard.
    async fn give_up(&mut self, starts: u32, how: String) -> Option<Process> {
        self.tells.send_modify(|life| life.over = Some(GivenUp { starts, how }));
        told_to_end(&mut self.orders).await;
        None
    }
}

/// Resolves at the order to end. What is dead already cannot be killed.
async fn told_to_end(orders: &mut mpsc::UnboundedReceiver<Order>) {
    while let Some(Order::Kill) = orders.recv().await {}
}
