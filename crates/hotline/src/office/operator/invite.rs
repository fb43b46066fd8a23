//! An invitation instead of a token: whoever has it redeems it once.

use std::path::Path;

use api::v1;
use serde::Serialize;

use crate::chinese::translated;
use crate::office::answer::{Format, Listed};
use crate::office::asking::Office;
use crate::office::fault::{Exit, Fault, Told};
use crate::office::find::Taken;
use crate::office::new_file::NewFile;
use crate::office::said::said;
use crate::office::{length, moment};

/// An invitation, as programs read it.
#[derive(Debug, Serialize)]
struct Invited {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_file: Option<String>,
    expires_unix_us: i64,
}

impl Listed for Invited {
    fn id(&self) -> &str {
        &self.id
    }
}

/// Invites a person, and gives the invitation to whoever asked for it.
pub(super) async fn invite(
    office: &Office,
    typed: &str,
    lasting: &str,
    invite_out: Option<&Path>,
) -> Told<()> {
    let lasting_ms = length::milliseconds("--for", lasting)?;
    can_be_shown(office, invite_out)?;
    let id = office.operator(typed, Taken::Whole).await?;
    // Made before the invitation is, which ends the one before it.
    let file = invite_out.map(made).transpose()?;
    let request = v1::InviteOperatorRequest { operator_id: id.clone(), lasting_ms: Some(lasting_ms) };
    let sent = office.send(request).await?;
    let until = moment::shown(sent.expires_us);
    let words = said(
        format!("已邀请 {id}：{until} 之前可兑换一次令牌；兑换后原有的令牌作废"),
        format!(
            "{id} is invited: redeemed once before {until}, it is worth a token in place of any earlier one"
        ),
    );
    let mut item = Invited { id, invite: None, invite_file: None, expires_unix_us: sent.expires_us };
    let Some(file) = file else {
        office.answer.chat(&words);
        office.answer.clock(1);
        item.invite = Some(sent.invite);
        if office.answer.is_object() {
            return office.answer.one("operator_invited", &item);
        }
        office.answer.chat(&said("邀请码只显示这一次：", "The invitation, shown this once:"));
        return office.answer.text(&[item.invite.unwrap_or_default()]);
    };
    let shown = file.shown();
    file.keep(&sent.invite).map_err(|fault| {
        let what =
            said(format!("邀请码无法写入 {shown}"), format!("the invitation cannot be written to {shown}"));
        let again = format!("hotline operator invite {}", item.id);
        Fault::new(Exit::Usage, "INVITE_OUT", what).because(translated(&fault)).mend(said(
            format!("无人看到它；再发一份即取代它：{again}"),
            format!("nobody saw it; another takes its place: {again}"),
        ))
    })?;
    office.answer.chat(&said(format!("邀请码写在 {shown}"), format!("the invitation is in {shown}")));
    item.invite_file = Some(shown);
    office.answer.done("operator_invited", &item, &words)?;
    office.answer.clock(1);
    Ok(())
}

fn made(path: &Path) -> Told<NewFile> {
    NewFile::make(path).map_err(|fault| {
        let shown = path.display();
        let what = said(format!("无法创建 {shown}"), format!("{shown} cannot be made"));
        let mend = said("换一个位置；没有发出邀请", "name another place; nobody was invited");
        Fault::usage("INVITE_OUT", what).because(translated(&fault)).mend(mend)
    })
}

/// Looked at before anybody is invited.
fn can_be_shown(office: &Office, invite_out: Option<&Path>) -> Told<()> {
    let fault = match invite_out {
        Some(path) if path.exists() => {
            let shown = path.display();
            Fault::usage("INVITE_OUT", said(format!("{shown} 已存在"), format!("{shown} is there already")))
                .mend(said("换一个文件名，或先移走它", "name another file, or move that one away first"))
        }
        None if office.answer.format == Format::Name => {
            let what =
                said("用 -o name 时邀请码无处显示", "with -o name the invitation would be shown nowhere");
            Fault::usage("INVITE_OUT", what).mend(said("加 --invite-out 文件", "say --invite-out FILE"))
        }
        _ => return Ok(()),
    };
    Err(fault)
}
