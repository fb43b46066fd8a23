//! `hotline team`: who is in which team, and what they do.

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use plan::edit;
use plan::lint::Staff;
use serde::Serialize;
use switchboard::id::TeamId;
use switchboard::plan::Title as Plain;

use super::answer::{Listed, figures, words};
use super::asking::{Office, known_teams};
use super::fault::{EXIT_CODES, Exit, Fault, Told};
use super::find::{self, Taken, find, new_id};
use super::operator;
use super::plan::edit::{Change, change, taken};
use super::reach::Common;
use super::said::{said, same};
use super::sheet::Field;
use super::words::Title;

/// Teams: who is in them, and what they do at this moment.
///
/// Which teams there are stands in the plan, whose text `add` and `remove` change; who is in a team is said of each operator.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Teams {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every team, and its people by what they do.
    List,
    /// The people of one team.
    Members {
        /// Its id, or the beginning of it.
        team: String,
    },
    /// Put a new team into the plan, whose text otherwise stays as it was written.
    Add {
        /// Its id: of a-z, 0-9 and '-'.
        team: String,
        /// Its name in Chinese.
        #[arg(long, value_name = "NAME")]
        zh: String,
        /// Its name in English.
        #[arg(long, value_name = "NAME")]
        en: String,
        /// Show what would change and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Take a team out of the plan. Refused while a tier asks it or somebody is in it.
    Remove {
        /// Its whole id.
        team: String,
        /// Show what would change and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Teams {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::List => list(office).await?,
                Verb::Members { team } => members(office, team).await?,
                Verb::Add { team, zh, en, dry_run } => {
                    add(office, team, Plain { zh: zh.clone(), en: en.clone() }, *dry_run).await?;
                }
                Verb::Remove { team, dry_run } => remove(office, team, *dry_run).await?,
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// A team, as programs read it. Each person is in exactly one figure.
#[derive(Debug, Serialize)]
struct TeamItem {
    id: String,
    title: Title,
    ready: u32,
    ringing: u32,
    talking: u32,
    wrap_up: u32,
    held_back: u32,
    paused: u32,
    suspended: u32,
    unreachable: u32,
    leaving: u32,
    off: u32,
}

impl Listed for TeamItem {
    fn id(&self) -> &str {
        &self.id
    }
}

impl TeamItem {
    fn of(crew: v1::Crew, id: String, title: Title) -> TeamItem {
        TeamItem {
            id,
            title,
            ready: crew.ready,
            ringing: crew.offered,
            talking: crew.talking,
            wrap_up: crew.wrap_up,
            held_back: crew.held_back,
            paused: crew.paused,
            suspended: crew.suspended,
            unreachable: crew.unreachable,
            leaving: crew.leaving,
            off: crew.off,
        }
    }
}

async fn list(office: &Office) -> Told<()> {
    let (board, _) = office.board().await?;
    let teams = office.teams(&board).await?;
    let crew = |id: &str| board.teams.iter().find(|team| team.team_id == id).and_then(|team| team.crew);
    let items: Vec<TeamItem> =
        teams.into_iter().map(|(id, title)| TeamItem::of(crew(&id).unwrap_or_default(), id, title)).collect();
    let columns = [
        words("标识", "TEAM", |team: &TeamItem, _| Field::new(&team.id)).whole(),
        words("名称", "TITLE", |team, lang| Field::new(team.title.shown(lang))),
        figures("空闲", "READY", |team, _| Field::new(team.ready)),
        figures("振铃", "RINGING", |team, _| Field::new(team.ringing)),
        figures("通话", "TALKING", |team, _| Field::new(team.talking)),
        figures("话后", "WRAP-UP", |team, _| Field::new(team.wrap_up)),
        figures("暂停", "PAUSED", |team, _| Field::new(team.paused)),
        figures("停派", "SUSPENDED", |team: &TeamItem, _| Field::new(team.suspended)).wide(),
        figures("失联", "NO LINK", |team: &TeamItem, _| Field::new(team.unreachable)).wide(),
        figures("暂缓", "HELD BACK", |team: &TeamItem, _| Field::new(team.held_back)).wide(),
        figures("将离", "LEAVING", |team: &TeamItem, _| Field::new(team.leaving)).wide(),
        figures("下班", "OFF", |team, _| Field::new(team.off)),
    ];
    office.answer.list("teams", &items, None, &columns)
}

async fn members(office: &Office, typed: &str) -> Told<()> {
    let (board, _) = office.board().await?;
    let id = find(find::TEAM, typed, &known_teams(office.teams(&board).await?), Taken::Beginning)?;
    operator::list(office, Some(&id)).await
}

async fn add(office: &Office, typed: &str, title: Plain, dry_run: bool) -> Told<()> {
    new_id(find::TEAM, typed)?;
    let id = id(typed)?;
    let (board, _) = office.board().await?;
    if office.teams(&board).await?.iter().any(|(team, _)| team == typed) {
        return Err(taken(find::TEAM, typed));
    }
    let what = Change { kind: "team_added", id: typed, move_waiting_to: None, dry_run, now: false };
    let done = |revision| {
        said(
            format!("班组 {id} 已加入方案（第 {revision} 版）"),
            format!("team {id} is in the plan (revision {revision})"),
        )
    };
    change(office, &what, |text| edit::add_team(text, id, &title), done).await
}

async fn remove(office: &Office, typed: &str, dry_run: bool) -> Told<()> {
    let team = office.team(typed, Taken::Whole).await?;
    let id = id(&team)?;
    let everybody = office.operators().await?;
    let in_it = |one: &&v1::OperatorEntry| one.profile.as_ref().is_some_and(|of| of.team_ids.contains(&team));
    let inside: Vec<&str> = everybody.iter().filter(in_it).map(|one| one.operator_id.as_str()).collect();
    if !inside.is_empty() {
        let what = said(format!("班组 {id} 中还有人"), format!("there are people in team {id}"));
        return Err(Fault::new(Exit::Refused, "TEAM_NOT_EMPTY", what).because(same(inside.join(", "))).mend(
            said(
                format!("先让他们离开该班组：hotline operator change 接线员 --team 班组（或 --no-team）；查看：hotline team members {id}"),
                format!(
                    "take them out of it first: hotline operator change OPERATOR --team TEAM (or --no-team); to see them: hotline team members {id}"
                ),
            ),
        ));
    }
    let what = Change { kind: "team_removed", id: &team, move_waiting_to: None, dry_run, now: false };
    let done = |revision| {
        said(
            format!("班组 {id} 已移出方案（第 {revision} 版）"),
            format!("team {id} is out of the plan (revision {revision})"),
        )
    };
    // Nobody is in it, which is all that the staff would tell.
    change(office, &what, |text| edit::remove_team(text, id, &Staff::default()), done).await
}

fn id(typed: &str) -> Told<TeamId> {
    typed.parse().map_err(|_| {
        Fault::usage("BAD_ID", said(format!("{typed:?} 不是标识"), format!("{typed:?} is not an id")))
    })
}
