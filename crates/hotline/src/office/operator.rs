//! `hotline operator`: the people who answer.

mod add;
mod change;
mod invite;
mod why;

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand, ValueEnum};
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use serde::Serialize;
use switchboard::time::SiteTime;

use super::answer::{Fact, Listed, bad, fair, good, words};
use super::asking::Office;
use super::fault::{EXIT_CODES, Exit, Fault, Told};
use super::find::{self, Taken};
use super::length;
use super::line::{code, seq};
use super::reach::Common;
use super::reasons::{Reason, all_against};
use super::said::{Said, said};
use super::sheet::Field;
use super::words::{self as word, Word};
use crate::lang::Lang;

/// So many are asked about at once.
const ASKED_AT_ONCE: usize = 16;

/// Operators: the people who answer.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Operators {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "Examples:\n  hotline operator add li-na --team volunteers --device softphone --token-out li-na.token\n  \
hotline operator invite li-na --for 8h\n  hotline operator change li-na --team volunteers --skill cantonese\n  \
hotline operator list --team volunteers\n  hotline operator why li-na\n  hotline operator pause li-na --for 30m --reason lunch\n  \
hotline operator remove li-na";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Everybody who answers, and who is ready at this moment.
    List {
        /// Only this team's.
        #[arg(long, value_name = "TEAM")]
        team: Option<String>,
    },
    /// One person.
    Show {
        /// The person's id, or the beginning of it.
        operator: String,
    },
    /// Add a person. The person's token is shown once.
    Add {
        /// A new id of a-z, 0-9 and '-'. Not the person's name or number.
        operator: String,
        /// A team; may be given several times.
        #[arg(long = "team", value_name = "TEAM")]
        teams: Vec<String>,
        /// A home line, whose own operator this is; may be given several times.
        #[arg(long = "home", value_name = "LINE")]
        home_lines: Vec<String>,
        /// A skill; may be given several times.
        #[arg(long = "skill", value_name = "SKILL")]
        skills: Vec<String>,
        /// How this person answers.
        #[arg(long, value_enum, default_value_t = Device::Softphone)]
        device: Device,
        /// Write the token to this new file, readable by you alone, instead of standard output.
        #[arg(long, value_name = "FILE")]
        token_out: Option<std::path::PathBuf>,
    },
    Change(change::Change),
    /// Invite a person: what is shown once is worth the person's token once, to whoever has it.
    ///
    /// The person's softphone redeems it. A further invitation takes the place of an earlier one; the token that the person
    /// has goes on until it is redeemed.
    Invite {
        /// The person's whole id.
        operator: String,
        /// Worth nothing after this long: 30m, 24h, 7d; at most 30d.
        #[arg(long = "for", value_name = "LENGTH", default_value = "24h")]
        lasting: String,
        /// Write the invitation to this new file, readable by you alone, instead of standard output.
        #[arg(long, value_name = "FILE")]
        invite_out: Option<std::path::PathBuf>,
    },
    /// Remove a person, at once or as soon as the work is done. The token is worth nothing then.
    Remove {
        /// The person's whole id.
        operator: String,
    },
    /// Pause a person; during a call it begins after wrap-up.
    Pause {
        /// The person's whole id.
        operator: String,
        /// Ends by itself after: 30m, 2h, 1d; by `resume` only, if not given.
        #[arg(long = "for", value_name = "LENGTH")]
        lasting: Option<String>,
        /// Why, as a code of a-z, 0-9 and '-'.
        #[arg(long, value_name = "CODE", default_value = "by-hand")]
        reason: String,
    },
    /// End a person's pause, suspension or cool-down.
    Resume {
        /// The person's whole id.
        operator: String,
    },
    /// Take a person off duty: a ringing call goes to others, a call under way finishes first.
    Off {
        /// The person's whole id.
        operator: String,
    },
    /// Why a person is or is not asked about each waiting call.
    Why {
        /// The person's id, or the beginning of it.
        operator: String,
        /// As of then: 2026-11-22 03:10, RFC 3339, 10m for ten minutes ago, or the number of a decision.
        #[arg(long, value_name = "MOMENT")]
        at: Option<String>,
    },
}

