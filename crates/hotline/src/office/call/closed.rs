//! Calls of the past, from their records.

use api::v1;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use switchboard::id::OperatorId;
use switchboard::time::Span;

use crate::board::figures::clock;
use crate::office::answer::{Fact, Listed, figures, words};
use crate::office::asking::{Office, PAGE};
use crate::office::fault::Told;
use crate::office::find::Taken;
use crate::office::moment;
use crate::office::said::said;
use crate::office::sheet::Field;
use crate::office::words::{self as word, Word};

/// Which calls of the past.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Which {
    /// Those that are over, the latest first, however long ago.
    #[arg(long)]
    pub(super) closed: bool,
    /// Only those first answered by this person.
    #[arg(long, value_name = "OPERATOR", requires = "closed")]
    operator: Option<String>,
    /// Only those that ended so.
    #[arg(long, value_name = "OUTCOME", requires = "closed", value_parser = PossibleValuesParser::new(word::outcomes()))]
    outcome: Option<String>,
    /// Only those that rang in at or after this: 2026-11-22 03:10, RFC 3339, or 2h for two hours ago.
    #[arg(long, value_name = "TIME", requires = "closed")]
    from: Option<String>,
    /// Only those that rang in before this.
    #[arg(long, value_name = "TIME", requires = "closed")]
    until: Option<String>,
}

/// A call of the past, as programs read it.
#[derive(Debug, Serialize)]
struct Closed {
    id: String,
    line: String,
    called_line: String,
    gateway: String,
    class: Word,
    caller_kind: Word,
    /// A random reference, never a number.
    caller_ref: String,
    outcome: Option<Word>,
    /// Who answered it first.
    operator: Option<String>,
    wall_us: i64,
    rang_at_us: u64,
    answered_at_us: Option<u64>,
    closed_at_us: Option<u64>,
    offers: u32,
    tiers_opened: u32,
    first_seq: u64,
    last_seq: u64,
}

impl Listed for Closed {
    fn id(&self) -> &str {
        &self.id
    }
}

impl From<v1::RecordedCall> for Closed {
    fn from(call: v1::RecordedCall) -> Closed {
        Closed {
            class: word::class(call.class()),
            caller_kind: word::caller_kind(call.caller_kind()),
            outcome: word::outcome(call.outcome()),
            operator: Some(call.answered_by_id).filter(|id| !id.is_empty()),
            id: call.call_id,
            line: call.line_id,
            called_line: call.called_line_id,
            gateway: call.gateway_id,
            caller_ref: call.caller_ref,
            wall_us: call.wall_us,
            rang_at_us: call.rang_at_us,
            answered_at_us: call.answered_at_us,
            closed_at_us: call.closed_at_us,
            offers: call.offers,
            tiers_opened: call.tiers_opened,
            first_seq: call.first_seq,
            last_seq: call.last_seq,
        }
    }
}

impl Closed {
    fn between(from_us: Option<u64>, to_us: Option<u64>) -> Field {
        match (from_us, to_us) {
            (Some(from), Some(to)) => Field::new(clock(Span::millis(to.saturating_sub(from) / 1_000))),
            _ => Field::new("-"),
        }
    }

    /// Until it was answered, or left.
    fn waited(&self) -> Field {
        Closed::between(Some(self.rang_at_us), self.answered_at_us.or(self.closed_at_us))
    }

    fn talked(&self) -> Field {
        Closed::between(self.answered_at_us, self.closed_at_us)
    }

    fn operator(&self) -> Field {
        Field::or_dash(self.operator.as_deref().unwrap_or_default())
    }
}

