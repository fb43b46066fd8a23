//! Where the board is shown: redrawn in place on a terminal, as a line now and then elsewhere. Always on standard
//! error, so that standard output carries nothing but the report.

use std::io;
use std::time::{Duration, Instant};

use console::{Term, truncate_str};

use super::board::{Palette, board, progress_line};
use super::figures::Figures;
use super::lang::Lang;
use switchboard::time::Span;

/// Between two drawings on a terminal.
const REDRAW_EVERY: Duration = Duration::from_millis(100);
/// Between two lines elsewhere: this much of the day, and no sooner than this on the wall.
const LINE_EVERY: Span = Span::secs(3_600);

/// The place where the board is shown.
pub(super) struct Screen {
    term: Term,
    in_place: bool,
    lang: Lang,
    heading: String,
    palette: Palette,
    drawn_lines: usize,
    drawn_at: Option<Instant>,
    next_line: u64,
}

impl Screen {
    /// Standard error, whatever it is.
    pub(super) fn stderr(lang: Lang, heading: String) -> Screen {
        let term = Term::stderr();
        // A terminal that cannot move its cursor is written to like a file.
        let dumb = std::env::var("TERM").is_ok_and(|name| name == "dumb");
        let in_place = term.is_term() && !dumb;
        Screen {
            term,
            in_place,
            lang,
            heading,
            palette: Palette::for_stderr(),
            drawn_lines: 0,
            drawn_at: None,
            next_line: 0,
        }
    }

    /// Whether it is time to show the board of this moment.
    pub(super) fn wants(&self, at_us: u64) -> bool {
        if self.in_place {
            self.drawn_at.is_none_or(|drawn_at| drawn_at.elapsed() >= REDRAW_EVERY)
        } else {
            at_us >= self.next_line
        }
    }

    /// How long to wait before it can be shown again.
    pub(super) fn redraw_every(&self) -> Option<Duration> {
        self.in_place.then_some(REDRAW_EVERY)
    }

    /// Shows the board.
    ///
    /// # Errors
    /// When standard error cannot be written to.
    pub(super) fn show(&mut self, figures: &Figures) -> io::Result<()> {
        self.drawn_at = Some(Instant::now());
        if !self.in_place {
            self.next_line = (figures.at.0 / LINE_EVERY.0 + 1) * LINE_EVERY.0;
            return self.say(&progress_line(figures, self.lang));
        }
        let (rows, columns) = self.term.size();
        // The last column stays free: some terminals wrap there.
        let columns = usize::from(columns).saturating_sub(1);
        let mut lines = board(figures, &self.heading, self.lang, columns, &self.palette);
        lines.truncate(usize::from(rows).saturating_sub(1).max(1));
        self.draw(&lines, columns)
    }

    /// A line of its own; above the next board.
    ///
    /// # Errors
    /// When standard error cannot be written to.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.drawn_lines = 0;
        self.term.write_line(text)
    }

    /// One write, so that no half-drawn board is ever seen.
    fn draw(&mut self, lines: &[String], columns: usize) -> io::Result<()> {
        let mut text = String::from("\x1b[?25l");
        if self.drawn_lines > 0 {
            text.push_str(&format!("\x1b[{}A\r", self.drawn_lines));
        }
        for line in lines {
            text.push_str(&truncate_str(line, columns, ""));
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[J\x1b[?25h");
        self.drawn_lines = lines.len();
        self.term.write_str(&text)
    }
}
