//! What is known of a person, changed: whatever is not said stays as it is.

use api::v1;
use clap::Args;

use super::add::nearest;
use super::{Device, done};
use crate::office::asking::Office;
use crate::office::fault::{Fault, Told};
use crate::office::find::{self, Known, Taken};
use crate::office::said::said;

/// Change what is known of a person. What is not said stays as it is.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Change {
    /// The person's whole id.
    operator: String,
    /// The person's teams from here on; may be given several times.
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<String>,
    /// In no team from here on.
    #[arg(long, conflicts_with = "teams")]
    no_team: bool,
    /// The person's home lines from here on; may be given several times.
    #[arg(long = "home", value_name = "LINE")]
    home_lines: Vec<String>,
    /// Without a home line from here on.
    #[arg(long, conflicts_with = "home_lines")]
    no_home: bool,
    /// The person's skills from here on; may be given several times.
    #[arg(long = "skill", value_name = "SKILL")]
    skills: Vec<String>,
    /// Without a skill from here on.
    #[arg(long, conflicts_with = "skills")]
    no_skill: bool,
    /// How this person answers from here on.
    #[arg(long, value_enum)]
    device: Option<Device>,
}

impl Change {
    pub(super) async fn run(&self, office: &Office) -> Told<()> {
        if !self.says_something() {
            let what = said("没有写要更改什么", "nothing to change was said");
            return Err(Fault::usage("NO_CHANGE", what).mend(said(
                "写 --team、--home、--skill 或 --device；清空用 --no-team、--no-home、--no-skill",
                "say --team, --home, --skill or --device; to have none of them --no-team, --no-home, --no-skill",
            )));
        }
        match self.once(office).await {
            Err(fault) if fault.code() == "PROFILE_CONFLICT" => {
                office.answer.chat(&said(
                    "其间有人更改了该接线员；在新的内容上再改一次",
                    "somebody else changed this operator meanwhile; the same is done to what is known now",
                ));
                self.once(office).await
            }
            ended => ended,
        }
    }

    /// One attempt: of what is known at its beginning, and of nothing else.
    async fn once(&self, office: &Office) -> Told<()> {
        let everybody = office.operators().await?;
        let known: Vec<Known> = everybody.iter().map(|one| Known::id(one.operator_id.clone())).collect();
        let id = find::find(find::OPERATOR, &self.operator, &known, Taken::Whole)?;
        let entry = everybody.into_iter().find(|one| one.operator_id == id);
        let expected = entry.and_then(|entry| entry.profile);
        let profile = self.of(expected.clone().unwrap_or_default());
        let request = v1::ChangeOperatorRequest {
            operator_id: id.clone(),
            profile: Some(profile.clone()),
            expected,
            ..v1::ChangeOperatorRequest::default()
        };
        let receipt = match office.send(request).await {
            Ok(reply) => reply.receipt,
            Err(fault) => return Err(nearest(office, fault, &profile).await),
        };
        let listed = |ids: &[String]| if ids.is_empty() { "-".to_owned() } else { ids.join(", ") };
        let (teams, lines) = (listed(&profile.team_ids), listed(&profile.home_line_ids));
        let skills = listed(&profile.skill_ids);
        let words = said(
            format!("{id}：班组 {teams}；本线 {lines}；技能 {skills}"),
            format!("{id} has the teams {teams}; the home lines {lines}; the skills {skills}"),
        );
        done(office, "operator_changed", id, receipt, &words)
    }

    fn says_something(&self) -> bool {
        let lists = [&self.teams, &self.home_lines, &self.skills];
        lists.iter().any(|list| !list.is_empty())
            || self.no_team
            || self.no_home
            || self.no_skill
            || self.device.is_some()
    }

    fn of(&self, before: v1::OperatorProfile) -> v1::OperatorProfile {
        let list = |said: &[String], none: bool, before: Vec<String>| match (said, none) {
            (_, true) => Vec::new(),
            ([], false) => before,
            (said, false) => said.to_vec(),
        };
        v1::OperatorProfile {
            device: self.device.map_or(before.device, |device| v1::DeviceKind::from(device).into()),
            team_ids: list(&self.teams, self.no_team, before.team_ids),
            home_line_ids: list(&self.home_lines, self.no_home, before.home_line_ids),
            skill_ids: list(&self.skills, self.no_skill, before.skill_ids),
        }
    }
}