/// How a person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Device {
    /// Accept on the desk; the headset is connected by itself.
    AutoAnswer,
    /// The desk's telephone rings; picking it up accepts.
    Ring,
    /// An ordinary telephone without a desk; key 1 accepts.
    Telephone,
    /// The sound is in the desk itself.
    Softphone,
}

impl From<Device> for v1::DeviceKind {
    fn from(device: Device) -> v1::DeviceKind {
        match device {
            Device::AutoAnswer => v1::DeviceKind::AutoAnswer,
            Device::Ring => v1::DeviceKind::Ring,
            Device::Telephone => v1::DeviceKind::Telephone,
            Device::Softphone => v1::DeviceKind::Softphone,
        }
    }
}

impl Operators {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::List { team: None } => list(office, None).await?,
                Verb::List { team: Some(typed) } => {
                    let team = office.team(typed, Taken::Beginning).await?;
                    list(office, Some(&team)).await?;
                }
                Verb::Show { operator } => show(office, operator).await?,
                Verb::Add { operator, teams, home_lines, skills, device, token_out } => {
                    let profile = v1::OperatorProfile {
                        team_ids: teams.clone(),
                        home_line_ids: home_lines.clone(),
                        skill_ids: skills.clone(),
                        device: v1::DeviceKind::from(*device).into(),
                    };
                    add::add(office, operator, profile, token_out.as_deref()).await?;
                }
                Verb::Change(change) => change.run(office).await?,
                Verb::Invite { operator, lasting, invite_out } => {
                    invite::invite(office, operator, lasting, invite_out.as_deref()).await?;
                }
                Verb::Remove { operator } => remove(office, operator).await?,
                Verb::Pause { operator, lasting, reason } => {
                    pause(office, operator, lasting.as_deref(), reason).await?;
                }
                Verb::Resume { operator } => resume(office, operator).await?,
                Verb::Off { operator } => off(office, operator).await?,
                Verb::Why { operator, at } => why::tell(office, operator, at.as_deref()).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// A person who answers, as programs read it.
#[derive(Debug, Serialize)]
struct OperatorItem {
    id: String,
    state: Word,
    teams: Vec<String>,
    home_lines: Vec<String>,
    skills: Vec<String>,
    device: Word,
    removing: bool,
    /// Every reason that lies with the person, whatever the call.
    against: Vec<Reason>,
}

impl Listed for OperatorItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl OperatorItem {
    fn of(entry: v1::OperatorEntry, explained: &v1::ExplainOperatorResponse) -> OperatorItem {
        let profile = entry.profile.unwrap_or_default();
        let against: Vec<Reason> = explained.against.iter().map(Reason::of).collect();
        OperatorItem {
            id: entry.operator_id,
            state: word::operator_state(&against),
            device: word::device(profile.device()),
            teams: profile.team_ids,
            home_lines: profile.home_line_ids,
            skills: profile.skill_ids,
            removing: entry.removing,
            against,
        }
    }

