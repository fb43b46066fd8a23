//! Text in columns. Widths are what a terminal shows, not how many characters there are: a Chinese character takes
//! two places.

use console::{Style, measure_text_width};
use unicode_width::UnicodeWidthChar;

/// One field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    text: String,
    /// Behind the text; not shortened.
    mark: String,
    style: Option<Style>,
}

impl Cell {
    /// A figure or a word.
    pub(crate) fn new(text: impl ToString) -> Cell {
        Cell { text: text.to_string(), ..Cell::default() }
    }

    /// With something behind it that stays whole where the text is shortened.
    #[must_use]
    pub(crate) fn marked(self, mark: String) -> Cell {
        Cell { mark, ..self }
    }

    /// In a colour, where there are colours.
    #[must_use]
    pub(crate) fn styled(self, style: Style) -> Cell {
        Cell { style: Some(style), ..self }
    }

    fn width(&self) -> usize {
        measure_text_width(&self.text) + measure_text_width(&self.mark)
    }
}

/// Rows whose first column is words, to the left, and whose others are figures, to the right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    head: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

/// Between two columns.
const GAP: usize = 2;
/// A first column is not made narrower than this for a narrow terminal.
const FIRST_MIN: usize = 8;

impl Table {
    /// A table without rows.
    pub(crate) fn new(head: impl IntoIterator<Item = impl ToString>) -> Table {
        Table { head: head.into_iter().map(Cell::new).collect(), rows: Vec::new() }
    }

    /// Adds a row of as many fields as the head has.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// How wide the table is when nothing is shortened.
    pub(crate) fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
    }

    /// The lines, head first. To fit into `width` places the first column is shortened.
    pub(crate) fn lines(&self, width: usize, head: &Style) -> Vec<String> {
        let mut widths = self.widths();
        let over = self.width().saturating_sub(width);
        if let Some(first) = widths.first_mut() {
            *first = first.saturating_sub(over).max(FIRST_MIN.min(*first));
        }
        let head_cells: Vec<Cell> = self.head.iter().map(|cell| cell.clone().styled(head.clone())).collect();
        std::iter::once(&head_cells).chain(&self.rows).map(|row| line(row, &widths)).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let rows = || std::iter::once(&self.head).chain(&self.rows);
        let width_of = |column: usize| rows().filter_map(|row| row.get(column)).map(Cell::width).max();
        (0..self.head.len()).map(|column| width_of(column).unwrap_or(0)).collect()
    }
}

fn line(row: &[Cell], widths: &[usize]) -> String {
    let mut text = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let marked = measure_text_width(&cell.mark);
        let shown = shortened(&cell.text, width.saturating_sub(marked)) + &shortened(&cell.mark, *width);
        let room = " ".repeat(width.saturating_sub(measure_text_width(&shown)));
        let shown = match &cell.style {
            Some(style) => style.apply_to(shown).to_string(),
            None => shown,
        };
        match column {
            0 => text.extend([shown, room]),
            _ => text.extend([" ".repeat(GAP), room, shown]),
        }
    }
    text
}

/// A text in at most `width` places; two dots stand for what is left out.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if measure_text_width(text) <= width {
        return text.to_owned();
    }
    const DOTS: &str = "..";
    let mut room = width.saturating_sub(DOTS.len());
    let mut short: String = text
        .chars()
        .take_while(|c| match room.checked_sub(c.width().unwrap_or(0)) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        })
        .collect();
    short.push_str(&DOTS[..DOTS.len().min(width)]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_in_any_script() {
        let mut table = Table::new(["线路", "等候", "longest"]);
        table.row(["总机", "3", "00:12"].map(Cell::new));
        table.row(["Emergency 急诊", "1,024", "1:02:03"].map(Cell::new));
        let lines = table.lines(usize::MAX, &Style::new());
        assert_eq!(
            lines,
            [
                "线路             等候  longest",
                "总机                3    00:12",
                "Emergency 急诊  1,024  1:02:03",
            ]
        );
        assert!(lines.iter().all(|line| measure_text_width(line) == table.width()));
    }

    #[test]
    fn a_narrow_terminal_shortens_the_words_and_no_figure() {
        let mut table = Table::new(["line", "n"]);
        table.row(["急诊咨询热线", "1,000,000"].map(Cell::new));
        let lines = table.lines(20, &Style::new());
        assert_eq!(lines[1], "急诊咨..   1,000,000");
        assert!(lines.iter().all(|line| measure_text_width(line) == 20), "{lines:?}");
    }

    #[test]
    fn a_mark_is_seen_where_its_text_is_shortened() {
        let mut table = Table::new(["line", "n"]);
        table.row([Cell::new("急诊咨询热线").marked(" -> a".to_owned()), Cell::new("1")]);
        assert_eq!(table.lines(usize::MAX, &Style::new())[1], "急诊咨询热线 -> a  1");
        assert_eq!(table.lines(15, &Style::new())[1], "急诊.. -> a   1");
        assert_eq!(table.lines(4, &Style::new())[1], ".. -> a   1");
    }

    #[test]
    fn a_shortened_text_never_splits_a_character() {
        assert_eq!(shortened("急诊咨询", 8), "急诊咨询");
        assert_eq!(shortened("急诊咨询", 7), "急诊..");
        assert_eq!(shortened("急诊咨询", 3), "..");
        assert_eq!(shortened("abc", 1), ".");
    }
}
