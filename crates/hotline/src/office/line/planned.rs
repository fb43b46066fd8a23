//! What the plan in force says about a line.

use api::v1;
use serde::Serialize;
use switchboard::plan::{Hours, Line, Plan, WhenClosed};

use crate::lang::Lang;
use crate::office::answer::Fact;
use crate::office::asking::Office;
use crate::office::fault::Told;
use crate::office::length;
use crate::office::said::said;
use crate::office::sheet::Field;

/// What the plan says about a line.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    revision: u32,
    class: String,
    numbers: Vec<String>,
    hours: Vec<String>,
    when_closed: String,
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
        let class = serde_json::to_value(line.class).ok();
        Planned {
            revision,
            class: class.and_then(|class| class.as_str().map(str::to_owned)).unwrap_or_default(),
            numbers: line.numbers.iter().map(ToString::to_string).collect(),
            hours: hours(&line.hours),
            when_closed: match line.when_closed {
                WhenClosed::Message => "message".to_owned(),
                WhenClosed::MoveTo(line) => format!("line:{line}"),
                WhenClosed::Divert(to) => format!("outside:{to}"),
            },
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
            (said("优先级", "class"), Field::new(&self.class)),
            (said("公布号码", "numbers"), Field::or_dash(self.numbers.join(", "))),
            (said("服务时间", "hours"), Field::new(self.hours.join(", "))),
            (said("时间外", "when closed"), Field::new(&self.when_closed)),
            (said("每次振铃", "ring"), Field::new(length::words(lang, self.ring_ms))),
            (said("话后处理", "wrap-up"), Field::new(length::words(lang, self.wrap_up_ms))),
            (said("最多等候", "most waiting"), Field::new(limit)),
            (said("阶梯级数", "tiers"), Field::new(self.tiers)),
        ]
    }
}

/// As the plan's text writes them.
fn hours(hours: &Hours) -> Vec<String> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    match hours {
        Hours::Always => vec!["always".to_owned()],
        Hours::Weekly(windows) => windows
            .iter()
            .map(|window| {
                let day = DAYS[usize::from(window.from / (24 * 60)) % 7];
                format!("{day} {}-{}", time(window.from), time(window.to))
            })
            .collect(),
    }
}
