//! A terminal's screen as a picture: every run of text at its place, so that columns stand under each other in any
//! script, whatever font shows it.

use console::{AnsiCodeIterator, measure_text_width};
use unicode_width::UnicodeWidthChar;

/// One place of the screen, in the picture's units, and a line's height.
const PLACE: (f32, f32) = (8.4, 19.0);
/// Round the screen.
const MARGIN: f32 = 14.0;
const GROUND: &str = "#1b1f27";
const TEXT: &str = "#d8dee9";
/// A picture is not narrower than this many places.
const PLACES_MIN: usize = 60;

/// How a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Look {
    colour: Option<&'static str>,
    bold: bool,
}

impl Look {
    /// After the numbers of an order such as `\x1b[1;31m`.
    fn after(mut self, order: &str) -> Look {
        let numbers = order.strip_prefix("\u{1b}[").and_then(|rest| rest.strip_suffix('m'));
        for number in numbers.unwrap_or_default().split(';') {
            self = match number {
                "" | "0" => Look::default(),
                "1" => Look { bold: true, ..self },
                "31" => Look { colour: Some("#e5737a"), ..self },
                "32" => Look { colour: Some("#9ac87a"), ..self },
                "33" => Look { colour: Some("#e3c06f"), ..self },
                _ => self,
            };
        }
        self
    }
}

/// Lines of a screen, with the orders of a terminal in them. A line that begins with `$ ` is what somebody typed.
pub(super) fn drawn(title: &str, lines: &[String]) -> String {
    let places = lines.iter().map(|line| measure_text_width(line)).max().unwrap_or(0).max(PLACES_MIN);
    let width = places as f32 * PLACE.0 + 2.0 * MARGIN;
    let height = lines.len() as f32 * PLACE.1 + 2.0 * MARGIN;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', \
         'PingFang SC', 'Microsoft YaHei', monospace\" font-size=\"14\" fill=\"{TEXT}\">\n",
        escaped(title)
    );
    for (n, line) in lines.iter().enumerate() {
        let y = MARGIN + (n as f32 + 0.72) * PLACE.1;
        for run in runs(line) {
            let (x, length) = (MARGIN + run.at as f32 * PLACE.0, run.places as f32 * PLACE.0);
            let colour = run.look.colour.map(|colour| format!(" fill=\"{colour}\"")).unwrap_or_default();
            let bold = if run.look.bold { " font-weight=\"bold\"" } else { "" };
            text.push_str(&format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\"{colour}{bold}>{}</text>\n",
                escaped(&run.text)
            ));
        }
    }
    text.push_str("</g>\n</svg>\n");
    text
}

/// Text of one look and one width of characters, without room before or behind it.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    at: usize,
    places: usize,
    look: Look,
    text: String,
}

fn runs(line: &str) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut look =
        if line.starts_with("$ ") { Look { bold: true, ..Look::default() } } else { Look::default() };
    let (mut at, mut open) = (0, false);
    for (part, is_order) in AnsiCodeIterator::new(line) {
        if is_order {
            look = look.after(part);
            open = false;
            continue;
        }
        for c in part.chars() {
            let places = c.width().unwrap_or(0);
            let fits = |run: &Run| {
                run.look == look && run.text.chars().next_back().and_then(char::width) == Some(places)
            };
            match found.last_mut() {
                _ if c == ' ' => open = false,
                Some(run) if open && fits(run) => {
                    run.text.push(c);
                    run.places += places;
                }
                _ => {
                    found.push(Run { at, places, look, text: c.to_string() });
                    open = true;
                }
            }
            at += places;
        }
    }
    found
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_stands_at_its_place_in_any_script() {
        let run = |at, places, look, text: &str| Run { at, places, look, text: text.to_owned() };
        let plain = Look::default();
        let red = Look { colour: Some("#e5737a"), bold: true };
        assert_eq!(
            runs("急诊a  \u{1b}[31m\u{1b}[1m无人\u{1b}[0m 7"),
            [run(0, 4, plain, "急诊"), run(4, 1, plain, "a"), run(7, 4, red, "无人"), run(12, 1, plain, "7")]
        );
    }

    #[test]
    fn a_picture_holds_its_lines_and_nothing_breaks_out_of_it() {
        let picture = drawn("<board>", &["$ hotline board".to_owned(), "a < b & \"c\"".to_owned()]);
        assert!(picture.contains("aria-label=\"&lt;board&gt;\"") && picture.contains(">&lt;<"), "{picture}");
        assert!(picture.contains(">&quot;c&quot;<") && picture.contains(">&amp;<"), "{picture}");
        assert_eq!(picture.matches("<text ").count(), 8, "one for each word: {picture}");
        assert!(!picture.contains('\u{1b}'));
    }
}
