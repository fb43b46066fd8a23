//! Why a person is or is not asked about each waiting call.

use serde::Serialize;
use switchboard::time::SiteTime;

use super::explained;
use crate::office::answer::{self, Fact, Listed};
use crate::office::asking::Office;
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

/// Tells why a person is or is not asked.
pub(super) async fn tell(office: &Office, typed: &str) -> Told<()> {
    let id = office.operator(typed, Taken::Beginning).await?;
    let answer = explained(office, id.clone()).await?;
    let against: Vec<Reason> = answer.against.iter().map(Reason::of).collect();
    let calls = answer.calls.iter().map(|call| ExplainedCall {
        id: call.call_id.clone(),
        against: call.against.iter().map(Reason::of).collect(),
    });
    let item = Explained { state: word::operator_state(&against), calls: calls.collect(), against, id };
    let lang = office.lang();
    let now = if office.answer.is_object() { SiteTime(0) } else { SiteTime(office.board().await?.0.at_us) };
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
    let facts: Vec<Fact> = vec![
        (said("标识", "operator"), Field::new(&item.id)),
        (said("状态", "state"), Field::new(item.state.of(lang))),
        (said("原因", "because"), Field::new(words)),
        (said("等候的来电", "calls waiting"), Field::new(item.calls.len())),
    ];
    office.answer.show("operator_why", &item, &facts, &further)
}
