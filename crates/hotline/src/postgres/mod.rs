//! The database that several servers share: where its address comes from, and `hotline migrate`, which brings its tables
//! to those of this release. An address holds a password: it is never on a command line, which everybody on the machine
//! reads.

mod text;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fmt, fs, io};

use anyhow::{Context, Result, ensure};
use clap::Args;
use session::migrate_postgres;
use tokio::runtime::Builder;

pub(crate) use self::text::{unopened, unopened_at};
use crate::chinese::told;
use crate::lang::Lang;
use crate::secrets;
use crate::serve::read_configuration;

/// Holds the address itself, where no file should.
pub(crate) const VARIABLE: &str = "HOTLINE_POSTGRES";

const EXIT_CODES: &str = "Exit codes: 0 the tables are those of this release, 1 they are not and nothing was half done, \
                          2 wrong flags";

/// Brings the tables of a Postgres database to those of this release, before the servers of this release start: none
/// starts with others. Each step is made whole or not at all, and two who migrate at once wait for each other. A data
/// directory needs none of this: its server does it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Migrate {
    #[command(flatten)]
    at: At,
    /// The language of what is said; the locale's if not said.
    #[arg(long)]
    lang: Option<Lang>,
}

/// The address of a database, with the password in it, and where it was found.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    text: String,
    place: String,
}

impl Address {
    /// To connect with, and for nothing else.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
    }

    /// The file or the variable that holds it.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// Where a database is named.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// A file that holds the address of a Postgres database, as in docs/postgres.md; without it, the variable
    /// HOTLINE_POSTGRES holds the address.
    #[arg(long, value_name = "FILE")]
    pub(crate) postgres: Option<PathBuf>,
    /// The configuration of `hotline serve`, whose `[postgres]` names such a file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl At {
    /// The address, if one is named anywhere.
    ///
    /// # Errors
    /// When a file that is named cannot be read, or holds none.
    pub(crate) fn address(&self) -> Result<Option<Address>> {
        let file = self.config.as_deref().map(read_configuration).transpose()?;
        let configured = file.and_then(|file| file.postgres.file);
        address(self.postgres.as_deref(), configured.as_deref())
    }
}

/// The address in the file that a flag names, in the environment, or in the file that the configuration names: the first
/// of these.
///
/// # Errors
/// When a file cannot be read, or holds none.
pub(crate) fn address(flag: Option<&Path>, configured: Option<&Path>) -> Result<Option<Address>> {
    let variable = env::var(VARIABLE).ok().filter(|address| !address.trim().is_empty());
    let file = match (flag, variable) {
        (Some(file), _) => file,
        (None, Some(address)) => {
            return Ok(Some(Address { text: address.trim().to_owned(), place: VARIABLE.to_owned() }));
        }
        (None, None) => match configured {
            Some(file) => file,
            None => return Ok(None),
        },
    };
    let shown = file.display().to_string();
    let text = fs::read_to_string(file);
    // Whoever wrote the address itself there is not to find its password on the screen, or in a log, too.
    ensure!(
        text.is_ok() || !secrets::is_address(&shown),
        "an address of a database stands where the name of a file is wanted; write the address into a file, for its owner \
         alone, and name that file, or set {VARIABLE}"
    );
    let text = text.with_context(|| format!("cannot read the address of the database in {shown}"))?;
    let address = text.trim();
    // Its text stays out of what is said: there is a password in it.
    ensure!(
        !address.is_empty(),
        "{shown} is empty; write the address of the database into it, as in docs/postgres.md"
    );
    Ok(Some(Address { text: address.to_owned(), place: shown }))
}

impl Migrate {
    /// Does it and says which steps were made, in the exit code, too.
    pub(crate) fn run(&self) -> ExitCode {
        let lang = self.lang.unwrap_or_else(Lang::of_environment);
        let (code, words) = match self.done(lang) {
            Ok(steps) => (ExitCode::SUCCESS, text::migrated(lang, &steps)),
            Err(fault) => (ExitCode::FAILURE, told(lang, format!("{fault:#}"))),
        };
        let said = match code {
            ExitCode::SUCCESS => writeln!(io::stdout(), "{words}"),
            _ => writeln!(io::stderr(), "{words}"),
        };
        if said.is_err() { ExitCode::FAILURE } else { code }
    }

    fn done(&self, lang: Lang) -> Result<Vec<String>> {
        let address = self.at.address()?.context(text::unnamed(lang))?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let made = runtime.block_on(migrate_postgres(address.reveal()));
        made.map_err(|fault| anyhow::Error::msg(unopened_at(lang, &address, &fault)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_from_a_file_and_is_never_shown() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (flag, configured) = (dir.path().join("flag"), dir.path().join("configured"));
        fs::write(&flag, "postgres://a:secret@one/hotline\n").expect("written");
        fs::write(&configured, " \n").expect("written");
        let first = address(Some(&flag), Some(&configured)).expect("readable");
        let first = first.expect("named");
        assert_eq!(first.reveal(), "postgres://a:secret@one/hotline");
        assert!(!format!("{first:?}").contains("secret"));
        let none = format!("{:#}", address(Some(&configured), None).expect_err("empty"));
        assert!(none.contains("configured is empty"), "{none}");
        let gone = format!("{:#}", address(Some(&dir.path().join("gone")), None).expect_err("no file"));
        assert!(gone.contains("gone") && !gone.contains("secret"), "{gone}");
        for slip in [
            "postgres://a:secret@one/hotline",
            "host=one password = secret",
            "a:secret@one/hotline",
            "PASSWORD=secret",
        ] {
            let told = format!("{:#}", address(Some(Path::new(slip)), None).expect_err("no file"));
            assert!(told.contains("write the address into a file") && !told.contains("secret"), "{told}");
            let told = crate::chinese::chinese(told);
            assert!(told.contains("请把地址写进") && !told.contains("secret"), "{told}");
        }
    }
}
