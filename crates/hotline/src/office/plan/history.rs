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
            hash: sent.hash,
            applied: applied.remove(&sent.revision),
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

/// Of each revision that somebody of the office put in force, who that was. The first may have come with the server.
async fn applied(office: &Office) -> Told<BTreeMap<u32, Applied>> {
    let (mut asked, mut done, mut page_token) = (BTreeMap::new(), BTreeMap::new(), String::new());
    loop {
        let what = "plan.apply".to_owned();
        let request = v1::ListAuditRequest { what, page_size: PAGE, page_token, ..Default::default() };
        let page = office.send(request).await?;
        for row in page.records {
            if row.refers_to == 0 {
                let applied = Applied { at_unix_us: row.at_unix_us, who: row.who, why: row.why };
                asked.insert(row.number, (revision_of(&row.after), applied));
            } else if row.outcome == "done" {
                done.insert(row.refers_to, ());
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let kept = asked.into_iter().filter(|(number, _)| done.contains_key(number));
    Ok(kept.filter_map(|(_, (revision, applied))| Some((revision?, applied))).collect())
}

fn revision_of(after: &str) -> Option<u32> {
    let after: Value = serde_json::from_str(after).ok()?;
    u32::try_from(after.get("revision")?.as_u64()?).ok()
}
