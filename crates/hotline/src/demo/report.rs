//! The day's report, for people.

use console::Style;
use switchboard::ledger::{Account, OutcomeKind};
use switchboard::time::Span;

use super::check::Verdict;
use super::figures::Figures;
use super::lang::Lang;
use super::lives::{Lives, OnDisk, seconds};
use crate::board::figures::{LineFigures, ServiceLevel, clock, grouped, percent};
use crate::board::table::{Cell, Table};

/// What was played, and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Played {
    pub(super) seed: u64,
    pub(super) first_attempts: u64,
    pub(super) redials: u64,
    pub(super) resumed: u64,
    pub(super) surge: u32,
    pub(super) figures: Figures,
    pub(super) state_hash: String,
    pub(super) verdict: Verdict,
    pub(super) lives: Lives,
    /// Of a service that kept its journal there.
    pub(super) on_disk: Option<OnDisk>,
}

/// The same, with everything that was found in one verdict.
pub(super) struct Report(Played);

impl std::ops::Deref for Report {
    type Target = Played;

    fn deref(&self) -> &Played {
        &self.0
    }
}

/// Every way a call can end, in the order of reports, with its names.
pub(super) const OUTCOMES: [(OutcomeKind, &str, &str, &str); 12] = [
    (
        OutcomeKind::AnsweredEndedByCaller,
        "answered_ended_by_caller",
        "已接，来电者挂机",
        "answered, ended by the caller",
    ),
    (
        OutcomeKind::AnsweredEndedByOperator,
        "answered_ended_by_operator",
        "已接，接线员挂机",
        "answered, ended by the operator",
    ),
    (OutcomeKind::AbandonedWaiting, "abandoned_waiting", "等候中放弃", "abandoned while waiting"),
    (OutcomeKind::AbandonedRinging, "abandoned_ringing", "振铃中放弃", "abandoned while ringing"),
    (OutcomeKind::AbandonedConnecting, "abandoned_connecting", "接通中放弃", "abandoned while connecting"),
    (OutcomeKind::DivertedOut, "diverted_out", "转至外线", "taken by an outside number"),
    (OutcomeKind::RefusedFull, "refused_full", "拒绝：等候已满", "refused: too many waited"),
    (OutcomeKind::RefusedBlocked, "refused_blocked", "拒绝：已屏蔽", "refused: caller blocked"),
    (OutcomeKind::RefusedClosed, "refused_closed", "拒绝：线路关闭", "refused: line closed"),
    (OutcomeKind::RefusedDraining, "refused_draining", "拒绝：线路撤除中", "refused: line being removed"),
    (
        OutcomeKind::NobodyOnDuty,
        "nobody_on_duty",
        "无人值守，已播结束语",
        "nobody on duty, closing message heard",
    ),
    (OutcomeKind::Failed, "failed", "故障", "failed"),
];

impl Report {
    /// What the disk says counts as much as what the other witnesses do.
    pub(super) fn of(mut played: Played) -> Report {
        let on_disk = played.on_disk.iter().flat_map(OnDisk::faults);
        played.verdict.faults.extend(on_disk);
        Report(played)
    }

    /// The report as lines.
    pub(super) fn lines(&self, lang: Lang) -> Vec<String> {
        let plain = Style::new().force_styling(false);
        let mut lines = vec![self.heading(lang), String::new()];
        lines.extend(self.line_table(lang).lines(usize::MAX, &plain));
        lines.push(level_line(self.figures.threshold, lang));
        lines.push(String::new());
        lines.extend(self.outcome_table(lang).lines(usize::MAX, &plain));
        lines.push(String::new());
        lines.extend(self.ledger_table(lang).lines(usize::MAX, &plain));
        lines.extend(self.lives_lines(lang));
        lines.extend(self.verdict_lines(lang));
        lines
    }

