//! A plan's file: read whole, or refused in clear words.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use ::plan::{ParsedPlan, PlanErrors, TEXT_BYTES_MAX};

use crate::office::fault::{Exit, Fault, Told};
use crate::office::said::{clean, said, same};

/// A file's bytes, and what errors call it.
pub(super) struct PlanText {
    pub(super) name: String,
    bytes: Vec<u8>,
}

/// Reads a file, or standard input.
///
/// # Errors
/// When it is a directory, is not there, or is longer than any plan.
pub(super) fn read(path: &Path) -> Told<PlanText> {
    let from_stdin = path == Path::new("-");
    let name = if from_stdin { "stdin".to_owned() } else { clean(&path.display().to_string()) };
    let unread = |fault: io::Error| {
        let what = said(format!("无法读取方案 {name}"), format!("the plan {name} cannot be read"));
        let (why, mend) = match fault.kind() {
            ErrorKind::IsADirectory => (
                said("这是一个目录", "it is a directory"),
                said("写其中文件的名字，如 hospital.toml", "name a file in it, as hospital.toml"),
            ),
            ErrorKind::NotFound => (
                said("没有这个文件", "there is no such file"),
                said(
                    "取现行方案：hotline plan get > hospital.toml",
                    "for the plan in force: hotline plan get > hospital.toml",
                ),
            ),
            _ => (same(fault.to_string()), said("检查文件", "look at the file")),
        };
        Fault::usage("PLAN_FILE", what).because(why).mend(mend)
    };
    let mut bytes = Vec::new();
    // One byte more than is taken shows that there are too many.
    let most = TEXT_BYTES_MAX as u64 + 1;
    match from_stdin {
        true => io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(unread)?,
        false => File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(unread)?,
    };
    if bytes.len() > TEXT_BYTES_MAX {
        let what = said(format!("{name} 太大，不会是方案"), format!("{name} is too long to be a plan"));
        let mend = said("方案最多 1 MiB", "a plan has at most 1 MiB");
        return Err(Fault::usage("PLAN_FILE", what).mend(mend));
    }
    Ok(PlanText { name, bytes })
}

impl PlanText {
    /// As this program understands it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn parsed(&self) -> Result<ParsedPlan, PlanErrors> {
        ::plan::parse_bytes(&self.name, &self.bytes)
    }

    /// Its text, if this program finds nothing wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong, drawn where it stands.
    pub(super) fn checked(&self) -> Told<String> {
        match self.parsed() {
            Ok(parsed) => Ok(parsed.text),
            Err(errors) => {
                let what = said(format!("{} 有误", self.name), format!("{} has mistakes", self.name));
                Err(Fault::new(Exit::Refused, "BAD_PLAN", what).because(same(format!("\n{errors}\n"))).mend(
                    said(
                        format!("改好后再看：hotline plan validate -f {}", self.name),
                        format!("mend them, then look again: hotline plan validate -f {}", self.name),
                    ),
                ))
            }
        }
    }
}
