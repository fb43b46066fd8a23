//! A server that can be asked, and what several commands ask of it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use api::{Client, Refusal, Unary, v1};
use switchboard::plan::{Plan, Team};

use super::answer::Answer;
use super::fault::{Exit, Fault, Told};
use super::find::{self, Kind, Known, Taken};
use super::reach::Way;
use super::refused;
use super::said::{Said, clean_lines, said};
use super::words::Title;
use crate::lang::Lang;

/// A server that is being started again answers within this time.
const GIVE_UP_AFTER: Duration = Duration::from_secs(2);
/// How much of a list is asked for at once.
pub(super) const PAGE: u32 = 1_000;

/// A server, and how its answers are written.
pub(super) struct Office {
    pub(super) client: Client,
    pub(super) answer: Answer,
    address: String,
    yes: bool,
}

impl Office {
    pub(super) fn new(way: Way, answer: Answer, yes: bool) -> Office {
        Office { client: way.client.give_up_after(GIVE_UP_AFTER), answer, address: way.address, yes }
    }

    pub(super) fn lang(&self) -> Lang {
        self.answer.lang
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The server's no.
    pub(super) async fn send<R: Unary>(&self, request: R) -> Told<R::Reply> {
        self.client.send(request).await.map_err(|status| self.refused(&Refusal::of(&status)))
    }

    /// A no of this server.
    pub(super) fn refused(&self, refusal: &Refusal) -> Fault {
        refused::fault(refusal, &self.address)
    }

    /// The board at this moment, and the place in the record it is of.
    ///
    /// # Errors
    /// The server's no.
    pub(super) async fn board(&self) -> Told<(v1::Board, v1::Cursor)> {
        let ask = || async {
            let mut supervisor = self.client.supervisor();
            supervisor.watch_board(v1::WatchBoardRequest::default()).await?.into_inner().message().await
        };
        let first = self.client.until_answered(ask).await;
        let first = first.map_err(|status| self.refused(&Refusal::of(&status)))?;
        let sent = first.and_then(|first| Some((first.board?, first.cursor.unwrap_or_default())));
        sent.ok_or_else(|| {
            Fault::new(Exit::Broken, "NO_BOARD", said("服务器没有给出看板", "the server sent no board"))
        })
    }

    /// Everybody who answers, by id.
    ///
    /// # Errors
    /// The server's no.
    pub(super) async fn operators(&self) -> Told<Vec<v1::OperatorEntry>> {
        let mut everybody = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = self.send(v1::ListOperatorsRequest { page_size: PAGE, page_token }).await?;
            everybody.extend(page.operators);
            if page.next_page_token.is_empty() {
                return Ok(everybody);
            }
            page_token = page.next_page_token;
        }
    }

    /// Every team of the plan, and any that left it with people in it, by id and by title. Somebody who may not see the
    /// plan is told of those with people.
    ///
    /// # Errors
    /// The server's no.
    pub(super) async fn teams(&self, board: &v1::Board) -> Told<Vec<(String, Title)>> {
        let mut teams: BTreeMap<String, Title> = match self.send(v1::GetPlanRequest::default()).await {
            Ok(sent) => {
                plan::parse("plan", &sent.text).map(|parsed| titles(&parsed.plan)).unwrap_or_default()
            }
            Err(fault) if fault.code() == "WRONG_ROLE" => BTreeMap::new(),
            Err(fault) => return Err(fault),
        };
        for team in &board.teams {
            teams.entry(team.team_id.clone()).or_insert_with(|| Title::of(team.title.clone()));
        }
        Ok(teams.into_iter().collect())
    }

    /// The plan in force; none that this program cannot read.
    ///
    /// # Errors
    /// The server's no.
    pub(super) async fn plan(&self) -> Told<Option<Plan>> {
        let sent = self.send(v1::GetPlanRequest::default()).await?;
        Ok(plan::parse("plan", &sent.text).ok().map(|parsed| parsed.plan))
    }

    /// Whether whoever asks has agreed to everything beforehand.
    pub(super) fn has_agreed(&self) -> bool {
        self.yes
    }

    /// The team that is meant.
    ///
    /// # Errors
    /// When none is, or the server says no.
    pub(super) async fn team(&self, typed: &str, taken: Taken) -> Told<String> {
        let (board, _) = self.board().await?;
        find::find(find::TEAM, typed, &known_teams(self.teams(&board).await?), taken)
    }

    /// The line that is meant.
    ///
    /// # Errors
    /// When none is, or the server says no.
    pub(super) async fn line(&self, typed: &str, taken: Taken) -> Told<String> {
        let (board, _) = self.board().await?;
        find::find(find::LINE, typed, &lines(&board), taken)
    }

