//! The day: the hospital and the clock, step by step. A step goes to whatever happens next, in the hospital or by the
//! service's own deadlines; everything that follows is heard before anything else is done.

use std::time::{Duration, Instant};

use api::v1;
use sim::world::{Heard, Tally, World};
use switchboard::command::Input;
use switchboard::decision::Reply;
use switchboard::rejection::Rejection;
use switchboard::time::SiteTime;

use super::fault::DemoFault;
use super::figures::Figures;
use super::flags::Pace;
use super::lives::{DeathRow, Lives};
use super::screen::Screen;
use super::service::Asked;
use super::wire::Wire;

const SHOWING: &str = "showing the board";

/// So many deadlines at one moment would mean that time has stopped.
const STEPS_AT_ONE_MOMENT_MAX: u32 = 100_000;

/// A day under way.
pub(super) struct Day {
    world: World,
    wire: Wire,
    pace: Pacer,
    screen: Screen,
    inputs: u64,
    lives: Lives,
}

impl Day {
    /// Before its first moment.
    pub(super) fn new(world: World, wire: Wire, pace: Pace, screen: Screen) -> Day {
        Day {
            world,
            wire,
            pace: Pacer { pace, started: Instant::now() },
            screen,
            inputs: 0,
            lives: Lives::default(),
        }
    }

    /// Plays until midnight.
    ///
    /// # Errors
    /// When the service fails, or standard error cannot be written to.
    pub(super) async fn play(&mut self) -> Result<(), DemoFault> {
        let end = self.world.end();
        self.show(end)?;
        loop {
            self.pass_deadlines().await?;
            if self.world.next_at().is_some_and(|at| at <= self.wire.now()) {
                self.live_through_the_moment().await?;
                continue;
            }
            if self.wire.now() >= end {
                return self.show(end);
            }
            self.look(end)?;
            let next = [self.world.next_at(), self.wire.next_deadline()].into_iter().flatten().min();
            let target = next.map_or(end, |next| next.clamp(self.wire.now(), end));
            if self.wait(target, end).await? {
                self.step(target).await?;
            }
        }
    }

    /// After a death everything is looked at again: the clock may be further than it was sent.
    async fn step(&mut self, to: SiteTime) -> Result<(), DemoFault> {
        match self.wire.step(to).await? {
            Some(()) => self.tell_world(),
            None => self.outlive(None).await?,
        }
        Ok(())
    }

    /// The same request until it is answered, over any number of deaths.
    async fn say(&mut self, input: Input) -> Result<bool, DemoFault> {
        let input = self.wire.named(input);
        loop {
            match self.wire.say(&input).await? {
                Some(accepted) => return Ok(accepted),
                None => self.outlive(Some(&input)).await?,
            }
        }
    }

    /// The service has died: shows it, waits until everybody is back, shows that.
    async fn outlive(&mut self, unanswered: Option<&Input>) -> Result<(), DemoFault> {
        let (end, was) = (self.world.end(), self.wire.now());
        let Some(mut death) = self.wire.service.take_death() else { return Ok(()) };
        loop {
            self.screen.tell(was, |lang| death.words(lang)).map_err(DemoFault::machine(SHOWING))?;
            self.show(end)?;
            let back = self.wire.come_back(was).await?;
            let asked = unanswered.filter(|_| death.asked != Some(Asked::Return));
            let row = DeathRow::of(&death, was, back.as_ref().map(|back| (back, asked)));
            let told = self.screen.tell(was, |lang| row.words(lang));
            told.map_err(DemoFault::machine(SHOWING))?;
            self.lives.deaths.push(row);
            match (back, self.wire.service.take_death()) {
                (None, Some(another)) => death = another,
                _ => break,
            }
        }
        self.tell_world();
        self.show(end)
    }

    /// The service's board, at last.
    ///
    /// # Errors
    /// When the service fails.
    pub(super) async fn board(&mut self) -> Result<v1::Board, DemoFault> {
        loop {
            match self.wire.board().await? {
                Some(board) => return Ok(board),
                None => self.outlive(None).await?,
            }
        }
    }