    /// What became of the service, if it was meant to be able to die.
    fn lives_lines(&self, lang: Lang) -> Vec<String> {
        let Some(on_disk) = &self.on_disk else { return Vec::new() };
        let lives = &self.lives;
        let [deaths, ours, asked] = [lives.deaths.len(), lives.ours(), lives.with_requests()];
        let (stored, lost) = (lives.stored(true), lives.stored(false));
        let mut lines = vec![
            String::new(),
            match lang {
                Lang::Zh => format!(
                    "服务进程死亡 {deaths} 次（其中演示所杀 {ours} 次），{asked} 次有请求在途；其中 {stored} 项请求死前已入账，{lost} 项未入账而重发"
                ),
                Lang::En => format!(
                    "the service died {deaths} times, {ours} of them killed by the demo, {asked} with a request unanswered; of \
                     the facts and commands among these, {stored} had been stored and {lost} were sent again"
                ),
            },
        ];
        if let Some((middle, most)) = lives.back().map(|(middle, most)| (seconds(middle), seconds(most))) {
            lines.push(match lang {
                Lang::Zh => format!("从死亡到全员恢复：中位 {middle} 秒，最长 {most} 秒"),
                Lang::En => format!(
                    "from a death until everybody was back: {middle} s in the middle, {most} s at most"
                ),
            });
        }
        if let Ok(verified) = &on_disk.verified {
            lines.push(match lang {
                Lang::Zh => format!("hotline journal verify：{verified}"),
                Lang::En => format!("hotline journal verify: {verified}"),
            });
        }
        if on_disk.same.is_ok() {
            lines.push(
                lang.of(
                    "磁盘上的决定与演示所见逐项相同。",
                    "The decisions on the disk are those the demo heard of, one by one.",
                )
                .to_owned(),
            );
        }
        lines.push(String::new());
        lines
    }

    fn heading(&self, lang: Lang) -> String {
        let (seed, surge) = (self.seed, self.surge);
        let [arrived, first, redials, resumed] =
            [self.figures.total.arrived, self.first_attempts, self.redials, self.resumed].map(grouped);
        match lang {
            Lang::Zh => format!(
                "全天报告（种子 {seed}，{surge} 倍来电）：进线 {arrived} 次，其中首拨 {first}，重拨 {redials}（{resumed} 次续上原位）"
            ),
            Lang::En => format!(
                "The day's report (seed {seed}, surge {surge}): {arrived} calls arrived, {first} first attempts and \
                 {redials} redials, of which {resumed} took up their place again"
            ),
        }
    }

    fn line_table(&self, lang: Lang) -> Table {
        let within = self.figures.threshold.as_secs();
        let mut table = match lang {
            Lang::Zh => {
                let level = format!("{within}秒内接通");
                Table::new([
                    "线路",
                    "进线",
                    "已接",
                    "放弃",
                    "转外线",
                    "拒绝",
                    "无人",
                    "遇忙转移",
                    "平均等候",
                    "最长等候",
                    &level,
                ])
            }
            Lang::En => {
                let level = format!("in {within} s");
                Table::new([
                    "Line",
                    "arrived",
                    "answered",
                    "abandoned",
                    "diverted",
                    "refused",
                    "nobody",
                    "overflowed",
                    "mean wait",
                    "longest",
                    &level,
                ])
            }
        };
        let rows = self.figures.lines.iter().map(|line| (lang.title(&line.title), &line.account));
        for (name, account) in rows.chain([(lang.of("全部线路", "All lines"), &self.figures.total)]) {
            table.row(account_row(name, account));
        }
        table
    }

    fn outcome_table(&self, lang: Lang) -> Table {
        let total = &self.figures.total;
        let mut table = Table::new([lang.of("结局", "Outcome"), lang.of("来电", "calls")]);
        for (kind, _, zh, en) in OUTCOMES {
            let count = outcome(total, kind);
            if count > 0 {
                table.row([Cell::new(lang.of(zh, en)), Cell::new(grouped(count))]);
            }
        }
        let inside: u64 = self.figures.lines.iter().map(LineFigures::inside).sum();
        table.row([Cell::new(lang.of("午夜仍在线", "inside at midnight")), Cell::new(grouped(inside))]);
        table
    }

