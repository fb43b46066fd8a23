//! The board as lines of text: a pure function of the figures, the language and the width of the terminal.

use console::measure_text_width;

use super::figures::{Figures, time_of_day};
use super::lang::Lang;
use crate::board::figures::{LineFigures, ServiceLevel, clock, grouped};
use crate::board::table::shortened;
use crate::board::{Palette, crew_table, level_text, level_words, line_table};

/// Narrower than this nothing is readable.
const WIDTH_MIN: usize = 40;
/// Wider than this the eye does not find the figure to a line.
const WIDTH_MAX: usize = 120;
/// The whole board.
pub(super) fn board(
    figures: &Figures,
    heading: &str,
    lang: Lang,
    width: usize,
    palette: &Palette,
) -> Vec<String> {
    let width = width.clamp(WIDTH_MIN, WIDTH_MAX);
    let mut lines = vec![title(figures, heading, width, palette), String::new()];
    let Figures { lines: by_line, total, threshold, teams, operators, .. } = figures;
    let table = line_table(by_line, total, *threshold, lang, width, palette);
    lines.extend(table.lines(width, &palette.head));
    lines.push(String::new());
    lines.extend(crew_table(teams, operators, lang, width).lines(width, &palette.head));
    lines.push(String::new());
    lines.extend(footer(figures, lang, palette));
    lines
}

/// One line for logs and pipes.
pub(super) fn progress_line(figures: &Figures, lang: Lang) -> String {
    let waiting: u32 = figures.lines.iter().map(|line| line.view.waiting + line.view.ringing).sum();
    let talking: u32 = figures.lines.iter().map(|line| line.view.talking).sum();
    let longest = figures.lines.iter().map(|line| line.view.longest_wait).max().unwrap_or_default();
    let level = level_text(ServiceLevel::of(&figures.total));
    let names = match lang {
        Lang::Zh => ["进线", "等候", "最长等候", "通话", "已接", "放弃", "遇忙转移", "服务水平"],
        Lang::En => [
            "arrived",
            "waiting",
            "longest",
            "talking",
            "answered",
            "abandoned",
            "overflowed",
            "service level",
        ],
    };
    let total = &figures.total;
    let values = [
        grouped(total.arrived),
        waiting.to_string(),
        clock(longest),
        talking.to_string(),
        grouped(total.answered),
        grouped(total.abandoned()),
        grouped(total.overflowed),
        level,
    ];
    let parts: Vec<String> =
        names.iter().zip(values).map(|(name, value)| format!("{name} {value}")).collect();
    format!("{}  {}  {}", time_of_day(figures.at), parts.join(", "), balance(figures, lang))
}

fn title(figures: &Figures, heading: &str, width: usize, palette: &Palette) -> String {
    const BAR: usize = 20;
    let done = figures.progress();
    let filled = (done as usize * BAR) / 1_000;
    let bar = format!("[{}{}]", "=".repeat(filled), "-".repeat(BAR - filled));
    let right = format!("{}  {bar} {:>3} %", time_of_day(figures.at), done / 10);
    let left = shortened(heading, width.saturating_sub(right.len() + 1));
    let gap = width.saturating_sub(measure_text_width(&left) + right.len());
    format!("{}{}{right}", palette.head.apply_to(left), " ".repeat(gap))
}

fn footer(figures: &Figures, lang: Lang, palette: &Palette) -> [String; 3] {
    let level = level_words(figures.threshold, lang);
    let [equation, record] = ledger_lines(figures, lang, palette);
    [level, equation, record]
}

fn ledger_lines(figures: &Figures, lang: Lang, palette: &Palette) -> [String; 2] {
    let (total, ledger) = (&figures.total, &figures.ledger);
    let inside: u64 = figures.lines.iter().map(LineFigures::inside).sum();
    let sums = format!(
        "{} + {} = {} + {}",
        grouped(total.inside_at_start),
        grouped(total.arrived),
        grouped(total.ended()),
        grouped(inside)
    );
    let style = if ledger.balanced { &palette.good } else { &palette.bad };
    let state = style.apply_to(balance(figures, lang));
    let decisions = grouped(ledger.decisions);
    let hash = ledger.hash.get(..12).unwrap_or(&ledger.hash);
    match lang {
        Lang::Zh => [
            format!("账本：起始在线 + 进线 = 已结束 + 在线：{sums}  {state}"),
            format!("决定 {decisions} 项，散列 {hash}"),
        ],
        Lang::En => [
            format!("ledger: inside at start + arrived = ended + inside: {sums}  {state}"),
            format!("{decisions} decisions, hash {hash}"),
        ],
    }
}

