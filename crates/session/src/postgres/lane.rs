//! A connection that appends. Rows of several sites that wait for it at the same moment go in one statement: a commit costs
//! as much for all of them as for one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use switchboard::id::{Seq, SiteId};
use tokio::sync::oneshot;

use super::fault::Failed;
use super::link::{Durability, Link, Server};
use super::turns;
use crate::crash::{CrashPoint, reached};
use crate::engine::journal::{self as rows, Last};
use crate::engine::{Places, Stopped};
use crate::journal::{Appended, JournalFault, Row};

/// So many rows at most go in one statement: each number of them is a statement of its own to the database.
pub(super) const ROWS_AT_ONCE: usize = 16;

type Answer = Result<Appended, JournalFault>;

/// The way of some sites into the journal.
pub(super) struct Lane {
    waiting: Mutex<VecDeque<Waiting>>,
    appender: tokio::sync::Mutex<Appender>,
}

/// A row on its way, and who waits for it.
struct Waiting {
    site: SiteId,
    row: Row,
    answer: oneshot::Sender<Answer>,
}

/// The connection, and the sites for which its hand is up.
struct Appender {
    link: Link,
    hands: BTreeSet<SiteId>,
    /// On which of the link's connections they are: a hand goes with its connection.
    raised_on: u64,
}

impl Lane {
    pub(super) fn to(server: &Arc<Server>) -> Lane {
        let link = Link::to(server, Durability::AtOnce);
        let appender = Appender { link, hands: BTreeSet::new(), raised_on: 0 };
        Lane { waiting: Mutex::default(), appender: tokio::sync::Mutex::new(appender) }
    }

    /// Stores a row. Whoever has the connection appends for everybody who waits.
    pub(super) async fn append(&self, site: SiteId, row: &Row) -> Answer {
        if row.last_seq < row.seq {
            return Err(JournalFault::Gap { seq: row.seq, last_seq: before(row.seq) });
        }
        let (answer, mut answered) = oneshot::channel();
        self.waiting().push_back(Waiting { site, row: row.clone(), answer });
        let mut appender = self.appender.lock().await;
        loop {
            match answered.try_recv() {
                Ok(answer) => return answer,
                Err(oneshot::error::TryRecvError::Empty) => appender.append(self.next()).await,
                Err(oneshot::error::TryRecvError::Closed) => {
                    let why = "whoever appended it for others was stopped in the middle".to_owned();
                    return Err(JournalFault::OutcomeUnknown(why));
                }
            }
        }
    }

    /// Who goes together next: one row of a site at most, those who wait longest first.
    fn next(&self) -> Vec<Waiting> {
        let (mut group, mut sites) = (Vec::new(), BTreeSet::new());
        let mut waiting = self.waiting();
        let mut later = VecDeque::new();
        while let Some(next) = waiting.pop_front() {
            if group.len() == ROWS_AT_ONCE || sites.contains(&next.site) {
                later.push_back(next);
            } else if !next.answer.is_closed() {
                sites.insert(next.site);
                group.push(next);
            }
        }
        *waiting = later;
        group
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        // Whoever panicked left a queue that is whole, or whose rows are answered by nobody.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Raises the hand for a site, or lowers it.
    pub(super) async fn raise(&self, site: SiteId, up: bool) -> Result<(), Failed> {
        self.appender.lock().await.raise(site, up).await
    }

    /// Whether somebody else's hand is up.
    pub(super) async fn is_awaited(&self, site: SiteId) -> Result<bool, Failed> {
        let looked = self.appender.lock().await.link.rows(turns::look(site)).await?;
        Ok(looked.first().is_some_and(turns::is_awaited))
    }

    pub(super) fn into_link(self) -> Link {
        self.appender.into_inner().link
    }
}

impl Appender {
    async fn append(&mut self, group: Vec<Waiting>) {
        let together = group.iter().map(|waiting| (waiting.site, &waiting.row));
        match self.stored(together).await {
            Ok(stored) => self.tell(group, &stored).await,
            // Nothing was stored: the one that is at fault is so alone.
            Err(failed) if group.len() > 1 && failed.is_certain() => {
                for waiting in group {
                    let answer = self.append_one(waiting.site, &waiting.row).await;
                    tell(waiting, answer);
                }
            }
            Err(failed) => {
                let answer = failed.appended();
                group.into_iter().for_each(|waiting| tell(waiting, answer.clone()));
            }
        }
    }

