//! `hotline screenshots`: the pictures of the README, made by real commands against a real server on a stepped clock. The
//! same program draws the same pictures on any machine.

mod stage;
mod svg;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use self::stage::{CALLS, Stage};

/// Draws the screens of the README into a directory.
#[derive(Debug, Args)]
pub(crate) struct Screenshots {
    /// Where to.
    dir: PathBuf,
}

/// A picture: its file's name, what it shows, and what is typed.
struct Picture {
    file: &'static str,
    title: &'static str,
    typed: Vec<Vec<String>>,
    lang: &'static str,
}

fn pictures() -> Vec<Picture> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let why = format!("call why {}", &CALLS[1][..8]);
    let mistakes =
        ["line remove outpatint-2", "line remove outpatient-2 --move-waiting-to outpatient-1 --dry-run"];
    let picture = |file, title, typed: &[&str], lang| Picture {
        file,
        title,
        typed: typed.iter().map(|text| words(text)).collect(),
        lang,
    };
    vec![
        picture("board.svg", "hotline board", &["board"], "en"),
        picture("board.zh-CN.svg", "hotline board", &["board"], "zh-CN"),
        picture("why.svg", "hotline call why", &[&why], "en"),
        picture("why.zh-CN.svg", "hotline call why", &[&why], "zh-CN"),
        picture("remove.svg", "hotline line remove", &mistakes, "en"),
        picture("remove.zh-CN.svg", "hotline line remove", &mistakes, "zh-CN"),
    ]
}

impl Screenshots {
    /// Plays a little of a hospital and draws what the commands say of it. Must not be called from within an async runtime.
    ///
    /// # Errors
    /// When the server does not start, or a picture cannot be written.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let stage = Stage::set()?;
        let unwritten = || format!("cannot write into {}", self.dir.display());
        fs::create_dir_all(&self.dir).with_context(unwritten)?;
        for picture in pictures() {
            let mut lines = Vec::new();
            for typed in &picture.typed {
                if !lines.is_empty() {
                    lines.push(String::new());
                }
                lines.push(format!("$ hotline {}", typed.join(" ")));
                lines.extend(stage.screen(typed, picture.lang)?);
            }
            fs::write(self.dir.join(picture.file), svg::drawn(picture.title, &lines))
                .with_context(unwritten)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