    /// Time first: nobody acts at a moment before what is due at it has happened.
    async fn pass_deadlines(&mut self) -> Result<(), DemoFault> {
        let now = self.wire.now();
        for _ in 0..STEPS_AT_ONE_MOMENT_MAX {
            if self.wire.next_deadline().is_none_or(|due| due > now) {
                return Ok(());
            }
            self.step(now.max(self.wire.now())).await?;
        }
        Err(DemoFault::Call {
            doing: "stepping the clock",
            message: format!("time stands still at {} µs", now.0),
        })
    }

    async fn live_through_the_moment(&mut self) -> Result<(), DemoFault> {
        let now = self.wire.now();
        for input in self.world.due(now) {
            let accepted = self.say(input).await?;
            self.tell_world();
            // Why it was refused is nothing that a caller or an operator acts on.
            let answer = if accepted { Ok(Reply::Done) } else { Err(Rejection::StaleOffer) };
            self.world.heard(now, Heard::Answer { nth: self.inputs, answer: &answer });
            self.inputs += 1;
        }
        Ok(())
    }

    fn tell_world(&mut self) {
        let now = self.wire.now();
        let news = self.wire.take_news();
        for treatment in news.treatments.values() {
            self.world.heard(now, Heard::Treatment(treatment));
        }
        for view in news.desks.values() {
            self.world.heard(now, Heard::Desk(view));
        }
    }

    /// Waits on the wall for the next step, with a board that goes on meanwhile. Not, if the service dies.
    async fn wait(&mut self, target: SiteTime, end: SiteTime) -> Result<bool, DemoFault> {
        while let Some(left) = self.pace.until(target) {
            let nap = self.screen.redraw_every().map_or(left, |every| left.min(every));
            if self.wire.service.outlives(tokio::time::sleep(nap)).await.is_none() {
                self.outlive(None).await?;
                return Ok(false);
            }
            let at = self.pace.shown(self.wire.now(), target);
            if self.screen.wants(at.0) {
                let figures = self.wire.record.figures(end).at_later(at);
                self.screen.show(&figures).map_err(DemoFault::machine(SHOWING))?;
            }
        }
        Ok(true)
    }

    fn look(&mut self, end: SiteTime) -> Result<(), DemoFault> {
        if self.screen.wants(self.wire.now().0) { self.show(end) } else { Ok(()) }
    }

    fn show(&mut self, end: SiteTime) -> Result<(), DemoFault> {
        let figures = self.figures(end);
        self.screen.show(&figures).map_err(DemoFault::machine(SHOWING))
    }

    /// Everything the board shows.
    pub(super) fn figures(&self, end: SiteTime) -> Figures {
        self.wire.record.figures(end).at_later(self.wire.now())
    }

    /// What became of the service.
    pub(super) fn lives(&self) -> &Lives {
        &self.lives
    }

    /// How the hospital's inputs were received.
    pub(super) fn tally(&self) -> Tally {
        self.world.tally()
    }

    /// What was recorded and seen.
    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// When the day is over.
    pub(super) fn end(&self) -> SiteTime {
        self.world.end()
    }
}

/// Waits between steps. It changes nothing of what is decided: steps go where they go at any pace.
struct Pacer {
    pace: Pace,
    started: Instant,
}

impl Pacer {
    /// How long to wait for this moment of the day; none when it is here.
    fn until(&self, at: SiteTime) -> Option<Duration> {
        let Pace::Times(times) = self.pace else { return None };
        let due = Duration::from_micros(at.0) / times;
        due.checked_sub(self.started.elapsed()).filter(|left| !left.is_zero())
    }

    /// What a clock would show at this moment, between what happened last and what happens next.
    fn shown(&self, last: SiteTime, next: SiteTime) -> SiteTime {
        let Pace::Times(times) = self.pace else { return next };
        let passed = self.started.elapsed().as_micros().saturating_mul(u128::from(times));
        SiteTime(u64::try_from(passed).unwrap_or(u64::MAX)).clamp(last, next)
    }
}
