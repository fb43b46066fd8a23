//! Whether the day's account is true. Three witnesses, none of which asks another: the record, from which the demo
//! replays its own switchboard and ledger; the gateway, which knows who rang in and whose leg it still holds; and the
//! board the service shows its supervisors.

use std::collections::{BTreeMap, BTreeSet};

use api::v1;
use switchboard::id::{CallId, LineId};
use switchboard::ledger::Account;

use super::figures::Figures;
use super::lang::Lang;
use super::wire::Seen;

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

/// Holds the witnesses against each other.
pub(super) fn verdict(
    figures: &Figures,
    inside: &BTreeMap<CallId, LineId>,
    seen: &Seen,
    board: &v1::Board,
    lang: Lang,
) -> Verdict {
    let mut faults = equation_faults(figures, inside, lang);
    faults.extend(gateway_faults(figures, inside, seen, lang));
    faults.extend(board_faults(figures, board, lang));
    Verdict { faults }
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

fn board_faults(figures: &Figures, board: &v1::Board, lang: Lang) -> Vec<String> {
    let shown: BTreeMap<&str, &v1::LineAccount> =
        board.lines.iter().filter_map(|line| Some((line.line_id.as_str(), line.account.as_ref()?))).collect();
    let mut faults = Vec::new();
    for line in &figures.lines {
        // A line that no call has ever been on may have no account.
        let none = v1::LineAccount::default();
        let shown = shown.get(line.id.as_str()).copied().unwrap_or(&none);
        if !is_same(shown, &line.account) {
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
        && shown.overflowed == account.overflowed
        && shown.answered == account.answered
        && shown.answered_in_time == account.answered_in_time
        && ended == account.ended()
}
