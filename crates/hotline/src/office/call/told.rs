//! A call's path, as people and programs read it.

use api::v1;
use serde::Serialize;
use serde_json::Value;
use switchboard::command::Actor;
use switchboard::decision::Decision;
use switchboard::id::CallId;

use crate::chinese::translated;
use crate::lang::Lang;
use crate::office::answer;
use crate::office::fault::{Exit, Fault, Told};
use crate::office::path::{self, Teller};
use crate::office::said::{Said, said};
use crate::office::sheet::{Field, Head, Side, lines};
use crate::office::{length, moment};

/// One decision about a call, as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) seq: u64,
    at_us: u64,
    wall_us: i64,
    /// Since it rang in.
    since_ring_ms: u64,
    by: By,
    events: Vec<String>,
    /// What it meant for the call, in the language of the answer.
    words: Vec<String>,
    #[serde(skip)]
    who: Said,
    /// The operator with whom the call is from here on.
    #[serde(skip)]
    pub(super) with: Option<String>,
}

impl Step {
    /// Its number, and when it was.
    pub(super) fn moment(&self) -> String {
        format!("{} ({})", self.seq, moment::shown(self.wall_us))
    }
}

/// Who made it happen.
#[derive(Debug, Serialize)]
struct By {
    role: &'static str,
    id: Option<String>,
}

impl By {
    fn of(actor: Actor) -> By {
        let (role, id) = match actor {
            Actor::Clock => ("clock", None),
            Actor::Presence => ("presence", None),
            Actor::Gateway(id) => ("gateway", Some(id.to_string())),
            Actor::Operator(id) => ("operator", Some(id.to_string())),
            Actor::Supervisor(id) => ("supervisor", Some(id.to_string())),
            Actor::Admin(id) => ("admin", Some(id.to_string())),
        };
        By { role, id }
    }
}

/// The steps of a call's path.
///
/// # Errors
/// When the server decides in ways that this program does not know.
pub(super) fn steps(id: &str, sent: v1::GetPathResponse, lang: Lang) -> Told<Vec<Step>> {
    let unread = |why: String| {
        let what = said("无法读懂服务器的记录", "the server's record cannot be read here");
        Fault::new(Exit::Broken, "OTHER_VERSION", what)
            .because(translated(why))
            .mend(said("使用与服务器相同版本的程序", "use a program of the server's version"))
    };
    let call: uuid::Uuid = id.parse().map_err(|fault: uuid::Error| unread(fault.to_string()))?;
    let mut teller = Teller::of(CallId(call));
    let step = |sent: v1::PathStep| {
        let recorded = sent.decision.unwrap_or_default();
        let decision = decided(&recorded.canonical).map_err(|fault| unread(fault.to_string()))?;
        let words = teller.tell(&decision);
        Ok(Step {
            seq: recorded.seq,
            at_us: recorded.at_us,
            wall_us: sent.wall_us,
            since_ring_ms: teller.age(decision.at).0 / 1_000,
            by: By::of(decision.input.actor),
            events: recorded.event_names,
            words: words.iter().map(|words| words.of(lang).to_owned()).collect(),
            who: path::by(decision.input.actor),
            with: teller.with(),
        })
    };
    sent.steps.into_iter().map(step).collect()
}

/// A decision of a path. One that adopts a plan comes without it: of that decision what it did to the call is left.
fn decided(text: &str) -> Result<Decision, serde_json::Error> {
    let mut whole: Value = serde_json::from_str(text)?;
    if whole.pointer("/input/command/adopt_plan").is_some() {
        whole["input"]["command"] = "tick".into();
        if let Some(events) = whole["events"].as_array_mut() {
            events.retain(|event| event.get("plan_adopted").is_none());
        }
    }
    serde_json::from_value(whole)
}

/// A table of them, a line for each thing that happened. None is shortened: what was cut off could be the reason.
pub(super) fn table(steps: &[Step], lang: Lang) -> Vec<String> {
    let head = |zh: &str, en: &str, side| Head { name: lang.of(zh, en).to_owned(), side, whole: true };
    let heads = [
        head("拨入后", "AFTER", Side::Right),
        head("时间", "TIME", Side::Left),
        head("由谁", "BY", Side::Left),
        head("发生了什么", "WHAT HAPPENED", Side::Left),
    ];
    let mut rows = Vec::new();
    for step in steps {
        for (n, words) in step.words.iter().enumerate() {
            let first = |text: String| if n == 0 { Field::new(text) } else { Field::default() };
            rows.push(vec![
                first(after(step.since_ring_ms, lang)),
                first(moment::shown(step.wall_us)),
                first(step.who.of(lang).to_owned()),
                Field::new(words),
            ]);
        }
    }
    lines(&heads, &rows, answer::width())
}

/// Below a minute to the tenth of a second: a ring and its delivery are told apart.
fn after(milliseconds: u64, lang: Lang) -> String {
    match milliseconds {
        0..60_000 => format!("{}.{}{}", milliseconds / 1_000, milliseconds / 100 % 10, lang.of("秒", "s")),
        _ => length::words(lang, milliseconds / 1_000 * 1_000),
    }
}
