//! `hotline completions` and `hotline man`: what shells and manuals know of these commands.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::answer::{Answer, Format};
use super::fault::{Fault, Told};
use super::said::said;
use crate::chinese::translated;
use crate::lang::Lang;

/// Completions for your shell, on standard output.
///
/// For bash: hotline completions bash > ~/.local/share/bash-completion/completions/hotline
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// The manual: one page on standard output, or all of them into a directory.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command, as `line close`; the whole program, if not given.
    command: Vec<String>,
    /// Write every page into this directory.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(self, mut program: Command) -> ExitCode {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut program, "hotline", &mut text);
        written(text)
    }
}

impl Man {
    pub(super) fn run(self, program: Command) -> ExitCode {
        let result = match &self.dir {
            Some(dir) => {
                let made = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(program, dir));
                made.map_err(|fault| {
                    let shown = dir.display();
                    let what = said(format!("无法写入 {shown}"), format!("{shown} cannot be written"));
                    Fault::usage("OUTPUT", what).because(translated(&fault))
                })
            }
            None => page(program, &self.command).and_then(|text| return_written(&text)),
        };
        super::ended(&plain(), result.map(|()| ExitCode::SUCCESS))
    }
}

fn page(mut program: Command, path: &[String]) -> Told<Vec<u8>> {
    program.build();
    let mut command = &program;
    for word in path {
        let found = command.get_subcommands().find(|sub| sub.get_name() == word && !sub.is_hide_set());
        let Some(found) = found else {
            let names: Vec<super::find::Known> =
                command.get_subcommands().map(|sub| super::find::Known::id(sub.get_name())).collect();
            return Err(super::find::unknown(COMMAND, word, &names));
        };
        command = found;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    Ok(text)
}

const COMMAND: super::find::Kind = super::find::Kind::of("命令", "command", "hotline --help");

fn return_written(text: &[u8]) -> Told<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)?;
    Ok(out.flush()?)
}

fn written(text: Vec<u8>) -> ExitCode {
    super::ended(&plain(), return_written(&text).map(|()| ExitCode::SUCCESS))
}

fn plain() -> Answer {
    Answer { format: Format::Table, lang: Lang::of_environment() }
}
