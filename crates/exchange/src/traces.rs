//! What is told of an ask to whoever traces requests: one span, from its asking to its answer. While nobody traces,
//! nothing is made or measured.

use std::fmt::{self, Display, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use switchboard::command::{Command, Input};
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use crate::ask::Answer;
use crate::inbox::Lane;

/// The target of spans that tell what became of a request. They are made only where a subscriber asks for it.
pub const TRACES: &str = "traces";

/// An ask that is traced, as its asker holds it. Ends when dropped.
pub(crate) struct Traced {
    span: Span,
    asked: Instant,
    marks: Marks,
}

/// Where the loop notes what it did with a traced ask; with any other it notes nothing.
#[derive(Clone, Default)]
pub(crate) struct Marks(Option<Arc<Mutex<Times>>>);

#[derive(Default, Clone, Copy)]
struct Times {
    decide: Option<Duration>,
    stands: Option<Stands>,
}

/// The append an answer stands on.
#[derive(Clone, Copy)]
struct Stands {
    decisions: usize,
    began: Instant,
    landed: Instant,
    published: Instant,
}

impl Traced {
    /// A span under the request's, if somebody wants it.
    pub(crate) fn begin(input: &Input, lane: Lane) -> Option<Traced> {
        let span = tracing::info_span!(
            target: TRACES,
            "ask",
            hotline.command = %Kind(&input.command),
            hotline.lane = ?lane,
            hotline.request_id = Empty,
            hotline.seq = Empty,
            hotline.again = Empty,
            hotline.row.decisions = Empty,
            hotline.waited_us = Empty,
            hotline.decide_us = Empty,
            hotline.append_us = Empty,
            hotline.publish_us = Empty,
        );
        if span.is_disabled() {
            return None;
        }
        if let Some(request) = input.request {
            span.record("hotline.request_id", tracing::field::display(request));
        }
        Some(Traced { span, asked: Instant::now(), marks: Marks(Some(Arc::default())) })
    }

    pub(crate) fn marks(traced: Option<&Traced>) -> Marks {
        traced.map(|traced| traced.marks.clone()).unwrap_or_default()
    }

    /// Tells what became of it. Of a refusal the request's own span has the code.
    pub(crate) fn answered(self, answer: &Answer) {
        if let Ok(committed) = answer {
            self.span.record("hotline.seq", committed.cursor.seq.0);
            self.span.record("hotline.again", committed.again);
        }
        let Some(Times { decide, stands }) = self.marks.times().map(|times| *times) else { return };
        let record = |field: &str, took: Duration| {
            self.span.record(field, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        };
        if let Some(decide) = decide {
            record("hotline.decide_us", decide);
        }
        if let Some(Stands { decisions, began, landed, published }) = stands {
            self.span.record("hotline.row.decisions", decisions);
            record("hotline.waited_us", began.saturating_duration_since(self.asked));
            record("hotline.append_us", landed - began);
            record("hotline.publish_us", published - landed);
        }
    }
}

impl Marks {
    /// The moment, if it is wanted.
    pub(crate) fn moment(&self) -> Option<Instant> {
        self.0.as_ref().map(|_| Instant::now())
    }

    /// Deciding took from `began` to this moment. Decided again, it counts again.
    pub(crate) fn decided(&self, began: Option<Instant>) {
        if let (Some(mut times), Some(began)) = (self.times(), began) {
            times.decide = Some(times.decide.unwrap_or_default() + began.elapsed());
        }
    }

    /// The row that the answer stands on, of so many decisions, is stored, and published at this moment.
    pub(crate) fn stored(&self, decisions: usize, began: Instant, landed: Instant) {
        if let Some(mut times) = self.times() {
            times.stands = Some(Stands { decisions, began, landed, published: Instant::now() });
        }
    }

    fn times(&self) -> Option<MutexGuard<'_, Times>> {
        // Every change under this lock is one assignment.
        self.0.as_ref().map(|times| times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The command's name alone: what it carries is nobody's business here.
struct Kind<'a>(&'a Command);

impl Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = Name { f, ended: false, failed: false };
        // An error is how the rest is left unwritten.
        let _rest = write!(name, "{:?}", self.0);
        if name.failed { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Writes letters up to the first sign that is none.
struct Name<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    ended: bool,
    failed: bool,
}

impl Write for Name<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.ended {
            return Err(fmt::Error);
        }
        let name = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        self.ended = name.len() < text.len();
        self.failed = self.f.write_str(name).is_err();
        if self.ended || self.failed { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use switchboard::command::Actor;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn of_a_command_only_its_name_is_told() {
        let call = switchboard::id::CallId(Uuid::nil());
        assert_eq!(Kind(&Command::Tick).to_string(), "Tick");
        assert_eq!(Kind(&Command::Digit { call, attempt: None, digit: '7' }).to_string(), "Digit");
        let gateway = "main-1".parse().expect("a name");
        assert_eq!(Kind(&Command::LoseGateway { gateway, incarnation: 1 }).to_string(), "LoseGateway");
    }

    #[test]
    fn while_nobody_traces_nothing_is_made() {
        let input = Input { actor: Actor::Clock, request: None, command: Command::Tick };
        let traced = Traced::begin(&input, Lane::Progress);
        assert!(traced.is_none());
        let marks = Traced::marks(traced.as_ref());
        assert!(marks.0.is_none() && marks.moment().is_none());
    }
}