/// Lists calls of the past, a page at a time.
pub(super) async fn list(
    office: &Office,
    line: Option<&str>,
    which: &Which,
    limit: u32,
    after: Option<&str>,
) -> Told<()> {
    let mut gone = None;
    let mut meant = |found: Told<String>, typed: &str| match found {
        // Whoever left since is still in the records, by the whole id.
        Err(fault) if fault.code() == "UNKNOWN" && typed.parse::<OperatorId>().is_ok() => {
            gone = Some(fault);
            Ok(typed.to_owned())
        }
        found => found,
    };
    let line_id = match line {
        Some(typed) => meant(office.line(typed, Taken::Beginning).await, typed)?,
        None => String::new(),
    };
    let operator_id = match which.operator.as_deref() {
        Some(typed) => meant(office.operator(typed, Taken::Beginning).await, typed)?,
        None => String::new(),
    };
    let moment =
        |flag, text: &Option<String>| text.as_deref().map(|text| moment::wall(flag, text)).transpose();
    let outcome = which.outcome.as_deref().map_or(v1::Outcome::Unspecified, word::outcome_of);
    let request = v1::ListRecordsRequest {
        line_id,
        operator_id,
        outcome: outcome.into(),
        from_wall_us: moment("--from", &which.from)?,
        until_wall_us: moment("--until", &which.until)?,
        page_size: limit,
        page_token: after.unwrap_or_default().to_owned(),
        ..v1::ListRecordsRequest::default()
    };
    let page = office.send(request).await?;
    if let Some(gone) = gone.filter(|_| page.calls.is_empty()) {
        return Err(gone);
    }
    let over = page.calls.into_iter().filter(|call| call.closed_at_us.is_some());
    let items: Vec<Closed> = over.map(Closed::from).collect();
    let columns = [
        words("通话", "CALL", |call: &Closed, _| Field::new(&call.id)).whole(),
        words("拨入", "RANG IN", |call: &Closed, _| Field::new(moment::shown(call.wall_us))).whole(),
        words("热线", "LINE", |call, _| Field::new(&call.line)),
        figures("等候", "WAITED", |call, _| call.waited()),
        figures("通话时长", "TALKED", |call, _| call.talked()),
        words("接线员", "OPERATOR", |call: &Closed, _| call.operator()),
        words("结局", "OUTCOME", |call, lang| {
            Field::or_dash(call.outcome.map(|outcome| outcome.of(lang)).unwrap_or_default())
        }),
        figures("派出", "OFFERS", |call: &Closed, _| Field::new(call.offers)).wide(),
        words("优先级", "CLASS", |call: &Closed, lang| Field::new(call.class.of(lang))).wide(),
        words("来电者", "CALLER", |call: &Closed, lang| Field::new(call.caller_kind.of(lang))).wide(),
        words("拨打的热线", "CALLED", |call: &Closed, _| Field::new(&call.called_line)).wide(),
        words("网关", "GATEWAY", |call: &Closed, _| Field::new(&call.gateway)).wide(),
    ];
    super::page(office, "closed_calls", &items, page.next_page_token, &columns)?;
    office.answer.clock(items.len());
    Ok(())
}

/// Shows a call that closed too long ago for the switchboard to remember it.
///
/// # Errors
/// When there never was such a call.
pub(super) async fn show(office: &Office, id: String) -> Told<()> {
    let path = office.send(v1::GetPathRequest { call_id: id.clone(), at_least: None }).await?;
    let rang = path.steps.first().map(|step| step.wall_us).unwrap_or_default();
    let request = v1::ListRecordsRequest {
        from_wall_us: Some(rang),
        until_wall_us: Some(rang.saturating_add(1)),
        page_size: PAGE,
        ..v1::ListRecordsRequest::default()
    };
    let found = office.send(request).await?.calls.into_iter().find(|call| call.call_id == id);
    let item =
        Closed::from(found.unwrap_or(v1::RecordedCall { call_id: id, wall_us: rang, ..Default::default() }));
    let lang = office.lang();
    let facts: Vec<Fact> = vec![
        (said("通话", "call"), Field::new(&item.id)),
        (said("拨入", "rang in"), Field::new(moment::shown(item.wall_us))),
        (said("热线", "line"), Field::or_dash(&item.line)),
        (said("拨打的热线", "called"), Field::or_dash(&item.called_line)),
        (said("等候", "waited"), item.waited()),
        (said("通话时长", "talked"), item.talked()),
        (said("接线员", "operator"), item.operator()),
        (said("派出次数", "offers"), Field::new(item.offers)),
        (said("优先级", "class"), Field::new(item.class.of(lang))),
        (said("来电者", "caller"), Field::new(item.caller_kind.of(lang))),
        (said("网关", "gateway"), Field::or_dash(&item.gateway)),
        (
            said("结局", "outcome"),
            Field::or_dash(item.outcome.map(|outcome| outcome.of(lang)).unwrap_or_default()),
        ),
    ];
    let further =
        [String::new(), lang.of("它的经过：", "how it went: ").to_owned() + "hotline call why " + &item.id];
    office.answer.show("closed_call", &item, &facts, &further)?;
    office.answer.clock(1);
    Ok(())
}
