//! `hotline events`: the record of everything that was decided.

use std::process::ExitCode;

use api::{EventFeed, Refusal, v1};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::answer::Format;
use super::asking::Office;
use super::fault::{EXIT_CODES, Fault, Told};
use super::reach::Common;
use super::said::{clean, said};
use crate::lang::Lang;

/// The record: every decision with its events. Ids and codes only, never a number or a name.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Events {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline events tail\n  hotline events tail --from beginning --no-follow -o json > record.jsonl\n  \
hotline events tail --from 120";

#[derive(Debug, Subcommand)]
enum Verb {
    /// The decisions from some place on, then each new one.
    Tail {
        /// Where to begin: the number of a decision, `beginning`, or `now` for new ones only; the last ten, if not given.
        #[arg(long, value_name = "PLACE")]
        from: Option<String>,
        /// End with the last decision there is.
        #[arg(long)]
        no_follow: bool,
        /// End after so many.
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
}

impl Events {
    pub(super) fn run(self) -> ExitCode {
        let Verb::Tail { from, no_follow, limit } = self.verb;
        super::ask(&self.common, async |office| {
            tail(office, from.as_deref(), no_follow, limit).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// A decision, as programs read it.
#[derive(Debug, Serialize)]
struct EventItem {
    seq: u64,
    at_us: u64,
    events: Vec<String>,
    decision: Value,
}

/// So many are shown of what was before.
const LAST: u64 = 10;

/// After which decision to begin.
fn begin_after(from: Option<&str>, head: u64) -> Told<u64> {
    match from {
        None => Ok(head.saturating_sub(LAST)),
        Some("beginning") => Ok(0),
        Some("now") => Ok(head),
        Some(text) => match text.parse::<u64>() {
            Ok(seq @ 1..) if seq <= head + 1 => Ok(seq - 1),
            Ok(1..) => {
                let what =
                    said(format!("还没有第 {text} 号决定"), format!("there is no decision {text} yet"));
                Err(Fault::usage("BAD_PLACE", what).mend(said(
                    format!("最后一个是第 {head} 号；只看新的用 --from now"),
                    format!("the last one is {head}; for new ones only: --from now"),
                )))
            }
            _ => {
                let shown = clean(text);
                let what = said(
                    format!("--from {shown:?} 不是记录中的位置"),
                    format!("--from {shown:?} is no place in the record"),
                );
                Err(Fault::usage("BAD_PLACE", what).mend(said(
                    "写决定的编号（从 1 起）、beginning 或 now",
                    "write the number of a decision (from 1), beginning or now",
                )))
            }
        },
    }
}

async fn tail(office: &Office, from: Option<&str>, no_follow: bool, limit: Option<u64>) -> Told<()> {
    let (head, is_last) = head(office).await?;
    let after = match from {
        // Whoever may not see the board is not told where the record ends: all of it, then.
        None if !is_last => 0,
        from => begin_after(from, if is_last { head.seq } else { u64::MAX - 1 })?,
    };
    if !is_last && (no_follow || from == Some("now")) {
        let what = said("此令牌看不到记录到哪里为止", "this token is not told where the record ends");
        return Err(Fault::usage("NO_END", what).mend(said(
            "用 --from 编号 和 --limit，或管理员的令牌",
            "say --from NUMBER and --limit, or use an administrator's token",
        )));
    }
    let mut left = limit.unwrap_or(u64::MAX);
    let mut known = after;
    let mut record = office.client.attach(EventFeed { after: Some(v1::Cursor { seq: after, ..head }) });
    while left > 0 && !(no_follow && known >= head.seq) {
        let update = record.next().await.map_err(|status| office.refused(&Refusal::of(&status)))?;
        let message = update.into_message();
        for decision in message.decisions.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            if no_follow && decision.seq > head.seq {
                return Ok(());
            }
            known = decision.seq;
            left -= 1;
            write(office, decision)?;
        }
    }
    Ok(())
}

/// A place in this history, and whether it is the last one. An integrator may ask for the record, but not for the board.
async fn head(office: &Office) -> Told<(v1::Cursor, bool)> {
    match office.board().await {
        Ok((_, cursor)) => Ok((cursor, true)),
        Err(fault) if fault.code() == "WRONG_ROLE" => {
            let ask = || async {
                let mut admin = office.client.admin();
                admin.tail_events(v1::TailEventsRequest::default()).await?.into_inner().message().await
            };
            let first = office.client.until_answered(ask).await;
            let first = first.map_err(|status| office.refused(&Refusal::of(&status)))?;
            Ok((first.and_then(|first| first.cursor).unwrap_or_default(), false))
        }
        Err(fault) => Err(fault),
    }
}

fn write(office: &Office, decision: v1::RecordedDecision) -> Told<()> {
    match office.answer.format {
        Format::Json | Format::Yaml => office.answer.each(
            "event",
            &EventItem {
                seq: decision.seq,
                at_us: decision.at_us,
                events: decision.event_names,
                decision: serde_json::from_str(&decision.canonical).unwrap_or(Value::Null),
            },
        ),
        Format::Name => office.answer.text(&[decision.seq.to_string()]),
        Format::Table | Format::Wide => {
            let names = decision.event_names.join(", ");
            let names = if names.is_empty() {
                office.lang().of("（无事件）", "(no event)").to_owned()
            } else {
                names
            };
            let mut line = format!(
                "{:>8}  {}  {}",
                decision.seq,
                site_time(decision.at_us, office.lang()),
                clean(&names)
            );
            if office.answer.format == Format::Wide {
                line.push_str("  ");
                line.push_str(&clean(&decision.canonical));
            }
            office.answer.text(&[line])
        }
    }
}

/// How long after the beginning of the record.
fn site_time(at_us: u64, lang: Lang) -> String {
    let (days, seconds) = (at_us / 86_400_000_000, at_us / 1_000_000 % 86_400);
    let (hours, minutes, left) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let day = lang.of("日", "d");
    format!("{days}{day} {hours:02}:{minutes:02}:{left:02}.{:03}", at_us / 1_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_record_is_a_number_or_a_word() {
        assert_eq!(begin_after(None, 25).expect("the last ten"), 15);
        assert_eq!(begin_after(None, 3).expect("all of them"), 0);
        assert_eq!(begin_after(Some("beginning"), 25).expect("all"), 0);
        assert_eq!(begin_after(Some("now"), 25).expect("none"), 25);
        assert_eq!(begin_after(Some("7"), 25).expect("from 7"), 6);
        assert_eq!(begin_after(Some("26"), 25).expect("the next one"), 25);
        for text in ["0", "-1", "yesterday", "27", ""] {
            begin_after(Some(text), 25).expect_err(text);
        }
        assert_eq!(site_time(90_061_001_000, Lang::En), "1d 01:01:01.001");
    }
}
