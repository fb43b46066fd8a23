//! Where the board is shown: redrawn in place on a terminal, as a line now and then elsewhere. Always on standard
//! error, so that standard output carries nothing but the report.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use console::Term;

use super::board::{board, progress_line};
use super::figures::{Figures, time_of_day};
use super::lang::Lang;
use crate::board::{InPlace, Palette};
use switchboard::time::{SiteTime, Span};

/// Between two drawings on a terminal.
const REDRAW_EVERY: Duration = Duration::from_millis(100);
/// Between two lines elsewhere: this much of the day, and no sooner than this on the wall.
const LINE_EVERY: Span = Span::secs(3_600);

/// So many of the last news are on the board.
const NEWS_MAX: usize = 4;

/// The place where the board is shown.
pub(super) struct Screen {
    term: Term,
    in_place: bool,
    lang: Lang,
    heading: String,
    palette: Palette,
    place: InPlace,
    drawn_at: Option<Instant>,
    next_line: u64,
    news: VecDeque<String>,
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
            place: InPlace::default(),
            drawn_at: None,
            next_line: 0,
            news: VecDeque::new(),
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
            return self.term.write_line(&progress_line(figures, self.lang));
        }
        let screen = self.term.size();
        let columns = usize::from(screen.1).saturating_sub(1);
        let mut lines = board(figures, &self.heading, self.lang, columns, &self.palette);
        // Under the title, where a small screen shows them, too.
        lines.splice(1..1, self.news.iter().cloned());
        self.term.write_str(&self.place.next(&lines, screen))
    }

    /// Tells of something that happened at a time of the day: under the title of the board, where the last few are
    /// seen, or on a line of its own.
    ///
    /// # Errors
    /// When standard error cannot be written to.
    pub(super) fn tell(&mut self, at: SiteTime, words: impl Fn(Lang) -> String) -> io::Result<()> {
        let line = format!("{}  {}", time_of_day(at), words(self.lang));
        if !self.in_place {
            return self.term.write_line(&line);
        }
        if self.news.len() == NEWS_MAX {
            self.news.pop_front();
        }
        self.news.push_back(line);
        Ok(())
    }
}
