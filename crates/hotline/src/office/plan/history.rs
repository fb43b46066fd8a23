//! `hotline plan history`: every revision, with what the audit says of it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use api::v1;
use serde::Serialize;
use serde_json::Value;

use crate::office::answer::{Listed, words};
use crate::office::asking::Office;
use crate::office::fault::Told;
use crate::office::moment;
use crate::office::sheet::Field;

/// Rows of the audit asked for at once: as many as the server gives.
const PAGE: u32 = 1_000;

/// A revision, as programs read it.
#[derive(Debug, Serialize)]
struct RevisionItem {
    id: String,
    in_force: bool,
    hash: String,
    #[serde(flatten)]
    applied: Option<Applied>,
}

/// Who put it in force.
#[derive(Debug, Clone, Serialize)]
struct Applied {
    at_unix_us: i64,
    who: String,
    why: String,
}

impl Listed for RevisionItem {
    fn id(&self) -> &str {
        &self.id
    }
}

pub(super) async fn list(office: &Office) -> Told<ExitCode> {
    let revisions = office.send(v1::ListPlansRequest {}).await?.revisions;
    let mut applied = applied(office).await?;
    let items: Vec<RevisionItem> = revisions
        .into_iter()
        .map(|sent| RevisionItem {
            id: sent.revision.to_string(),
            in_force: sent.in_force,
            applied: applied.remove(&(sent.revision, sent.hash.clone())),
            hash: sent.hash,
        })
        .collect();
    let columns = [
        words("版", "REVISION", |item: &RevisionItem, _| Field::new(&item.id)).whole(),
        words("现行", "IN FORCE", |item, lang| {
            Field::or_dash(if item.in_force { lang.of("是", "yes") } else { "" })
        }),
        words("时间", "TIME", |item, _| told(item, |applied| moment::shown(applied.at_unix_us))),
        words("谁", "WHO", |item, _| told(item, |applied| applied.who.clone())),
        words("为何", "WHY", |item, _| told(item, |applied| applied.why.clone())),
        words("哈希", "HASH", |item: &RevisionItem, _| Field::new(&item.hash)).wide(),
    ];
    office.answer.list("plan_history", &items, None, &columns)?;
    office.answer.clock(items.iter().filter(|item| item.applied.is_some()).count());
    Ok(ExitCode::SUCCESS)
}

fn told(item: &RevisionItem, words: fn(&Applied) -> String) -> Field {
    Field::or_dash(item.applied.as_ref().map(words).unwrap_or_default())
}

/// Of each plan that somebody of the office put in force, who that was. The first may have come with the server.
async fn applied(office: &Office) -> Told<BTreeMap<Named, Applied>> {
    let (mut asked, mut ended, mut page_token) = (BTreeMap::new(), BTreeMap::new(), String::new());
    loop {
        let what = "plan.apply".to_owned();
        let request = v1::ListAuditRequest { what, page_size: PAGE, page_token, ..Default::default() };
        let page = office.send(request).await?;
        for row in page.records {
            if row.refers_to == 0 {
                let applied = Applied { at_unix_us: row.at_unix_us, who: row.who, why: row.why };
                asked.insert(row.number, (named(&row.after), applied));
            } else {
                ended.insert(row.refers_to, row.outcome);
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(by_plan(asked, &ended))
}

/// Who put which plan in force: where a server died meanwhile nobody could say how an act ended, and it was done if its
/// plan is there and nobody else did it.
fn by_plan(
    asked: BTreeMap<u64, (Option<Named>, Applied)>,
    ended: &BTreeMap<u64, String>,
) -> BTreeMap<Named, Applied> {
    let (mut perhaps, mut done) = (BTreeMap::new(), BTreeMap::new());
    for (number, (plan, applied)) in asked {
        let Some(plan) = plan else { continue };
        match ended.get(&number).map(String::as_str) {
            Some("done") => done.insert(plan, applied),
            Some("unknown") | None => perhaps.insert(plan, applied),
            Some(_) => None,
        };
    }
    perhaps.extend(done);
    perhaps
}

/// A plan among all that were to be the same revision: the revision, and the hash of what it means.
type Named = (u32, String);

fn named(after: &str) -> Option<Named> {
    let after: Value = serde_json::from_str(after).ok()?;
    let revision = u32::try_from(after.get("revision")?.as_u64()?).ok()?;
    Some((revision, after.get("hash")?.as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_that_nobody_saw_the_end_of_is_told_unless_another_did_it() {
        let act = |who: &str, after: &str| {
            let applied = Applied { at_unix_us: 1, who: who.to_owned(), why: String::new() };
            (named(after), applied)
        };
        let (two, other) = (r#"{"revision":2,"hash":"aa","migrate":false}"#, r#"{"revision":2,"hash":"bb"}"#);
        let three = r#"{"revision":3,"hash":"cc"}"#;
        let asked = BTreeMap::from([
            (1, act("first", two)),
            (3, act("late", two)),
            (5, act("refused", other)),
            (7, act("alone", three)),
        ]);
        let ended = [(1, "done"), (3, "unknown"), (5, "PLAN_CONFLICT"), (7, "unknown")];
        let ended = ended.map(|(number, outcome)| (number, outcome.to_owned())).into();
        let told = by_plan(asked, &ended);
        let who = |revision, hash: &str| Some(told.get(&(revision, hash.to_owned()))?.who.as_str());
        assert_eq!((who(2, "aa"), who(2, "bb"), who(3, "cc")), (Some("first"), None, Some("alone")));
    }
}
