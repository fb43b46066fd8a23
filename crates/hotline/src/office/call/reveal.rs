//! The number of a caller, for a reason that is recorded.

use api::v1;
use api::v1::reveal_caller_request::Subject;
use serde::Serialize;

use crate::office::answer::Listed;
use crate::office::asking::Office;
use crate::office::fault::Told;
use crate::office::reach::reason;
use crate::office::said::{clean, said};

/// A caller's number, as programs read it.
#[derive(Debug, Serialize)]
struct Revealed {
    id: String,
    caller_ref: String,
    number: String,
    masked: String,
}

impl Listed for Revealed {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Tells the number of a call's caller.
pub(super) async fn tell(office: &Office, typed: &str, why: &str) -> Told<()> {
    let reason = reason("--reason", why)?.to_owned();
    let id = office.any_call(typed).await?;
    let subject = Some(Subject::CallId(id.clone()));
    let sent = office.send(v1::RevealCallerRequest { subject, reason }).await?;
    let item = Revealed { id, caller_ref: sent.caller_ref, number: sent.number, masked: sent.masked };
    if office.answer.is_object() {
        return office.answer.one("caller_revealed", &item);
    }
    office.answer.text(&[clean(&item.number)])?;
    office.answer.chat(&said("已记入审计", "this was recorded in the audit"));
    Ok(())
}
