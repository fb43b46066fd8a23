//! Rows in columns that line up in any script, and fit the terminal.

use console::{Style, measure_text_width};

use super::said::clean;
use crate::board::table::shortened;

/// Between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this for a narrow terminal.
const WIDTH_MIN: usize = 6;

/// On which side a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// The head of a column.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) side: Side,
    /// Never shortened: somebody will copy it.
    pub(super) whole: bool,
}

/// One field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    text: String,
    style: Option<Style>,
}

impl Field {
    /// A text, made safe to show.
    pub(crate) fn new(text: impl ToString) -> Field {
        Field { text: clean(&text.to_string()), style: None }
    }

    /// A dash where there is nothing to say.
    pub(super) fn or_dash(text: impl ToString) -> Field {
        let field = Field::new(text);
        if field.text.is_empty() { Field::new("-") } else { field }
    }

    /// In a colour, where there are colours.
    #[must_use]
    pub(crate) fn styled(self, style: Style) -> Field {
        Field { style: Some(style), ..self }
    }
}

/// The lines of a table, head first; no wider than `width` places if that can be.
pub(super) fn lines(heads: &[Head], rows: &[Vec<Field>], width: Option<usize>) -> Vec<String> {
    let mut widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(n, head)| {
            let fields = rows.iter().filter_map(|row| row.get(n));
            let widest = fields.map(|field| measure_text_width(&field.text)).max().unwrap_or(0);
            widest.max(measure_text_width(&head.name))
        })
        .collect();
    if let Some(width) = width {
        fit(heads, &mut widths, width);
    }
    let names: Vec<Field> = heads.iter().map(|h| Field::new(&h.name).styled(Style::new().bold())).collect();
    std::iter::once(&names).chain(rows).map(|row| line(row, heads, &widths)).collect()
}

/// Takes from the widest column of words until the line fits, or nothing is left to take.
fn fit(heads: &[Head], widths: &mut [usize], width: usize) {
    loop {
        let all: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let widest = (0..widths.len())
            .filter(|n| !heads[*n].whole && heads[*n].side == Side::Left && widths[*n] > WIDTH_MIN)
            .max_by_key(|n| widths[*n]);
        match widest {
            Some(widest) if all > width => widths[widest] -= 1,
            _ => return,
        }
    }
}

fn line(row: &[Field], heads: &[Head], widths: &[usize]) -> String {
    let mut text = String::new();
    for (n, ((field, head), width)) in row.iter().zip(heads).zip(widths).enumerate() {
        if n > 0 {
            text.push_str(&" ".repeat(GAP));
        }
        let shown = shortened(&field.text, *width);
        let room = " ".repeat(width.saturating_sub(measure_text_width(&shown)));
        let shown = match &field.style {
            Some(style) => style.apply_to(shown).to_string(),
            None => shown,
        };
        match head.side {
            // Nothing stands behind the last column, not even room.
            Side::Left if n + 1 == row.len() => text.push_str(&shown),
            Side::Left => text.extend([shown, room]),
            Side::Right => text.extend([room, shown]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<usize>) -> Vec<String> {
        let head = |name: &str, side, whole| Head { name: name.to_owned(), side, whole };
        let heads =
            [head("线路", Side::Left, true), head("标题", Side::Left, false), head("n", Side::Right, false)];
        let row = |cells: [&str; 3]| cells.map(Field::new).into();
        let rows = [row(["duty", "值班热线", "7"]), row(["emergency", "急诊咨询 Emergency", "1,024"])];
        lines(&heads, &rows, width).iter().map(|line| console::strip_ansi_codes(line).into_owned()).collect()
    }

    #[test]
    fn columns_stand_under_each_other_in_any_script() {
        assert_eq!(
            table(None),
            [
                "线路       标题                    n",
                "duty       值班热线                7",
                "emergency  急诊咨询 Emergency  1,024",
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_shortens_words_and_neither_ids_nor_figures() {
        let lines = table(Some(28));
        assert_eq!(lines[2], "emergency  急诊咨询..  1,024");
        assert!(lines.iter().all(|line| measure_text_width(line) == 28), "{lines:?}");
        let least = table(Some(1));
        assert!(least[2].starts_with("emergency  ") && least[2].ends_with("1,024"), "{least:?}");
    }

    #[test]
    fn nothing_in_a_name_reaches_the_terminal() {
        let heads = [Head { name: "x".to_owned(), side: Side::Left, whole: false }];
        let lines = lines(&heads, &[vec![Field::new("\u{1b}[31mred\u{202e}")]], None);
        assert_eq!(lines[1], "\\u{1b}[31mred\\u{202e}");
    }
}
