//! The board's two tables: pure functions of the figures, the language and the width of the terminal.

pub(crate) mod figures;
pub(crate) mod table;

use console::{Style, truncate_str};
use switchboard::ledger::Account;
use switchboard::plan::Title;
use switchboard::time::Span;
use switchboard::view::Crew;

use self::figures::{LineFigures, ServiceLevel, clock, grouped, percent};
use self::table::{Cell, Table};
use crate::lang::Lang;

/// A caller who waits longer is shown in red.
const LONG_WAIT: Span = Span::secs(90);

/// The colours of the board, or none.
#[derive(Debug, Clone)]
pub(crate) struct Palette {
    pub(crate) head: Style,
    pub(crate) good: Style,
    pub(crate) fair: Style,
    pub(crate) bad: Style,
}

impl Palette {
    /// Colours for a terminal, for as far as it and its user want any.
    pub(crate) fn for_stderr() -> Palette {
        let style = || Style::new().for_stderr();
        Palette {
            head: style().bold(),
            good: style().green(),
            fair: style().yellow(),
            bad: style().red().bold(),
        }
    }

    /// The same for standard output.
    pub(crate) fn for_stdout() -> Palette {
        let style = || Style::new().for_stdout();
        Palette {
            head: style().bold(),
            good: style().green(),
            fair: style().yellow(),
            bad: style().red().bold(),
        }
    }
}

/// Draws one board after another at the same place of a terminal.
#[derive(Debug, Default)]
pub(crate) struct InPlace {
    drawn_lines: usize,
}

impl InPlace {
    /// What is written for the next one: a single text, so that no half of a board is ever seen; as much of it as a
    /// screen of so many rows and columns shows.
    pub(crate) fn next(&mut self, lines: &[String], screen: (u16, u16)) -> String {
        let (rows, columns) = (usize::from(screen.0), usize::from(screen.1));
        // The last row and column stay free: some terminals scroll or wrap there.
        let rows = rows.saturating_sub(1).max(1);
        let mut text = String::from("\x1b[?25l");
        if self.drawn_lines > 0 {
            text.push_str(&format!("\x1b[{}A\r", self.drawn_lines.min(rows)));
        }
        for line in lines.iter().take(rows) {
            text.push_str(&truncate_str(line, columns.saturating_sub(1), ""));
            text.push_str("\x1b[K\n");
        }
        self.drawn_lines = lines.len().min(rows);
        text.push_str("\x1b[J\x1b[?25h");
        text
    }
}

/// Lines, and all of them together.
pub(crate) fn line_table(
    lines: &[LineFigures],
    total: &Account,
    threshold: Span,
    lang: Lang,
    width: usize,
    palette: &Palette,
) -> Table {
    let within = threshold.as_secs();
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
        for line in lines {
            table.row(line_row(line, lang, palette));
        }
        table.row(total_row(lines, total, lang, palette));
        table
    };
    let long = with_names(false);
    if long.width() <= width { long } else { with_names(true) }
}

fn line_row(line: &LineFigures, lang: Lang, palette: &Palette) -> [Cell; 8] {
    let closed = if line.is_open() { "" } else { lang.of("（关闭）", " (closed)") };
    let diverted = line.view.status.divert.map(|divert| format!(" → {}", divert.destination));
    let waiting = line.view.waiting + line.view.ringing;
    let account = &line.account;
    [
        Cell::new(lang.title(&line.title)).marked(format!("{closed}{}", diverted.unwrap_or_default())),
        Cell::new(waiting),
        wait_cell(waiting, line.view.longest_wait, palette),
        Cell::new(line.view.talking + line.view.diverting),
        Cell::new(grouped(account.answered)),
        Cell::new(grouped(account.abandoned())),
        Cell::new(grouped(account.overflowed)),
        level_cell(line.service_level(), palette),
    ]
}

fn total_row(lines: &[LineFigures], total: &Account, lang: Lang, palette: &Palette) -> [Cell; 8] {
    let sum = |of: fn(&LineFigures) -> u32| lines.iter().map(of).sum::<u32>();
    let waiting = sum(|line| line.view.waiting + line.view.ringing);
    let longest = lines.iter().map(|line| line.view.longest_wait).max().unwrap_or_default();
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

/// A service level, or a dash.
pub(crate) fn level_text(level: Option<ServiceLevel>) -> String {
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

/// Teams, and everybody.
pub(crate) fn crew_table(teams: &[(Title, Crew)], operators: &Crew, lang: Lang, width: usize) -> Table {
    let with_names = |brief: bool| {
        let first = lang.of("接线员", "Operators");
        let names = CREW_STATES.iter().map(|(zh, en, short, _)| lang.of(zh, if brief { short } else { en }));
        let mut table = Table::new(std::iter::once(first).chain(names));
        let teams = teams.iter().map(|(title, crew)| (lang.title(title), crew));
        for (name, crew) in teams.chain([(lang.of("全部", "All"), operators)]) {
            let counts = CREW_STATES.iter().map(|(.., count)| Cell::new(count(crew)));
            table.row(std::iter::once(Cell::new(name)).chain(counts));
        }
        table
    };
    let long = with_names(false);
    if long.width() <= width { long } else { with_names(true) }
}

/// What the service level is.
pub(crate) fn level_words(threshold: Span, lang: Lang) -> String {
    let within = threshold.as_secs();
    match lang {
        Lang::Zh => {
            format!("服务水平 = {within} 秒内接通的来电 / 进线（接通前转来的计入，接通前转走的不计）")
        }
        Lang::En => {
            format!("service level = answered within {within} s / arrived (moves before the answer counted)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_drawn_over_the_one_before_and_no_further_than_the_screen() {
        let lines = ["abcdef", "g", "h"].map(str::to_owned);
        let mut place = InPlace::default();
        let first = place.next(&lines, (3, 5));
        assert_eq!(first, "\x1b[?25labcd\x1b[K\ng\x1b[K\n\x1b[J\x1b[?25h");
        let second = place.next(&lines, (10, 80));
        assert_eq!(second, "\x1b[?25l\x1b[2A\rabcdef\x1b[K\ng\x1b[K\nh\x1b[K\n\x1b[J\x1b[?25h");
        assert!(place.next(&lines, (3, 80)).contains("\x1b[2A"), "no further up than the screen goes");
    }
}
