//! The service as its clients see it: it answers, or it is dead until it is back.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::fault::DemoFault;
use super::killing::{Killer, pass};
use super::lang::Lang;
use super::supervisor::{Life, Line};

/// What somebody waited for when the service died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The gateway's fact.
    Fact,
    /// Somebody's command.
    Command,
    /// A step of the clock.
    Step,
    /// Streams that open again.
    Return,
}

impl Asked {
    /// For programs.
    pub(super) fn code(self) -> &'static str {
        match self {
            Asked::Fact => "fact",
            Asked::Command => "command",
            Asked::Step => "step",
            Asked::Return => "attach",
        }
    }

    /// For people.
    pub(super) fn words(self, lang: Lang) -> &'static str {
        match self {
            Asked::Fact => lang.of("网关的一次上报", "a fact of the gateway's"),
            Asked::Command => lang.of("接线员的一次请求", "a request of an operator's"),
            Asked::Step => lang.of("一次时钟步进", "a step of the clock"),
            Asked::Return => lang.of("各席位的重新接入", "everybody's return"),
        }
    }
}

/// One death.
#[derive(Debug, Clone)]
pub(super) struct Death {
    /// What was asked and not answered.
    pub(super) asked: Option<Asked>,
    /// The demo killed it.
    pub(super) ours: bool,
    /// What the system says of the process.
    pub(super) how: String,
    died: Instant,
}

impl Death {
    /// How long it has been.
    pub(super) fn ago(&self) -> Duration {
        self.died.elapsed()
    }
}

/// A service that may die.
pub(super) struct Service {
    line: Line,
    life: u64,
    killer: Option<Killer>,
    death: Option<Death>,
}

impl Service {
    /// The service at the end of this line, and whoever kills it now and then.
    pub(super) fn new(line: Line, killer: Option<Killer>) -> Service {
        let life = line.lives.borrow().number;
        Service { line, life, killer, death: None }
    }

    /// Waits for an answer; none if it died before it came. With so many callers so far.
    pub(super) async fn answers<T>(
        &mut self,
        asked: Asked,
        callers: u64,
        asking: impl Future<Output = Result<T, DemoFault>>,
    ) -> Result<Option<T>, DemoFault> {
        let asked_at = Instant::now();
        let moment = self.killer.as_mut().and_then(|killer| killer.moment(callers));
        let strike = async {
            match moment {
                Some(moment) => pass(moment).await,
                None => std::future::pending().await,
            }
        };
        let (mut lives, life) = (self.line.lives.clone(), self.life);
        let ours = tokio::select! {
            biased;
            answer = asking => {
                if asked != Asked::Return {
                    self.line.answered();
                }
                if let Some(killer) = &mut self.killer {
                    killer.learn(asked_at.elapsed());
                }
                return answer.map(Some);
            }
            () = ended(&mut lives, life) => false,
            () = strike => true,
        };
        let died = Instant::now();
        if ours {
            self.line.kill();
            if let Some(killer) = &mut self.killer {
                killer.struck();
            }
            ended(&mut lives, life).await;
        }
        self.death = Some(self.described(Some(asked), ours, died));
        Ok(None)
    }

    /// Waits for something else; none if it died before.
    pub(super) async fn outlives<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let (mut lives, life) = (self.line.lives.clone(), self.life);
        tokio::select! {
            biased;
            done = work => return Some(done),
            () = ended(&mut lives, life) => {}
        }
        self.death = Some(self.described(None, false, Instant::now()));
        None
    }

    /// The death that was met last and is not told yet.
    pub(super) fn take_death(&mut self) -> Option<Death> {
        self.death.take()
    }

    /// Waits until it is back.
    ///
    /// # Errors
    /// When it does not come back.
    pub(super) async fn back(&mut self) -> Result<(), DemoFault> {
        let former = self.life;
        let life =
            self.line.lives.wait_for(|life| life.over.is_some() || life.up && life.number > former).await;
        let life = life.map_err(|_| DemoFault::ServerGone { how: String::new() })?;
        if let Some(over) = life.over.clone() {
            return Err(over.into());
        }
        self.life = life.number;
        Ok(())
    }

    fn described(&self, asked: Option<Asked>, ours: bool, died: Instant) -> Death {
        Death { asked, ours, how: self.line.lives.borrow().ended.clone(), died }
    }
}

/// Resolves when this life is over.
async fn ended(lives: &mut watch::Receiver<Life>, number: u64) {
    // Without a supervisor there is no service either.
    drop(lives.wait_for(|life| life.number != number || !life.up).await);
}
