//! A plan's or a roster's file: read whole, or refused in clear words.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use ::plan::roster::{self, ParsedRoster};
use ::plan::{Findings, ParsedPlan, PlanErrors, TEXT_BYTES_MAX};
use clap::Args;

use crate::chinese::translated;
use crate::office::fault::{Exit, Fault, Told};
use crate::office::said::{clean, said};

/// A file with such a text.
#[derive(Debug, Args)]
pub(in crate::office) struct TextFile {
    /// The text, a TOML file; `-` for standard input.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(in crate::office) path: PathBuf,
}

/// What a text is of.
#[derive(Debug, Clone, Copy)]
pub(in crate::office) struct Of {
    zh: &'static str,
    en: &'static str,
    code: &'static str,
    /// How to get the one in force.
    got: &'static str,
}

pub(in crate::office) const PLAN: Of =
    Of { zh: "方案", en: "plan", code: "PLAN_FILE", got: "hotline plan get > hospital.toml" };
pub(in crate::office) const ROSTER: Of =
    Of { zh: "排班表", en: "roster", code: "ROSTER_FILE", got: "hotline roster get > roster.toml" };

/// A file's bytes, and what errors call it.
pub(in crate::office) struct PlanText {
    pub(in crate::office) name: String,
    bytes: Vec<u8>,
    /// Which revision of a server's it is, if it is no file.
    revision: Option<u32>,
}

/// Reads a file, or standard input.
///
/// # Errors
/// When it is a directory, is not there, or is longer than any plan.
pub(in crate::office) fn read(of: Of, path: &Path) -> Told<PlanText> {
    let from_stdin = path == Path::new("-");
    let name = if from_stdin { "stdin".to_owned() } else { clean(&path.display().to_string()) };
    let unread = |fault: io::Error| {
        let what = said(format!("无法读取{} {name}", of.zh), format!("the {} {name} cannot be read", of.en));
        let (why, mend) = match fault.kind() {
            ErrorKind::IsADirectory => (
                said("这是一个目录", "it is a directory"),
                said("写其中文件的名字，如 hospital.toml", "name a file in it, as hospital.toml"),
            ),
            ErrorKind::NotFound => (
                said("没有这个文件", "there is no such file"),
                said(
                    format!("取现行{}：{}", of.zh, of.got),
                    format!("for the {} in force: {}", of.en, of.got),
                ),
            ),
            _ => (translated(&fault), said("检查文件", "look at the file")),
        };
        Fault::usage(of.code, what).because(why).mend(mend)
    };
    let mut bytes = Vec::new();
    // One byte more than is taken shows that there are too many.
    let most = TEXT_BYTES_MAX as u64 + 1;
    match from_stdin {
        true => io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unread)?,
        false => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(unread)?,
    };
    if bytes.len() > TEXT_BYTES_MAX {
        let what =
            said(format!("{name} 太大，不会是{}", of.zh), format!("{name} is too long to be a {}", of.en));
        let mend = said(format!("{}最多 1 MiB", of.zh), format!("a {} has at most 1 MiB", of.en));
        return Err(Fault::usage(of.code, what).mend(mend));
    }
    Ok(PlanText { name, bytes, revision: None })
}

impl PlanText {
    /// A revision that a server keeps.
    pub(super) fn of_revision(revision: u32, text: String) -> PlanText {
        PlanText { name: format!("revision {revision}"), bytes: text.into_bytes(), revision: Some(revision) }
    }

    /// As this program understands it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn parsed(&self) -> Result<ParsedPlan, PlanErrors> {
        ::plan::parse_bytes(&self.name, &self.bytes)
    }

    /// The same of a roster. Which clock the plan has does not make one right or wrong.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(in crate::office) fn roster(&self) -> Result<ParsedRoster, Findings> {
        roster::parse_bytes(&self.name, &self.bytes, "UTC")
    }

    /// The plan and its text, if this program finds nothing wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong, drawn where it stands.
    pub(in crate::office) fn checked(&self) -> Told<ParsedPlan> {
        match self.parsed() {
            Ok(parsed) => Ok(parsed),
            Err(errors) => {
                let what = said(format!("{} 有误", self.name), format!("{} has mistakes", self.name));
                let mend = match self.revision {
                    None => said(
                        format!("改好后再看：hotline plan validate -f {}", self.name),
                        format!("mend them, then look again: hotline plan validate -f {}", self.name),
                    ),
                    Some(n) => said(
                        format!(
                            "取出并改好再应用：hotline plan get --revision {n} > old.toml，hotline plan apply -f old.toml"
                        ),
                        format!(
                            "this release takes less than the one it was written for: hotline plan get --revision {n} > old.toml, \
                             mend it, then hotline plan apply -f old.toml"
                        ),
                    ),
                };
                let fault = Fault::new(Exit::Refused, "BAD_PLAN", what);
                Err(fault.because(translated(format!("\n{errors}\n"))).mend(mend))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn what_mends_a_text_depends_on_where_it_is() {
        let told = |text: &PlanText| text.checked().expect_err("no plan").lines(Lang::En).join("\n");
        let file = PlanText { name: "a.toml".to_owned(), bytes: Vec::new(), revision: None };
        assert!(told(&file).contains("hotline plan validate -f a.toml"), "{}", told(&file));
        let kept = told(&PlanText::of_revision(3, String::new()));
        assert!(kept.contains("hotline plan get --revision 3 > old.toml"), "{kept}");
        assert!(!kept.contains("-f revision"), "that is no file: {kept}");
    }
}