    async fn append_one(&mut self, site: SiteId, row: &Row) -> Answer {
        match self.stored([(site, row)].into_iter()).await {
            Ok(stored) => match stored.first() {
                Some((_, appended)) => Ok(*appended),
                None => self.does_not_follow(site, row.seq).await,
            },
            Err(failed) => failed.appended(),
        }
    }

    /// Which of these rows were stored.
    async fn stored<'a>(
        &mut self,
        rows: impl ExactSizeIterator<Item = (SiteId, &'a Row)>,
    ) -> Result<Vec<(SiteId, Appended)>, Failed> {
        let added = self.link.rows_at_once(turns::append(rows)).await?;
        reached(CrashPoint::AfterInsert);
        let stored = added.iter().filter_map(|row| {
            let appended = if turns::is_awaited(row) { Appended::Awaited } else { Appended::Stored };
            Some((row.named("site").ok()?, appended))
        });
        Ok(stored.collect())
    }

    async fn tell(&mut self, group: Vec<Waiting>, stored: &[(SiteId, Appended)]) {
        let mut others = Vec::new();
        for waiting in group {
            match stored.iter().find(|(site, _)| *site == waiting.site) {
                Some((_, appended)) => tell(waiting, Ok(*appended)),
                None => others.push(waiting),
            }
        }
        for waiting in others {
            let answer = self.does_not_follow(waiting.site, waiting.row.seq).await;
            tell(waiting, answer);
        }
    }

    /// Somebody else appends as well, or the server lost what it had and another took its place: only behind a row that
    /// stands there may another follow.
    async fn does_not_follow(&mut self, site: SiteId, seq: Seq) -> Answer {
        let found = self.link.rows(rows::tail(site, before(seq), 1)).await.map_err(reading)?;
        let begins = found.first().map(|row| rows::stored(row).map(|stored| stored.row.seq)).transpose()?;
        if begins == Some(seq) {
            return Ok(Appended::Lost);
        }
        let last = self.link.rows(rows::head(site)).await.map_err(reading)?;
        let last_seq = last.first().map_or(Ok(Seq(0)), |row| Last::of(row).map(|last| last.seq))?;
        Err(JournalFault::Gap { seq, last_seq })
    }

    async fn raise(&mut self, site: SiteId, up: bool) -> Result<(), Failed> {
        self.link.ready().await?;
        self.forget_what_is_gone();
        if self.hands.contains(&site) == up {
            return Ok(());
        }
        let raised = self.link.rows(turns::raise(site, up)).await;
        if raised.is_err() {
            // Perhaps it was done, and what a session holds outlives the statement: then it goes with the connection.
            self.link.let_go();
        }
        self.forget_what_is_gone();
        let raised = raised?;
        match turns::is_raised(&raised) {
            true => self.hands.insert(site),
            false => self.hands.remove(&site),
        };
        Ok(())
    }

    fn forget_what_is_gone(&mut self) {
        if self.raised_on != self.link.made {
            self.hands.clear();
            self.raised_on = self.link.made;
        }
    }
}

fn tell(waiting: Waiting, answer: Answer) {
    // Whoever is not there any more looks at the journal, or nobody does.
    drop(waiting.answer.send(answer));
}

fn before(seq: Seq) -> Seq {
    Seq(seq.0.saturating_sub(1))
}

/// A question that only reads changed nothing, however it ended.
pub(super) fn reading(failed: Failed) -> JournalFault {
    Stopped::from(failed).into()
}
