//! What is committed: the durable switchboard and the last decisions, moved forward together.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use session::Epoch;
use switchboard::Switchboard;
use switchboard::decision::Decision;
use switchboard::id::Seq;
use tokio::sync::watch;

use crate::ask::Cursor;

/// How far back a feed can begin; whoever is further behind takes a snapshot.
pub const FEED_DECISIONS_MAX: usize = 4_096;

/// The durable switchboard and its last decisions. Both change under one lock, so that whoever reads sees a
/// decision in both or in neither.
pub(crate) struct Published {
    epoch: Epoch,
    inside: RwLock<Inside>,
    head: watch::Sender<Head>,
}

pub(crate) struct Inside {
    pub(crate) durable: Switchboard,
    pub(crate) last: VecDeque<Arc<Decision>>,
}

/// What wakes those who wait for decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: Seq,
    pub(crate) ended: bool,
}

impl Published {
    pub(crate) fn new(epoch: Epoch, durable: Switchboard) -> Published {
        let head = Head { seq: durable.state().seq, ended: false };
        Published {
            epoch,
            inside: RwLock::new(Inside { durable, last: VecDeque::new() }),
            head: watch::Sender::new(head),
        }
    }

    /// Makes committed decisions visible, all at once.
    pub(crate) fn publish<'a>(&self, decisions: impl IntoIterator<Item = &'a Arc<Decision>>) {
        let mut inside = self.write();
        for decision in decisions {
            inside.durable.evolve(decision);
            if inside.last.len() == FEED_DECISIONS_MAX {
                inside.last.pop_front();
            }
            inside.last.push_back(Arc::clone(decision));
        }
        let seq = inside.durable.state().seq;
        drop(inside);
        self.head.send_modify(|head| head.seq = seq);
    }

    /// Nothing more will be committed by this exchange.
    pub(crate) fn end(&self) {
        self.head.send_modify(|head| head.ended = true);
    }

    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor_of(&self.read())
    }

    pub(crate) fn cursor_of(&self, inside: &Inside) -> Cursor {
        Cursor { epoch: self.epoch, seq: inside.durable.state().seq }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Inside> {
        self.inside.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inside> {
        self.inside.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// The seq of the earliest decision that can still be told.
    pub(crate) fn first(&self) -> Seq {
        self.last.front().map_or(self.durable.state().seq.next(), |decision| decision.seq)
    }
}