fn balance(figures: &Figures, lang: Lang) -> &'static str {
    match figures.ledger.balanced {
        true => lang.of("账平", "balanced"),
        false => lang.of("账不平", "NOT BALANCED"),
    }
}

#[cfg(test)]
mod tests {
    use console::Style;
    use switchboard::ledger::Account;
    use switchboard::plan::Title;
    use switchboard::time::{SiteTime, Span};
    use switchboard::view::{Crew, LineView};

    use super::super::figures::LedgerFigures;
    use super::*;

    fn figures() -> Figures {
        let line = |id: &str, zh: &str, en: &str, waiting| LineFigures {
            id: id.parse().unwrap(),
            title: Title { zh: zh.into(), en: en.into() },
            view: LineView { waiting, talking: 9, longest_wait: Span::secs(94), ..LineView::default() },
            account: Account {
                arrived: 1_203,
                answerable: 1_203,
                answered: 1_100,
                answered_in_time: 1_000,
                ..Account::default()
            },
        };
        let team = |zh: &str, en: &str| {
            (Title { zh: zh.into(), en: en.into() }, Crew { ready: 12, ..Crew::default() })
        };
        Figures {
            at: SiteTime(38_520_000_000),
            end: SiteTime(86_400_000_000),
            lines: vec![
                line("switchboard", "总机", "Switchboard", 12),
                line("emergency", "急诊咨询", "Emergency consultation", 0),
            ],
            total: Account {
                arrived: 2_406,
                answerable: 2_406,
                answered: 2_200,
                answered_in_time: 2_000,
                ..Account::default()
            },
            teams: vec![
                team("专业接线员", "Professional operators"),
                team("社工志愿者", "Social-work volunteers"),
            ],
            operators: Crew { ready: 24, ..Crew::default() },
            threshold: Span::secs(20),
            ledger: LedgerFigures { balanced: true, decisions: 12_345, hash: "3fa94b".repeat(8) },
        }
    }

    fn plain() -> Palette {
        let style = || Style::new().force_styling(false);
        Palette { head: style(), good: style(), fair: style(), bad: style() }
    }

    fn drawn(lang: Lang, width: usize) -> Vec<String> {
        board(&figures(), lang.of("热线演示", "Hotline demo"), lang, width, &plain())
    }

    #[test]
    fn every_table_line_is_as_wide_as_its_head_in_both_languages() {
        for lang in [Lang::Zh, Lang::En] {
            for width in [80, 100, 120] {
                let lines = drawn(lang, width);
                let (calls, crew) = (&lines[2..6], &lines[7..11]);
                for table in [calls, crew] {
                    let widths: Vec<usize> = table.iter().map(|line| measure_text_width(line)).collect();
                    assert!(widths.iter().all(|w| *w == widths[0] && *w <= width), "{table:#?} {widths:?}");
                }
            }
        }
    }

    #[test]
    fn the_chinese_board_reads_like_this() {
        let lines = drawn(Lang::Zh, 80);
        assert_eq!(
            lines[..6],
            [
                "热线演示                                  10:42:00  [========------------]  44 %",
                "",
                "线路      等候  最长等候  通话   已接  放弃  遇忙转移  20秒内接通",
                "总机        12     01:34     9  1,100     0         0      83.1 %",
                "急诊咨询     0         -     9  1,100     0         0      83.1 %",
                "全部线路    12     01:34    18  2,200     0         0      83.1 %",
            ]
        );
        assert_eq!(measure_text_width(&lines[0]), 80);
        assert_eq!(lines[13], "账本：起始在线 + 进线 = 已结束 + 在线：0 + 2,406 = 0 + 30  账平");
    }

    #[test]
    fn a_wait_that_goes_on_grows_on_the_board() {
        let later = figures().at_later(SiteTime(38_530_000_000));
        assert_eq!(later.lines[0].view.longest_wait, Span::secs(104));
        assert_eq!(later.lines[1].view.longest_wait, Span::secs(94), "nobody waits there");
    }

    #[test]
    fn a_ledger_that_does_not_balance_is_not_overlooked() {
        let mut wrong = figures();
        wrong.ledger.balanced = false;
        let lines = board(&wrong, "", Lang::En, 80, &plain());
        assert!(lines.iter().any(|line| line.ends_with("NOT BALANCED")), "{lines:#?}");
        assert!(progress_line(&wrong, Lang::Zh).ends_with("账不平"));
    }
}
