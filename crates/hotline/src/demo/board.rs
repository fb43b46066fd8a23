//! The board as lines of text: a pure function of the figures, the language and the width of the terminal.

use console::{Style, measure_text_width};
use switchboard::time::Span;
use switchboard::view::Crew;

use super::figures::{Figures, LineFigures, ServiceLevel, clock, grouped, percent, time_of_day};
use super::lang::Lang;
use super::table::{Cell, Table, shortened};

/// Narrower than this nothing is readable.
const WIDTH_MIN: usize = 40;
/// Wider than this the eye does not find the figure to a line.
const WIDTH_MAX: usize = 120;
/// A caller who waits longer is shown in red.
const LONG_WAIT: Span = Span::secs(90);

/// The colours of the board, or none.
#[derive(Debug, Clone)]
pub(super) struct Palette {
    pub(super) head: Style,
    pub(super) good: Style,
    pub(super) fair: Style,
    pub(super) bad: Style,
}

impl Palette {
    /// Colours for a terminal, for as far as it and its user want any.
    pub(super) fn for_stderr() -> Palette {
        let style = || Style::new().for_stderr();
        Palette {
            head: style().bold(),
            good: style().green(),
            fair: style().yellow(),
            bad: style().red().bold(),
        }
    }
}

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
    lines.extend(line_table(figures, lang, width, palette).lines(width, &palette.head));
    lines.push(String::new());
    lines.extend(crew_table(figures, lang, width).lines(width, &palette.head));
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

fn line_table(figures: &Figures, lang: Lang, width: usize, palette: &Palette) -> Table {
    let within = figures.threshold.as_secs();
    let with_names = |brief: bool| {
        let level = match lang {
            Lang::Zh => format!("{within}秒内接通"),
            Lang::En => format!("in {within} s"),
        };
        let names = match (lang, brief) {
            (Lang::Zh, _) => ["线路", "等候", "最长等候", "通话", "已接", "放弃", "遇忙转移"],
            (Lang::En, false) => {
                ["Line", "waiting", "longest", "talking", "answered", "abandoned", "overflowed"]
            }
            (Lang::En, true) => ["Line", "wait", "longest", "talk", "answ.", "aband.", "overfl."],
        };
        let mut table = Table::new(names.into_iter().chain([level.as_str()]));
        for line in &figures.lines {
            table.row(line_row(line, lang, palette));
        }
        table.row(total_row(figures, lang, palette));
        table
    };
    let long = with_names(false);
    if long.width() <= width { long } else { with_names(true) }
}

fn line_row(line: &LineFigures, lang: Lang, palette: &Palette) -> [Cell; 8] {
    let closed = if line.is_open() { "" } else { lang.of("（关闭）", " (closed)") };
    let waiting = line.view.waiting + line.view.ringing;
    let account = &line.account;
    [
        Cell::new(format!("{}{closed}", lang.title(&line.title))),
        Cell::new(waiting),
        wait_cell(waiting, line.view.longest_wait, palette),
        Cell::new(line.view.talking + line.view.diverting),
        Cell::new(grouped(account.answered)),
        Cell::new(grouped(account.abandoned())),
        Cell::new(grouped(account.overflowed)),
        level_cell(line.service_level(), palette),
    ]
}

fn total_row(figures: &Figures, lang: Lang, palette: &Palette) -> [Cell; 8] {
    let sum = |of: fn(&LineFigures) -> u32| figures.lines.iter().map(of).sum::<u32>();
    let waiting = sum(|line| line.view.waiting + line.view.ringing);
    let longest = figures.lines.iter().map(|line| line.view.longest_wait).max().unwrap_or_default();
    let total = &figures.total;
    [
        Cell::new(lang.of("全部线路", "All lines")),
        Cell::new(waiting),
        wait_cell(waiting, longest, palette),
        Cell::new(sum(|line| line.view.talking + line.view.diverting)),
        Cell::new(grouped(total.answered)),
        Cell::new(grouped(total.abandoned())),
        Cell::new(grouped(total.overflowed)),
        level_cell(ServiceLevel::of(total), palette),
    ]
}

fn wait_cell(waiting: u32, longest: Span, palette: &Palette) -> Cell {
    match waiting {
        0 => Cell::new("-"),
        _ if longest > LONG_WAIT => Cell::new(clock(longest)).styled(palette.bad.clone()),
        _ => Cell::new(clock(longest)),
    }
}

fn level_cell(level: Option<ServiceLevel>, palette: &Palette) -> Cell {
    let style = match level.map(ServiceLevel::tenths) {
        Some(800..) => palette.good.clone(),
        Some(500..) => palette.fair.clone(),
        Some(_) => palette.bad.clone(),
        None => return Cell::new("-"),
    };
    Cell::new(level_text(level)).styled(style)
}

fn level_text(level: Option<ServiceLevel>) -> String {
    level.map_or_else(|| "-".to_owned(), |level| percent(level.tenths()))
}

/// A state of operators: its name in Chinese, in English, in English where there is little room, and its figure.
type CrewState = (&'static str, &'static str, &'static str, fn(&Crew) -> u32);

const CREW_STATES: [CrewState; 10] = [
    ("空闲", "ready", "ready", |crew| crew.ready),
    ("振铃", "ringing", "ring", |crew| crew.offered),
    ("通话", "talking", "talk", |crew| crew.talking),
    ("话后", "wrap-up", "wrap", |crew| crew.wrap_up),
    ("暂缓", "held back", "held", |crew| crew.held_back),
    ("暂停", "paused", "pause", |crew| crew.paused),
    ("停派", "suspended", "susp", |crew| crew.suspended),
    ("失联", "no link", "lost", |crew| crew.unreachable),
    ("将离", "leaving", "leav", |crew| crew.leaving),
    ("下班", "off", "off", |crew| crew.off),
];

fn crew_table(figures: &Figures, lang: Lang, width: usize) -> Table {
    let with_names = |brief: bool| {
        let first = lang.of("接线员", "Operators");
        let names = CREW_STATES.iter().map(|(zh, en, short, _)| lang.of(zh, if brief { short } else { en }));
        let mut table = Table::new(std::iter::once(first).chain(names));
        let teams = figures.teams.iter().map(|(title, crew)| (lang.title(title), crew));
        for (name, crew) in teams.chain([(lang.of("全部", "All"), &figures.operators)]) {
            let counts = CREW_STATES.iter().map(|(.., count)| Cell::new(count(crew)));
            table.row(std::iter::once(Cell::new(name)).chain(counts));
        }
        table
    };
    let long = with_names(false);
    if long.width() <= width { long } else { with_names(true) }
}

fn footer(figures: &Figures, lang: Lang, palette: &Palette) -> [String; 3] {
    let within = figures.threshold.as_secs();
    let level = match lang {
        Lang::Zh => {
            format!("服务水平 = {within} 秒内接通的来电 / 进线（接通前转来的计入，接通前转走的不计）")
        }
        Lang::En => {
            format!("service level = answered within {within} s / arrived (moves before the answer counted)")
        }
    };
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
    use switchboard::ledger::Account;
    use switchboard::plan::Title;
    use switchboard::time::SiteTime;
    use switchboard::view::LineView;

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
