//! What went wrong: what, why, and what mends it; and the exit code that says it to a program.

use std::io;
use std::process::ExitCode;

use serde_json::json;

use super::said::{Said, clean_lines, said};
use crate::chinese::translated;
use crate::lang::Lang;

/// The exit codes, as the help of every command lists them.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused (or different), 2 the command line or a file makes no \
                                     sense, 3 the server cannot be reached, 4 the token is missing or not admitted, \
                                     5 you said no, 6 the server is at fault";

/// Why a command did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The server, or the command itself, said no.
    Refused = 1,
    /// The command line, or a file, makes no sense.
    Usage = 2,
    /// No server answered.
    NotReached = 3,
    /// There is no token, or it is not admitted.
    NotAdmitted = 4,
    /// Whoever was asked said no.
    SaidNo = 5,
    /// The server's own fault.
    Broken = 6,
    /// Whoever read the output has seen enough.
    NobodyReads = 0,
}

/// What went wrong.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(super) exit: Exit,
    /// In a box, so that what went well is not made larger by what could have gone wrong.
    words: Box<Words>,
}

#[derive(Debug, Clone)]
struct Words {
    code: String,
    what: Said,
    why: Option<Said>,
    mend: Option<Said>,
}

/// A result with a fault that can be told.
pub(crate) type Told<T> = Result<T, Fault>;

impl Fault {
    /// With a code for programs.
    pub(crate) fn new(exit: Exit, code: &str, what: Said) -> Fault {
        Fault { exit, words: Box::new(Words { code: code.to_owned(), what, why: None, mend: None }) }
    }

    /// The command line makes no sense.
    pub(super) fn usage(code: &str, what: Said) -> Fault {
        Fault::new(Exit::Usage, code, what)
    }

    /// Why it is so.
    #[must_use]
    pub(crate) fn because(mut self, why: Said) -> Fault {
        self.words.why = Some(why);
        self
    }

    /// What to do about it.
    #[must_use]
    pub(super) fn mend(mut self, mend: Said) -> Fault {
        self.words.mend = Some(mend);
        self
    }

    /// With another exit code.
    #[must_use]
    pub(super) fn exiting(self, exit: Exit) -> Fault {
        Fault { exit, ..self }
    }

    /// The code for programs.
    pub(super) fn code(&self) -> &str {
        &self.words.code
    }

    /// On so many lines, for people.
    pub(super) fn lines(&self, lang: Lang) -> Vec<String> {
        let mut lines =
            vec![format!("{}{}", lang.of("错误：", "error: "), clean_lines(self.words.what.of(lang)))];
        let parts = [
            (&self.words.why, lang.of("  原因：", "  why:  ")),
            (&self.words.mend, lang.of("  办法：", "  mend: ")),
        ];
        for (part, name) in parts {
            let Some(text) = part else { continue };
            let text = clean_lines(text.of(lang));
            match text.strip_prefix('\n') {
                // Drawings say themselves what they are.
                Some(_) => lines.push(text),
                None if text.is_empty() => {}
                None => lines.push(format!("{name}{text}")),
            }
        }
        lines
    }

    /// One object, for programs.
    pub(super) fn object(&self, lang: Lang) -> serde_json::Value {
        let told = |part: &Option<Said>| part.as_ref().map(|text| text.of(lang).to_owned());
        json!({
            "version": 1,
            "kind": "error",
            "item": {
                "code": self.words.code,
                "what": self.words.what.of(lang),
                "why": told(&self.words.why),
                "mend": told(&self.words.mend),
                "exit": self.exit as u8,
            },
        })
    }

    /// What the process ends with.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

/// What a command found, also where whoever read the output has seen enough of it.
///
/// # Errors
/// When it could not be written for another reason.
pub(crate) fn verdict(written: Told<()>, found: ExitCode) -> Told<ExitCode> {
    match written {
        Err(fault) if fault.exit != Exit::NobodyReads => Err(fault),
        _ => Ok(found),
    }
}

/// Standard output that cannot be written to: nobody reads any more, or the disk behind it is full.
impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Fault {
        let exit = match fault.kind() {
            io::ErrorKind::BrokenPipe => Exit::NobodyReads,
            _ => Exit::Usage,
        };
        let what = said("无法写到标准输出", "standard output cannot be written to");
        Fault::new(exit, "OUTPUT", what).because(translated(&fault))
    }
}
