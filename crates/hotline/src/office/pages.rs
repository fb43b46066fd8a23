//! The pages of `docs/commands`, made from the commands themselves.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, Args, Command};

use super::answer::{Answer, Format};
use super::fault::{Fault, Told};
use super::said::said;
use crate::chinese::translated;
use crate::lang::Lang;

/// Writes a page per command into a directory.
#[derive(Debug, Args)]
pub(crate) struct Pages {
    /// Where to.
    dir: PathBuf,
}

/// Above each page.
const MADE: &str = "<!-- Made by `hotline pages docs/commands`; a test compares. -->";

impl Pages {
    pub(super) fn run(self, mut program: Command) -> ExitCode {
        program.build();
        let answer = Answer { format: Format::Table, lang: Lang::of_environment() };
        super::ended(&answer, self.write(&program).map(|()| ExitCode::SUCCESS))
    }

    fn write(&self, program: &Command) -> Told<()> {
        let shown = self.dir.display().to_string();
        let unwritten = |fault: std::io::Error| {
            let what = said(format!("无法写入 {shown}"), format!("{shown} cannot be written"));
            Fault::usage("OUTPUT", what).because(translated(&fault))
        };
        fs::create_dir_all(&self.dir).map_err(unwritten)?;
        for command in nouns(program) {
            let text = format!("{MADE}\n\n{}", page(command));
            fs::write(self.dir.join(format!("{}.md", command.get_name())), text).map_err(unwritten)?;
        }
        fs::write(self.dir.join("README.md"), contents(program)).map_err(unwritten)
    }
}

fn nouns(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn contents(program: &Command) -> String {
    let mut text = format!("{MADE}\n\n# Commands\n\n| command | what |\n|---|---|\n");
    for command in nouns(program) {
        let name = command.get_name();
        text.push_str(&format!("| [`hotline {name}`]({name}.md) | {} |\n", sentence(&cell(&about(command)))));
    }
    text.push_str("\nWhat the objects of `-o json` say: [json.md](../json.md).\n");
    text
}

fn page(noun: &Command) -> String {
    let mut text = format!("# `hotline {}`\n\n{}\n", noun.get_name(), paragraphs(noun));
    let verbs: Vec<&Command> =
        noun.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help").collect();
    let mut whole = noun.clone();
    text.push_str(&format!("\n```text\n{}\n```\n", usage(&mut whole)));
    for verb in &verbs {
        let mut whole = (*verb).clone();
        let name = format!("{} {}", noun.get_name(), verb.get_name());
        text.push_str(&format!("\n## `hotline {name}`\n\n{}\n", paragraphs(verb)));
        text.push_str(&format!("\n```text\n{}\n```\n", usage(&mut whole)));
        text.push_str(&table(verb, |arg| !arg.is_global_set()));
        text.push_str(&after(verb, "###"));
    }
    let own = table(noun, |arg| !arg.is_global_set());
    let common = table(noun, Arg::is_global_set);
    text.push_str(&own);
    if !common.is_empty() {
        text.push_str(&format!("\n## What every verb takes\n{common}"));
    }
    text.push_str(&after(noun, "##"));
    text
}

/// What stands below a command's help: its examples, under a heading, and its exit codes.
fn after(command: &Command, heading: &str) -> String {
    let after = command.get_after_long_help().or(command.get_after_help());
    let after = after.map(ToString::to_string).unwrap_or_default();
    let mut text = String::new();
    for part in after.split("\n\n") {
        match part.strip_prefix("Examples:\n") {
            Some(examples) => {
                let lines: Vec<&str> = examples.lines().map(str::trim_start).collect();
                text.push_str(&format!("\n{heading} Examples\n\n```sh\n{}\n```\n", lines.join("\n")));
            }
            None if part.is_empty() => {}
            None => text.push_str(&format!("\n{}\n", sentence(part))),
        }
    }
    text
}

fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    usage.trim_start_matches("Usage: ").trim_end().to_owned()
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn paragraphs(command: &Command) -> String {
    sentence(&command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default())
}

fn table(command: &Command, shown: impl Fn(&Arg) -> bool) -> String {
    let rows: Vec<String> = command
        .get_arguments()
        .filter(|arg| {
            shown(arg) && !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version")
        })
        .map(row)
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n| argument | what |\n|---|---|\n{}\n", rows.join("\n"))
}

fn row(arg: &Arg) -> String {
    let value = if arg.get_action().takes_values() {
        let names: Vec<String> =
            arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
        names.join(" ")
    } else {
        String::new()
    };
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long} {value}"),
        (None, Some(long)) => format!("--{long} {value}"),
        (Some(short), None) => format!("-{short} {value}"),
        (None, None) => format!("<{value}>"),
    };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut what = sentence(&cell(&help));
    let possible: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}`: {}", value.get_name(), cell(&help.to_string())),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if arg.get_action().takes_values() && !possible.is_empty() {
        what.push_str(&format!(" {}.", possible.join("; ")));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if arg.get_action().takes_values() && !defaults.is_empty() {
        what.push_str(&format!(" Default: `{}`.", defaults.join(", ")));
    }
    format!("| `{}` | {what} |", name.trim_end())
}

/// With the full stop that help on a terminal leaves out.
fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', ':', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// On one line, without what would end a cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
