//! Open hours in which nobody who may answer is on shift.

use api::v1;
use serde::Serialize;

use super::said::{clean, said};
use crate::lang::Lang;

/// What was found of them, as programs read it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Gaps {
    gaps: Vec<Gap>,
    gaps_left_out: u32,
}

#[derive(Debug, Serialize)]
struct Gap {
    lines: Vec<String>,
    times: Vec<Stretch>,
    /// In the language of the answer.
    words: String,
}

#[derive(Debug, Serialize)]
struct Stretch {
    from_wall_us: i64,
    to_wall_us: i64,
}

impl Gaps {
    /// As they came.
    pub(super) fn of(sent: Vec<v1::CoverGap>, left_out: u32, lang: Lang) -> Gaps {
        let stretch = |one: v1::WallStretch| Stretch { from_wall_us: one.from_us, to_wall_us: one.to_us };
        let gap = |gap: v1::CoverGap| Gap {
            lines: gap.line_ids,
            times: gap.times.into_iter().map(stretch).collect(),
            words: lang.of(&gap.zh, &gap.en).to_owned(),
        };
        Gaps { gaps: sent.into_iter().map(gap).collect(), gaps_left_out: left_out }
    }

    /// How many stretches of time there are; several may be told in one warning.
    pub(super) fn stretches(&self) -> usize {
        self.gaps.iter().map(|gap| gap.times.len()).sum::<usize>() + self.gaps_left_out as usize
    }

    /// How many warnings there are.
    pub(super) fn count(&self) -> usize {
        self.gaps.len() + self.gaps_left_out as usize
    }

    /// A warning for each.
    pub(super) fn lines(&self, lang: Lang) -> Vec<String> {
        let mark = lang.of("警告：", "warning: ");
        let mut lines: Vec<String> =
            self.gaps.iter().map(|gap| format!("{mark}{}", clean(&gap.words))).collect();
        if self.gaps_left_out > 0 {
            let more = said(
                format!("另有 {} 处", self.gaps_left_out),
                format!("and {} more of these", self.gaps_left_out),
            );
            lines.push(format!("{mark}{}", more.of(lang)));
        }
        lines
    }
}