    /// L13 in figures: the left three are the right three.
    fn ledger_table(&self, lang: Lang) -> Table {
        let mut table = match lang {
            Lang::Zh => Table::new(["账本", "起始在线", "+ 进线", "+ 转来", "= 已结束", "+ 转走", "+ 在线"]),
            Lang::En => Table::new([
                "Ledger",
                "inside at start",
                "+ arrived",
                "+ moved in",
                "= ended",
                "+ moved out",
                "+ inside",
            ]),
        };
        for line in &self.figures.lines {
            table.row(ledger_row(lang.title(&line.title), &line.account, line.inside()));
        }
        let inside = self.figures.lines.iter().map(LineFigures::inside).sum();
        table.row(ledger_row(lang.of("全部线路", "All lines"), &self.figures.total, inside));
        table
    }

    fn verdict_lines(&self, lang: Lang) -> Vec<String> {
        let mut lines: Vec<String> = self.verdict.faults.iter().map(|fault| format!("! {fault}")).collect();
        lines.push(match (self.verdict.is_balanced(), lang) {
            (true, Lang::Zh) => {
                "账平：由记录重算的账本、网关所见与服务的看板三者一致，各线路进出相等。".to_owned()
            }
            (true, Lang::En) => {
                "Balanced: the ledger made again from the record, what the gateway saw and the service's \
                                 board agree, and on every line what came is what went."
                    .to_owned()
            }
            (false, Lang::Zh) => "账不平。".to_owned(),
            (false, Lang::En) => "NOT BALANCED.".to_owned(),
        });
        let (decisions, hash) = (grouped(self.figures.ledger.decisions), &self.figures.ledger.hash);
        match lang {
            Lang::Zh => lines.push(format!("决定 {decisions} 项，账本散列 {hash}")),
            Lang::En => lines.push(format!("{decisions} decisions, ledger hash {hash}")),
        }
        lines
    }
}

fn account_row(name: &str, account: &Account) -> Vec<Cell> {
    let of = |kind| outcome(account, kind);
    let refused = of(OutcomeKind::RefusedFull)
        + of(OutcomeKind::RefusedBlocked)
        + of(OutcomeKind::RefusedClosed)
        + of(OutcomeKind::RefusedDraining);
    let mean =
        account.wait_sum.0.checked_div(account.answered).map_or_else(|| "-".to_owned(), |us| clock(Span(us)));
    let longest = if account.answered > 0 { clock(account.wait_max) } else { "-".to_owned() };
    let level = ServiceLevel::of(account).map_or_else(|| "-".to_owned(), |level| percent(level.tenths()));
    let counts = [
        account.arrived,
        account.answered,
        account.abandoned(),
        of(OutcomeKind::DivertedOut),
        refused,
        of(OutcomeKind::NobodyOnDuty),
        account.overflowed,
    ];
    let counts = counts.into_iter().map(|count| Cell::new(grouped(count)));
    let times = [mean, longest, level].map(Cell::new);
    std::iter::once(Cell::new(name)).chain(counts).chain(times).collect()
}

fn ledger_row(name: &str, account: &Account, inside: u64) -> Vec<Cell> {
    let counts = [
        account.inside_at_start,
        account.arrived,
        account.moved_in,
        account.ended(),
        account.moved_out,
        inside,
    ];
    std::iter::once(Cell::new(name)).chain(counts.map(|count| Cell::new(grouped(count)))).collect()
}

fn level_line(threshold: Span, lang: Lang) -> String {
    let within = threshold.as_secs();
    match lang {
        Lang::Zh => format!(
            "{within} 秒内接通 = 进线后 {within} 秒内与接线员通话的来电 / 进线（接通前转来的计入，接通前转走的不计）；等候指已接来电从进线到接通"
        ),
        Lang::En => format!(
            "in {within} s = connected to an operator within {within} s of ringing in / arrived (moves before the \
             answer counted); waits are those of answered calls, from ringing in to the connection"
        ),
    }
}

/// How many calls of an account ended in one way.
pub(super) fn outcome(account: &Account, kind: OutcomeKind) -> u64 {
    account.outcomes.get(&kind).copied().unwrap_or(0)
}
