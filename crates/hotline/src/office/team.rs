//! `hotline team`: who is in which team, and what they do.

use std::process::ExitCode;

use api::v1;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::answer::{Listed, figures, words};
use super::asking::{Office, known_teams};
use super::fault::{EXIT_CODES, Told};
use super::find::{self, Taken, find};
use super::operator;
use super::reach::Common;
use super::sheet::Field;
use super::words::Title;

/// Teams: who is in them, and what they do at this moment.
///
/// Which teams there are stands in the plan; who is in a team is said of each operator.
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
}

impl Teams {
    pub(super) fn run(self) -> ExitCode {
        let verb = self.verb;
        super::ask(&self.common, async |office| {
            match &verb {
                Verb::List => list(office).await?,
                Verb::Members { team } => members(office, team).await?,
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
