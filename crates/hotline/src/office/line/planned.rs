//! What the plan in force says about a line.

use api::v1;
use serde::Serialize;
use switchboard::call::Class;
use switchboard::plan::{Hours, Line, Plan, WhenClosed};

use crate::lang::Lang;
use crate::office::answer::Fact;
use crate::office::asking::Office;
use crate::office::fault::Told;
use crate::office::length;
use crate::office::said::said;
use crate::office::sheet::Field;
use crate::office::words::{self as word, Word};

/// What the plan says about a line.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    revision: u32,
    class: Word,
    numbers: Vec<String>,
    hours: Vec<String>,
    when_closed: String,
    #[serde(skip)]
    pieces: Vec<Piece>,
    #[serde(skip)]
    closed: WhenClosed,
    ring_ms: u64,
    wrap_up_ms: u64,
    max_waiting: Option<u32>,
    tiers: usize,
}

/// What the plan says; nothing to somebody who may not see the plan.
pub(super) async fn planned(office: &Office, id: &str) -> Told<Option<Planned>> {
    let sent = match office.send(v1::GetPlanRequest::default()).await {
        Ok(sent) => sent,
        Err(fault) if fault.code() == "WRONG_ROLE" => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let plan: Option<Plan> = plan::parse("plan", &sent.text).ok().map(|parsed| parsed.plan);
    let line = plan.as_ref().and_then(|plan| plan.lines.get(&id.parse().ok()?));
    Ok(line.map(|line| Planned::of(sent.revision, line)))
}

impl Planned {
    fn of(revision: u32, line: &Line) -> Planned {
        let pieces = pieces(&line.hours);
        Planned {
            revision,
            class: word::class(match line.class {
                Class::Emergency => v1::CallClass::Emergency,
                Class::Normal => v1::CallClass::Normal,
                Class::Background => v1::CallClass::Background,
            }),
            numbers: line.numbers.iter().map(ToString::to_string).collect(),
            hours: hours(&pieces, Lang::En),
            when_closed: match line.when_closed {
                WhenClosed::Message => "message".to_owned(),
                WhenClosed::MoveTo(line) => format!("line:{line}"),
                WhenClosed::Divert(to) => format!("outside:{to}"),
            },
            pieces,
            closed: line.when_closed,
            ring_ms: line.ring.0 / 1_000,
            wrap_up_ms: line.wrap_up.0 / 1_000,
            max_waiting: line.max_waiting,
            tiers: line.tiers.len(),
        }
    }

    /// For people.
    pub(super) fn facts(&self, lang: Lang) -> Vec<Fact> {
        let limit = self.max_waiting.map_or_else(|| "-".to_owned(), |max| max.to_string());
        vec![
            (said("方案版本", "plan revision"), Field::new(self.revision)),
            (said("优先级", "class"), Field::new(self.class.of(lang))),
            (said("公布号码", "numbers"), Field::or_dash(self.numbers.join(", "))),
            (said("服务时间", "hours"), Field::new(hours(&self.pieces, lang).join(", "))),
            (said("时间外", "when closed"), Field::new(self.closed_words(lang))),
            (said("每次振铃", "ring"), Field::new(length::words(lang, self.ring_ms))),
            (said("话后处理", "wrap-up"), Field::new(length::words(lang, self.wrap_up_ms))),
            (said("最多等候", "most waiting"), Field::new(limit)),
            (said("阶梯级数", "tiers"), Field::new(self.tiers)),
        ]
    }

    fn closed_words(&self, lang: Lang) -> String {
        match (lang, self.closed) {
            (_, WhenClosed::Message) => lang.of("播放提示", "a message").to_owned(),
            (Lang::Zh, WhenClosed::MoveTo(line)) => format!("转到热线 {line}"),
            (Lang::En, WhenClosed::MoveTo(line)) => format!("to line {line}"),
            (Lang::Zh, WhenClosed::Divert(to)) => format!("转外线 {to}"),
            (Lang::En, WhenClosed::Divert(to)) => format!("to the outside number {to}"),
        }
    }
}

/// A part of the open hours that begins on one day and is shorter than a day, or a whole day: minutes from that day's
/// 00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    day: usize,
    from: u16,
    to: u16,
}

const DAY: u16 = 24 * 60;

/// Hours without a break from one day to another are cut at midnight: a time of day alone would not say of which day.
fn pieces(hours: &Hours) -> Vec<Piece> {
    let Hours::Weekly(windows) = hours else { return Vec::new() };
    let mut pieces = Vec::new();
    for window in windows {
        let mut from = window.from;
        while from < window.to {
            let midnight = (from / DAY + 1) * DAY;
            let to = if window.to - window.from < DAY { window.to } else { window.to.min(midnight) };
            let (day, start) = (from / DAY, from / DAY * DAY);
            pieces.push(Piece { day: usize::from(day % 7), from: from - start, to: to - start });
            from = to;
        }
    }
    pieces
}

/// In English as the plan's text writes them.
fn hours(pieces: &[Piece], lang: Lang) -> Vec<String> {
    const DAYS: [(&str, &str); 7] = [
        ("周一", "Mon"),
        ("周二", "Tue"),
        ("周三", "Wed"),
        ("周四", "Thu"),
        ("周五", "Fri"),
        ("周六", "Sat"),
        ("周日", "Sun"),
    ];
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let end = |minute: u16| time(if minute > DAY { minute - DAY } else { minute });
    if pieces.is_empty() {
        return vec![lang.of("全天候", "always").to_owned()];
    }
    let piece = |piece: &Piece| {
        let (zh, en) = DAYS[piece.day];
        format!("{} {}-{}", lang.of(zh, en), time(piece.from), end(piece.to))
    };
    pieces.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Hours {
        let plan = plan::HOSPITAL.replacen("[lines.duty]", &format!("[lines.duty]\nhours = [{text}]"), 1);
        let parsed = plan::parse("hospital.toml", &plan).expect("a plan");
        parsed.plan.lines[&"duty".parse().expect("a name")].hours.clone()
    }

    #[test]
    fn hours_are_told_with_the_day_they_end_on() {
        let told = |text| hours(&pieces(&read(text)), Lang::En);
        assert_eq!(told("\"Mon-Tue 08:00-17:30\""), ["Mon 08:00-17:30", "Tue 08:00-17:30"]);
        assert_eq!(told("\"Fri 22:00-02:00\""), ["Fri 22:00-02:00"]);
        assert_eq!(
            told("\"Fri 18:00-24:00\", \"Sat,Sun 00:00-24:00\""),
            ["Fri 18:00-24:00", "Sat 00:00-24:00", "Sun 00:00-24:00"]
        );
        assert_eq!(told("\"daily 00:00-24:00\""), ["always"]);
        assert_eq!(
            hours(&pieces(&read("\"Sun 22:00-06:00\"")), Lang::Zh),
            ["周一 00:00-06:00", "周日 22:00-24:00"]
        );
    }

    #[test]
    fn what_is_told_means_what_was_written() {
        for text in [
            "\"Mon 08:00-24:00\", \"Tue 00:00-08:00\"",
            "\"daily 22:00-21:59\"",
            "\"Fri 18:00-24:00\", \"Sat,Sun 00:00-24:00\"",
            "\"Wed 00:00-24:00\", \"Thu 00:00-00:01\"",
        ] {
            let written = read(text);
            let told: Vec<String> =
                hours(&pieces(&written), Lang::En).iter().map(|piece| format!("\"{piece}\"")).collect();
            assert_eq!(read(&told.join(", ")), written, "{text} is told as {told:?}");
        }
    }
}
