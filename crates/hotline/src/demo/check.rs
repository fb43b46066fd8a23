//! Whether the day's account is true. Three witnesses, none of which asks another: the record, from which the demo
//! replays its own switchboard and ledger; the gateway, which knows who rang in and whose leg it still holds; and the
//! board the service shows its supervisors.

use std::collections::{BTreeMap, BTreeSet};

use api::v1;
use switchboard::id::{CallId, LineId};
use switchboard::ledger::Account;

use super::figures::Figures;
use super::lang::Lang;
use super::record::Passage;
use super::seen::Seen;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Every disagreement. None: the ledger balances.
    pub(super) faults: Vec<String>,
}

impl Verdict {
    /// Law L13 holds on every line, and all witnesses agree.
    pub(super) fn is_balanced(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What the witnesses say.
pub(super) struct Testimony<'a> {
    /// The record, added up.
    pub(super) figures: &'a Figures,
    /// By the record: the calls inside, each with its line.
    pub(super) inside: &'a BTreeMap<CallId, LineId>,
    /// By the record: how often each call came and ended.
    pub(super) passages: &'a BTreeMap<CallId, Passage>,
    /// By the record: what the board may show, which counts since the service last started.
    pub(super) accounts: &'a [&'a BTreeMap<LineId, Account>],
    /// The gateway.
    pub(super) seen: &'a Seen,
    /// The board.
    pub(super) board: &'a v1::Board,
}

/// Holds the witnesses against each other.
pub(super) fn verdict(told: &Testimony<'_>, lang: Lang) -> Verdict {
    let mut faults = equation_faults(told.figures, told.inside, lang);
    faults.extend(passage_faults(told.passages, told.inside, lang));
    faults.extend(gateway_faults(told.figures, told.inside, told.seen, lang));
    faults.extend(board_faults(told, lang));
    Verdict { faults }
}

/// Every caller has one outcome: came once, and either ended once or is inside.
fn passage_faults(
    passages: &BTreeMap<CallId, Passage>,
    inside: &BTreeMap<CallId, LineId>,
    lang: Lang,
) -> Vec<String> {
    let wrong = passages.iter().filter(|(call, passage)| {
        let inside = u32::from(inside.contains_key(*call));
        passage.arrivals != 1 || passage.ends + inside != 1
    });
    wrong
        .map(|(call, Passage { arrivals, ends })| match lang {
            Lang::Zh => format!("来电 {call}：进线 {arrivals} 次，结束 {ends} 次"),
            Lang::En => format!("call {call} arrived {arrivals} times and ended {ends} times"),
        })
        .collect()
}

/// L13 per line: inside at start + arrived + moved in = outcomes + moved out + inside at end.
fn equation_faults(figures: &Figures, inside: &BTreeMap<CallId, LineId>, lang: Lang) -> Vec<String> {
    let mut faults = Vec::new();
    for line in &figures.lines {
        let here = inside.values().filter(|at| **at == line.id).count() as u64;
        if line.account.inside_at_end() != Some(here) {
            let name = lang.title(&line.title);
            faults.push(match lang {
                Lang::Zh => format!("{name}：进出不等，在线 {here}"),
                Lang::En => format!("{name}: what came is not what went, with {here} inside"),
            });
        }
    }
    if !figures.ledger.balanced && faults.is_empty() {
        faults.push(
            lang.of("有来电在计划之外的线路上", "a call is on a line that the plan does not have").to_owned(),
        );
    }
    faults
}

fn gateway_faults(
    figures: &Figures,
    inside: &BTreeMap<CallId, LineId>,
    seen: &Seen,
    lang: Lang,
) -> Vec<String> {
    let mut faults = Vec::new();
    for line in &figures.lines {
        let rang_in = seen.arrived.get(&line.id).copied().unwrap_or(0);
        if rang_in != line.account.arrived {
            let (name, recorded) = (lang.title(&line.title), line.account.arrived);
            faults.push(match lang {
                Lang::Zh => format!("{name}：网关报告进线 {rang_in}，记录为 {recorded}"),
                Lang::En => {
                    format!("{name}: the gateway reported {rang_in} arrivals, the record has {recorded}")
                }
            });
        }
    }
    for call in &seen.forgotten {
        faults.push(match lang {
            Lang::Zh => format!("服务已确认来电 {call}，重启后却不认识它"),
            Lang::En => format!("call {call} was acknowledged, and unknown after a restart"),
        });
    }
    let recorded: BTreeSet<CallId> = inside.keys().copied().collect();
    if recorded != seen.inside {
        let (held, known) = (seen.inside.len(), recorded.len());
        faults.push(match lang {
            Lang::Zh => format!("网关持有 {held} 路来电，记录中在线 {known}，并非同一批"),
            Lang::En => format!(
                "the gateway holds {held} callers, {known} are inside by the record, and not the same"
            ),
        });
    }
    faults
}

/// The board agrees with one of the accounts it may show.
fn board_faults(told: &Testimony<'_>, lang: Lang) -> Vec<String> {
    let faults = told.accounts.iter().map(|account| differences(told.figures, account, told.board, lang));
    faults.min_by_key(Vec::len).unwrap_or_default()
}

