//! Why a person is or is not asked about each waiting call.

use api::v1;
use serde::Serialize;
use switchboard::time::SiteTime;

use super::explained;
use crate::office::answer::{self, Fact, Listed};
use crate::office::asking::Office;
use crate::office::call::named;
use crate::office::fault::Told;
use crate::office::find::Taken;
use crate::office::reasons::{Reason, all_against};
use crate::office::said::said;
use crate::office::sheet::{Field, Head, Side, lines};
use crate::office::words::{self as word, Word};

/// Why a person is or is not asked, as programs read it.
#[derive(Debug, Serialize)]
struct Explained {
    id: String,
    /// The last decision that counts, if a moment was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_seq: Option<u64>,
    state: Word,
    against: Vec<Reason>,
    calls: Vec<ExplainedCall>,
}

#[derive(Debug, Serialize)]
struct ExplainedCall {
    id: String,
    against: Vec<Reason>,
}

impl Listed for Explained {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Tells why a person is or was not asked.
pub(super) async fn tell(office: &Office, typed: &str, at: Option<&str>) -> Told<()> {
    let at = at.map(named).transpose()?;
    let (id, answer, as_of) = match at {
        Some(at) => past(office, typed, at).await?,
        None => {
            let id = office.operator(typed, Taken::Beginning).await?;
            (id.clone(), explained(office, id).await?, None)
        }
    };
    let against: Vec<Reason> = answer.against.iter().map(Reason::of).collect();
    let calls = answer.calls.iter().map(|call| ExplainedCall {
        id: call.call_id.clone(),
        against: call.against.iter().map(Reason::of).collect(),
    });
    let as_of_seq = as_of.as_ref().map(|found| found.seq);
    let state = word::operator_state(&against);
    let item = Explained { state, calls: calls.collect(), against, id, as_of_seq };
    let lang = office.lang();
    let now = match as_of {
        Some(found) => SiteTime(found.at_us),
        None if office.answer.is_object() => SiteTime(0),
        None => SiteTime(office.board().await?.0.at_us),
    };
    let mut further = Vec::new();
    if !item.calls.is_empty() {
        let head =
            |zh: &str, en: &str, whole| Head { name: lang.of(zh, en).to_owned(), side: Side::Left, whole };
        let rows: Vec<Vec<Field>> = item
            .calls
            .iter()
            .map(|call| {
                let words = match call.against.as_slice() {
                    [] => lang.of("可以派", "can be asked").to_owned(),
                    against => all_against(against, lang, now),
                };
                vec![Field::new(&call.id), Field::new(words)]
            })
            .collect();
        further.push(String::new());
        further.extend(lines(
            &[head("等候的来电", "WAITING CALL", true), head("原因", "WHY", true)],
            &rows,
            answer::width(),
        ));
    }
    let words = match item.against.as_slice() {
        [] => lang.of("可以接新来电", "ready for a call").to_owned(),
        against => all_against(against, lang, now),
    };
    let mut facts: Vec<Fact> = vec![
        (said("标识", "operator"), Field::new(&item.id)),
        (said("状态", "state"), Field::new(item.state.of(lang))),
        (said("原因", "because"), Field::new(words)),
        (said("等候的来电", "calls waiting"), Field::new(item.calls.len())),
    ];
    if let Some(seq) = item.as_of_seq {
        facts.insert(1, (said("截至决定", "as of decision"), Field::new(seq)));
    }
    office.answer.show("operator_why", &item, &facts, &further)
}

/// As of a moment; whoever was here then may be gone since, and is known by the whole id.
async fn past(
    office: &Office,
    typed: &str,
    at: v1::Moment,
) -> Told<(String, v1::ExplainOperatorResponse, Option<v1::Found>)> {
    let (operator_id, gone) = match office.operator(typed, Taken::Beginning).await {
        Ok(id) => (id, None),
        Err(fault) if fault.code() == "UNKNOWN" => (typed.to_owned(), Some(fault)),
        Err(fault) => return Err(fault),
    };
    let request = v1::ExplainPastOperatorRequest { operator_id: operator_id.clone(), moment: Some(at) };
    let sent = office.send(request).await.map_err(|fault| gone.unwrap_or(fault))?;
    Ok((operator_id, sent.explanation.unwrap_or_default(), sent.found))
}
