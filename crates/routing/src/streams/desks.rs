//! Desks that are open: what each was shown last, and which of them a call touches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::v1;
use exchange::Cursor;
use switchboard::Switchboard;
use switchboard::desk::DeskView;
use switchboard::id::{CallId, DeskSession, OperatorId};
use tonic::Status;

use super::mailbox::{Mailbox, News};
use super::progress::{Progress, Whose};
use super::{StreamNumber, stale_session, wire_cursor};
use crate::convert;

/// What a desk is told.
pub(crate) struct DeskNews {
    number: u64,
    cursor: Cursor,
    kind: v1::UpdateKind,
    view: DeskView,
}

impl DeskNews {
    pub(crate) fn message(&self) -> v1::OperatorServiceAttachResponse {
        v1::OperatorServiceAttachResponse {
            number: self.number,
            cursor: Some(wire_cursor(self.cursor)),
            kind: self.kind.into(),
            desk: Some(convert::desk(&self.view)),
        }
    }
}

impl News for DeskNews {
    fn absorb(&mut self, later: DeskNews) {
        *self = DeskNews { kind: self.kind, ..later };
    }
}

/// Every open desk.
pub(super) struct Desks {
    /// Windows of one desk at a time.
    windows_max: usize,
    open: BTreeMap<OperatorId, Desk>,
    /// Whose desk shows a call: the operators an event about it may concern without naming them.
    by_call: BTreeMap<CallId, BTreeSet<OperatorId>>,
}

struct Desk {
    view: DeskView,
    windows: BTreeMap<StreamNumber, Window>,
}

struct Window {
    session: DeskSession,
    mailbox: Arc<Mailbox<DeskNews>>,
}

impl Desks {
    /// None is open.
    pub(super) fn new(windows_max: usize) -> Desks {
        Desks { windows_max, open: BTreeMap::new(), by_call: BTreeMap::new() }
    }

    /// Opens a window. `None` when this desk has as many as it may.
    pub(super) fn open(
        &mut self,
        stream: StreamNumber,
        session: DeskSession,
        view: DeskView,
        kind: v1::UpdateKind,
        cursor: Cursor,
        progress: &mut Progress,
    ) -> Option<Arc<Mailbox<DeskNews>>> {
        let operator = view.operator;
        if self.open.get(&operator).is_some_and(|desk| desk.windows.len() >= self.windows_max) {
            return None;
        }
        let number = progress.count(Whose::Desk(operator));
        let news = DeskNews { number, cursor, kind, view: view.clone() };
        let mailbox = Arc::new(Mailbox::with(news));
        let window = Window { session, mailbox: Arc::clone(&mailbox) };
        let opened = Desk { view: view.clone(), windows: BTreeMap::new() };
        self.open.entry(operator).or_insert(opened).windows.insert(stream, window);
        self.show(view, cursor, progress);
        Some(mailbox)
    }

    /// Closes a window; says whether it was the desk's last.
    pub(super) fn close(&mut self, operator: OperatorId, stream: StreamNumber) -> bool {
        let Some(desk) = self.open.get_mut(&operator) else { return true };
        desk.windows.remove(&stream);
        if !desk.windows.is_empty() {
            return false;
        }
        if let Some(Desk { view, .. }) = self.open.remove(&operator) {
            self.unindex(&view);
        }
        true
    }

    /// Who may have something new to see: those named, and those whose desk shows one of these calls.
    pub(super) fn concerned(
        &self,
        named: impl IntoIterator<Item = OperatorId>,
        calls: &BTreeSet<CallId>,
    ) -> BTreeSet<OperatorId> {
        let shown = calls.iter().filter_map(|call| self.by_call.get(call)).flatten().copied();
        shown.chain(named).filter(|operator| self.open.contains_key(operator)).collect()
    }

    /// Shows these operators what there is, if it is not what they saw.
    pub(super) fn tell(
        &mut self,
        operators: impl IntoIterator<Item = OperatorId>,
        switchboard: &Switchboard,
        cursor: Cursor,
        progress: &mut Progress,
    ) {
        for operator in operators {
            match switchboard.desk(operator) {
                Some(view) => self.show(view, cursor, progress),
                None => self.end(operator, &Status::not_found("this operator was removed")),
            }
        }
    }

    /// Everybody with a window open.
    pub(super) fn everybody(&self) -> Vec<OperatorId> {
        self.open.keys().copied().collect()
    }

    /// Ends every window of a desk. The windows leave by themselves.
    pub(super) fn end(&self, operator: OperatorId, status: &Status) {
        let windows = self.open.get(&operator).into_iter().flat_map(|desk| desk.windows.values());
        windows.for_each(|window| window.mailbox.end(status.clone()));
    }

    fn show(&mut self, view: DeskView, cursor: Cursor, progress: &mut Progress) {
        let Some(desk) = self.open.get_mut(&view.operator) else { return };
        for window in desk.windows.values().filter(|window| window.session < view.session) {
            window.mailbox.end(stale_session());
        }
        if desk.view != view {
            let number = progress.count(Whose::Desk(view.operator));
            for window in desk.windows.values() {
                let kind = v1::UpdateKind::Change;
                window.mailbox.put(DeskNews { number, cursor, kind, view: view.clone() });
            }
            let earlier = std::mem::replace(&mut desk.view, view.clone());
            self.unindex(&earlier);
        }
        if let Some((call, _)) = view.work.call() {
            self.by_call.entry(call).or_default().insert(view.operator);
        }
    }

    fn unindex(&mut self, view: &DeskView) {
        let Some((call, _)) = view.work.call() else { return };
        if let Some(shown) = self.by_call.get_mut(&call) {
            shown.remove(&view.operator);
            if shown.is_empty() {
                self.by_call.remove(&call);
            }
        }
    }
}