fn differences(
    figures: &Figures,
    accounts: &BTreeMap<LineId, Account>,
    board: &v1::Board,
    lang: Lang,
) -> Vec<String> {
    let shown: BTreeMap<&str, &v1::LineAccount> =
        board.lines.iter().filter_map(|line| Some((line.line_id.as_str(), line.account.as_ref()?))).collect();
    let mut faults = Vec::new();
    for line in &figures.lines {
        // A line that no call has ever been on may have no account.
        let none = v1::LineAccount::default();
        let shown = shown.get(line.id.as_str()).copied().unwrap_or(&none);
        let account = accounts.get(&line.id).cloned().unwrap_or_default();
        if !is_same(shown, &account) {
            let name = lang.title(&line.title);
            faults.push(match lang {
                Lang::Zh => format!("{name}：服务的看板与记录不符"),
                Lang::En => format!("{name}: the service's board and the record differ"),
            });
        }
    }
    faults
}

fn is_same(shown: &v1::LineAccount, account: &Account) -> bool {
    let ended: u64 = shown.outcomes.iter().map(|outcome| outcome.count).sum();
    shown.arrived == account.arrived
        && shown.inside_at_start == account.inside_at_start
        && shown.moved_in == account.moved_in
        && shown.moved_out == account.moved_out
        && shown.answerable == account.answerable
        && shown.overflowed == account.overflowed
        && shown.answered == account.answered
        && shown.answered_in_time == account.answered_in_time
        && ended == account.ended()
}

#[cfg(test)]
mod tests {
    use switchboard::plan::Title;
    use switchboard::time::{SiteTime, Span};
    use switchboard::view::{Crew, LineView};
    use uuid::Uuid;

    use super::super::figures::LedgerFigures;
    use super::*;
    use crate::board::figures::LineFigures;

    type Lie = fn(&mut Witnesses);

    struct Witnesses {
        figures: Figures,
        inside: BTreeMap<CallId, LineId>,
        passages: BTreeMap<CallId, Passage>,
        accounts: BTreeMap<LineId, Account>,
        seen: Seen,
        board: v1::Board,
    }

    impl Witnesses {
        /// Three calls rang in on one line; one is inside.
        fn in_agreement() -> Witnesses {
            let line: LineId = "duty".parse().unwrap();
            let call = CallId(Uuid::from_u128(1));
            let kind = switchboard::ledger::OutcomeKind::AnsweredEndedByCaller;
            let account =
                Account { arrived: 3, answered: 2, outcomes: [(kind, 2)].into(), ..Account::default() };
            let title = Title { zh: "值班热线".into(), en: "Duty line".into() };
            let accounts = [(line, account.clone())].into();
            let passages = [(call, Passage { arrivals: 1, ends: 0 })].into();
            let figures = Figures {
                at: SiteTime(0),
                end: SiteTime(1),
                lines: vec![LineFigures {
                    id: line,
                    title,
                    view: LineView::default(),
                    account: account.clone(),
                }],
                total: account,
                teams: Vec::new(),
                operators: Crew::default(),
                threshold: Span::secs(20),
                ledger: LedgerFigures { balanced: true, decisions: 9, hash: String::new() },
            };
            let mut seen = Seen::default();
            seen.arrived.insert(line, 3);
            seen.inside.insert(call);
            let counted = v1::OutcomeCount { outcome: v1::Outcome::AnsweredEndedByCaller.into(), count: 2 };
            let shown = v1::LineAccount {
                arrived: 3,
                answered: 2,
                outcomes: vec![counted],
                ..v1::LineAccount::default()
            };
            let shown =
                v1::BoardLine { line_id: line.to_string(), account: Some(shown), ..v1::BoardLine::default() };
            let board = v1::Board { lines: vec![shown], ..v1::Board::default() };
            Witnesses { figures, inside: [(call, line)].into(), passages, accounts, seen, board }
        }

        fn faults(&self) -> Vec<String> {
            let told = Testimony {
                figures: &self.figures,
                inside: &self.inside,
                passages: &self.passages,
                accounts: &[&self.accounts],
                seen: &self.seen,
                board: &self.board,
            };
            verdict(&told, Lang::En).faults
        }
    }

    #[test]
    fn witnesses_in_agreement_balance() {
        assert_eq!(Witnesses::in_agreement().faults(), [""; 0]);
    }

    #[test]
    fn each_lie_is_seen() {
        let lies: [(Lie, &str); 9] = [
            (|w| w.inside.clear(), "what came is not what went"),
            (|w| *w.seen.arrived.values_mut().next().unwrap() += 1, "the gateway reported 4 arrivals"),
            (|w| w.seen.inside.clear(), "the gateway holds 0 callers"),
            (|w| w.board.lines.clear(), "board and the record differ"),
            (|w| w.accounts.values_mut().for_each(|a| a.answered += 1), "board and the record differ"),
            (|w| w.passages.values_mut().for_each(|p| p.ends = 1), "arrived 1 times and ended 1 times"),
            (|w| w.passages.values_mut().for_each(|p| p.arrivals = 2), "arrived 2 times and ended 0 times"),
            (|w| w.seen.forgotten.extend(w.inside.keys().copied()), "unknown after a restart"),
            (|w| w.figures.ledger.balanced = false, "a line that the plan does not have"),
        ];
        for (lie, words) in lies {
            let mut witnesses = Witnesses::in_agreement();
            lie(&mut witnesses);
            let faults = witnesses.faults();
            assert!(faults.iter().any(|fault| fault.contains(words)), "{words}: {faults:?}");
        }
    }
}
