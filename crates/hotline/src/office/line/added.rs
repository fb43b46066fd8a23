//! Lines that are added to the plan and removed from it.

use ::plan::edit::{self, NewLine, NewNumber};
use clap::Args;
use switchboard::id::{DestinationId, LineId};
use switchboard::plan::{Destination, Plan, Title};

use super::now;
use crate::office::asking::Office;
use crate::office::fault::{Exit, Fault, Told};
use crate::office::find::{self, Known, Taken};
use crate::office::plan::edit::{Change, change, taken};
use crate::office::said::{clean, said};

/// Put a new line into the plan, whose text otherwise stays as it was written.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// Its id: of a-z, 0-9 and '-'. An id that was removed is never used again.
    line: String,
    /// Its name in Chinese.
    #[arg(long, value_name = "NAME")]
    zh: String,
    /// Its name in English.
    #[arg(long, value_name = "NAME")]
    en: String,
    /// A number under which it is published; may be given several times.
    #[arg(long, value_name = "NUMBER")]
    number: Vec<String>,
    /// The same, by the id of a destination of the plan; may be given several times.
    #[arg(long, value_name = "DESTINATION")]
    destination: Vec<String>,
    /// The line whose other fields it takes over; the plan's defaults, if not given.
    #[arg(long, value_name = "LINE")]
    like: Option<String>,
    /// Show what would change and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Take a line out of the plan. It drains: new calls are refused, those inside finish.
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Its whole id.
    line: String,
    /// The callers who wait move to this line and keep their place; they finish where they are, if not given.
    #[arg(long, value_name = "LINE")]
    move_waiting_to: Option<String>,
    /// Do not wait for the queue: whoever waits there moves, to --move-waiting-to or else to where the plan sends the
    /// line's overflow, and nobody is hung up on. Takes --yes.
    #[arg(long)]
    now: bool,
    /// Show what would change and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Add {
    pub(super) async fn run(&self, office: &Office) -> Told<()> {
        find::new_id(find::LINE, &self.line)?;
        let id: LineId = id(&self.line)?;
        let (board, _) = office.board().await?;
        if board.lines.iter().any(|line| line.line_id == self.line) {
            return Err(taken(find::LINE, &self.line));
        }
        let like = match &self.like {
            Some(typed) => Some(self::id(&office.line(typed, Taken::Whole).await?)?),
            None => None,
        };
        let mut numbers: Vec<NewNumber> = Vec::new();
        let plan = office.plan().await?.unwrap_or_default();
        let known: Vec<Known> = plan.destinations.iter().map(destination).collect();
        for typed in &self.destination {
            let id = find::find(find::DESTINATION, typed, &known, Taken::Whole)?;
            numbers.push(NewNumber::Destination(self::id(&id)?));
        }
        numbers.extend(self.number.iter().cloned().map(NewNumber::Number));
        numbers.iter().try_for_each(|number| is_free(&plan, number))?;
        let title = Title { zh: self.zh.clone(), en: self.en.clone() };
        let new = NewLine { id, title, numbers, like };
        let what = Change {
            kind: "line_added",
            id: &self.line,
            move_waiting_to: None,
            dry_run: self.dry_run,
            now: false,
        };
        change(
            office,
            &what,
            |text| edit::add_line(text, &new),
            |revision| {
                said(
                    format!("热线 {id} 已加入方案（第 {revision} 版）。查看：hotline line show {id}"),
                    format!(
                        "line {id} is in the plan (revision {revision}). To see it: hotline line show {id}"
                    ),
                )
            },
        )
        .await
    }
}

impl Remove {
    pub(super) async fn run(&self, office: &Office) -> Told<()> {
        let line = office.line(&self.line, Taken::Whole).await?;
        let id: LineId = id(&line)?;
        let overflow = match &self.move_waiting_to {
            None if self.now => Some(now::overflow(office, id).await?),
            said => said.clone(),
        };
        let move_waiting_to = overflow.as_deref();
        let (now, dry_run) = (self.now, self.dry_run);
        let what = Change { kind: "line_removed", id: &line, move_waiting_to, dry_run, now };
        change(
            office,
            &what,
            |text| edit::remove_line(text, id),
            |revision| {
                said(
                    format!("热线 {id} 已移出方案（第 {revision} 版）：不再接新来电，线上的来电照常结束"),
                    format!(
                        "line {id} is out of the plan (revision {revision}): no new calls, those inside finish as usual"
                    ),
                )
            },
        )
        .await?;
        match move_waiting_to {
            Some(to) if now && !dry_run => now::empty(office, &line, to).await,
            _ => Ok(()),
        }
    }
}

fn destination((id, it): (&DestinationId, &Destination)) -> Known {
    Known { id: id.to_string(), names: vec![it.title.zh.clone(), it.title.en.clone()] }
}

/// A number is published for one line only.
fn is_free(plan: &Plan, number: &NewNumber) -> Told<()> {
    let digits = |text: &str| text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>();
    let is_meant = |(id, it): &(&DestinationId, &Destination)| match number {
        NewNumber::Destination(meant) => *id == meant,
        NewNumber::Number(typed) => digits(&it.number) == digits(typed),
    };
    for (id, it) in plan.destinations.iter().filter(is_meant) {
        let Some((line, _)) = plan.lines.iter().find(|(_, line)| line.numbers.contains(id)) else { continue };
        let number = clean(&it.number);
        let what = said(
            format!("号码 {number} 已公布给热线 {line}"),
            format!("the number {number} is published for line {line} already"),
        );
        return Err(Fault::new(Exit::Refused, "NUMBER_TAKEN", what).mend(said(
            format!("换一个号码；或先从热线 {line} 中去掉它：hotline plan get"),
            format!("give another number, or take it from line {line} first: hotline plan get"),
        )));
    }
    Ok(())
}

/// An id that was looked at before.
fn id<T: std::str::FromStr>(typed: &str) -> Told<T> {
    typed.parse().map_err(|_| {
        Fault::usage("BAD_ID", said(format!("{typed:?} 不是标识"), format!("{typed:?} is not an id")))
    })
}