    /// The operator who is meant.
    ///
    /// # Errors
    /// When none is, or the server says no.
    pub(super) async fn operator(&self, typed: &str, taken: Taken) -> Told<String> {
        let known: Vec<Known> =
            self.operators().await?.into_iter().map(|one| Known::id(one.operator_id)).collect();
        find::find(find::OPERATOR, typed, &known, taken)
    }

    /// The call that is meant. A whole id may be of a call that closed a moment ago, so the server is not asked about it.
    ///
    /// # Errors
    /// When none is, or the server says no.
    pub(super) async fn call(&self, typed: &str, taken: Taken) -> Told<String> {
        if uuid::Uuid::try_parse(typed).is_ok() {
            return Ok(typed.to_lowercase());
        }
        let calls = self.calls_on("").await?;
        let known: Vec<Known> = calls.into_iter().map(|call| Known::id(call.call_id)).collect();
        find::find(find::CALL, &typed.to_lowercase(), &known, taken)
    }

    /// Everybody who is on a line, or, of one without a name, on any.
    ///
    /// # Errors
    /// The server's no.
    pub(super) async fn calls_on(&self, line: &str) -> Told<Vec<v1::CallSummary>> {
        let mut calls = Vec::new();
        let mut page_token = String::new();
        loop {
            let line_id = line.to_owned();
            let request = v1::ListCallsRequest { line_id, page_size: PAGE, page_token, at_least: None };
            let page = self.send(request).await?;
            calls.extend(page.calls);
            if page.next_page_token.is_empty() {
                return Ok(calls);
            }
            page_token = page.next_page_token;
        }
    }

    /// The call that is meant, open or not: by its beginning among the open ones, then among all that have a record.
    ///
    /// # Errors
    /// When none is, or the server says no.
    pub(super) async fn any_call(&self, typed: &str) -> Told<String> {
        match self.call(typed, Taken::Beginning).await {
            Err(unknown) if unknown.code() == "UNKNOWN" => {
                let typed = typed.to_lowercase();
                let asked = v1::ListRecordsRequest {
                    page_size: PAGE,
                    call_begins: typed.clone(),
                    ..v1::ListRecordsRequest::default()
                };
                let calls = match self.send(asked).await {
                    Ok(found) => found.calls,
                    // No id begins so.
                    Err(fault) if fault.code() == "INVALID_FIELD" => Vec::new(),
                    Err(fault) => return Err(fault),
                };
                if calls.is_empty() {
                    return Err(unknown);
                }
                let known: Vec<Known> = calls.into_iter().map(|call| Known::id(call.call_id)).collect();
                find::find(find::CALL, &typed, &known, Taken::Beginning)
            }
            found => found,
        }
    }

    /// Whether to go on. Only a person at a terminal is asked.
    ///
    /// # Errors
    /// When the person says no, or nobody can be asked.
    pub(super) fn go_on(&self, question: &Said) -> Told<()> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            let what = said(
                "这一步需要确认，而此处无人可问",
                "this has to be confirmed, and nobody can be asked here",
            );
            return Err(Fault::usage("NEEDS_YES", what)
                .because(question.clone())
                .mend(said("加 --yes 表示同意", "say --yes to agree")));
        }
        let lang = self.lang();
        let mut prompt = io::stderr().lock();
        write!(prompt, "{} {} ", clean_lines(question.of(lang)), lang.of("[y/N]（是/否）", "[y/N]"))?;
        prompt.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        match line.trim().to_lowercase().as_str() {
            "y" | "yes" | "是" => Ok(()),
            _ => Err(Fault::new(Exit::SaidNo, "SAID_NO", said("未作任何更改", "nothing was changed"))),
        }
    }
}

fn titles(plan: &Plan) -> BTreeMap<String, Title> {
    let title = |team: &Team| Title { zh: team.title.zh.clone(), en: team.title.en.clone() };
    plan.teams.iter().map(|(id, team)| (id.to_string(), title(team))).collect()
}

/// Teams, as one of them could be meant.
pub(super) fn known_teams(teams: Vec<(String, Title)>) -> Vec<Known> {
    teams.into_iter().map(|(id, title)| Known { id, names: vec![title.zh, title.en] }).collect()
}

/// The lines of a board, by id and by title.
pub(super) fn lines(board: &v1::Board) -> Vec<Known> {
    let titles = |title: &Option<v1::Title>| {
        title.as_ref().map(|title| vec![title.zh.clone(), title.en.clone()]).unwrap_or_default()
    };
    board.lines.iter().map(|line| Known { id: line.line_id.clone(), names: titles(&line.title) }).collect()
}

/// Adds to a server's no about an id what was probably meant.
pub(super) fn or_nearest(fault: Fault, code: &str, kind: Kind, typed: &str, known: &[Known]) -> Fault {
    if fault.code() == code { find::unknown(kind, typed, known) } else { fault }
}