    fn state(&self, lang: Lang) -> Field {
        Field::new(self.state.of(lang)).styled(match self.state.code {
            "ready" => good(),
            "suspended" | "link_lost" => bad(),
            _ => fair(),
        })
    }
}

async fn explained(office: &Office, operator_id: String) -> Told<v1::ExplainOperatorResponse> {
    office.send(v1::ExplainOperatorRequest { operator_id, at_least: None }).await
}

/// Everybody, or one team's people.
pub(super) async fn list(office: &Office, team: Option<&str>) -> Told<()> {
    let mut entries = office.operators().await?;
    if let Some(team) = team {
        let is_in = |entry: &v1::OperatorEntry| {
            entry.profile.as_ref().is_some_and(|profile| profile.team_ids.iter().any(|id| id == team))
        };
        entries.retain(is_in);
    }
    let asked = entries.into_iter().map(async |entry| {
        let answer = explained(office, entry.operator_id.clone()).await;
        match answer {
            Ok(answer) => Ok(Some(OperatorItem::of(entry, &answer))),
            // Removed in this moment.
            Err(fault) if fault.code() == "UNKNOWN_OPERATOR" => Ok(None),
            Err(fault) => Err(fault),
        }
    });
    let items: Vec<Option<OperatorItem>> = iter(asked).buffered(ASKED_AT_ONCE).try_collect().await?;
    let items: Vec<OperatorItem> = items.into_iter().flatten().collect();
    let columns = [
        words("标识", "OPERATOR", |one: &OperatorItem, _| Field::new(&one.id)).whole(),
        words("状态", "STATE", OperatorItem::state),
        words("班组", "TEAMS", |one, _| Field::or_dash(one.teams.join(","))),
        words("本线", "HOME LINES", |one, _| Field::or_dash(one.home_lines.join(","))),
        words("接听方式", "DEVICE", |one, lang| Field::new(one.device.of(lang))),
        words("技能", "SKILLS", |one: &OperatorItem, _| Field::or_dash(one.skills.join(","))).wide(),
    ];
    office.answer.list("operators", &items, None, &columns)
}

async fn show(office: &Office, typed: &str) -> Told<()> {
    let everybody = office.operators().await?;
    let known: Vec<find::Known> =
        everybody.iter().map(|one| find::Known::id(one.operator_id.clone())).collect();
    let id = find::find(find::OPERATOR, typed, &known, Taken::Beginning)?;
    let entry = everybody.into_iter().find(|one| one.operator_id == id).expect("it was found among these");
    let answer = explained(office, id).await?;
    let item = OperatorItem::of(entry, &answer);
    let lang = office.lang();
    let now = SiteTime(office.board().await?.0.at_us);
    let facts: Vec<Fact> = vec![
        (said("标识", "operator"), Field::new(&item.id)),
        (said("状态", "state"), item.state(lang)),
        (said("原因", "because"), Field::or_dash(all_against(&item.against, lang, now))),
        (said("班组", "teams"), Field::or_dash(item.teams.join(", "))),
        (said("本线", "home lines"), Field::or_dash(item.home_lines.join(", "))),
        (said("技能", "skills"), Field::or_dash(item.skills.join(", "))),
        (said("接听方式", "device"), Field::new(item.device.of(lang))),
    ];
    office.answer.show("operator", &item, &facts, &[])
}

/// What was done to a person.
#[derive(Debug, Serialize)]
struct OperatorDone {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting_ms: Option<u64>,
    seq: u64,
}

impl Listed for OperatorDone {
    fn id(&self) -> &str {
        &self.id
    }
}

fn done(office: &Office, kind: &str, id: String, receipt: Option<v1::Receipt>, words: &Said) -> Told<()> {
    office.answer.done(kind, &OperatorDone { id, lasting_ms: None, seq: seq(receipt) }, words)
}

async fn remove(office: &Office, typed: &str) -> Told<()> {
    let id = office.operator(typed, Taken::Whole).await?;
    let against = explained(office, id.clone()).await?.against;
    let busy = against.iter().any(|reason| reason.code == "busy");
    office.go_on(&match busy {
        true => said(
            format!("{id} 正忙，手头工作结束后移除，令牌随之作废。继续吗？"),
            format!("{id} is busy and will be removed when the work is done; the token is worth nothing then. Go on?"),
        ),
        false => said(
            format!("移除 {id}，其令牌立即作废。继续吗？"),
            format!("{id} will be removed and the token is worth nothing at once. Go on?"),
        ),
    })?;
    let request =
        v1::RemoveOperatorRequest { operator_id: id.clone(), ..v1::RemoveOperatorRequest::default() };
    let receipt = office.send(request).await?.receipt;
    let words = match busy {
        true => said(format!("{id} 在手头工作结束后移除"), format!("{id} is removed when the work is done")),
        false => said(format!("{id} 已移除"), format!("{id} is removed")),
    };
    done(office, "operator_removed", id, receipt, &words)
}

async fn pause(office: &Office, typed: &str, lasting: Option<&str>, reason: &str) -> Told<()> {
    let lasting_ms = lasting.map(|lasting| length::milliseconds("--for", lasting)).transpose()?;
    code("--reason", reason)?;
    let id = office.operator(typed, Taken::Whole).await?;
    let request = v1::PauseOperatorRequest {
        operator_id: id.clone(),
        reason: reason.to_owned(),
        lasting_ms,
        ..v1::PauseOperatorRequest::default()
    };
    let receipt = match office.send(request).await {
        Ok(reply) => reply.receipt,
        Err(fault) => return Err(with_state(office, fault, &id).await),
    };
    let until = |lang| lasting_ms.map(|ms| length::words(lang, ms));
    let words = said(
        match until(Lang::Zh) {
            Some(long) => format!("{id} 暂停 {long}（通话中的，从话后处理结束起）"),
            None => format!("{id} 暂停，直到 hotline operator resume {id}"),
        },
        match until(Lang::En) {
            Some(long) => format!("{id} is paused for {long} (during a call: after wrap-up)"),
            None => format!("{id} is paused until: hotline operator resume {id}"),
        },
    );
    let item = OperatorDone { id, lasting_ms, seq: seq(receipt) };
    office.answer.done("operator_paused", &item, &words)
}

/// What somebody does who is in no state for what was asked.
async fn with_state(office: &Office, fault: Fault, id: &str) -> Fault {
    if fault.code() != "WRONG_OPERATOR_STATE" {
        return fault;
    }
    let Ok(answer) = explained(office, id.to_owned()).await else { return fault };
    let against: Vec<Reason> = answer.against.iter().map(Reason::of).collect();
    let state = word::operator_state(&against);
    fault.because(said(
        format!("{id} 现在：{}", state.of(Lang::Zh)),
        format!("{id} is at this moment: {}", state.of(Lang::En)),
    ))
}

async fn resume(office: &Office, typed: &str) -> Told<()> {
    let id = office.operator(typed, Taken::Whole).await?;
    let against: Vec<Reason> = explained(office, id.clone()).await?.against.iter().map(Reason::of).collect();
    let holds = |codes: &[&str]| against.iter().any(|reason| codes.contains(&reason.code.as_str()));
    if !holds(&["paused", "suspended", "cooling_down"]) {
        let state = word::operator_state(&against);
        let what = said(
            format!("{id} 没有暂停或停派（现在：{}）", state.of(Lang::Zh)),
            format!("{id} is neither paused nor suspended (at this moment: {})", state.of(Lang::En)),
        );
        return Err(Fault::new(Exit::Refused, "NOTHING_TO_RESUME", what));
    }
    let receipt = force(office, &id, v1::Force::On).await?;
    let words = said(format!("{id} 已恢复，重新接派"), format!("{id} is back and can be asked again"));
    done(office, "operator_resumed", id, receipt, &words)
}

async fn off(office: &Office, typed: &str) -> Told<()> {
    let id = office.operator(typed, Taken::Whole).await?;
    let receipt = force(office, &id, v1::Force::Off).await?;
    let words = said(
        format!("{id} 已下班；进行中的通话先结束"),
        format!("{id} is off duty; a call under way finishes first"),
    );
    done(office, "operator_off", id, receipt, &words)
}

async fn force(office: &Office, id: &str, to: v1::Force) -> Told<Option<v1::Receipt>> {
    let request = v1::ForceOperatorRequest {
        operator_id: id.to_owned(),
        to: to.into(),
        ..v1::ForceOperatorRequest::default()
    };
    Ok(office.send(request).await?.receipt)
}
