//! The administrator's commands: a noun, then a verb, over the API of a running server.
//!
//! One file per noun. What they share: `reach.rs` says which server is asked and with whose token, `answer.rs` how an
//! answer is written, `fault.rs` and `refused.rs` what is said when it is no, `find.rs` which id was meant, `reasons.rs`
//! what a code of an explanation means.

pub(crate) mod answer;
mod asking;
mod audit;
mod board;
mod call;
mod events;
pub(crate) mod fault;
mod find;
mod gaps;
mod length;
mod line;
mod manual;
mod moment;
mod new_file;
mod operator;
mod pages;
mod path;
mod plan;
mod privacy;
mod profile;
mod reach;
mod reasons;
mod refused;
mod roster;
pub(crate) mod said;
pub(crate) mod sheet;
mod site;
mod team;
mod token;
mod words;

use std::process::ExitCode;

use clap::{Command, Subcommand};

use crate::chinese::translated;
use crate::help;

use self::answer::Answer;
use self::asking::Office;
use self::fault::{Exit, Fault, Told};
use self::reach::Common;
use self::said::said;

/// What an administrator can speak about.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    Line(line::Lines),
    Operator(operator::Operators),
    Team(team::Teams),
    Plan(plan::Plans),
    Roster(roster::Rosters),
    Call(call::Calls),
    Board(board::Boards),
    Events(events::Events),
    Audit(audit::Audits),
    Privacy(privacy::Privacy),
    Token(token::Tokens),
    Site(site::Sites),
    Completions(manual::Completions),
    Man(manual::Man),
    #[command(hide = true)]
    Pages(pages::Pages),
}

/// Does what was asked, and says how it went. Must not be called from within an async runtime.
pub(crate) fn run(noun: Noun, program: Command) -> ExitCode {
    match noun {
        Noun::Line(lines) => lines.run(),
        Noun::Operator(operators) => operators.run(),
        Noun::Team(teams) => teams.run(),
        Noun::Plan(plans) => plans.run(),
        Noun::Roster(rosters) => rosters.run(),
        Noun::Call(calls) => calls.run(),
        Noun::Board(boards) => boards.run(),
        Noun::Events(events) => events.run(),
        Noun::Audit(audits) => audits.run(),
        Noun::Privacy(privacy) => privacy.run(),
        Noun::Token(tokens) => tokens.run(),
        Noun::Site(sites) => sites.run(),
        Noun::Completions(completions) => completions.run(help::in_language(program, help::asked_for())),
        Noun::Man(man) => man.run(help::in_language(program, help::asked_for())),
        Noun::Pages(pages) => pages.run(program),
    }
}

/// Asks a server: finds the way to it, does `task`, and tells a fault. The exit code of a task that went well is its own.
fn ask(common: &Common, task: impl AsyncFnOnce(&Office) -> Told<ExitCode>) -> ExitCode {
    let mut answer = Answer { format: common.output, lang: common.lang() };
    let asked = common.profile().and_then(|profile| {
        if let (None, Some(lang)) = (common.lang, profile.as_ref().and_then(|profile| profile.lang)) {
            answer.lang = lang;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|fault| {
            Fault::new(Exit::Usage, "RUNTIME", said("无法启动", "the program cannot start"))
                .because(translated(&fault))
        })?;
        // A connection is made within the runtime.
        let _inside = runtime.enter();
        let way = common.way(profile.as_ref())?;
        let office = Office::new(way, answer.clone(), common.yes);
        runtime.block_on(task(&office))
    });
    ended(&answer, asked)
}

/// Tells a fault, and makes an exit code of it.
pub(crate) fn ended(answer: &Answer, result: Told<ExitCode>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(fault) => {
            if fault.exit != Exit::NobodyReads {
                answer.fault(&fault);
            }
            fault.exit_code()
        }
    }
}
